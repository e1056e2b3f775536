"""Angles at a point, on a line, at crossing lines and at parallels."""

from __future__ import annotations

import math
from random import Random

from .asking import choose, choose_number, exceeds, integer, listing, yes_no
from .diagram import Angle, Figure, Kind, Line, Part, polar
from .scene import DrawnQuestion


def _rays(part: Part, count: int) -> tuple[str, list[str]]:
    """The names of the vertex and of the far ends of `count` rays from it."""
    if part["letters"]:
        return part["centre"], list(part["letters"][:count])
    return "_vertex", [f"_{i}" for i in range(count)]


def _split(rng: Random, total: int, count: int) -> list[int]:
    """Different angles that sum to `total`; each can carry a label and looks smaller than 180°."""
    while True:
        angles = [rng.randint(25, 155) for _ in range(count - 1)]
        angles.append(total - sum(angles))
        if 25 <= angles[-1] <= 155 and len(set(angles)) == count:
            return angles


# Angles side by side on a straight line or around a point; one of them is to be found.


def _invent_fan(rng: Random, richness: int, total: int) -> Part:
    count = rng.randint(2, 2 + richness) if total == 180 else rng.randint(3, 4 + richness)
    angles = _split(rng, total, min(count, 5))
    # around a point, the letter of the vertex needs the room of the angle without a mark
    roomy = [i for i, angle in enumerate(angles) if total == 180 or angle > 68]
    return {"total": total, "angles": angles, "hidden": rng.choice(roomy)}


def _fan_figure(part: Part) -> Figure:
    angles, total = part["angles"], part["total"]
    count = len(angles) + (total == 180)
    vertex, ends = _rays(part, count)
    figure = Figure({vertex: (0, 0)}, dots=[vertex])
    for i, end in enumerate(ends):
        figure.points[end] = polar(100, sum(angles[:i]))
        figure.lines.append(Line(vertex, end))
    unknown = "" if part["letters"] else "x"
    for i, angle in enumerate(angles):
        label = unknown if i == part["hidden"] else f"{angle}°"
        if label:
            figure.angles.append(Angle(ends[i], vertex, ends[(i + 1) % count], label))
    return figure


def _ask_fan(part: Part) -> list[DrawnQuestion]:
    angles, total, hidden = part["angles"], part["total"], part["hidden"]
    vertex, ends = _rays(part, len(angles) + (total == 180))
    between = zip(ends, [*ends[1:], ends[0]], strict=True)
    names = [f"angle {a}{vertex}{b}" for a, b in between][: len(angles)]
    target, value = names[hidden] if part["letters"] else "the angle marked x", angles[hidden]
    known = [angle for i, angle in enumerate(angles) if i != hidden]
    where = "on the straight line" if total == 180 else "around the point"
    if part["letters"]:
        where = f"on line {ends[0]}{ends[-1]}" if total == 180 else f"around point {vertex}"
    steps = " - ".join(f"{n}°" for n in (total, *known))
    how = f"The angles {where} sum to {total}°: {steps} = {value}°."
    mistakes = (sum(known), 540 - total - sum(known), abs(value - 90), 180 - value)
    asked = [
        integer(f"What is the size of {target} in degrees?", value, how, "°"),
        choose_number(f"Which of these is the size of {target}?", value, mistakes, how, "°"),
        exceeds(target, value, how, "°"),
        listing(
            f"List all angles {where} in degrees, in ascending order.", sorted(angles), how, "°"
        ),
        integer(f"How many of the angles {where} are acute?", sum(a < 90 for a in angles), how),
        integer(
            f"By how many degrees do the largest and the smallest angle {where} differ?",
            max(angles) - min(angles),
            how,
            "°",
        ),
        choose(
            f"What kind of angle is {target}?",
            _sort_of(value),
            ("right", "obtuse", "acute"),
            how,
        ),
        yes_no(f"Is {target} the largest of the angles {where}?", value == max(angles), how),
    ]
    if part["letters"] and len(angles) > 2:
        largest = names[angles.index(max(angles))]
        asked.append(choose(f"Which angle {where} is the largest?", largest, names, how))
    return asked


