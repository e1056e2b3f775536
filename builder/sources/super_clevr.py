"""Super-CLEVR: questions about drawn scenes of vehicles."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import msgspec

from ..schema import AnswerType, Reason, Task, Unusable
from .files import Files
from .rows import convert, json_file
from .source import Candidate, ReadOptions, Rejection, Source, Split

_FILE = "superCLEVR_questions_30k.json"
_IMAGES: dict[Split, range] = {"train": range(20_000), "validation": range(20_000, 25_000)}
"""The release splits by image_index alone; from 25,000 on it is the test part."""


class _Row(msgspec.Struct):
    image_filename: str
    image_index: int
    question: str
    answer: bool | int | str


def read(files: Files, options: ReadOptions) -> Iterator[Candidate | Rejection]:
    wanted = [_IMAGES[split] for split in options.splits]
    rows = json_file(files, _FILE, _Row, "questions")
    yield from convert(rows, partial(_candidate, files, wanted))


def _candidate(
    files: Files, wanted: list[range], where: str, _: int | str, row: _Row
) -> Candidate | None:
    if not any(row.image_index in indices for indices in wanted):
        return None
    if (
        row.image_filename != f"superCLEVR_new_{row.image_index:06d}.png"
    ):  # it may be of the test part
        detail = f"image_filename {row.image_filename[:40]!r} is not image {row.image_index}"
        raise Unusable(Reason.MALFORMED_ROW, detail)
    said, answer_type = row.answer, None
    if isinstance(said, bool):
        said, answer_type = "Yes" if said else "No", AnswerType.YES_NO
    return Candidate(
        row=where,
        image=row.image_filename,
        load=files.image(f"images/{row.image_filename}"),
        question=row.question,
        answer=str(said),
        answer_type=answer_type,
    )


SOURCE = Source(
    name="Super-CLEVR",
    task=Task.VQA,
    context="synthetic scene",
    license="CC BY 4.0",
    rehost="yes",
    terms="With attribution.",
    homepage="https://github.com/Lizw14/Super-CLEVR",
    citation="Li et al., Super-CLEVR: A Virtual Benchmark to Diagnose Domain Robustness in Visual "
    "Reasoning, CVPR 2023, arXiv:2212.00259",
    obtain="Download `superCLEVR_questions_30k.json` and `images.zip` from "
    "https://huggingface.co/datasets/RyanWW/Super-CLEVR into `Super-CLEVR/`; the zip may stay one.",
    files=("superCLEVR_questions_30k.json", "images/superCLEVR_new_*.png"),
    read=read,
)
