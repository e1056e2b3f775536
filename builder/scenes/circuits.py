"""Circuit diagrams: which lamps are lit, what the resistors make together."""

from __future__ import annotations

from fractions import Fraction
from random import Random
from typing import Any

from PIL import Image

from ..schema import Task
from .asking import choose, decimal, dice, integer, listing, yes_no
from .canvas import INK, Canvas, Point
from .scene import DrawnQuestion, Family, Scene

Part = dict[str, Any]

# Parts next to the battery, and parts in each branch, by level; one branch is a plain loop.
_SHAPES = (
    ((1, (1,)), (0, (2,))),
    ((1, (2,)), (2, (2,)), (0, (1, 1)), (1, (1, 1)), (0, (3,)), (1, (3,))),
    ((2, (3,)), (1, (2, 1)), (1, (2, 2)), (1, (1, 1, 1)), (1, (2, 2, 1)), (0, (2, 2))),
    ((1, (2, 2, 2)), (2, (3, 3)), (2, (2, 2, 2)), (1, (3, 2, 2)), (2, (3, 2, 2))),
)
_CONNECTED = ("all in series", "all in parallel", "partly in series and partly in parallel")


def _invent(rng: Random, level: int) -> Scene:
    main, branches = rng.choice(_SHAPES[level])
    lamps = rng.random() < 0.55
    ohms = rng.sample(range(1, 31), 12)
    made = {"lamp": 0, "switch": 0, "resistor": 0}

    def part(kind: str) -> Part:
        made[kind] += 1
        name = f"{'LSR'[list(made).index(kind)]}{made[kind]}"
        if kind == "switch":
            return {"kind": kind, "name": name, "closed": rng.random() < 0.65}
        return {"kind": kind, "name": name, "ohms": ohms.pop() if kind == "resistor" else 0}

    def row(n: int, first: str) -> list[Part]:
        kinds = [first, *(rng.choice(("lamp", "lamp", "switch")) for _ in range(n - 1))][:n]
        return [part(kind if lamps else "resistor") for kind in kinds]

    description = {
        "kind": "lamps" if lamps else "resistors",
        "volts": rng.choice((3, 6, 9, 12, 18, 24)),
        "main": row(main, "switch"),
        "branches": [row(n, "lamp")[::-1] for n in branches],
        "zigzag": rng.random() < 0.5,
        "ink": rng.choice((INK, "#26456e", "#3d3d3d", "#4a2f1b")),
        "stretch": rng.randint(0, 20),
    }
    joins = main + sum(n + (len(branches) > 1) for n in branches)
    return Scene(description, 1 + main + sum(branches), joins)


def _parts(description: dict[str, Any], kind: str) -> list[Part]:
    rows = [description["main"], *description["branches"]]
    return sorted((part for row in rows for part in row if part["kind"] == kind),
                  key=lambda part: part["name"])  # fmt: skip


def _draw(description: dict[str, Any]) -> Image.Image:
    main, branches = description["main"], description["branches"]
    step, apart = 96 + description["stretch"] / 2, 112 + description["stretch"] / 2
    first = 70 + max(1, len(main)) * step
    right = first + (len(branches) - 1) * apart
    width = max(300, round(right + 100))
    height = max(230, 110 + 68 * max(map(len, branches)))
    canvas, ink = Canvas(width, height), description["ink"]
    top, bottom = 64, height - 36
    canvas.line([(70, top), (right, top), (right, bottom), (70, bottom), (70, top)], ink, 2)
    canvas.line([(70, bottom), (70, top), (right, top)], ink, 2)
    _battery(canvas, (70, (top + bottom) / 2), description["volts"], ink)
    for i, part in enumerate(main):
        x = 70 + (first - 70) * (i + 0.5) / len(main)
        _part(canvas, (x, top), part, description, False)
    for k, branch in enumerate(branches):
        x = first + k * apart
        if k < len(branches) - 1:
            canvas.line([(x, top), (x, bottom)], ink, 2)
            for y in (top, bottom):
                canvas.circle((x, y), 3.5, ink, None)
        for i, part in enumerate(branch):
            y = top + (bottom - top) * (i + 0.5) / len(branch)
            _part(canvas, (x, y), part, description, True)
    return canvas.finish()


