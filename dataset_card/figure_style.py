"""How figures look: PNG on a light background, colours that stay apart for the colour-blind."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

INK, BLUE, RED, GREY = "#222222", "#3b6fb6", "#c0504d", "#c9ced6"
LEVELS = ("#cfe0f3", "#8fb6de", "#4a82bf", "#1f4e85")
"""Complexity 0 to 3."""
SET = ("#3b6fb6", "#e69f00", "#2a9d74", "#cc79a7", "#8c564b", "#7f7f7f", "#56b4e9", "#d55e00")
"""Categories: kinds, tasks."""
STYLE: dict[Any, Any] = {
    "font.size": 11,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#888888",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "text.parse_math": False,  # a "$" in a name is a dollar
}


def write_png(figure: Figure, path: Path, about: str | None = None) -> None:
    """Write a figure; `about` is what readers of the file's metadata find as its description."""
    said = {"Software": None, **({"Description": about} if about else {})}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a box stands for the character
        figure.savefig(path, dpi=120, facecolor="white", metadata=said)
