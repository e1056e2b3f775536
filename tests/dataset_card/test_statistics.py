"""Statistics are counted from the files, whatever the manifest says."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mathv360k.builder.manifest import data_files, read_manifest
from mathv360k.builder.recipe import Recipe
from mathv360k.builder.schema import Kind
from mathv360k.dataset_card import tables
from mathv360k.dataset_card.statistics import Statistics, count
from mathv360k.errors import FolderError
from mathv360k.pipeline import write_dataset
from pools import diagram, encoded, pool_of, question

ASKED = [
    ("GEOS", question("a.png", encoded(diagram(1, size=80)), "How long is AB?", "3")),
    ("GEOS", question("a.png", encoded(diagram(1, size=80)), "多少", "45", kind=Kind.ASK_IMAGE)),
    ("TQA", question("b.png", encoded(diagram(2, size=90)), "Which?", "y", choices=["x", "y"])),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pool = pool_of(tmp_path / "pool", ASKED)
    write_dataset(Recipe(name="test", splits={"train": 1.0}), pool, tmp_path / "made")
    return tmp_path / "made"


def counted(folder: Path) -> Statistics:
    manifest = read_manifest(folder, "dataset")
    assert manifest is not None
    return count(folder, data_files(manifest))


def test_a_question_is_a_row_of_facts(folder: Path) -> None:
    rows = counted(folder).questions.sort_values("characters").reset_index(drop=True)
    assert list(rows["characters"]) == [2, 6, 15]
    assert list(rows["chinese"]) == [True, False, False]
    assert list(rows["kind"]) == ["ask_image", "original", "original"]
    assert list(rows["answer_letter"].astype(object).fillna("")) == ["", "B", ""]
    assert list(rows["choices"].fillna(0)) == [0, 2, 0]


def test_an_image_is_a_row_with_its_place(folder: Path) -> None:
    rows = counted(folder).images
    assert sorted(zip(rows["width"], rows["height"], strict=True)) == [(80, 80), (90, 90)]
    assert set(rows["shard"]) == {"data/images/train-00000-of-00001.parquet"}
    assert rows["shown"].all() and rows["clarity"].isna().all()


def test_words_are_in_the_order_of_the_schema(demo: Path) -> None:
    there = counted(demo).questions
    assert list(there["kind"].cat.categories) == [
        "original",
        "ask_image",
        "complex",
        "rephrase",
        "simplify",
    ]
    assert list(there["split"].cat.categories) == ["train", "validation", "test"]
    assert list(there["task"].cat.categories) == ["FQA", "GPS", "MWP", "TQA", "VQA"]


def test_the_digest_is_the_one_of_the_build(demo: Path) -> None:
    manifest = read_manifest(demo, "dataset")
    assert manifest is not None
    assert counted(demo).digest == manifest["digest"]


def test_written_questions_are_counted_by_kind_and_source(demo: Path) -> None:
    told = pd.DataFrame(tables.written(counted(demo)))
    asked = pd.concat(
        pq.read_table(path, columns=["kind", "source"]).to_pandas()
        for path in (demo / "data/questions").glob("*.parquet")
    )
    kept = asked[asked["kind"] != "original"].groupby("kind").size()
    assert told.set_index("kind")["kept"].to_dict() == kept.to_dict()
    refused = pd.concat(
        pq.read_table(path, columns=["kind", "reason"]).to_pandas()
        for path in (demo / "data/rejected").glob("*.parquet")
    )
    for row in told.itertuples():
        mine = refused[refused["kind"] == row.kind]["reason"].value_counts()
        assert row.rejected == mine.to_dict()


@pytest.mark.parametrize("damage", ["short", "no column", "gone"])
def test_a_damaged_file_is_one_sentence(folder: Path, damage: str) -> None:
    path = folder / "data/questions/train-00000-of-00001.parquet"
    if damage == "short":
        path.write_bytes(path.read_bytes()[:-20])
    elif damage == "no column":
        pq.write_table(pq.read_table(path).drop_columns(["agreement"]), path)
    else:
        path.unlink()
    with pytest.raises(FolderError, match=r"is damaged .*mathv360k verify"):
        counted(folder)


def test_hashes_that_are_none_are_one_sentence(folder: Path) -> None:
    path = folder / "data/questions/train-00000-of-00001.parquet"
    whole = pq.read_table(path)
    place = whole.schema.get_field_index("row_sha256")
    pq.write_table(whole.set_column(place, "row_sha256", [pa.array(["x"] * len(whole))]), path)
    with pytest.raises(FolderError, match="is damaged"):
        counted(folder)
