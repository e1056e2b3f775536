"""VizWiz: questions that blind people asked about their own photos."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import msgspec

from ..schema import Reason, Task, Unusable
from .files import Files
from .rows import convert, json_file, plurality, split_files
from .source import Candidate, ReadOptions, Rejection, Source, Split
from .vqa_format import yes_or_no

_FOLDERS = ("Annotations/", "annotations/", "")
_FILES: dict[Split, tuple[str, ...]] = {
    "train": tuple(f"{folder}train.json" for folder in _FOLDERS),
    "validation": tuple(f"{folder}val.json" for folder in _FOLDERS),
}
_NO_ANSWERS = ("unanswerable", "unsuitable", "unsuitable image")


class _Given(msgspec.Struct):
    answer: str


class _Row(msgspec.Struct):
    image: str  # VizWiz_train_00000000.jpg, in the release of 2019 VizWiz_train_000000000000.jpg
    question: str
    answers: list[_Given]
    answer_type: str = ""
    answerable: int = 1


def read(files: Files, options: ReadOptions) -> Iterator[Candidate | Rejection]:
    for split, names in split_files(SOURCE, files, _FILES, options.splits).items():
        part = "train" if split == "train" else "val"
        images = files.inside("Images", part)
        rows = json_file(files, names[0], _Row)
        yield from convert(rows, partial(_candidate, images, part))


def _candidate(images: Files, part: str, where: str, _: int | str, row: _Row) -> Candidate:
    if not row.image.startswith(f"VizWiz_{part}_"):
        detail = f"image {row.image[:40]!r} is not of the {part} split"
        raise Unusable(Reason.WRONG_SPLIT, detail)
    answer = plurality([given.answer for given in row.answers])
    if not row.answerable or row.answer_type == "unanswerable" or answer.lower() in _NO_ANSWERS:
        raise Unusable(Reason.UNANSWERABLE, "the picture does not show the answer")
    answer, answer_type = yes_or_no(answer)
    return Candidate(
        row=where,
        image=row.image,
        load=images.image(row.image),
        question=row.question,
        answer=answer,
        answer_type=answer_type,
    )


SOURCE = Source(
    name="VizWiz",
    task=Task.VQA,
    context="natural image",
    license="CC BY 4.0",
    rehost="unclear",
    terms="CC BY 4.0 is stated for the dataset; the pictures were taken by blind people and may "
    "show private things.",
    homepage="https://vizwiz.org",
    citation="Gurari et al., VizWiz Grand Challenge: Answering Visual Questions from Blind People, "
    "CVPR 2018, arXiv:1802.08218",
    obtain="Download the annotations and the training images; they become `VizWiz/Annotations/` "
    "and `VizWiz/train/`.",
    files=("**/train.json", "train/*.jpg"),
    read=read,
)
