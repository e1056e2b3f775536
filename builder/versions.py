"""What changed between two versions of a dataset, row by row, and which number the new one gets.

The rule: **major** where something is gone or is another (a row left its split; a question, its
choices, its answer or its image changed; a column or images are gone), for results on it cannot be
compared; **minor** where there is only more (rows, columns, images); **patch** where only what is
said about rows changed (scores, licence, agreement, contamination …). The same content digest is
the same version.
"""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..errors import FolderError
from .digests import as_text
from .location import Location

Level = Literal["first", "major", "minor", "patch"]

CONTENT = frozenset(
    ("image_id", "question", "choices", "answer", "answer_letter", "answer_type", "question_type",
     "unit", "precision")
)  # fmt: skip
"""Columns that make up what is asked and answered; the others say something about it."""
SAMPLES = 20

_KEYS = ["id", "row_sha256", "source", "kind"]
_FACETS = ("split", "source", "kind")


@dataclass(slots=True)
class Difference:
    """What the second of two versions has in addition, no longer, elsewhere, or otherwise."""

    added: int = 0
    removed: int = 0
    moved: int = 0
    """Rows in another split than before."""
    changed: int = 0
    """Rows with the same id and another content."""
    fields: dict[str, int] = field(default_factory=dict)
    """Changed rows by column."""
    by: dict[str, dict[str, dict[str, int]]] = field(default_factory=dict)
    """Counts by split, source and kind: `by["source"]["TabMWP"]["added"]`."""
    columns: dict[str, list[str]] = field(default_factory=lambda: {"added": [], "removed": []})
    images: dict[str, list[str]] = field(default_factory=lambda: {"added": [], "removed": []})
    """Sources whose images are there and were not, and the other way round."""
    samples: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """The first `SAMPLES` rows of each sort by id; changed ones with each column's two values."""

    @property
    def level(self) -> Level:
        """How much of a change this is, by the rule above."""
        gone = self.removed or self.moved or self.columns["removed"] or self.images["removed"]
        if gone or CONTENT & self.fields.keys():
            return "major"
        more = self.added or self.columns["added"] or self.images["added"]
        return "minor" if more else "patch"


def next_version(since: str, level: Level) -> str:
    """The number after `since` (`x.y.z`) for a change of that level."""
    major, minor, patch = map(int, since.split("."))
    if level == "major":
        return f"{major + 1}.0.0"
    return f"{major}.{minor + 1}.0" if level == "minor" else f"{major}.{minor}.{patch + 1}"


def compare(old: Location, new: Location) -> Difference:
    """What changed from one version to another; files that both have are not read.

    Read are the columns of ids and hashes, and of rows that changed the others, one at a time.
    Raises `FolderError` where files cannot be read and `HubError` where they cannot be had.
    """
    before, after = _Side(old, _questions(new)), _Side(new, _questions(old))
    found = Difference()
    _compare_columns(before, after, found)
    found.images = {
        "added": sorted({*old.manifest["withheld"]} - {*new.manifest["withheld"]}),
        "removed": sorted({*new.manifest["withheld"]} - {*old.manifest["withheld"]}),
    }
    both = before.keys().join(
        after.keys(), "id", join_type="full outer", left_suffix=" old", right_suffix=" new",
        use_threads=False,
    ).sort_by("id")  # fmt: skip
    is_old, is_new = (pc.is_valid(both[f"row_sha256 {side}"]) for side in ("old", "new"))
    stays = pc.and_(is_old, is_new)
    sorts = {
        "added": pc.invert(is_old),
        "removed": pc.invert(is_new),
        "moved": pc.and_(stays, pc.not_equal(both["split old"], both["split new"])),
        "changed": pc.and_(stays, pc.not_equal(both["row_sha256 old"], both["row_sha256 new"])),
    }
    for sort, mask in sorts.items():
        rows = both.filter(pc.fill_null(mask, False))
        setattr(found, sort, len(rows))
        _count(found, sort, rows, "old" if sort == "removed" else "new")
        if sort == "changed":
            found.samples[sort] = _changes(found, before, after, rows)
        else:
            found.samples[sort] = [_sample(sort, row) for row in rows.slice(0, SAMPLES).to_pylist()]
    return found


