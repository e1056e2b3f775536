"""Triangles: their facts, their true shapes and what can be asked of them."""

from __future__ import annotations

import math
from random import Random

from .asking import choose, choose_number, decimal, exceeds, integer, listing, yes_no
from .diagram import Angle, Figure, Kind, Line, Part, named, polar
from .outlines import TRIPLES, called, hidden_side, measures, sides
from .scene import DrawnQuestion

_LEGS_OF_HEIGHT = {8: (6, 15), 12: (5, 9, 16), 15: (8, 20), 24: (10, 18, 32), 20: (15, 21)}
"""Heights with the whole numbers that make Pythagorean triples with them."""


# Right triangles: the right angle is at the first point.


def _invent_right(rng: Random, richness: int) -> Part:
    a, b, _ = rng.choice(TRIPLES)
    if rng.random() < 0.5:
        a, b = b, a
    return {"legs": [a, b], "hidden": rng.randrange(3), "altitude": richness > 1}


def _right_figure(part: Part) -> Figure:
    a, b = part["legs"]
    c, p, q, foot = named(part, 4)
    lengths = [a, math.isqrt(a * a + b * b), b]
    figure = Figure({c: (0, 0), p: (a, 0), q: (0, b)}, outline=[c, p, q])
    figure.lines = sides(part, [c, p, q], lengths, 1 if part["altitude"] else -1)
    figure.angles = [Angle(p, c, q, right=True)]
    if part["altitude"]:
        t = a * a / (a * a + b * b)
        figure.points[foot] = (round(a * (1 - t), 3), round(b * t, 3))
        figure.lines.append(Line(c, foot, dashed=True))
        figure.angles.append(Angle(c, foot, q, right=True))
    return figure


