"""TQA: multiple-choice questions about the diagrams of science textbooks (CK-12)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import msgspec

from ..schema import Task, Unusable
from .files import Files
from .rows import Row, choice_of_letter, convert, decode, json_file, split_files
from .source import Candidate, ReadOptions, Rejection, Source, Split

_FILES: dict[Split, tuple[str]] = {
    "train": ("train/tqa_v1_train.json",),
    "validation": ("val/tqa_v1_val.json",),
}


class _Text(msgspec.Struct):
    processedText: str


class _Question(msgspec.Struct):
    imagePath: str
    beingAsked: _Text
    answerChoices: dict[str, _Text]
    correctAnswer: _Text


class _Questions(msgspec.Struct):
    """Questions that are not about a diagram are about the lesson's text, which is not read."""

    diagramQuestions: dict[str, msgspec.Raw]


class _Lesson(msgspec.Struct):
    questions: _Questions


def read(files: Files, options: ReadOptions) -> Iterator[Candidate | Rejection]:
    files = files.inside("tqa_train_val_test")
    for (name,) in split_files(SOURCE, files, _FILES, options.splits).values():
        rows = _questions(json_file(files, name, _Lesson))
        yield from convert(rows, partial(_candidate, files, name.split("/")[0]))


def _questions(lessons: Iterator[Row[_Lesson]]) -> Iterator[Row[_Question]]:
    for where, index, lesson in lessons:
        if isinstance(lesson, Unusable):
            yield where, index, lesson
            continue
        for name, raw in lesson.questions.diagramQuestions.items():
            yield f"{where}, {name}", name, decode(raw, _Question)


def _candidate(files: Files, split: str, where: str, _: int | str, row: _Question) -> Candidate:
    image = f"{split}/{row.imagePath}"
    letters = sorted(row.answerChoices)
    choices = [row.answerChoices[letter].processedText for letter in letters]
    index = choice_of_letter(row.correctAnswer.processedText.strip(), choices)
    return Candidate(
        row=where,
        image=image,
        load=files.image(image),
        question=row.beingAsked.processedText,
        answer=choices[index],
        choices=choices,
        answer_index=index,
    )


SOURCE = Source(
    name="TQA",
    task=Task.TQA,
    context="scientific figure",
    license="CC BY-NC 3.0 (another page says CC BY-SA)",
    rehost="yes",
    terms="Not for commercial use, with attribution of CK-12; another page says CC BY-SA.",
    homepage="https://prior.allenai.org/projects/tqa",
    citation="Kembhavi et al., Are You Smarter Than a Sixth Grader? Textbook Question Answering "
    "for Multimodal Machine Comprehension, CVPR 2017",
    obtain="Unpack https://ai2-public-datasets.s3.amazonaws.com/tqa/tqa_train_val_test.zip; it "
    "becomes `TQA/tqa_train_val_test/`.",
    files=(
        "tqa_train_val_test/train/tqa_v1_train.json",
        "tqa_train_val_test/train/question_images/*.png",
    ),
    read=read,
)
