"""Rows of large JSON files as typed structs, many at a time, at the speed of the parser.

A file is cut where one row ends and the next one starts, which can be seen from the first key of
the rows, and each piece is parsed as a whole. A wrong cut does not parse, so it does no harm: the
rows around it are then read one by one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, BinaryIO, Generic, TypeVar

import msgspec

from .json_stream import READ_SIZE, Window, walk
from .schema import Reason, Unusable

T = TypeVar("T")

_CUTS_TRIED = 4
_KEY_LENGTH = 256  # characters before a row in which its key is looked for
_FIRST_KEY = re.compile(r'(?:"(?:[^"\\]|\\.)*"\s*:\s*)?\{\s*("(?:[^"\\]|\\.)*")')
_BETWEEN_ELEMENTS = re.compile(r"\}\s*(,)\s*\{\s*\Z")
_BETWEEN_MEMBERS = re.compile(r'\}\s*(,)\s*"(?:[^"\\]|\\.)*"\s*:\s*\{\s*\Z')


def rows(
    file: BinaryIO, name: str, row_type: type[T], key: str | None = None, *, size: int = READ_SIZE
) -> Iterator[tuple[int | str, T | Unusable]]:
    """Index from 0 or key, and value, of each element of a JSON array or object.

    Of the member `key` of the top-level object, if given; a file that is a bare array is taken as
    that. What is not of `row_type` (anything that `msgspec` can decode into) comes as the
    `Unusable` to be raised for it. Raises `SourceError` as `json_stream.stream` does.
    """
    # The row that holds NaN is refused later, the others can be read.
    window = Window(file, name, size, constants=True)
    if window.peek() == "[":
        key = None
    return chain.from_iterable(walk(window, key, _Pieces(row_type)))


def decode(raw: bytes | str | msgspec.Raw, row_type: type[T]) -> T | Unusable:
    """The value of this JSON text, or why it is none."""
    try:
        return msgspec.json.decode(raw, type=row_type)
    except msgspec.DecodeError as error:
        return _unusable(error)
    except RecursionError:
        return _too_deep()


def convert_value(value: Any, row_type: type[T]) -> T | Unusable:
    """The same from a value that was parsed before."""
    try:
        return msgspec.convert(value, row_type)
    except msgspec.ValidationError as error:
        return _unusable(error)
    except RecursionError:
        return _too_deep()


class _Pieces(Generic[T]):
    """Yields the elements of the array or object where a window stands, many at a time."""

    def __init__(self, row_type: type[T]) -> None:
        self._type = row_type
        self._lists = msgspec.json.Decoder(list[row_type])
        self._dicts = msgspec.json.Decoder(dict[str, row_type])

    def __call__(self, window: Window) -> Iterator[Iterable[tuple[int | str, T | Unusable]]]:
        opening = window.peek()
        if opening not in ("[", "{"):
            window.fail("Expecting an array or an object")
        closing = "]" if opening == "[" else "}"
        window.skip()
        if window.peek() == closing:
            window.skip()
            return
        first_key = self._first_key(window)
        hopeless = ""  # the text in memory, where it could not be cut
        index = 0
        while True:
            window.peek()
            if first_key and window.ahead()[0] is not hopeless:
                piece = self._piece(window, opening, closing, first_key)
                if piece is None:
                    hopeless = window.ahead()[0]
                else:
                    yield piece.items() if isinstance(piece, dict) else enumerate(piece, index)
                    index += len(piece)
                    continue
            place = index if closing == "]" else window.key()
            yield [(place, decode(window.value_and_text()[1], self._type))]
            index += 1
            separator = window.peek()
            if separator not in (",", closing):
                window.fail("Expecting ',' delimiter")
            window.skip()
            if separator == closing:
                return

    def _first_key(self, window: Window) -> str | None:
        """The first key of the first row, in its quotes; None where that is no object."""
        match = _FIRST_KEY.match(*window.ahead())
        return match[1] if match else None

    def _piece(
        self, window: Window, opening: str, closing: str, first_key: str
    ) -> list[T | Unusable] | dict[str, T | Unusable] | None:
        """All rows in memory but the last; the window goes on to that one. None: no cut found."""
        text, start = window.ahead()
        between = _BETWEEN_ELEMENTS if closing == "]" else _BETWEEN_MEMBERS
        end = len(text)
        for _ in range(_CUTS_TRIED):
            end = text.rfind(first_key, start, end)
            if end < 0:
                return None
            cut = between.search(text, max(start, end - _KEY_LENGTH), end)
            if cut is None:
                continue
            piece = f"{opening}{text[start : cut.start(1)]}{closing}"
            found = self._decode(piece, closing, first_key)
            if found is not None:
                window.jump(cut.end(1))
                return found
        return None

    def _decode(
        self, piece: str, closing: str, first_key: str
    ) -> list[T | Unusable] | dict[str, T | Unusable] | None:
        """The rows of one piece; None where it is not JSON, or holds a key twice."""
        decoder = self._lists if closing == "]" else self._dicts
        try:
            try:
                found: Any = decoder.decode(piece)
            except msgspec.ValidationError:
                found = self._decode_each(piece, closing)
        except (msgspec.DecodeError, RecursionError):
            return None
        if closing == "}" and piece.count(first_key) > len(found):
            return None  # maybe a key that comes twice, of which a dict has only the last
        return found

    def _decode_each(self, piece: str, closing: str) -> Any:
        """The same where a row is not as it should be."""
        if closing == "]":
            raws = msgspec.json.decode(piece, type=list[msgspec.Raw])
            return [decode(raw, self._type) for raw in raws]
        members = msgspec.json.decode(piece, type=dict[str, msgspec.Raw])
        return {key: decode(raw, self._type) for key, raw in members.items()}


def _too_deep() -> Unusable:
    return Unusable(Reason.MALFORMED_ROW, "its values are nested too deeply")


def _unusable(error: msgspec.DecodeError) -> Unusable:
    """`label: expected str, got int`, from the words of msgspec."""
    message, _, place = str(error).replace("`", "").partition(" - at ")
    place = place.removeprefix("$").lstrip(".")
    if not isinstance(error, msgspec.ValidationError):
        message = f"not JSON: {message.removeprefix('JSON is malformed: ')}"
    message = message[:1].lower() + message[1:]
    return Unusable(Reason.MALFORMED_ROW, f"{place}: {message}" if place else message)
