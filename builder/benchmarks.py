"""Benchmarks as files: a folder of images, Parquet, annotations in JSON, or a list of hashes.

A list of hashes (`write_hashes`) holds neither images nor texts: it can be shared where the
benchmark itself cannot.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import SourceError, UsageError
from .images import inspect, read_file
from .intake import Progress, quiet
from .schema import Unusable, printable
from .text_overlap import Text, text_of

_ANNOTATIONS = (".json", ".jsonl", ".csv", ".parquet")
SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp")
HASHES = pa.schema(
    {
        "benchmark": pa.string(),
        "benchmark_id": pa.string(),
        "image_id": pa.string(),
        "dhash": pa.string(),
        "question": pa.list_(pa.uint64()),
        "choices": pa.uint64(),
        "answer": pa.uint64(),
    },
    metadata={"mathv360k": "benchmark hashes 1"},
)
_IDS = ("id", "pid", "question_id", "questionId", "sample_index", "idx", "qid", "key")
_QUESTIONS = ("question", "problem_text", "question_for_eval", "query", "problem", "text")
_CHOICES = ("choices", "compact_choices", "options")
_ANSWERS = ("answer", "answers", "label")
_IMAGES = (
    "decoded_image",
    "image",
    "image_path",
    "image_name",
    "imgname",
    "img",
    "picture",
    "images",
)
_NUMBERED = re.compile(r"image_\d+")
"""More columns of images: MMMU has up to seven for a question."""
_HEX = re.compile("([0-9a-f]{64})?")
ALONE = ""
"""The key of a question that has a file of its own."""

Load = Callable[[], bytes]
"""Reads the bytes of an image; raises `schema.Unusable`."""


@dataclass(frozen=True, slots=True)
class Item:
    """One picture or question of a benchmark; `load` is None where only hashes are known."""

    benchmark: str
    id: str
    image_id: str | None
    dhash: str | None
    load: Load | None
    text: Text | None
    question: str = ""
    choices: tuple[str, ...] = ()
    answer: str = ""
    unreadable: str | None = None
    """Why its image could not be read, where it has one."""


def read_benchmark(path: Path, progress: Progress = quiet) -> list[Item]:
    """All items of a benchmark; raises `SourceError` where there are none.

    `path` is a folder of images (with annotations beside them: .json, .jsonl, .csv or .parquet), a
    file of annotations whose images lie beside it, a Parquet file with images, or a list of hashes.
    The benchmark is called as the file or the folder. Images that cannot be read are items, too.
    """
    if not path.exists():
        raise UsageError(f"{path} does not exist; name a benchmark's folder or file.")
    name = path.name if path.is_dir() else path.stem
    items: list[Item] = []
    for item in _folder(path, name) if path.is_dir() else _file(path, path.parent, name, set()):
        if item.image_id or item.text or item.unreadable:
            items.append(item)
            if len(items) % 64 == 0:
                progress(f"reading {name}", len(items), None)
    progress(f"reading {name}", len(items), len(items))
    if not any(item.image_id or item.text for item in items):
        raise SourceError(f"{path} holds neither images nor questions that can be read.")
    return items


def write_hashes(items: list[Item], path: Path) -> None:
    """Write what identifies the items, and nothing that shows them."""
    rows = [
        {
            "benchmark": item.benchmark,
            "benchmark_id": item.id,
            "image_id": item.image_id,
            "dhash": item.dhash,
            "question": list(item.text.question) if item.text else [],
            "choices": item.text.choices if item.text else None,
            "answer": item.text.answer if item.text else None,
        }
        for item in items
        if item.image_id or item.text
    ]
    pq.write_table(pa.Table.from_pylist(rows, HASHES), path, compression="zstd")


def _folder(folder: Path, name: str) -> Iterator[Item]:
    told: set[Path] = set()
    files = [p for p in sorted(folder.rglob("*")) if p.is_file()]
    for path in files:
        if path.suffix.lower() in _ANNOTATIONS:
            yield from _file(path, folder, name, told)
    for path in files:
        if path.suffix.lower() in SUFFIXES and path not in told:
            relative = path.relative_to(folder).as_posix()
            yield _with_image(_item(name, relative), _reader(folder, relative))


def _file(path: Path, root: Path, name: str, told: set[Path]) -> Iterator[Item]:
    """Items of a file of annotations; the images that belong to them are added to `told`."""
    if path.suffix.lower() in SUFFIXES:
        yield _with_image(_item(name, path.name), _reader(root, path.name))
    elif path.suffix.lower() == ".parquet":
        yield from _hash_list(path) if _is_hash_list(path) else _parquet(path, root, name, told)
    else:
        for number, (key, row) in enumerate(_rows(path)):
            if isinstance(row, dict):
                loads = list(_named_images(row, (path.parent, root), told))
                if key == ALONE:
                    key = path.relative_to(root).as_posix()
                    loads = loads or list(_images_beside(path, told))
                yield from _items(row, key or str(number), name, loads)


def _rows(path: Path) -> Iterator[tuple[str | None, Any]]:
    """Rows with their key, if they have one."""
    suffix = path.suffix.lower()
    try:
        if suffix == ".csv":
            with path.open(encoding="utf-8-sig", newline="") as file:
                yield from ((None, row) for row in csv.DictReader(file))
        elif suffix == ".jsonl":
            with path.open(encoding="utf-8") as file:
                lines = ((n, line) for n, line in enumerate(file, 1) if line.strip())
                yield from ((None, _parsed(n, line)) for n, line in lines)
        elif suffix == ".json":
            data = json.loads(path.read_bytes())
            for field in ("data", "questions", "annotations"):
                if isinstance(data, dict) and isinstance(data.get(field), list):
                    data = data[field]
            if isinstance(data, list):
                yield from ((None, row) for row in data)
            elif isinstance(data, dict) and isinstance(_first(data, _QUESTIONS), str):
                yield ALONE, data
            elif isinstance(data, dict):
                yield from data.items()
        else:
            raise UsageError(f"{path} is no benchmark: give a folder, .parquet, .json or .jsonl.")
    except (ValueError, OSError, RecursionError, csv.Error) as error:
        raise SourceError(f"{path} cannot be read as a benchmark: {error}.") from None


def _parsed(number: int, line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise ValueError(f"line {number}: {error}") from None


def _parquet(path: Path, root: Path, name: str, told: set[Path]) -> Iterator[Item]:
    """Rows of a Parquet file; image bytes are not kept, but read again when they are wanted."""
    try:
        with pq.ParquetFile(path) as file:
            columns = file.schema_arrow.names
            pictured = [c for c in columns if c in _IMAGES or _NUMBERED.fullmatch(c)]
            number = 0
            for group in range(file.num_row_groups):
                for place, row in enumerate(_group_rows(file, group)):
                    loads: list[tuple[bytes | None, Load]] = []
                    loads += _named_images(row, (path.parent, root), told)
                    for column in pictured:
                        for part, data in enumerate(_contents(row[column])):
                            again = partial(_stored_image, path, group, place, column, part)
                            loads.append((data, again))
                    yield from _items(row, str(number), name, loads)
                    number += 1
    except (ValueError, OSError, pa.ArrowException) as error:
        raise SourceError(f"{path} cannot be read as a benchmark: {error}.") from None


def _group_rows(file: pq.ParquetFile, group: int) -> Iterator[dict[str, Any]]:
    for batch in file.iter_batches(64, row_groups=[group]):
        yield from batch.to_pylist()


def _contents(value: Any) -> list[bytes]:
    """Image bytes as they are, in a struct as `datasets` has them, or in a list of either."""
    if isinstance(value, list):
        return [data for part in value for data in _contents(part)]
    if isinstance(value, dict):
        value = value.get("bytes")
    return [value] if isinstance(value, bytes) else []


def _stored_image(path: Path, group: int, place: int, column: str, part: int) -> bytes:
    return _contents(_image_column(path, group, column)[place].as_py())[part]


@lru_cache(maxsize=2)
def _image_column(path: Path, group: int, column: str) -> pa.ChunkedArray:
    with pq.ParquetFile(path) as file:
        return file.read_row_group(group, columns=[column])[column]


def _items(
    row: dict[str, Any], key: str, name: str, loads: Sequence[tuple[bytes | None, Load]]
) -> Iterator[Item]:
    """The item of a row with its first image, and one more for each further image."""
    found = _first(row, _IDS)
    answer = _first(row, _ANSWERS)
    if isinstance(answer, list):
        answer = answer[0] if answer else None
    item_id = key if found is None else str(found)
    item = _item(
        name,
        item_id,
        question=str(_first(row, _QUESTIONS) or ""),
        choices=_list(_first(row, _CHOICES)),
        answer="" if answer is None else str(answer),
    )
    if not loads:
        yield item
    for number, (data, load) in enumerate(loads):
        yield _with_image(_item(name, item_id) if number else item, load, data)


def _named_images(
    row: dict[str, Any], roots: tuple[Path, Path], told: set[Path]
) -> Iterator[tuple[None, Load]]:
    """Readers of the image files that a row names."""
    value = _first(row, _IMAGES)
    for image in value if isinstance(value, list) else [value]:
        where = image.get("path") if isinstance(image, dict) and not image.get("bytes") else image
        if not isinstance(where, str):
            continue
        found = [root for root in roots if _is_there(root, where)]
        if found:
            told.add(found[0] / where)
        yield None, _reader(found[0] if found else roots[0], where)


def _is_there(root: Path, name: str) -> bool:
    try:
        return bool(read_file(root, name))
    except Unusable:
        return False


def _images_beside(path: Path, told: set[Path]) -> Iterator[tuple[None, Load]]:
    """Readers of the images of a question that has a file of its own (GEOS, Geometry3K)."""
    beside = [p for p in sorted(path.parent.iterdir()) if p.suffix.lower() in SUFFIXES]
    named = [p for p in beside if p.stem == path.stem]
    if not named and len(list(path.parent.glob("*.json"))) == 1:
        named = beside
    for image in named:
        told.add(image)
        yield None, _reader(image.parent, image.name)


def _first(row: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((row[name] for name in names if row.get(name) not in (None, "")), None)


def _list(value: Any) -> tuple[str, ...]:
    if isinstance(value, str) and value.startswith("["):  # MMMU has lists as text
        parts = value.strip("[]").split("', '")
        value = [part.strip("'\" ") for part in parts]
    if isinstance(value, dict):
        value = list(value.values())
    return tuple(str(v) for v in value if v is not None) if isinstance(value, list) else ()


def _item(
    benchmark: str, name: str, question: str = "", choices: tuple[str, ...] = (), answer: str = ""
) -> Item:
    name, question, answer = map(printable, (name, question, answer))
    choices = tuple(map(printable, choices))
    text = text_of(question, choices, answer) if question else None
    return Item(benchmark, name, None, None, None, text, question, choices, answer)


def _reader(root: Path, name: str) -> Load:
    return partial(read_file, root, name)


def _with_image(item: Item, load: Load, data: bytes | None = None) -> Item:
    """The item with what identifies its image; as it was where the image cannot be read."""
    try:
        data = load() if data is None else data
        facts = inspect(data)
    except Unusable as bad:
        return replace(item, unreadable=f"{bad.reason}: {printable(bad.detail)}")
    return replace(item, image_id=sha256(data).hexdigest(), dhash=facts.dhash, load=load)


def _is_hash_list(path: Path) -> bool:
    try:
        return b"mathv360k" in (pq.read_schema(path).metadata or {})
    except (OSError, pa.ArrowException):
        return False


def _hash_list(path: Path) -> Iterator[Item]:
    try:
        rows = pq.read_table(path).cast(HASHES).to_pylist()
    except (OSError, ValueError, pa.ArrowException) as error:
        raise SourceError(f"{path} is a damaged list of hashes: {error}.") from None
    for number, row in enumerate(rows):
        if not (_HEX.fullmatch(row["image_id"] or "") and _HEX.fullmatch(row["dhash"] or "")):
            raise SourceError(
                f"{path}, row {number}: image_id or dhash is not 64 hexadecimal digits."
            )
        text = None
        if row["question"]:
            text = Text(tuple(row["question"]), row["choices"], row["answer"])
        name, item_id = row["benchmark"], row["benchmark_id"]
        yield Item(name, item_id, row["image_id"], row["dhash"], None, text)
