"""The one definition of a row: its words, its columns, and how the Hub sees them."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import pyarrow as pa


class Task(StrEnum):
    """The five task families of MathVista (arXiv 2310.02255, section 2.1)."""

    FQA = "FQA"
    """Figure question answering."""
    GPS = "GPS"
    """Geometry problem solving."""
    MWP = "MWP"
    """Math word problem."""
    TQA = "TQA"
    """Textbook question answering."""
    VQA = "VQA"
    """Visual question answering."""


class Kind(StrEnum):
    """Where a question comes from (Math-LLaVA, arXiv 2406.17294, section 3.2)."""

    ORIGINAL = "original"
    ASK_IMAGE = "ask_image"
    COMPLEX = "complex"
    REPHRASE = "rephrase"
    SIMPLIFY = "simplify"
    SYNTHETIC = "synthetic"
    """Written by the paper's teacher; the release does not say as which of the four."""


class AnswerType(StrEnum):
    """What an answer is, as MathVista names it."""

    TEXT = "text"
    INTEGER = "integer"
    FLOAT = "float"
    LIST = "list"
    YES_NO = "yes_no"


class QuestionType(StrEnum):
    """How a question is put."""

    MULTI_CHOICE = "multi_choice"
    FREE_FORM = "free_form"


class Reason(StrEnum):
    """Why a row is in the quarantine."""

    IMAGE_MISSING = "image_missing"
    IMAGE_EMPTY = "image_empty"
    IMAGE_TRUNCATED = "image_truncated"
    IMAGE_UNREADABLE = "image_unreadable"
    IMAGE_TOO_LARGE = "image_too_large"
    UNSAFE_PATH = "unsafe_path"
    MALFORMED_ROW = "malformed_row"
    UNKNOWN_SOURCE = "unknown_source"
    NO_QUESTION = "no_question"
    NO_ANSWER = "no_answer"
    UNANSWERABLE = "unanswerable"
    WRONG_SPLIT = "wrong_split"
    NOT_ONE_IMAGE = "not_one_image"
    LETTERS_NOT_DRAWN = "letters_not_drawn"
    ANSWER_NOT_AMONG_CHOICES = "answer_not_among_choices"
    DUPLICATE_ID = "duplicate_id"
    DUPLICATE_QUESTION = "duplicate_question"
    SAME_PROBLEM = "same_problem"
    CONFLICTING_ANSWERS = "conflicting_answers"


def printable(text: str) -> str:
    """`text` without halves of surrogate pairs, which JSON can spell but no file takes."""
    return text.encode("utf-8", "backslashreplace").decode()


class Unusable(Exception):
    """A row or an image that cannot be used: the reason for the quarantine, and a sentence."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


_text = pa.string()
QUESTION = pa.schema(
    {
        "id": _text,
        "source": _text,
        "task": _text,
        "context": _text,
        "kind": _text,
        "parent_id": _text,
        "question": _text,
        "choices": pa.list_(_text),
        "answer": _text,
        "answer_letter": _text,
        "answer_type": _text,
        "question_type": _text,
        "unit": _text,
        "precision": pa.int8(),
        "rationale": _text,
        "teacher": _text,
        "agreement": pa.float32(),
        "contamination": _text,
        "license": _text,
    }
)
"""What a question says about itself, without its image."""

REJECTED = pa.schema(
    {
        "image_id": _text,
        **{column.name: column.type for column in QUESTION},
        "reason": _text,
        "detail": _text,
        "reply": _text,
    }
)
"""A question that a teacher wrote and that is not kept: why, and what came where none did."""

IMAGE = pa.struct({"bytes": pa.binary(), "path": _text})
"""How the Hub stores a picture: the file's own bytes and a name."""

_SCORES = {"clarity": pa.float32(), "complexity": pa.int8()}
_IMAGE_COLUMNS = {
    "image": IMAGE,
    "image_id": _text,
    "source": _text,
    "task": _text,
    "context": _text,
    "format": _text,
    "width": pa.int32(),
    "height": pa.int32(),
    **_SCORES,
    "license": _text,
}
_QUESTION_COLUMNS = {
    "id": _text,
    "image_id": _text,
    **{f.name: f.type for f in list(QUESTION)[1:-1]},
    **_SCORES,
    "license": _text,
    "row_sha256": _text,
}
_NESTED = [(n, t) for n, t in _QUESTION_COLUMNS.items() if n not in ("image_id", *_SCORES)]

CONFIGS = {
    "default": pa.schema({"id": _text, "image": IMAGE, **_QUESTION_COLUMNS}),
    "images": pa.schema({**_IMAGE_COLUMNS, "questions": pa.list_(pa.struct(_NESTED))}),
    "questions": pa.schema(_QUESTION_COLUMNS),
}
"""The dataset's configs: a row per question, a row per image, and questions without images."""

ALL_CONFIGS = {**CONFIGS, "rejected": REJECTED}
"""Also those that a dataset may lack: what a teacher wrote and was not kept."""

BATCH_ROWS = {"default": 128}
"""Rows that `datasets` takes out of a file at once, where not a whole group of them.

A group of `default` repeats each picture for all its questions: nine times its size on the disk.
"""


def parquet_features(schema: pa.Schema) -> dict[str, Any]:
    """The `datasets` features of a config, as the JSON that `datasets` keeps in Parquet files.

    In the spelling that `datasets` 3, 4 and 5 all read (no `List`).
    """
    return {column.name: _feature(column.type) for column in schema}


def card_features(schema: pa.Schema) -> list[dict[str, Any]]:
    """The same features as the YAML of a dataset card spells them (`dataset_info.features`)."""
    return [{"name": column.name, **_card_feature(column.type)} for column in schema]


def _feature(kind: pa.DataType) -> Any:
    if kind.equals(IMAGE):
        return {"_type": "Image"}
    if pa.types.is_list(kind) and pa.types.is_struct(kind.value_type):
        return [{f.name: _feature(f.type) for f in kind.value_type}]
    if pa.types.is_list(kind):
        return {"feature": _feature(kind.value_type), "_type": "Sequence"}
    return {"dtype": _dtype(kind), "_type": "Value"}


def _card_feature(kind: pa.DataType) -> dict[str, Any]:
    if kind.equals(IMAGE):
        return {"dtype": "image"}
    if pa.types.is_list(kind) and pa.types.is_struct(kind.value_type):
        return {"list": [{"name": f.name, **_card_feature(f.type)} for f in kind.value_type]}
    if pa.types.is_list(kind):
        return {"list": _dtype(kind.value_type)}
    return {"dtype": _dtype(kind)}


def _dtype(kind: pa.DataType) -> str:
    return {"float": "float32"}.get(str(kind), str(kind))