def _battery(canvas: Canvas, at: Point, volts: int, ink: str) -> None:
    x, y = at
    canvas.rectangle((x - 4, y - 5, x + 4, y + 5), "white", None)
    canvas.line([(x - 16, y - 5), (x + 16, y - 5)], ink, 2)
    canvas.line([(x - 8, y + 5), (x + 8, y + 5)], ink, 5)
    canvas.text((x - 22, y), f"{volts} V", 14, anchor="rm")
    canvas.text((x - 10, y - 15), "+", 14)


def _part(canvas: Canvas, at: Point, part: Part, look: dict[str, Any], upright: bool) -> None:
    """Draw a part over the wire that runs through `at`."""
    ink = look["ink"]

    def place(along: float, across: float) -> Point:
        return (at[0] - across, at[1] + along) if upright else (at[0] + along, at[1] + across)

    (x0, y0), (x1, y1) = place(-18, -4), place(18, 4)
    canvas.rectangle((min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)), "white", None)
    label = part["name"]
    if part["kind"] == "lamp":
        canvas.line([place(-18, 0), place(18, 0)], ink, 2)
        canvas.circle(at, 14, "#fffbe8", ink, 2)
        for side in (-1, 1):
            canvas.line([place(-9.5, -9.5 * side), place(9.5, 9.5 * side)], ink, 2)
    elif part["kind"] == "switch":
        end = place(16, 0) if part["closed"] else place(11, -15)
        canvas.line([place(-16, 0), end], ink, 2.5)
        for side in (-18, 18):
            canvas.circle(place(side, 0), 3.2, ink, None)
    else:
        label = f"{label} = {part['ohms']} ohm"
        zigzag = [place(-18, 0), *(place(-15 + 6 * i, 8 * (-1) ** i) for i in range(6)),
                  place(18, 0)]  # fmt: skip
        if look["zigzag"]:
            canvas.line(zigzag, ink, 2)
        else:
            corners = [place(-18, -8), place(18, -8), place(18, 8), place(-18, 8)]
            canvas.polygon(corners, "white", ink, 2)
    if upright:
        aside = 24 if part["kind"] == "switch" else 19
        canvas.text((at[0] + aside, at[1]), label, 12, anchor="lm")
    else:
        canvas.text((at[0], at[1] - 26), label, 12)


def _ask(description: dict[str, Any]) -> list[DrawnQuestion]:
    main, branches, volts = (description[key] for key in ("main", "branches", "volts"))
    if len(branches) == 1:
        kind, why = 0, "There is one loop without junctions."
    elif not main and max(map(len, branches)) == 1:
        kind, why = 1, "Each part has a branch of its own."
    else:
        kind, why = 2, "There are branches, and some parts follow one another."
    what = description["kind"]
    parts = "lamps and switches" if what == "lamps" else "resistors"
    asked = [
        choose(f"How are the {parts} in the circuit connected to each other?", _CONNECTED[kind],
               _CONNECTED, why),
        integer("What is the voltage of the battery, in V?", volts,
                f"The battery is labelled {volts} V.", "V"),
        integer(f"How many {what} are in the circuit?", len(_parts(description, what[:-1])),
                "Count the names: " + _names(_parts(description, what[:-1])) + "."),
    ]  # fmt: skip
    ask = _ask_lamps if what == "lamps" else _ask_resistors
    return asked + ask(description, dice(description))


def _names(parts: list[Part]) -> str:
    return ", ".join(part["name"] for part in parts) or "none"


def _lit(description: dict[str, Any], broken: str = "", flipped: str = "") -> list[str]:
    """The lamps that shine; a `broken` lamp interrupts its wire, a `flipped` switch is changed."""

    def conducts(row: list[Part]) -> bool:
        return all(
            part["closed"] != (part["name"] == flipped)
            if part["kind"] == "switch"
            else part["name"] != broken
            for part in row
        )

    if not conducts(description["main"]):
        return []
    live = [branch for branch in description["branches"] if conducts(branch)]
    rows = [description["main"], *live] if live else []
    return sorted(part["name"] for row in rows for part in row if part["kind"] == "lamp")