def _sort_of(angle: int) -> str:
    return "acute" if angle < 90 else "right" if angle == 90 else "obtuse"


# Angles with small letters, found from the angles whose size is given.


def _ask_named(values: dict[str, int], given: int, how: str) -> list[DrawnQuestion]:
    """`given` is one of the labelled sizes; `how` says which rule leads to the others."""
    names = list(values)
    first, last = names[0], names[-1]
    worked = {name: f"{how} Angle {name} is {size}°." for name, size in values.items()}
    value = values[last]
    asked = [
        integer(f"How many degrees is angle {name}?", values[name], worked[name], "°")
        for name in names[:4]
    ]
    asked += [
        choose_number(
            f"Which of these is the size of angle {last}?",
            value,
            (180 - value, abs(90 - value), 360 - value, 2 * value),
            worked[last],
            "°",
        ),
        exceeds(f"angle {first}", values[first], worked[first], "°"),
        choose(
            f"What kind of angle is angle {first}?",
            _sort_of(values[first]),
            ("right", "acute", "obtuse"),
            worked[first],
        ),
        yes_no(
            f"Is angle {last} as large as the angle marked {given}°?",
            value == given,
            worked[last],
        ),
        integer(
            f"What is the sum of angle {first} and the angle marked {given}° in degrees?",
            values[first] + given,
            worked[first],
            "°",
        ),
    ]
    return asked + (_ask_together(values, how) if len(names) > 1 else [])


def _ask_together(values: dict[str, int], how: str) -> list[DrawnQuestion]:
    *names, last = values
    first = names[0]
    return [
        listing(
            f"List the sizes of angles {', '.join(names)} and {last} in degrees, in this order.",
            list(values.values()),
            how,
            "°",
        ),
        yes_no(
            f"Are angles {first} and {last} equal?",
            values[first] == values[last],
            f"Angle {first} is {values[first]}° and angle {last} is {values[last]}°.",
        ),
    ]


# Two or three lines through one point. Opposite sectors are equal.


def _invent_crossing(rng: Random, richness: int) -> Part:
    lines = 3 if richness > 1 and rng.random() < 0.6 else 2
    given = list(range(lines - 1))
    others = list(range(lines - 1, 2 * lines))
    named = sorted(rng.sample(others, min(len(others), rng.randint(1, 2 + richness))))
    angles = _split(rng, 180, lines)
    return {"angles": angles, "given": given, "named": named}


def _crossing_figure(part: Part) -> Figure:
    angles = part["angles"]
    vertex, ends = "_vertex", _rays(part, 2 * len(angles))[1]
    figure = Figure({vertex: (0, 0)}, dots=[vertex])
    turns = [sum((angles + angles)[:i]) for i in range(2 * len(angles))]
    figure.points |= {end: polar(100, turn) for end, turn in zip(ends, turns, strict=True)}
    half = len(angles)
    figure.lines = [Line(ends[i], ends[i + half]) for i in range(half)]
    labels = {i: f"{angles[i]}°" for i in part["given"]}
    labels |= dict(zip(part["named"], part["names"], strict=False))
    for i, label in sorted(labels.items()):
        figure.angles.append(Angle(ends[i], vertex, ends[(i + 1) % len(ends)], label))
    return figure


def _ask_crossing(part: Part) -> list[DrawnQuestion]:
    angles = part["angles"]
    values = {
        name: angles[i % len(angles)] for name, i in zip(part["names"], part["named"], strict=False)
    }
    given = angles[part["given"][0]]
    how = "Vertical angles are equal, and angles on a straight line sum to 180°."
    asked = _ask_named(values, given, how)
    last, i = list(values)[-1], part["named"][-1]
    rule = "Vertical angles lie opposite each other between the same two lines."
    if i - len(angles) in part["given"] and len(angles) == 2:
        text = f"What are angle {last} and the angle marked {given}° to each other?"
        others = ("complementary angles", "corresponding angles", "adjacent angles")
        asked.append(choose(text, "vertical angles", others, rule))
    return asked


