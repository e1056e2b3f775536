"""Plant and animal cells with labelled parts."""

from __future__ import annotations

import math
from random import Random
from typing import Any

from PIL import Image

from ..schema import Task
from .asking import choose, decimal, dice, integer, listing, yes_no
from .canvas import INK, Canvas, Point
from .scene import DrawnQuestion, Family, Scene

# plural, room that it takes, what it does
_PARTS: dict[str, tuple[str, float, str]] = {
    "nucleus": ("nuclei", 36, "controls the activities of the cell"),
    "vacuole": ("vacuoles", 44, "stores water and cell sap"),
    "Golgi body": ("Golgi bodies", 25, "packs proteins and sends them out"),
    "mitochondrion": ("mitochondria", 21, "releases energy from food"),
    "chloroplast": ("chloroplasts", 21, "carries out photosynthesis"),
    "ribosome": ("ribosomes", 7, "makes proteins"),
    "cell wall": ("cell walls", 0, "is the stiff outer layer that supports the cell"),
    "cell membrane": ("cell membranes", 0, "controls what enters and leaves the cell"),
    "cytoplasm": ("", 12, "is the jelly that fills the cell"),
}
_CENTRE, _RX, _RY = (300.0, 168.0), 150.0, 116.0
_WIDTH, _HEIGHT, _ROWS = 600, 330, 24


def _invent(rng: Random, level: int) -> Scene:
    plant = level > 1 and rng.random() < 0.55
    loose = (0, rng.randint(2, 3), rng.randint(6, 8), rng.randint(11, 14))[level]
    kinds = ["mitochondrion", "mitochondrion", "ribosome"] + ["chloroplast"] * 2 * plant
    wanted = ["nucleus"] + ["vacuole"] * plant + ["Golgi body"] * (level > 1)
    wanted += ["chloroplast"] * plant + ["mitochondrion"] * (level > 0)
    many = [rng.choice(kinds[: 2 if level == 1 else None]) for _ in range(loose)]
    wanted += sorted(many[: max(0, loose - len(wanted) + 1)], key=lambda kind: -_PARTS[kind][1])
    parts: list[dict[str, Any]] = []
    for kind in [*wanted, "cytoplasm"]:
        spot = _free_spot(rng, kind, parts, plant)
        if spot:
            parts.append({"part": kind, "x": spot[0], "y": spot[1], "turn": rng.randrange(180)})
    drawn = [part["part"] for part in parts]
    names = [*dict.fromkeys(drawn), "cell membrane", *["cell wall"] * plant]
    keep = (3, 4, 6, 9)[level]
    fixed = ["nucleus", "cell membrane"]
    rest = [name for name in names if name not in fixed]
    labelled = sorted(fixed + rng.sample(rest, min(keep - 2, len(rest))))
    rng.shuffle(labelled)
    description = {
        "plant": plant,
        "parts": parts,
        "labels": labelled,
        "letters": rng.random() < 0.6,
        "palette": rng.randrange(3),
    }
    shown = len(parts) - drawn.count("cytoplasm") + 1 + plant
    return Scene(description, shown, len(labelled))


def _inside(x: float, y: float, room: float, plant: bool) -> bool:
    dx, dy = abs(x - _CENTRE[0]), abs(y - _CENTRE[1])
    if plant:
        return dx + room < _RX - 10 and dy + room < _RY - 10
    return (dx / (_RX - room - 9)) ** 2 + (dy / (_RY - room - 9)) ** 2 < 1


def _free_spot(
    rng: Random, kind: str, parts: list[dict[str, Any]], plant: bool
) -> tuple[int, int] | None:
    room = _PARTS[kind][1]
    for _ in range(300):
        x = rng.randint(int(_CENTRE[0] - _RX), int(_CENTRE[0] + _RX))
        y = rng.randint(int(_CENTRE[1] - _RY), int(_CENTRE[1] + _RY))
        clear = all(math.dist((x, y), (part["x"], part["y"])) > room + _PARTS[part["part"]][1] + 3
                    for part in parts)  # fmt: skip
        if clear and _inside(x, y, room, plant):
            return x, y
    return None