def _ask_lamps(description: dict[str, Any], rng: Random) -> list[DrawnQuestion]:
    lamps, switches = _parts(description, "lamp"), _parts(description, "switch")
    lit = _lit(description)
    shine = f"A closed path runs through {', '.join(lit)}." if lit else "No path is closed."
    is_open = [part for part in switches if not part["closed"]]
    share = 100 * len(lit) / len(lamps)
    asked = [
        integer("How many lamps are lit?", len(lit), shine),
        integer("How many switches are open?", len(is_open), f"Open: {_names(is_open)}."),
        listing("List the names of the lamps that are lit, in ascending order; give an empty list "
                "if there are none.", lit, shine),
        decimal("What percentage of the lamps are lit? Round to one decimal place.", share, 1,
                f"{len(lit)} of {len(lamps)} lamps are lit.", "%"),
    ]  # fmt: skip
    for lamp in rng.sample(lamps, min(2, len(lamps))):
        name = lamp["name"]
        asked.append(yes_no(f"Is lamp {name} lit?", name in lit, shine))
        left = _lit(description, broken=name)
        text = f"Lamp {name} is unscrewed and leaves a gap. How many lamps are lit then?"
        asked.append(integer(text, len(left), f"Lit are then: {', '.join(left) or 'none'}."))
    for switch in rng.sample(switches, min(2, len(switches))):
        name, deed = switch["name"], "opened" if switch["closed"] else "closed"
        after = _lit(description, flipped=name)
        why = f"Lit are then: {', '.join(after) or 'none'}."
        text = f"Switch {name} is {deed}, nothing else changes. How many lamps are lit then?"
        asked.append(integer(text, len(after), why))
        state = rng.choice(("open", "closed"))
        why = "The lever of a closed switch touches both contacts."
        asked.append(yes_no(f"Is switch {name} {state}?", switch["closed"] == (state == "closed"),
                            why))  # fmt: skip
    if len(lit) == 1 and len(lamps) > 2:
        names = [lamp["name"] for lamp in lamps]
        asked.append(choose("Which lamp is lit?", lit[0], rng.sample(names, len(names)), shine))
    return asked


def _ask_resistors(description: dict[str, Any], rng: Random) -> list[DrawnQuestion]:
    resistors = _parts(description, "resistor")
    ohms = {part["name"]: part["ohms"] for part in resistors}
    rows = [sum(part["ohms"] for part in branch) for branch in description["branches"]]
    joint = 1 / sum(Fraction(1, row) for row in rows)
    before = sum(part["ohms"] for part in description["main"])
    total = before + joint
    current = description["volts"] / total
    inverse = "1 / (" + " + ".join(f"1/{row}" for row in rows) + ")" if rows[1:] else str(rows[0])
    why = f"{before} + {inverse} = {float(total):.2f} ohm." if before else f"{inverse} ohm."
    a, b = rng.sample(list(ohms), 2)
    names, limit = rng.sample(list(ohms), len(ohms)), rng.choice((5, 10, 15, 20))
    big, small = sorted((a, b), key=ohms.__getitem__, reverse=True)
    over = sum(value > limit for value in ohms.values())
    asked = [
        decimal("What is the total resistance of the circuit, in ohm? Round to two decimal "
                "places.", float(total), 2, why, "ohm"),
        decimal("What current flows through the battery, in A? Round to two decimal places.",
                float(current), 2, f"{description['volts']} V / {float(total):.2f} ohm.", "A"),
        listing("List the resistances in ohm in ascending order.", sorted(ohms.values()),
                "Read the labels and sort the numbers.", "ohm"),
        integer(f"By how many ohm is {big} larger than {small}?", ohms[big] - ohms[small],
                f"{ohms[big]} - {ohms[small]} = {ohms[big] - ohms[small]}.", "ohm"),
        yes_no(f"Is the resistance of {a} larger than that of {b}?", ohms[a] > ohms[b],
               f"They have {ohms[a]} ohm and {ohms[b]} ohm."),
        integer(f"How many resistors have more than {limit} ohm?", over,
                f"The values are {', '.join(map(str, sorted(ohms.values())))}."),
    ]  # fmt: skip
    if len(ohms) > 2:
        best = max(ohms, key=ohms.__getitem__)
        why = f"{best} has {ohms[best]} ohm."
        asked.append(choose("Which resistor has the largest resistance?", best, names, why))
    if len(rows) > 1 and len(set(rows)) == len(rows):
        text = "Does the largest current of all branches flow through the leftmost branch?"
        why = f"The branches have {', '.join(map(str, rows))} ohm from left to right."
        asked.append(yes_no(text, rows[0] == min(rows), why))
    return asked


CIRCUIT = Family("circuit", Task.TQA, "scientific figure", _invent, _draw, _ask)
