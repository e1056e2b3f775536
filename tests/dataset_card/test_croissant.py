"""`mlcroissant` accepts a dataset's croissant.json and loads from it what the files hold."""

from __future__ import annotations

import io
import json
import logging
from pathlib import Path
from typing import Any

import mlcroissant
import pyarrow.parquet as pq
import pytest
from PIL import Image

from mathv360k.builder.recipe import Recipe
from mathv360k.pipeline import write_dataset
from pools import diagram, encoded, pool_of, question

NO_DATE = 'Property "https://schema.org/datePublished" is recommended, but does not exist.'


def load(folder: Path, config: str) -> list[dict[str, Any]]:
    """The records of a config, by the columns' names, texts as texts."""
    records = mlcroissant.Dataset(str(folder / "croissant.json")).records(config)
    return [plain(record) for record in records]


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name.rpartition("/")[2]: plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.decode() if isinstance(value, bytes) else value


def stored(folder: Path, config: str) -> list[dict[str, Any]]:
    """The same, from the files."""
    return [
        {"split": path.name.partition("-")[0], **row}
        for path in sorted((folder / "data" / config).glob("*.parquet"))
        for row in pq.read_table(path).to_pylist()
    ]


def test_it_is_valid(demo: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        metadata = mlcroissant.Dataset(str(demo / "croissant.json")).metadata
    assert metadata.ctx.issues.errors == set()
    assert metadata.ctx.issues.warnings == {f"[Metadata(mathv360k-demo)] {NO_DATE}"}
    assert "not standard" not in caplog.text
    assert metadata.version == "1.0.0"
    assert metadata.license == ["CC0-1.0"]


@pytest.mark.parametrize("config", ["questions", "rejected"])
def test_records_are_the_rows_of_the_files(demo: Path, config: str) -> None:
    assert load(demo, config) == stored(demo, config)


@pytest.mark.parametrize("config", ["default", "images"])
def test_records_have_their_images(demo: Path, config: str) -> None:
    found, wanted = load(demo, config), stored(demo, config)
    for one, other in zip(found, wanted, strict=True):
        picture, data = one.pop("image"), other.pop("image")["bytes"]
        assert picture.tobytes() == Image.open(io.BytesIO(data)).tobytes()
        assert one == other


def test_splits_are_records(demo: Path) -> None:
    assert [row["name"] for row in load(demo, "splits")] == ["train", "validation", "test"]


def test_loading_warns_of_nothing(demo: Path, caplog: pytest.LogCaptureFixture) -> None:
    dataset = mlcroissant.Dataset(str(demo / "croissant.json"))
    with caplog.at_level(logging.WARNING):
        assert list(dataset.records("default"))
    assert all(NO_DATE in record.getMessage() for record in caplog.records)


def test_every_data_file_is_there_with_its_hash(demo: Path) -> None:
    manifest = json.loads((demo / "manifest.json").read_bytes())
    nodes = json.loads((demo / "croissant.json").read_bytes())["distribution"]
    files = {node["contentUrl"]: node["sha256"] for node in nodes if "sha256" in node}
    on_disk = {p.relative_to(demo).as_posix() for p in demo.rglob("*.parquet")}
    assert files.keys() == on_disk
    assert all(manifest["files"][name]["sha256"] == sha256 for name, sha256 in files.items())


def test_rows_whose_image_is_left_out_are_loaded(tmp_path: Path) -> None:
    picture = encoded(diagram(1)), encoded(diagram(2))
    asked = [
        ("GEOS", question("a.png", picture[0], "How long is AB?", "3")),
        ("FigureQA", question("b.png", picture[1], "Is red the least?", "No")),
    ]
    recipe = Recipe(name="test", splits={"train": 1.0})
    folder = tmp_path / "made"
    write_dataset(recipe, pool_of(tmp_path / "pool", asked), folder, withheld=["GEOS"])
    rows = {row["source"]: row for row in load(folder, "default")}
    assert rows["GEOS"]["image"] is None and rows["GEOS"]["answer"] == "3"
    assert rows["FigureQA"]["image"].size == diagram(2).size
    licenses = mlcroissant.Dataset(str(folder / "croissant.json")).metadata.license
    assert licenses == sorted({rows[name]["license"] for name in rows})


def test_it_has_no_records_of_a_config_that_is_not_there(demo: Path, tmp_path: Path) -> None:
    recipe = Recipe(name="test", splits={"train": 1.0})
    asked = [("GEOS", question("a.png", encoded(diagram(1)), "How long is AB?", "3"))]
    write_dataset(recipe, pool_of(tmp_path / "pool", asked), tmp_path / "made")
    metadata = mlcroissant.Dataset(str(tmp_path / "made" / "croissant.json")).metadata
    names = [records.id for records in metadata.record_sets]
    assert names == ["splits", "default", "images", "questions"]
