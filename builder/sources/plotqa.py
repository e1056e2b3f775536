"""PlotQA: questions about plots drawn from real data."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import msgspec

from ..schema import Reason, Task, Unusable
from .files import Files
from .rows import convert, json_file, split_files
from .source import Candidate, ReadOptions, Rejection, Source, Split

_FILES: dict[Split, tuple[str, str]] = {
    "train": ("train/qa_pairs_V2.json", "train/qa_pairs_V1.json"),
    "validation": ("val/qa_pairs_V2.json", "val/qa_pairs_V1.json"),
}


class _Row(msgspec.Struct):
    image_index: int
    question_string: str
    answer: str | int | float | list[str | int | float]


def read(files: Files, options: ReadOptions) -> Iterator[Candidate | Rejection]:
    for names in split_files(SOURCE, files, _FILES, options.splits).values():
        folder = names[0].split("/")[0]
        rows = json_file(files, names[0], _Row, "qa_pairs")
        yield from convert(rows, partial(_candidate, files, folder))


def _candidate(files: Files, folder: str, where: str, _: int | str, row: _Row) -> Candidate:
    image = f"{folder}/png/{row.image_index}.png"
    said, asked = row.answer, row.question_string
    if isinstance(said, list):
        said = ", ".join(map(str, said))
    elif said == "":
        raise Unusable(Reason.NO_ANSWER, "answer is ''")
    return Candidate(
        row=where,
        image=image,
        load=files.image(image),
        question=asked[:-2] + "?" if asked[-2:] == " ?" else asked,
        answer=str(said),
    )


SOURCE = Source(
    name="PlotQA",
    task=Task.FQA,
    context=None,
    license="CC BY 4.0",
    rehost="yes",
    terms="With attribution.",
    homepage="https://github.com/NiteshMethani/PlotQA",
    citation="Methani et al., PlotQA: Reasoning over Scientific Plots, WACV 2020, arXiv:1909.00997",
    obtain="Download the train split that the repository links to; `qa_pairs_V2.json` and the "
    "pictures, as `png.tar.gz` or unpacked to `png/`, go into `PlotQA/train/`.",
    files=("train/qa_pairs_V2.json", "train/png/*.png"),
    read=read,
)
