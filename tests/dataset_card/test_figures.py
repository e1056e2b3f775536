"""Figures are drawn of every dataset, however odd, and say which rows they are of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from mathv360k.builder.manifest import data_files, read_manifest
from mathv360k.builder.recipe import Recipe
from mathv360k.builder.schema import Kind, Task
from mathv360k.dataset_card import figures
from mathv360k.dataset_card.captions import captions
from mathv360k.dataset_card.figures import draw_dataset
from mathv360k.dataset_card.statistics import Statistics, count
from mathv360k.pipeline import write_dataset
from pools import diagram, encoded, pool_of, question


def made(tmp_path: Path, asked: list[Any], **more: Any) -> tuple[Path, Statistics]:
    pool = pool_of(tmp_path / "pool", asked)
    folder = tmp_path / "made"
    write_dataset(Recipe(name="test", splits={"train": 1.0}), pool, folder, **more)
    return folder, counted(folder)


def counted(folder: Path) -> Statistics:
    manifest = read_manifest(folder, "dataset")
    assert manifest is not None
    return count(folder, data_files(manifest))


def many(sources: int) -> list[Any]:
    """An image of each source with all kinds and a few numbers of choices."""
    return [
        (
            f"source-{place:02d}-{'x' * (place % 3 * 9)}",
            question(
                f"{place}.png", encoded(diagram(place, size=60 + 9 * place)),
                f"{kind} {'why ' * (place + n)}?", "b" if n % 2 else str(n),
                kind=kind, choices=list("abcdefgh")[: 2 + n] if n % 2 else [],
                task=list(Task)[place % 5], complexity=place % 4, clarity=place / sources,
            ),
        )
        for place in range(sources)
        for n, kind in enumerate(Kind)
    ]  # fmt: skip


ODD: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "one row": ([("a", question("a.png", encoded(diagram(1)), "Why?", "3"))], {}),
    "many sources": (many(24), {}),
    "nothing shown": (
        [("GEOS", question("a.png", encoded(diagram(1)), "Why?", "3"))],
        {"withheld": ["GEOS"]},
    ),
    "names that are markup": (
        [("$\\frac{<b>_^&", question("a.png", encoded(diagram(1)), "$\\frac{", "$"))],
        {},
    ),
    "Chinese": ([("几何", question("a.png", encoded(diagram(1)), "多少", "3"))], {}),
}


@pytest.mark.parametrize("odd", ODD)
def test_they_are_drawn(tmp_path: Path, odd: str) -> None:
    asked, more = ODD[odd]
    folder, statistics = made(tmp_path, asked, **more)
    for name in captions(statistics):
        with Image.open(folder / name) as picture:
            assert picture.width == 1_200
            assert picture.info["Description"] == f"sha256:{statistics.digest}"
            pixels = np.asarray(picture.convert("L"))
        edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
        assert (edge == 255).all(), name  # a light background, and nothing cut off
        assert (pixels < 128).sum() > 100


def test_they_are_the_same_for_the_same_rows(demo: Path, tmp_path: Path) -> None:
    draw_dataset(demo, counted(demo), tmp_path)
    for name in captions(counted(demo)):
        assert (tmp_path / name).read_bytes() == (demo / name).read_bytes()


@pytest.fixture
def drawn(demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Figure]:
    """The figures of the demo, as matplotlib has them."""
    kept: dict[str, Figure] = {}
    monkeypatch.setattr(
        figures, "write_png", lambda figure, path, about: kept.__setitem__(path.stem, figure)
    )
    draw_dataset(demo, counted(demo), tmp_path)
    return kept


def widths(figure: Figure, axes: int) -> float:
    return sum(bar.get_width() for bar in figure.axes[axes].patches)  # pyright: ignore


def test_bars_are_as_long_as_there_are_rows(demo: Path, drawn: dict[str, Figure]) -> None:
    questions, images = len(counted(demo).questions), len(counted(demo).images)
    assert widths(drawn["composition"], 0) == questions
    assert widths(drawn["answers"], 0) == questions
    assert widths(drawn["scores"], 1) == images
    assert widths(drawn["sizes"], 1) == images
    bars = drawn["scores"].axes[0].patches
    assert sum(bar.get_height() for bar in bars) == images  # pyright: ignore


def test_shares_of_letters_are_whole(demo: Path, drawn: dict[str, Figure]) -> None:
    bars = drawn["answers"].axes[1].patches
    there = counted(demo).questions
    sizes = there[there["answer_letter"].notna()]["choices"].nunique()
    assert sum(bar.get_height() for bar in bars) == pytest.approx(sizes)  # pyright: ignore


def test_lengths_are_percentiles(demo: Path, drawn: dict[str, Figure]) -> None:
    there = counted(demo).questions
    complex_ = np.percentile(there[there["kind"] == "complex"]["characters"], [5, 25, 50, 75, 95])
    axes = drawn["lengths"].axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    place = names.index("complex")
    wide, narrow = (group.patches[place] for group in axes.containers)  # pyright: ignore
    found = [wide.get_x(), narrow.get_x(), narrow.get_x() + narrow.get_width()]
    assert found == pytest.approx([complex_[0], complex_[1], complex_[3]])
    assert wide.get_x() + wide.get_width() == pytest.approx(complex_[4])
