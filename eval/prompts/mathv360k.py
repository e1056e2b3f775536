"""The prompt in which MathV360K was released and Math-LLaVA trained: the hint first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .mathvista import query

_FREE_HINT = "Hint: Please answer the question and provide the final answer at the end."


def hint_first(row: Mapping[str, Any]) -> str:
    """Hint, question and choices, without the image's mark.

    `row` has `question`, `choices`, `unit`, `question_type`, `answer_type` and `precision` as a
    row of MathV360K. The release has MathVista's hints, and one of its own where these do not fit.
    """
    choices: Sequence[str] = row["choices"] or ()
    if choices or row["answer_type"] in ("integer", "list"):
        return query(row)
    if row["answer_type"] == "float" and row["precision"] in (1, 2):
        return query(row)
    return f"{_FREE_HINT}\n{plain(row)}"


def plain(row: Mapping[str, Any]) -> str:
    """Question and choices without a hint."""
    unit = f" (Unit: {row['unit']})" if row.get("unit") else ""
    lines = [f"Question: {row['question']}{unit}"]
    if row["choices"]:
        lines += ["Choices:"]
        lines += [f"({chr(ord('A') + i)}) {choice}" for i, choice in enumerate(row["choices"])]
    return "\n".join(lines)
