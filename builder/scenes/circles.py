"""Circles with radii, chords, inscribed angles and tangents."""

from __future__ import annotations

from random import Random

from .asking import choose, choose_number, decimal, exceeds, integer, listing, yes_no
from .diagram import Angle, Figure, Kind, Line, Part, named, polar
from .outlines import TRIPLES, measures
from .scene import DrawnQuestion

_CENTRE = "_centre"


def _centre(part: Part) -> str:
    return part["centre"] if part["letters"] else _CENTRE


def _circle(part: Part) -> str:
    return f"the circle with centre {part['centre']}" if part["letters"] else "the circle"


def _ask_measures(part: Part, radius: int) -> list[DrawnQuestion]:
    """Circumference and area with 3.14 for pi, exact to 2 decimals."""
    unit, who = part["unit"], _circle(part)
    square = f"square {unit}"
    around, area = 628 * radius / 100, 314 * radius * radius / 100
    rim = f"The circumference is 2 x 3.14 x {radius} = {around:.2f} {unit}."
    inside = f"The area is 3.14 x {radius} x {radius} = {area:.2f} {square}."
    return [
        decimal(
            f"What is the circumference of {who} in {unit}, taking pi as 3.14? Give 2 decimals.",
            around,
            2,
            rim,
            unit,
        ),
        decimal(
            f"What is the area of {who} in {square}, taking pi as 3.14? Give 2 decimals.",
            area,
            2,
            inside,
            square,
        ),
    ]


# A radius or a diameter.


def _invent_radius(rng: Random, richness: int) -> Part:
    start = rng.randint(25, 60)
    chord = [start, start + rng.randint(55, 100)] if richness > 1 else []
    shown = rng.choice(("radius", "diameter"))
    return {"radius": rng.randint(2, 25), "shown": shown, "chord": chord}


def _radius_figure(part: Part) -> Figure:
    radius, unit, centre = part["radius"], part["unit"], _centre(part)
    p, q, r, s = named(part, 4)
    figure = Figure({centre: (0, 0)}, circles=[(centre, radius)], dots=[centre])
    figure.points[p] = (radius, 0)
    if part["shown"] == "radius":
        figure.lines = [Line(centre, p, f"{radius} {unit}")]
    else:
        figure.points[q] = (-radius, 0)
        figure.lines = [Line(q, p, f"d = {2 * radius} {unit}")]
    if part["chord"]:
        figure.points |= {n: polar(radius, d) for n, d in zip((r, s), part["chord"], strict=True)}
        figure.lines.append(Line(r, s, dashed=True))
    return figure


def _ask_radius(part: Part) -> list[DrawnQuestion]:
    radius, unit, who = part["radius"], part["unit"], _circle(part)
    given, value = ("radius", radius) if part["shown"] == "radius" else ("diameter", 2 * radius)
    asked, answer = ("diameter", 2 * radius) if given == "radius" else ("radius", radius)
    how = f"The {given} is {value} {unit}; the diameter is twice the radius."
    square = f"square {unit}"
    around = f"The square has the diameter, {2 * radius} {unit}, as its side."
    questions = [
        integer(f"What is the {asked} of {who} in {unit}?", answer, how, unit),
        choose_number(
            f"Which of these is the {asked} of {who}?",
            answer,
            (value, 4 * radius, radius * radius, radius + 1),
            how,
            unit,
        ),
        *_ask_measures(part, radius),
        integer(
            f"What is the area in {square} of the smallest square that contains {who}?",
            4 * radius * radius,
            around,
            square,
        ),
        exceeds(f"the {asked} of {who}", answer, how, unit),
        listing(
            f"List the radius and the diameter of {who} in {unit}, in this order.",
            [radius, 2 * radius],
            how,
            unit,
        ),
    ]
    if part["chord"]:
        r, s = named(part, 4)[2:]
        text = f"What is segment {r}{s}, which does not pass through the centre, called?"
        chord = f"{r} and {s} both lie on the circle."
        questions.append(choose(text, "a chord", ("a radius", "a diameter", "a tangent"), chord))
    return questions


# An inscribed angle (third point) and the central angle over the same arc (first two points).


def _invent_inscribed(rng: Random, richness: int) -> Part:
    # a chord below a wide angle would run through the label
    central = rng.choice([n for n in range(50, 104 if richness > 1 else 152, 2) if n != 90])
    middle = central // 2 + 180
    places = range(middle - 50, middle + 51)
    third = rng.choice([n for n in places if abs(n - 180) > 13 < abs(n - 180 - central)])
    given = rng.choice(("central", "inscribed"))
    return {"central": central, "third": third, "given": given, "chord": richness > 1}


