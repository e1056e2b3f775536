"""What the tests of the source readers share."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from PIL import Image

from mathv360k.builder.intake import checked
from mathv360k.builder.schema import Reason
from mathv360k.builder.sources import SOURCES
from mathv360k.builder.sources.files import Files
from mathv360k.builder.sources.source import Candidate, ReadOptions, Rejection, Split

VALIDATION: tuple[Split, ...] = ("validation",)


def read(
    name: str, folder: Path, splits: tuple[Split, ...] = ("train",)
) -> list[Candidate | Rejection]:
    """All that the reader of the source yields for its folder."""
    with Files(folder) as files:
        return list(SOURCES[name].read(files, ReadOptions(splits=splits)))


def candidates(name: str, folder: Path, splits: tuple[Split, ...] = ("train",)) -> list[Candidate]:
    """The same where no row is rejected."""
    rows = read(name, folder, splits)
    assert not [row for row in rows if isinstance(row, Rejection)]
    return [row for row in rows if isinstance(row, Candidate)]


def asked(row: Candidate | Rejection) -> tuple[str, list[str], str, str | None]:
    """Question, choices, answer and answer letter as they get into a pool."""
    assert isinstance(row, Candidate), row
    return checked(row)


def rejection(row: Candidate | Rejection) -> tuple[str, Reason, str]:
    """Where the rejected row stands, why it is rejected, and the sentence."""
    assert isinstance(row, Rejection), row
    return row.row, row.reason, row.detail


def write(path: Path, content: Any) -> Path:
    """A file of this text, these bytes, or anything else as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return path


def png(number: int = 0, size: tuple[int, int] = (8, 6), mode: str = "RGB") -> bytes:
    """A small picture; another number, another picture."""
    image = Image.new("RGB", size, "white")
    image.putpixel((0, 0), (number % 256, number // 256 % 256, number // 65_536))
    buffer = io.BytesIO()
    image.convert(mode).save(buffer, "PNG")
    return buffer.getvalue()
