"""Whether two questions about an image ask the same, or contradict each other."""

from __future__ import annotations

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


def contradict(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two questions say the same words in the same order, offer the same choices, and have
    different answers."""
    words = _content_words(one["question"])
    offered = [sorted(map(plain, row.get("choices") or ())) for row in (one, other)]
    if not words or words != _content_words(other["question"]) or offered[0] != offered[1]:
        return False
    return not same_answer(one["answer"], other["answer"])


def alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two questions about an image ask the same: nearly the same words, and all numbers
    and labels, with the same answer."""
    words, labels = _content(one["question"])
    other_words, other_labels = _content(other["question"])
    if labels != other_labels or not words | other_words:
        return False
    share = len(words & other_words) / len(words | other_words)
    return share >= _ALIKE and same_answer(one["answer"], other["answer"])


def _content_words(question: str) -> list[str]:
    return [w for w in plain(question).split() if w not in _EMPTY_WORDS]


def _content(question: str) -> tuple[frozenset[str], frozenset[str]]:
    words = _content_words(question)
    labels = {w for w in words if len(w) == 1 or any(c.isdigit() for c in w)}
    return frozenset(words), frozenset(labels)
