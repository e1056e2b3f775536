"""The model card of fitted classifiers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def write_model_card(folder: Path, model: str, report: Mapping[str, Any]) -> None:
    """Write README.md beside the classifiers: what they are, and how good on unseen sources."""
    environment = Environment(
        loader=PackageLoader(__package__ or "dataset_card", "."),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    card = environment.get_template("classifiers.md.jinja").render(model=model, report=report)
    (folder / "README.md").write_text(card, encoding="utf-8", newline="\n")
