"""Geometry3K: multiple-choice problems with a diagram, from two textbooks of geometry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import msgspec

from ..schema import Task
from .files import Files
from .rows import choice_of_letter, convert, json_files, refuse_other_split, split_files
from .source import Candidate, Mirror, ReadOptions, Rejection, Source, Split

_FOLDERS: dict[Split, tuple[str]] = {"train": ("train",), "validation": ("val",)}


class _Problem(msgspec.Struct):
    annotat_text: str  # what MathVista shows; `problem_text` is bare LaTeX
    choices: list[str]
    answer: str
    unit: str | None = None
    data_type: str | None = None


def read(files: Files, options: ReadOptions) -> Iterator[Candidate | Rejection]:
    files = files.inside("geometry3k")
    for (folder,) in split_files(SOURCE, files, _FOLDERS, options.splits).values():
        numbers = sorted((n for n in files.names(folder) if n.isdecimal()), key=int)
        rows = json_files(files, (f"{folder}/{n}/data.json" for n in numbers), _Problem)
        yield from convert(rows, partial(_candidate, files, folder))


def _candidate(files: Files, split: str, where: str, name: int | str, row: _Problem) -> Candidate:
    refuse_other_split(row.data_type, split)
    image = f"{str(name).removesuffix('data.json')}img_diagram.png"
    index = choice_of_letter(row.answer.strip(), row.choices)
    return Candidate(
        row=where,
        image=image,
        load=files.image(image),
        question=row.annotat_text,
        answer=row.choices[index],
        choices=row.choices,
        answer_index=index,
        unit=row.unit,
    )


class _Copied(msgspec.Struct):
    problem: str
    choices: list[str]
    answer: str
    ground_truth: str = ""


def _from_copy(where: str, image: str, load: Callable[[], bytes], row: _Copied) -> Candidate:
    """`answer` is a choice's text in one copy, its letter in others, `ground_truth` its letter."""
    said = (row.ground_truth or row.answer).strip()
    told = said in row.choices
    index = row.choices.index(said) if told else choice_of_letter(said, row.choices)
    return Candidate(
        row=where,
        image=image,
        load=load,
        question=row.problem.replace("<image>", ""),
        answer=row.choices[index],
        choices=row.choices,
        answer_index=index,
    )


SOURCE = Source(
    name="Geometry3K",
    task=Task.GPS,
    context="geometry diagram",
    license="MIT (repository); the diagrams are textbook scans",
    rehost="unclear",
    terms="The repository is under MIT, but its diagrams are scans of two textbooks whose "
    "publishers are not known to have agreed.",
    homepage="https://github.com/lupantech/InterGPS",
    citation="Lu et al., Inter-GPS: Interpretable Geometry Problem Solving with Formal Language "
    "and Symbolic Reasoning, ACL 2021, arXiv:2105.04165",
    obtain="Put `data/geometry3k/train.zip` (and `val.zip`) of the repository, as they are or "
    "unpacked, into `Geometry3K/geometry3k/`.",
    files=("geometry3k/train/*/data.json", "geometry3k/train/*/img_diagram.png"),
    read=read,
    mirrors=(Mirror("hiyouga/geometry3k", _Copied, _from_copy, image="images"),),
)
