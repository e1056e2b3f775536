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

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..errors import FolderError
from .digests import as_text
from .location import Location
from .parquet import config_and_split

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
    found.images = {"added": _shown_only(new, old), "removed": _shown_only(old, new)}
    old_rows, new_rows = before.keys(), after.keys()
    place = pc.index_in(old_rows["id"], value_set=new_rows["id"]).to_numpy()  # NaN: is not there
    stays = np.flatnonzero(~np.isnan(place))
    there = place[stays].astype(np.intp)
    added = np.ones(len(new_rows), bool)
    added[there] = False
    _note(found, "added", new_rows.filter(pa.array(added)))
    _note(found, "removed", old_rows.filter(pa.array(np.isnan(place))))
    for sort, column in (("moved", "split"), ("changed", "row_sha256")):
        was, now = old_rows[column].take(pa.array(stays)), new_rows[column].take(pa.array(there))
        other = np.flatnonzero(pc.not_equal(was, now).to_numpy())
        rows = new_rows.take(pa.array(there[other]))
        _note(found, sort, rows.append_column("was", was.take(pa.array(other))))
        if sort == "changed" and len(rows):
            found.samples[sort] = _changes(found, before, after, rows["id"])
    return found


@dataclass(frozen=True, slots=True)
class _Places:
    """Rows of each file, and the order that these have among all."""

    rows: list[pa.Array]
    order: pa.Array


class _Side:
    """One of two versions: the files of its config `questions` that the other does not have."""

    def __init__(self, place: Location, elsewhere: dict[str, str]) -> None:
        names = [n for n, sha in _questions(place).items() if elsewhere.get(n) != sha]
        self._files = [(config_and_split(name)[1], place.fetch(name)) for name in names]
        shared = [name for name in _questions(place) if name not in names]
        self.schema = self._schema((self._files or [("", place.fetch(shared[0]))])[0][1])

    def keys(self) -> pa.Table:
        """Id, hash (32 bytes), split, source and kind of each row."""
        parts = []
        for (split, _), table in zip(self._files, self.read(_KEYS), strict=True):
            parts.append(table.append_column("split", pa.repeat(split, len(table))))
        empty = pa.table({name: pa.array([], pa.string()) for name in (*_KEYS, "split")})
        return pa.concat_tables([empty, *parts])

    def read(self, columns: list[str]) -> Iterator[pa.Table]:
        """These columns of each file."""
        for _, path in self._files:
            try:
                yield pq.read_table(path, columns=columns, use_threads=False)
            except (pa.ArrowException, OSError) as error:
                raise FolderError(f"A file of the dataset is damaged: {error}.") from None

    def places(self, ids: pa.ChunkedArray) -> _Places:
        """Where the rows with these ids are; they are taken in the order of their ids."""
        found, names = [], [pa.array([], pa.string())]
        for table in self.read(["id"]):
            there = pc.is_in(table["id"], value_set=ids)
            found.append(pa.array(np.flatnonzero(there.to_numpy())))
            names += table["id"].take(found[-1]).chunks
        return _Places(found, pc.sort_indices(pa.chunked_array(names)))

    def column(self, name: str, places: _Places) -> pa.ChunkedArray:
        """One column of these rows."""
        pairs = zip(self.read([name]), places.rows, strict=True)
        parts = [chunk for table, rows in pairs for chunk in table[name].take(rows).chunks]
        return pa.chunked_array(parts, self.schema.field(name).type).take(places.order)

    @staticmethod
    def _schema(path: Any) -> pa.Schema:
        try:
            return pq.read_schema(path)
        except (pa.ArrowException, OSError) as error:
            raise FolderError(f"{path} is damaged: {error}.") from None


def _shown_only(place: Location, elsewhere: Location) -> list[str]:
    """Sources whose images are here, and elsewhere left out."""
    there = place.manifest["sources"].keys() - {*place.manifest["withheld"]}
    return sorted(there & {*elsewhere.manifest["withheld"]})


def _questions(place: Location) -> dict[str, str]:
    """Name and sha256 of the files of the config `questions`."""
    files = place.manifest["files"]
    return {n: f["sha256"] for n, f in files.items() if config_and_split(n)[0] == "questions"}


def _compare_columns(before: _Side, after: _Side, found: Difference) -> None:
    old, new = ({(f.name, str(f.type)) for f in side.schema} for side in (before, after))
    found.columns = {
        "added": sorted(name for name, _ in new - old),
        "removed": sorted(name for name, _ in old - new),
    }


def _note(found: Difference, sort: str, rows: pa.Table) -> None:
    """Count rows of a sort, in all and by facet, and show the first ones."""
    setattr(found, sort, len(rows))
    for facet in _FACETS:
        for counted in pc.value_counts(rows[facet]).to_pylist():
            counts = found.by.setdefault(facet, {}).setdefault(counted["values"], {})
            counts[sort] = counted["counts"]
    first = rows.take(pc.sort_indices(rows["id"])[:SAMPLES])
    shown = ["id", *_FACETS, *(["was"] if sort == "moved" else [])]
    found.samples[sort] = first.select(shown).to_pylist()


def _changes(
    found: Difference, before: _Side, after: _Side, ids: pa.ChunkedArray
) -> list[dict[str, Any]]:
    """The first changed rows with the two values of each column; counts by column go to `found`."""
    was, now = before.places(ids), after.places(ids)
    first = before.column("id", was).slice(0, SAMPLES).to_pylist()
    samples = [{"id": name, "fields": {}} for name in first]
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
