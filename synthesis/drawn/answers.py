"""Answers to questions about drawn pictures: their numbers, and which choice one is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from ...builder.answers import same_answer

NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def leading(text: str) -> Decimal | str:
    """The number with which a text begins, or the text."""
    match = NUMBER.match(text)
    return Decimal(match[0]) if match else text.casefold()


def as_choice(answer: str, choices: Sequence[str]) -> str:
    """The answer as it stands among the choices, if it is there.

    Unlike `find_choice` it takes no letter for a choice: many pictures ask for a letter.
    """
    for like in (str.__eq__, same_answer, lambda a, b: leading(a) == leading(b)):
        found = [choice for choice in choices if like(choice, answer)]
        if len(found) == 1:
            return found[0]
    return answer