def _inscribed_figure(part: Part) -> Figure:
    central, centre = part["central"], _centre(part)
    p, q, r = named(part, 3)
    figure = Figure({centre: (0, 0)}, circles=[(centre, 100)], dots=[centre])
    figure.points |= {p: (100, 0), q: polar(100, central), r: polar(100, part["third"])}
    figure.lines = [Line(centre, p), Line(centre, q), Line(r, p), Line(r, q)]
    if part["chord"]:
        figure.lines.append(Line(p, q))
    at_centre, at_rim = Angle(p, centre, q, f"{central}°"), Angle(p, r, q, f"{central // 2}°")
    unknown = "" if part["letters"] else "x"
    if part["given"] == "central":
        figure.angles = [at_centre, *([Angle(p, r, q, unknown)] if unknown else [])]
    else:
        figure.angles = [at_rim, *([Angle(p, centre, q, unknown)] if unknown else [])]
    return figure


def _ask_inscribed(part: Part) -> list[DrawnQuestion]:
    central, centre, (p, q, r) = part["central"], _centre(part), named(part, 3)
    half, base = central // 2, (180 - central) // 2
    at_centre, at_rim = "the angle at the centre", "the angle at the circle"
    if part["letters"]:
        at_centre, at_rim = f"angle {p}{centre}{q}", f"angle {p}{r}{q}"
    asked, value = (at_rim, half) if part["given"] == "central" else (at_centre, central)
    how = f"An inscribed angle is half the central angle over the same arc: {central}° and {half}°."
    equal = (
        f"Two sides are radii, so the other angles are equal: (180° - {central}°) / 2 = {base}°."
    )
    whole = f"The full turn less the smaller angle: 360° - {central}° = {360 - central}°."
    triangle = "the triangle made of the two radii and the chord between their ends"
    if part["letters"]:
        triangle = f"triangle {p}{centre}{q}"
    return [
        integer(f"What is the size of {asked} in degrees?", value, how, "°"),
        choose_number(
            f"Which of these is the size of {asked}?",
            value,
            (central if value == half else half, 180 - central, 90 - half, 180 - half, base),
            how,
            "°",
        ),
        exceeds(asked, value, how, "°"),
        integer(
            f"What is the size of the reflex {at_centre.removeprefix('the ')} in degrees?",
            360 - central,
            whole,
            "°",
        ),
        listing(
            f"List the three angles of {triangle} in degrees, in ascending order.",
            sorted((central, base, base)),
            equal,
            "°",
        ),
        yes_no(
            f"Is {at_centre} an obtuse angle?",
            central > 90,
            f"{how} Obtuse means greater than 90°.",
        ),
        integer(
            f"What is the sum of {at_centre} and {at_rim} in degrees?",
            central + half,
            f"{how} Together that is {central + half}°.",
            "°",
        ),
    ]


# A tangent from the second point touches at the first.


def _invent_tangent(rng: Random, richness: int) -> Part:
    radius, along, _ = rng.choice([t for t in TRIPLES if t[1] < 2.5 * t[0]])
    if along < 1.4 * radius and rng.random() < 0.5:
        radius, along = along, radius
    # between two tangents there is no room for a label
    hidden = 2 if richness > 1 else rng.randrange(3)
    return {"sides": [radius, along], "hidden": hidden, "second": richness > 1}


def _tangent_figure(part: Part) -> Figure:
    (radius, along), unit, centre = part["sides"], part["unit"], _centre(part)
    t, p, u = named(part, 3)
    beyond = round((radius**2 + along**2) ** 0.5)
    x, y = round(radius**2 / beyond, 3), round(radius * along / beyond, 3)
    figure = Figure({centre: (0, 0), t: (x, y), p: (beyond, 0)}, circles=[(centre, radius)])
    unknown = "" if part["letters"] else "x"
    labels = [
        unknown if i == part["hidden"] else f"{n} {unit}"
        for i, n in enumerate((radius, along, beyond))
    ]
    ends = ((centre, t), (t, p), (centre, p))
    figure.lines = [Line(a, b, label) for (a, b), label in zip(ends, labels, strict=True)]
    figure.angles = [Angle(centre, t, p, right=True)]
    figure.dots = [centre]
    if part["second"]:
        figure.points[u] = (x, -y)
        figure.lines += [Line(p, u), Line(centre, u)]
        figure.angles.append(Angle(centre, u, p, right=True))
    return figure


