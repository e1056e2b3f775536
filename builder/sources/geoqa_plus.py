"""GeoQA+: multiple-choice geometry problems of Chinese schools, with annotated programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from ..schema import Task
from .files import Files
from .pickled_problems import read_problems
from .rows import choice_of_index, split_files
from .source import Candidate, Mirror, ReadOptions, Rejection, Source, Split

_FOLDERS = ("GeoQA+/data/GeoQA2.2/", "GeoQA2.2/", "GeoQA3/", "")
_FILES: dict[Split, tuple[str, ...]] = {
    "train": tuple(
        f"{folder}{name}.pk"
        for folder in _FOLDERS
        for name in ("train", "Mix-train", "GeoQA-train")
    ),
    "validation": tuple(f"{folder}dev.pk" for folder in _FOLDERS),
}


def read(files: Files, options: ReadOptions) -> Iterator[Candidate | Rejection]:
    """The first of the files that is there; the questions are Chinese."""
    for names in split_files(SOURCE, files, _FILES, options.splits).values():
        yield from read_problems(files, names[0], "subject")


class _Copied(msgspec.Struct):
    """A copy of GeoQA, the base set, with all of its splits in one."""

    subject: str
    choices: list[str]
    label: int
    original_split: str


def _from_copy(where: str, image: str, load: Callable[[], bytes], row: _Copied) -> Candidate | None:
    if row.original_split != "train":
        return None
    index = choice_of_index(row.label, row.choices)
    return Candidate(
        row=where,
        image=image,
        load=load,
        question=row.subject,
        answer=row.choices[index],
        choices=row.choices,
        answer_index=index,
    )


SOURCE = Source(
    name="GeoQA+",
    task=Task.GPS,
    context="geometry diagram",
    license="none stated",
    rehost="no",
    terms="No licence is stated; the problems are of Chinese school books and examinations.",
    homepage="https://github.com/SCNU203/GeoQA-Plus",
    citation="Cao and Xiao, An Augmented Benchmark Dataset for Geometric Question Answering "
    "through Dual Parallel Text Encoding, COLING 2022",
    obtain="Take the data that the repository links to; `Mix-train.pk` (new problems and those of "
    "GeoQA), or the file of it that you want, becomes `GeoQA+/GeoQA+/data/GeoQA2.2/train.pk`.",
    files=("**/*train.pk",),
    read=read,
    mirrors=(Mirror("hz2475/geoQA", _Copied, _from_copy, splits={"train": "train"}),),
)
