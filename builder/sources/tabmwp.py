"""TabMWP: math word problems about the picture of a table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ..images import read_file
from ..schema import AnswerType, Reason, Task, Unusable
from .rows import Row, convert, split_files, stream_rows
from .source import Candidate, ReadOptions, Rejection, Source, Split

_FILES: dict[Split, tuple[str, ...]] = {
    "train": ("problems_train.json",),
    "validation": ("problems_dev.json", "problems_dev1k.json"),
}
_NUMBER = re.compile(r"-?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.([0-9]+))?")


def read(folder: Path, options: ReadOptions) -> Iterator[Candidate | Rejection]:
    for files in split_files(SOURCE, folder, _FILES, options.splits).values():
        yield from convert(stream_rows(folder, files[0]), partial(_candidate, folder))


def _candidate(folder: Path, row: Row) -> Candidate:
    """The fields `table` and `table_for_pd` are left alone: they hold what the image shows."""
    if not re.fullmatch("[0-9]+", str(row.key)):
        raise Unusable(Reason.MALFORMED_ROW, "the key is not a problem number")
    image = f"tables/{row.key}.png"
    answer = row.text("answer")
    answer_type, precision = _answer_type(answer, row.optional_text("ans_type"))
    return Candidate(
        row=row.where,
        image=image,
        load=partial(read_file, folder, image),
        question=row.text("question"),
        answer=answer,
        choices=row.texts("choices") if row.text("ques_type") == "multi_choice" else (),
        answer_type=answer_type,
        unit=row.optional_text("unit"),
        precision=precision,
        rationale=row.optional_text("solution"),
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
    homepage="https://github.com/lupantech/PromptPG",
    citation="Lu et al., Dynamic Prompt Learning via Policy Gradient for Semi-structured "
    "Mathematical Reasoning, ICLR 2023, arXiv:2209.14610",
    obtain="Take the folder `data/tabmwp` of the repository; it becomes `TabMWP/`.",
    files=("problems_train.json", "tables/*.png"),
    read=read,
)
