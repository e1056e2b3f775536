"""What the small CLIP learns from: drawn scenes, clear and spoiled, each with a caption.

No photograph and no picture of any source dataset is among them. What photographs have and drawings
lack (textures, light, noise, blurred backgrounds) comes from the dead leaves model, shapes of
power-law sizes that cover one another, whose statistics are close to those of natural images
(Lee, Mumford, Huang 2001, doi:10.1023/A:1011109015675).
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

from ..scenes import FAMILIES
from ..scenes.flaws import FLAWS
from ..scenes.scene import Scene

SIDE = 336
"""Pixels of a side of what the model sees."""

_RESAMPLINGS = (
    Image.Resampling.BILINEAR,
    Image.Resampling.BICUBIC,
    Image.Resampling.LANCZOS,
    Image.Resampling.BOX,
)
_INKS = ("black", "black", "#222222", "#444444", "#1f3a6b", "#8a1f1f")


@dataclass(frozen=True, slots=True)
class View:
    """A picture as the model sees it, and what is true about it."""

    image: Image.Image  # SIDE x SIDE, RGB
    caption: str
    clear: bool
    load: int | None  # objects and relations of the scene, None where there is no scene


def views(seed: int, number: int) -> tuple[View, View]:
    """Scene `number` of `seed`, once clear and once spoiled, otherwise the same picture."""
    rng = Random(f"embedded clip {seed} {number}")
    name, words, scene, page = _picture(rng)
    if rng.random() < 0.65:
        page = _as_found(page, rng)
    spoil = rng.choice(sorted(_SPOILERS))
    spoiled, seen = _spoiled(page, spoil, rng)
    load = None if scene is None else scene.objects + scene.relations
    clear = View(_fit(page), f"a clear picture of {name}{words}", True, load)
    caption = f"a {_SPOILERS[spoil][0]} picture of {name}{words if seen else ''}"
    return clear, View(spoiled, caption, False, load)


def _picture(rng: Random) -> tuple[str, str, Scene | None, Image.Image]:
    """A family of scenes, what a caption says of this one, the scene, and its picture."""
    draw = rng.random()
    if draw < 0.3:
        count = rng.choice((20, 60, 200, 500))
        return "leaves", f", {count} of them", None, _dead_leaves(rng, count, 400)
    if draw < 0.38:
        lines = rng.randint(6, 60)
        return "words", f", {lines} lines of them", None, _print(rng, lines)
    family = rng.choice(FAMILIES)
    scene = family.invent(rng, rng.randrange(4))
    question = rng.choice(family.questions(scene.description))
    page = family.draw(scene.description)
    if rng.random() < 0.2:
        page = _on_leaves(page, rng)
    words = f" with {scene.objects} objects and {scene.relations} relations"
    return f"a {family.name}", f"{words}. {question.text} {question.answer}", scene, page


def _dead_leaves(rng: Random, count: int, side: int) -> Image.Image:
    """Shapes of power-law sizes that cover one another, some textured, some out of focus."""
    noise = np.random.default_rng(rng.getrandbits(64))
    page = Image.new("RGB", (side, side), _colour(rng))
    pen = ImageDraw.Draw(page)
    for _ in range(count):
        radius = min(side / 2, 6 * rng.random() ** -0.5 * rng.choice((1, 1, 3)))
        x, y = rng.uniform(0, side), rng.uniform(0, side)
        stretch = rng.uniform(0.4, 1)
        box = (x - radius, y - radius * stretch, x + radius, y + radius * stretch)
        shape = rng.randrange(4)
        if shape == 0:
            pen.rectangle(box, fill=_colour(rng))
        elif shape == 1:
            corners = [
                (x + rng.uniform(-radius, radius), y + rng.uniform(-radius, radius))
                for _ in range(rng.randint(3, 6))
            ]
            pen.polygon(corners, fill=_colour(rng))
        else:
            pen.ellipse(box, fill=_colour(rng))
    values = np.asarray(page, np.float32)
    if rng.random() < 0.7:  # a rough surface, on some of the picture
        rough = _clouds(noise, side, rng.uniform(0.4, 1.2)) * rng.uniform(8, 40)
        values = values + (rough * (_clouds(noise, side, 1.8) > rng.uniform(-1, 0.5)))[..., None]
    page = Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))
    if rng.random() < 0.3:  # edges of a scan or a radiograph
        page = page.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1.1)))
    if rng.random() < 0.5:  # a background out of focus is no flaw
        mask = Image.fromarray(
            ((_clouds(noise, side, 2.2) > rng.uniform(0, 0.8)) * 255).astype(np.uint8)
        )
        soft = page.filter(ImageFilter.GaussianBlur(rng.uniform(2, 8)))
        page.paste(soft, mask=mask.filter(ImageFilter.GaussianBlur(3)))
    return page


def _print(rng: Random, lines: int) -> Image.Image:
    """A printed page, much of it too small to be read at the size the model sees."""
    size = rng.randint(11, 22)
    width, height = rng.randint(350, 900), min(1400, int(lines * size * 1.4) + 40)
    page = Image.new("RGB", (width, height), rng.choice(("white", "white", "#f4efe2", "#e8e8e8")))
    pen = ImageDraw.Draw(page)
    font = ImageFont.load_default(size)
    for line in range(lines):
        words = "".join(rng.choice("aaeeinorst lmdcupbgh   vwyk013579.,T") for _ in range(120))
        start = rng.choice((15, 15, 15, rng.uniform(15, width / 2)))
        shown = words[: int(rng.choice((1, 1, 0.5, rng.random())) * width / size * 1.7)]
        pen.text((start, 20 + line * size * 1.4), shown, fill=rng.choice(_INKS), font=font)
        if rng.random() < 0.1:
            y = 18 + line * size * 1.4
            pen.line((15, y, width - 15, y), fill=rng.choice(_INKS), width=rng.randint(1, 3))
    return page


def _clouds(noise: np.random.Generator, side: int, power: float) -> npt.NDArray[np.float32]:
    """Noise whose amplitude falls as 1/f^power, `(side, side)`, mean 0 and deviation 1."""
    y, x = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None]
    frequency = np.maximum(np.hypot(y, x), 1 / side)
    shape = frequency.shape
    spectrum = noise.standard_normal(shape) + 1j * noise.standard_normal(shape)
    values = np.fft.irfft2(spectrum / frequency**power, s=(side, side))
    return ((values - values.mean()) / values.std()).astype(np.float32)


def _colour(rng: Random) -> tuple[int, int, int]:
    grey = rng.uniform(10, 245)
    return tuple(int(min(255, max(0, grey + rng.gauss(0, 35)))) for _ in range(3))  # pyright: ignore


def _on_leaves(page: Image.Image, rng: Random) -> Image.Image:
    """The drawing on something that was photographed."""
    ground = _dead_leaves(rng, rng.choice((40, 150)), 400).resize(page.size)
    how = rng.randrange(3)
    if how == 0:  # printed on it
        return Image.blend(ground, page, rng.uniform(0.5, 0.8))
    if how == 1:  # lying on it
        small = page.resize((int(page.width * 0.75), int(page.height * 0.75)))
        ground.paste(small.rotate(rng.uniform(-8, 8), fillcolor="white"), (20, 20))
        return ground
    light = ImageOps.grayscale(ground).filter(ImageFilter.GaussianBlur(40))  # in uneven light
    return Image.composite(page, ImageEnhance.Brightness(page).enhance(0.6), light)


def _as_found(page: Image.Image, rng: Random) -> Image.Image:
    """The picture as a dataset may have it: other colours, sizes and compression, still clear."""
    if rng.random() < 0.3:
        page = ImageOps.grayscale(page).convert("RGB")
    if rng.random() < 0.1:
        page = ImageOps.invert(page)
    if rng.random() < 0.3:
        page = ImageEnhance.Contrast(page).enhance(rng.uniform(0.5, 1.3))
    if rng.random() < 0.3:
        page = ImageEnhance.Color(page).enhance(rng.uniform(0.2, 1.8))
    if rng.random() < 0.3:
        left, top = (rng.uniform(0, 0.2) * side for side in page.size)
        right, bottom = (rng.uniform(0.8, 1) * side for side in page.size)
        page = page.crop((int(left), int(top), int(right), int(bottom)))
    if rng.random() < 0.2:
        page = page.rotate(rng.choice((90, 180, 270, rng.uniform(-5, 5))), fillcolor="white")
    if rng.random() < 0.2:
        page = ImageOps.expand(page, int(rng.uniform(0, 0.3) * page.width), "white")
    if rng.random() < 0.25:
        page = page.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    side = int(0.42 * 5 ** rng.random() * SIDE)  # small files are clear too
    page = page.resize(
        (side, int(side * rng.uniform(0.7, 1.4))),
        rng.choice(_RESAMPLINGS),
    )
    if rng.random() < 0.2:
        page = page.filter(ImageFilter.UnsharpMask(rng.uniform(0.5, 2), 80))
    if rng.random() < 0.5:
        page = _compressed(page, rng.randint(50, 95))
    if rng.random() < 0.2:
        page = _noisy(page, rng, rng.uniform(1, 7))
    return page


def _spoiled(page: Image.Image, how: str, rng: Random) -> tuple[Image.Image, bool]:
    """The picture with one flaw, and whether what it shows can still be told."""
    if rng.random() < 0.6:  # the flaw at the size the model sees, or at the file's own
        page = _fit(page)
    seen, spoil = _SPOILERS[how][1:]
    page = spoil(page, rng)
    if rng.random() < 0.3:
        page = _compressed(page, rng.randint(50, 95))
    return _fit(page), seen


def _fit(page: Image.Image) -> Image.Image:
    """As the image processor of the model will do it."""
    return (
        page if page.size == (SIDE, SIDE) else page.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    )


def _scale(page: Image.Image) -> float:
    """Pixels of this picture for one pixel of what the model sees."""
    return (page.width * page.height) ** 0.5 / SIDE


def _blurred(page: Image.Image, rng: Random) -> Image.Image:
    return page.filter(ImageFilter.GaussianBlur(_scale(page) * rng.uniform(1.7, 6.5)))


def _moved(page: Image.Image, rng: Random) -> Image.Image:
    """Motion blur: the mean of the picture along a straight path."""
    length, angle = rng.uniform(8, 28) * _scale(page), rng.uniform(0, np.pi)
    steps = max(3, int(length))
    values = np.asarray(page, np.float32)
    total = np.zeros_like(values)
    for step in range(steps):
        way = (step / (steps - 1) - 0.5) * length
        shift = round(way * np.sin(angle)), round(way * np.cos(angle))
        total += np.roll(values, shift, (0, 1))
    return Image.fromarray((total / steps).astype(np.uint8))


def _coarse(page: Image.Image, rng: Random) -> Image.Image:
    """Made small and large again."""
    factor = rng.uniform(3.4, 7) * _scale(page)
    size = max(8, int(page.width / factor)), max(8, int(page.height / factor))
    small = page.resize(size, rng.choice(_RESAMPLINGS))
    ups = (*_RESAMPLINGS, Image.Resampling.NEAREST)
    return small.resize(page.size, rng.choice(ups))


def _compressed(page: Image.Image, quality: int) -> Image.Image:
    buffer = io.BytesIO()
    page.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def _blocky(page: Image.Image, rng: Random) -> Image.Image:
    """JPEG of low quality; its 8-pixel grid is stretched where the file is of another shape."""
    size = [round(SIDE * rng.choice((1, 1, rng.uniform(1, 1.8)))) for _ in range(2)]
    return _compressed(
        page.resize((size[0], size[1]), rng.choice(_RESAMPLINGS)), rng.randint(3, 11)
    )


def _noisy(page: Image.Image, rng: Random, deviation: float) -> Image.Image:
    noise = np.random.default_rng(rng.getrandbits(64))
    values = np.asarray(page, np.float32)
    grain = noise.standard_normal(values.shape, np.float32) * deviation
    return Image.fromarray(np.clip(values + grain, 0, 255).astype(np.uint8))


def _grainy(page: Image.Image, rng: Random) -> Image.Image:
    return _noisy(page, rng, rng.uniform(45, 110))


def _cut(page: Image.Image, rng: Random) -> Image.Image:
    """A corner of the picture, where less than a quarter of it is left."""
    share = rng.uniform(0.3, 0.48)
    width, height = int(page.width * share), int(page.height * share)
    left, top = rng.choice((0, page.width - width)), rng.choice((0, page.height - height))
    return page.crop((left, top, left + width, top + height))


_SPOILERS: dict[str, tuple[str, bool, Any]] = {
    # name: (its word in the caption, whether the picture can still be told, what is done)
    "blurred": ("blurred", True, _blurred),
    "blurred more": ("blurred", True, _blurred),
    "moved": ("shaken", True, _moved),
    "moved more": ("shaken", True, _moved),
    "coarse": ("coarse", True, _coarse),
    "coarse more": ("coarse", True, _coarse),
    "blocky": ("blocky", True, _blocky),
    "blocky more": ("blocky", True, _blocky),
    "blocky most": ("blocky", True, _blocky),
    "grainy": ("noisy", True, _grainy),
    "cut": ("cut off", False, _cut),
    **{f"flaw {name}": (name, True, spoil) for name, spoil in FLAWS.items()},
}
