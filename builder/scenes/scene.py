"""What a drawn picture shows, and what is true about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from PIL import Image

from ..schema import AnswerType, Task


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture before it is drawn.

    `description` is plain JSON (dicts, lists, strings, numbers, booleans); drawing and questions
    are functions of it alone. `objects` and `relations` count what a reader has to take in: the
    marks, labels and things, and the links or comparisons between them.
    """

    description: dict[str, Any]
    objects: int
    relations: int

    @property
    def complexity(self) -> int:
        """Comprehension complexity 0 (simple) .. 3 (complex) by what there is to take in."""
        load = self.objects + self.relations
        return sum(load > limit for limit in (5, 10, 17))


@dataclass(frozen=True, slots=True)
class DrawnQuestion:
    """A question about a scene with its true answer.

    With `choices`, `answer` is one of them word for word, and the choices are distinct. An
    `integer` answer is digits with an optional minus, a `float` has exactly `precision` decimals,
    a `list` is a JSON list, a `yes_no` is `Yes` or `No`.
    """

    text: str
    answer: str
    answer_type: AnswerType
    choices: tuple[str, ...] = ()
    unit: str | None = None
    precision: int | None = None
    rationale: str | None = None


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of picture: how to invent one, draw it and ask about it.

    `invent(rng, level)` describes a scene whose `complexity` tends to `level` (0..3);
    `draw(description)` gives an opaque RGB image; `questions(description)` gives all questions that
    can be asked, at least six, each true and answerable from the picture alone.
    """

    name: str
    task: Task
    context: str
    invent: Callable[[Random, int], Scene]
    draw: Callable[[dict[str, Any]], Image.Image]
    questions: Callable[[dict[str, Any]], list[DrawnQuestion]]