class _Side:
    """One of two versions: the files of its config `questions` that the other does not have."""

    def __init__(self, place: Location, elsewhere: dict[str, str]) -> None:
        names = [n for n, sha in _questions(place).items() if elsewhere.get(n) != sha]
        self._files = [(_split(name), place.fetch(name)) for name in names]
        shared = [name for name in _questions(place) if name not in names]
        self.schema = self._schema((self._files or [("", place.fetch(shared[0]))])[0][1])

    def keys(self) -> pa.Table:
        """Id, hash (32 bytes), split, source and kind of each row."""
        parts = []
        for (split, _), table in zip(self._files, self.read(_KEYS), strict=True):
            parts.append(table.append_column("split", pa.repeat(split, len(table))))
        empty = pa.table({name: pa.array([], pa.string()) for name in (*_KEYS, "split")})
        return pa.concat_tables([empty, *parts])

    def read(self, columns: list[str]) -> list[pa.Table]:
        """These columns of each file."""
        try:
            return [pq.read_table(path, columns=columns) for _, path in self._files]
        except (pa.ArrowException, OSError) as error:
            raise FolderError(f"A file of the dataset is damaged: {error}.") from None

    def places(self, ids: pa.ChunkedArray) -> npt.NDArray[np.intp]:
        """The rows with these ids, in their order."""
        mine = pa.chunked_array([t["id"].combine_chunks() for t in self.read(["id"])], pa.string())
        rows = np.flatnonzero(pc.is_in(mine, value_set=ids).to_numpy(zero_copy_only=False))
        order = pc.sort_indices(mine.take(pa.array(rows))).to_numpy()
        return rows[order]

    def column(self, name: str, rows: npt.NDArray[np.intp]) -> pa.ChunkedArray:
        """One column of these rows."""
        return pa.concat_tables(self.read([name]))[name].take(pa.array(rows))

    @staticmethod
    def _schema(path: Any) -> pa.Schema:
        try:
            return pq.read_schema(path)
        except (pa.ArrowException, OSError) as error:
            raise FolderError(f"{path} is damaged: {error}.") from None


def _questions(place: Location) -> dict[str, str]:
    """Name and sha256 of the files of the config `questions`."""
    files = place.manifest["files"]
    return {n: f["sha256"] for n, f in files.items() if n.startswith("data/questions/")}


def _split(name: str) -> str:
    return name.rpartition("/")[2].partition("-")[0]


def _compare_columns(before: _Side, after: _Side, found: Difference) -> None:
    old, new = ({(f.name, str(f.type)) for f in side.schema} for side in (before, after))
    found.columns = {
        "added": sorted(name for name, _ in new - old),
        "removed": sorted(name for name, _ in old - new),
    }


def _count(found: Difference, sort: str, rows: pa.Table, side: str) -> None:
    for facet in _FACETS:
        for counted in pc.value_counts(rows[f"{facet} {side}"]).to_pylist():
            counts = found.by.setdefault(facet, {}).setdefault(counted["values"], {})
            counts[sort] = counted["counts"]


def _sample(sort: str, row: dict[str, Any]) -> dict[str, Any]:
    side = "old" if sort == "removed" else "new"
    told = {"id": row["id"], **{facet: row[f"{facet} {side}"] for facet in _FACETS}}
    return {**told, "was": row["split old"]} if sort == "moved" else told


def _changes(
    found: Difference, before: _Side, after: _Side, rows: pa.Table
) -> list[dict[str, Any]]:
    """The first changed rows with the two values of each column; counts by column go to `found`."""
    samples = [{"id": i, "fields": {}} for i in rows["id"].slice(0, SAMPLES).to_pylist()]
    if not len(rows):
        return []
    was, now = before.places(rows["id"]), after.places(rows["id"])
    shared = [n for n in after.schema.names if n in before.schema.names and n not in _KEYS[:2]]
    for name in shared:
        old, new = before.column(name, was), after.column(name, now)
        left, right = as_text(old), as_text(new)
        equal = pc.fill_null(pc.equal(left, right), False)
        unlike = pc.invert(pc.or_(equal, pc.and_(pc.is_null(left), pc.is_null(right))))
        if count := pc.sum(unlike).as_py():
            found.fields[name] = count
        for place, sample in enumerate(samples):
            if unlike[place].as_py():
                sample["fields"][name] = [old[place].as_py(), new[place].as_py()]
    return samples
