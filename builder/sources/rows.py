"""What the readers share: finding a split's files, reading and converting their rows."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from operator import itemgetter
from typing import Any, TypeVar

import msgspec

from ...errors import SourceError
from .. import json_rows
from ..archives import BROKEN
from ..json_rows import decode
from ..schema import Reason, Unusable
from .files import Files
from .source import Candidate, Rejection, Source, Split

T = TypeVar("T")

Row = tuple[str, int | str, T | Unusable]
"""Where a row stands, its index from 0 or its key there, and its value or why it has none."""

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MAX_ROW_FILE = 16 * 2**20
"""Bytes of a file that is one row."""


def convert(
    rows: Iterable[Row[T]], make: Callable[[str, int | str, T], Candidate | None]
) -> Iterator[Candidate | Rejection]:
    """What `make` makes of place, key and value of each row, or why there is nothing to make.

    `make` raises `Unusable` for a row that cannot be used, and returns None for one of a split
    that is not read.
    """
    for where, key, value in rows:
        try:
            if isinstance(value, Unusable):
                raise value
            candidate = make(where, key, value)
        except Unusable as why:
            yield Rejection(where, why.reason, why.detail)
        else:
            if candidate is not None:
                yield candidate


def json_file(
    files: Files, name: str, row_type: type[T], key: str | None = None
) -> Iterator[Row[T]]:
    """The rows of one large JSON file: a list, an object by key, or its member `key`."""
    place = files.path(name)
    with files.open(name) as file:
        for index, value in json_rows.rows(file, f"{files}/{name}", row_type, key):
            row = f"{place}: row {index + 1}" if type(index) is int else f"{place}: {index}"
            yield row, index, value


def json_files(files: Files, names: Iterable[str], row_type: type[T]) -> Iterator[Row[T]]:
    """One row per small JSON file; its key is the file's name."""
    for name in names:
        yield files.path(name), name, _small_file(files, name, row_type)


def csv_file(files: Files, name: str, row_type: type[T]) -> Iterator[Row[T]]:
    """The rows of a CSV file (UTF-8, RFC 4180) whose first line names the columns.

    `row_type` is a struct whose fields are texts.
    """
    place = files.path(name)
    with files.open(name) as file, io.TextIOWrapper(file, "utf-8-sig", newline="") as text:
        lines = csv.reader(text, strict=True)
        try:
            header = next(lines, None)
            if header is None:
                raise SourceError(f"{files}/{name} is empty; download it again.")
            fields = _fields_of(header, row_type, f"{files}/{name}")
            take = itemgetter(*fields.values())
            for index, cells in enumerate(lines):
                if len(cells) == len(header):
                    value = row_type(**dict(zip(fields, take(cells), strict=True)))
                else:
                    detail = f"{len(cells)} cells below {len(header)} columns"
                    value = Unusable(Reason.MALFORMED_ROW, detail)
                yield f"{place}: row {index + 1}", index, value
        except (csv.Error, *BROKEN) as error:
            where = f"{files}/{name}, line {lines.line_num + 1}"
            raise SourceError(f"{where}: {error}; repair the file or download it again.") from None


def _fields_of(header: Sequence[str], row_type: type[Any], name: str) -> dict[str, int]:
    """The fields of a struct and the places of their columns; raises `SourceError`."""
    fields = {}
    for field in msgspec.structs.fields(row_type):
        if field.encode_name in header:
            fields[field.name] = header.index(field.encode_name)
        elif field.required:
            column = field.encode_name
            raise SourceError(f"{name} has no column {column!r}; download it again.")
    return fields


def _small_file(files: Files, name: str, row_type: type[T]) -> T | Unusable:
    try:
        with files.open(name) as file:
            data = file.read(MAX_ROW_FILE + 1)
    except SourceError as error:  # a file of one row: the others can be read
        return Unusable(Reason.MALFORMED_ROW, str(error))
    except BROKEN as error:
        return Unusable(Reason.MALFORMED_ROW, f"{files}/{name}: {error}")
    if len(data) > MAX_ROW_FILE:
        return Unusable(Reason.MALFORMED_ROW, f"more than {MAX_ROW_FILE // 2**20} MiB")
    return decode(data, row_type)


def choice_of_letter(letter: str, choices: Sequence[str]) -> int:
    """The position of the choice that a letter names, `A` or `a` being 0; raises `Unusable`."""
    index = _LETTERS.find(letter.upper()) if len(letter) == 1 else -1
    if not 0 <= index < len(choices):
        detail = f"answer {letter[:20]!r} is not the letter of one of {len(choices)} choices"
        raise Unusable(Reason.ANSWER_NOT_AMONG_CHOICES, detail)
    return index


def choice_of_index(index: int, choices: Sequence[str]) -> int:
    """The same position, if there is such a choice; raises `Unusable`."""
    if not 0 <= index < len(choices):
        detail = f"answer {index} is not the position of one of {len(choices)} choices"
        raise Unusable(Reason.ANSWER_NOT_AMONG_CHOICES, detail)
    return index


def plurality(answers: Sequence[str]) -> str:
    """The answer given most often; of several, the one given first. Raises `Unusable`."""
    given = [answer.strip() for answer in answers if answer.strip()]
    if not given:
        raise Unusable(Reason.NO_ANSWER, "nobody gave an answer")
    return Counter(given).most_common(1)[0][0]


def refuse_other_split(said: str | None, expected: str) -> None:
    """Raise `Unusable` for a row that says it belongs to another split than its file."""
    if said is not None and said != expected:
        detail = f"the row says that it is of the {said[:20]!r} split"
        raise Unusable(Reason.WRONG_SPLIT, detail)


def split_files(
    source: Source,
    files: Files,
    names: Mapping[Split, Sequence[str]],
    wanted: Sequence[Split],
    *,
    every: bool = False,
) -> dict[Split, list[str]]:
    """For each wanted split the first of its files (or folders) that exists; `every` one if so.

    (To know that a file is not in a large archive, the archive has to be read to its end.)

    Raises `SourceError` where there is none for a split, or where the source has none of the
    splits.
    """
    known: list[Split] = [split for split in wanted if split in names]
    if not known:
        raise SourceError(
            f"{source.name} has no {' or '.join(wanted)} part; read the train split with "
            "`splits: [train]` in the recipe."
        )
    present: dict[Split, list[str]] = {}
    for split in known:
        found = (name for name in names[split] if files.exists(name))
        present[split] = list(found if every else islice(found, 1))
        if not present[split]:
            mend = f"download it from {source.homepage}"
            other = next((s for s in names if any(map(files.exists, names[s]))), None)
            if other is not None:
                mend += f", or read the {other} split with `splits: [{other}]` in the recipe"
            file = " or ".join(names[split])
            raise SourceError(f"{source.name}: {file} is not in {files}; {mend}.")
    return present
