"""Puzzle grids: rows A, B, C and columns 1, 2, 3 with symbols, at random or by a rule."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

from PIL import Image

from ..schema import Task
from .asking import choose, dice, integer, listing, yes_no
from .canvas import COLOUR_NAMES, INK, Canvas
from .counting import Thing, a_or_an, ask_counts, lone, name_of, some_colours
from .scene import DrawnQuestion, Family, Scene
from .symbols import SHAPES, draw_shape, plural

Description = dict[str, Any]
Cells = list[tuple[str, Thing]]

_HEADERS = ("#eaf0f6", "#f6efe4", "#eef5ec", "#f5ecf0", "#efedf7", "#eceeef")
_SHAPES_OF_GRID = {
    "scatter": (
        ((2, 2),),
        ((2, 3), (3, 2), (3, 3)),
        ((3, 4), (4, 3), (4, 4)),
        ((4, 5), (5, 5)),
    ),
    "pattern": ((), (), ((3, 3), (3, 4), (4, 3)), ((4, 4), (4, 5))),
}
"""Rows and columns for each level."""
# How the place in a cycle follows from row and column.
_RULES = {"row": (1, 0), "column": (0, 1), "rising": (1, 1), "falling": (2, 1)}


def _invent(rng: Random, level: int) -> Scene:
    patterned = level > 1 and rng.random() < 0.5
    rows, columns = rng.choice(_SHAPES_OF_GRID["pattern" if patterned else "scatter"][level])
    if patterned:
        cells = _pattern(rng, rows, columns)
    else:
        low, high = ((3, 3), (4, 8), (9, 14), (16, 20))[level]
        most = min(high, rows * columns - 1)
        cells = _scattered(rng, rows, columns, rng.randint(min(low, most), most))
    description: Description = {
        "cell": rng.choice((52, 58, 64)) if rows < 5 else 56,
        "header": rng.choice(_HEADERS),
        "gap": [rng.randrange(rows), rng.randrange(columns)] if patterned else None,
        "cells": cells,
    }
    filled = sum(cell is not None for row in cells for cell in row)
    # the row letters are one thing to take in, and so are the column numbers; a pattern adds the
    # rules of shape and of colour
    return Scene(description, filled + 2, 2 if patterned else 0)


def _scattered(rng: Random, rows: int, columns: int, count: int) -> list[list[Thing | None]]:
    shapes, colours = rng.sample(SHAPES, 4), some_colours(rng, rng.randint(2, 4))
    filled = set(rng.sample(range(rows * columns), count))
    things = [
        {"shape": rng.choice(shapes), "colour": rng.choice(colours)} if i in filled else None
        for i in range(rows * columns)
    ]
    return [things[r * columns : (r + 1) * columns] for r in range(rows)]


def _pattern(rng: Random, rows: int, columns: int) -> list[list[Thing | None]]:
    """Shape and colour each follow a rule of their own, so that no cell is open to doubt."""
    shapes, colours = rng.sample(SHAPES, 3), some_colours(rng, 3)
    (a, b), (c, d) = (_RULES[name] for name in rng.sample(sorted(_RULES), 2))
    return [
        [
            {"shape": shapes[(a * y + b * x) % 3], "colour": colours[(c * y + d * x) % 3]}
            for x in range(columns)
        ]
        for y in range(rows)
    ]


def _draw(description: Description) -> Image.Image:
    cells, size = description["cells"], description["cell"]
    rows, columns = len(cells), len(cells[0])
    head = 34
    width, height = max(280, columns * size + 90), max(220, rows * size + 76)
    x0, y0 = (width - columns * size + head) / 2, (height - rows * size + head) / 2
    canvas = Canvas(width, height)
    right, bottom = x0 + columns * size, y0 + rows * size
    canvas.rectangle((x0, y0 - head, right, y0), fill=description["header"], outline=None)
    canvas.rectangle((x0 - head, y0, x0, bottom), fill=description["header"], outline=None)
    for i in range(columns + 1):
        canvas.line([(x0 + i * size, y0), (x0 + i * size, bottom)], INK, 1.5)
    for i in range(rows + 1):
        canvas.line([(x0, y0 + i * size), (right, y0 + i * size)], INK, 1.5)
    for x in range(columns):
        canvas.text((x0 + (x + 0.5) * size, y0 - head / 2), str(x + 1), 17)
    for y, row in enumerate(cells):
        canvas.text((x0 - head / 2, y0 + (y + 0.5) * size), "ABCDE"[y], 17)
        for x, cell in enumerate(row):
            middle = (x0 + (x + 0.5) * size, y0 + (y + 0.5) * size)
            if [y, x] == description["gap"]:
                canvas.text(middle, "?", size * 0.5)
            elif cell:
                draw_shape(canvas, cell["shape"], middle, size * 0.34, cell["colour"])
    return canvas.finish()


def _ask(description: Description) -> list[DrawnQuestion]:
    grid, gap, rng = description["cells"], description["gap"], dice(description)
    places = [(y, x) for y, row in enumerate(grid) for x in range(len(row))]
    names = {(y, x): f"{'ABCDE'[y]}{x + 1}" for y, x in places}
    seen: Cells = [(names[y, x], grid[y][x]) for y, x in places if grid[y][x] and [y, x] != gap]
    asked = _ask_cells(seen, list(names.values()), rng)
    if gap:
        return asked + _ask_gap(grid, gap, names[gap[0], gap[1]], seen, list(names.values()), rng)
    counts = [sum(cell is not None for cell in row) for row in grid]
    rows = [f"row {letter}" for letter in "ABCDE"[: len(grid)]]
    how = "By row there are " + ", ".join(map(str, counts)) + " symbols."
    text = "List the number of symbols in each row, from top to bottom."
    asked.append(listing(text, counts, how))
    empty = len(places) - len(seen)
    held = f"{len(seen)} of the {len(places)} cells hold a symbol."
    asked.append(integer("How many cells are empty?", empty, held))
    if len(rows) > 2 and counts.count(max(counts)) == 1:
        text = "Which row holds the most symbols?"
        asked.append(choose(text, rows[counts.index(max(counts))], rows, how))
    column = rng.randrange(len(grid[0]))
    there = sum(row[column] is not None for row in grid)
    how = f"Filled cells in column {column + 1}: {there} of {len(grid)}."
    asked.append(integer(f"How many symbols are in column {column + 1}?", there, how))
    return asked + ask_counts([thing for _, thing in seen], rng, SHAPES, "symbol")


def _ask_cells(seen: Cells, names: list[str], rng: Random) -> list[DrawnQuestion]:
    """What is where, among the symbols to be seen."""
    asked: list[DrawnQuestion] = []
    things = [thing for _, thing in seen]
    unique = [(name, thing) for name, thing in seen if thing in lone(things)]
    place, thing = rng.choice(seen)
    others = [name_of(t) for t in things] + [f"{thing['colour']} {s}" for s in SHAPES]
    how = f"Cell {place} holds {a_or_an(name_of(thing))}."
    text = f"Which symbol is in cell {place}?"
    asked.append(choose(text, name_of(thing), rng.sample(others, len(others)), how))
    if unique:
        place, thing = rng.choice(unique)
        how = f"The {name_of(thing)} is in row {place[0]} and column {place[1]}."
        wrong = rng.sample(names, len(names))
        asked.append(choose(f"Which cell holds the {name_of(thing)}?", place, wrong, how))
    (a, first), (b, second) = sorted(rng.sample(seen, 2), key=lambda pair: pair[0])
    for what in ("colour", "shape"):
        how = f"The {what} is {first[what]} in {a} and {second[what]} in {b}."
        text = f"Do the symbols in cells {a} and {b} have the same {what}?"
        asked.append(yes_no(text, first[what] == second[what], how))
    return asked


def _ask_gap(
    grid: list[list[Thing]], gap: list[int], place: str, seen: Cells, names: list[str], rng: Random
) -> list[DrawnQuestion]:
    missing = grid[gap[0]][gap[1]]
    things = [thing for _, thing in seen]
    shapes, colours = sorted({t["shape"] for t in things}), sorted({t["colour"] for t in things})
    how = f"Shape and colour repeat regularly, so {place} must hold {a_or_an(name_of(missing))}."
    wrong = [f"{c} {s}" for c in colours for s in shapes]
    shape = rng.choice(shapes)
    y = rng.choice([y for y in range(len(grid)) if y != gap[0]])
    return [
        choose(
            "Which symbol belongs in the cell with the question mark?",
            name_of(missing),
            rng.sample(wrong, len(wrong)),
            how,
        ),
        choose(
            "Which colour must the missing symbol have?",
            missing["colour"],
            [*colours, *rng.sample(COLOUR_NAMES, 4)],
            how,
        ),
        choose(
            "Which shape must the missing symbol have?",
            missing["shape"],
            [*shapes, *rng.sample(SHAPES, 4)],
            how,
        ),
        choose(
            "In which cell is the question mark?",
            place,
            rng.sample(names, len(names)),
            f"It is in row {place[0]} and column {place[1]}.",
        ),
        integer(
            f"How many {plural(shape)} will there be once the missing symbol is filled in?",
            sum(t["shape"] == shape for t in things) + (missing["shape"] == shape),
            how,
        ),
        yes_no(
            f"Is the missing symbol {a_or_an(shape)}?",
            missing["shape"] == shape,
            how,
        ),
        *_ask_seen(things, "ABCDE"[y], grid[y], rng.choice(colours)),
    ]


def _ask_seen(
    things: list[Thing], row: str, cells: list[Thing], colour: str
) -> list[DrawnQuestion]:
    """Counts that need no rule: in one whole row, and of each shape in sight."""
    count = Counter(thing["shape"] for thing in things)
    *shapes, last = sorted(count)
    return [
        integer(
            f"How many {colour} symbols are in row {row}?",
            sum(cell["colour"] == colour for cell in cells),
            f"Row {row} holds: {', '.join(map(name_of, cells))}.",
        ),
        listing(
            f"How many {', '.join(map(plural, shapes))} and {plural(last)} can be seen? "
            "List the numbers in this order.",
            [count[shape] for shape in (*shapes, last)],
            "Counted without the missing symbol.",
        ),
    ]


GRID = Family("grid", Task.VQA, "puzzle test", _invent, _draw, _ask)
