"""Reading JSON that nobody has vouched for, element by element, in bounded memory."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NoReturn, TypeVar

from ..errors import SourceError
from .archives import BROKEN

T = TypeVar("T")

READ_SIZE = 2**20
MAX_ELEMENT = 64 * 2**20
"""Characters of one element, which has to be held in memory as a whole."""

_MARGIN = 16
"""An error this close to the end of the window may only be a token that was cut in two: the
longest tokens that are not strings or numbers are a pair of `\\uXXXX` and `-Infinity`."""

_BLANK = re.compile(r"[ \t\n\r]*")
_STRING_OR_CONSTANT = re.compile(r'"(?:[^"\\]|\\.)*"|NaN|-?Infinity')
_REPAIR = "repair the file or download it again"


def stream(
    file: BinaryIO, name: str, key: str | None = None, *, read_size: int = READ_SIZE
) -> Iterator[tuple[int, str | int, Any]]:
    """Line, key or index from 0, and value of each element of the top-level array or object.

    With `key`, of the array or object that is this member of the top-level object. The line is
    the one where the element (in an object: its key) starts, from 1. Raises `SourceError`, with
    `name` and line, where the file is not JSON, is cut short, or lacks what was asked for.
    """
    yield from walk(Window(file, name, read_size), key, _elements)


def walk(window: Window, key: str | None, elements: Callable[[Window], Iterator[T]]) -> Iterator[T]:
    """What `elements` yields of the top-level value, or of its member `key`, to the file's end."""
    if key is None:
        yield from elements(window)
    else:
        yield from _elements_of(window, key, elements)
    window.finish()


def load(path: Path, name: str | None = None) -> Any:
    """The content of a small JSON file; raises `SourceError`, which calls it `name` if given."""
    name = name or str(path)
    try:
        file = path.open("rb")
    except OSError as error:
        raise SourceError(f"{name}: {error.strerror}; {_REPAIR}.") from None
    with file:
        window = Window(file, name, READ_SIZE)
        value = window.value()
        window.finish()
    return value


def _elements(window: Window) -> Iterator[tuple[int, str | int, Any]]:
    for line, key in _slots(window):
        yield line, key, window.value()


def _elements_of(
    window: Window, wanted: str, elements: Callable[[Window], Iterator[T]]
) -> Iterator[T]:
    if window.peek() != "{":
        window.fail(f'Expecting an object with "{wanted}"')
    found = False
    for _, key in _slots(window):
        if key == wanted and not found:
            found = True
            yield from elements(window)
        elif window.peek() in ("[", "{"):
            for _ in _slots(window):
                window.value()
        else:
            window.value()
    if not found:
        raise SourceError(f'{window.name}: "{wanted}" is not in the file; {_REPAIR}.')


def _slots(window: Window) -> Iterator[tuple[int, str | int]]:
    """Line and key or index of each element of the array or object where the window stands.

    After each, the window stands before the value, which the caller takes.
    """
    opening = window.peek()
    if opening not in ("[", "{"):
        window.fail("Expecting an array or an object")
    closing = "]" if opening == "[" else "}"
    window.skip()
    if window.peek() == closing:
        window.skip()
        return
    index = 0
    while True:
        window.peek()
        line = window.line()
        yield line, (index if closing == "]" else window.key())
        index += 1
        separator = window.peek()
        if separator not in (",", closing):
            window.fail("Expecting ',' delimiter")
        window.skip()
        if separator == closing:
            return


class _RefusedConstant(Exception):
    """NaN or Infinity, which Python reads but JSON does not have."""


def _refuse(constant: str) -> NoReturn:
    raise _RefusedConstant(constant)


_scan = json.JSONDecoder(parse_constant=_refuse).raw_decode
_scan_constants = json.JSONDecoder().raw_decode


