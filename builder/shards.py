"""The writer: a pool and its splits in, deterministic Parquet shards of the three configs out.

Rows are sorted by image_id, so that the questions of an image are neighbours and its bytes are
stored once per row group (dictionary encoding), and a shard holds a fixed range of image_ids, so
that a later version with more rows changes the files as little as possible.
"""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from io import BufferedReader
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from .folders import seal
from .schema import CONFIGS, IMAGE, QUESTION, parquet_features

SHARD_BYTES = 400 * 2**20
ROW_GROUP_BYTES = 16 * 2**20
"""Image bytes stored per row group; a reader of one row fetches all of its group."""
ROW_GROUP_DECODED_BYTES = 128 * 2**20
"""Image bytes of a row group once decoded, where every question has its own copy."""
QUESTION_ROWS = 50_000
"""Rows per row group of the config without images."""


@dataclass(slots=True)
class WrittenSplit:
    """What was written of one split: counts per config for the card, and its files."""

    images: int = 0
    questions: int = 0
    bytes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CONFIGS, 0))
    """Size of each config in memory, as `dataset_info` wants it."""
    files: dict[str, Future[dict[str, Any]]] = field(default_factory=dict)
    """Size and sha256 by name, done when `write_shards` returns."""


@dataclass(frozen=True, slots=True)
class Written:
    """The content digest (sha256 over the row hashes in order) and what each split holds."""

    digest: str
    splits: dict[str, WrittenSplit]


def write_shards(
    pool: Path,
    splits: Mapping[str, npt.NDArray[np.intp]],
    out: Path,
    progress: Callable[[str, int, int | None], None] = lambda *_: None,
) -> Written:
    """Write `data/<config>/<split>-*.parquet` below `out` from the pool's images and questions.

    `splits` gives the rows in the pool's images.parquet that make up each split, in order.
    """
    images = pq.read_table(pool / "images.parquet")
    asked = pq.read_table(pool / "questions.parquet", columns=["image"])["image"].to_numpy()
    bounds = np.searchsorted(asked, np.arange(len(images) + 1))
    sizes = images["size"].to_numpy()
    content = sha256()
    written: dict[str, WrittenSplit] = {}
    total, done = int(sum(sizes[rows].sum() for rows in splits.values())), 0
    with (pool / "images.bin").open("rb") as blob, ThreadPoolExecutor(2) as threads:
        source = _Pool(images, _Questions(pool / "questions.parquet"), bounds, blob)
        for split, rows in splits.items():
            result = written[split] = WrittenSplit()
            shards = _shards(rows, images, int(sizes[rows].sum()))
            for number, shard in enumerate(shards):
                name = f"{split}-{number:05d}-of-{len(shards):05d}.parquet"
                with _Shard(out, name, threads) as writer:
                    for group in _row_groups(shard, sizes, np.diff(bounds)):
                        tables = source.tables(group, content.update)
                        result.images += len(group)
                        result.questions += len(tables["questions"])
                        for config, size in _memory(tables, source, group).items():
                            result.bytes[config] += size
                        writer.write(tables)
                        done += int(sizes[group].sum())
                        progress("writing shards", done, total)
                result.files.update(writer.files)
    return Written(content.hexdigest(), written)


