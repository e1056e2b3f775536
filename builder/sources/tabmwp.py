"""TabMWP: math word problems about the picture of a table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

import msgspec

from ..schema import AnswerType, Reason, Task, Unusable
from .files import Files
from .rows import convert, json_file, split_files
from .source import Candidate, ReadOptions, Rejection, Source, Split

_FILES: dict[Split, tuple[str, ...]] = {
    "train": ("problems_train.json",),
    "validation": ("problems_dev.json", "problems_dev1k.json"),
}
_NUMERAL = re.compile("[0-9]+")
_NUMBER = re.compile(r"-?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.([0-9]+))?")


class _Problem(msgspec.Struct):
    """`table` and `table_for_pd` are left alone: they hold what the image shows."""

    question: str
    answer: str
    ques_type: str
    choices: list[str] | None = None
    unit: str | None = None
    ans_type: str | None = None
    solution: str | None = None


def read(files: Files, options: ReadOptions) -> Iterator[Candidate | Rejection]:
    for names in split_files(SOURCE, files, _FILES, options.splits).values():
        yield from convert(json_file(files, names[0], _Problem), partial(_candidate, files))


def _candidate(files: Files, where: str, number: int | str, row: _Problem) -> Candidate:
    if not _NUMERAL.fullmatch(str(number)):
        raise Unusable(Reason.MALFORMED_ROW, "the key is not a problem number")
    image = f"tables/{number}.png"
    answer = row.answer.strip()
    answer_type, precision = _answer_type(answer, row.ans_type)
    multi_choice = row.ques_type == "multi_choice"
    if multi_choice and not row.choices:
        raise Unusable(Reason.MALFORMED_ROW, "choices: none for a multiple-choice question")
    return Candidate(
        row=where,
        image=image,
        load=files.image(image),
        question=row.question,
        answer=answer,
        choices=(row.choices or ()) if multi_choice else (),
        answer_type=answer_type,
        unit=row.unit,
        precision=precision,
        rationale=row.solution,
    )


def _answer_type(answer: str, declared: str | None) -> tuple[AnswerType | None, int | None]:
    """The type and, of a decimal number, how many decimals.

    Fractions count as decimal numbers in the release; `boolean_text` is any choice of two.
    """
    if declared in ("extractive_text", "other_text"):
        return AnswerType.TEXT, None
    if declared not in ("integer_number", "decimal_number"):
        return None, None
    number = _NUMBER.fullmatch(answer)
    if number is None:
        return AnswerType.TEXT, None
    decimals = number[1]
    return (AnswerType.FLOAT, len(decimals)) if decimals else (AnswerType.INTEGER, None)


SOURCE = Source(
    name="TabMWP",
    task=Task.MWP,
    context="table",
    license="CC BY-NC-SA 4.0",
    rehost="yes",
    terms="Not for commercial use, under the same licence, with attribution.",
    homepage="https://github.com/lupantech/PromptPG",
    citation="Lu et al., Dynamic Prompt Learning via Policy Gradient for Semi-structured "
    "Mathematical Reasoning, ICLR 2023, arXiv:2209.14610",
    obtain="Take the folder `data/tabmwp` of the repository; it becomes `TabMWP/`.",
    files=("problems_train.json", "tables/*.png"),
    read=read,
)
