"""Small coloured shapes, and things that stand on a shelf."""

from __future__ import annotations

import math

from .canvas import COLOUR_NAMES, INK, PALETTE, Canvas, Point

COLOURS: dict[str, str] = dict(zip(COLOUR_NAMES, PALETTE, strict=True))
SHAPES = ("circle", "square", "triangle", "star", "pentagon", "diamond", "cross", "heart")
THINGS = ("book", "cup", "plant", "box", "ball", "lamp", "vase", "clock")

_CORNERS = {"triangle": 3, "pentagon": 5, "diamond": 4}


def plural(noun: str) -> str:
    return noun + ("es" if noun.endswith(("s", "x")) else "s")


def draw_shape(canvas: Canvas, shape: str, centre: Point, radius: float, colour: str) -> None:
    fill, (x, y) = COLOURS[colour], centre
    if shape == "circle":
        canvas.circle(centre, radius * 0.92, fill=fill, width=1.5)
    elif shape == "square":
        r = radius * 0.82
        canvas.rectangle((x - r, y - r, x + r, y + r), fill=fill, width=1.5)
    elif shape == "star":
        reach = [radius if i % 2 == 0 else radius * 0.45 for i in range(10)]
        canvas.polygon([_spoke(centre, r, i / 10) for i, r in enumerate(reach)], fill, width=1.5)
    elif shape == "cross":
        a, b = radius * 0.3, radius * 0.9
        steps = ((a, b), (a, a), (b, a))
        corners = [*steps, *((p, -q) for p, q in reversed(steps))]
        corners += [(-p, -q) for p, q in corners]
        canvas.polygon([(x + p, y + q) for p, q in corners], fill, width=1.5)
    elif shape == "heart":
        canvas.polygon([_heart(centre, radius, i / 40) for i in range(40)], fill, width=1.5)
    else:
        n = _CORNERS[shape]
        canvas.polygon([_spoke(centre, radius, i / n) for i in range(n)], fill, width=1.5)


def _spoke(centre: Point, radius: float, turn: float) -> Point:
    """Clockwise from the top, in whole turns."""
    angle = math.tau * turn
    return (
        round(centre[0] + radius * math.sin(angle), 3),
        round(centre[1] - radius * math.cos(angle), 3),
    )


def _heart(centre: Point, radius: float, turn: float) -> Point:
    t = math.tau * turn
    across = 16 * math.sin(t) ** 3
    up = 13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)
    return (
        round(centre[0] + radius * across / 17, 3),
        round(centre[1] - radius * (up + 2.5) / 17, 3),
    )


def draw_thing(canvas: Canvas, thing: str, foot: Point, size: float, colour: str) -> None:
    """A thing that stands at `foot`, at most `size` high and 0.8 `size` wide."""
    fill, (x, y) = COLOURS[colour], foot
    s = size

    def block(left: float, top: float, right: float, bottom: float, paint: str = fill) -> None:
        box = (x + left * s, y - top * s, x + right * s, y - bottom * s)
        canvas.rectangle(box, fill=paint, width=1.5, radius=0.04 * s)

    def shape(points: tuple[Point, ...], paint: str = fill) -> None:
        canvas.polygon([(x + p * s, y - q * s) for p, q in points], paint, width=1.5)

    if thing == "book":
        block(-0.17, 0.92, 0.17, 0)
        block(-0.17, 0.76, 0.17, 0.62, "#f7f3e8")
    elif thing == "cup":
        canvas.circle((x + 0.25 * s, y - 0.3 * s), 0.14 * s, outline=fill, width=3.5)
        block(-0.27, 0.54, 0.23, 0)
    elif thing == "plant":
        for lean, high in ((-0.24, 0.66), (0.24, 0.66), (0, 0.78)):
            canvas.ellipse((x + lean * s, y - high * s), 0.13 * s, 0.21 * s, "#86bf95", width=1.5)
            canvas.line([(x + lean * s * 0.6, y - 0.5 * s), (x, y - 0.36 * s)], INK, 1.5)
        shape(((-0.24, 0.38), (0.24, 0.38), (0.17, 0), (-0.17, 0)))
    elif thing == "box":
        block(-0.36, 0.56, 0.36, 0)
        block(-0.09, 0.56, 0.09, 0.38, "#f7f3e8")
    elif thing == "ball":
        canvas.circle((x, y - 0.27 * s), 0.27 * s, fill=fill, width=1.5)
        canvas.arc((x, y - 0.27 * s), 0.17 * s, 200, 280, "white", 2)
    elif thing == "lamp":
        block(-0.2, 0.08, 0.2, 0)
        canvas.line([(x, y - 0.07 * s), (x, y - 0.5 * s)], INK, 2.5)
        shape(((-0.17, 0.92), (0.17, 0.92), (0.33, 0.46), (-0.33, 0.46)))
    elif thing == "vase":
        shape(((-0.12, 0.8), (0.12, 0.8), (0.1, 0.6), (0.25, 0.34), (0.14, 0), (-0.14, 0),
               (-0.25, 0.34), (-0.1, 0.6)))  # fmt: skip
    else:
        canvas.circle((x, y - 0.36 * s), 0.36 * s, fill=fill, width=1.5)
        canvas.circle((x, y - 0.36 * s), 0.27 * s, fill="white", width=1)
        hub = (x, y - 0.36 * s)
        canvas.line([(x, y - 0.56 * s), hub, (x + 0.14 * s, y - 0.36 * s)], INK, 2)
