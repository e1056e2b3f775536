"""GEOS: SAT-style geometry problems with a diagram."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import msgspec

from ..schema import Reason, Task, Unusable
from .files import Files
from .rows import convert, json_files, split_files
from .source import Candidate, ReadOptions, Rejection, Source, Split

_FOLDERS: dict[Split, tuple[str]] = {"train": ("aaai",)}
"""The folders `practice` and `official` are in benchmarks."""


class _Problem(msgspec.Struct):
    text: str
    answer: str
    choices: dict[str, str]


def read(files: Files, options: ReadOptions) -> Iterator[Candidate | Rejection]:
    for (folder,) in split_files(SOURCE, files, _FOLDERS, options.splits).values():
        names = [f"{folder}/{n}" for n in files.names(folder) if n.endswith(".json")]
        yield from convert(json_files(files, names, _Problem), partial(_candidate, files))


def _candidate(files: Files, where: str, name: int | str, row: _Problem) -> Candidate:
    """Without choices the answer is the value itself, even where it looks like a number of one."""
    image = f"{str(name).removesuffix('.json')}.png"
    numbers = sorted(row.choices, key=lambda number: (len(number), number))
    answer = row.answer.strip()
    if row.choices and answer in numbers:
        index, said = numbers.index(answer), row.choices[answer]
    elif row.choices:
        detail = f"answer {answer[:20]!r} is not the number of one of {len(numbers)} choices"
        raise Unusable(Reason.ANSWER_NOT_AMONG_CHOICES, detail)
    else:
        index, said = None, answer
    return Candidate(
        row=where,
        image=image,
        load=files.image(image),
        question=row.text,
        answer=said,
        choices=[row.choices[number] for number in numbers],
        answer_index=index,
    )


SOURCE = Source(
    name="GEOS",
    task=Task.GPS,
    context="geometry diagram",
    license="none stated for the data",
    rehost="no",
    terms="No licence is stated; the questions are of SAT and Regents examinations.",
    homepage="https://github.com/seominjoon/geosolver",
    citation="Seo et al., Solving Geometry Problems: Combining Text and Diagram Interpretation, "
    "EMNLP 2015",
    obtain="Take `assets/data/aaai.zip` of the branch gh-pages; as it is or unpacked to `aaai/` it "
    "goes into `GEOS/`. The folders `practice` and `official` are benchmarks and are never read.",
    files=("aaai/*.json", "aaai/*.png"),
    read=read,
)
