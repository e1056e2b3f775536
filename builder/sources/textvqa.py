"""TextVQA: questions that need the text in a photo."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import msgspec

from ..schema import Reason, Task, Unusable
from .files import Files
from .rows import convert, json_file, plurality, refuse_other_split, split_files
from .source import Candidate, ReadOptions, Rejection, Source, Split
from .vqa_format import yes_or_no

_FILES: dict[Split, tuple[str]] = {
    "train": ("TextVQA_0.5.1_train.json",),
    "validation": ("TextVQA_0.5.1_val.json",),
}
_PARTS: dict[Split, str] = {"train": "train", "validation": "val"}
_NO_ANSWERS = ("unanswerable", "unsuitable", "answering does not require reading text in the image")


class _Row(msgspec.Struct):
    image_id: str
    question: str
    answers: list[str]
    set_name: str | None = None


def read(files: Files, options: ReadOptions) -> Iterator[Candidate | Rejection]:
    images = files.inside("train_images")  # of both splits
    for split, (name,) in split_files(SOURCE, files, _FILES, options.splits).items():
        rows = json_file(files, name, _Row, "data")
        yield from convert(rows, partial(_candidate, images, _PARTS[split]))


def _candidate(images: Files, part: str, where: str, _: int | str, row: _Row) -> Candidate:
    refuse_other_split(row.set_name, part)
    answer = plurality(row.answers)
    if answer.lower().rstrip(".") in _NO_ANSWERS:
        raise Unusable(Reason.UNANSWERABLE, f"most people say {answer!r}")
    image = f"{row.image_id}.jpg"
    answer, answer_type = yes_or_no(answer)
    return Candidate(
        row=where,
        image=image,
        load=images.image(image),
        question=row.question,
        answer=answer,
        answer_type=answer_type,
    )


SOURCE = Source(
    name="TextVQA",
    task=Task.VQA,
    context="natural image",
    license="CC BY 4.0; images CC BY 2.0",
    rehost="yes",
    terms="With attribution; the pictures are from Open Images (CC BY 2.0).",
    homepage="https://textvqa.org",
    citation="Singh et al., Towards VQA Models That Can Read, CVPR 2019, arXiv:1904.08920",
    obtain="Download `TextVQA_0.5.1_train.json` into `TextVQA/` and unpack `train_val_images.zip` "
    "to `TextVQA/train_images/`.",
    files=("TextVQA_0.5.1_train.json", "train_images/*.jpg"),
    read=read,
)
