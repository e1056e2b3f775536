"""A dataset of many images, for benchmarks of what is done with one: verify, report, stream."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path

import numpy as np
from PIL import Image

from mathv360k.builder.recipe import Recipe
from mathv360k.builder.sources.source import Candidate
from mathv360k.pipeline import write_dataset
from pools import pool_of, question

QUESTIONS = 9
"""Of each image, as MathV360K has on average."""
_SOURCES = ("FigureQA", "GEOS", "IconQA", "TabMWP", "VQA2.0")
_BATCH = 64
_TEXT = "How long is side {} of the figure in picture {}, in cm?"


def write(folder: Path, images: int, side: int = 352) -> Path:
    """Write a dataset of so many JPEG images of noise, of some 75 KB with a `side` of 352 pixels.

    Its two configs with images have each image once, so that it has twice their bytes.
    """
    pool_of(folder.with_name(f"{folder.name}.pool"), _rows(images, side))
    recipe = Recipe(name="large", splits={"train": 0.98, "validation": 0.01, "test": 0.01})
    write_dataset(recipe, folder.with_name(f"{folder.name}.pool"), folder)
    return folder


def _rows(images: int, side: int) -> Iterator[tuple[str, Candidate]]:
    with ThreadPoolExecutor() as threads:
        for first in range(0, images, _BATCH):
            batch = range(first, min(images, first + _BATCH))
            drawn = threads.map(_noise, batch, repeat(side))
            for number, data in zip(batch, drawn, strict=True):
                for place in range(QUESTIONS):
                    text = _TEXT.format(place, number)
                    source = _SOURCES[number % len(_SOURCES)]
                    yield source, question(f"{number}.jpg", data, text, f"{number + place}")


def _noise(seed: int, side: int) -> bytes:
    """A JPEG of random pixels over a slope that is another for each seed."""
    rng = np.random.default_rng(seed)
    slope = np.linspace(*rng.uniform(0, 160, 2), side)[:, None, None]
    pixels = slope + rng.integers(0, 96, (side, side, 3))
    buffer = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()
