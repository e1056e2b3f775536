"""Rectangles, parallelograms and trapezoids: their facts, true shapes and questions."""

from __future__ import annotations

import math
from random import Random

from .asking import choose_number, decimal, exceeds, integer, yes_no
from .diagram import Angle, Figure, Kind, Line, Part, named
from .outlines import TRIPLES, called, measures
from .scene import DrawnQuestion


def _outline(part: Part, names: list[str], labels: list[str], parallel: tuple[int, ...]) -> Figure:
    """Corners without places yet; sides of which `labels` has no text are not labelled."""
    figure = Figure(dict.fromkeys(names, (0, 0)), outline=names)
    ring = zip(names, [*names[1:], names[0]], labels, parallel, strict=True)
    figure.lines = [Line(a, b, label, arrows=arrows) for a, b, label, arrows in ring]
    return figure


# Rectangles; a diagonal makes Pythagorean triangles of their halves.


def _invent_rectangle(rng: Random, richness: int) -> Part:
    short, long, _ = rng.choice([t for t in TRIPLES if t[1] < 3 * t[0]])
    return {"width": long, "height": short, "diagonal": richness > 0}


def _rectangle_figure(part: Part) -> Figure:
    w, h, unit = part["width"], part["height"], part["unit"]
    p, q, r, s = named(part, 4)
    figure = _outline(part, [p, q, r, s], [f"{w} {unit}", f"{h} {unit}", "", ""], (0, 0, 0, 0))
    figure.points = {p: (0, 0), q: (w, 0), r: (w, h), s: (0, h)}
    figure.angles = [Angle(s, p, q, right=True)]
    if part["diagonal"]:
        figure.lines.append(Line(p, r, dashed=True))
        figure.angles += [Angle(p, q, r, right=True), Angle(q, r, s, right=True)]
    return figure


