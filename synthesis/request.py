"""A request to a teacher, and the key by which its answer is found again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

import msgspec

from ..builder.recipe import TeacherChoice
from .prompts import Prompt, render_repair

_ENCODE = msgspec.json.Encoder(order="deterministic").encode


@dataclass(frozen=True, slots=True)
class Picture:
    """An image of a pool: what it is called, and where its bytes are."""

    image_id: str
    name: str
    offset: int
    size: int
    format: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Request:
    """One question to a teacher about one image, or about none.

    `key`, a sha256 (hex), covers all that decides the answer: model and parameters, prompt, image.
    """

    teacher: TeacherChoice
    prompt: Prompt
    values: Mapping[str, Any]
    """What the template is filled in with: JSON."""
    picture: Picture | None
    sample: int = 0
    """Told apart by it: requests that are equal otherwise, for independent answers."""
    mended: tuple[str, str] | None = None
    """An answer that was not of its form, and what was wrong with it."""
    key: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", sha256(self.content).hexdigest())

    @property
    def content(self) -> bytes:
        """All that decides the answer, as JSON: what `key` is the sha256 of."""
        return _ENCODE(
            [
                msgspec.Raw(self.teacher.settings),
                self.prompt.digest,
                self.values,
                self.image_id,
                self.sample,
                self.mended and self.mended[0],
            ]
        )

    @property
    def image_id(self) -> str:
        """Its image's, empty where it has none."""
        return self.picture.image_id if self.picture else ""

    @property
    def purpose(self) -> str:
        """The name of its prompt: a kind, `answer` or `label`."""
        return self.prompt.name

    @property
    def seed(self) -> int:
        """What the server is given to draw by."""
        return self.teacher.seed + self.sample

    def to_mend(self, answer: str, problem: str) -> Request:
        """The request that asks to give an answer again in its form."""
        return replace(self, mended=(answer[:4_000], problem[:400]))

    def texts(self) -> list[str]:
        """The turns of the conversation, the first with the image: teacher and model in turn."""
        if self.prompt.form is None:
            return [self.prompt.render(self.values)]
        form = self.prompt.form_text
        first = (
            f"{self.prompt.render(self.values).strip()}\n\n"
            f"Give one JSON object, and nothing else, that fits this JSON schema:\n{form}"
        )
        if self.mended is None:
            return [first]
        answer, problem = self.mended
        return [first, answer, render_repair(problem, form)]
