"""Small pools of made-up sources for tests."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from random import Random
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from mathv360k.builder.intake import Feed
from mathv360k.builder.pool import write_pool
from mathv360k.builder.schema import Task
from mathv360k.builder.sources.source import Candidate, Source


def source(name: str) -> Source:
    return Source(
        name, Task.GPS, "diagram", "MIT", "yes", "", "", "", "", ("*",), lambda *_: iter(())
    )


def diagram(seed: int, label: str = "7", size: int = 300) -> Image.Image:
    rng = Random(seed)
    page = Image.new("RGB", (size, size), "white")
    pen = ImageDraw.Draw(page)
    corners = [(rng.uniform(0.1, 0.9) * size, rng.uniform(0.1, 0.9) * size) for _ in range(4)]
    pen.polygon(corners, outline="black", width=3)
    pen.text((size / 2, size / 2), label, fill="black", font=ImageFont.load_default(24))
    return page


def encoded(image: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def question(image: str, data: bytes, text: str, answer: str, **more: Any) -> Candidate:
    return Candidate(
        row=more.pop("row", image),
        image=image,
        load=lambda: data,
        question=text,
        answer=answer,
        **more,
    )


def pool_of(folder: Path, rows: Iterable[tuple[str, Candidate]]) -> Path:
    """Write a pool of rows with their source's name."""
    feed = Feed("made up", ((source(name), row) for name, row in rows))
    write_pool([feed], folder, {"made": "up"})
    return folder
