"""`check_source` says what a release on disk would give, without decoding its images."""

from __future__ import annotations

import json
import zipfile
from dataclasses import asdict
from pathlib import Path

import pytest

from mathv360k.builder.check import check_source
from mathv360k.builder.sources import SOURCES
from mathv360k.builder.sources.source import ReadOptions
from source_reading import png, write

ROWS = [
    {"imgname": "a.png", "query": "One?", "label": "1"},
    {"imgname": "a.png", "query": "Two?", "label": "2"},
    {"imgname": "gone.png", "query": "Three?", "label": "3"},
    {"imgname": "gone.png", "query": "Four?", "label": "4"},
    {"imgname": "a.png", "query": "Five?", "label": ""},
    {"imgname": "a.png", "query": "Six?"},
    {"imgname": "../../../../etc/passwd", "query": "Seven?", "label": "7"},
]


def chartqa(root: Path) -> None:
    train = root / "ChartQA" / "ChartQA Dataset" / "train"
    write(train / "train_human.json", ROWS)
    write(train / "png" / "a.png", png())


def test_everything_is_counted_with_examples(tmp_path: Path) -> None:
    chartqa(tmp_path)
    found = check_source(SOURCES["ChartQA"], tmp_path)
    assert (found.folder, found.found, found.error) == (True, True, None)
    assert set(found.files.values()) == {True}
    assert (found.images, found.images_missing, found.usable) == (3, 2, 2)
    assert found.missing_examples == ["train/png/gone.png", "train/png/../../../../etc/passwd"]
    assert found.quarantined == {"image_missing": 3, "malformed_row": 1, "no_answer": 1}
    assert [row["question"] for row in found.questions] == ["One?", "Two?"]
    assert found.questions[0]["answer"] == "1"
    told = {row["row"].rpartition(" ")[2]: row["detail"] for row in found.rejected}
    assert told["6"] == "object missing required field label"
    assert told["5"] == "the answer to 'Five?' is empty"


def test_a_release_in_its_archive_is_found_too(tmp_path: Path) -> None:
    chartqa(tmp_path)
    folder = tmp_path / "ChartQA" / "ChartQA Dataset"
    with zipfile.ZipFile(tmp_path / "ChartQA" / "release.zip", "w") as archive:
        for file in sorted(folder.rglob("*.*")):
            archive.write(file, file.relative_to(folder.parent))
            file.unlink()
    found = check_source(SOURCES["ChartQA"], tmp_path)
    assert (found.found, found.usable, found.images_missing) == (True, 2, 2)


def test_what_is_not_there(tmp_path: Path) -> None:
    found = check_source(SOURCES["ChartQA"], tmp_path)
    assert (found.folder, found.found, found.usable) == (False, False, 0)
    assert set(found.files.values()) == {False}
    write(tmp_path / "ChartQA" / "ChartQA Dataset" / "train" / "png" / "a.png", png())
    found = check_source(SOURCES["ChartQA"], tmp_path)
    assert (found.folder, found.found) == (True, False)
    assert found.error is not None
    assert "train_human.json" in found.error


def test_a_file_that_breaks_off_says_so_and_counts_what_came_before(tmp_path: Path) -> None:
    chartqa(tmp_path)
    file = tmp_path / "ChartQA" / "ChartQA Dataset" / "train" / "train_human.json"
    file.write_text(file.read_text()[:-9])
    found = check_source(SOURCES["ChartQA"], tmp_path)
    assert found.usable == 2
    assert found.error is not None
    assert "the file ends too early" in found.error


def test_places_that_cannot_be_printed_do_not_stop_it(tmp_path: Path) -> None:
    write(tmp_path / "TabMWP" / "problems_train.json", {"\ud800": {"question": "One?"}})
    found = check_source(SOURCES["TabMWP"], tmp_path)
    assert [row["row"] for row in found.rejected] == ["problems_train.json: \\ud800"]
    json.dumps(asdict(found), ensure_ascii=False).encode()


def test_a_limit_counts_images(tmp_path: Path) -> None:
    chartqa(tmp_path)
    found = check_source(SOURCES["ChartQA"], tmp_path, ReadOptions(limit=1))
    assert (found.images, found.usable) == (1, 2)


@pytest.mark.parametrize(
    ("name", "images", "usable"),
    [("Geometry3K", 2101, 2101), ("VQA-RAD", 313, 1797), ("GEOS", 66, 66), ("VQA2.0", 42, 63)],
)
def test_samples(shared_sources: Path, name: str, images: int, usable: int) -> None:
    found = check_source(SOURCES[name], shared_sources)
    assert (found.images, found.images_missing) == (images, 0)
    assert (found.usable, found.quarantined) == (usable, {})
