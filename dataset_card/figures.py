"""The figures of a dataset's card: what it is made of, at the width of a card."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator

from .captions import FOLDER
from .figure_style import BLUE, GREY, LEVELS, RED, SET, STYLE, write_png
from .overview import draw_overview
from .statistics import Statistics


def draw_dataset(folder: Path, statistics: Statistics, out: Path) -> None:
    """Write `figures/*.png` of the dataset in `folder` below `out`.

    Each PNG's description is the content digest, so that it can be told of which rows it is.
    """
    (out / FOLDER).mkdir(exist_ok=True)
    about = f"sha256:{statistics.digest}"
    with mpl.rc_context(STYLE):
        write_png(draw_overview(folder, statistics), out / FOLDER / "overview.png", about)
        for name, draw in _FIGURES.items():
            write_png(draw(statistics), out / FOLDER / f"{name}.png", about)


def _composition(statistics: Statistics) -> Figure:
    counts = pd.crosstab(statistics.questions["source"], statistics.questions["kind"])
    counts = counts.loc[counts.sum(axis=1).sort_values(kind="stable").index]
    figure = Figure(figsize=(10, 1.5 + 0.3 * len(counts)), layout="constrained")
    axes = figure.subplots()
    left = np.zeros(len(counts))
    for kind, colour in zip(counts, _colours(len(counts.columns)), strict=True):
        axes.barh(counts.index.astype(str), counts[kind], left=left, color=colour, label=str(kind))
        left += counts[kind].to_numpy()
    for place, total in enumerate(left):
        axes.annotate(f" {total:,.0f}", (total, place), va="center", fontsize=9)
    _thousands(axes, "questions")
    axes.margins(x=0.08, y=0.5 / (len(counts) + 1))
    figure.legend(loc="outside upper left", ncols=min(6, len(counts.columns)), frameon=False)
    return figure


def _lengths(statistics: Statistics) -> Figure:
    """Percentiles 5, 25, 50, 75, 95 of the characters of questions."""
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    panels = figure.subplots(1, 2)
    for axes, by in zip(panels, ("kind", "task"), strict=True):
        groups = statistics.questions.groupby(by, observed=True)["characters"]
        table = groups.quantile(np.array([0.05, 0.25, 0.5, 0.75, 0.95])).unstack()
        names = table.index.astype(str)
        axes.barh(names, table[0.95] - table[0.05], left=table[0.05], color=GREY, height=0.16)
        axes.barh(names, table[0.75] - table[0.25], left=table[0.25], color=BLUE, height=0.46)
        axes.scatter(table[0.5], names, color="white", s=22, zorder=3)
        axes.set(title=f"by {by}", xlim=(0, None), xlabel="characters of a question")
        axes.set_ylim(max(len(names), 4) - 0.5, -0.5)
    return figure


def _answers(statistics: Statistics) -> Figure:
    questions = statistics.questions
    figure = Figure(figsize=(10, 3.8), layout="constrained")
    types, letters = figure.subplots(1, 2)
    counts = pd.crosstab(questions["answer_type"], questions["question_type"])
    left = np.zeros(len(counts))
    for name, colour in zip(counts, _colours(len(counts.columns)), strict=True):
        types.barh(counts.index.astype(str), counts[name], left=left, color=colour, label=str(name))
        left += counts[name].to_numpy()
    types.invert_yaxis()
    types.set_title("what answers are")
    _thousands(types, "questions")
    figure.legend(
        *types.get_legend_handles_labels(), loc="outside upper left", ncols=2, frameon=False
    )
    _letters(letters, questions)
    return figure


def _letters(axes: Axes, questions: pd.DataFrame) -> None:
    """How often each letter is right, by the number of choices, and how often if all were equal."""
    axes.set(title="how often each letter is the answer", xlabel="letter of the right choice")
    asked = questions[questions["answer_letter"].notna() & questions["choices"].between(2, 5)]
    if asked.empty:
        axes.text(0.5, 0.5, "no question has choices", ha="center", transform=axes.transAxes)
        return
    groups = [(n, rows["answer_letter"]) for n, rows in asked.groupby("choices")]
    width = 0.8 / len(groups)
    for place, (n, found) in enumerate(groups):
        share = found.value_counts(normalize=True)
        names = [chr(ord("A") + i) for i in range(int(str(n)))]
        x = np.arange(len(names)) + (place - (len(groups) - 1) / 2) * width
        colour = LEVELS[place % len(LEVELS)]
        axes.bar(x, [share.get(name, 0) for name in names], width, color=colour)
        axes.plot([x[0] - width / 2, x[-1] + width / 2], [1 / len(names)] * 2, color=RED, lw=1)
        axes.bar([0], [0], color=colour, label=f"of {n}: {len(found):,}")
    most = int(asked["choices"].max())
    axes.set_xticks(range(most), [chr(ord("A") + i) for i in range(most)])
    axes.plot([], [], color=RED, lw=1, label="if all were equal")
    axes.yaxis.set_major_formatter("{x:.0%}")
    axes.legend(frameon=False, fontsize=9)


def _scores(statistics: Statistics) -> Figure:
    images = statistics.images
    figure = Figure(figsize=(10, 3.6), layout="constrained")
    clarity, complexity = figure.subplots(1, 2)
    known = images["clarity"].dropna()
    clarity.hist(known, bins=np.linspace(0, 1, 26), color=BLUE)
    clarity.set(title=f"clarity ({len(images) - len(known):,} images without)", xlim=(0, 1))
    clarity.set_xlabel("probability that the image is clear")
    clarity.set_ylabel("images")
    clarity.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    clarity.yaxis.set_major_formatter("{x:,.0f}")
    counts = pd.crosstab(images["task"], images["complexity"].dropna().astype(int))
    counts = counts.reindex(columns=range(4), fill_value=0)
    left = np.zeros(len(counts))
    for level, colour in enumerate(LEVELS):
        names = counts.index.astype(str)
        complexity.barh(names, counts[level], left=left, color=colour, label=str(level))
        left += counts[level].to_numpy()
    without = len(images) - int(counts.to_numpy().sum())
    complexity.set_title(f"comprehension complexity ({without:,} images without)")
    complexity.invert_yaxis()
    _thousands(complexity, "images")
    if len(counts):
        figure.legend(*complexity.get_legend_handles_labels(), loc="outside right", frameon=False)
    return figure


def _sizes(statistics: Statistics) -> Figure:
    images = statistics.images
    figure = Figure(figsize=(10, 4), layout="constrained")
    sizes, formats = figure.subplots(1, 2, width_ratios=(3, 2))
    drawn = sizes.hexbin(
        images["width"], images["height"], xscale="log", yscale="log", gridsize=36, bins="log",
        mincnt=1, cmap="Blues", linewidths=0.2, vmin=0.5,
    )  # fmt: skip
    figure.colorbar(drawn, ax=sizes, label="images", format="{x:,.0f}").minorticks_off()
    for axis in (sizes.xaxis, sizes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
        axis.set_major_formatter("{x:,.0f}")
        axis.set_minor_formatter("")
    sizes.set(title="width and height", xlabel="width, pixels", ylabel="height, pixels")
    counts = images["format"].value_counts().sort_values()
    formats.barh(counts.index.astype(str), counts, color=BLUE, height=0.5)
    formats.set_title("formats")
    _thousands(formats, "images")
    formats.margins(y=0.3)
    return figure


def _thousands(axes: Axes, label: str) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlabel(label)


def _colours(count: int) -> list[str]:
    return [SET[i % len(SET)] for i in range(count)]


_FIGURES: dict[str, Callable[[Statistics], Figure]] = {
    "composition": _composition,
    "lengths": _lengths,
    "answers": _answers,
    "scores": _scores,
    "sizes": _sizes,
}
