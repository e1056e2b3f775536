"""A page that shows a source as it is read: pictures with their parsed questions and answers."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..builder.images import inspect, open_rgb
from ..builder.intake import checked
from ..builder.schema import Unusable
from ..builder.sources.files import Files
from ..builder.sources.source import Candidate, ReadOptions, Rejection, Source
from ..errors import SourceError
from .templates import write_document

PICTURES = 20
_ROWS_READ = 50_000
"""A file is left after so many rows, even where their pictures are still too few."""
_REJECTED_SHOWN = 20
_QUESTIONS_SHOWN = 12


@dataclass(slots=True)
class _Picture:
    name: str
    row: str
    data: str | None
    facts: str
    questions: list[dict[str, Any]] = field(default_factory=list)
    more: int = 0


def write_preview(source: Source, root: Path, out: Path, options: ReadOptions) -> int:
    """Write `out`, one HTML file without references to others; how many pictures it shows.

    The first `options.limit` (or 20) pictures of the source in `root/<name>`, each with its
    questions, and rows that cannot be used. Raises `errors.SourceError`.
    """
    folder = root / source.name
    if source.files and not folder.is_dir():
        raise SourceError(f"{folder} does not exist; {source.obtain}")
    pictures: dict[str, _Picture] = {}
    rejected: list[Rejection] = []
    with Files(folder) as files:
        rows = source.read(files, options)
        for number, row in enumerate(rows):
            full = len(pictures) >= (options.limit or PICTURES)
            if number >= _ROWS_READ:
                break
            if isinstance(row, Rejection):
                rejected.append(row)
            elif row.image in pictures:
                rejected += _ask(pictures[row.image], row)
            elif full:
                break
            else:
                picture, bad = _open(row)
                pictures[row.image] = picture
                rejected += bad or _ask(picture, row)
    write_document(
        "preview.html.jinja",
        out,
        source=source,
        pictures=list(pictures.values()),
        rejected=rejected[:_REJECTED_SHOWN],
        rejected_count=len(rejected),
    )
    return sum(picture.data is not None for picture in pictures.values())


def _open(row: Candidate) -> tuple[_Picture, list[Rejection]]:
    """The picture of a row, with the row's rejection where it cannot be shown."""
    try:
        data = row.load()
        facts = inspect(data)
        shown = thumbnail(data)
    except Unusable as bad:
        empty = _Picture(row.image, row.row, None, f"{bad.reason}: {bad.detail}")
        return empty, [Rejection(row.row, bad.reason, bad.detail, row.image)]
    size = f"{facts.format}, {facts.width} × {facts.height} pixels, {len(data):,} bytes"
    return _Picture(row.image, row.row, shown, size), []


def _ask(picture: _Picture, row: Candidate) -> Iterator[Rejection]:
    if picture.data is None:
        return
    try:
        question, choices, answer, letter = checked(row)
    except Unusable as bad:
        yield Rejection(row.row, bad.reason, bad.detail, row.image)
        return
    if len(picture.questions) >= _QUESTIONS_SHOWN:
        picture.more += 1
        return
    picture.questions.append(
        {
            "row": row.row,
            "question": question,
            "choices": choices,
            "answer": answer,
            "place": None if letter is None else ord(letter) - ord("A"),
            "unit": row.unit,
            "rationale": row.rationale,
        }
    )


def thumbnail(data: bytes, side: int = 480, quality: int = 85) -> str:
    """The picture as a data URL, made smaller where it is larger than `side` pixels.

    Raises `Unusable` where the picture cannot be opened.
    """
    image = open_rgb(data)
    image.thumbnail((side, side))
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=quality)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"