class Window:
    """The part of a text file that is in memory, and a position in it.

    With `constants`, NaN and Infinity are passed over as if they were JSON.
    """

    def __init__(
        self, file: BinaryIO, name: str, read_size: int, *, constants: bool = False
    ) -> None:
        self.name = name
        self._scan = _scan_constants if constants else _scan
        self._file = file
        self._read_size = read_size
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._text = ""
        self._position = 0
        self._margin = 0
        self._ended = False
        # Newlines are counted up to `_counted`; `_line` starts at `_line_start`, which is negative
        # where that place has already left the window.
        self._counted = 0
        self._line = 1
        self._line_start = 0
        if not self.peek():
            raise SourceError(f"{name} is empty; download it again.")

    def peek(self) -> str:
        """The next character that is not blank, where the window then stands; "" at the end."""
        character = self._text[self._position : self._position + 1]
        while character <= " ":  # blank, or "" at the window's end
            blank = _BLANK.match(self._text, self._position)
            if blank is not None:
                self._position = blank.end()
            character = self._text[self._position : self._position + 1]
            if character or not self._read_on():
                break
        return character

    def skip(self) -> None:
        """Go past one character that `peek` has shown."""
        self._position += 1

    def ahead(self) -> tuple[str, int]:
        """The text that is in memory, and the position in it."""
        return self._text, self._position

    def jump(self, position: int) -> None:
        """Go on at this position of the text that is in memory."""
        self._position = position

    def line(self) -> int:
        """The line of the position, from 1."""
        self._count_lines(self._position)
        return self._line

    def key(self) -> str:
        """The key of an object's member; the window goes on to its value."""
        if self.peek() != '"':
            self.fail("Expecting property name enclosed in double quotes")
        key = self.value()
        if self.peek() != ":":
            self.fail("Expecting ':' delimiter")
        self.skip()
        self.peek()
        return key

    def value(self) -> Any:
        """The value that starts here, which is not blank."""
        return self.value_and_text()[0]

    def value_and_text(self) -> tuple[Any, str]:
        """The same, and how it is written in the file."""
        while True:
            try:
                value, end = self._scan(self._text, self._position)
            except json.JSONDecodeError as error:
                unfinished = error.msg.startswith("Unterminated string")
                if not (unfinished or error.pos >= self._margin) or not self._read_on():
                    self._fail_to_scan(error)
            except _RefusedConstant as error:
                self.fail(f"{error} is not JSON", self._find_constant())
            except RecursionError:
                self.fail("the nesting is too deep")
            except ValueError:  # the interpreter's limit, against quadratic cost
                self.fail("a number has too many digits")
            else:
                # What looks like the end of a number may be its middle.
                if end < self._margin or not self._read_on():
                    text = self._text[self._position : end]
                    self._position = end
                    return value, text

    def finish(self) -> None:
        """Nothing but blanks may follow."""
        if self.peek():
            self.fail("Extra data after the end")

    def fail(self, problem: str, position: int | None = None) -> NoReturn:
        """Raise `SourceError` for the place where the window stands, or for `position` in it."""
        if position is None:
            if not self.peek():
                problem = "the file ends too early"
            position = self._position
        self._count_lines(position)
        where = f"{self.name}, line {self._line}, column {position - self._line_start + 1}"
        raise SourceError(f"{where}: {problem}; {_REPAIR}.") from None

    def _fail_to_scan(self, error: json.JSONDecodeError) -> NoReturn:
        cut_short = error.msg.startswith("Unterminated string")
        if cut_short or not self._text[error.pos :].strip(" \t\n\r"):
            self.fail("the file ends too early", error.pos)
        self.fail(error.msg.rstrip(": ").removesuffix(" at"), error.pos)

    def _find_constant(self) -> int:
        for match in _STRING_OR_CONSTANT.finditer(self._text, self._position):
            if not match[0].startswith('"'):
                return match.start()
        return self._position

    def _count_lines(self, position: int) -> None:
        newlines = self._text.count("\n", self._counted, position)
        if newlines:
            self._line += newlines
            self._line_start = self._text.rindex("\n", self._counted, position) + 1
        self._counted = position

    def _read_on(self) -> bool:
        """Drop what is behind the position and read at least as much as is left; False at the end.

        Reading as much again keeps the cost linear where a long element is scanned repeatedly.
        """
        if self._ended:
            return False
        self._count_lines(self._position)
        rest = self._text[self._position :]
        if len(rest) >= MAX_ELEMENT:
            raise SourceError(
                f"{self.name}, line {self._line}: an element is longer than "
                f"{MAX_ELEMENT // 2**20} MiB; {_REPAIR}."
            )
        self._text = rest + self._decode(max(self._read_size, len(rest)))
        self._margin = len(self._text) - _MARGIN
        self._line_start -= self._position
        self._position = self._counted = 0
        return True

    def _decode(self, size: int) -> str:
        try:
            data = self._file.read(size)
            self._ended = not data
            return self._decoder.decode(data, final=self._ended)
        except UnicodeDecodeError as error:
            line = self._line + self._text.count("\n", self._position)
            line += error.object[: error.start].count(b"\n")
            raise SourceError(f"{self.name}, line {line}: not UTF-8; {_REPAIR}.") from None
        except BROKEN as error:
            problem = error.strerror if isinstance(error, OSError) else None
            raise SourceError(f"{self.name}: {problem or error}; {_REPAIR}.") from None
