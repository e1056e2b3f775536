"""PMC-VQA: multiple-choice questions about figures of medical articles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

import msgspec

from ..schema import Reason, Task, Unusable
from .files import Files
from .rows import choice_of_letter, convert, csv_file, refuse_other_split, split_files
from .source import Candidate, ReadOptions, Rejection, Source, Split

_FILES: dict[Split, tuple[str, str]] = {"train": ("train_2.csv", "train.csv")}
_IMAGES = {"train_2.csv": "figures", "train.csv": "images"}
_LETTER = re.compile(r"[A-D]\s*:\s*")


class _Row(msgspec.Struct):
    """Version 1 has the answer's text and its letter, version 2 the letter as `Answer`."""

    path: str = msgspec.field(name="Figure_path")
    question: str = msgspec.field(name="Question")
    a: str = msgspec.field(name="Choice A")
    b: str = msgspec.field(name="Choice B")
    c: str = msgspec.field(name="Choice C")
    d: str = msgspec.field(name="Choice D")
    answer: str | None = msgspec.field(name="Answer", default=None)
    misspelt: str | None = msgspec.field(name="Anwser", default=None)
    label: str | None = msgspec.field(name="Answer_label", default=None)
    split: str | None = None


def read(files: Files, options: ReadOptions) -> Iterator[Candidate | Rejection]:
    for names in split_files(SOURCE, files, _FILES, options.splits, every=True).values():
        for name in names:
            rows = csv_file(files, name, _Row)
            yield from convert(rows, partial(_candidate, files, _IMAGES[name]))


def _candidate(files: Files, folder: str, where: str, _: int | str, row: _Row) -> Candidate:
    refuse_other_split(row.split or None, "train")
    image = f"{folder}/{row.path}"
    choices = [_bare(choice) for choice in (row.a, row.b, row.c, row.d)]
    said = (row.answer or row.misspelt or "").strip()
    index = choice_of_letter((row.label or said).strip(), choices)
    if row.label is not None and said and _plain(said) != _plain(choices[index]):
        detail = f"answer {said[:40]!r} is not choice {row.label.strip()}, {choices[index][:40]!r}"
        raise Unusable(Reason.ANSWER_NOT_AMONG_CHOICES, detail)
    return Candidate(
        row=where,
        image=image,
        load=files.image(image),
        question=row.question,
        answer=choices[index],
        choices=choices,
        answer_index=index,
    )


def _bare(choice: str) -> str:
    """A choice without the letter that stands before it in all releases: `A:Heart`."""
    text = choice.strip()
    if text[1:2] == ":" and text[0] in "ABCD":
        return text[2:].lstrip()
    return _LETTER.sub("", text, count=1)


def _plain(text: str) -> str:
    return _bare(text).rstrip(".").casefold()


SOURCE = Source(
    name="PMC-VQA",
    task=Task.VQA,
    context="medical image",
    license="the licence of each article (PMC Open Access)",
    rehost="unclear",
    terms="Each figure has the licence of its article in PMC Open Access.",
    homepage="https://github.com/xiaoman-zhang/PMC-VQA",
    citation="Zhang et al., PMC-VQA: Visual Instruction Tuning for Medical Visual Question "
    "Answering, 2023, arXiv:2305.10415",
    obtain="Download version 2 from https://huggingface.co/datasets/xmcmic/PMC-VQA: `train_2.csv` "
    "and `images_2.zip`, as it is or unpacked to `figures/`, go into `PMC-VQA/`; or version 1: "
    "`train.csv` and `images.zip`.",
    files=("train_2.csv", "figures/*.jpg"),
    read=read,
)
