"""Files of model outputs in the benchmarks' own formats, and their annotations. Both are untrusted.

Fields that hold somebody's verdict (`prediction`, `true_false`, `model_answer`, `correct`,
`if_right`) are not read.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, ValidationError, computed_field

from ..errors import OutputError

_LONGEST_LIST = 50_000
Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else value)]
"""A text that may be null in the file, which is the same as empty."""
Id = Annotated[str, BeforeValidator(lambda v: str(v) if isinstance(v, int) else v)]


def _listed(text: object) -> object:
    """The list that a text spells in Python's manner; anything else as it is."""
    if not isinstance(text, str) or len(text) > _LONGEST_LIST:
        return text
    try:
        said = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
    return [str(one) for one in said] if isinstance(said, list) else text


class MathVistaProblem(BaseModel):
    """A record of MathVista's testmini.json."""

    pid: Id
    question: str
    image: str = ""
    question_type: Literal["multi_choice", "free_form"]
    answer_type: Literal["text", "integer", "float", "list"]
    answer: str
    choices: list[str] | None = None
    unit: str | None = None
    precision: float | None = Field(None, ge=0, le=30)
    metadata: dict[str, Any] = {}


class MathVistaOutput(MathVistaProblem):
    """A record of a MathVista output file; all that its scorer needs is in it."""

    question: Text = ""
    query: Text = ""
    response: Text = ""
    execution: str | None = None
    """What the program printed that the response is."""
    extraction: str | None = None


class MMMUProblem(BaseModel):
    """A row of MMMU on the Hub, where lists are texts."""

    id: Id
    question: str
    options: Annotated[list[str], BeforeValidator(_listed)]
    answer: Annotated[str | list[str], BeforeValidator(_listed)]
    question_type: str

    @computed_field
    @property
    def index2ans(self) -> dict[str, str]:
        """The options by letter, as outputs have them."""
        return {chr(ord("A") + number): text for number, text in enumerate(self.options)}

    @computed_field
    @property
    def all_choices(self) -> list[str]:
        """The letters."""
        return list(self.index2ans)


class MMMUOutput(BaseModel):
    """A row of an MMMU output file."""

    id: Id
    question_type: str = "multiple-choice"
    answer: str | list[str]
    all_choices: list[str] = []
    index2ans: dict[str, str] = {}
    response: Text = ""


class MMMUProOutput(BaseModel):
    """A row of an MMMU-Pro output file."""

    id: Id
    options: Annotated[list[str], BeforeValidator(_listed)]
    """In the file the text of a Python list."""
    answer: str
    subject: str = ""
    response: Text = ""


class MathVisionProblem(BaseModel):
    """A row of MATH-V's test.jsonl."""

    id: Id
    options: list[str]
    answer: str
    level: int
    subject: str
    question: str = ""
    image: str = ""


class MathVisionOutput(BaseModel):
    """A row of a MATH-V output file."""

    id: Id
    answer: str | None = None
    """Only where the problem is told with the response."""
    response: Text = ""


class MathVerseProblem(BaseModel):
    """A record of MathVerse's testmini."""

    sample_index: Id
    problem_version: str
    question: str
    """Empty in the version Vision Only."""
    question_for_eval: Text = ""
    """The question in full, for who judges; not in all files."""
    answer: str
    question_type: Literal["multi-choice", "free-form"]
    metadata: dict[str, Any] = {}
    image: Text = ""


class MathVerseOutput(MathVerseProblem):
    """A record of a MathVerse output file."""

    response: Text = Field("", alias="model_answer")
    """Its field `model_answer` is the whole response."""
    extraction: str | None = None
    judgement: int | None = Field(None, ge=0, le=1)
    """What a model said of the extraction."""


class DrawnProblem(BaseModel):
    """A question about a drawn picture, with the fields of MathV360K."""

    id: Id
    question: str
    choices: list[str] = []
    answer: str
    answer_type: Literal["text", "integer", "float", "list", "yes_no"]
    unit: str | None = None
    precision: int | None = None
    task: str = ""
    level: int = 0

    @computed_field
    @property
    def question_type(self) -> str:
        """As MathVista calls it."""
        return "multi_choice" if self.choices else "free_form"


class DrawnOutput(DrawnProblem):
    """A row of outputs of the embedded benchmark."""

    response: Text = ""


Row = TypeVar("Row", bound=BaseModel)


def rows_of(path: Path, kind: type[Row], key: str) -> list[Row]:
    """The rows of a JSON or JSONL file, each with another `key`.

    Raises `OutputError` where the file cannot be read, a row is of another form or there twice.
    """
    result: dict[str, Row] = {}
    for place, raw in _raw_rows(path):
        try:
            row = kind.model_validate(raw)
        except ValidationError as error:
            first = error.errors(include_input=False)[0]
            field = ".".join(map(str, first["loc"])) or "the row"
            raise OutputError(
                f"{path}, {place}: {field}: {first['msg']}; is it an output of this benchmark?"
            ) from None
        identity = getattr(row, key)
        if identity in result:
            raise OutputError(f"{path}, {place}: {key} {identity!r} is there twice.")
        result[identity] = row
    if not result:
        raise OutputError(f"{path} has no rows.")
    return list(result.values())


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a JSON or JSONL file as they are, all fields; raises `OutputError`."""
    for place, row in _raw_rows(path):
        if not isinstance(row, dict):
            raise OutputError(f"{path}, {place} is not a JSON object.")
        yield row


def answers_of(path: Path) -> dict[str, str]:
    """A file that has just an answer by id, as MMMU's `total_val_output.json`."""
    said = read_json(path)
    if not isinstance(said, dict) or not all(isinstance(v, str | None) for v in said.values()):
        raise OutputError(f"{path} is not a JSON object of answers by id.")
    return {identity: answer or "" for identity, answer in said.items()}


def read_json(path: Path) -> Any:
    """A JSON file in which no key of an object is there twice; raises `OutputError`."""
    try:
        return json.loads(path.read_bytes(), object_pairs_hook=_object)
    except (ValueError, RecursionError, OSError) as error:
        raise OutputError(f"{path} cannot be read as JSON ({error}).") from None


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice!r} is there twice")
    return result


def _raw_rows(path: Path) -> Iterator[tuple[str, Any]]:
    if path.suffix == ".jsonl":
        yield from _lines(path)
        return
    said = read_json(path)
    rows: Iterable[Any] = said
    if isinstance(said, dict):
        rows = [_with_id(identity, row) for identity, row in said.items()]
    elif not isinstance(said, list):
        raise OutputError(f"{path} is neither a JSON list nor an object of rows.")
    for number, row in enumerate(rows, start=1):
        yield f"record {number}", row


def _with_id(identity: str, row: Any) -> Any:
    return {"pid": identity, **row} if isinstance(row, dict) else row


def _lines(path: Path) -> Iterator[tuple[str, Any]]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield f"line {number}", json.loads(line, object_pairs_hook=_object)
    except (ValueError, RecursionError, OSError) as error:
        raise OutputError(f"{path} cannot be read as JSON lines ({error}).") from None
