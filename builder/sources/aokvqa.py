"""A-OKVQA: questions about photos that need knowledge of the world."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import msgspec

from ..schema import Task
from .coco import naming, picture
from .files import Files
from .rows import choice_of_index, convert, json_file, refuse_other_split, split_files
from .source import Candidate, Mirror, ReadOptions, Rejection, Source, Split

_FILES: dict[Split, tuple[str, str]] = {
    "train": ("aokvqa/aokvqa_v1p0_train.json", "aokvqa_v1p0_train.json"),
    "validation": ("aokvqa/aokvqa_v1p0_val.json", "aokvqa_v1p0_val.json"),
}
_PARTS: dict[Split, str] = {"train": "train", "validation": "val"}


class _Copied(msgspec.Struct):
    question: str
    choices: list[str]
    correct_choice_idx: int
    rationales: list[str] = []


class _Row(_Copied, kw_only=True):
    split: str
    image_id: int


def read(files: Files, options: ReadOptions) -> Iterator[Candidate | Rejection]:
    for split, names in split_files(SOURCE, files, _FILES, options.splits).items():
        part = _PARTS[split]
        images = files.inside("coco", f"{part}2017", f"{part}2014")
        rows = json_file(files, names[0], _Row)
        yield from convert(rows, partial(_candidate, images, naming(images), part))


def _candidate(
    images: Files, name: str, part: str, where: str, _: int | str, row: _Row
) -> Candidate:
    refuse_other_split(row.split, part)
    load = images.image(name.format(part=f"{part}2014", number=row.image_id))
    image = f"{part}2017/{row.image_id:012d}.jpg"
    return _asked(where, image, load, row, picture(row.image_id))


def _asked(
    where: str, image: str, load: Callable[[], bytes], row: _Copied, shared: str | None = None
) -> Candidate:
    index = choice_of_index(row.correct_choice_idx, row.choices)
    return Candidate(
        row=where,
        image=image,
        load=load,
        question=row.question,
        answer=row.choices[index],
        choices=row.choices,
        answer_index=index,
        picture=shared,
        rationale="\n".join(row.rationales),
    )


SOURCE = Source(
    name="A-OKVQA",
    task=Task.VQA,
    context="natural image",
    license="Apache-2.0 (annotations); the photos have the Flickr licences of COCO",
    rehost="unclear",
    terms="The annotations are under Apache-2.0; each COCO picture keeps the licence of its Flickr "
    "page, many of them non-commercial.",
    homepage="https://github.com/allenai/aokvqa",
    citation="Schwenk et al., A-OKVQA: A Benchmark for Visual Question Answering using World "
    "Knowledge, ECCV 2022, arXiv:2206.01718",
    obtain="Unpack `aokvqa_v1p0.tar.gz`, which the repository links to, into `A-OKVQA/aokvqa/`, "
    "and the train images of COCO 2017 into `A-OKVQA/coco/train2017/`.",
    files=("**/aokvqa_v1p0_train.json", "coco/train2017/*.jpg"),
    read=read,
    mirrors=(Mirror("HuggingFaceM4/A-OKVQA", _Copied, _asked),),
)
