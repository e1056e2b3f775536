"""Which questions about an image are taken, how each is asked, and what is to be said to it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal

from ..eval.prompts.mathv360k import hint_first, plain

Prompt = Literal["hint_first", "plain"]
PROMPTS: dict[str, Callable[[Mapping[str, Any]], str]] = {"hint_first": hint_first, "plain": plain}


def answer_of(question: Mapping[str, Any], prompt: Prompt = "hint_first") -> str:
    """What the model shall say: the letter of a choice, else the answer's text without its unit.

    After a hint as MathV360K was released, `The answer is B`; without one the bare answer.
    """
    answer = question["answer_letter"] or question["answer"]
    return f"The answer is {answer}" if prompt == "hint_first" else answer


def is_kept(
    question: Mapping[str, Any],
    *,
    kind: Collection[str] | None = None,
    min_agreement: float | None = None,
    exclude_contaminated: bool = False,
) -> bool:
    """Whether a question passes the filters of questions, as `load` applies them."""
    agreement = question["agreement"]
    return (
        (kind is None or question["kind"] in kind)
        and (min_agreement is None or (agreement is not None and agreement >= min_agreement))
        and not (exclude_contaminated and question["contamination"] is not None)
    )
