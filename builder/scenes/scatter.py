"""Scatter plots of invented measurements."""

from __future__ import annotations

from random import Random
from typing import Any

from ..schema import Task
from . import chart_drawing
from .asking import choose, decimal, dice, integer, listing, near, yes_no
from .charts import page, plural
from .scene import DrawnQuestion, Family, Scene
from .themes import SCATTERS


def _invent_scatter(rng: Random, level: int) -> Scene:
    title, x_axis, y_axis, one, x_words, y_words = rng.choice(SCATTERS)
    n = rng.randint(*((4, 4), (5, 8), (10, 14), (17, 20))[level])
    rows = 2 if level > 1 and rng.random() < 0.6 else 1
    y_tick, x_tick = rng.choice((1, 2, 5, 10)), rng.choice((1, 1, 2))
    spots = [(x, y) for x in range(1, 11) for y in range(1, 11)]
    falling = any(word in title for word in ("price", "missed", "Depth"))
    band = [(x, y) for x, y in spots if abs((11 - y if falling else y) - x) <= 2]
    # One mark at either end makes the direction plain however few there are.
    ends = [(x, 11 - x if falling else x) for x in (rng.randint(1, 2), rng.randint(9, 10))]
    chosen = ends + rng.sample([spot for spot in band if spot not in ends], n - 2)
    points = [[[x * x_tick, y * y_tick] for x, y in sorted(chosen[s::rows])] for s in range(rows)]
    description = page(rng, 7, title, y_axis) | {
        "x_axis": x_axis,
        "tick": y_tick,
        "top": 11 * y_tick,
        "x_tick": x_tick,
        "x_top": 11 * x_tick,
        "series": ["Group A", "Group B"] if rows > 1 else [""],
        "points": points,
        "one": one,
        "plural": plural(one),
        "words": [x_words, y_words],
    }
    return Scene(description, n, rows)


def _rises(points: list[list[int]]) -> bool:
    """Whether the line of best fit slopes upwards."""
    n, (xs, ys) = len(points), zip(*points, strict=True)
    return n * sum(x * y for x, y in points) > sum(xs) * sum(ys)


def _ask_scatter(d: dict[str, Any]) -> list[DrawnQuestion]:
    rng = dice(d)
    (x_words, y_words), one, plural = d["words"], d["one"], d["plural"]
    points = [point for group in d["points"] for point in group]
    xs, ys = [x for x, _ in points], [y for _, y in points]
    limit, edge = rng.choice(ys), rng.choice(xs)
    highest, high, low = sum(y > limit for y in ys), max(ys), min(ys)
    nearby, way = near(len(points), rng, low=1), rng.choice(("rise", "fall"))
    asked = [
        choose(f"How many {plural} does the scatter plot show?", str(len(points)), nearby,
               f"There are {len(points)} marks."),
        yes_no(f"Does the {y_words} tend to {way} as the {x_words} rises?",
               _rises(points) == (way == "rise"),
               "That is the direction in which the marks run."),
        integer(f"For how many {plural} is the {y_words} more than {limit}?", highest,
                f"{highest} marks lie above the line for {limit}."),
        integer(f"For how many {plural} is the {x_words} less than {edge}?",
                sum(x < edge for x in xs), f"Count the marks left of the line for {edge}."),
        integer(f"What is the highest {y_words} of any {one}?", high, f"It is {high}."),
        integer(f"What is the difference between the highest and the lowest {y_words}?",
                high - low, f"{high} - {low} = {high - low}."),
        decimal(f"What is the mean {y_words} of all {plural}? Round to one decimal place.",
                sum(ys) / len(ys), 1, f"The sum {sum(ys)} is divided by {len(ys)}."),
        listing(f"List the different values of the {x_words} in ascending order.",
                sorted(set(xs)), "Read the marks from left to right."),
    ]  # fmt: skip
    i = rng.choice([i for i, x in enumerate(xs) if xs.count(x) == 1] or [-1])
    if i >= 0:
        text = f"What is the {y_words} of the {one} whose {x_words} is {xs[i]}?"
        asked.append(integer(text, ys[i], f"The only mark above {xs[i]} is at {ys[i]}."))
    if len(d["points"]) > 1:
        a, b = map(len, d["points"])
        asked.append(integer("How many marks belong to Group A?", a, f"There are {a} of them."))
        if a != b:
            text = f"Are there more {plural} in Group A than in Group B?"
            asked.append(yes_no(text, a > b, f"The groups have {a} and {b} marks."))
    return asked


FAMILIES: tuple[Family, ...] = (
    Family(
        "scatter", Task.FQA, "scatter plot", _invent_scatter, chart_drawing.scatter, _ask_scatter
    ),
)
