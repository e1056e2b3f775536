"""The writer: deterministic shards, an image stored once, rows that hash to what they say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from mathv360k.builder import shards
from mathv360k.builder.intake import Feed
from mathv360k.builder.pool import write_pool
from mathv360k.builder.schema import CONFIGS, Task
from mathv360k.builder.shards import write_shards
from mathv360k.builder.sources.source import Candidate, Source
from release_file import png

SOURCE = Source(
    "One", Task.FQA, "table", "CC0-1.0", "yes", "", "", "", "", ("*",), lambda *_: iter(())
)
IMAGES, QUESTIONS = 40, 9


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def rows() -> Iterator[tuple[Source, Candidate]]:
        for number in range(IMAGES):
            for place in range(QUESTIONS):
                yield (
                    SOURCE,
                    Candidate(
                        row="",
                        image=f"{number}.png",
                        load=lambda number=number: png(number),
                        question=f"What is {place} and {number}?",
                        answer=str(place + number),
                        choices=("x", str(place + number)) if place % 2 else (),
                        unit="cm" if place == 3 else None,
                        clarity=0.25,
                        complexity=number % 4,
                    ),
                )

    folder = tmp_path_factory.mktemp("pool") / "pool"
    write_pool([Feed("One", rows())], folder, {})
    return folder


def _plain(number: int) -> Candidate:
    return Candidate(
        row="",
        image=f"{number}.png",
        load=lambda: png(number),
        question=f"What is {number}?",
        answer="1",
    )


@pytest.fixture
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Limits at which forty pictures make several row groups and shards."""
    monkeypatch.setattr(shards, "ROW_GROUP_BYTES", 8 * len(png(0)))
    monkeypatch.setattr(shards, "SHARD_BYTES", 12 * len(png(0)))
    monkeypatch.setattr(shards, "QUESTION_ROWS", 100)


SPLITS = {"train": np.arange(0, IMAGES, 2), "test": np.arange(1, IMAGES, 2)}


def read(folder: Path, config: str, split: str = "*") -> list[dict[str, Any]]:
    files = sorted((folder / "data" / config).glob(f"{split}-*.parquet"))
    return [row for file in files for row in pq.read_table(file).to_pylist()]


@pytest.mark.usefixtures("small_groups")
def test_the_three_configs_say_the_same(pool: Path, tmp_path: Path) -> None:
    written = write_shards(pool, SPLITS, tmp_path)
    for split in SPLITS:
        default = read(tmp_path, "default", split)
        images = read(tmp_path, "images", split)
        questions = read(tmp_path, "questions", split)
        assert len(default) == len(questions) == QUESTIONS * len(images) == 20 * QUESTIONS
        assert written.splits[split].questions == len(default)
        assert written.splits[split].images == len(images)
        assert [{k: v for k, v in row.items() if k != "image"} for row in default] == questions
        for image in images:
            assert sha256(image["image"]["bytes"]).hexdigest() == image["image_id"]
            own = [row for row in default if row["image_id"] == image["image_id"]]
            assert all(row["image"] == image["image"] for row in own)
            assert [row["row_sha256"] for row in own] == [
                question["row_sha256"] for question in image["questions"]
            ]
            assert [row["question"] for row in own] == [q["question"] for q in image["questions"]]
    assert {row["image"]["bytes"] for row in read(tmp_path, "images")} == {
        png(number) for number in range(IMAGES)
    }


@pytest.mark.usefixtures("small_groups")
def test_rows_are_in_the_order_of_their_images_across_shards(pool: Path, tmp_path: Path) -> None:
    write_shards(pool, SPLITS, tmp_path)
    names = sorted(p.name for p in (tmp_path / "data" / "default").iterdir())
    assert len(names) > 2
    for split in SPLITS:
        ids = [row["image_id"] for row in read(tmp_path, "default", split)]
        assert ids == sorted(ids)


