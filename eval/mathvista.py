"""MathVista (arXiv 2310.02255): its prompts, and its scorer, rule by rule.

Rules are those of lupantech/MathVista at 53d5258, `evaluation/extract_answer.py` and
`evaluation/calculate_score.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from rapidfuzz.distance import Levenshtein

from .verdicts import Verdict

Rules = Literal["head", "released"]
"""`head` is the published scorer. `released`: most score files that were published beside outputs
take integers by `int(x)`, so that `18.0` is none."""

CATEGORIES = (
    "question_type", "answer_type", "language", "source", "category", "task", "context", "grade",
    "skills",
)  # fmt: skip
NEAREST_CHOICE = "nearest choice"

_LETTER = re.compile(r"\(([a-zA-Z])\)")


def judge(record: Mapping[str, Any], rules: Rules = "head") -> Verdict:
    """The official verdict on a record of an output file, by its field `extraction`.

    A missing extraction is an empty one; `prediction` and `true_false` are not read.
    """
    prediction, nearest = normalize(
        record.get("extraction", ""),
        record["choices"],
        record["question_type"],
        record["answer_type"],
        record["precision"],
        rules,
    )
    return Verdict(
        record["pid"],
        prediction,
        prediction == record["answer"],
        NEAREST_CHOICE if nearest else None,
        _categories(record),
    )


def normalize(
    extraction: str | None,
    choices: Sequence[str] | None,
    question_type: str,
    answer_type: str,
    precision: float | None,
    rules: Rules = "head",
) -> tuple[str | None, bool]:
    """The extraction as golds are written, None for none; is it just the nearest choice?

    Of choices it is the one with the first letter in round brackets, the one whose letter is all of
    it, or, whatever it says, the one with the smallest edit distance, the first of several.
    """
    if question_type == "multi_choice":
        return _choice(str(extraction), choices or ())
    try:
        if answer_type == "integer":
            number = float(extraction) if rules == "head" else extraction  # pyright: ignore
            return str(int(number)), False  # pyright: ignore
        if answer_type == "float":
            return str(round(float(extraction), int(precision))), False  # pyright: ignore
        return str(extraction), False
    except (ValueError, TypeError, OverflowError):
        return None, False


def _choice(extraction: str, choices: Sequence[str]) -> tuple[str | None, bool]:
    extraction = extraction.strip()
    if letter := _LETTER.search(extraction):
        extraction = letter[1].upper()
    if len(extraction) == 1 and 0 <= (place := ord(extraction) - 65) < len(choices):
        return choices[place], False
    distances = [Levenshtein.distance(extraction, choice) for choice in choices]
    if not distances:
        return None, False
    return choices[distances.index(min(distances))], extraction not in choices


def choices_shown(query: str) -> list[str] | None:
    """The choices that a model was shown in its prompt, None where there were none."""
    _, listed, rest = query.rpartition("\nChoices:\n")
    found: list[str] = []
    for line in rest.split("\n") if listed else ():
        if not line.startswith(f"({chr(ord('A') + len(found))}) "):
            break
        found.append(line[4:])
    return found or None


def _categories(record: Mapping[str, Any]) -> dict[str, str | Sequence[str]]:
    """From the record itself: the tags of older outputs are not those of today."""
    values = {**record["metadata"], **record}
    return {name: values[name] for name in CATEGORIES if values.get(name) is not None}
