"""Rows: each with its own hash, the same in every config, counted, and every id once."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ..digests import RowsDigest, content_digest, row_hashes
from ..manifest import MANIFEST
from ..parquet import row_groups
from ..repetitions import PROBLEM_LENGTH, problem_key
from ..schema import CONFIGS
from .findings import Verification


@dataclass(slots=True)
class Rows:
    """What the config `questions` holds, for the other configs to be compared with."""

    hashes: dict[str, bytearray] = field(default_factory=lambda: defaultdict(bytearray))
    keys: dict[str, bytes] = field(default_factory=dict)
    """Digest of all rows by shard, `train-00000-of-00001.parquet`."""
    ids: list[pa.ChunkedArray] = field(default_factory=list)
    parents: list[pa.ChunkedArray] = field(default_factory=list)
    images: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    problems: dict[int, str] = field(default_factory=dict)


def _columns(table: pa.Table) -> dict[str, pa.Array]:
    return {name: table[name].combine_chunks() for name in CONFIGS["questions"].names}


def _verify_hashes(table: pa.Table, name: str, told: Verification) -> bytes:
    """The hashes that rows ought to have, 32 bytes each."""
    columns = _columns(table)
    texts, raw = row_hashes(columns)
    told.looked("hashes", len(table))
    right = pc.fill_null(pc.equal(texts, columns["row_sha256"]), False)
    for identity in table["id"].filter(pc.invert(right)).to_pylist():
        told.complain("hashes", f"{name}: {identity}", "its row_sha256 is not that of the row")
    return raw


def verify_questions(path: Path, name: str, split: str, rows: Rows, told: Verification) -> None:
    """Check a shard of the config `questions`, and keep in `rows` what others are compared with."""
    key = RowsDigest()
    for table in row_groups(path, CONFIGS["questions"].names):
        rows.hashes[split] += _verify_hashes(table, name, told)
        key.update(_columns(table))
        rows.ids.append(table["id"])
        rows.parents.append(pc.drop_null(table["parent_id"]))
        rows.images[split].update(pc.unique(table["image_id"]).to_pylist())
        _verify_problems(table, name, split, rows, told)
    rows.keys[name.rpartition("/")[2]] = key.digest()


def _verify_problems(
    table: pa.Table, name: str, split: str, rows: Rows, told: Verification
) -> None:
    long = table.filter(pc.greater_equal(pc.utf8_length(table["question"]), PROBLEM_LENGTH))
    told.looked("splits", len(table))
    for row in long.select(["id", "question", "choices", "answer"]).to_pylist():
        key = problem_key(row["question"], row["choices"], row["answer"])
        if key is not None and (first := rows.problems.setdefault(key, split)) != split:
            detail = f"the same problem is in split {first}"
            told.complain("splits", f"{name}: {row['id']}", detail)


def verify_same_rows(path: Path, name: str, config: str, rows: Rows, told: Verification) -> None:
    """Whether a shard has the rows of the same shard of `questions`.

    Where it has not, each row is compared with its own hash, so that it is known which.
    """
    key = RowsDigest()
    for table in _texts(path, config):
        key.update(_columns(table))
    told.looked("rows", 1)
    if key.digest() != rows.keys.get(name.rpartition("/")[2]):
        told.complain("rows", name, "has not the rows of the same shard of config 'questions'")
        for table in _texts(path, config):
            _verify_hashes(table, name, told)


def _texts(path: Path, config: str) -> Iterator[pa.Table]:
    """The questions of a shard with images, a row each."""
    tables = row_groups(path, _text_columns(config))
    return map(_asked, tables) if config == "images" else tables


def _text_columns(config: str) -> list[str]:
    if config == "default":
        return CONFIGS["questions"].names
    return ["image_id", "clarity", "complexity", "questions"]


def _asked(images: pa.Table) -> pa.Table:
    """The questions of a table of images, a row each, with what the image says of them."""
    nested = images["questions"].combine_chunks()
    which = pc.list_parent_indices(nested)
    asked = pa.Table.from_struct_array(pc.list_flatten(nested))
    for column in ("image_id", "clarity", "complexity"):
        asked = asked.append_column(column, images[column].combine_chunks().take(which))
    return asked


def verify_rows(manifest: dict[str, Any], rows: Rows, told: Verification) -> None:
    """Check all rows together: counts, the digest, ids and parents, splits."""
    for split, said in manifest["splits"].items():
        told.looked("rows", 1)
        found = len(rows.hashes[split]) // 32
        if found != said["questions"]:
            told.complain("rows", split, f"has {found} questions, the manifest {said['questions']}")
        if len(rows.images[split]) != said["images"]:
            detail = f"has {len(rows.images[split])} images, the manifest {said['images']}"
            told.complain("rows", split, detail)
    present = {split: bytes(hashes) for split, hashes in rows.hashes.items() if hashes}
    if content_digest(present, manifest["withheld"]) != manifest["digest"]:
        told.complain("hashes", MANIFEST, "the digest is not that of the rows")
    text = pa.string()
    ids = pa.chunked_array([c for part in rows.ids for c in part.chunks], text)
    told.looked("ids", len(ids))
    counted = pc.value_counts(ids)
    twice = counted.field("values").filter(pc.greater(counted.field("counts"), 1))
    for identity in twice.to_pylist():
        told.complain("ids", str(identity), "is there more than once")
    parents = pa.chunked_array([c for part in rows.parents for c in part.chunks], text)
    orphans = pc.unique(parents.filter(pc.invert(pc.is_in(parents, value_set=ids))))
    for identity in orphans.to_pylist():
        told.complain("ids", str(identity), "is named as a parent and is not there")
    _verify_disjoint(rows.images, told)


def _verify_disjoint(images: dict[str, set[str]], told: Verification) -> None:
    first: dict[str, str] = {}
    for split, ids in images.items():
        for image_id in sorted(ids & first.keys()):
            told.complain("splits", image_id, f"image of {first[image_id]} and of {split}")
        first |= dict.fromkeys(ids, split)
