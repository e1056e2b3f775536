"""Questions and annotations in two files, joined on `question_id`, as VQA releases have them."""

from __future__ import annotations

from collections.abc import Iterator
from sys import intern

import msgspec

from ..schema import AnswerType, Reason, Unusable
from .files import Files
from .rows import Row, json_file, plurality


class Question(msgspec.Struct):
    image_id: int
    question_id: int
    question: str


class _Given(msgspec.Struct):
    answer: str


class _Annotation(msgspec.Struct):
    question_id: int
    image_id: int
    multiple_choice_answer: str | None = None
    answers: list[_Given] = []


def answered_questions(
    files: Files, questions: str, annotations: str
) -> Iterator[Row[tuple[Question, str]]]:
    """Each question with its answer, in the order of the questions' file.

    The answer is `multiple_choice_answer`, the authors' choice among the most frequent of ten,
    which no simple rule reproduces where several are as frequent; without it the plurality.
    """
    answers: dict[int, tuple[int, str]] = {}
    twice = Unusable(Reason.DUPLICATE_ID, "its question has another annotation before")
    for where, index, row in json_file(files, annotations, _Annotation, "annotations"):
        if isinstance(row, Unusable):
            yield where, index, row
        elif row.question_id in answers:
            yield where, index, twice
        else:
            said = row.multiple_choice_answer
            try:
                said = said if said is not None else plurality([a.answer for a in row.answers])
            except Unusable:
                said = ""  # told with the question
            answers[row.question_id] = row.image_id, intern(said)
    asked: set[int] = set()
    for where, index, row in json_file(files, questions, Question, "questions"):
        if isinstance(row, Unusable):
            yield where, index, row
            continue
        image, said = answers.get(row.question_id, (None, ""))
        if row.question_id in asked:
            detail = f"question {row.question_id} stands here again"
            yield where, index, Unusable(Reason.DUPLICATE_ID, detail)
        elif image is None:
            detail = f"question {row.question_id} has no annotation"
            yield where, index, Unusable(Reason.NO_ANSWER, detail)
        elif image != row.image_id:
            detail = f"image {row.image_id} here, {image} in its annotation"
            yield where, index, Unusable(Reason.MALFORMED_ROW, detail)
        else:
            yield where, index, (row, said)
        asked.add(row.question_id)
    for number in answers:
        if number not in asked:
            detail = f"annotation of question {number}, which {questions} lacks or has malformed"
            where = f"{files.path(annotations)}: question {number}"
            yield where, number, Unusable(Reason.NO_QUESTION, detail)


def first_of(files: Files, *names: str) -> str:
    """The first of these files that is there; the first of all where none is."""
    return next((name for name in names if files.exists(name)), names[0])


def yes_or_no(answer: str) -> tuple[str, AnswerType | None]:
    """`yes` and `no` as all sources spell them, with their type; other answers as they are."""
    plain = answer.strip().lower()
    if plain in ("yes", "no"):
        return plain.capitalize(), AnswerType.YES_NO
    return answer, None
