"""`mathv360k.load` and the builder class: what is asked for, and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import datasets
import pyarrow.parquet as pq
import pytest

import mathv360k
from mathv360k import FolderError, MathV360K, UsageError, load, read_recipe

datasets.disable_progress_bars()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo") / "mathv360k"
    mathv360k.build(read_recipe("demo").limited(85), out)
    return out


@pytest.fixture(scope="module")
def rows(built: Path) -> list[dict[str, Any]]:
    """All questions of the training split, read without `datasets`."""
    return pq.read_table(next((built / "data" / "questions").glob("train-*"))).to_pylist()


@pytest.mark.parametrize(
    ("filters", "keep"),
    [
        ({}, lambda r: True),
        ({"task": "GPS"}, lambda r: r["task"] == "GPS"),
        ({"task": ["FQA", "MWP"], "complexity": [2, 3]},
         lambda r: r["task"] in ("FQA", "MWP") and r["complexity"] >= 2),
        ({"min_clarity": 0.5}, lambda r: r["clarity"] >= 0.5),
        ({"source": "drawn", "kind": "original", "complexity": 0},
         lambda r: r["kind"] == "original" and r["complexity"] == 0),
        ({"kind": "rephrase"}, lambda r: r["kind"] == "rephrase"),
        ({"min_agreement": 0.1}, lambda r: r["agreement"] is not None),
        ({"kind": "synthetic"}, lambda r: False),
        ({"exclude_contaminated": True}, lambda r: True),
        ({"verifiable": True},
         lambda r: r["choices"] != [] or r["answer_type"] != "text"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("streaming", [False, True])
def test_filters(
    filters: dict[str, Any], keep: Any, streaming: bool, built: Path, rows: list[dict[str, Any]]
) -> None:
    loaded = load(built, "questions", split="train", streaming=streaming, **filters)
    assert [row["id"] for row in loaded] == [row["id"] for row in rows if keep(row)]


def test_all_splits_and_slices(built: Path) -> None:
    both = load(built, "questions")
    assert isinstance(both, datasets.DatasetDict)
    assert set(both) == {"train", "validation", "test"}
    assert isinstance(load(built, split="train[:3]", task="VQA"), datasets.Dataset)
    stream = load(built, "images", streaming=True)
    assert isinstance(stream, datasets.IterableDatasetDict)


def test_images_are_filtered_by_what_images_have(built: Path) -> None:
    images = load(built, "images", split="train", task="TQA", complexity=3)
    assert {(row["task"], row["complexity"]) for row in images} == {("TQA", 3)}


def test_where_nothing_is_left_the_columns_stay(built: Path) -> None:
    assert len(load(built, source=[], split="train")) == 0
    assert len(load(built, source="TabMWP", split="train[:10%]+test")) == 0
    everything = load(built, source="drawn", kind="synthetic")
    assert {name: len(rows) for name, rows in everything.items()} == {
        "train": 0,
        "validation": 0,
        "test": 0,
    }
    assert everything["train"].features == load(built, split="train").features


def test_columns(built: Path) -> None:
    loaded = load(built, split="test", columns=["id", "answer"])
    assert isinstance(loaded, datasets.Dataset)
    assert loaded.column_names == ["id", "answer"]


def test_the_builder_class(built: Path, tmp_path: Path) -> None:
    builder = MathV360K(built, "images", cache_dir=str(tmp_path))
    assert builder.info.features is not None
    assert "questions" in builder.info.features
    streamed = [row["image_id"] for row in builder.as_streaming_dataset(split="train")]
    builder.download_and_prepare()
    prepared = builder.as_dataset(split="train")
    assert isinstance(prepared, datasets.Dataset)
    assert prepared["image_id"][:] == streamed
    assert set(MathV360K.builder_configs) == {"default", "images", "questions", "rejected"}


@pytest.mark.parametrize(("config", "size"), [("default", 128), ("images", None)])
def test_questions_with_images_are_taken_out_of_a_file_in_small_batches(
    config: str, size: int | None, built: Path
) -> None:
    """A stream would hold a whole group of rows, in which each picture stands many times."""
    plain = datasets.load_dataset_builder(str(built), config)
    assert vars(plain.config)["batch_size"] == size
    assert MathV360K(built, config).config.batch_size == size
    assert MathV360K(built, config, batch_size=7).config.batch_size == 7


def test_the_builder_writes_parquet_elsewhere(
    built: Path, rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    builder = MathV360K(built, "questions", cache_dir=str(tmp_path / "cache"))
    builder.download_and_prepare(str(tmp_path / "out"), file_format="parquet")
    again = pq.read_table(next((tmp_path / "out").glob("*train*.parquet")))
    assert again["id"].to_pylist() == [row["id"] for row in rows]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"config": "image"}, "Unknown config 'image'; choose default, images, questions"),
        ({"source": "drown"}, "Unknown source 'drown'; did you mean drawn"),
        ({"source": ["TabMWP", "ChatQA"]}, "did you mean ChartQA"),
        ({"task": "GSP"}, "Unknown task 'GSP'"),
        ({"kind": ["original", "orginal"]}, "Unknown kind 'orginal'; did you mean original"),
        ({"config": "images", "kind": "original"}, "has no column 'kind'"),
        ({"columns": ["nope"]}, "has no column 'nope'"),
        ({"complexity": "three"}, "complexity is int8"),
        ({"min_clarity": "a"}, "min_clarity is a number"),
        ({"split": "trian[:5]"}, "Unknown split 'trian'; did you mean train"),
        ({"revision": "2.0.0"}, "is version 1.0.0, not 2.0.0"),
        ({"path": "nowhere"}, "neither a dataset folder here nor a Hub repository"),
    ],
)
def test_wrong_names(wrong: dict[str, Any], said: str, built: Path) -> None:
    with pytest.raises(UsageError, match=said):
        load(**{"path": built, **wrong})


def test_the_version_may_be_named(built: Path) -> None:
    assert load(built, "questions", split="test", revision="v1.0.0")


def test_a_folder_that_is_no_dataset(built: Path, tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="not a finished dataset"):
        load(tmp_path)
    cut = shutil.copytree(built, tmp_path / "cut")
    next((cut / "data" / "images").iterdir()).unlink()
    with pytest.raises(FolderError, match="not a finished dataset"):
        load(cut)