def _shards(rows: npt.NDArray[np.intp], images: pa.Table, size: int) -> list[npt.NDArray[np.intp]]:
    """`rows` cut by ranges of image_id into a power of two of shards, empty ones left out."""
    count = 1
    while size / count > SHARD_BYTES:
        count *= 2
    starts = [format(i * 2**32 // count, "08x") for i in range(1, count)]
    ids = images["image_id"].take(pa.array(rows)).to_numpy(zero_copy_only=False).astype(str)
    parts = np.split(rows, np.searchsorted(ids, np.array(starts, dtype=str)))
    return [part for part in parts if len(part)]


def _row_groups(
    rows: npt.NDArray[np.intp], sizes: npt.NDArray[np.int64], asked: npt.NDArray[np.intp]
) -> Iterator[npt.NDArray[np.intp]]:
    """`rows` cut so that each part stays below both limits of a row group."""
    start = stored = decoded = 0
    for i, row in enumerate(rows):
        stored += sizes[row]
        decoded += sizes[row] * asked[row]
        if i > start and (stored > ROW_GROUP_BYTES or decoded > ROW_GROUP_DECODED_BYTES):
            yield rows[start:i]
            start, stored, decoded = i, sizes[row], sizes[row] * asked[row]
    yield rows[start:]


class _Questions:
    """Questions of a pool by row; only the row groups of the latest call stay in memory."""

    def __init__(self, path: Path) -> None:
        self._file = pq.ParquetFile(path)
        meta = self._file.metadata
        counts = [meta.row_group(i).num_rows for i in range(meta.num_row_groups)]
        self._starts = np.concatenate(([0], np.cumsum(counts))).astype(np.intp)
        self._recent: dict[int, pa.Table] = {}

    def take(self, rows: npt.NDArray[np.intp]) -> pa.Table:
        group = np.searchsorted(self._starts, rows, side="right") - 1
        needed, which = np.unique(group, return_inverse=True)
        recent = self._recent
        self._recent = {
            i: recent[i] if i in recent else self._file.read_row_group(i) for i in needed.tolist()
        }
        tables = list(self._recent.values())
        base = np.concatenate(([0], np.cumsum([len(t) for t in tables])))[which]
        within = rows - self._starts[group]
        return pa.concat_tables(tables).take(pa.array(base + within))


@dataclass(frozen=True, slots=True)
class _Pool:
    """A pool opened for writing: facts of images in memory, their bytes and questions on disk."""

    images: pa.Table
    questions: _Questions
    bounds: npt.NDArray[np.intp]  # questions of image i are rows bounds[i]:bounds[i + 1]
    blob: BufferedReader

    def tables(
        self, group: npt.NDArray[np.intp], digest: Callable[[bytes], object]
    ) -> dict[str, pa.Table]:
        """The rows of the images in `group`, for each config; the image bytes are shared."""
        counts = self.bounds[group + 1] - self.bounds[group]
        offsets = np.concatenate(([0], np.cumsum(counts)))
        which = np.repeat(np.arange(len(group), dtype=np.int32), counts)
        rows = np.arange(offsets[-1]) + np.repeat(self.bounds[group] - offsets[:-1], counts)
        images = self.images.take(pa.array(group))
        pictures, names = self._pictures(group), images["name"].combine_chunks()

        questions = self.questions.take(rows)
        asked = {column.name: questions[column.name].combine_chunks() for column in QUESTION}
        for name in ("image_id", "clarity", "complexity"):
            asked[name] = images[name].combine_chunks().take(pa.array(which))
        asked["row_sha256"] = row_hashes(asked, digest)
        asked["image"] = pa.StructArray.from_arrays(
            [pa.DictionaryArray.from_arrays(which, c) for c in (pictures, names)],
            fields=[pa.field(f.name, pa.dictionary(pa.int32(), f.type)) for f in IMAGE],
        )
        nested = CONFIGS["images"].field("questions").type.value_type
        per_image = {
            n: c.combine_chunks() for n, c in zip(images.column_names, images.columns, strict=True)
        }
        per_image["image"] = pa.StructArray.from_arrays([pictures, names], fields=list(IMAGE))
        per_image["questions"] = pa.ListArray.from_arrays(
            pa.array(offsets, pa.int32()),
            pa.StructArray.from_arrays([asked[f.name] for f in nested], fields=list(nested)),
        )
        return {
            "default": pa.table({n: asked[n] for n in CONFIGS["default"].names}),
            "images": pa.table({n: per_image[n] for n in CONFIGS["images"].names}),
            "questions": pa.table({n: asked[n] for n in CONFIGS["questions"].names}),
        }

    def _pictures(self, group: npt.NDArray[np.intp]) -> pa.BinaryArray:
        starts = self.images["offset"].to_numpy()[group]
        sizes = self.images["size"].to_numpy()[group]
        offsets = np.concatenate(([0], np.cumsum(sizes))).astype(np.int32)
        buffer = memoryview(bytearray(int(offsets[-1])))
        for start, begin, end in zip(starts, offsets[:-1], offsets[1:], strict=True):
            self.blob.seek(start)
            self.blob.readinto(buffer[begin:end])
        return pa.Array.from_buffers(
            pa.binary(), len(group), [None, pa.py_buffer(offsets), pa.py_buffer(buffer)]
        )


def row_hashes(
    columns: Mapping[str, pa.Array], digest: Callable[[bytes], object] = lambda _: None
) -> pa.StringArray:
    """The sha256 of each row (64 hex digits); `digest` is told all of them, 32 bytes each.

    Hashed is the UTF-8 text of the columns of the config `questions`, in order and without the
    hash itself, joined by U+001F; null is U+0000, the items of a list are joined by U+001E, and
    floats are written in millionths.
    """
    names = [n for n in CONFIGS["questions"].names if n != "row_sha256"]
    texts = [_as_text(columns[name]) for name in names]
    joined = pc.binary_join_element_wise(
        *texts, "\x1f", null_handling="replace", null_replacement="\0"
    )
    offsets = np.frombuffer(joined.buffers()[1], dtype=np.int32)[: len(joined) + 1].tolist()
    data = memoryview(joined.buffers()[2])
    hashes = [sha256(data[a:b]) for a, b in pairwise(offsets)]
    digest(b"".join([h.digest() for h in hashes]))
    return pa.array([h.hexdigest() for h in hashes], pa.string())


def _as_text(column: pa.Array) -> pa.Array:
    if pa.types.is_list(column.type):
        return pc.binary_join(column, "\x1e")
    if pa.types.is_floating(column.type):
        column = pc.round(pc.multiply(column.cast(pa.float64()), 1e6)).cast(pa.int64())
    return column.cast(pa.string())


def _memory(
    tables: dict[str, pa.Table], pool: _Pool, group: npt.NDArray[np.intp]
) -> dict[str, int]:
    """Bytes of each config's rows in memory, every row with its own copy of the image."""
    sizes = pool.images["size"].to_numpy()[group]
    asked = pool.bounds[group + 1] - pool.bounds[group]
    text = tables["questions"].nbytes
    return {
        "default": text + int((sizes * asked).sum()),
        "images": text + int(sizes.sum()),
        "questions": text,
    }


class _Shard:
    """One shard of each config, written side by side by the threads it is given.

    After the block `files` holds, by name, the size and sha256 of each file (still on their way).
    """

    def __init__(self, out: Path, name: str, threads: ThreadPoolExecutor) -> None:
        self.files: dict[str, Future[dict[str, Any]]] = {}
        self._threads = threads
        self._pending: list[Future[None]] = []
        self._questions: list[pa.Table] = []
        self._out = out
        self._paths = {config: f"data/{config}/{name}" for config in CONFIGS}
        self._writers = {
            config: _writer(out / path, config) for config, path in self._paths.items()
        }

    def __enter__(self) -> _Shard:
        return self

    def __exit__(self, *failure: object) -> None:
        self._wait()
        if failure[0] is None and self._questions:
            self._write("questions", pa.concat_tables(self._questions))
        for config, writer in self._writers.items():
            writer.close()
            path = self._paths[config]
            if failure[0] is None:
                self.files[path] = self._threads.submit(seal, self._out / path)

    def write(self, tables: dict[str, pa.Table]) -> None:
        self._wait()
        self._questions.append(tables["questions"])
        if sum(map(len, self._questions)) >= QUESTION_ROWS:
            rows = pa.concat_tables(self._questions)
            self._questions = []
            self._pending.append(self._threads.submit(self._write, "questions", rows))
        for config in ("default", "images"):
            self._pending.append(self._threads.submit(self._write, config, tables[config]))

    def _write(self, config: str, table: pa.Table) -> None:
        self._writers[config].write_table(table, row_group_size=max(1, len(table)))

    def _wait(self) -> None:
        pending, self._pending = self._pending, []
        for task in pending:
            task.result()


def _writer(path: Path, config: str) -> pq.ParquetWriter:
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = CONFIGS[config]
    leaves = [leaf for column in schema for leaf in _leaves(column)]
    pictures = "image.bytes"
    options: dict[str, Any] = {
        "use_dictionary": [leaf for leaf in leaves if config == "default" or leaf != pictures],
        "dictionary_pagesize_limit": 2**30,  # an image is never stored twice in a row group
        "compression": {leaf: "NONE" if leaf == pictures else "ZSTD" for leaf in leaves},
        "write_statistics": [leaf for leaf in leaves if leaf != pictures],
        "write_page_index": True,
        "store_schema": False,  # the stored type would be the dictionary; Parquet's own is enough
    }
    writer = pq.ParquetWriter(
        path, _stored_once(schema) if config == "default" else schema, **options
    )
    features = {"info": {"features": parquet_features(schema)}}
    writer.add_key_value_metadata({"huggingface": json.dumps(features)})
    return writer


def _stored_once(schema: pa.Schema) -> pa.Schema:
    """The schema with the image as a dictionary: how Arrow says "write each value once"."""
    types = [pa.field(f.name, pa.dictionary(pa.int32(), f.type)) for f in IMAGE]
    return schema.set(schema.get_field_index("image"), pa.field("image", pa.struct(types)))


def _leaves(column: pa.Field, prefix: str = "") -> list[str]:
    """Names of the Parquet columns that `column` becomes."""
    path, kind = prefix + column.name, column.type
    if pa.types.is_list(kind):
        return _leaves(kind.value_field.with_name("element"), f"{path}.list.")
    if pa.types.is_struct(kind):
        return [leaf for child in kind for leaf in _leaves(child, f"{path}.")]
    return [path]
