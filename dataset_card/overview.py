"""The picture at the top of a card: an image of each task, and what there is of everything."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image, ImageOps

from ..builder.images import open_rgb
from ..builder.schema import Task, Unusable
from .captions import headline
from .figure_style import GREY, SET
from .statistics import Statistics

_SIDE = 480  # pixels
_TRIES = 5
_TITLE = 22
"""Characters over an image."""
_CHARACTER = 0.0095
"""Share of a bar's width that a character takes."""


def draw_overview(folder: Path, statistics: Statistics) -> Figure:
    """An image of each task that there is, over the shares of tasks, kinds and splits."""
    images, questions = statistics.images, statistics.questions
    shown = _examples(folder, images)
    figure = Figure(figsize=(10, 4.4 if shown else 2), layout="constrained")
    grid = figure.add_gridspec(2 if shown else 1, 1, height_ratios=[11, 9] if shown else [1])
    if shown:
        row = grid[0].subgridspec(1, len(shown))
        for place, (title, picture) in enumerate(shown):
            axes = figure.add_subplot(row[place])
            axes.imshow(picture)
            axes.set_title(title, fontsize=10, loc="center")
            axes.set(xticks=[], yticks=[])
            for side in axes.spines.values():
                side.set(visible=True, color=GREY)
    bars = figure.add_subplot(grid[-1])
    for place, name in enumerate(("task", "kind", "split")):
        _bar(bars, place, questions[name])
    bars.set_yticks(range(3), ["tasks", "kinds", "splits"])
    bars.invert_yaxis()
    bars.set(xlim=(0, 1), xticks=[])
    bars.spines[:].set_visible(False)
    bars.tick_params(left=False)
    bars.set_title(headline(statistics))
    return figure


def _bar(axes: Axes, place: int, words: pd.Series) -> None:
    """One bar of the whole width, cut into the shares of each word."""
    shares = words.value_counts(normalize=True).sort_index()
    shares = shares[shares > 0]
    left = 0.0
    for number, (word, share) in enumerate(shares.items()):
        axes.barh(place, share, left=left, color=SET[number % len(SET)], height=0.62, ec="white")
        names = (f"{word} {share:.0%}", f"{word}", "")
        name = next(name for name in names if len(name) * _CHARACTER < share)
        axes.text(
            left + share / 2, place, name, ha="center", va="center", color="white", fontsize=9
        )
        left += share


def _examples(folder: Path, images: pd.DataFrame) -> list[tuple[str, Image.Image]]:
    """One image of each task, the first clear one by its hash, of another source if it can be."""
    clear = images[images["shown"] & ~(images["clarity"] < 0.5)].sort_values("image_id")
    result, seen = [], set()
    for task in Task:
        rows = clear[clear["task"] == task]
        unseen = rows[~rows["source"].isin(seen)]
        for row in (unseen if len(unseen) else rows).head(_TRIES).itertuples():
            picture = _picture(folder, str(row.shard), int(str(row.row_group)), str(row.image_id))
            if picture is not None:
                seen.add(row.source)
                result.append((_cut(f"{task} · {row.source}"), picture))
                break
    return result


def _cut(title: str) -> str:
    return title if len(title) <= _TITLE else f"{title[:_TITLE]}…"


def _picture(folder: Path, shard: str, row_group: int, image_id: str) -> Image.Image | None:
    with pq.ParquetFile(folder / shard) as file:
        table = file.read_row_group(row_group, columns=["image_id", "image.bytes"])
    place = table["image_id"].to_pylist().index(image_id)
    try:
        picture = open_rgb(table["image"][place]["bytes"].as_py())
    except Unusable:
        return None
    return ImageOps.pad(picture, (_SIDE, _SIDE), color="white")
