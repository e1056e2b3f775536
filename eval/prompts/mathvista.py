"""MathVista's prompts: of `data/query.json`, of `evaluation/build_query.py`, and for extraction.

They are those of lupantech/MathVista at 53d5258. Every released zero-shot output was made with the
form of `query.json`, and none with `build_query.py`, which comes to another text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import yaml

from ...errors import OutputError

_CODE_HINT = "Hint: Please generate a python code to solve the problem"
_CHOICE_HINT = "and provide the correct option letter, e.g., A, B, C, D, at the end."
_VALUE_HINTS = {
    ("integer", None): "requiring an integer answer and provide the final value, e.g., 1, 2, 3, "
    "at the end.",
    ("float", 1): "requiring a floating-point number with one decimal place and provide the final "
    "value, e.g., 1.2, 1.3, 1.4, at the end.",
    ("float", 2): "requiring a floating-point number with two decimal places and provide the final "
    "value, e.g., 1.23, 1.34, 1.45, at the end.",
    ("list", None): "requiring a Python list as an answer and provide the final list, e.g., "
    "[1, 2, 3], [1.2, 1.3, 1.4], at the end.",
}
Shots = Literal["solution", "code"]


def hint(row: Mapping[str, Any]) -> str:
    """What form of answer is wanted, in a line that begins with `Hint:`.

    `row` has `question_type`, `answer_type` and `precision`. Raises `OutputError` for an answer
    that MathVista has no hint for.
    """
    if row["question_type"] == "multi_choice":
        return f"Hint: Please answer the question {_CHOICE_HINT}"
    form = row["answer_type"]
    decimals = int(row["precision"] or 0) if form == "float" else None
    if (form, decimals) not in _VALUE_HINTS:
        raise OutputError(
            f"Item {row.get('pid')!r}: MathVista has no hint for answers of type {form} with "
            f"precision {row['precision']}."
        )
    return f"Hint: Please answer the question {_VALUE_HINTS[form, decimals]}"


def query(row: Mapping[str, Any]) -> str:
    """The prompt as in `query.json`: hint, question, choices."""
    return "\n".join([hint(row), _question(row), *_choices(row["choices"])]).strip()


def build_query(
    row: Mapping[str, Any],
    shots: int = 0,
    kind: Shots = "solution",
    *,
    caption: str = "",
    ocr: str = "",
    released: bool = False,
) -> str:
    """The prompt as `build_query.py` makes it, with so many of its demonstrations (at most 3).

    `caption` and `ocr` are given as they shall be shown, empty for none; the demonstrations then
    have theirs too. With `released` the second demonstration has the blank at the end of a line
    that it had when the released 2-shot outputs were made, and has lost since.
    """
    said = "Solution: " if kind == "solution" else "Python code: "
    parts = [_demonstration(d, kind, bool(caption), bool(ocr)) for d in _demonstrations()[:shots]]
    if released:
        parts = [part.replace("headquartered in Japan.\n", "headquartered in Japan. \n")
                 for part in parts]  # fmt: skip
    wanted = hint(row) if kind == "solution" else _CODE_HINT
    lines = [_question(row), *_choices(row["choices"]), *_seen(caption, ocr), wanted, said]
    return "\n\n".join([*parts, "\n".join(lines)]).strip()


def extraction(query: str, response: str) -> str:
    """What a model is asked that shall find the short answer in a response to `query`."""
    return f"{_extraction_demonstrations()}\n\n{query}\n\n{response}\n\nExtracted answer: "


def _question(row: Mapping[str, Any]) -> str:
    unit = row.get("unit")
    return f"Question: {row['question']}{f' (Unit: {unit})' if unit else ''}"


def _choices(choices: Sequence[str] | None) -> list[str]:
    if not choices:
        return []
    return ["Choices:", *(f"({chr(ord('A') + i)}) {choice}" for i, choice in enumerate(choices))]


def _seen(caption: str, ocr: str) -> list[str]:
    described = [f"Image description: {caption}"] if caption else []
    return [*described, f"Image detected text: {ocr}"] if ocr else described


def _demonstration(demo: Mapping[str, Any], kind: Shots, caption: bool, ocr: bool) -> str:
    seen = _seen(demo["caption"] if caption else "", demo.get("ocr", "") if ocr else "")
    said = "Solution: " if kind == "solution" else "Python code: "
    return "\n".join(
        [f"Question: {demo['question']}", *_choices(demo.get("choices")), *seen, said + demo[kind]]
    )


@cache
def _demonstrations() -> list[dict[str, Any]]:
    path = files(__package__ or "") / "mathvista_demonstrations.yaml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@cache
def _extraction_demonstrations() -> str:
    path = files(__package__ or "") / "mathvista_extraction.txt"
    return path.read_text(encoding="utf-8").strip()
