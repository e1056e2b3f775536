"""What a source dataset is: its declaration, and the questions it yields."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

import msgspec

from ..schema import AnswerType, Kind, Reason, Task
from .files import Files

T = TypeVar("T")

Split = Literal["train", "validation"]
"""The parts of a source that may enter a pool. Test parts are benchmarks and never do."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A question as its source has it; nothing is checked yet and the image is not opened.

    `row` says where it stands (file and key or index), `image` is the image's name in the release
    of the source, and `load` gives the image's bytes (`Files.image` and its kin), raising
    `Unusable`. `answer` is the answer's text: with `choices`, one of them word for word. Texts need
    not be trimmed. What is left None is derived from the answer and the choices. `parent` is the
    number, among the originals of the same image, of the question that this one was written from.
    """

    row: str
    image: str
    load: Callable[[], bytes]
    question: str
    answer: str
    choices: Sequence[str] = ()
    answer_index: int | None = None
    """Position of the answer where choices repeat."""
    picture: str | None = None
    """What sources that share the picture all call it, `coco/42`: one image whatever its files."""
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


Reader = Callable[[Files, ReadOptions], Iterator[Candidate | Rejection]]
"""Yields the questions of a source from its files, lazily and in their order.

Raises `errors.SourceError` where a file as a whole is missing or malformed.
"""


@dataclass(frozen=True, slots=True)
class Mirror(Generic[T]):
    """The columns of copies of a source on the Hub, and how their rows are read.

    `row_type` is a struct of the columns needed beside `image`; `make` makes a candidate of place,
    image name, image and row. `splits` names the copies' splits. Copies move between
    namespaces, so any repository with these columns will do; `repository` is one that has them.
    """

    repository: str
    row_type: type[T]
    make: Callable[[str, str, Callable[[], bytes], T], Candidate | None]
    image: str = "image"
    config: str | None = None
    splits: Mapping[Split, str] = field(
        default_factory=lambda: {"train": "train", "validation": "validation"}
    )


@dataclass(frozen=True, slots=True)
class Source:
    """The declaration of a source dataset.

    `task` and `context` are None where its questions each say their own. `rehost` says whether its
    images may be published again, `terms` under which conditions or why not. `files` are glob
    patterns, relative to the source's own folder, which all match something, unpacked or in an
    archive, where the release is present.
    """

    name: str
    task: Task | None
    context: str | None
    license: str
    rehost: Literal["yes", "no", "unclear"]
    terms: str
    homepage: str
    citation: str
    obtain: str
    files: tuple[str, ...]
    read: Reader = field(repr=False)
    mirrors: tuple[Mirror[Any], ...] = ()

    @property
    def attribution(self) -> str:
        """What to print beside pictures and questions of the source."""
        address = f" {self.homepage}" if self.homepage else ""
        return f"{self.citation.rstrip('.')}.{address} ({self.license})"
