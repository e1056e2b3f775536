"""FigureQA: yes/no questions about drawn charts with named colours."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Literal

import msgspec

from ..schema import AnswerType, Task
from .files import Files
from .rows import convert, json_file, split_files
from .source import Candidate, ReadOptions, Rejection, Source, Split

_FILES: dict[Split, tuple[str]] = {
    "train": ("train1/qa_pairs.json",),
    "validation": ("validation1/qa_pairs.json",),
}


class _Row(msgspec.Struct):
    question_string: str
    answer: Literal[0, 1]
    image_index: int


def read(files: Files, options: ReadOptions) -> Iterator[Candidate | Rejection]:
    for (name,) in split_files(SOURCE, files, _FILES, options.splits).values():
        folder = name.split("/")[0]
        rows = json_file(files, name, _Row, "qa_pairs")
        yield from convert(rows, partial(_candidate, files, folder))


def _candidate(files: Files, folder: str, where: str, _: int | str, row: _Row) -> Candidate:
    image = f"{folder}/png/{row.image_index}.png"
    return Candidate(
        row=where,
        image=image,
        load=files.image(image),
        question=row.question_string,
        answer="Yes" if row.answer else "No",
        answer_type=AnswerType.YES_NO,
    )


SOURCE = Source(
    name="FigureQA",
    task=Task.FQA,
    context=None,
    license="FigureQA LICENSE.pdf: non-commercial research, no redistribution",
    rehost="no",
    terms="Its LICENSE.pdf forbids to copy, publish or distribute the data without consent; "
    "research only.",
    homepage="https://github.com/Maluuba/FigureQA",
    citation="Kahou et al., FigureQA: An Annotated Figure Dataset for Visual Reasoning, ICLR 2018 "
    "Workshop, arXiv:1710.07300",
    obtain="Download `figureqa-train1-v1.tar.gz`; as it is or unpacked to `train1/` it goes into "
    "`FigureQA/`.",
    files=("train1/qa_pairs.json", "train1/png/*.png"),
    read=read,
)
