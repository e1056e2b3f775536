"""What spoils a picture: the flaws that make it unclear to a reader."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from PIL import Image, ImageDraw, ImageEnhance, ImageFilter


def _blurred(image: Image.Image, rng: Random) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(rng.uniform(3.5, 6)))


def _coarse(image: Image.Image, rng: Random) -> Image.Image:
    factor = rng.randint(6, 9)
    small = image.reduce(factor)
    return small.resize(image.size, Image.Resampling.NEAREST)


def _noisy(image: Image.Image, rng: Random) -> Image.Image:
    noise = Image.frombytes("RGB", image.size, rng.randbytes(3 * image.width * image.height))
    return Image.blend(image, noise, rng.uniform(0.7, 0.82))


def _faded(image: Image.Image, rng: Random) -> Image.Image:
    pale = ImageEnhance.Contrast(image).enhance(rng.uniform(0.04, 0.08))
    return pale.filter(ImageFilter.GaussianBlur(1.5))


def _cluttered(image: Image.Image, rng: Random) -> Image.Image:
    """Scribbled over: the lines are as dark and as wide as those that carry meaning."""
    page = image.copy()
    pen = ImageDraw.Draw(page)
    for _ in range(rng.randint(28, 40)):
        points = [
            (rng.uniform(0, image.width), rng.uniform(0, image.height))
            for _ in range(rng.randint(2, 5))
        ]
        colour = rng.choice(("#1f2430", "#3b6fb6", "#c0504d", "#4c9f70", "#5a6270"))
        pen.line(points, fill=colour, width=rng.randint(3, 7), joint="curve")
    return page


FLAWS: dict[str, Callable[[Image.Image, Random], Image.Image]] = {
    "blurred": _blurred,
    "coarse": _coarse,
    "noisy": _noisy,
    "faded": _faded,
    "cluttered": _cluttered,
}