def _ask_right(part: Part) -> list[DrawnQuestion]:
    (a, b), unit, names = part["legs"], part["unit"], named(part, 4)
    c, p, q, foot = names
    longest = math.isqrt(a * a + b * b)
    lengths = [a, longest, b]
    triangle = called(part, "triangle", names[:3])
    value = lengths[part["hidden"]]
    known = [n for i, n in enumerate(lengths) if i != part["hidden"]]
    sign, over = ("+", sum(known)) if value == longest else ("-", sum(known) - min(known))
    first, second = sorted(known, reverse=True)
    how = f"Pythagoras: {first}^2 {sign} {second}^2 = {value}^2, so it is {value} {unit}."
    side = hidden_side(part, names[:3])
    asked = [
        integer(f"What is the length of {side} in {unit}?", value, how, unit),
        choose_number(
            f"How long is {side}?", value, (over, abs(first - second), value + 1), how, unit
        ),
        *measures(part, triangle, lengths, a * b // 2, f"Half of {a} x {b}"),
    ]
    if part["letters"]:
        ratio = f"The opposite side {c}{q} over the hypotenuse is {b}/{longest}."
        hypotenuse = f"Side {p}{q} lies opposite the right angle at {c}."
        text = f"What is sin {p} in {triangle}, rounded to 2 decimals?"
        asked += [
            decimal(text, b / longest, 2, ratio),
            choose(
                f"Which side is the hypotenuse of {triangle}?",
                p + q,
                (c + p, q + c),
                hypotenuse,
            ),
            yes_no(
                f"Is side {c}{p} longer than side {q}{c}?",
                a > b,
                f"{c}{p} is {a} {unit} long and {q}{c} is {b} {unit} long.",
            ),
        ]
    if part["altitude"] and part["letters"]:
        text = f"How long is the altitude {c}{foot} in {unit}, rounded to 2 decimals?"
        area = f"Twice the area is {a} x {b} = {a * b}; divided by {longest} it is the altitude."
        asked.append(decimal(text, a * b / longest, 2, area, unit))
    return asked


# Isosceles triangles: the apex is the first point; one angle and one of the equal sides are given.


def _invent_isosceles(rng: Random, richness: int) -> Part:
    given = rng.choice(("apex", "base"))
    # half an apex angle has to hold its label
    widest = 62 if richness > 1 and given == "apex" else 78
    base = rng.choice([n for n in range(28, widest + 1) if n not in (45, 60)])
    return {"base_angle": base, "leg": rng.randint(4, 30), "given": given, "height": richness > 1}


def _isosceles_figure(part: Part) -> Figure:
    base, unit = part["base_angle"], part["unit"]
    apex, p, q, foot = named(part, 4)
    x, y = polar(100, base)
    figure = Figure({apex: (0, y), p: (-x, 0), q: (x, 0)}, outline=[apex, p, q])
    figure.lines = [Line(apex, p, f"{part['leg']} {unit}", 1), Line(p, q), Line(q, apex, "", 1)]
    unknown = "" if part["letters"] else "x"
    at_apex = part["given"] == "apex"
    if not part["height"] or not at_apex:
        top = f"{180 - 2 * base}°" if at_apex else unknown
        figure.angles = [Angle(p, apex, q, top)] if top else []
    if part["height"]:
        figure.points[foot] = (0, 0)
        figure.lines.append(Line(apex, foot, dashed=True))
        figure.angles.append(Angle(apex, foot, q, right=True))
        if at_apex:  # half the apex angle fits beside the height
            figure.angles.append(Angle(p, apex, foot, f"{90 - base}°"))
    if not at_apex or unknown:
        figure.angles.append(Angle(apex, p, q, unknown if at_apex else f"{base}°"))
    return figure


def _ask_isosceles(part: Part) -> list[DrawnQuestion]:
    base, leg, unit, names = part["base_angle"], part["leg"], part["unit"], named(part, 4)
    apex, p, q, foot = names
    top, lettered = 180 - 2 * base, bool(part["letters"])
    triangle = called(part, "triangle", names[:3])
    at_top = f"angle {p}{apex}{q}" if lettered else "the angle between the two equal sides"
    at_p = f"angle {apex}{p}{q}" if lettered else "each base angle"
    other = f"side {apex}{q}" if lettered else "the other marked side"
    equal = f"The marked sides are equal, so both base angles are {base}° and the apex {top}°."
    value, target = (base, at_p) if part["given"] == "apex" else (top, at_top)
    asked = [
        integer(f"What is the size of {target} in degrees?", value, equal, "°"),
        choose_number(
            f"Which of these is the size of {target}?",
            value,
            (180 - value, abs(90 - value), 180 - 2 * value, 90 + value),
            equal,
            "°",
        ),
        integer(
            f"How long is {other} in {unit}?", leg, f"The marks say that it equals {leg}.", unit
        ),
        listing(
            f"List the three angles of {triangle} in degrees, in ascending order.",
            sorted((base, base, top)),
            equal,
            "°",
        ),
        exceeds(target, value, equal, "°"),
        choose(
            f"What kind of triangle is {triangle}, judged by its largest angle?",
            "obtuse" if top > 90 else "acute",
            ("obtuse", "acute", "right"),
            equal,
        ),
        yes_no(f"Is {at_top} larger than {at_p}?", top > base, equal),
        integer(
            f"How many degrees is the exterior angle beside {at_p}?",
            180 - base,
            f"It completes {base}° to 180°.",
            "°",
        ),
    ]
    if part["height"] and lettered:
        half = f"The height halves the apex angle of {top}°."
        asked.append(integer(f"What is angle {q}{apex}{foot} in degrees?", 90 - base, half, "°"))
    return asked


# General triangles: two angles are given; the third point may carry an exterior angle.


def _invent_two_angles(rng: Random, richness: int) -> Part:
    while True:
        a, b = rng.randint(28, 110), rng.randint(28, 80)
        c = 180 - a - b
        if (
            c >= 36
            and min(a, b) >= 28 + 6 * (richness > 1)
            and len({a, b, c}) == 3
            and 90 not in (a, b, c)
        ):
            return {"angles": [a, b], "extended": richness > 1}


def _two_angles_figure(part: Part) -> Figure:
    a, b = part["angles"]
    p, q, r, s = named(part, 4)
    side = 100 * math.sin(math.radians(b)) / math.sin(math.radians(a + b))
    figure = Figure({p: (0, 0), q: (100, 0), r: polar(side, a)}, outline=[p, q, r])
    figure.lines = [Line(p, q), Line(q, r), Line(r, p)]
    figure.angles = [Angle(q, p, r, f"{a}°"), Angle(p, q, r, f"{b}°")]
    if not part["letters"]:
        figure.angles.append(Angle(p, r, q, "x"))
    if part["extended"]:
        x, y = figure.points[r]
        figure.points[s] = (round(100 + (x - 100) * 1.45, 3), round(y * 1.45, 3))
        figure.lines.append(Line(r, s))
    return figure


def _ask_two_angles(part: Part) -> list[DrawnQuestion]:
    (a, b), names = part["angles"], named(part, 4)
    p, q, r, s = names
    c = 180 - a - b
    triangle = called(part, "triangle", names[:3])
    third = f"angle {p}{r}{q}" if part["letters"] else "the angle marked x"
    how = f"The angles of a triangle sum to 180°: 180° - {a}° - {b}° = {c}°."
    mistakes = (a + b, abs(a - b), 360 - a - b, abs(90 - c))
    outer = f"The exterior angle is the sum of the two angles opposite: {a}° + {b}° = {a + b}°."
    asked = [
        integer(f"What is the size of {third} in degrees?", c, how, "°"),
        choose_number(f"Which of these is the size of {third}?", c, mistakes, how, "°"),
        listing(
            f"List the three angles of {triangle} in degrees, in ascending order.",
            sorted((a, b, c)),
            how,
            "°",
        ),
        choose(
            f"What kind of triangle is {triangle}, judged by its largest angle?",
            "obtuse" if max(a, b, c) > 90 else "acute",
            ("right", "obtuse", "acute"),
            how,
        ),
        exceeds(third, c, how, "°"),
        integer(
            f"By how many degrees do the largest and the smallest angle of {triangle} differ?",
            max(a, b, c) - min(a, b, c),
            f"{how} The angles are {a}°, {b}° and {c}°.",
            "°",
        ),
    ]
    if part["letters"]:
        opposite = {a: q + r, b: r + p, c: p + q}
        longest = opposite.pop(max(opposite))
        by_size = "The longest side lies opposite the largest angle. " + how
        text = f"Which side of {triangle} is the longest?"
        asked += [
            choose(text, longest, sorted(opposite.values()), by_size),
            yes_no(f"Is side {q}{r} longer than side {r}{p}?", a > b, by_size),
        ]
    if part["extended"] and part["letters"]:
        asked.append(integer(f"What is angle {p}{r}{s} in degrees?", a + b, outer, "°"))
    return asked


# Triangles with a height: it splits the base (first to second point) into two right triangles.


def _invent_height(rng: Random, richness: int) -> Part:
    height, legs = rng.choice(list(_LEGS_OF_HEIGHT.items()))
    left, right = rng.sample(legs, 2)
    return {"height": height, "base": [left, right], "hidden": -1}


def _height_figure(part: Part) -> Figure:
    height, (left, right), unit = part["height"], part["base"], part["unit"]
    p, q, r, foot = named(part, 4)
    lengths = [left + right, math.isqrt(height**2 + right**2), math.isqrt(height**2 + left**2)]
    figure = Figure({p: (0, 0), q: (lengths[0], 0), r: (left, height)}, outline=[p, q, r])
    figure.points[foot] = (left, 0)
    figure.lines = sides(part, [p, q, r], lengths, 0)
    figure.lines.append(Line(r, foot, f"{height} {unit}", dashed=True))
    figure.angles = [Angle(r, foot, q, right=True)]
    return figure


def _ask_height(part: Part) -> list[DrawnQuestion]:
    height, (left, right), unit = part["height"], part["base"], part["unit"]
    names = named(part, 4)
    p, q, r, foot = names
    base = left + right
    lengths = [base, math.isqrt(height**2 + right**2), math.isqrt(height**2 + left**2)]
    triangle = called(part, "triangle", names[:3])
    area = f"Half of base times height, {base} x {height} / 2,"
    span = max(lengths) - min(lengths)
    asked = [
        *measures(part, triangle, lengths, base * height // 2, area),
        integer(
            f"By how many {unit} do the longest and the shortest side of {triangle} differ?",
            span,
            f"{max(lengths)} - {min(lengths)} = {span} {unit}.",
            unit,
        ),
    ]
    if part["letters"]:
        square = lengths[2] ** 2 - height**2
        text = f"What is the length of {p}{foot} in {unit}?"
        how = f"Pythagoras: {p}{foot}^2 = {lengths[2]}^2 - {height}^2 = {square} = {left}^2."
        asked += [
            integer(text, left, how, unit),
            yes_no(f"Is {p}{foot} longer than {foot}{q}?", left > right, how),
            integer(
                f"What is the area of triangle {p}{foot}{r} in square {unit}?",
                left * height // 2,
                f"{how} The area is {left} x {height} / 2.",
                f"square {unit}",
            ),
        ]
    return asked


KINDS = {
    "right": Kind(_invent_right, _right_figure, _ask_right),
    "isosceles": Kind(_invent_isosceles, _isosceles_figure, _ask_isosceles),
    "two_angles": Kind(_invent_two_angles, _two_angles_figure, _ask_two_angles),
    "height": Kind(_invent_height, _height_figure, _ask_height),
}
