"""The kinds of questions a teacher writes: what each is about, its prompt, and what must hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from ..builder.recipe import KindChoice, Synthesis
from ..builder.schema import Kind
from ..errors import UsageError
from .forms import Reworded, Written, WrittenSeveral
from .prompts import Prompt, built_in_text


@dataclass(frozen=True, slots=True)
class QuestionKind:
    """How questions of one kind are asked for, and what is checked of them.

    Its template is filled in with `subject`, `context` and `demonstrations`, about an image also
    with `count`, about a question with `question`, `choices` and `answer`.
    """

    name: str
    prompt: Prompt
    about: Literal["image", "question"]
    """Written from the image alone, or from an original question about it."""
    answer: Literal["new", "same"]
    """Whether the answer is the teacher's, or stays that of the original."""
    count: int
    """Questions per request."""
    demonstrations: int
    shorter: bool = False
    """Whether it must be shorter than the original."""


_BUILT_IN: Mapping[str, tuple[KindChoice, bool]] = {
    Kind.ASK_IMAGE: (KindChoice(about="image", answer="new", count=5, demonstrations=4), False),
    Kind.COMPLEX: (KindChoice(about="question", answer="new", demonstrations=3), False),
    Kind.REPHRASE: (KindChoice(about="question", answer="same"), False),
    Kind.SIMPLIFY: (KindChoice(about="question", answer="same"), True),
}
"""The four of Math-LLaVA (arXiv 2406.17294, section 3.2), and whether they get shorter."""


def question_kinds(synthesis: Synthesis) -> list[QuestionKind]:
    """The kinds of a recipe, in its order; raises `UsageError` where one is not declared whole."""
    return [_question_kind(name, choice) for name, choice in synthesis.kinds.items()]


def _question_kind(name: str, choice: KindChoice) -> QuestionKind:
    known, shorter = _BUILT_IN.get(name, (KindChoice(), False))
    said = {**known.model_dump(exclude_none=True), **choice.model_dump(exclude_none=True)}
    if name in (Kind.ORIGINAL, Kind.SYNTHETIC):
        raise UsageError(f"Kind {name} is not written by a teacher; choose another name.")
    text = said.get("prompt") or (built_in_text(name) if name in _BUILT_IN else None)
    missing = [n for n in ("about", "answer") if n not in said]
    if text is None or missing:
        what = "prompt" if text is None else missing[0]
        raise UsageError(f"Kind {name} needs {what}: its template, what it is about, its answer.")
    about, answer = said["about"], said["answer"]
    if about == "image" and answer == "same":
        raise UsageError(f"Kind {name} is about images, so its answers are new.")
    if about == "question" and said.get("count", 1) != 1:
        raise UsageError(f"Kind {name} is about questions: one is written from each.")
    form = WrittenSeveral if about == "image" else Written if answer == "new" else Reworded
    prompt = Prompt(name, text, form)
    prompt.render(example_values(about))  # a wrong template is told before anything is paid for
    return QuestionKind(
        name,
        prompt,
        about,
        answer,
        said.get("count", 1),
        said.get("demonstrations", 0),
        shorter,
    )


def example_values(about: Literal["image", "question"]) -> dict[str, Any]:
    """Values of the names that a template of such a kind may use."""
    values: dict[str, Any] = {
        "subject": "geometry",
        "context": "diagram",
        "demonstrations": [{"question": "Find x.", "choices": ["1", "2"], "answer": "2"}],
    }
    if about == "image":
        return {**values, "count": 1}
    return {**values, "question": "Find x.", "choices": ["1", "2"], "answer": "1"}
