"""The problems of benchmarks: from the Hub, from a copy of it, or from their own files; and drawn.

Images stay where they are until a problem is asked. All of it is untrusted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from datasets import Dataset, Image, get_dataset_config_names, load_dataset
from pydantic import BaseModel, ValidationError

from ..builder.hub_client import unlogged
from ..builder.images import read_file
from ..builder.schema import Reason, Unusable
from ..builder.sources import drawn
from ..errors import OutputError, UsageError
from . import mmmu
from .outputs import (
    DrawnProblem,
    MathVerseProblem,
    MathVisionProblem,
    MathVistaProblem,
    MMMUProblem,
    rows_of,
)
from .prompts import mathv360k, mathverse, mathvision, mathvista
from .prompts import mmmu as mmmu_prompts

HELD_OUT_SEED = 1_406_171_294
"""The seed of the embedded benchmark, far from those that recipes have."""
DRAWN_PROBLEMS = 500
_MANY = 20_000
"""Drawn pictures after which no more problems are looked for."""
Load = Callable[[], bytes]
Prompt = Callable[[Mapping[str, Any]], str]


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem: its row of the benchmark without the image, and how to read the image.

    `load` raises `Unusable` where the image cannot be had, and is None where there is none.
    """

    id: str
    row: dict[str, Any]
    load: Load | None


@dataclass(frozen=True, slots=True)
class Source:
    """Where a benchmark's problems are, and how they may be asked."""

    kind: type[BaseModel]
    key: str
    prompts: Mapping[str, Prompt]
    """By name, the first is the usual one."""
    repository: str = ""
    configs: Sequence[str | None] = (None,)
    split: str = "test"
    image: str = "image"
    response: str = "response"
    """The field of the outputs that has the response."""
    annotations: tuple[str, ...] = ()
    """Names of the benchmark's own file of problems in a folder."""


def read_problems(
    benchmark: str, data: str | None = None, split: str | None = None, limit: int | None = None
) -> list[Problem]:
    """The problems of a benchmark in its order, at most `limit`.

    `data` is another repository of the Hub, a folder (a copy of the repository, or the benchmark's
    own with its file of problems and the images beside it) or a file of problems. Without it the
    benchmark's own repository is used.

    Raises `UsageError` for a benchmark that cannot be run, or data that are not there, and
    `OutputError` for data of another form.
    """
    if benchmark not in SOURCES:
        known = ", ".join(SOURCES)
        raise UsageError(f"{benchmark!r} cannot be run; there are {known}.")
    if benchmark == "drawn":
        if data is not None or split is not None:
            raise UsageError("The benchmark drawn is drawn here; it has no other data or splits.")
        return list(_drawn(limit or DRAWN_PROBLEMS))
    source = SOURCES[benchmark]
    file = _own_file(source, data)
    found = _own(source, file) if file else _stock(source, data or source.repository, split)
    problems = list(islice(found, limit))
    if len({problem.id for problem in problems}) < len(problems):
        raise OutputError(f"{data or source.repository} has a problem twice.")
    if not problems:
        raise OutputError(f"{data or source.repository} holds no problems of {benchmark}.")
    return problems


def prompt_named(benchmark: str, name: str | None) -> tuple[str, Prompt]:
    """A prompt of a benchmark, the usual one without a name; raises `UsageError`."""
    prompts = SOURCES[benchmark].prompts
    name = name or next(iter(prompts))
    if name not in prompts:
        raise UsageError(f"{benchmark} has the prompts {', '.join(prompts)}, not {name!r}.")
    return name, prompts[name]


def _own_file(source: Source, data: str | None) -> Path | None:
    """The benchmark's own file of problems, where `data` is one or holds one."""
    path = Path(data) if data is not None else None
    if path is None or path.is_file():
        return path
    there = (path / part / name for part in ("", "data") for name in source.annotations)
    return next((candidate for candidate in there if candidate.is_file()), None)


def _own(source: Source, file: Path) -> Iterator[Problem]:
    """Problems of the benchmark's own file, whose images lie beside it or one folder up."""
    for row in rows_of(file, source.kind, source.key):
        record = row.model_dump(mode="json")
        name = getattr(row, "image", "")
        yield Problem(
            record[source.key], record, partial(_beside, file.parent, name) if name else None
        )


def _beside(folder: Path, name: str) -> bytes:
    try:
        return read_file(folder, name)
    except Unusable as missing:
        if missing.reason is not Reason.IMAGE_MISSING:
            raise
        return read_file(folder.parent, name)


def _stock(source: Source, data: str, split: str | None) -> Iterator[Problem]:
    """Problems of a repository of the Hub, or a folder like it, by `datasets`."""
    for config in _configs(source, data):
        table = _table(data, config, split or source.split)
        if source.image not in table.column_names:
            raise OutputError(f"{data} has no column {source.image!r}; is it this benchmark?")
        if isinstance(table.features[source.image], Image):
            table = table.cast_column(source.image, Image(decode=False))
        told = table.remove_columns([c for c in table.column_names if _is_image(table, c)])
        for number, row in enumerate(told):
            said = _row(source, row, f"{data}, row {number + 1}")
            yield Problem(said[source.key], said, partial(_cell, table, number, source.image))


