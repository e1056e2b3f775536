"""CLEVR-Math: additions and subtractions of objects in CLEVR scenes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import msgspec

from ..schema import Task
from .files import Files
from .rows import convert, json_file, refuse_other_split, split_files
from .source import Candidate, ReadOptions, Rejection, Source, Split

_FOLDERS = ("", "clevr-math/", "multihop/", "clevr-math-multihop/")
_FILES: dict[Split, tuple[str, ...]] = {
    "train": tuple(f"{folder}clevr-math-train.json" for folder in _FOLDERS),
    "validation": tuple(f"{folder}clevr-math-val.json" for folder in _FOLDERS),
}


class _Row(msgspec.Struct):
    split: str
    image_filename: str
    question: str
    answer: int


def read(files: Files, options: ReadOptions) -> Iterator[Candidate | Rejection]:
    images = files.inside("CLEVR_v1.0", "images")
    for split, names in split_files(SOURCE, files, _FILES, options.splits, every=True).items():
        for name in names:
            rows = json_file(files, name, _Row, "questions")
            said = "val" if split == "validation" else split
            yield from convert(rows, partial(_candidate, images, said))


def _candidate(images: Files, split: str, where: str, _: int | str, row: _Row) -> Candidate:
    refuse_other_split(row.split, split)
    image = f"{split}/{row.image_filename}"
    return Candidate(
        row=where,
        image=image,
        load=images.image(image),
        question=row.question,
        answer=str(row.answer),
    )


SOURCE = Source(
    name="CLEVR-Math",
    task=Task.MWP,
    context="synthetic scene",
    license="CC BY 4.0 (Hub tag; the loading script says CC BY-SA 4.0)",
    rehost="yes",
    terms="With attribution (the loader says: under the same licence).",
    homepage="https://github.com/dali-does/clevr-math",
    citation="Lindström and Abraham, CLEVR-Math: A Dataset for Compositional Language, Visual and "
    "Mathematical Reasoning, NeSy 2022, arXiv:2208.05358",
    obtain="Unpack `data/clevr-math.zip` of https://huggingface.co/datasets/dali-does/clevr-math "
    "and `CLEVR_v1.0.zip` of https://dl.fbaipublicfiles.com/clevr/CLEVR_v1.0.zip into "
    "`CLEVR-Math/`.",
    files=("clevr-math-train.json", "CLEVR_v1.0/images/train/*.png"),
    read=read,
)
