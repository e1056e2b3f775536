"""The forms of a teacher's answers, and reading them from whatever text a model writes."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from ..builder.schema import printable

_MAX_FIELD = 8_000
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Control characters, and those that turn the direction of writing."""


def _spelled(value: Any) -> Any:
    """Models write numbers as numbers and nothing as null, whatever the schema says."""
    if value is None:
        return ""
    return str(value) if isinstance(value, (int, float)) else value


def _bounded(text: str) -> str:
    # not as a constraint of the schema, which servers would refuse
    if len(text) > _MAX_FIELD:
        raise ValueError(f"{len(text):,} characters are too many")
    return _UNPRINTABLE.sub("", printable(text)).strip()


Text = Annotated[str, BeforeValidator(_spelled), AfterValidator(_bounded)]
_STRICT = ConfigDict(extra="ignore", json_schema_extra={"additionalProperties": False})
"""Models that do not honour the schema may say more; what they add is left out."""
F = TypeVar("F", bound=BaseModel)


class Written(BaseModel):
    """A new question. The rationale comes first: a model that works it out answers better."""

    model_config = _STRICT

    question: Text
    choices: Annotated[
        list[Text], Field(max_length=26), BeforeValidator(lambda v: [] if v is None else v)
    ] = []
    rationale: Text = ""
    answer: Text
    unit: Text = ""


@dataclass(frozen=True, slots=True)
class Spoilt:
    """One of several questions that is not of its form."""

    reply: str
    problem: str


def _or_spoilt(value: Any, read: ValidatorFunctionWrapHandler) -> Written | Spoilt:
    try:
        return read(value)
    except ValidationError as error:
        return Spoilt(json.dumps(value, ensure_ascii=False)[:_MAX_FIELD], _problem(error))


def _one_good(questions: list[Any]) -> list[Any]:
    bad = [q for q in questions if isinstance(q, Spoilt)]
    if questions and len(bad) == len(questions):
        raise ValueError(bad[0].problem)
    return questions


class WrittenSeveral(BaseModel):
    """New questions about one image; one without form does not spoil the others."""

    model_config = _STRICT

    questions: Annotated[
        list[Annotated[Written, WrapValidator(_or_spoilt)]],
        Field(min_length=1, max_length=40),
        AfterValidator(_one_good),
    ]


class Reworded(BaseModel):
    """An original in other words, and its answer once more."""

    model_config = _STRICT

    question: Text
    answer: Text = ""


class Answered(BaseModel):
    """An answer to a question, worked out first."""

    model_config = _STRICT

    reasoning: Text = ""
    answer: Text


class Judged(BaseModel):
    """Clarity and complexity of an image."""

    model_config = _STRICT

    reason: Text = ""
    clarity: Annotated[int, Field(ge=0, le=1)]
    complexity: Annotated[int, Field(ge=0, le=3)]


class InvalidAnswer(Exception):
    """An answer is not of its form; the message says what is wrong with it."""


_FENCE = re.compile(r"```(?:json)?[ \t]*\n?(.*?)```", re.DOTALL | re.IGNORECASE)
_THOUGHTS = re.compile(r"<think>.*?</think>", re.DOTALL)
_COMMA = re.compile(r",(\s*[}\]])")
_BACKSLASH = re.compile(r"\\(?:\\|[\"/]|u[0-9a-fA-F]{4}|[nrtbf])?")
_LATEX = re.compile(
    r"[bf][A-Za-z]"
    r"|n(?:eq?|abla|u|i|ot|otin|leq|geq|exists|mid)(?![A-Za-z])"
    r"|r(?:ight|ightarrow|ho|angle|m|ceil|floor)(?![A-Za-z])"
    r"|t(?:imes|heta|an|au|ext|extbf|extrm|riangle|frac|o|op)(?![A-Za-z])"
)
"""Commands that JSON would read as a control character and the rest of their name."""
_MAX_TEXT = 200_000
_MAX_STARTS = 20
"""Braces from which an object is looked for in a text without one."""


def read_form(text: str, form: type[F]) -> F:
    """What `text` says in the form wanted; raises `InvalidAnswer`.

    Taken is JSON as it should be, then JSON in a fence, then the first object in the text that
    fits. A comma too many is forgiven, and the backslash of a LaTeX command that was not doubled:
    JSON itself would read `\\frac` as a form feed and `rac`.
    """
    if len(text) > _MAX_TEXT:
        raise InvalidAnswer(f"{len(text):,} characters are too many")
    text = _BACKSLASH.sub(_doubled, text)
    try:
        return form.model_validate_json(text)
    except ValidationError as error:
        problem = _problem(error)
        is_json = error.errors(include_url=False)[0]["type"] != "json_invalid"
    text = _THOUGHTS.sub("", text)
    for candidate in (*_FENCE.findall(text), *_objects(text)):
        try:
            return form.model_validate(json.loads(_COMMA.sub(r"\1", candidate), strict=False))
        except ValidationError as error:
            problem = problem if is_json else _problem(error)  # not of some part of it
        except (ValueError, RecursionError):
            continue
    raise InvalidAnswer(problem)


def _doubled(match: re.Match[str]) -> str:
    """An escape of JSON as it is; the backslash of anything else twice."""
    escape = match[0]
    if len(escape) == 1 or _LATEX.match(match.string, match.start() + 1):
        return "\\\\" + escape[1:]
    return escape


def _objects(text: str) -> list[str]:
    """Stretches of `text` from a brace to where it is closed, or to the last brace there is."""
    found: list[str] = []
    start = text.find("{")
    end = text.rfind("}")
    while 0 <= start < end and len(found) < _MAX_STARTS:
        found.append(text[start : _closing(text, start, end) + 1])
        start = text.find("{", start + 1)
    return found


def _closing(text: str, start: int, end: int) -> int:
    depth, quoted, escaped = 0, False, False
    for place in range(start, end + 1):
        c = text[place]
        if escaped:
            escaped = False
        elif c == "\\":
            escaped = True
        elif c == '"':
            quoted = not quoted
        elif not quoted and c in "{}":
            depth += 1 if c == "{" else -1
            if depth == 0:
                return place
    return end


def _problem(error: ValidationError) -> str:
    """The first thing that is wrong, without the text itself, which can be long."""
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(map(str, first["loc"]))
    said: str = first["msg"]
    return f"{where}: {said}" if where else said
