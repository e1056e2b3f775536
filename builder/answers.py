"""Whether two answers say the same: choices, numbers, lists, yes and no, text."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from .expressions import DEEPEST, same_expression
from .quantities import read_quantity, same_quantity
from .spelling import LONGEST, Spelled, closes, spelled

_MOST_ELEMENTS = 20
"""Elements beyond which those of lists are not compared as mathematics."""


def same_answer(one: str, other: str, choices: Sequence[str] = (), unit: str | None = None) -> bool:
    """Whether `other` says what `one` says; an empty answer says nothing and is never the same."""
    if not one.strip() or not other.strip():
        return False
    if choices:
        named = find_choice(one, choices, unit)
        return named is not None and named == find_choice(other, choices, unit)
    return _same(spelled(one), spelled(other), unit)


def find_choice(answer: str, choices: Sequence[str], unit: str | None = None) -> int | None:
    """Index of the choice an answer names, by its text or its letter; None for none or several."""
    if not answer.strip():
        return None
    if named := _by_text(answer, choices):
        return _only(named)
    plain = spelled(answer).plain
    if letter := _LETTER.fullmatch(plain):
        return _by_letter(letter[1], choices)
    if both := _LETTER_AND_TEXT.fullmatch(plain):
        index = _by_letter(both[1] or both[2], choices)
        rest = _by_value(both[3], choices, unit)
        if index is not None and rest:
            return index if index in rest else None
    return _only(_by_value(answer, choices, unit))


def final_answer(text: str) -> str:
    """The answer in a free model text: boxed, tagged, announced by words, or all of the text."""
    text = _spoken(text)
    boxed = _last_boxed(text)
    if boxed:
        return boxed
    tagged = [said.strip() for said in _TAGGED.findall(text)]
    if tagged and tagged[-1]:
        return tagged[-1]
    if announced := list(_ANNOUNCED.finditer(text)):
        line = text[announced[-1].end() :].lstrip(" \t\r\n*:").partition("\n")[0]
        said = _NEXT_SENTENCE.split(line, maxsplit=1)[0].strip().strip("*").strip()
        said = said if said.endswith("..") else said.removesuffix(".").strip("*").strip()
        if said:
            return said
    return text.strip()


_TAGGED = re.compile(r"<answer>((?:(?!<answer>).)*?)</answer>", re.DOTALL | re.IGNORECASE)
_ANNOUNCED = re.compile(r"\banswer(?:\s+is\b|\s?:|\*\*\s?:)", re.IGNORECASE)
_NEXT_SENTENCE = re.compile(
    r"[.!]\s+(?=(?:I|It|This|That|The|Because|Since|So|Thus|Therefore|Hence|Note|We)\b)"
)
_BRACES = re.compile(r"\\(?:boxed|fbox)\s*\{|\\.|[{}]", re.DOTALL)


def _spoken(text: str) -> str:
    """The text without its thoughts; an opening tag may be missing, a closing one as well."""
    before, closed, after = text.rpartition("</think>")
    if closed:
        text = before.partition("<think>")[0] + after if "<think>" in before else after
    return text.partition("<think>")[0]


def _last_boxed(text: str) -> str:
    """What stands in the last box that is closed and not empty, empty without one."""
    found, last, opened = "", -1, list[tuple[int, int]]()
    for brace in _BRACES.finditer(text):
        word = brace[0]
        if word == "{" or len(word) > 2:
            opened.append((brace.start() if len(word) > 2 else -1, brace.end()))
        elif word == "}" and opened:
            box, start = opened.pop()
            if box > last and (inside := text[start : brace.start()].strip()):
                found, last = inside, box
    return found


_LETTER = re.compile(
    r"(?:(?:option|choice|answer)\s?:?\s?)?[(\[]?([a-z])[)\]]?[.:]?", re.IGNORECASE
)
_LETTER_AND_TEXT = re.compile(
    r"(?:(?:option|choice|answer)\s?:?\s?)?(?:[(\[]([a-z])[)\]]|([a-z])[.:)])[.:]?\s?(.+)",
    re.IGNORECASE,
)


def _only(named: list[int]) -> int | None:
    return named[0] if len(named) == 1 else None


def _by_text(answer: str, choices: Sequence[str]) -> list[int]:
    exact = [i for i, choice in enumerate(choices) if choice == answer]
    if exact:
        return exact
    key = spelled(answer).key
    return [i for i, choice in enumerate(choices) if choice.strip() and spelled(choice).key == key]


def _by_letter(letter: str, choices: Sequence[str]) -> int | None:
    if named := _by_text(letter, choices):
        return _only(named)
    index = ord(letter.upper()) - ord("A")
    return index if index < len(choices) else None


def _by_value(answer: str, choices: Sequence[str], unit: str | None) -> list[int]:
    one = spelled(answer)
    return _by_text(answer, choices) or [
        i for i, c in enumerate(choices) if c.strip() and _same(one, spelled(c), unit)
    ]


_YES, _NO = frozenset(("yes", "true", "correct")), frozenset(("no", "false", "incorrect"))
_NAMED = re.compile(
    r"(?P<name>(?:m ?)?(?:∠ ?)?[^\W\d_][A-Za-z0-9_']{0,11}|) ?(?:=|≈) ?(?P<rest>[^=≈<>≤≥]+)"
)


def _same(
    one: Spelled, other: Spelled, unit: str | None, depth: int = 0, math: bool = True
) -> bool:
    if one.key == other.key:
        return True
    if depth > DEEPEST or max(len(one.plain), len(other.plain)) > LONGEST:
        return False
    for words in (_YES, _NO):
        if one.key in words and other.key in words:
            return not {"yes", "no"}.isdisjoint((one.key, other.key))
    first, second = read_quantity(one.plain, unit), read_quantity(other.plain, unit)
    if first and second:
        return same_quantity(first, second)
    if rests := _without_name(one.plain, other.plain):
        return _same(spelled(rests[0]), spelled(rests[1]), unit, depth + 1, math)
    if not _in_any_order(one.plain) and not _in_any_order(other.plain):
        left, right = _elements(one.plain), _elements(other.plain)
        if left or right:
            left, right = left or _Elements("", [one.plain]), right or _Elements("", [other.plain])
            return _same_list(left, right, unit, depth, math)
    return math and same_expression((one.plain, first), (other.plain, second), unit)


def _without_name(one: str, other: str) -> tuple[str, str] | None:
    """What `x = 5` says beside `5` or `x = 6`: the right sides; None where no name goes off."""
    named = _NAMED.fullmatch(one), _NAMED.fullmatch(other)
    first, second = (match["name"].replace(" ", "") if match else None for match in named)
    if (first is None and second is None) or (first and second and first != second):
        return None
    if None in (first, second) and any(c in one and c in other for c in "=≈"):
        return None
    left, right = (m["rest"] if m else t for m, t in zip(named, (one, other), strict=True))
    return left, right


class _Elements(NamedTuple):
    bracket: str
    elements: list[str]


_AND = re.compile(r" (?:and|&) ", re.IGNORECASE)
_LAST_AND = re.compile(r"(?:and|&) ", re.IGNORECASE)
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?:,\d{3})*(?!\d))", re.ASCII)


@lru_cache(maxsize=1 << 12)
def _elements(plain: str) -> _Elements | None:
    """The elements of a list in brackets or without, None for what is no list."""
    bracket = plain[0] if plain[0] in "[(" and plain[-1] in ")]" and closes(plain) else ""
    if bracket and bracket + plain[-1] not in ("[]", "()"):  # an interval
        return None
    inside = plain[1:-1].strip() if bracket else plain
    if bracket == "[" and '"' in inside and (quoted := _json(plain)):
        return _Elements(bracket, quoted)
    if ";" in inside:
        elements = _split(inside, ";", set())
    else:
        spaced = not bracket or ", " in inside
        kept = {comma.start() for comma in _THOUSANDS.finditer(inside)} if spaced else set()
        elements = _split(inside, ",", kept)
        if len(elements) > 1:
            elements[-1] = _LAST_AND.sub("", elements[-1], count=1)
        if not bracket and len(elements) <= 2:
            elements = [part.strip() for e in elements for part in _AND.split(e)]
    if not all(elements) or (len(elements) < 2 and bracket != "["):
        return None
    return _Elements(bracket, elements)


def _json(text: str) -> list[str] | None:
    try:
        said = json.loads(text, parse_float=str, parse_int=str)
    except (ValueError, RecursionError):
        return None
    return said if all(isinstance(e, str) and e.strip() for e in said) else None


def _split(text: str, mark: str, kept: set[int]) -> list[str]:
    """The parts of a text between marks outside brackets."""
    parts, start, depth = list[str](), 0, 0
    for position, character in enumerate(text):
        depth += (character in "([{") - (character in ")]}")
        if character == mark and depth == 0 and position not in kept:
            parts.append(text[start:position].strip())
            start = position + 1
    return [*parts, text[start:].strip()]


def _in_any_order(plain: str) -> bool:
    return plain.startswith(("{", "\\{")) or "±" in plain


def _same_list(one: _Elements, other: _Elements, unit: str | None, depth: int, math: bool) -> bool:
    if len(one.elements) != len(other.elements):
        return False
    if one.bracket and other.bracket and one.bracket != other.bracket:
        return False
    math = math and len(one.elements) <= _MOST_ELEMENTS
    return all(
        _same(spelled(a), spelled(b), unit, depth + 1, math)
        for a, b in zip(one.elements, other.elements, strict=True)
    )