# Two parallels cut by a transversal: sectors 0-3 at the upper crossing, 4-7 at the lower one,
# counterclockwise from the right; sectors of the same parity are equal.

_RELATIONS = {
    (2, 0): "alternate interior angles",
    (3, 1): "alternate interior angles",
    (0, 2): "alternate exterior angles",
    (1, 3): "alternate exterior angles",
    (2, 1): "same-side interior angles",
    (3, 0): "same-side interior angles",
    (0, 3): "same-side exterior angles",
    (1, 2): "same-side exterior angles",
}


def _relation(i: int, j: int) -> str:
    """What the angles in sectors `i` and `j` are to each other, where that has a name."""
    i, j = sorted((i, j))
    if i // 4 == j // 4:
        return "vertical angles" if j - i == 2 else "adjacent angles on a straight line"
    return "corresponding angles" if j - i == 4 else _RELATIONS.get((i, j - 4), "")


def _invent_parallels(rng: Random, richness: int) -> Part:
    angle = rng.choice([n for n in range(48, 133) if abs(n - 90) > 8])
    given, *named = rng.sample(range(8), 2 + rng.randint(richness, 2 * richness))
    return {"angle": angle, "given": given, "named": sorted(named)}


def _parallels_figure(part: Part) -> Figure:
    angle, apart = part["angle"], 80
    letters = part["letters"] or [f"_{i}" for i in range(6)]
    a, b, c, d, e, f = letters[:6]
    shift = round(apart / math.tan(math.radians(angle)), 3)
    x, y = polar(62, angle)
    figure = Figure({"_upper": (shift / 2, apart / 2), "_lower": (-shift / 2, -apart / 2)})
    figure.points |= {
        a: (-110, apart / 2), b: (110, apart / 2), c: (-110, -apart / 2), d: (110, -apart / 2),
        e: (shift / 2 + x, apart / 2 + y), f: (-shift / 2 - x, -apart / 2 - y),
    }  # fmt: skip
    figure.lines = [Line(a, b, arrows=1), Line(c, d, arrows=1), Line(f, e)]
    labels = {part["given"]: f"{_in_sector(part, part['given'])}°"}
    labels |= dict(zip(part["named"], part["names"], strict=False))
    for i, label in sorted(labels.items()):
        vertex, rays = ("_lower", (d, e, c, f)) if i > 3 else ("_upper", (b, e, a, f))
        figure.angles.append(Angle(rays[i % 4], vertex, rays[(i + 1) % 4], label))
    return figure


def _in_sector(part: Part, sector: int) -> int:
    return part["angle"] if sector % 2 == 0 else 180 - part["angle"]


def _ask_parallels(part: Part) -> list[DrawnQuestion]:
    given = part["given"]
    size = _in_sector(part, given)
    named = dict(zip(part["names"], part["named"], strict=False))
    values = {name: _in_sector(part, i) for name, i in named.items()}
    how = f"At parallel lines every angle is either equal to {size}° or completes it to 180°."
    asked = _ask_named(values, size, how)
    kinds = ("corresponding angles", "vertical angles", *dict.fromkeys(_RELATIONS.values()))
    related = [(name, _relation(given, i)) for name, i in named.items()]
    for name, relation in [pair for pair in related if pair[1]][:2]:
        turn = sum(map(ord, relation)) % 3
        text = f"What are angle {name} and the angle marked {size}° to each other?"
        how = f"Their places where the lines cross make them {relation}."
        asked.append(choose(text, relation, kinds[turn:] + kinds[:turn], how))
    return asked


KINDS = {
    "straight": Kind(lambda rng, r: _invent_fan(rng, r, 180), _fan_figure, _ask_fan),
    "around": Kind(lambda rng, r: _invent_fan(rng, r, 360), _fan_figure, _ask_fan),
    "crossing": Kind(_invent_crossing, _crossing_figure, _ask_crossing),
    "parallels": Kind(_invent_parallels, _parallels_figure, _ask_parallels),
}
