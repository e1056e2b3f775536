"""Pen and paper: smooth lines and readable labels on a white page, in page coordinates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

Point = tuple[float, float]
Colour = str

INK = "#1f2430"
GREY = "#8a8f98"
LIGHT = "#e4e7eb"
PALETTE = ("#3b6fb6", "#d9772b", "#4c9f70", "#c0504d", "#7d62a8", "#8c6d46", "#d67fb0", "#5a6270")
"""Distinguishable fills; `COLOUR_NAMES` gives the words for them in the same order."""
COLOUR_NAMES = ("blue", "orange", "green", "red", "purple", "brown", "pink", "grey")

_SCALE = 3  # drawn three times as large and reduced: the only smoothing that ImageDraw needs


@lru_cache(maxsize=64)
def _font(size: float) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size * _SCALE)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise RuntimeError("Pillow was built without FreeType; install the wheel from PyPI.")
    return font


class Canvas:
    """A white page of `width` x `height` pixels; the origin is the upper left corner."""

    def __init__(self, width: int, height: int, background: Colour = "white") -> None:
        self.width, self.height = width, height
        self._image = Image.new("RGB", (width * _SCALE, height * _SCALE), background)
        self._draw = ImageDraw.Draw(self._image)

    def line(self, points: Sequence[Point], colour: Colour = INK, width: float = 2) -> None:
        self._draw.line(
            [_up(p) for p in points], fill=colour, width=round(width * _SCALE), joint="curve"
        )

    def dashed(self, start: Point, end: Point, colour: Colour = GREY, width: float = 1.5) -> None:
        length = math.dist(start, end)
        steps = max(1, round(length / 5))
        for i in range(0, steps, 2):
            a, b = i / steps, min(1.0, (i + 1) / steps)
            self.line([_between(start, end, a), _between(start, end, b)], colour, width)

    def arrow(self, start: Point, end: Point, colour: Colour = INK, width: float = 2) -> None:
        """A line with a filled head at `end`."""
        angle = math.atan2(end[1] - start[1], end[0] - start[0])
        size = 5 + 2 * width
        neck = (end[0] - size * 0.8 * math.cos(angle), end[1] - size * 0.8 * math.sin(angle))
        self.line([start, neck], colour, width)
        wings = [
            (end[0] - size * math.cos(angle + s), end[1] - size * math.sin(angle + s))
            for s in (-0.42, 0.42)
        ]
        self.polygon([end, *wings], fill=colour, outline=None)

    def polygon(
        self,
        points: Sequence[Point],
        fill: Colour | None = None,
        outline: Colour | None = INK,
        width: float = 2,
    ) -> None:
        if fill:
            self._draw.polygon([_up(p) for p in points], fill=fill)
        if outline:
            self.line([*points, points[0], points[1]], outline, width)

    def rectangle(
        self,
        box: tuple[float, float, float, float],
        fill: Colour | None = None,
        outline: Colour | None = INK,
        width: float = 2,
        radius: float = 0,
    ) -> None:
        """`box` is left, top, right, bottom."""
        self._draw.rounded_rectangle(
            (*_up(box[:2]), *_up(box[2:])),
            radius * _SCALE,
            fill=fill,
            outline=outline,
            width=round(width * _SCALE) if outline else 0,
        )

    def circle(
        self,
        centre: Point,
        radius: float,
        fill: Colour | None = None,
        outline: Colour | None = INK,
        width: float = 2,
    ) -> None:
        self.ellipse(centre, radius, radius, fill, outline, width)

    def ellipse(
        self,
        centre: Point,
        rx: float,
        ry: float,
        fill: Colour | None = None,
        outline: Colour | None = INK,
        width: float = 2,
    ) -> None:
        self._draw.ellipse(
            _box(centre, rx, ry),
            fill=fill,
            outline=outline,
            width=round(width * _SCALE) if outline else 0,
        )

    def arc(
        self,
        centre: Point,
        radius: float,
        start: float,
        end: float,
        colour: Colour = INK,
        width: float = 1.5,
    ) -> None:
        """Clockwise from `start` to `end`, in degrees, 0 pointing right."""
        box = _box(centre, radius, radius)
        self._draw.arc(box, start, end, fill=colour, width=round(width * _SCALE))

    def sector(
        self,
        centre: Point,
        radius: float,
        start: float,
        end: float,
        fill: Colour,
        outline: Colour | None = "white",
        width: float = 2,
    ) -> None:
        """A slice of a disc, clockwise in degrees, 0 pointing right."""
        self._draw.pieslice(
            _box(centre, radius, radius),
            start,
            end,
            fill=fill,
            outline=outline,
            width=round(width * _SCALE),
        )

    def text(
        self,
        at: Point,
        text: str,
        size: float = 14,
        colour: Colour = INK,
        anchor: str = "mm",
        halo: bool = False,
    ) -> None:
        """Write `text`; `anchor` as in Pillow (`mm` centre, `lm` left middle, `rs` right base).

        The font has Latin letters, digits, punctuation and the degree sign; nothing else.
        A halo keeps a label readable on top of lines.
        """
        self._draw.text(
            _up(at),
            text,
            fill=colour,
            font=_font(size),
            anchor=anchor,
            stroke_width=2 * _SCALE if halo else 0,
            stroke_fill="white" if halo else None,
        )

    def text_width(self, text: str, size: float = 14) -> float:
        """Width of `text` in pixels."""
        return _font(size).getlength(text) / _SCALE

    def finish(self) -> Image.Image:
        """The page as an RGB image of its nominal size."""
        return self._image.reduce(_SCALE)


def _up(point: Sequence[float]) -> tuple[float, float]:
    return point[0] * _SCALE, point[1] * _SCALE


def _between(a: Point, b: Point, t: float) -> Point:
    return a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t


def _box(centre: Point, rx: float, ry: float) -> tuple[float, float, float, float]:
    x, y = centre
    return (x - rx) * _SCALE, (y - ry) * _SCALE, (x + rx) * _SCALE, (y + ry) * _SCALE
