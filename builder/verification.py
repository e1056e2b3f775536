"""Is a dataset what its manifest says it is? Every byte, every row, every image is looked at."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from .digests import content_digest, row_hashes
from .folders import MANIFEST, is_sealed
from .images import inspect
from .intake import Progress, quiet
from .location import Location
from .repetitions import PROBLEM_LENGTH, problem_key
from .schema import ALL_CONFIGS, CONFIGS, Unusable

Check = Literal["files", "columns", "rows", "hashes", "ids", "images", "splits", "card"]

CHECKS: dict[Check, str] = {
    "files": "every file is there with its sha256, and no other",
    "columns": "each config has its columns and types",
    "rows": "row counts, and the same rows in every config",
    "hashes": "each row's hash, and the digest of all",
    "ids": "no id twice; every image and parent that a row names is there",
    "images": "each image is what its id says, and can be decoded",
    "splits": "no image, look-alike or problem in two splits",
    "card": "the card says what the files hold",
}
SHOWN = 100
"""Problems that are told one by one; all are counted."""


@dataclass(slots=True)
class Verification:
    """What was looked at and what is wrong."""

    checked: dict[Check, int] = field(default_factory=dict)
    """How many things each check looked at; a check that was left out is missing."""
    bad: dict[Check, int] = field(default_factory=dict)
    problems: list[dict[str, str]] = field(default_factory=list)
    """The first `SHOWN`: check, where (file and row) and detail."""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.bad

    def looked(self, check: Check, count: int) -> None:
        """Count things that a check looked at."""
        self.checked[check] = self.checked.get(check, 0) + count

    def complain(self, check: Check, where: str, detail: str) -> None:
        """Note that something is wrong."""
        self.bad[check] = self.bad.get(check, 0) + 1
        if len(self.problems) < SHOWN:
            self.problems.append({"check": check, "where": where, "detail": detail})


def verify(place: Location, *, decode: bool = True, progress: Progress = quiet) -> Verification:
    """Check a dataset against its manifest and itself; all but its card.

    Without `decode` images are hashed, but not opened, and look-alikes are not looked for. A
    dataset on the Hub is downloaded into the Hub's cache. Raises `HubError` where it cannot be.
    """
    told = Verification()
    good = _verify_files(place, told, progress)
    rows = _Rows()
    for name in good:
        config, split = _parts(name)
        if config == "questions":
            _verify_questions(place.fetch(name), name, split, rows, told)
    for name in good:
        config, split = _parts(name)
        if config in ("default", "images"):
            _verify_same_rows(place.fetch(name), name, config, rows, told)
    _verify_rows(place.manifest, rows, told)
    _verify_images(place, good, rows, decode, told, progress)
    return told


@dataclass(slots=True)
class _Rows:
    """What the config `questions` holds, for the other configs to be compared with."""

    hashes: dict[str, bytearray] = field(default_factory=lambda: defaultdict(bytearray))
    keys: dict[str, bytes] = field(default_factory=dict)
    """Digest of ids and hashes by shard, `train-00000-of-00001.parquet`."""
    ids: list[pa.ChunkedArray] = field(default_factory=list)
    parents: list[pa.ChunkedArray] = field(default_factory=list)
    images: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    problems: dict[int, str] = field(default_factory=dict)


def _parts(name: str) -> tuple[str, str]:
    """Config and split of a file `data/<config>/<split>-*.parquet`; empty for others."""
    if not name.startswith("data/"):
        return "", ""
    _, config, shard = name.split("/")
    return config, shard.partition("-")[0]


def _verify_files(place: Location, told: Verification, progress: Progress) -> list[str]:
    """Names of the files that are as the manifest says and can be read, the data's in order."""
    files: dict[str, dict[str, Any]] = place.manifest["files"]
    total, done = sum(file["bytes"] for file in files.values()), 0
    sound = []

    def digest(name: str) -> str | None:
        try:
            with place.fetch(name).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            return None

    largest_first = sorted(files, key=lambda name: -files[name]["bytes"])
    with ThreadPoolExecutor() as threads:
        for name, found in zip(largest_first, threads.map(digest, largest_first), strict=True):
            told.looked("files", 1)
            done += files[name]["bytes"]
            progress("checking bytes", done, total)
            if found is None:
                told.complain("files", name, "is missing")
            elif found != files[name]["sha256"]:
                told.complain("files", name, f"has the sha256 {found[:16]}…, not its own")
            else:
                sound.append(name)
    if not is_sealed(place.fetch(MANIFEST).read_bytes()):
        told.complain("files", MANIFEST, "was changed after it was written")
    if not place.repository:
        for path in sorted(Path(place.root).rglob("*")):
            name = path.relative_to(place.root).as_posix()
            if path.is_file() and name not in files and name != MANIFEST:
                told.complain("files", name, "is not in the manifest")
    return sorted(name for name in sound if _columns_are_right(place, name, told))


def _columns_are_right(place: Location, name: str, told: Verification) -> bool:
    config, _ = _parts(name)
    if not config:
        return False
    told.looked("columns", 1)
    try:
        found = pq.read_schema(place.fetch(name)).remove_metadata()
    except (pa.ArrowException, OSError) as error:
        told.complain("columns", name, f"is no Parquet file: {error}")
        return False
    if config not in ALL_CONFIGS or not found.equals(ALL_CONFIGS[config]):
        told.complain("columns", name, f"has not the columns of config {config!r}")
        return False
    return config != "rejected"