@pytest.mark.usefixtures("small_groups")
def test_a_filter_on_source_skips_the_row_groups_of_the_others(tmp_path: Path) -> None:
    two = replace(SOURCE, name="Two")
    rows = [((SOURCE, two)[n % 2], _plain(n)) for n in range(IMAGES)]
    write_pool([Feed("both", iter(rows))], tmp_path / "pool", {})
    write_shards(tmp_path / "pool", {"train": np.arange(IMAGES)}, tmp_path / "out")
    for config in ("default", "images"):
        for file in (tmp_path / "out" / "data" / config).iterdir():
            sources = pq.read_table(file, columns=["source"])["source"].to_pylist()
            assert sources == sorted(sources)
            meta = pq.read_metadata(file)
            groups = [meta.row_group(i) for i in range(meta.num_row_groups)]
            columns = [group.column(c) for group in groups for c in range(group.num_columns)]
            said = [c.statistics for c in columns if c.path_in_schema == "source"]
            assert sum(s.min != s.max for s in said) <= 1  # where one source ends


@pytest.mark.usefixtures("small_groups")
def test_an_image_is_stored_once_per_row_group(pool: Path, tmp_path: Path) -> None:
    write_shards(pool, {"train": np.arange(IMAGES)}, tmp_path)
    pictures = sum(len(png(number)) for number in range(IMAGES))
    for file in (tmp_path / "data" / "default").iterdir():
        meta = pq.read_metadata(file)
        for i in range(meta.num_row_groups):
            column = meta.row_group(i).column(CONFIGS["default"].names.index("image"))
            assert column.path_in_schema == "image.bytes"
            assert column.has_dictionary_page
            assert column.total_compressed_size < 10 * len(png(0))
    size = sum(p.stat().st_size for p in (tmp_path / "data" / "default").iterdir())
    plain = QUESTIONS * pictures
    assert size < plain / 2


def test_shards_have_a_page_index_and_the_features(pool: Path, tmp_path: Path) -> None:
    import datasets

    write_shards(pool, {"train": np.arange(IMAGES)}, tmp_path)
    for config in CONFIGS:
        file = next((tmp_path / "data" / config).iterdir())
        meta = pq.read_metadata(file)
        assert meta.row_group(0).column(0).has_offset_index
        stored = json.loads(meta.metadata[b"huggingface"])["info"]["features"]
        features = datasets.Features.from_dict(stored)
        assert features == datasets.Features.from_arrow_schema(pq.read_schema(file))
        assert features.arrow_schema.equals(CONFIGS[config])


@pytest.mark.usefixtures("small_groups")
def test_two_runs_write_the_same_bytes(pool: Path, tmp_path: Path) -> None:
    one = write_shards(pool, SPLITS, tmp_path / "one")
    two = write_shards(pool, SPLITS, tmp_path / "two")
    assert one.digest == two.digest
    for split in SPLITS:
        files = {name: f.result() for name, f in one.splits[split].files.items()}
        assert files == {name: f.result() for name, f in two.splits[split].files.items()}
        for name, said in files.items():
            data = (tmp_path / "two" / name).read_bytes()
            assert said == {"bytes": len(data), "sha256": sha256(data).hexdigest()}


def test_the_digest_is_of_the_rows_not_of_the_files(
    pool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = write_shards(pool, SPLITS, tmp_path / "one")
    monkeypatch.setattr(shards, "ROW_GROUP_BYTES", 4 * len(png(0)))
    monkeypatch.setattr(shards, "SHARD_BYTES", 9 * len(png(0)))
    two = write_shards(pool, SPLITS, tmp_path / "two")
    assert len(one.splits["train"].files) < len(two.splits["train"].files)
    assert one.digest == two.digest
    expected = sha256()
    for split in ("test", "train"):
        rows = sorted(row["row_sha256"] for row in read(tmp_path / "one", "questions", split))
        expected.update(f"{split} {len(rows)}\n".encode())
        expected.update(bytes.fromhex("".join(rows)))
    assert one.digest == expected.hexdigest()


def test_the_digest_knows_which_split_a_row_is_in(pool: Path, tmp_path: Path) -> None:
    everything = np.arange(IMAGES)
    one = write_shards(pool, {"train": everything[:20], "test": everything[20:]}, tmp_path / "one")
    two = write_shards(pool, {"train": everything[:21], "test": everything[21:]}, tmp_path / "two")
    assert one.digest != two.digest