def _draw(description: dict[str, Any]) -> Image.Image:
    labels, letters = description["labels"], description["letters"]
    rows = -(-len(labels) // 3) if letters else 0
    canvas = Canvas(_WIDTH, _HEIGHT + _ROWS * rows + 6 * bool(rows))
    kind = "Plant" if description["plant"] else "Animal"
    canvas.text((_WIDTH / 2, 20), f"{kind} cell", 17)
    _outline(canvas, description)
    for part in description["parts"]:
        _organelle(canvas, part)
    targets = _targets(description)
    for side in (-1, 1):
        mine = [name for name in labels if (targets[name][0] > _CENTRE[0]) == (side > 0)]
        _leaders(canvas, mine, side, targets, description)
    for i, name in enumerate(labels if letters else []):
        at = 60 + 180 * (i % 3), _HEIGHT + 8 + _ROWS * (i // 3)
        canvas.text(at, f"{'ABCDEFGHI'[i]}  {name}", 14, anchor="lm")
    return canvas.finish()


def _outline(canvas: Canvas, description: dict[str, Any]) -> None:
    (x, y), tone = _CENTRE, description["palette"]
    if description["plant"]:
        outer = (x - _RX - 9, y - _RY - 9, x + _RX + 9, y + _RY + 9)
        inner = (x - _RX, y - _RY, x + _RX, y + _RY)
        canvas.rectangle(outer, "#a9cf8f", "#4d7a3a", 2, 20)
        canvas.rectangle(inner, ("#f1f9e8", "#f4fbe9", "#eef7ee")[tone], "#7a9a4a", 2.5, 13)
    else:
        canvas.ellipse(_CENTRE, _RX, _RY, ("#fdeee4", "#fdf1f1", "#f8f0fa")[tone], "#b0694a", 4)


def _organelle(canvas: Canvas, part: dict[str, Any]) -> None:
    at, turn = (part["x"], part["y"]), math.radians(part["turn"])
    match part["part"]:
        case "nucleus":
            canvas.circle(at, 34, "#b9a3d3", "#5d4585", 2.5)
            canvas.circle((at[0] + 8, at[1] - 6), 10, "#6d5296", None)
        case "vacuole":
            canvas.ellipse(at, 42, 36, "#cfe6f7", "#5f93bd", 2)
        case "Golgi body":
            for i in range(4):
                wave = [(at[0] - 18 + 9 * j, at[1] - 12 + 8 * i + (4 if j in (0, 4) else 0))
                        for j in range(5)]  # fmt: skip
                canvas.line(wave, "#c98a1b", 4)
        case "mitochondrion":
            canvas.polygon(_oval(at, 19, 9, turn), "#f0a06a", "#a3521f", 1.6)
            fold = [_turned(at, -12 + 4 * i, 4 * (-1) ** i, turn) for i in range(7)]
            canvas.line(fold, "#a3521f", 1.4)
        case "chloroplast":
            canvas.polygon(_oval(at, 19, 11, turn), "#5fae5b", "#2f6b32", 1.6)
            for i in (-8, 0, 8):
                canvas.line([_turned(at, i, -5, turn), _turned(at, i, 5, turn)], "#2f6b32", 2.5)
        case "ribosome":
            canvas.circle(at, 4, "#b5343c", None)  # unlike the ends of the leaders


def _turned(at: Point, along: float, across: float, turn: float) -> Point:
    cos, sin = math.cos(turn), math.sin(turn)
    return at[0] + along * cos - across * sin, at[1] + along * sin + across * cos


def _oval(at: Point, rx: float, ry: float, turn: float) -> list[Point]:
    angles = (i * math.tau / 28 for i in range(28))
    return [_turned(at, rx * math.cos(a), ry * math.sin(a), turn) for a in angles]


def _targets(description: dict[str, Any]) -> dict[str, Point]:
    """Where each leader ends: on the part of its kind that is nearest to the side."""
    found: dict[str, Point] = {}
    for part in description["parts"]:
        at, name = (float(part["x"]), float(part["y"])), part["part"]
        if name not in found or abs(at[0] - _CENTRE[0]) > abs(found[name][0] - _CENTRE[0]):
            found[name] = at
    high = math.radians(-38)
    if description["plant"]:
        found["cell membrane"] = (_CENTRE[0] - _RX, _CENTRE[1] - 0.75 * _RY)
        found["cell wall"] = (_CENTRE[0] + _RX + 5, _CENTRE[1] - 0.75 * _RY)
    else:
        found["cell membrane"] = (_CENTRE[0] + (_RX - 2) * math.cos(high),
                                  _CENTRE[1] + (_RY - 2) * math.sin(high))  # fmt: skip
    return found


def _leaders(
    canvas: Canvas, names: list[str], side: int, targets: dict[str, Point],
    description: dict[str, Any],
) -> None:  # fmt: skip
    """One column of labels; exchanged until no two leaders cross."""
    x = _CENTRE[0] + side * (_RX + 24)
    order = sorted(names, key=lambda name: targets[name][1])
    n = len(order)
    ys = [_CENTRE[1] + 34 * (i - (n - 1) / 2) * (1.4 if n < 4 else 1) for i in range(n)]
    for _ in range(n * n):
        for i in range(n - 1):
            a, b = order[i], order[i + 1]
            if _cross((x, ys[i]), targets[a], (x, ys[i + 1]), targets[b]):
                order[i], order[i + 1] = b, a
    for name, y in zip(order, ys, strict=True):
        at = targets[name]
        canvas.line([(x, y), at], INK, 1.2)
        canvas.circle(at, 2.4, INK, None)
        text = "ABCDEFGHI"[description["labels"].index(name)] if description["letters"] else name
        size = 16 if description["letters"] else 14
        canvas.text((x + side * 5, y), text, size, anchor="lm" if side > 0 else "rm")


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    def left(p: Point, q: Point, r: Point) -> bool:
        return (q[0] - p[0]) * (r[1] - p[1]) > (q[1] - p[1]) * (r[0] - p[0])

    return left(a, b, c) != left(a, b, d) and left(c, d, a) != left(c, d, b)


def _ask(description: dict[str, Any]) -> list[DrawnQuestion]:
    rng, labels, plant = dice(description), description["labels"], description["plant"]
    drawn = [part["part"] for part in description["parts"] if part["part"] != "cytoplasm"]
    kind = "a plant" if plant else "an animal"
    guess = rng.choice(("a plant", "an animal"))
    asked = [
        integer("How many different parts of the cell are labelled?", len(labels),
                f"The labels are: {', '.join(labels)}."),
        yes_no(f"Does the picture show {guess} cell?", guess == kind,
               f"The title says that it is {kind} cell."),
        listing("List the labelled parts of the cell in alphabetical order.",
                sorted(labels, key=str.lower), "Sort the names of the labels."),
    ]  # fmt: skip
    for name in rng.sample(labels, min(3, len(labels))):
        text = f"Which labelled part {_PARTS[name][2]}?"
        why = f"The {name} {_PARTS[name][2]}."
        asked.append(choose(text, name, rng.sample(labels, len(labels)), why))
    if description["letters"]:
        asked += _ask_letters(rng, labels)
    return asked + _ask_counts(rng, drawn)


def _ask_letters(rng: Random, labels: list[str]) -> list[DrawnQuestion]:
    letters = "ABCDEFGHI"[: len(labels)]
    i, j = rng.sample(range(len(labels)), 2)
    return [
        choose(f"Which part of the cell does the letter {letters[i]} point to?", labels[i],
               rng.sample(labels, len(labels)), f"The legend gives {letters[i]} as {labels[i]}."),
        choose(f"Which letter points to the {labels[j]}?", letters[j],
               rng.sample(letters, len(letters)), f"The legend gives {letters[j]}."),
    ]  # fmt: skip


def _ask_counts(rng: Random, drawn: list[str]) -> list[DrawnQuestion]:
    counts = {name: drawn.count(name) for name in dict.fromkeys(drawn)}
    several = [name for name in ("mitochondrion", "chloroplast", "ribosome") if name in counts]
    asked = []
    for name in several:
        plural = _PARTS[name][0]
        text = f"How many {plural} are drawn in the cell?"
        asked.append(integer(text, counts[name], f"Count the {plural}."))
    if len(several) > 1:
        a, b = rng.sample(several, 2)
        (many, few), (m, n) = (_PARTS[a][0], _PARTS[b][0]), (counts[a], counts[b])
        if m != n:
            text = f"Are more {many} than {few} drawn in the cell?"
            asked.append(yes_no(text, m > n, f"There are {m} {many} and {n} {few}."))
        text = f"How many {many} and {few} are drawn in the cell altogether?"
        asked.append(integer(text, m + n, f"{m} + {n} = {m + n}."))
        text = f"What is the number of {many} divided by the number of {few}?"
        text += " Round to two decimal places."
        asked.append(decimal(text, m / n, 2, f"{m} / {n}."))
    return asked


CELL = Family("cell", Task.TQA, "scientific figure", _invent, _draw, _ask)