def _ask_tangent(part: Part) -> list[DrawnQuestion]:
    (radius, along), unit, centre = part["sides"], part["unit"], _centre(part)
    t, p, u = named(part, 3)
    beyond = round((radius**2 + along**2) ** 0.5)
    lengths = [radius, along, beyond]
    value, known = lengths[part["hidden"]], sorted(lengths)
    known.remove(value)
    side = "the segment marked x"
    if part["letters"]:
        side = ("radius " + centre + t, "tangent " + t + p, "segment " + centre + p)[part["hidden"]]
    triangle = f"triangle {centre}{t}{p}" if part["letters"] else "the triangle"
    point = f"point {p}" if part["letters"] else "the point outside the circle"
    how = (
        f"The radius meets the tangent at a right angle, so {radius}^2 + {along}^2 = {beyond}^2"
        f" and the missing length is {value} {unit}."
    )
    asked = [
        integer(f"What is the length of {side} in {unit}?", value, how, unit),
        choose_number(
            f"How long is {side}?", value, (sum(known), known[1] - known[0], value + 2), how, unit
        ),
        integer(
            f"What is the shortest distance in {unit} from {point} to {_circle(part)}?",
            beyond - radius,
            f"{how} Going towards the centre: {beyond} - {radius} = {beyond - radius} {unit}.",
            unit,
        ),
        *measures(part, triangle, lengths, radius * along // 2, f"Half of {radius} x {along}"),
        *_ask_measures(part, radius),
    ]
    if part["letters"]:
        longer = f"{t}{p} is {along} {unit} and the radius {radius} {unit} long."
        asked.append(
            yes_no(
                f"Is the tangent {t}{p} longer than the radius {centre}{t}?", along > radius, longer
            )
        )
    if part["second"] and part["letters"]:
        both = "Both tangents from a point to a circle are equally long."
        asked.append(integer(f"What is the length of tangent {p}{u} in {unit}?", along, both, unit))
    return asked


# A diameter (first two points) seen from a third point of the circle.


def _invent_semicircle(rng: Random, richness: int) -> Part:
    angle = rng.choice([n for n in range(24, 67) if abs(n - 45) > 3])
    return {"angle": angle, "radius": rng.randint(3, 20), "spoke": richness > 0}


def _semicircle_figure(part: Part) -> Figure:
    angle, radius, unit, centre = part["angle"], part["radius"], part["unit"], _centre(part)
    p, q, r = named(part, 3)
    figure = Figure({centre: (0, 0)}, circles=[(centre, radius)], dots=[centre])
    figure.points |= {p: (-radius, 0), q: (radius, 0), r: polar(radius, 2 * angle)}
    figure.lines = [Line(p, q, f"d = {2 * radius} {unit}"), Line(p, r), Line(q, r)]
    figure.angles = [Angle(q, p, r, f"{angle}°")]
    if part["spoke"]:
        figure.lines.append(Line(centre, r, dashed=True))
    if not part["letters"]:
        figure.angles.append(Angle(p, q, r, "x"))
    return figure


def _ask_semicircle(part: Part) -> list[DrawnQuestion]:
    angle, radius, unit, (p, q, r) = part["angle"], part["radius"], part["unit"], named(part, 3)
    lettered, other = bool(part["letters"]), 90 - part["angle"]
    triangle = f"triangle {p}{q}{r}" if lettered else "the triangle"
    third = f"angle {p}{q}{r}" if lettered else "the angle marked x"
    top = f"angle {p}{r}{q}" if lettered else "the angle opposite the diameter"
    thales = "An angle in a semicircle is a right angle."
    how = f"{thales} So the third angle is 90° - {angle}° = {other}°."
    asked = [
        integer(f"What is the size of {top} in degrees?", 90, thales, "°"),
        integer(f"What is the size of {third} in degrees?", other, how, "°"),
        choose_number(
            f"Which of these is the size of {third}?",
            other,
            (angle, 180 - angle, 2 * angle, 90),
            how,
            "°",
        ),
        listing(
            f"List the three angles of {triangle} in degrees, in ascending order.",
            sorted((angle, other, 90)),
            how,
            "°",
        ),
        exceeds(third, other, how, "°"),
        integer(
            f"What is the radius of {_circle(part)} in {unit}?",
            radius,
            f"Half the diameter of {2 * radius} {unit}.",
            unit,
        ),
        *_ask_measures(part, radius),
    ]
    if lettered:
        opposite = f"{how} The longer side lies opposite the larger angle."
        asked.append(yes_no(f"Is chord {q}{r} longer than chord {p}{r}?", angle > other, opposite))
    if lettered and part["spoke"]:
        twice = f"The central angle is twice the inscribed one: 2 x {angle}° = {2 * angle}°."
        text = f"What is the size of angle {q}{part['centre']}{r} in degrees?"
        asked.append(integer(text, 2 * angle, twice, "°"))
    return asked


KINDS = {
    "radius": Kind(_invent_radius, _radius_figure, _ask_radius),
    "inscribed": Kind(_invent_inscribed, _inscribed_figure, _ask_inscribed),
    "tangent": Kind(_invent_tangent, _tangent_figure, _ask_tangent),
    "semicircle": Kind(_invent_semicircle, _semicircle_figure, _ask_semicircle),
}
