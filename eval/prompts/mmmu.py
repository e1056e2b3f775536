"""MMMU's prompts, as its templates are after YAML has folded their lines (blank lines become one
line break), and those of Math-LLaVA (HZQ950419/Math-LLaVA at 3480ba7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def direct(row: Mapping[str, Any]) -> str:
    """The template of LLaVA-1.5, MMMU at bb0b95a, `mmmu/configs/llava1.5.yaml`."""
    if row["options"]:
        wanted = "Answer with the option's letter from the given choices directly."
        return f"{row['question']}\n{_options(row)}\n{wanted}"
    return f"{row['question']}\nAnswer the question using a single word or phrase."


def math_llava(row: Mapping[str, Any]) -> str:
    """The template that Math-LLaVA was evaluated with: the hint first, as it was trained."""
    if row["options"]:
        wanted = "provide the correct option letter, e.g., A, B, C, D, at the end."
        return f"Hint: Please answer the question and {wanted}\n{row['question']}\n{_options(row)}"
    return (
        "Hint: Please answer the question and provide the final answer at the end.\n"
        f"{row['question']}"
    )


def _options(row: Mapping[str, Any]) -> str:
    listed = enumerate(row["options"])
    return "".join(f"({chr(ord('A') + number)}) {text}\n" for number, text in listed)
