"""VQA-AS: open-ended questions about abstract scenes of clip art (VQA v1.0)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ..schema import Task
from .files import Files
from .rows import convert, split_files
from .source import Candidate, ReadOptions, Rejection, Source, Split
from .vqa_format import Question, answered_questions, first_of, yes_or_no

_QUESTIONS: dict[Split, tuple[str, str]] = {
    "train": (
        "Questions/OpenEnded_abstract_v002_train2015_questions.json",
        "OpenEnded_abstract_v002_train2015_questions.json",
    ),
    "validation": (
        "Questions/OpenEnded_abstract_v002_val2015_questions.json",
        "OpenEnded_abstract_v002_val2015_questions.json",
    ),
}
"""The multiple-choice files ask the same with 18 choices, more than letters are made for."""
_PARTS: dict[Split, str] = {"train": "train2015", "validation": "val2015"}


def read(files: Files, options: ReadOptions) -> Iterator[Candidate | Rejection]:
    for split, names in split_files(SOURCE, files, _QUESTIONS, options.splits).items():
        part = _PARTS[split]
        annotations = f"abstract_v002_{part}_annotations.json"
        annotations = first_of(files, f"Annotations/{annotations}", annotations)
        images = files.inside("Images", "abstract_v002", part)
        rows = answered_questions(files, names[0], annotations)
        yield from convert(rows, partial(_candidate, images, part))


def _candidate(
    images: Files, part: str, where: str, _: int | str, row: tuple[Question, str]
) -> Candidate:
    question, answer = row
    image = f"abstract_v002_{part}_{question.image_id:012d}.png"
    answer, answer_type = yes_or_no(answer)
    return Candidate(
        row=where,
        image=image,
        load=images.image(image),
        question=question.question,
        answer=answer,
        answer_type=answer_type,
    )


SOURCE = Source(
    name="VQA-AS",
    task=Task.VQA,
    context="abstract scene",
    license="CC BY 4.0 (annotations)",
    rehost="unclear",
    terms="The annotations are under CC BY 4.0; for the scenes no licence was found.",
    homepage="https://visualqa.org",
    citation="Antol et al., VQA: Visual Question Answering, ICCV 2015, arXiv:1505.00468",
    obtain="Download the training questions, annotations and images of the abstract scenes of VQA "
    "v1.0; they go into `VQA-AS/Questions/`, `VQA-AS/Annotations/` and "
    "`VQA-AS/Images/abstract_v002/train2015/`.",
    files=(
        "**/OpenEnded_abstract_v002_train2015_questions.json",
        "**/abstract_v002_train2015_annotations.json",
        "Images/abstract_v002/train2015/*.png",
    ),
    read=read,
)
