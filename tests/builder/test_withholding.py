"""A dataset without some images is the one that a build without them writes, row by row."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from mathv360k.builder.location import locate
from mathv360k.builder.manifest import read_manifest
from mathv360k.builder.recipe import Recipe
from mathv360k.builder.schema import CONFIGS
from mathv360k.builder.verification import verify
from mathv360k.pipeline import write_dataset
from mathv360k.publishing import without_images
from pools import diagram, encoded, pool_of, question

PICTURES = [encoded(diagram(number, size=60 + number)) for number in range(8)]


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    rows = [
        ("GEOS" if n % 2 else "Other", question(f"{n}.png", PICTURES[n], f"Question {k}?", "1"))
        for n in range(8)
        for k in range(3)
    ]
    return pool_of(tmp_path / "pool", rows)


def test_it_equals_a_build_that_leaves_them_out(pool: Path, tmp_path: Path) -> None:
    recipe = Recipe(name="test", splits={"train": 0.5, "test": 0.5})
    write_dataset(recipe, pool, tmp_path / "whole")
    built = write_dataset(recipe, pool, tmp_path / "built", withheld=["GEOS"])
    made = without_images(tmp_path / "whole", tmp_path / "made", ["GEOS"])
    for name in ("digest", "splits", "withheld", "sources", "quarantine", "parameters"):
        assert made[name] == built[name], name
    for name in built["files"]:
        if name.endswith(".parquet"):
            ours, theirs = (pq.read_table(tmp_path / f / name) for f in ("made", "built"))
            assert ours.equals(theirs), name
    assert verify(locate(tmp_path / "made")).problems == []


def test_no_byte_of_a_hidden_image_is_left(pool: Path, tmp_path: Path) -> None:
    write_dataset(Recipe(name="test"), pool, tmp_path / "whole")
    without_images(tmp_path / "whole", tmp_path / "made", ["GEOS"])
    stored = b"".join(p.read_bytes() for p in (tmp_path / "made").rglob("*.parquet"))
    assert [data in stored for data in PICTURES] == [True, False] * 4
    for config in CONFIGS:
        path = next((tmp_path / "made" / "data" / config).glob("*.parquet"))
        assert b"huggingface" in pq.read_schema(path).metadata


def test_what_was_left_out_before_stays_so(pool: Path, tmp_path: Path) -> None:
    write_dataset(Recipe(name="test"), pool, tmp_path / "less", withheld=["Other"])
    made = without_images(tmp_path / "less", tmp_path / "made", ["GEOS"])
    assert made["withheld"] == ["GEOS", "Other"]
    assert (
        made["splits"]["train"]["bytes"]["images"] == made["splits"]["train"]["bytes"]["questions"]
    )
    assert verify(locate(tmp_path / "made")).problems == []


def test_it_is_made_again_when_the_dataset_changes(pool: Path, tmp_path: Path) -> None:
    recipe = Recipe(name="test")
    write_dataset(recipe, pool, tmp_path / "whole")
    first = without_images(tmp_path / "whole", tmp_path / "made", ["GEOS"])
    marker = (tmp_path / "made" / "manifest.json").stat().st_ino
    assert without_images(tmp_path / "whole", tmp_path / "made", ["GEOS"]) == first
    assert (tmp_path / "made" / "manifest.json").stat().st_ino == marker
    rows = [("GEOS", question("0.png", PICTURES[0], "Other?", "2"))]
    write_dataset(recipe, pool_of(tmp_path / "second", rows), tmp_path / "whole")
    again = without_images(tmp_path / "whole", tmp_path / "made", ["GEOS"])
    assert again["digest"] != first["digest"]
    assert again == read_manifest(tmp_path / "made", "dataset")
