"""AI2D: multiple-choice questions about diagrams of primary school science."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

import msgspec

from ...errors import SourceError
from ..schema import Reason, Task, Unusable
from .files import Files
from .rows import Row, choice_of_index, convert, decode, json_files, split_files
from .source import Candidate, ReadOptions, Rejection, Source, Split

_FOLDERS: dict[Split, tuple[str]] = {"train": ("questions",)}
_TEST_IDS = "ai2d_test_ids.csv"
_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)
_EMPTY = ("", "{}")


class _File(msgspec.Struct):
    questions: dict[str, msgspec.Raw]


class _Question(msgspec.Struct):
    abcLabel: bool
    answerTexts: list[str]
    correctAnswer: int  # position from 0


def read(files: Files, options: ReadOptions) -> Iterator[Candidate | Rejection]:
    below = files.inside("ai2d")
    for (folder,) in split_files(SOURCE, below, _FOLDERS, options.splits).values():
        test = _test_images(files)
        images = [n.removesuffix(".png.json") for n in below.names(folder) if n.endswith(".json")]
        train = sorted((n for n in images if _NUMBER.fullmatch(n) and int(n) not in test), key=int)
        names = (f"{folder}/{number}.png.json" for number in train)
        yield from convert(_questions(json_files(below, names, _File)), partial(_candidate, below))


def _test_images(files: Files) -> set[int]:
    """Numbers of the images that the authors test on, one in each line of a file of its own."""
    for place in (files, files.inside("ai2d")):
        if place.exists(_TEST_IDS):
            with place.open(_TEST_IDS) as file:
                lines = file.read().decode("utf-8-sig", "replace").split()
            if lines and all(_NUMBER.fullmatch(line) for line in lines):
                return {int(line) for line in lines}
            raise SourceError(f"{place}/{_TEST_IDS} is not a list of numbers; download it again.")
    raise SourceError(
        f"{SOURCE.name}: {_TEST_IDS} is not in {files}; download it too, without it nobody knows "
        "which images belong to the test part."
    )


def _questions(rows: Iterator[Row[_File]]) -> Iterator[Row[tuple[str, _Question]]]:
    """The questions of each file; their key is the image's name."""
    for where, name, content in rows:
        image = str(name).rpartition("/")[2].removesuffix(".json")
        if isinstance(content, Unusable):
            yield where, image, content
            continue
        for number, (text, raw) in enumerate(content.questions.items()):
            question = decode(raw, _Question)
            value = question if isinstance(question, Unusable) else (text, question)
            yield f"{where}: question {number + 1}", image, value


def _candidate(files: Files, where: str, image: int | str, row: tuple[str, _Question]) -> Candidate:
    text, question = row
    if question.abcLabel:
        raise Unusable(
            Reason.LETTERS_NOT_DRAWN, "asks about letters that are not in the released picture"
        )
    index = choice_of_index(question.correctAnswer, question.answerTexts)
    if question.answerTexts[index].strip() in _EMPTY:
        raise Unusable(Reason.NO_ANSWER, f"the right choice is {question.answerTexts[index]!r}")
    kept = [i for i, choice in enumerate(question.answerTexts) if choice.strip() not in _EMPTY]
    return Candidate(
        row=where,
        image=str(image),
        load=files.image(f"images/{image}"),
        question=text,
        answer=question.answerTexts[index],
        choices=[question.answerTexts[i] for i in kept],
        answer_index=kept.index(index),
    )


SOURCE = Source(
    name="AI2D",
    task=Task.TQA,
    context="scientific figure",
    license="unclear: stated both as CC BY-SA and as research only without redistribution",
    rehost="unclear",
    terms="Statements conflict: CC BY-SA on one page, research only without redistribution on "
    "another; the pictures come from a web search.",
    homepage="https://prior.allenai.org/projects/diagram-understanding",
    citation="Kembhavi et al., A Diagram Is Worth a Dozen Images, ECCV 2016, arXiv:1603.07396",
    obtain="Unpack https://ai2-public-datasets.s3.amazonaws.com/diagrams/ai2d-all.zip, which "
    "becomes `AI2D/ai2d/`, and put "
    "https://s3-us-east-2.amazonaws.com/prior-datasets/ai2d_test_ids.csv into `AI2D/`.",
    files=(
        "ai2d_test_ids.csv",
        "ai2d/questions/*.png.json",
        "ai2d/annotations/*.png.json",
        "ai2d/images/*.png",
    ),
    read=read,
)
