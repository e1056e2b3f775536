"""The embedded source: pictures drawn from scene descriptions, with questions that are true.

Everything follows from the seed and the picture's number, which its name carries: the scene behind
a name can be had again at any time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from ...errors import UsageError
from ..images import encode_png
from .files import Files
from .source import Candidate, ReadOptions, Rejection, Source

if TYPE_CHECKING:  # the scenes are many modules, which no other source needs
    from ..scenes.scene import DrawnQuestion, Family, Scene

IMAGES = 300
"""How many pictures are drawn where the recipe does not say."""
QUESTIONS = 3
"""Original questions of each picture; what else can be asked is left to the drawn teacher."""
FLAWED = 0.15
"""Share of pictures with a flaw that makes them unclear."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """One picture of the drawn source: its scene, its flaw if any, and its original questions."""

    name: str
    family: Family
    scene: Scene
    flaw: str | None
    originals: tuple[DrawnQuestion, ...]


def read(_: Files | None, options: ReadOptions) -> Iterator[Candidate | Rejection]:
    """Questions about `options.limit` pictures; there are no files to read."""
    for number in range(options.limit or IMAGES):
        drawn = invent(options.seed, number)
        for place, asked in enumerate(drawn.originals):
            yield Candidate(
                row=f"{drawn.name}, question {place}",
                image=drawn.name,
                load=partial(draw, drawn.name),
                question=asked.text,
                answer=asked.answer,
                choices=asked.choices,
                answer_type=asked.answer_type,
                unit=asked.unit,
                precision=asked.precision,
                rationale=asked.rationale,
                context=drawn.family.context,
                task=drawn.family.task,
                clarity=0.0 if drawn.flaw else 1.0,
                complexity=drawn.scene.complexity,
            )


@lru_cache(maxsize=256)
def invent(seed: int, number: int) -> Drawn:
    """Picture `number` of `seed`: the families take turns, levels and flaws are drawn by lot."""
    from ..scenes import FAMILIES
    from ..scenes.flaws import FLAWS

    family = FAMILIES[number % len(FAMILIES)]
    rng = Random(f"mathv360k drawn {seed} {number}")
    scene = family.invent(rng, rng.randrange(4))
    flaw = rng.choice(sorted(FLAWS)) if rng.random() < FLAWED else None
    asked = family.questions(scene.description)
    places = sorted(rng.sample(range(len(asked)), min(QUESTIONS, len(asked))))
    name = f"{family.name.replace(' ', '-')}/{seed}-{number:06d}.png"
    return Drawn(name, family, scene, flaw, tuple(asked[place] for place in places))


def recall(name: str) -> Drawn:
    """The picture of that name; raises `UsageError` where none has it."""
    try:
        seed, number = Path(name).stem.split("-")
        drawn = invent(int(seed), int(number))
    except ValueError:
        raise UsageError(f"{name!r} is not the name of a drawn picture.") from None
    if drawn.name != name:
        raise UsageError(f"{name!r} is not the name of a drawn picture.")
    return drawn


def draw(name: str) -> bytes:
    """The PNG of the picture of that name."""
    from ..scenes.flaws import FLAWS

    drawn = recall(name)
    image = drawn.family.draw(drawn.scene.description)
    if drawn.flaw:
        image = FLAWS[drawn.flaw](image, Random(f"mathv360k flaw {name}"))
    return encode_png(image)


SOURCE = Source(
    name="drawn",
    task=None,
    context=None,
    license="CC0-1.0",
    rehost="yes",
    terms="None: dedicated to the public domain.",
    homepage="",
    citation="Drawn by mathv360k from scene descriptions.",
    obtain="Nothing to download: drawn on the spot.",
    files=(),
    read=read,
)
