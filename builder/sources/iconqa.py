"""IconQA: questions of the first school years about abstract diagrams."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import msgspec

from ..schema import Reason, Task, Unusable
from .files import Files
from .rows import choice_of_index, convert, json_files, split_files
from .source import Candidate, ReadOptions, Rejection, Source, Split

_FOLDERS: dict[Split, tuple[str]] = {"train": ("train",), "validation": ("val",)}
_KINDS = ("choose_img", "choose_txt", "fill_in_blank")


class _Problem(msgspec.Struct):
    question: str
    answer: int | str  # position of a choice from 0, or what fills the blank
    ques_type: str
    choices: list[str] = []
    unit: str | None = None
    hint: str | None = None


def read(files: Files, options: ReadOptions) -> Iterator[Candidate | Rejection]:
    files = files.inside("iconqa_data", "iconqa")
    for (folder,) in split_files(SOURCE, files, _FOLDERS, options.splits).values():
        for kind in _KINDS:
            numbers = [n for n in files.names(f"{folder}/{kind}") if n.isdecimal()]
            names = (f"{folder}/{kind}/{n}/data.json" for n in sorted(numbers, key=int))
            yield from convert(json_files(files, names, _Problem), partial(_candidate, files))


def _candidate(files: Files, where: str, name: int | str, row: _Problem) -> Candidate:
    if row.ques_type == "choose_img":
        detail = f"the {len(row.choices)} choices are pictures of their own"
        raise Unusable(Reason.NOT_ONE_IMAGE, detail)
    image = f"{str(name).removesuffix('data.json')}image.png"
    index = None
    if row.ques_type == "choose_txt":
        if not isinstance(row.answer, int):
            raise Unusable(Reason.MALFORMED_ROW, "answer: expected int, got str")
        index = choice_of_index(row.answer, row.choices)
    return Candidate(
        row=where,
        image=image,
        load=files.image(image),
        question=f"{row.question}\n{row.hint}" if row.hint else row.question,
        answer=str(row.answer) if index is None else row.choices[index],
        choices=row.choices if index is not None else (),
        answer_index=index,
        unit=row.unit,
    )


SOURCE = Source(
    name="IconQA",
    task=Task.MWP,
    context=None,
    license="CC BY-NC-SA",
    rehost="yes",
    terms="Not for commercial use, under the same licence, with attribution.",
    homepage="https://github.com/lupantech/IconQA",
    citation="Lu et al., IconQA: A New Benchmark for Abstract Diagram Understanding and Visual "
    "Language Reasoning, NeurIPS 2021 Datasets and Benchmarks, arXiv:2110.13214",
    obtain="Unpack `iconqa_data.zip`, which the repository links to; it becomes "
    "`IconQA/iconqa_data/`.",
    files=(
        "iconqa_data/iconqa/train/choose_txt/*/data.json",
        "iconqa_data/iconqa/train/fill_in_blank/*/data.json",
        "iconqa_data/iconqa/train/*/*/image.png",
    ),
    read=read,
)
