"""What a source dataset is: its declaration, and the questions it yields."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ..schema import AnswerType, Kind, Reason, Task

Split = Literal["train", "validation"]
"""The parts of a source that may enter a pool. Test parts are benchmarks and never do."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question as its source has it; nothing is checked yet and the image is not opened.

    `row` says where it stands (file and key or line), `image` is the image's name in the release
    of the source, and `load` gives the image's bytes (`images.read_file` and its kin), raising
    `images.BadImage`. `answer` is the answer's text: with `choices`, one of them word for word.
    What is left None is derived from the answer and the choices. `parent` is the
    number, among the originals of the same image, of the question that this one was written from.
    """

    row: str
    image: str
    load: Callable[[], bytes]
    question: str
    answer: str
    choices: tuple[str, ...] = ()
    answer_index: int | None = None
    """Position of the answer where choices repeat."""
    answer_type: AnswerType | None = None
    unit: str | None = None
    precision: int | None = None
    rationale: str | None = None
    kind: Kind = Kind.ORIGINAL
    parent: int | None = None
    task: Task | None = None
    context: str | None = None
    clarity: float | None = None
    complexity: int | None = None


@dataclass(frozen=True, slots=True)
class Rejection:
    """A row that cannot be used, and why."""

    row: str
    reason: Reason
    detail: str
    image: str | None = None


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a source is read: which of its splits, at most how many images, from which seed."""

    splits: tuple[Split, ...] = ("train",)
    limit: int | None = None
    seed: int = 0


Reader = Callable[[Path, ReadOptions], Iterator[Candidate | Rejection]]
"""Yields the questions of the source in `folder`, lazily and in the order of its files.

Raises `errors.SourceError` where a file as a whole is missing or malformed.
"""


@dataclass(frozen=True, slots=True)
class Source:
    """The declaration of a source dataset.

    `task` and `context` are None where its questions each say their own. `rehost` says whether its
    images may be published again; `files` are glob patterns, relative to the source's own folder,
    which all match something where the release is present.
    """

    name: str
    task: Task | None
    context: str | None
    license: str
    rehost: Literal["yes", "no", "unclear"]
    homepage: str
    citation: str
    obtain: str
    files: tuple[str, ...]
    read: Reader | None = field(default=None, repr=False)
