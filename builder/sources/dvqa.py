"""DVQA: questions about drawn bar charts with random words as labels."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import msgspec

from ..schema import Task
from .files import Files
from .rows import convert, json_file, split_files
from .source import Candidate, ReadOptions, Rejection, Source, Split

_FILES: dict[Split, tuple[str]] = {"train": ("train_qa.json",)}
"""The validation parts, easy and hard, are what others test on."""


class _Row(msgspec.Struct):
    image: str
    question: str
    answer: str  # digits are a value, number words ("two") a count


def read(files: Files, options: ReadOptions) -> Iterator[Candidate | Rejection]:
    for (name,) in split_files(SOURCE, files, _FILES, options.splits).values():
        yield from convert(json_file(files, name, _Row), partial(_candidate, files))


def _candidate(files: Files, where: str, _: int | str, row: _Row) -> Candidate:
    return Candidate(
        row=where,
        image=row.image,
        load=files.image(f"images/{row.image}"),
        question=row.question,
        answer=row.answer,
    )


SOURCE = Source(
    name="DVQA",
    task=Task.FQA,
    context="bar chart",
    license="CC BY-NC 4.0",
    rehost="yes",
    terms="Not for commercial use, with attribution.",
    homepage="https://github.com/kushalkafle/DVQA_dataset",
    citation="Kafle et al., DVQA: Understanding Data Visualizations via Question Answering, CVPR "
    "2018, arXiv:1801.08163",
    obtain="Download the images and the question-answer pairs that the repository links to; "
    "`train_qa.json` and the folder `images`, as they are or in their archives, go into `DVQA/`.",
    files=("train_qa.json", "images/bar_train_*.png"),
    read=read,
)
