"""ChartQA: questions about charts of the web, asked by people ("human") or by a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import msgspec

from ..schema import Task
from .files import Files
from .rows import convert, json_file, split_files
from .source import Candidate, Mirror, ReadOptions, Rejection, Source, Split

_FILES: dict[Split, tuple[str, str]] = {
    "train": ("train/train_human.json", "train/train_augmented.json"),
    "validation": ("val/val_human.json", "val/val_augmented.json"),
}


class _Row(msgspec.Struct):
    imgname: str
    query: str
    label: str


def read(files: Files, options: ReadOptions) -> Iterator[Candidate | Rejection]:
    files = files.inside("ChartQA Dataset")
    for names in split_files(SOURCE, files, _FILES, options.splits, every=True).values():
        for name in names:
            images = f"{name.split('/')[0]}/png"
            yield from convert(json_file(files, name, _Row), partial(_candidate, files, images))


def _candidate(files: Files, images: str, where: str, _: int | str, row: _Row) -> Candidate:
    image = f"{images}/{row.imgname}"
    return Candidate(
        row=where,
        image=image,
        load=files.image(image),
        question=row.query,
        answer=row.label,
    )


class _Copied(msgspec.Struct):
    query: str
    label: list[str] | str


def _from_copy(where: str, image: str, load: Callable[[], bytes], row: _Copied) -> Candidate:
    answers = [row.label] if isinstance(row.label, str) else row.label
    return Candidate(
        row=where, image=image, load=load, question=row.query, answer=", ".join(answers)
    )


SOURCE = Source(
    name="ChartQA",
    task=Task.FQA,
    context=None,
    license="GPL-3.0; the charts belong to their publishers",
    rehost="unclear",
    terms="The repository is under GPL-3.0, which says nothing about the charts: they belong to "
    "Statista, Pew Research, Our World in Data and the OECD.",
    homepage="https://github.com/vis-nlp/ChartQA",
    citation="Masry et al., ChartQA: A Benchmark for Question Answering about Charts with Visual "
    "and Logical Reasoning, Findings of ACL 2022, arXiv:2203.10244",
    obtain="Take the folder `ChartQA Dataset` (with the space) of the repository or its archive; "
    "it becomes `ChartQA/ChartQA Dataset/`.",
    files=("ChartQA Dataset/train/train_*.json", "ChartQA Dataset/train/png/*.png"),
    read=read,
    mirrors=(
        Mirror(
            "HuggingFaceM4/ChartQA",
            _Copied,
            _from_copy,
            splits={"train": "train", "validation": "val"},
        ),
    ),
)
