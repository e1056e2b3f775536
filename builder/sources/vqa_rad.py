"""VQA-RAD: questions of clinicians about radiology images."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ..images import read_file, safe_path
from ..schema import AnswerType, Reason, Task, Unusable
from .rows import Row, convert, split_files, stream_rows
from .source import Candidate, ReadOptions, Rejection, Source, Split

_FILES: dict[Split, tuple[str]] = {"train": ("VQA_RAD Dataset Public.json",)}
_IMAGES = "VQA_RAD Image Folder"
_TRAIN = ("freeform", "para")
_TEST = ("test_freeform", "test_para")


def read(folder: Path, options: ReadOptions) -> Iterator[Candidate | Rejection]:
    for (file,) in split_files(SOURCE, folder, _FILES, options.splits).values():
        yield from convert(stream_rows(folder, file), partial(_candidate, folder / _IMAGES))


def _candidate(images: Path, row: Row) -> Candidate | None:
    part = row.text("phrase_type")
    if part in _TEST:
        return None
    if part not in _TRAIN:
        detail = f"phrase_type {part[:20]!r} is not one of {', '.join(_TRAIN + _TEST)}"
        raise Unusable(Reason.MALFORMED_ROW, detail)
    image = safe_path(row.text("image_name")).as_posix()
    answer = _filled(row, "answer", Reason.NO_ANSWER)
    yes_no = answer.lower() in ("yes", "no")
    return Candidate(
        row=row.where,
        image=image,
        load=partial(read_file, images, image),
        question=_filled(row, "question", Reason.NO_QUESTION),
        answer=answer.capitalize() if yes_no else answer,
        answer_type=AnswerType.YES_NO if yes_no else None,
    )


def _filled(row: Row, field: str, reason: Reason) -> str:
    """The text; the release has tabs where a list needs commas, and "NULL" for null."""
    parts = row.text_or_integer(field).split("\t")
    text = ", ".join(" ".join(part.split()) for part in parts)
    if text in ("", "NULL"):
        raise Unusable(reason, f"{field} is {text!r}")
    return text


SOURCE = Source(
    name="VQA-RAD",
    task=Task.VQA,
    context="medical image",
    license="CC0 1.0",
    rehost="yes",
    homepage="https://osf.io/89kps/",
    citation="Lau et al., A dataset of clinically generated visual questions and answers about "
    "radiology images, Scientific Data 5, 2018",
    obtain="Download all files of the OSF project; `VQA_RAD Dataset Public.json` and the folder "
    "`VQA_RAD Image Folder` go into `VQA-RAD/`.",
    files=("VQA_RAD Dataset Public.json", "VQA_RAD Image Folder/*.jpg"),
    read=read,
)
