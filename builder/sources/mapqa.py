"""MapQA: questions about choropleth maps of the United States."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import msgspec

from ..schema import AnswerType, Task
from .files import Files
from .rows import convert, json_file, split_files
from .source import Candidate, ReadOptions, Rejection, Source, Split

_SUBSETS = ("MapQA_U", "MapQA_S", "MapQA_V")
_FILES: dict[Split, tuple[str]] = {
    "train": ("questions/train-QA.json",),
    "validation": ("questions/dev-QA.json",),
}


class _Row(msgspec.Struct):
    map_id: str
    question: str
    answer: str | int | list[str]  # a list names states, in no order


def read(files: Files, options: ReadOptions) -> Iterator[Candidate | Rejection]:
    for subset in _present(files):
        below = files.inside(subset, subset)  # the archives nest
        for (name,) in split_files(SOURCE, below, _FILES, options.splits).values():
            rows = json_file(below, name, _Row)
            yield from convert(rows, partial(_candidate, below, subset))


def _present(files: Files) -> tuple[str, ...]:
    """The subsets that are there; all where none is, so that the error names one."""
    return tuple(subset for subset in _SUBSETS if files.exists(subset)) or _SUBSETS


def _candidate(files: Files, subset: str, where: str, _: int | str, row: _Row) -> Candidate:
    asked, listed = row.question, isinstance(row.answer, list)
    return Candidate(
        row=where,
        image=f"{subset}/{row.map_id}",  # each subset counts its maps from 0
        load=files.image(f"images/{row.map_id}"),
        question=asked[:-2] + "?" if asked[-2:] == " ?" else asked,
        answer=", ".join(row.answer) if isinstance(row.answer, list) else str(row.answer),
        answer_type=AnswerType.LIST if listed else None,
    )


SOURCE = Source(
    name="MapQA",
    task=Task.FQA,
    context="map chart",
    license="CC BY-SA 4.0",
    rehost="yes",
    terms="Under the same licence, with attribution; the maps show data of KFF.",
    homepage="https://github.com/OSU-slatelab/MapQA",
    citation="Chang et al., MapQA: A Dataset for Question Answering on Choropleth Maps, 2022, "
    "arXiv:2211.08545",
    obtain="Download the three archives that the repository links to; the inner folder of each "
    "becomes `MapQA/MapQA_U/`, `MapQA/MapQA_S/` and `MapQA/MapQA_V/`.",
    files=(
        "MapQA_U/questions/train-QA.json",
        "MapQA_U/images/map_*.png",
        "MapQA_S/questions/train-QA.json",
        "MapQA_S/images/map_*.png",
        "MapQA_V/questions/train-QA.json",
        "MapQA_V/images/map_*.png",
    ),
    read=read,
)
