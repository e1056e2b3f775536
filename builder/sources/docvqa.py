"""DocVQA: questions about single pages of scanned documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import msgspec

from ..schema import Reason, Task, Unusable
from .files import Files
from .rows import convert, json_file, refuse_other_split, split_files
from .source import Candidate, Mirror, ReadOptions, Rejection, Source, Split

_FILES: dict[Split, tuple[str, ...]] = {
    "train": ("train/train_v1.0.json", "spdocvqa_qas/train_v1.0_withQT.json"),
    "validation": ("val/val_v1.0.json", "spdocvqa_qas/val_v1.0_withQT.json"),
}
_SAID: dict[Split, str] = {"train": "train", "validation": "val"}


class _Row(msgspec.Struct):
    question: str
    image: str
    answers: list[str]
    data_split: str | None = None


def read(files: Files, options: ReadOptions) -> Iterator[Candidate | Rejection]:
    for split, names in split_files(SOURCE, files, _FILES, options.splits).items():
        # The later release has the pages of all splits in one folder.
        folder = names[0].split("/")[0]
        base = f"{folder}/" if folder == _SAID[split] else "spdocvqa_images/"
        make = partial(_candidate, files, base, _SAID[split])
        yield from convert(json_file(files, names[0], _Row, "data"), make)


def _candidate(
    files: Files, base: str, split: str, where: str, _: int | str, row: _Row
) -> Candidate:
    refuse_other_split(row.data_split, split)
    if not row.answers:
        raise Unusable(Reason.NO_ANSWER, "the list of answers is empty")
    page = row.image.rpartition("/")[2]
    path = f"{base}{row.image if base == f'{split}/' else page}"
    return Candidate(
        row=where,
        image=page,
        load=files.image(path),
        question=row.question,
        answer=row.answers[0],
    )


class _Copied(msgspec.Struct):
    question: str
    answers: list[str] | None


def _from_copy(where: str, image: str, load: Callable[[], bytes], row: _Copied) -> Candidate:
    if not row.answers:
        raise Unusable(Reason.NO_ANSWER, "the list of answers is empty")
    return Candidate(
        row=where, image=image, load=load, question=row.question, answer=row.answers[0]
    )


SOURCE = Source(
    name="DocVQA",
    task=Task.FQA,
    context="document image",
    license="RRC terms of use, for research",
    rehost="no",
    terms="The pages come from the UCSF Industry Documents Library without an explicit right to "
    "redistribute; access is for research, after registration at the challenge.",
    homepage="https://www.docvqa.org",
    citation="Mathew et al., DocVQA: A Dataset for VQA on Document Images, WACV 2021, "
    "arXiv:2007.00398",
    obtain="Register at the Robust Reading Competition (task 17, single page) and download the "
    "train split; it becomes `DocVQA/train/`.",
    files=("train/train_v1.0.json", "train/documents/*.png"),
    read=read,
    mirrors=(Mirror("HuggingFaceM4/DocumentVQA", _Copied, _from_copy),),
)
