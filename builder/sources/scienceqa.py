"""ScienceQA: multiple-choice questions of school science, some with an image."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import msgspec

from ..json_rows import decode
from ..schema import Task, Unusable
from .files import Files
from .rows import choice_of_index, convert, json_file
from .source import Candidate, Mirror, ReadOptions, Rejection, Source

_SPLITS = {"train": "train", "val": "validation"}


class _Problem(msgspec.Struct):
    question: str
    choices: list[str]
    answer: int  # position from 0
    split: str
    image: str | None
    hint: str = ""
    lecture: str = ""
    solution: str = ""


def read(files: Files, options: ReadOptions) -> Iterator[Candidate | Rejection]:
    below = files.inside("data", "scienceqa")
    images = next((f for f in (below, files) if f.exists("images")), below)
    test = _test_problems(below)
    rows = json_file(below, "problems.json", _Problem)
    yield from convert(rows, partial(_candidate, images, options.splits, test))


def _test_problems(files: Files) -> set[str]:
    """Names of the problems that `pid_splits.json`, where it is there, puts into the test part."""
    if not files.exists("pid_splits.json"):
        return set()
    with files.open("pid_splits.json") as file:
        splits = decode(file.read(), dict[str, list[str]])
    return set() if isinstance(splits, Unusable) else set(splits.get("test", ()))


def _candidate(
    images: Files,
    splits: tuple[str, ...],
    test: set[str],
    where: str,
    name: int | str,
    row: _Problem,
) -> Candidate | None:
    if row.split == "test" or str(name) in test or _SPLITS.get(row.split) not in splits:
        return None
    if not row.image:  # a question about a text alone
        return None
    path = f"{row.split}/{name}/{row.image}"
    return _asked(where, path, images.image(f"images/{path}"), row)


def _asked(where: str, image: str, load: Callable[[], bytes], row: _Problem | _Copied) -> Candidate:
    """The hint is the passage that the question is about; lecture and solution explain it."""
    index = choice_of_index(row.answer, row.choices)
    rationale = [text for text in (row.lecture, row.solution) if text and text.strip()]
    hint = (row.hint or "").strip()
    return Candidate(
        row=where,
        image=image,
        load=load,
        question=f"{hint}\n{row.question}" if hint else row.question,
        answer=row.choices[index],
        choices=row.choices,
        answer_index=index,
        rationale="\n".join(rationale),
    )


class _Copied(msgspec.Struct):
    question: str
    choices: list[str]
    answer: int
    hint: str | None = None
    lecture: str | None = None
    solution: str | None = None


SOURCE = Source(
    name="ScienceQA",
    task=Task.TQA,
    context=None,
    license="CC BY-NC-SA 4.0",
    rehost="yes",
    terms="Not for commercial use, under the same licence, with attribution.",
    homepage="https://github.com/lupantech/ScienceQA",
    citation="Lu et al., Learn to Explain: Multimodal Reasoning via Thought Chains for Science "
    "Question Answering, NeurIPS 2022, arXiv:2209.09513",
    obtain="Take the folder `data/scienceqa` of the repository, which becomes "
    "`ScienceQA/data/scienceqa/`, and unpack "
    "https://scienceqa.s3.us-west-1.amazonaws.com/images/train.zip into its folder `images`.",
    files=("data/scienceqa/problems.json", "data/scienceqa/images/train/*/image.png"),
    read=read,
    mirrors=(
        Mirror("derek-thomas/ScienceQA", _Copied, _asked),
        Mirror("lmms-lab/ScienceQA", _Copied, _asked, config="ScienceQA-IMG"),
    ),
)
