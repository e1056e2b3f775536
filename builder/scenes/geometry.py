"""Geometry diagrams: one figure, or two side by side, with letters, sizes and marks."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from PIL import Image

from ..schema import Task
from . import angles, circles, quadrilaterals, triangles
from .canvas import Canvas
from .diagram import THEMES, Kind, Part, plot
from .scene import DrawnQuestion, Family, Scene

_ALPHABETS = (
    ("O", "ABCDEFG"), ("M", "ABCDEFG"), ("K", "BCDEFGH"), ("O", "DEFGHJK"), ("M", "GHJKLNA"),
    ("O", "PQRSTUV"), ("Z", "PQRSTUV"), ("Q", "RSTUVWX"), ("P", "UVWXYZT"), ("S", "TUVWXYZ"),
)  # fmt: skip
"""A centre or vertex, and letters for the other points."""
_NAMES = ("abcdefgh", "pqrstuvw")  # of angles; x stays free for the unknown of a bare figure
_SIZES = ((340, 280), (380, 300), (400, 340), (440, 320), (360, 360))
_WIDE = ((600, 300), (620, 320), (640, 340))
_UNITS = ("cm", "cm", "m", "mm", "ft", "in", "dm")


def _invent(kinds: Mapping[str, Kind], tilt: int, rng: Random, level: int) -> Scene:
    """Of some random scenes the first whose complexity is as asked, or the nearest."""
    scenes: list[Scene] = []
    while len(scenes) < 24:
        parts = _parts(kinds, tilt, rng)
        figures = [kinds[part["kind"]].figure(part) for part in parts]
        degrees = [a.label for figure in figures for a in figure.angles if "°" in a.label]
        if len(set(degrees)) < len(degrees):
            continue  # a question may call an angle by its size
        description: dict[str, Any] = {
            "size": list(rng.choice(_SIZES if len(parts) == 1 else _WIDE)),
            "theme": rng.randrange(len(THEMES)),
            "parts": parts,
        }
        objects = sum(figure.objects for figure in figures)
        scenes.append(Scene(description, objects, sum(f.relations for f in figures)))
        if scenes[-1].complexity == level:
            break
    return min(scenes, key=lambda scene: abs(scene.complexity - level))


def _parts(kinds: Mapping[str, Kind], tilt: int, rng: Random) -> list[Part]:
    """One figure, or two that share no letter; a lone simple one may have no letters at all."""
    count = rng.choice((1, 1, 2))
    first = rng.choice(_ALPHABETS)
    others = [a for a in _ALPHABETS if not set("".join(a)) & set("".join(first))]
    parts: list[Part] = []
    for alphabet, names in zip((first, rng.choice(others)), _NAMES[:count], strict=False):
        richness = rng.randint(count - 1, 2)
        kind = rng.choice(sorted(kinds))
        part = {"kind": kind, **kinds[kind].invent(rng, richness)}
        part |= {
            "centre": alphabet[0],
            "letters": alphabet[1] if richness else "",
            "names": names,
            "turn": rng.choice((0, rng.randint(-tilt, tilt))),
            "mirror": rng.random() < 0.5,
            "unit": rng.choice(_UNITS),
        }
        parts.append(part)
    return parts


def _draw(kinds: Mapping[str, Kind], description: dict[str, Any]) -> Image.Image:
    width, height = description["size"]
    parts = description["parts"]
    canvas = Canvas(width, height)
    panel = width / len(parts)
    for i, part in enumerate(parts):
        box = (i * panel + 5, 5, (i + 1) * panel - 5, height - 5)
        plot(canvas, kinds[part["kind"]].figure(part), part, box, description["theme"])
    return canvas.finish()


def _ask(kinds: Mapping[str, Kind], description: dict[str, Any]) -> list[DrawnQuestion]:
    return [q for part in description["parts"] for q in kinds[part["kind"]].ask(part)]


def _family(name: str, kinds: Mapping[str, Kind], tilt: int) -> Family:
    """Figures of these kinds, turned by at most `tilt` degrees."""
    return Family(
        name,
        Task.GPS,
        "geometry diagram",
        lambda rng, level: _invent(kinds, tilt, rng, level),
        lambda description: _draw(kinds, description),
        lambda description: _ask(kinds, description),
    )


FAMILIES: tuple[Family, ...] = (
    _family("triangle", triangles.KINDS, 180),
    _family("polygon", quadrilaterals.KINDS, 20),
    _family("circle", circles.KINDS, 180),
    _family("angles", angles.KINDS, 25),
)
