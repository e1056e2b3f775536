"""Plane figures: points, what joins them and what is marked, fitted to a page and labelled."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Any

from .canvas import GREY, INK, Canvas, Point
from .scene import DrawnQuestion

Part = dict[str, Any]
Box = tuple[float, float, float, float]

THEMES: tuple[tuple[str, str | None, str], ...] = (
    (INK, None, "#3b6fb6"),
    (INK, "#eaf1fa", "#c0504d"),
    ("#26456e", "#f3f6fb", "#d9772b"),
    (INK, "#fdf3e3", "#4c9f70"),
    ("#2f5d46", "#eef7f1", "#7d62a8"),
    (INK, "#f5f0fa", "#7d62a8"),
    ("#5a3a22", "#fbf5ee", "#3b6fb6"),
    (INK, None, "#c0504d"),
    (INK, "#f1f3f5", INK),
)
"""Colours of the lines, of the inside and of the marks."""

_SIZE = 14
_SPAN = 28  # pixels from a segment to its dimension line
_CLEAR = 3  # pixels that a label keeps from everything else


@dataclass(frozen=True, slots=True)
class Line:
    """A segment; equal `ticks` mark equal lengths, equal `arrows` mark parallels.

    With `span` the label belongs to a dimension line alongside, for a segment that another point
    divides.
    """

    a: str
    b: str
    label: str = ""
    ticks: int = 0
    arrows: int = 0
    dashed: bool = False
    span: bool = False


@dataclass(frozen=True, slots=True)
class Angle:
    """The smaller angle between `at`-`a` and `at`-`b`: an arc, or a square for a right one."""

    a: str
    at: str
    b: str
    label: str = ""
    right: bool = False


@dataclass(slots=True)
class Figure:
    """A figure in the plane, y upwards. A point whose name starts with `_` is not lettered."""

    points: dict[str, Point]
    lines: list[Line] = field(default_factory=list)
    angles: list[Angle] = field(default_factory=list)
    circles: list[tuple[str, float]] = field(default_factory=list)
    dots: list[str] = field(default_factory=list)
    outline: list[str] = field(default_factory=list)

    @property
    def objects(self) -> int:
        """Letters, labels, circles and lines; a closed outline is one thing."""
        labels = sum(bool(mark.label) for mark in (*self.lines, *self.angles))
        letters = sum(not name.startswith("_") for name in self.points)
        strokes = len(self.lines) - max(0, len(self.outline) - 1)
        return labels + letters + strokes + len(self.circles)

    @property
    def relations(self) -> int:
        """Marked right angles, equal lengths and parallels."""
        equal = {line.ticks for line in self.lines if line.ticks}
        parallel = {line.arrows for line in self.lines if line.arrows}
        return len(equal) + len(parallel) + sum(angle.right for angle in self.angles)


@dataclass(frozen=True, slots=True)
class Kind:
    """One sort of figure: `invent(rng, richness)` its facts, build it from them, ask about it."""

    invent: Callable[[Random, int], Part]
    figure: Callable[[Part], Figure]
    ask: Callable[[Part], list[DrawnQuestion]]


def named(part: Part, count: int) -> list[str]:
    """The letters of a part's points, or hidden names where it has none."""
    return list(part["letters"][:count]) or [f"_{i}" for i in range(count)]


def polar(radius: float, degrees: float) -> Point:
    turn = math.radians(degrees)
    return round(radius * math.cos(turn), 3), round(radius * math.sin(turn), 3)


def plot(canvas: Canvas, figure: Figure, part: Part, box: Box, theme: int) -> None:
    """Draw `figure` inside `box`, turned and mirrored as `part` says."""
    _Plot(canvas, figure, part, box, theme).draw()


