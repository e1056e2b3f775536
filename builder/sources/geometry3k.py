"""Geometry3K: multiple-choice problems with a diagram, from two textbooks of geometry."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ...errors import SourceError
from ..images import read_file
from ..json_stream import load
from ..schema import Reason, Task, Unusable
from .rows import Row, convert, split_files
from .source import Candidate, ReadOptions, Rejection, Source, Split

_FOLDERS: dict[Split, tuple[str]] = {"train": ("train",), "validation": ("val",)}


def read(folder: Path, options: ReadOptions) -> Iterator[Candidate | Rejection]:
    outer = folder / "geometry3k"
    root = outer if outer.is_dir() else folder
    for (split,) in split_files(SOURCE, root, _FOLDERS, options.splits).values():
        numbers = [path.name for path in (root / split).iterdir() if path.name.isdecimal()]
        for number in sorted(numbers, key=lambda name: (int(name), name)):
            yield from _problem(root, f"{split}/{number}")


def _problem(root: Path, name: str) -> Iterator[Candidate | Rejection]:
    file = f"{name}/data.json"
    try:
        row = Row(file, name, load(root / file, file))
    except SourceError as error:  # a file of one row
        yield Rejection(file, Reason.MALFORMED_ROW, str(error))
    else:
        yield from convert([row], partial(_candidate, root))


def _candidate(root: Path, row: Row) -> Candidate:
    image = f"{row.key}/img_diagram.png"
    choices = row.texts("choices")
    letter = row.text("answer")
    index = "ABCDEFGH".find(letter) if len(letter) == 1 else -1
    if not 0 <= index < len(choices):
        detail = f"answer {letter[:20]!r} is not the letter of one of {len(choices)} choices"
        raise Unusable(Reason.ANSWER_NOT_AMONG_CHOICES, detail)
    return Candidate(
        row=row.where,
        image=image,
        load=partial(read_file, root, image),
        question=row.text("annotat_text"),
        answer=choices[index],
        choices=choices,
        answer_index=index,
        unit=row.optional_text("unit"),
    )


SOURCE = Source(
    name="Geometry3K",
    task=Task.GPS,
    context="geometry diagram",
    license="MIT (repository); the diagrams are textbook scans",
    rehost="unclear",
    homepage="https://github.com/lupantech/InterGPS",
    citation="Lu et al., Inter-GPS: Interpretable Geometry Problem Solving with Formal Language "
    "and Symbolic Reasoning, ACL 2021, arXiv:2105.04165",
    obtain="Unpack `data/geometry3k/train.zip` (and `val.zip`) of the repository; they become "
    "`Geometry3K/geometry3k/train/` and `Geometry3K/geometry3k/val/`.",
    files=("geometry3k/train/*/data.json", "geometry3k/train/*/img_diagram.png"),
    read=read,
)