def _ask_rectangle(part: Part) -> list[DrawnQuestion]:
    w, h, unit, names = part["width"], part["height"], part["unit"], named(part, 4)
    who = called(part, "rectangle", names)
    across = math.isqrt(w * w + h * h)
    diagonal = f"diagonal {names[0]}{names[2]}" if part["letters"] else "each diagonal"
    how = f"Pythagoras: {w}^2 + {h}^2 = {across}^2."
    side = f"A square with the perimeter {2 * (w + h)} {unit} has sides of a quarter of it."
    square = f"square {unit}"
    half = f"The diagonal halves the area of {w * h} {square}."
    asked = [
        *measures(part, who, [w, h, w, h], w * h, f"{w} x {h}"),
        integer(f"What is the length of {diagonal} in {unit}?", across, how, unit),
        choose_number(f"How long is {diagonal}?", across, (w + h, across + 2, w), how, unit),
        decimal(
            f"What is the side length of a square with the same perimeter as {who}, "
            f"in {unit} and with 1 decimal?",
            (w + h) / 2,
            1,
            side,
            unit,
        ),
    ]
    if part["letters"]:
        p, q, r, _ = names
        text = f"What is the area of triangle {p}{q}{r} in {square}?"
        asked.append(integer(text, w * h // 2, half, square))
    return asked


# Parallelograms: base, slanted side and the height above the base.


def _invent_parallelogram(rng: Random, richness: int) -> Part:
    a, b, _ = rng.choice(TRIPLES)
    shift, height = (a, b) if b < 2 * a and rng.random() < 0.5 else (min(a, b), max(a, b))
    return {"shift": shift, "height": height, "base": 2 * shift + rng.randint(0, height)}


def _parallelogram_figure(part: Part) -> Figure:
    shift, h, b, unit = part["shift"], part["height"], part["base"], part["unit"]
    p, q, r, s, foot = named(part, 5)
    slanted = math.isqrt(shift**2 + h**2)
    labels = [f"{b} {unit}", f"{slanted} {unit}", "", ""]
    figure = _outline(part, [p, q, r, s], labels, (1, 2, 1, 2) if part["letters"] else (0,) * 4)
    figure.points = {p: (0, 0), q: (b, 0), r: (b + shift, h), s: (shift, h), foot: (shift, 0)}
    figure.lines[0] = Line(p, q, labels[0], arrows=figure.lines[0].arrows, span=True)
    figure.lines[2:] = [
        Line(s, r, arrows=figure.lines[2].arrows),
        Line(p, s, arrows=figure.lines[3].arrows),
        Line(s, foot, f"{h} {unit}", dashed=True),
    ]
    figure.angles = [Angle(s, foot, q, right=True)]
    return figure


def _ask_parallelogram(part: Part) -> list[DrawnQuestion]:
    shift, h, b, unit = part["shift"], part["height"], part["base"], part["unit"]
    names = named(part, 5)
    p, q, r, s, foot = names
    slanted = math.isqrt(shift**2 + h**2)
    who = called(part, "parallelogram", names[:4])
    asked = [
        *measures(part, who, [b, slanted, b, slanted], b * h, f"Base times height, {b} x {h}"),
        exceeds(f"the area of {who}", b * h, f"Base times height is {b * h}.", f"square {unit}"),
    ]
    if part["letters"]:
        opposite = "Opposite sides of a parallelogram are equal."
        how = f"Pythagoras: {p}{foot}^2 = {slanted}^2 - {h}^2 = {shift}^2."
        asked += [
            integer(f"What is the length of side {p}{s} in {unit}?", slanted, opposite, unit),
            integer(f"What is the length of {p}{foot} in {unit}?", shift, how, unit),
            yes_no(f"Is side {q}{r} longer than side {s}{r}?", slanted > b, opposite),
        ]
    return asked


# Right trapezoids: a base, a shorter parallel top, and the height as one of the legs.


def _invent_trapezoid(rng: Random, richness: int) -> Part:
    a, b, _ = rng.choice(TRIPLES)
    shift, height = (a, b) if rng.random() < 0.5 and b < 2 * a else (min(a, b), max(a, b))
    top = rng.randint(max(2, height // 2), height + 4)
    return {"shift": shift, "height": height, "top": top, "marked": richness > 0}


def _trapezoid_figure(part: Part) -> Figure:
    shift, h, top, unit = part["shift"], part["height"], part["top"], part["unit"]
    p, q, r, s = names = named(part, 4)
    slanted = math.isqrt(shift**2 + h**2)
    labels = [f"{n} {unit}" for n in (top + shift, slanted, top, h)]
    arrows = 1 if part["marked"] else 0
    figure = _outline(part, names, labels, (arrows, 0, 0, 0))
    figure.points = {p: (0, 0), q: (top + shift, 0), r: (top, h), s: (0, h)}
    figure.lines[2] = Line(s, r, labels[2], arrows=arrows)
    figure.angles = [Angle(s, p, q, right=True), Angle(p, s, r, right=True)]
    return figure


def _ask_trapezoid(part: Part) -> list[DrawnQuestion]:
    shift, h, top, unit, names = (
        part["shift"], part["height"], part["top"], part["unit"], named(part, 4)
    )  # fmt: skip
    p, q, r, s = names
    base, slanted = top + shift, math.isqrt(shift**2 + h**2)
    who = called(part, "trapezoid", names)
    area = (base + top) * h // 2
    middle = f"Half the sum of the parallel sides: ({base} + {top}) / 2."
    asked = [
        *measures(part, who, [base, slanted, top, h], area, f"({base} + {top}) x {h} / 2"),
        decimal(
            f"How long is the segment between the midpoints of the two sides of {who} "
            f"that are not parallel, in {unit} and with 1 decimal?",
            (base + top) / 2,
            1,
            middle,
            unit,
        ),
        integer(
            f"By how many {unit} is the longer parallel side of {who} longer than the shorter one?",
            shift,
            f"{base} - {top} = {shift} {unit}.",
            unit,
        ),
    ]
    if part["letters"]:
        asked.append(
            yes_no(
                f"Is side {p}{q} longer than side {q}{r}?",
                base > slanted,
                f"{p}{q} is {base} {unit} long and {q}{r} is {slanted} {unit} long.",
            )
        )
        right = f"Angle {s}{p}{q} is marked as a right angle."
        asked.append(integer(f"How many degrees is angle {s}{p}{q}?", 90, right, "°"))
    return asked


KINDS = {
    "rectangle": Kind(_invent_rectangle, _rectangle_figure, _ask_rectangle),
    "parallelogram": Kind(_invent_parallelogram, _parallelogram_figure, _ask_parallelogram),
    "trapezoid": Kind(_invent_trapezoid, _trapezoid_figure, _ask_trapezoid),
}
