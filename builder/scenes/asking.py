"""The forms a question can take; each returns a `DrawnQuestion` that keeps its promises."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any

from ..schema import AnswerType
from .scene import DrawnQuestion


def dice(description: dict[str, Any]) -> Random:
    """Chance that depends on the description alone."""
    return Random(json.dumps(description, sort_keys=True))


def near(value: int, rng: Random, step: int = 1, low: int = 0) -> list[str]:
    """Wrong integers close to `value`, none below `low`, in any order."""
    close = [value + k * step for k in (-3, -2, -1, 1, 2, 3)]
    return [str(v) for v in rng.sample(close, len(close)) if v >= low]


def choose(
    text: str,
    answer: str,
    wrong: Iterable[str],
    rationale: str | None = None,
    unit: str | None = None,
    size: int = 4,
) -> DrawnQuestion:
    """Multiple choice: the answer among the first `size - 1` distinct wrong ones, shuffled.

    The order follows from the question alone, so that the same scene always asks the same.
    """
    others = [w for w in dict.fromkeys(wrong) if w != answer][: size - 1]
    if len(others) < 2:
        raise ValueError(f"too few choices for {text!r}: {[answer, *others]}")
    choices = [answer, *others]
    Random("|".join((text, *choices))).shuffle(choices)
    return DrawnQuestion(text, answer, AnswerType.TEXT, tuple(choices), unit, None, rationale)


def integer(
    text: str, value: int, rationale: str | None = None, unit: str | None = None
) -> DrawnQuestion:
    return DrawnQuestion(text, str(value), AnswerType.INTEGER, unit=unit, rationale=rationale)


def decimal(
    text: str, value: float, precision: int, rationale: str | None = None, unit: str | None = None
) -> DrawnQuestion:
    """A number with exactly `precision` decimals; the text should name the rounding."""
    # Halves go up, as in school; f"{0.125:.2f}" would give 0.12.
    answer = str(Decimal(repr(value)).quantize(Decimal(1).scaleb(-precision), ROUND_HALF_UP))
    return DrawnQuestion(text, answer, AnswerType.FLOAT, (), unit, precision, rationale)


def listing(
    text: str,
    values: Sequence[int | float | str],
    rationale: str | None = None,
    unit: str | None = None,
) -> DrawnQuestion:
    answer = json.dumps(list(values))
    return DrawnQuestion(text, answer, AnswerType.LIST, unit=unit, rationale=rationale)


def yes_no(text: str, truth: bool, rationale: str | None = None) -> DrawnQuestion:
    answer = "Yes" if truth else "No"
    return DrawnQuestion(text, answer, AnswerType.YES_NO, rationale=rationale)


def choose_number(
    text: str, value: int, mistakes: Iterable[int], rationale: str | None = None, unit: str = ""
) -> DrawnQuestion:
    """Multiple choice between numbers: likely mistakes first, neighbours where they run out."""
    neighbours = (value + step for step in (2, -2, 3, 5, 1))
    wrong = [m for m in (*mistakes, *neighbours) if m > 0]
    gap = "" if unit in ("", "°") else " "
    return choose(text, f"{value}{gap}{unit}", (f"{m}{gap}{unit}" for m in wrong), rationale)


def exceeds(what: str, value: int, rationale: str | None = None, unit: str = "") -> DrawnQuestion:
    """Whether `what` ("the perimeter") is greater than a limit near its value: as often as not."""
    rng = Random(f"{what}|{value}")
    limit = max(1, value + rng.choice((-1, 1)) * rng.randint(1, max(2, value // 6)))
    if limit == value:
        limit += 1
    gap = "" if unit in ("", "°") else " "
    return yes_no(f"Is {what} greater than {limit}{gap}{unit}?", value > limit, rationale)
