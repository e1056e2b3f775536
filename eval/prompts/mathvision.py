"""MATH-V's prompts, one per script in `models/` of mathllm/MATH-V at a1f5cc3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_BARE = list("ABCDE")
"""Options that are only their letters are in the picture, and not listed."""
_BOXED = (
    'and put your answer in one "\\boxed{}". If it is a multiple choice question, only one letter '
    'is allowed in the "\\boxed{}".'
)


def direct(row: Mapping[str, Any]) -> str:
    """Question, options, and the wish for a single word (`GPT4V.py`)."""
    wanted = "Answer the question using a single word or phrase."
    return f"{row['question']}\n{_options(row)}\n{wanted}"


def boxed(row: Mapping[str, Any]) -> str:
    """A boxed answer, steps or not (`GPT4V.py`)."""
    return f"Please solve the problem {_BOXED}\n{row['question']}\n{_options(row)}"


def cot(row: Mapping[str, Any]) -> str:
    """A boxed answer, step by step (`Qwen-VL.py`)."""
    return f"Please solve the problem step by step {_BOXED}\n{row['question']}\n{_options(row)}"


def gemini(row: Mapping[str, Any]) -> str:
    """A single letter, number or word, the options always listed (`Gemini.py`)."""
    wanted = "Answer the question using a single letter or number or word. \n"
    return f"{wanted}{row['question']}\n{_listed(row)}"


def _options(row: Mapping[str, Any]) -> str:
    return "" if list(row["options"]) == _BARE else _listed(row)


def _listed(row: Mapping[str, Any]) -> str:
    listed = enumerate(row["options"])
    return "".join(f"({chr(ord('A') + number)}) {text}\n" for number, text in listed)
