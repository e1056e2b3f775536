"""The writer: a pool and its splits in, deterministic Parquet shards of the three configs out.

A shard holds a fixed range of image_ids and is sorted by source, then image_id: the questions of an
image are neighbours, so that its bytes are stored once per row group (dictionary encoding); a
filter on source or task skips the row groups of the others; and a later version with more rows
changes the files as little as possible.
"""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from io import FileIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..errors import FolderError
from .digests import content_digest, row_hashes
from .folders import seal
from .intake import QUESTION_BATCH
from .parquet import open_writer
from .pool import open_questions, read_questions
from .schema import CONFIGS, IMAGE, QUESTION

SHARD_BYTES = 400 * 2**20
ROW_GROUP_BYTES = 12 * 2**20
"""Image bytes stored per row group. A stream fetches twice before its first row, each time as many
whole groups as fit into 32 MiB: two."""
ROW_GROUP_DECODED_BYTES = 128 * 2**20
"""Image bytes of a row group once decoded, where every question has its own copy."""
QUESTION_ROWS = 50_000
"""Rows per row group of the config without images, and at most about so many in the others."""


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
    """The content digest and what each split holds."""

    digest: str
    splits: dict[str, WrittenSplit]


def write_shards(
    pool: Path,
    splits: Mapping[str, npt.NDArray[np.intp]],
    out: Path,
    progress: Callable[[str, int, int | None], None] = lambda *_: None,
    withheld: Collection[str] = (),
) -> Written:
    """Write `data/<config>/<split>-*.parquet` below `out` from the pool's images and questions.

    `splits` gives the rows in the pool's images.parquet that make up each split, in order. Images
    of the sources in `withheld` are left out: their rows have null in their place.
    """
    images = pq.read_table(pool / "images.parquet")
    hidden = pc.is_in(images["source"], value_set=pa.array(sorted(withheld), pa.string()))
    column = images.schema.get_field_index("size")
    shown = pc.if_else(hidden, pa.scalar(0, pa.int64()), images["size"])
    images = images.set_column(column, images.schema.field(column), shown)
    asked = read_questions(pool, ["image"])["image"].to_numpy()
    bounds = np.searchsorted(asked, np.arange(len(images) + 1))
    sizes = images["size"].to_numpy()
    hashes = {split: bytearray() for split in splits}
    written: dict[str, WrittenSplit] = {}
    total, done = int(sum(sizes[rows].sum() for rows in splits.values())), 0
    with ExitStack() as stack:
        blob = stack.enter_context((pool / "images.bin").open("rb", buffering=0))
        threads = {config: stack.enter_context(ThreadPoolExecutor(1)) for config in CONFIGS}
        source = _Pool(images, _Questions(pool), bounds, hidden.to_numpy(), blob)
        for split, rows in splits.items():
            result = written[split] = WrittenSplit()
            shards = _shards(rows, images, int(sizes[rows].sum()))
            for number, shard in enumerate(shards):
                name = f"{split}-{number:05d}-of-{len(shards):05d}.parquet"
                with _Shard(out, name, threads) as writer:
                    for group in _row_groups(shard, sizes, np.diff(bounds)):
                        tables = source.tables(group, hashes[split].extend)
                        result.images += len(group)
                        result.questions += len(tables["questions"])
                        for config, size in _memory(tables, source, group).items():
                            result.bytes[config] += size
                        writer.write(tables)
                        done += int(sizes[group].sum())
                        progress("writing shards", done, total)
                result.files.update(writer.files)
    left_out = pc.unique(images["source"].filter(hidden)).to_pylist()
    return Written(content_digest(hashes, left_out), written)


def write_rejected(
    rejected: pa.Table, split_of: Mapping[str, str], out: Path
) -> dict[str, tuple[str, int, int]]:
    """Write what was rejected into `data/rejected/<split>-*.parquet`, by the split of its image.

    Per split that has any: the file's name, its rows, and their bytes in memory.
    """
    splits = pa.array([split_of.get(i) for i in rejected["image_id"].to_pylist()], pa.string())
    written = {}
    for split in dict.fromkeys(split_of.values()):
        rows = rejected.filter(pc.fill_null(pc.equal(splits, split), False))
        if len(rows):
            name = f"data/rejected/{split}-00000-of-00001.parquet"
            with open_writer(out / name, "rejected") as writer:
                writer.write_table(rows, row_group_size=QUESTION_ROWS)
            written[split] = name, len(rows), rows.nbytes
    return written


