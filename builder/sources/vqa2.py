"""VQA2.0: questions about photos, with similar photos for different answers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ..schema import Task
from .coco import naming, picture
from .files import Files
from .rows import convert, split_files
from .source import Candidate, ReadOptions, Rejection, Source, Split
from .vqa_format import Question, answered_questions, first_of, yes_or_no

_QUESTIONS: dict[Split, tuple[str, str]] = {
    "train": (
        "Questions/v2_OpenEnded_mscoco_train2014_questions.json",
        "v2_OpenEnded_mscoco_train2014_questions.json",
    ),
    "validation": (
        "Questions/v2_OpenEnded_mscoco_val2014_questions.json",
        "v2_OpenEnded_mscoco_val2014_questions.json",
    ),
}
_PARTS: dict[Split, str] = {"train": "train2014", "validation": "val2014"}


def read(files: Files, options: ReadOptions) -> Iterator[Candidate | Rejection]:
    for split, names in split_files(SOURCE, files, _QUESTIONS, options.splits).items():
        part = _PARTS[split]
        annotations = f"v2_mscoco_{part}_annotations.json"
        annotations = first_of(files, f"Annotations/{annotations}", annotations)
        images = files.inside("Images", "mscoco", part)
        rows = answered_questions(files, names[0], annotations)
        yield from convert(rows, partial(_candidate, images, naming(images), part))


def _candidate(
    images: Files, name: str, part: str, where: str, _: int | str, row: tuple[Question, str]
) -> Candidate:
    question, answer = row
    image = f"COCO_{part}_{question.image_id:012d}.jpg"
    answer, answer_type = yes_or_no(answer)
    return Candidate(
        row=where,
        image=image,
        load=images.image(name.format(part=part, number=question.image_id)),
        question=question.question,
        answer=answer,
        answer_type=answer_type,
        picture=picture(question.image_id),
    )


SOURCE = Source(
    name="VQA2.0",
    task=Task.VQA,
    context="natural image",
    license="CC BY 4.0 (annotations); the photos have the Flickr licences of COCO",
    rehost="unclear",
    terms="The annotations are under CC BY 4.0; each COCO picture keeps the licence of its Flickr "
    "page, many of them non-commercial.",
    homepage="https://visualqa.org",
    citation="Goyal et al., Making the V in VQA Matter: Elevating the Role of Image Understanding "
    "in Visual Question Answering, CVPR 2017, arXiv:1612.00837",
    obtain="Download the training questions, annotations and images (COCO train2014) of VQA v2.0; "
    "they go into `VQA2.0/Questions/`, `VQA2.0/Annotations/` and "
    "`VQA2.0/Images/mscoco/train2014/`.",
    files=(
        "**/v2_OpenEnded_mscoco_train2014_questions.json",
        "**/v2_mscoco_train2014_annotations.json",
        "Images/mscoco/train2014/COCO_train2014_*.jpg",
    ),
    read=read,
)
