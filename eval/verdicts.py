"""What a rule says of answers, item by item, and what that adds up to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Categories = Mapping[str, str | Sequence[str]]
"""The values of an item by category; of one with several values it counts in each."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule read in a model's answer, and whether that is right."""

    item: str
    prediction: Any
    correct: bool
    fallback: str | None = None
    """How the rule decided where it found no answer, None where it found one."""
    categories: Categories = field(default_factory=dict)


def add_up(verdicts: Iterable[Verdict]) -> dict[str, Any]:
    """Correct and total, also by category and value, and how many a fallback decided."""
    every = list(verdicts)
    by: dict[str, dict[str, list[int]]] = {}
    for verdict in every:
        for category, values in verdict.categories.items():
            counts = by.setdefault(category, {})
            for value in [values] if isinstance(values, str) else values:
                pair = counts.setdefault(value, [0, 0])
                pair[0] += verdict.correct
                pair[1] += 1
    correct = sum(verdict.correct for verdict in every)
    return {
        "correct": correct,
        "total": len(every),
        "accuracy": correct / len(every) if every else 0.0,
        "by": {name: dict(sorted(counts.items())) for name, counts in sorted(by.items())},
        "fallbacks": sum(verdict.fallback is not None for verdict in every),
    }
