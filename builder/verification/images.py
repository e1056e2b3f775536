"""Images: each is what its id says, opens, and is in one split only."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ..images import inspect
from ..parquet import PICTURE, row_groups
from ..schema import Unusable
from .findings import Verification

_NO_IMAGE = "there is no image"


@dataclass(slots=True)
class Images:
    """What is known of the images so far."""

    withheld: Collection[str]
    """Sources whose images are left out."""
    decode: bool
    found: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Ids by split."""
    looks: dict[str, str] = field(default_factory=dict)
    """By perceptual hash the split that it was first seen in."""


def verify_images(
    path: Path, name: str, config: str, split: str, seen: Images, threads: ThreadPoolExecutor,
    told: Verification,
) -> None:  # fmt: skip
    """Check the images of a shard of `images`, which are opened, or `default`, which are hashed."""
    look = _opened if seen.decode and config == "images" else _hash_only
    for table in _read_ahead(_pictures(path, config), threads):
        facts = threads.map(look, table.to_batches(max_chunksize=64))
        for image_id, source, problem, dhash in (one for part in facts for one in part):
            where = f"{name}: {image_id}"
            if problem and not (problem == _NO_IMAGE and source in seen.withheld):
                told.complain("images", where, problem)
            if dhash and (first := seen.looks.setdefault(dhash, split)) != split:
                told.complain("splits", where, f"looks like an image of split {first}")
        if config == "images":
            seen.found[split].update(table["image_id"].to_pylist())
            told.looked("images", len(table))


def verify_named(named: Mapping[str, set[str]], seen: Images, told: Verification) -> None:
    """Check that every image that questions are about, by split, is there."""
    for split, ids in named.items():
        for image_id in sorted(ids - seen.found[split]):
            told.complain("ids", image_id, f"has questions in {split}, but is not in 'images'")


def _read_ahead(tables: Iterator[pa.Table], threads: ThreadPoolExecutor) -> Iterator[pa.Table]:
    """The tables, each read while the one before is looked at."""
    coming = threads.submit(next, tables, None)
    while (table := coming.result()) is not None:
        coming = threads.submit(next, tables, None)
        yield table


def _pictures(path: Path, config: str) -> Iterator[pa.Table]:
    """The images of each row group; of those that several rows share, the first row."""
    if config == "images":
        yield from row_groups(path, ["image", "image_id", "source", "format", "width", "height"])
        return
    for table in row_groups(path, ["image", "image_id", "source"], PICTURE):
        pictures = table["image"].combine_chunks()
        ids = table["image_id"].combine_chunks().dictionary_encode()
        pairs = [_codes(column) for column in (ids, pictures.field("bytes"))]
        _, first = np.unique(np.stack(pairs), axis=1, return_index=True)
        yield table.take(pa.array(np.sort(first)))


def _codes(column: pa.Array) -> npt.NDArray[np.int64]:
    """The places of values in a dictionary, -1 where there is none."""
    return pc.fill_null(column.indices, -1).cast(pa.int64()).to_numpy()


Fact = tuple[str, str, str | None, str]


def _hash_only(batch: pa.RecordBatch) -> list[Fact]:
    return _facts(batch, lambda data, row: _wrong_hash(hashlib.sha256(data).hexdigest(), row))


def _opened(batch: pa.RecordBatch) -> list[Fact]:
    return _facts(batch, _open)


def _facts(
    batch: pa.RecordBatch, look: Callable[[pa.Buffer, dict[str, Any]], tuple[str | None, str]]
) -> list[Fact]:
    """Of each image its id, its source, what is wrong with it, and its perceptual hash."""
    data = batch["image"].field("bytes")
    about = batch.drop_columns(["image"]).to_pylist()
    result: list[Fact] = []
    for place, row in enumerate(about):
        problem, dhash = _NO_IMAGE, ""
        if data[place].is_valid:
            value = data[place]
            picture = value.value if isinstance(value, pa.DictionaryScalar) else value
            problem, dhash = look(picture.as_buffer(), row)
        result.append((row["image_id"], row["source"], problem, dhash))
    return result


def _wrong_hash(found: str, row: dict[str, Any]) -> tuple[str | None, str]:
    return (None if found == row["image_id"] else "its bytes are not those of image_id"), ""


def _open(data: pa.Buffer, row: dict[str, Any]) -> tuple[str | None, str]:
    try:
        facts = inspect(data.to_pybytes())
    except Unusable as bad:
        return f"cannot be opened: {bad.detail}", ""
    problem, _ = _wrong_hash(facts.image_id, row)
    said = (row["format"], row["width"], row["height"])
    if problem is None and said != (facts.format, facts.width, facts.height):
        problem = f"is {facts.format} {facts.width} x {facts.height}, its row says otherwise"
    return problem, facts.dhash