class _Plot:
    def __init__(self, canvas: Canvas, figure: Figure, part: Part, box: Box, theme: int) -> None:
        self._canvas, self._figure, self._box = canvas, figure, box
        self._ink, self._fill, self._accent = THEMES[theme % len(THEMES)]
        self._at, self._scale = _fit(figure, part, box)
        self._middle = _mean(list(self._at.values()))
        self._strokes: list[tuple[Point, Point]] = []
        self._labels: list[Box] = []

    def draw(self) -> None:
        figure, at = self._figure, self._at
        if figure.outline and self._fill:
            corners = [at[name] for name in figure.outline]
            self._canvas.polygon(corners, fill=self._fill, outline=None)
        for centre, radius in figure.circles:
            self._circle(at[centre], radius * self._scale)
        for line in figure.lines:
            self._line(line)
        for name in figure.dots:
            self._canvas.circle(at[name], 3, fill=self._ink, outline=None)
        bisectors = [self._angle(angle) for angle in figure.angles]
        for angle, (towards, radius) in zip(figure.angles, bisectors, strict=True):
            self._write(angle.label, self._beside_arc(angle, towards, radius))
        for name in figure.points:
            if not name.startswith("_"):
                self._write(name, self._beside_point(name), _SIZE + 2)
        for line in figure.lines:
            self._write(line.label, self._beside_line(line))

    def _stroke(self, points: Sequence[Point], colour: str, width: float) -> None:
        self._canvas.line(points, colour, width)
        self._strokes.extend(pairwise(points))

    def _circle(self, centre: Point, radius: float) -> None:
        self._canvas.circle(centre, radius, fill=self._fill, outline=self._ink)
        rim = [_from(centre, radius, math.tau * i / 36) for i in range(37)]
        self._strokes.extend(pairwise(rim))

    def _line(self, line: Line) -> None:
        a, b = self._at[line.a], self._at[line.b]
        if line.dashed:
            self._canvas.dashed(a, b, self._ink)
            self._strokes.append((a, b))
        else:
            self._stroke([a, b], self._ink, 2)
        along = _direction(a, b)
        if line.span:
            ends = [_from(p, _SPAN, self._outwards(line)) for p in (a, b)]
            for start, end in (ends, ends[::-1]):
                self._canvas.arrow(start, end, GREY, 1)
            self._strokes.append((ends[0], ends[1]))
        for i in range(line.ticks):
            spot = _from(_mean([a, b]), (i - (line.ticks - 1) / 2) * 5, along)
            ends = [_from(spot, side * 6, along + math.pi / 2) for side in (-1, 1)]
            self._stroke(ends, self._accent, 2)
        for i in range(line.arrows):
            tip = _from(_mean([a, b, b, b]), i * 6, along)
            wings = [_from(tip, -9, along + side) for side in (-0.6, 0.6)]
            self._stroke([wings[0], tip, wings[1]], self._accent, 2)

    def _angle(self, angle: Angle) -> tuple[float, float]:
        """Draw the mark; return the direction of its middle and how far it reaches."""
        at = self._at[angle.at]
        first = _direction(at, self._at[angle.a])
        sweep = (_direction(at, self._at[angle.b]) - first + math.pi) % math.tau - math.pi
        if angle.right:
            sides = [_from(at, 11, first), _from(at, 11, first + sweep)]
            self._stroke([sides[0], _from(sides[1], 11, first), sides[1]], self._accent, 1.5)
            return first + sweep / 2, 16
        radius = 22 if abs(sweep) > math.radians(45) else 32
        arc = [_from(at, radius, first + sweep * i / 12) for i in range(13)]
        self._stroke(arc, self._accent, 1.8)
        return first + sweep / 2, radius

    def _beside_arc(self, angle: Angle, towards: float, radius: float) -> Iterator[Point]:
        reach = radius + 4 + self._support(angle.label, towards)
        for further in range(0, 60, 3):
            for aside in (0, 0.08, -0.08, 0.18, -0.18):
                yield _from(self._at[angle.at], reach + further, towards + aside)

    def _beside_line(self, line: Line) -> Iterator[Point]:
        a, b = self._at[line.a], self._at[line.b]
        outwards = self._outwards(line)
        reach = 7 + self._support(line.label, outwards) + (_SPAN if line.span else 0)
        for side in (reach, -reach):
            for t in (0.5, 0.43, 0.57, 0.36, 0.64, 0.28, 0.72, 0.2, 0.8):
                spot = (a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t)
                yield _from(spot, side, outwards)

    def _outwards(self, line: Line) -> float:
        """The direction across `line` that leads away from the middle of the figure."""
        a, b = self._at[line.a], self._at[line.b]
        across = _direction(a, b) + math.pi / 2
        ahead, behind = (_from(_mean([a, b]), side, across) for side in (1, -1))
        nearer = math.dist(ahead, self._middle) < math.dist(behind, self._middle)
        return across + math.pi if nearer else across

    def _beside_point(self, name: str) -> Iterator[Point]:
        at = self._at[name]
        joined = [
            self._at[_other(line, name)] for line in self._figure.lines if name in _ends(line)
        ]
        away = _mean(joined) if joined else self._middle
        if math.dist(away, at) < 3:
            away = self._middle
        best = _direction(away, at) if math.dist(away, at) > 3 else -math.pi / 4
        for distance in (14, 17, 21, 26, 32):
            for i in range(16):
                yield _from(at, distance, best + (i + 1) // 2 * (-1) ** i * math.pi / 8)

    def _support(self, label: str, direction: float) -> float:
        """Half the extent of a label in a direction."""
        width = self._canvas.text_width(label, _SIZE)
        return abs(math.cos(direction)) * width / 2 + abs(math.sin(direction)) * _SIZE * 0.4

    def _write(self, label: str, spots: Iterable[Point], size: float = _SIZE) -> None:
        """Write at the first free spot, or at the one with the fewest collisions."""
        if not label:
            return
        half = self._canvas.text_width(label, size) / 2 + 1.5 * _CLEAR, size * 0.4 + _CLEAR
        fewest, best = math.inf, (0.0, 0.0)
        for spot in spots:
            collisions = self._collisions(_around(spot, half))
            if collisions < fewest:
                fewest, best = collisions, spot
            if not collisions:
                break
        self._labels.append(_around(best, half))
        self._canvas.text(best, label, size)

    def _collisions(self, box: Box) -> int:
        outer = self._box
        outside = min(box[0] - outer[0], box[1] - outer[1], outer[2] - box[2], outer[3] - box[3])
        labels = sum(
            box[0] < b[2] and b[0] < box[2] and box[1] < b[3] and b[1] < box[3]
            for b in self._labels
        )
        return sum(_crosses(box, *s) for s in self._strokes) + 9 * labels + 99 * (outside < 0)


def _fit(figure: Figure, part: Part, box: Box) -> tuple[dict[str, Point], float]:
    """Places on the page for the points, and the pixels to a unit of length."""
    turn = math.radians(part["turn"])
    cos, sin, flip = math.cos(turn), math.sin(turn), -1 if part["mirror"] else 1
    turned = {
        name: (flip * x * cos - y * sin, -flip * x * sin - y * cos)
        for name, (x, y) in figure.points.items()
    }
    spread = [(p, 0.0) for p in turned.values()] + [(turned[c], r) for c, r in figure.circles]
    left, right = min(p[0] - r for p, r in spread), max(p[0] + r for p, r in spread)
    top, bottom = min(p[1] - r for p, r in spread), max(p[1] + r for p, r in spread)
    room = 2 * _SPAN if any(line.span for line in figure.lines) else 0
    across, down = box[2] - box[0] - 92 - room / 2, box[3] - box[1] - 64 - room
    scale = min(across / max(right - left, 1e-6), down / max(bottom - top, 1e-6))
    middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    x0, y0 = middle[0] - scale * (left + right) / 2, middle[1] - scale * (top + bottom) / 2
    places = {
        n: (round(x0 + scale * x, 2), round(y0 + scale * y, 2)) for n, (x, y) in turned.items()
    }
    return places, scale


def _mean(points: Sequence[Point]) -> Point:
    return sum(p[0] for p in points) / len(points), sum(p[1] for p in points) / len(points)


def _from(start: Point, distance: float, direction: float) -> Point:
    return (
        round(start[0] + distance * math.cos(direction), 3),
        round(start[1] + distance * math.sin(direction), 3),
    )


def _direction(start: Point, end: Point) -> float:
    return math.atan2(end[1] - start[1], end[0] - start[0])


def _ends(line: Line) -> tuple[str, str]:
    return line.a, line.b


def _other(line: Line, name: str) -> str:
    return line.b if name == line.a else line.a


def _around(spot: Point, half: tuple[float, float]) -> Box:
    return spot[0] - half[0], spot[1] - half[1], spot[0] + half[0], spot[1] + half[1]


def _crosses(box: Box, a: Point, b: Point) -> bool:
    """Whether the segment meets the box (clipped axis by axis)."""
    enter, leave = 0.0, 1.0
    for axis in (0, 1):
        low, high, step = box[axis], box[axis + 2], b[axis] - a[axis]
        if abs(step) < 1e-9:
            if not low <= a[axis] <= high:
                return False
            continue
        first, last = sorted(((low - a[axis]) / step, (high - a[axis]) / step))
        enter, leave = max(enter, first), min(leave, last)
        if enter > leave:
            return False
    return True