def _groups(path: Path, columns: list[str], once: tuple[str, ...] = ()) -> Iterator[pa.Table]:
    """The row groups of a file; a value of the leaves `once` is in memory once for all its rows."""
    with pq.ParquetFile(path, read_dictionary=once) as file:
        for number in range(file.num_row_groups):
            yield file.read_row_group(number, columns=columns)


def _verify_hashes(table: pa.Table, name: str, told: Verification) -> bytes:
    """The hashes that rows ought to have, 32 bytes each."""
    columns = {name: table[name].combine_chunks() for name in CONFIGS["questions"].names}
    texts, raw = row_hashes(columns)
    told.looked("hashes", len(table))
    right = pc.fill_null(pc.equal(texts, columns["row_sha256"]), False)
    for identity in table["id"].filter(pc.invert(right)).to_pylist():
        told.complain("hashes", f"{name}: {identity}", "its row_sha256 is not that of the row")
    return raw


def _verify_questions(path: Path, name: str, split: str, rows: _Rows, told: Verification) -> None:
    key = hashlib.sha256()
    for table in _groups(path, CONFIGS["questions"].names):
        rows.hashes[split] += _verify_hashes(table, name, told)
        key.update(_key(table["id"], table["row_sha256"]))
        rows.ids.append(table["id"])
        rows.parents.append(pc.drop_null(table["parent_id"]))
        rows.images[split].update(pc.unique(table["image_id"]).to_pylist())
        _verify_problems(table, name, split, rows, told)
    rows.keys[name.rpartition("/")[2]] = key.digest()


def _verify_problems(
    table: pa.Table, name: str, split: str, rows: _Rows, told: Verification
) -> None:
    long = table.filter(pc.greater_equal(pc.utf8_length(table["question"]), PROBLEM_LENGTH))
    told.looked("splits", len(table))
    for row in long.select(["id", "question", "choices", "answer"]).to_pylist():
        key = problem_key(row["question"], row["choices"], row["answer"])
        if key is not None and (first := rows.problems.setdefault(key, split)) != split:
            detail = f"the same problem is in split {first}"
            told.complain("splits", f"{name}: {row['id']}", detail)


def _key(ids: pa.ChunkedArray, hashes: pa.ChunkedArray) -> bytes:
    return "\0".join(pc.binary_join_element_wise(ids, hashes, " ").to_pylist()).encode() + b"\0"


def _verify_same_rows(path: Path, name: str, config: str, rows: _Rows, told: Verification) -> None:
    """Whether a shard has the rows of the same shard of `questions`, each as its hash says."""
    key = hashlib.sha256()
    for table in _groups(path, _text_columns(config)):
        if config == "images":
            table = _asked(table)
        _verify_hashes(table, name, told)
        key.update(_key(table["id"], table["row_sha256"]))
    told.looked("rows", 1)
    if key.digest() != rows.keys.get(name.rpartition("/")[2]):
        told.complain("rows", name, "has not the rows of the same shard of config 'questions'")


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


def _verify_rows(manifest: dict[str, Any], rows: _Rows, told: Verification) -> None:
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


def _verify_images(
    place: Location,
    good: list[str],
    rows: _Rows,
    decode: bool,
    told: Verification,
    progress: Progress,
) -> None:
    """Each image once by its hash in both configs that have it, and opened in one of them."""
    withheld = set(place.manifest["withheld"])
    found: dict[str, set[str]] = defaultdict(set)
    looks: dict[str, str] = {}
    total = sum(len(ids) for ids in rows.images.values())
    with ThreadPoolExecutor() as threads:
        for name in good:
            config, split = _parts(name)
            if config not in ("default", "images"):
                continue
            look = _opened if decode and config == "images" else _hash_only
            for table in _pictures(place.fetch(name), config):
                facts = threads.map(look, table.to_batches(max_chunksize=64))
                for image_id, source, problem, dhash in (one for part in facts for one in part):
                    where = f"{name}: {image_id}"
                    if problem == _NO_IMAGE and source in withheld:
                        problem = None
                    if problem:
                        told.complain("images", where, problem)
                    if dhash and (seen := looks.setdefault(dhash, split)) != split:
                        told.complain("splits", where, f"looks like an image of split {seen}")
                if config == "images":
                    ids = table["image_id"].to_pylist()
                    found[split].update(ids)
                    told.looked("images", len(ids))
                    progress("checking images", told.checked["images"], total)
    for split, named in rows.images.items():
        for image_id in islice(sorted(named - found[split]), SHOWN):
            told.complain("ids", image_id, f"has questions in {split}, but is not in 'images'")


_NO_IMAGE = "there is no image"


def _pictures(path: Path, config: str) -> Iterator[pa.Table]:
    """The images of each row group; of those that several rows share, the first row."""
    if config == "images":
        yield from _groups(path, ["image", "image_id", "source", "format", "width", "height"])
        return
    for table in _groups(path, ["image", "image_id", "source"], ("image.bytes", "image.path")):
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