def _shards(rows: npt.NDArray[np.intp], images: pa.Table, size: int) -> list[npt.NDArray[np.intp]]:
    """`rows` cut by ranges of image_id into a power of two of shards, each in its order.

    Ranges without an image are left out.
    """
    count = 1
    while size / count > SHARD_BYTES:
        count *= 2
    starts = [format(i * 2**32 // count, "08x") for i in range(1, count)]
    parts = [rows]
    if count > 1:
        ids = images["image_id"].take(pa.array(rows)).to_numpy(zero_copy_only=False).astype(str)
        parts = np.split(rows, np.searchsorted(ids, np.array(starts, dtype=str)))
    sources = images["source"]
    order = [pc.sort_indices(sources.take(pa.array(part))).to_numpy() for part in parts]
    return [part[by] for part, by in zip(parts, order, strict=True) if len(part)]


def _row_groups(
    rows: npt.NDArray[np.intp], sizes: npt.NDArray[np.int64], asked: npt.NDArray[np.intp]
) -> Iterator[npt.NDArray[np.intp]]:
    """`rows` cut so that each part stays below the limits of a row group."""
    start = stored = decoded = questions = 0
    for i, row in enumerate(rows):
        stored += sizes[row]
        decoded += sizes[row] * asked[row]
        questions += asked[row]
        large = stored > ROW_GROUP_BYTES or decoded > ROW_GROUP_DECODED_BYTES
        if i > start and (large or questions > QUESTION_ROWS):
            yield rows[start:i]
            start, stored, decoded = i, sizes[row], sizes[row] * asked[row]
            questions = asked[row]
    yield rows[start:]


class _Questions:
    """Questions of a pool by row; only the batches of the latest call stay in memory."""

    def __init__(self, pool: Path) -> None:
        self._file = open_questions(pool, QUESTION.names)
        self._recent: dict[int, pa.RecordBatch] = {}

    def take(self, rows: npt.NDArray[np.intp]) -> pa.Table:
        batch = rows // QUESTION_BATCH
        needed, which = np.unique(batch, return_inverse=True)
        recent = self._recent
        self._recent = {
            i: recent[i] if i in recent else self._file.get_batch(i) for i in needed.tolist()
        }
        base = np.arange(len(needed)) * QUESTION_BATCH
        within = base[which] + rows % QUESTION_BATCH
        return pa.Table.from_batches(self._recent.values()).take(pa.array(within))


@dataclass(frozen=True, slots=True)
class _Pool:
    """A pool opened for writing: facts of images in memory, their bytes and questions on disk."""

    images: pa.Table
    questions: _Questions
    bounds: npt.NDArray[np.intp]  # questions of image i are rows bounds[i]:bounds[i + 1]
    hidden: npt.NDArray[np.bool_]  # images that are not written
    blob: FileIO

    def tables(
        self, group: npt.NDArray[np.intp], told: Callable[[bytes], object]
    ) -> dict[str, pa.Table]:
        """The rows of the images in `group`, for each config; the image bytes are shared.

        `told` is given the hashes of the rows.
        """
        counts = self.bounds[group + 1] - self.bounds[group]
        offsets = np.concatenate(([0], np.cumsum(counts)))
        which = np.repeat(np.arange(len(group), dtype=np.int32), counts)
        rows = np.arange(offsets[-1]) + np.repeat(self.bounds[group] - offsets[:-1], counts)
        images = self.images.take(pa.array(group))
        pictures, names = self._pictures(group), images["name"].combine_chunks()
        hidden = self.hidden[group]

        questions = self.questions.take(rows)
        asked = {column.name: questions[column.name].combine_chunks() for column in QUESTION}
        for name in ("image_id", "clarity", "complexity"):
            asked[name] = images[name].combine_chunks().take(pa.array(which))
        asked["row_sha256"], hashes = row_hashes(asked)
        told(hashes)
        asked["image"] = pa.StructArray.from_arrays(
            [pa.DictionaryArray.from_arrays(which, c) for c in (pictures, names)],
            fields=[pa.field(f.name, pa.dictionary(pa.int32(), f.type)) for f in IMAGE],
            mask=pa.array(hidden[which]),
        )
        nested = CONFIGS["images"].field("questions").type.value_type
        per_image = {
            n: c.combine_chunks() for n, c in zip(images.column_names, images.columns, strict=True)
        }
        per_image["image"] = pa.StructArray.from_arrays(
            [pictures, names], fields=list(IMAGE), mask=pa.array(hidden)
        )
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
        buffer = pa.allocate_buffer(int(offsets[-1]))
        target = memoryview(buffer).cast("B")
        ends = offsets.tolist()
        for start, (begin, end) in zip(starts.tolist(), pairwise(ends), strict=True):
            self.blob.seek(start)
            if self.blob.readinto(target[begin:end]) != end - begin:
                raise FolderError("The pool's images.bin is cut short; delete the pool and build.")
        return pa.Array.from_buffers(pa.binary(), len(group), [None, pa.py_buffer(offsets), buffer])


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
    """One shard of each config; each config is written by the one thread it is given.

    After the block `files` holds, by name, the size and sha256 of each file (still on their way).
    """

    def __init__(self, out: Path, name: str, threads: Mapping[str, ThreadPoolExecutor]) -> None:
        self.files: dict[str, Future[dict[str, Any]]] = {}
        self._out = out
        self._threads = threads
        self._paths = {config: f"data/{config}/{name}" for config in CONFIGS}
        self._writers = {c: open_writer(out / path, c) for c, path in self._paths.items()}
        self._backlog: deque[list[Future[None]]] = deque()
        self._questions: list[pa.Table] = []

    def __enter__(self) -> _Shard:
        return self

    def __exit__(self, *failure: object) -> None:
        if failure[0] is not None:
            return
        if self._questions:
            self._backlog.append([self._submit("questions", pa.concat_tables(self._questions))])
        for config, path in self._paths.items():
            self.files[path] = self._threads[config].submit(self._finish, config, self._backlog)

    def write(self, tables: dict[str, pa.Table]) -> None:
        """Add the rows of a row group; waits while two earlier ones are not written yet."""
        while len(self._backlog) > 1:
            for task in self._backlog.popleft():
                task.result()
        tasks = [self._submit(config, tables[config]) for config in ("default", "images")]
        self._questions.append(tables["questions"])
        if sum(map(len, self._questions)) >= QUESTION_ROWS:
            tasks.append(self._submit("questions", pa.concat_tables(self._questions)))
            self._questions = []
        self._backlog.append(tasks)

    def _submit(self, config: str, table: pa.Table) -> Future[None]:
        write = self._writers[config].write_table
        return self._threads[config].submit(write, table, row_group_size=max(1, len(table)))

    def _finish(self, config: str, backlog: Iterable[list[Future[None]]]) -> dict[str, Any]:
        for task in (task for tasks in backlog for task in tasks):
            task.result()  # raises what went wrong
        self._writers[config].close()
        return seal(self._out / self._paths[config])
