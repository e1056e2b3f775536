"""Things in places: shapes on a page, things on shelves, symbols in a grid."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any

from PIL import Image

from ..schema import Task
from .asking import choose, dice, integer, listing, yes_no
from .canvas import COLOUR_NAMES, Canvas
from .counting import Thing, a_or_an, ask_counts, lone, name_of, some_colours, winner
from .grids import GRID
from .scene import DrawnQuestion, Family, Scene
from .symbols import SHAPES, THINGS, draw_shape, draw_thing

Description = dict[str, Any]

_PAGES = ("white", "#fbfaf6", "#f4f7fa", "#f7f4fa")
_APART = 14  # pixels from which on "left of" and "above" are plain to see


# Shapes scattered over a page.


def _invent_shapes(rng: Random, level: int) -> Scene:
    sizes = rng.choice(([13, 25], [16], [21], [11, 24]))
    low, high = ((4, 5), (6, 9), (11, 16), (18, 24))[level]
    count = rng.randint(low, high - len(sizes) + 1)
    size = rng.choice(((340, 280), (400, 300), (440, 340), (420, 380)) if level < 2 else
                      ((520, 380), (560, 400), (600, 440)))  # fmt: skip
    shapes, colours = rng.sample(SHAPES, rng.randint(3, 5)), some_colours(rng, rng.randint(3, 5))
    things: list[Thing] = []
    while len(things) < count:
        radius = rng.choice(sizes)
        margin = radius + 12
        at = [rng.randint(margin, size[0] - margin), rng.randint(margin, size[1] - margin)]
        if all(math.dist(at, t["at"]) > radius + t["radius"] + 9 for t in things):
            thing = {"shape": rng.choice(shapes), "colour": rng.choice(colours)}
            things.append({**thing, "radius": radius, "at": at})
    description = {"size": list(size), "page": rng.choice(_PAGES), "things": things}
    return Scene(description, count, len({t["radius"] for t in things}) - 1)


def _draw_shapes(description: Description) -> Image.Image:
    width, height = description["size"]
    canvas = Canvas(width, height, description["page"])
    for thing in description["things"]:
        x, y = thing["at"]
        draw_shape(canvas, thing["shape"], (x, y), thing["radius"], thing["colour"])
    return canvas.finish()


def _ask_shapes(description: Description) -> list[DrawnQuestion]:
    things, rng = description["things"], dice(description)
    asked = ask_counts(things, rng, SHAPES, "shape")
    for axis, first, last in ((0, "leftmost", "rightmost"), (1, "topmost", "bottommost")):
        ranked = sorted(things, key=lambda t: t["at"][axis])
        for word, end, rest in ((first, ranked[0], ranked[1:]), (last, ranked[-1], ranked[:-1])):
            if all(_clear(end, thing, axis) for thing in rest):
                others = rng.sample([n for n in COLOUR_NAMES if n != end["colour"]], 3)
                how = f"The {word} shape is the {name_of(end)}."
                text = f"What is the colour of the {word} shape?"
                asked.append(choose(text, end["colour"], others, how))
    asked += _ask_directions(things, rng)
    radii = Counter(t["radius"] for t in things)
    if len(radii) == 2:
        small, large = sorted(radii)
        how = f"There are two sizes: {radii[large]} large and {radii[small]} small."
        asked.append(integer("How many large shapes are there?", radii[large], how))
        asked.append(
            yes_no("Are there more small shapes than large ones?", radii[small] > radii[large], how)
        )
    return asked


def _clear(a: Thing, b: Thing, axis: int) -> bool:
    """Whether one is plainly further along the axis, by its middle and by its edges."""
    apart = abs(a["at"][axis] - b["at"][axis])
    return apart >= _APART + abs(a["radius"] - b["radius"])


def _ask_directions(things: Sequence[Thing], rng: Random) -> list[DrawnQuestion]:
    """Left of and above, between shapes that have a name of their own."""
    asked: list[DrawnQuestion] = []
    unique = lone(things)
    for axis, before, after in ((0, "to the left of", "to the right of"), (1, "above", "below")):
        clear = [(a, b) for a in unique for b in unique if _clear(a, b, axis)]
        if clear:
            a, b = rng.choice(clear)
            true = a["at"][axis] < b["at"][axis]
            how = f"The {name_of(a)} is {before if true else after} the {name_of(b)}."
            asked.append(yes_no(f"Is the {name_of(a)} {before} the {name_of(b)}?", true, how))
        for thing in unique:
            others = [t for t in things if t is not thing]
            if all(_clear(thing, t, axis) for t in others):
                count = sum(t["at"][axis] > thing["at"][axis] for t in others)
                how = f"The number of other shapes {after} it is {count}."
                text = f"How many shapes are {after} the {name_of(thing)}?"
                asked.append(integer(text, count, how))
                break
    return asked


# Shelves, from the top one down.

_WALLS = ("#f3efe6", "#eaf0f4", "#f4ecec", "#edf3ec", "#f2eef6")
_WOODS = ("#b98a5a", "#8c6d46", "#d0ad7c", "#6f7782", "#c9c3b8")
_ORDINALS = ("first", "second", "third", "fourth")


def _invent_shelf(rng: Random, level: int) -> Scene:
    rows = (2, rng.randint(2, 3), rng.randint(3, 4), 4)[level]
    low, high = ((1, 2), (1, 3), (2, 5), (4, 6))[level]
    kinds, colours = rng.sample(THINGS, rng.randint(4, 6)), some_colours(rng, rng.randint(3, 5))
    limits = ((0, 5), (6, 10), (11, 17), (18, 40))[level]
    while True:
        shelves = [
            [_thing(rng, kinds, colours) for _ in range(rng.randint(low, high))]
            for _ in range(rows)
        ]
        # the shelves are things to take in as well
        objects = rows + sum(map(len, shelves))
        if limits[0] <= objects <= limits[1] and objects > rows + 2:
            break
    description = {
        "width": rng.randrange(340, 440, 20) + 60 * (level == 3),
        "wall": rng.choice(_WALLS),
        "wood": rng.choice(_WOODS),
        "shelves": shelves,
    }
    return Scene(description, objects, 0)


def _thing(rng: Random, kinds: Sequence[str], colours: Sequence[str]) -> Thing:
    kind = rng.choice(kinds)
    return {"shape": kind, "colour": "green" if kind == "plant" else rng.choice(colours)}


def _draw_shelf(description: Description) -> Image.Image:
    shelves, width = description["shelves"], description["width"]
    height = max(240, 96 * len(shelves) + 40)
    canvas = Canvas(width, height, description["wall"])
    wood, room = description["wood"], (height - 36) / len(shelves)
    for x in (22, width - 30):
        canvas.rectangle((x, 14, x + 8, height - 10), fill=wood, width=1.5)
    for row, things in enumerate(shelves):
        floor = 14 + (row + 1) * room
        canvas.rectangle((22, floor, width - 22, floor + 8), fill=wood, width=1.5)
        step = (width - 80) / max(len(things), 1)
        for i, thing in enumerate(things):
            foot = (40 + step * (i + 0.5), floor)
            size = min(room * 0.78, step * 1.15, 78)
            draw_thing(canvas, thing["shape"], foot, size, thing["colour"])
    return canvas.finish()


def _shelf_name(row: int, rows: int) -> str:
    if row in (0, rows - 1):
        return "top shelf" if row == 0 else "bottom shelf"
    return f"{_ORDINALS[row]} shelf from the top"


def _ask_shelf(description: Description) -> list[DrawnQuestion]:
    shelves, rng = description["shelves"], dice(description)
    things = [thing for shelf in shelves for thing in shelf]
    counts = list(map(len, shelves))
    names = [_shelf_name(row, len(shelves)) for row in range(len(shelves))]
    how = "From top to bottom there are " + ", ".join(map(str, counts)) + "."
    asked = ask_counts(things, rng, THINGS, "object")
    asked += [
        integer(f"How many objects are on the {name}?", count, how)
        for name, count in zip(names, counts, strict=True)
    ]
    asked.append(
        listing("List the number of objects on each shelf, from top to bottom.", counts, how)
    )
    best = winner(Counter(dict(zip(names, counts, strict=True))))
    if best and len(names) > 2:
        text = "Which shelf holds the most objects?"
        asked.append(choose(text, f"the {best}", [f"the {n}" for n in names], how))
    row = rng.randrange(len(shelves))
    shape = rng.choice(sorted({t["shape"] for t in things}))
    asked.append(
        yes_no(
            f"Is there {a_or_an(shape)} on the {names[row]}?",
            any(t["shape"] == shape for t in shelves[row]),
            f"The {names[row]} holds: {', '.join(map(name_of, shelves[row]))}.",
        )
    )
    return asked + _ask_neighbours(shelves, names, rng)


def _ask_neighbours(
    shelves: Sequence[Sequence[Thing]], names: Sequence[str], rng: Random
) -> list[DrawnQuestion]:
    asked: list[DrawnQuestion] = []
    unique = lone([thing for shelf in shelves for thing in shelf])
    everything = [name_of(thing) for shelf in shelves for thing in shelf]
    extra = [f"{c} {s}" for c in sorted({n.split()[0] for n in everything}) for s in THINGS]
    rng.shuffle(extra)
    for shelf, name in zip(shelves, names, strict=True):
        line = f"On the {name}, from left to right: {', '.join(map(name_of, shelf))}."
        for i, thing in enumerate(shelf[:-1]):
            after, wrong = name_of(shelf[i + 1]), [f"the {n}" for n in (*everything, *extra)]
            if thing in unique:
                wrong = [w for w in wrong if w != f"the {name_of(thing)}"]
                text = f"What stands directly to the right of the {name_of(thing)}?"
                asked.append(choose(text, f"the {after}", wrong, line))
            if thing in unique and i + 2 < len(shelf) and shelf[i + 2] in unique:
                last = name_of(shelf[i + 2])
                text = f"What stands between the {name_of(thing)} and the {last}?"
                wrong = [w for w in wrong if w != f"the {last}"]
                asked.append(choose(text, f"the {after}", wrong, line))
                break
    for thing in unique[:2]:
        same = [t for t in everything if t.endswith(thing["shape"])]
        if len(same) == 1:
            wrong = rng.sample([c for c in COLOUR_NAMES if c != thing["colour"]], 3)
            how = f"The only {thing['shape']} is {thing['colour']}."
            text = f"What colour is the {thing['shape']}?"
            asked.append(choose(text, thing["colour"], wrong, how))
    return asked


FAMILIES: tuple[Family, ...] = (
    Family("shapes", Task.VQA, "synthetic scene", _invent_shapes, _draw_shapes, _ask_shapes),
    Family("shelf", Task.VQA, "abstract scene", _invent_shelf, _draw_shelf, _ask_shelf),
    GRID,
)
