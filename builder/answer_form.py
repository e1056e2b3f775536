"""What form an answer has: integer, float, list, yes or no, or text."""

from __future__ import annotations

import json
import re

from .schema import AnswerType

_INTEGER = re.compile(r"[+-]?(\d+|\d{1,3}(,\d{3})+)", re.ASCII)
_FLOAT = re.compile(r"[+-]?(\d+|\d{1,3}(,\d{3})+)?\.(\d+)", re.ASCII)


def answer_type(answer: str) -> AnswerType:
    """The type that the answer's text shows: `6,830` is an integer, `1/12` and `40%` are text."""
    if answer.casefold() in ("yes", "no"):
        return AnswerType.YES_NO
    if _INTEGER.fullmatch(answer):
        return AnswerType.INTEGER
    if _FLOAT.fullmatch(answer):
        return AnswerType.FLOAT
    return AnswerType.LIST if _is_list(answer) else AnswerType.TEXT


def decimals(answer: str) -> int | None:
    """Digits behind the point of a float's text, None where it is no float."""
    match = _FLOAT.fullmatch(answer)
    return len(match[3]) if match else None


def _is_list(answer: str) -> bool:
    if not (answer.startswith("[") and answer.endswith("]")):
        return False
    try:
        return isinstance(json.loads(answer), list)
    except (ValueError, RecursionError):
        return False
