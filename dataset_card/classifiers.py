"""The model card of fitted classifiers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .templates import write_document


def write_model_card(folder: Path, model: str, report: Mapping[str, Any]) -> None:
    """Write README.md beside the classifiers: what they are, and how good on unseen sources."""
    write_document("classifiers.md.jinja", folder / "README.md", model=model, report=report)
