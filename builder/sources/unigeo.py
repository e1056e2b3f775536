"""UniGeo: the calculation problems of GeoQA in English."""

from __future__ import annotations

from collections.abc import Iterator

from ..schema import Task
from .files import Files
from .pickled_problems import read_problems
from .rows import split_files
from .source import Candidate, ReadOptions, Rejection, Source, Split

_FILES: dict[Split, tuple[str]] = {
    "train": ("calculation_train.pk",),
    "validation": ("calculation_val.pk",),
}
"""The proving problems have no choices and no answer but a proof."""


def read(files: Files, options: ReadOptions) -> Iterator[Candidate | Rejection]:
    files = files.inside("datasets", "UniGeo")
    for (name,) in split_files(SOURCE, files, _FILES, options.splits).values():
        yield from read_problems(files, name, "English_problem")


SOURCE = Source(
    name="UniGeo",
    task=Task.GPS,
    context="geometry diagram",
    license="none stated",
    rehost="no",
    terms="No licence is stated; the problems are those of GeoQA.",
    homepage="https://github.com/chen-judge/UniGeo",
    citation="Chen et al., UniGeo: Unifying Geometry Logical Reasoning via Reformulating "
    "Mathematical Expression, EMNLP 2022, arXiv:2212.02746",
    obtain="Download the data that the repository links to; its folder becomes "
    "`UniGeo/datasets/UniGeo/`.",
    files=("**/calculation_train.pk",),
    read=read,
)
