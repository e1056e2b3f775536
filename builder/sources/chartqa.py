"""ChartQA: questions about charts of the web, asked by people ("human") or by a model."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ..images import read_file, safe_path
from ..schema import Task
from .rows import Row, convert, split_files, stream_rows
from .source import Candidate, ReadOptions, Rejection, Source, Split

_FOLDER = "ChartQA Dataset"
_FILES: dict[Split, tuple[str, str]] = {
    "train": ("train/train_human.json", "train/train_augmented.json"),
    "validation": ("val/val_human.json", "val/val_augmented.json"),
}


def read(folder: Path, options: ReadOptions) -> Iterator[Candidate | Rejection]:
    root = folder / _FOLDER
    for files in split_files(SOURCE, root, _FILES, options.splits).values():
        for file in files:
            images = f"{file.split('/')[0]}/png"
            yield from convert(stream_rows(root, file), partial(_candidate, root, images))


def _candidate(root: Path, images: str, row: Row) -> Candidate:
    image = f"{images}/{safe_path(row.text('imgname'))}"
    return Candidate(
        row=row.where,
        image=image,
        load=partial(read_file, root, image),
        question=row.text("query"),
        answer=row.text("label"),
    )


SOURCE = Source(
    name="ChartQA",
    task=Task.FQA,
    context=None,
    license="GPL-3.0; the charts belong to their publishers",
    rehost="unclear",
    homepage="https://github.com/vis-nlp/ChartQA",
    citation="Masry et al., ChartQA: A Benchmark for Question Answering about Charts with Visual "
    "and Logical Reasoning, Findings of ACL 2022, arXiv:2203.10244",
    obtain="Take the folder `ChartQA Dataset` (with the space) of the repository or its archive; "
    "it becomes `ChartQA/ChartQA Dataset/`.",
    files=("ChartQA Dataset/train/train_*.json", "ChartQA Dataset/train/png/*.png"),
    read=read,
)
