"""What the readers share: finding a split's files, reading their rows, taking fields out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import SourceError
from ..json_stream import stream
from ..schema import Reason, Unusable, printable
from .source import Candidate, Rejection, Source, Split

_KINDS = {
    dict: "an object",
    list: "a list",
    str: "a text",
    bool: "true or false",
    int: "an integer",
    float: "a number",
    type(None): "null",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a file as it was read, where it stands, and its key or index there.

    Taking a field out raises `Unusable` where it is missing or of another type.
    """

    where: str
    key: str | int
    value: Any

    def text(self, field: str) -> str:
        """A text with plain line ends and nothing blank around it."""
        return _clean(field, self._get(field))

    def optional_text(self, field: str) -> str | None:
        """The same, or None where the field is missing, null or blank."""
        value = self._fields().get(field)
        return None if value is None else _clean(field, value) or None

    def text_or_integer(self, field: str) -> str:
        """A text; an integer becomes its digits."""
        value = self._get(field)
        return str(value) if type(value) is int else _clean(field, value)

    def texts(self, field: str) -> tuple[str, ...]:
        values = self._get(field)
        if not isinstance(values, list):
            raise _wrong_type(field, values, "a list")
        return tuple(_clean(f"{field}[{index}]", value) for index, value in enumerate(values))

    def _get(self, field: str) -> Any:
        fields = self._fields()
        if field not in fields:
            raise Unusable(Reason.MALFORMED_ROW, f"{field} is missing")
        return fields[field]

    def _fields(self) -> dict[str, Any]:
        if not isinstance(self.value, dict):
            raise _wrong_type("the row", self.value, "an object")
        return self.value


def convert(
    rows: Iterable[Row], make: Callable[[Row], Candidate | None]
) -> Iterator[Candidate | Rejection]:
    """What `make` makes of each row, or its rejection where `make` raises `Unusable`.

    Rows of which it makes None, being of a split that is not read, are left out.
    """
    for row in rows:
        try:
            candidate = make(row)
        except Unusable as why:
            yield Rejection(row.where, why.reason, why.detail)
        else:
            if candidate is not None:
                yield candidate


def stream_rows(folder: Path, file: str, key: str | None = None) -> Iterator[Row]:
    """The elements of a JSON file below `folder`, see `json_stream.stream`."""
    path = folder / file
    try:
        opened = path.open("rb")
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}; download it again.") from None
    with opened:
        for line, name, value in stream(opened, str(path), key):
            # Some releases hold all rows in one line.
            place = f"row {name + 1}" if isinstance(name, int) else printable(name)
            yield Row(f"{file}: line {line}, {place}", name, value)


def split_files(
    source: Source, folder: Path, files: Mapping[Split, Sequence[str]], wanted: Sequence[Split]
) -> dict[Split, list[str]]:
    """Those of the wanted splits' `files` (or folders) that exist below `folder`.

    Raises `SourceError` where there is none for a split, or where the source has none of the
    splits.
    """
    known: list[Split] = [split for split in wanted if split in files]
    if not known:
        raise SourceError(
            f"{source.name} has no {' or '.join(wanted)} part; read the train split with "
            "`splits: [train]` in the recipe."
        )
    present = {split: [f for f in files[split] if (folder / f).exists()] for split in files}
    for split in known:
        if not present[split]:
            mend = f"download it from {source.homepage}"
            other = next((other for other in files if present[other]), None)
            if other is not None:
                mend += f", or read the {other} split with `splits: [{other}]` in the recipe"
            file = " or ".join(files[split])
            raise SourceError(f"{source.name}: {file} is not in {folder}; {mend}.")
    return {split: present[split] for split in known}


def _clean(field: str, value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong_type(field, value, "a text")
    if printable(value) != value:
        raise Unusable(Reason.MALFORMED_ROW, f"{field} holds half a character")
    return value.replace("\r\n", "\n").strip()


def _wrong_type(field: str, value: Any, expected: str) -> Unusable:
    found = _KINDS[type(value)]
    return Unusable(Reason.MALFORMED_ROW, f"{field} is {found}, not {expected}")
