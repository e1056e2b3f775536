"""Pickled geometry problems: GeoQA+ and UniGeo have the same fields, partly the same problems."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from ...errors import SourceError
from .. import pickles
from ..images import MAX_PIXELS, encode_png
from ..json_rows import convert_value
from ..schema import Reason, Unusable
from .files import Files
from .rows import choice_of_index, convert
from .source import Candidate, Rejection


def read_problems(files: Files, name: str, question: str) -> Iterator[Candidate | Rejection]:
    """The problems of a pickled list of dicts; `question` is the field with the question.

    A picture is called by its problem's id. Problems that share an id and a picture (rewordings)
    share the name; another picture of the same id gets a name of its own.
    """
    with files.open(name) as file:
        problems = pickles.load(file, f"{files}/{name}")
    if not isinstance(problems, list):
        raise SourceError(f"{files}/{name} is not a list of problems; download it again.")
    known: dict[int, list[bytes]] = {}

    def make(where: str, _: int | str, problem: dict[str, Any]) -> Candidate:
        number = _field(problem, "id", int)
        choices = _field(problem, "choices", list[str])
        index = choice_of_index(_field(problem, "label", int), choices)
        picture = _picture(problem.get("image"))
        digest = blake2b(picture.tobytes(), digest_size=8).digest()
        pictures = known.setdefault(number, [])
        if digest not in pictures:
            pictures.append(digest)
        place = pictures.index(digest)
        return Candidate(
            row=where,
            image=f"{number}.png" if place == 0 else f"{number}-{place + 1}.png",
            load=lambda: encode_png(Image.fromarray(picture)),
            question=_field(problem, question, str),
            answer=choices[index],
            choices=choices,
            answer_index=index,
        )

    rows = (
        (f"{files.path(name)}: row {i + 1}", i, convert_value(problem, dict[str, Any]))
        for i, problem in enumerate(problems)
    )
    yield from convert(rows, make)


def _field(problem: dict[str, Any], name: str, kind: Any) -> Any:
    if name not in problem:
        raise Unusable(Reason.MALFORMED_ROW, f"{name} is missing")
    value = convert_value(problem[name], kind)
    if isinstance(value, Unusable):
        raise Unusable(value.reason, f"{name}: {value.detail}")
    return value


def _picture(array: Any) -> npt.NDArray[np.uint8]:
    """A grey or RGB picture, `(height, width[, 3]) uint8`, from the array of a problem.

    Bytes are taken as they are. Other numbers, and bytes that are only 0 and 1, are stretched so
    that the smallest becomes 0 and the largest 255: their range is not stated anywhere.
    """
    if not isinstance(array, np.ndarray) or array.ndim not in (2, 3):
        raise Unusable(Reason.IMAGE_UNREADABLE, "image is not an array of two or three dimensions")
    if array.ndim == 3 and array.shape[2] != 3:
        raise Unusable(Reason.IMAGE_UNREADABLE, f"image is an array of shape {array.shape}")
    if not 0 < array.shape[0] * array.shape[1] <= MAX_PIXELS:
        raise Unusable(Reason.IMAGE_UNREADABLE, f"image has {array.shape[:2]} pixels")
    if array.dtype == np.uint8 and array.max() > 1:
        return np.ascontiguousarray(array)
    values = array.astype(np.float64)
    if not np.isfinite(values).all():
        raise Unusable(Reason.IMAGE_UNREADABLE, "image holds values that are no numbers")
    low, high = values.min(), values.max()
    scaled = (values - low) / max(high - low, np.finfo(np.float64).tiny) * 255
    return np.rint(scaled).astype(np.uint8)