def _configs(source: Source, data: str) -> Sequence[str | None]:
    """Of the repository's configs those that are there: a folder of just Parquet has none."""
    if source.configs == (None,) or not Path(data).is_dir():
        return source.configs
    try:
        there = get_dataset_config_names(data)
    except Exception as error:  # as below
        raise _unloadable(data, error) from None
    return [config for config in source.configs if config in there] or [None]


def _is_image(table: Dataset, column: str) -> bool:
    return isinstance(table.features[column], Image)


def _table(data: str, config: str | None, split: str) -> Dataset:
    try:
        with unlogged():
            return load_dataset(data, config, split=split)
    except Exception as error:  # whatever a strange folder or the network leads the library to
        raise _unloadable(f"{data} ({config})" if config else data, error) from None


def _unloadable(what: str, error: Exception) -> UsageError:
    said = str(error).strip().split("\n")[0].rstrip(".")
    return UsageError(
        f"{what} cannot be loaded: {said}; name a folder with --data, or its repository on the Hub "
        "while there is a network."
    )


def _row(source: Source, row: Any, place: str) -> dict[str, Any]:
    try:
        return source.kind.model_validate(row).model_dump(mode="json")
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        field = ".".join(map(str, first["loc"])) or "the row"
        raise OutputError(f"{place}: {field}: {first['msg']}; is it this benchmark?") from None


def _cell(table: Dataset, number: int, column: str) -> bytes:
    cell = table[number][column]
    data = cell.get("bytes") if isinstance(cell, dict) else None
    if not data:
        raise Unusable(Reason.IMAGE_MISSING, f"row {number + 1} has no image")
    return data


def _drawn(limit: int) -> Iterator[Problem]:
    """One question each about clear pictures of the held-out seed."""
    count = 0
    for number in range(_MANY):
        picture = drawn.invent(HELD_OUT_SEED, number)
        if picture.flaw is not None or not picture.originals:
            continue
        asked = picture.originals[number % len(picture.originals)]
        row = DrawnProblem(
            id=picture.name,
            question=asked.text,
            choices=list(asked.choices),
            answer=asked.answer,
            answer_type=asked.answer_type.value,
            unit=asked.unit,
            precision=asked.precision,
            task=picture.family.task.value,
            level=picture.scene.complexity,
        )
        yield Problem(picture.name, row.model_dump(mode="json"), partial(drawn.draw, picture.name))
        count += 1
        if count == limit:
            return


def _as_ours(
    row: Mapping[str, Any], choices: Sequence[str], answer: str, question: str
) -> dict[str, Any]:
    """A row of another benchmark with the fields of MathV360K."""
    whole = answer.strip().lstrip("-").isdigit()
    form = "text" if choices else "integer" if whole else "text"
    return {
        **row,
        "question": question,
        "choices": list(choices),
        "unit": None,
        "precision": None,
        "answer_type": form,
        "question_type": "multi_choice" if choices else "free_form",
    }


def _hint_first_mathvision(row: Mapping[str, Any]) -> str:
    return mathv360k.hint_first(_as_ours(row, row["options"], row["answer"], row["question"]))


SOURCES: dict[str, Source] = {
    "mathvista": Source(
        MathVistaProblem,
        "pid",
        {
            "query": mathvista.query,
            "build_query": mathvista.build_query,
            "2shot_solution": partial(mathvista.build_query, shots=2),
            "2shot_code": partial(mathvista.build_query, shots=2, kind="code"),
            "mathv360k": mathvista.query,
        },
        "AI4Math/MathVista",
        split="testmini",
        image="decoded_image",
        annotations=("testmini.json", "mathvista_testmini.json"),
    ),
    "mmmu": Source(
        MMMUProblem,
        "id",
        {"direct": mmmu_prompts.direct, "mathv360k": mmmu_prompts.math_llava},
        "MMMU/MMMU",
        tuple(mmmu.SUBJECTS),
        "validation",
        "image_1",
    ),
    "mathvision": Source(
        MathVisionProblem,
        "id",
        {
            "direct": mathvision.direct,
            "boxed": mathvision.boxed,
            "cot": mathvision.cot,
            "gemini": mathvision.gemini,
            "mathv360k": _hint_first_mathvision,
        },
        "MathLLMs/MathVision",
        image="decoded_image",
        annotations=("test.jsonl", "mathv_test.jsonl"),
    ),
    "mathverse": Source(
        MathVerseProblem,
        "sample_index",
        {"query_wo": mathverse.query_wo, "query_cot": mathverse.query_cot},
        "AI4Math/MathVerse",
        ("testmini",),
        "testmini",
        response="model_answer",
        annotations=("testmini.json",),
    ),
    "drawn": Source(
        DrawnProblem, "id", {"mathv360k": mathv360k.hint_first, "plain": mathv360k.plain}
    ),
}
"""What `mathv360k eval run` knows."""
