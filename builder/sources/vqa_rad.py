"""VQA-RAD: questions of clinicians about radiology images."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import msgspec

from ..schema import AnswerType, Reason, Task, Unusable
from .files import Files
from .rows import convert, json_file, split_files
from .source import Candidate, Mirror, ReadOptions, Rejection, Source, Split

_FILES: dict[Split, tuple[str]] = {"train": ("VQA_RAD Dataset Public.json",)}
_IMAGES = "VQA_RAD Image Folder"
_TRAIN = ("freeform", "para")
_TEST = ("test_freeform", "test_para")


class _Row(msgspec.Struct):
    phrase_type: str
    image_name: str
    question: str
    answer: str | int


def read(files: Files, options: ReadOptions) -> Iterator[Candidate | Rejection]:
    for (name,) in split_files(SOURCE, files, _FILES, options.splits).values():
        yield from convert(json_file(files, name, _Row), partial(_candidate, files))


def _candidate(files: Files, where: str, _: int | str, row: _Row) -> Candidate | None:
    part = row.phrase_type.strip()
    if part in _TEST:
        return None
    if part not in _TRAIN:
        detail = f"phrase_type {part[:20]!r} is not one of {', '.join(_TRAIN + _TEST)}"
        raise Unusable(Reason.MALFORMED_ROW, detail)
    image = row.image_name.strip()
    return _asked(where, image, files.image(f"{_IMAGES}/{image}"), row)


class _Copied(msgspec.Struct):
    question: str
    answer: str | int


def _asked(where: str, image: str, load: Callable[[], bytes], row: _Row | _Copied) -> Candidate:
    answer = _filled(str(row.answer), "answer", Reason.NO_ANSWER)
    yes_no = answer.lower() in ("yes", "no")
    return Candidate(
        row=where,
        image=image,
        load=load,
        question=_filled(row.question, "question", Reason.NO_QUESTION),
        answer=answer.capitalize() if yes_no else answer,
        answer_type=AnswerType.YES_NO if yes_no else None,
    )


def _filled(said: str, field: str, reason: Reason) -> str:
    """The text; the release has tabs where a list needs commas, and "NULL" for null."""
    text = said.strip()
    if "\t" in text or "  " in text:
        text = ", ".join(" ".join(part.split()) for part in text.split("\t"))
    if text in ("", "NULL"):
        raise Unusable(reason, f"{field} is {text!r}")
    return text


SOURCE = Source(
    name="VQA-RAD",
    task=Task.VQA,
    context="medical image",
    license="CC0 1.0",
    rehost="yes",
    terms="None: dedicated to the public domain; the images are from MedPix.",
    homepage="https://osf.io/89kps/",
    citation="Lau et al., A dataset of clinically generated visual questions and answers about "
    "radiology images, Scientific Data 5, 2018",
    obtain="Download all files of the OSF project; `VQA_RAD Dataset Public.json` and the folder "
    "`VQA_RAD Image Folder` go into `VQA-RAD/`.",
    files=("VQA_RAD Dataset Public.json", "VQA_RAD Image Folder/*.jpg"),
    read=read,
    mirrors=(Mirror("flaviagiammarino/vqa-rad", _Copied, _asked, splits={"train": "train"}),),
)
