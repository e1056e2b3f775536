"""Whether two questions about an image ask the same, or contradict each other."""

from __future__ import annotations

import re
from typing import Any

from ..builder.answers import same_answer
from .questions import plain

_EMPTY_WORDS = frozenset(
    plain(
        "a an and are as at by can do does find for from give given has have how in is it its many "
        "much of on or out please shown tell that the there this to what which who will with you"
    ).split()
)
_ALIKE = 0.8
"""Share of content words from which two questions with the same answer ask the same."""


_LABEL = re.compile(r"\b(?:[A-Z]{1,4}|\w*\d\w*)\b")


def contradict(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two questions say the same words in the same order, offer the same choices, and have
    different answers."""
    asked, offered = _content(one["question"]), sorted(map(plain, one.get("choices") or ()))
    same = asked == _content(other["question"])
    if not same or not asked[0] or offered != sorted(map(plain, other.get("choices") or ())):
        return False
    return not same_answer(one["answer"], other["answer"])


def alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two questions about an image ask the same: nearly the same words, all numbers and
    labels in the same order, and the same answer."""
    words, labels = _content(one["question"])
    other_words, other_labels = _content(other["question"])
    every = {*words, *other_words}
    if labels != other_labels or not every:
        return False
    share = len({*words} & {*other_words}) / len(every)
    return share >= _ALIKE and same_answer(one["answer"], other["answer"])


def _content(question: str) -> tuple[list[str], list[str]]:
    """The words that matter, and the numbers and labels (`A`, `ABC`, `x1`), in their order."""
    words = [w for w in plain(question).split() if w not in _EMPTY_WORDS]
    return words, _LABEL.findall(question)
