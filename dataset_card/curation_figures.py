"""Figures: how good the classifiers are, what a selection did. PNG on a light background."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from .figure_style import BLUE, GREY, INK, LEVELS, RED, STYLE, write_png


def draw_classifiers(report: Mapping[str, Any], folder: Path) -> None:
    """Write confusion.png and reliability.png from the report of `builder.classifiers.fit`."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9, 4.2), layout="constrained")
        for axes, name in zip(figure.subplots(1, 2), ("clarity", "complexity"), strict=True):
            matrix = np.array(report[name]["confusion_matrix"])
            share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
            axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
            for (row, column), count in np.ndenumerate(matrix):
                colour = "white" if share[row, column] > 0.6 else INK
                axes.text(column, row, f"{count:,}", ha="center", va="center", color=colour)
            axes.set(xlabel="predicted", ylabel="labelled", title=name)
            axes.set_xticks(range(len(matrix)))
            axes.set_yticks(range(len(matrix)))
        write_png(figure, folder / "confusion.png")
        figure = Figure(figsize=(5.2, 5), layout="constrained")
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=GREY, zorder=0)
        for name, colour in (("clarity", BLUE), ("complexity", RED)):
            points = report[name]["reliability"]
            x, y = ([p[key] for p in points] for key in ("predicted", "true"))
            axes.plot(x, y, marker="o", color=colour, label=name, clip_on=False)
        axes.set(xlabel="predicted probability", ylabel="true share", xlim=(0, 1), ylim=(0, 1))
        axes.legend(frameon=False)
        write_png(figure, folder / "reliability.png")


def draw_selection(sources: Mapping[str, Mapping[str, Sequence[int]]], path: Path) -> None:
    """Images by source and complexity, before and after; `sources` as `curation.told` has them."""
    names = list(sources)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(10, 1.8 + 0.34 * len(names)), layout="constrained")
        panels = (("clear images", "available"), ("taken", "taken"))
        for axes, (title, key) in zip(figure.subplots(1, 2, sharey=True), panels, strict=True):
            counts = np.array([sources[name][key] for name in names])
            left = np.zeros(len(names))
            for level, colour in enumerate(LEVELS):
                axes.barh(names, counts[:, level], left=left, color=colour, label=f"{level}")
                left += counts[:, level]
            axes.set(title=f"{title}: {counts.sum():,}", xlabel="images")
            axes.xaxis.set_major_formatter("{x:,.0f}")
        figure.axes[0].invert_yaxis()
        figure.axes[1].legend(title="complexity", frameon=False)
        write_png(figure, path)
