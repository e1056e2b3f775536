"""What is to be asked: the requests of a pool's new questions, in a stable order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from ..builder.pool import read_questions
from ..builder.recipe import Synthesis
from ..builder.schema import Kind, Task
from .demonstrations import Demonstrations, Example
from .kinds import QuestionKind
from .request import Picture, Request

SUBJECTS = {
    Task.FQA: "reading figures such as charts, plots and tables",
    Task.GPS: "geometry",
    Task.MWP: "word problems",
    Task.TQA: "science as in textbooks",
    Task.VQA: "counting, comparing and reasoning about what is seen",
}


@dataclass(frozen=True, slots=True)
class Original:
    """A question of the pool that others can be written from."""

    choices: tuple[str, ...]
    id: str
    source: str
    task: str
    context: str | None
    license: str
    question: str
    answer: str
    unit: str | None
    contamination: str | None


_ORIGINAL = tuple(field.name for field in fields(Original))


@dataclass(frozen=True, slots=True)
class Subject:
    """An image of the pool with its original questions."""

    row: int
    """Of the image in images.parquet."""
    picture: Picture
    source: str
    task: str
    context: str | None
    license: str
    originals: tuple[Original, ...]

    @property
    def contamination(self) -> str | None:
        """What the originals say of the image itself: a benchmark that shows it, too."""
        marks = (o.contamination for o in self.originals)
        return next((mark for mark in marks if mark and "(image" in mark), None)


@dataclass(frozen=True, slots=True)
class Planned:
    """A request, and what its answer will be."""

    request: Request
    kind: QuestionKind
    subject: Subject
    parent: Original | None


def read_subjects(pool: Path) -> list[Subject]:
    """All images of a pool, in its order."""
    pictures = read_pictures(pool)
    about = pq.read_table(
        pool / "images.parquet", columns=["source", "task", "context", "license"]
    ).to_pylist()
    originals: list[list[Original]] = [[] for _ in pictures]
    asked = ["image", "kind", *_ORIGINAL]
    questions = read_questions(pool, asked).select(asked)
    for batch in questions.to_batches(max_chunksize=8192):
        for image, kind, choices, *rest in zip(
            *(column.to_pylist() for column in batch.columns), strict=True
        ):
            if kind == Kind.ORIGINAL:
                originals[image].append(Original(tuple(choices or ()), *rest))
    return [
        Subject(number, picture, **facts, originals=tuple(those))
        for number, (picture, facts, those) in enumerate(
            zip(pictures, about, originals, strict=True)
        )
    ]


def read_pictures(pool: Path) -> list[Picture]:
    """Where the bytes of all images of a pool are, in its order."""
    columns = ["image_id", "name", "offset", "size", "format", "width", "height"]
    table = pq.read_table(pool / "images.parquet", columns=columns)
    return [Picture(**row) for row in table.to_pylist()]


def examples(subjects: Sequence[Subject]) -> Iterator[tuple[str, Example]]:
    """The pool's original questions as demonstrations, each with its task."""
    for subject in subjects:
        for o in subject.originals:
            yield o.task, Example(subject.picture.image_id, o.question, o.choices, o.answer)


def plan(
    subjects: Sequence[Subject],
    kinds: Sequence[QuestionKind],
    synthesis: Synthesis,
    shown: Demonstrations,
) -> Iterator[Planned]:
    """The requests of all images: about the image first, then about its chosen originals."""
    teacher = synthesis.teacher
    for subject in subjects:
        picture = subject.picture
        for kind in kinds:
            if kind.about == "image":
                slot = f"{teacher.seed}/{kind.name}/{picture.image_id}"
                values = _values(kind, subject.task, subject.context, picture.image_id, slot, shown)
                values["count"] = kind.count
                yield Planned(Request(teacher, kind.prompt, values, picture), kind, subject, None)
        for original in parents(subject, synthesis.parents, teacher.seed):
            for kind in kinds:
                if kind.about == "question":
                    slot = f"{teacher.seed}/{kind.name}/{original.id}"
                    context = original.context
                    values = _values(kind, original.task, context, picture.image_id, slot, shown)
                    values["question"] = original.question
                    values["choices"] = original.choices
                    values["answer"] = original.answer
                    request = Request(teacher, kind.prompt, values, picture)
                    yield Planned(request, kind, subject, original)


def _values(
    kind: QuestionKind,
    task: str,
    context: str | None,
    image_id: str,
    slot: str,
    shown: Demonstrations,
) -> dict[str, Any]:
    return {
        "subject": SUBJECTS.get(Task(task), task),
        "context": context,
        "demonstrations": shown.draw(task, kind.demonstrations, image_id, slot),
    }


def parents(subject: Subject, most: int | None, seed: int) -> list[Original]:
    """The originals of an image that others are written from: `most` of them, by a hash."""
    originals = list(subject.originals)
    if most is None or len(originals) <= most:
        return originals
    order = {o.id: sha256(f"parent {seed} {o.id}".encode()).digest() for o in originals}
    return sorted(originals, key=lambda o: order[o.id])[:most]
