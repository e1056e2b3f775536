"""MathVerse's prompts: for the question, for extraction (step 1) and for judgement (step 2).

They are those of ZrrSkywalker/MathVerse at 937b090, `evaluation/prompts.py` and the data's fields
`query_wo` and `query_cot`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

_WANTED = {
    "multi-choice": "provide the correct option letter, e.g., A, B, C, D",
    "free-form": "provide the final value, e.g., 1, 2.5, 300",
}


def query_wo(row: Mapping[str, Any]) -> str:
    """The prompt for an answer without reasoning, from `question` and `question_type`."""
    wanted = _WANTED[row["question_type"]]
    return f"Please directly answer the question and {wanted}.\nQuestion: {row['question']}"


def query_cot(row: Mapping[str, Any]) -> str:
    """The prompt for reasoning first."""
    return (
        "Please first conduct reasoning, and then answer the question and "
        f"{_WANTED[row['question_type']]}, at the end.\nQuestion: {row['question']}"
    )


def truncated(response: str, words: int = -1) -> str:
    """The last so many words of a response, as `--trunk_response` cuts it; all of it without."""
    return response if words <= 0 else " ".join(response.split(" ")[-words:])


def extraction(response: str) -> str:
    """What a model is asked that shall find the short answer in a response."""
    return f"{_text('extraction')}\n\nModel response: '{response}'\nExtracted Answer: "


def judgement(question: str, answer: str, extracted: str) -> str:
    """What a model is asked that shall say whether an extraction is the gold answer: 0 or 1."""
    return (
        f"{_text('judgement')}\n\n[Question]: {question}\n[Standard Answer]: {answer}\n"
        f"[Model_answer] : {extracted}\nJudgement:"
    )


@cache
def _text(name: str) -> str:
    path = files(__package__ or "") / f"mathverse_{name}.txt"
    return path.read_text(encoding="utf-8").strip()
