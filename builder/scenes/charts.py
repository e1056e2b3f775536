"""Bar charts, line charts and pie charts of invented figures."""

from __future__ import annotations

from itertools import pairwise
from random import Random
from statistics import median
from typing import Any

from ..schema import Task
from . import chart_drawing
from .asking import choose, decimal, dice, integer, listing, yes_no
from .scene import DrawnQuestion, Family, Scene
from .themes import BARS, LINES, PIES, PLURALS, SMALL, TIMES, in_full

_MARKS = ((3, 3), (4, 5), (6, 9), (10, 12))
"""Marks of a chart by level; with one comparison between neighbours each."""


def page(rng: Random, marks: int, title: str, axis: str = "") -> dict[str, Any]:
    return {
        "width": min(640, rng.randint(30, 40) * 10 + max(0, marks - 4) * 25),
        "height": rng.randint(26, 36) * 10 + 20 * (marks > 6),
        "title": title,
        "axis": axis,
        "grid": True,
        "colours": rng.sample(range(8), 8),
    }


def _figures(rng: Random, rows: int, n: int, printed: bool, small: bool) -> dict[str, Any]:
    """Values up to ten ticks high, on the lines of the grid unless they are printed."""
    ticks = [tick for tick in (1, 2, 5, 10, 20, 50) if not small or tick < 10]
    tick = rng.choice(ticks[2:] if printed else ticks)
    reach = rng.randint(6, 9)
    unit = 1 if printed else tick
    columns = []
    while len(columns) < n:
        column = [unit * rng.randint(tick // unit, reach * tick // unit) for _ in range(rows)]
        # Equal neighbours are rare, and two lines never meet at a mark.
        if len(set(column)) == rows and (column not in columns or rng.random() < 0.2):
            columns.append(column)
    values = [[column[s] for column in columns] for s in range(rows)]
    top = -(-max(map(max, values)) // tick) * tick
    return {"values": values, "tick": tick, "top": top + tick * printed, "printed": printed}


def _scene(description: dict[str, Any]) -> Scene:
    marks = sum(map(len, description["values"]))
    return Scene(description, marks, marks - 1)


def _invent_bars(rng: Random, level: int) -> Scene:
    title, axis, unit, one, value, most, least, above, labels, sums = rng.choice(BARS)
    marks = rng.randint(*_MARKS[level])
    rows = 2 if level > 1 and sums and marks % 2 == 0 and rng.random() < 0.7 else 1
    series = [""]
    if rows == 2:
        year = rng.randint(2010, 2023)
        series = [str(year), str(year + rng.randint(1, 2))]
    n = min(marks // rows, len(labels))
    tail = " in {s}" * (rows > 1)
    printed = rng.random() < 0.5
    figures = _figures(rng, rows, n, printed, title in SMALL)
    description: dict[str, Any] = page(rng, n * rows, title, axis) | figures
    chosen = _in_order(rng, labels, n)
    room = (description["width"] - 70) / n
    lying = rng.random() < 0.25 or max(map(len, chosen)) * 7.2 > room
    if lying:
        description["height"] = max(description["height"], 130 + n * (26 if rows == 1 else 36))
    if rows == 1 and rng.random() < 0.7:
        description["title"] += f", {rng.randint(2010, 2025)}"
    description |= {
        "labels": chosen,
        "series": series,
        "fill": rng.choice((0.5, 0.6, 0.7)) + 0.1 * (rows > 1),
        "lying": lying,
        "unit": unit,
        "sums": sums,
        "one": one,
        "of": value + tail,
        "most": f"Which {one} {most}{tail}?",
        "least": f"Which {one} {least}{tail}?",
        "above": f"How many {plural(one)} {above}{tail}?",
    }
    return _scene(description)


def _invent_lines(rng: Random, level: int) -> Scene:
    title, axis, unit, measure, named, sums = rng.choice(LINES)
    one, at, labels = rng.choice(TIMES[:-1] if sums else TIMES)
    marks = rng.randint(*_MARKS[level])
    fitting = [k for k in (1, 2, 3) if marks % k == 0 and 3 <= marks // k <= len(labels)]
    rows = rng.choice(fitting) if fitting else 1
    n = min(marks // rows, len(labels))
    start = rng.randint(0, len(labels) - n)
    series = rng.sample(named, rows)
    wide = len(labels[0]) > 4 or n > 6
    width = {"width": min(640, max(340, n * 62 + 80))} if wide else {}
    figures = _figures(rng, rows, n, rows == 1 and rng.random() < 0.6, title in SMALL)
    description: dict[str, Any] = page(rng, marks, title, axis) | width | figures
    if rows == 1:
        description["title"] += f": {series[0]}"
    description |= {
        "labels": list(labels[start : start + n]),
        "series": series,
        "unit": unit,
        "sums": sums,
        "one": one,
        "of": f"{measure} {at} {{x}}",
        "measure": measure,
        "most": f"{at.capitalize()} which {one} was {measure} the highest?",
        "least": f"{at.capitalize()} which {one} was {measure} the lowest?",
        "above": f"{at.capitalize()} how many of the {one}s was {measure} more than {{v}}"
        + (f" {unit}?" if unit else "?"),
    }
    return _scene(description)


def _in_order(rng: Random, labels: tuple[str, ...], n: int) -> list[str]:
    """Months and days follow each other; anything else comes as it comes."""
    if in_full(labels[0]) == labels[0]:
        return rng.sample(labels, n)
    start = rng.randint(0, len(labels) - n)
    return list(labels[start : start + n])


def plural(one: str) -> str:
    return PLURALS.get(one, one + "s")


def _ask_row(d: dict[str, Any], s: int, rng: Random) -> list[DrawnQuestion]:
    """What can be asked about one series of a bar or line chart."""
    labels, row, unit = [in_full(label) for label in d["labels"]], d["values"][s], d["unit"]
    i, j = rng.sample(range(len(row)), 2)
    of = [d["of"].format(x=label, s=d["series"][s]) for label in labels]
    limit = rng.choice([value for value in row if value != 1] or [2])
    over = [value for value in row if value > limit]
    name = d["most"].format(s=d["series"][s]), d["least"].format(s=d["series"][s])
    comma = f", in {unit}" if unit else ""
    asked = [
        integer(f"What is {of[i]}{comma}?", row[i], f"The chart shows {row[i]} there.", unit),
        integer(
            d["above"].format(s=d["series"][s], v=limit),
            len(over),
            f"The values above {limit} are {over}." if over else f"No value is above {limit}.",
        ),
    ]
    extremes = ((max(row), "high"), (min(row), "low"))
    for text, (best, extreme) in zip(name, extremes, strict=True):
        if row.count(best) == 1:
            answer = labels[row.index(best)]
            wrong = rng.sample(labels, len(labels))
            asked.append(choose(text, answer, wrong, f"No other value is as {extreme}: {best}."))
    if row[i] != row[j]:
        big, small = (i, j) if row[i] > row[j] else (j, i)
        asked += [
            integer(
                f"By how much is {of[big]} greater than {of[small]}{comma}?",
                row[big] - row[small],
                f"{row[big]} - {row[small]} = {row[big] - row[small]}.",
                unit,
            ),
            yes_no(f"Is {of[i]} greater than {of[j]}?", row[i] > row[j],
                   f"The two values are {row[i]} and {row[j]}."),
        ]  # fmt: skip
    return asked + _ask_summary(d, s, comma)


def _ask_summary(d: dict[str, Any], s: int, comma: str) -> list[DrawnQuestion]:
    """Totals, means and orders of one series."""
    row, unit, n = d["values"][s], d["unit"], len(d["values"][s])
    which = f" for {d['series'][s]}" if len(d["values"]) > 1 else ""
    total = " + ".join(map(str, row))
    middle = float(median(row))
    spread = max(row) - min(row)
    what = f"the values shown{which}"
    in_order = ", ".join(map(str, sorted(row)))
    asked = [
        listing(f"List {what} in ascending order{comma}.", sorted(row), f"{in_order}.", unit),
        decimal(f"What is the mean of {what}{comma}? Round to one decimal place.", sum(row) / n, 1,
                f"({total}) / {n} = {sum(row)} / {n}.", unit),
        decimal(f"What is the median of {what}{comma}? Give one decimal place.", middle, 1,
                f"In order the values are {in_order}; the middle is {middle}.", unit),
        integer(f"What is the difference between the largest and the smallest of {what}{comma}?",
                spread, f"{max(row)} - {min(row)} = {spread}.", unit),
    ]  # fmt: skip
    if d["sums"]:
        text = f"What is the sum of {what}{comma}?"
        asked.append(integer(text, sum(row), f"{total} = {sum(row)}.", unit))
    return asked


def _ask_pair(d: dict[str, Any], rng: Random) -> list[DrawnQuestion]:
    """What can be asked about two series side by side."""
    a, b = rng.sample(range(len(d["values"])), 2)
    first, second = d["series"][a], d["series"][b]
    gaps = [abs(x - y) for x, y in zip(d["values"][a], d["values"][b], strict=True)]
    labels = [in_full(label) for label in d["labels"]]
    ahead = sum(x > y for x, y in zip(d["values"][a], d["values"][b], strict=True))
    i = rng.randrange(len(labels))
    x, y = d["values"][a][i], d["values"][b][i]
    this, that = (d["of"].format(x=labels[i], s=name) for name in (first, second))
    asked = [
        integer(f"For how many {plural(d['one'])} is the value for {first} greater than the value "
                f"for {second}?", ahead, f"Comparing the pairs gives {ahead}."),
        yes_no(f"Is {this} greater than {that}?", x > y, f"The two values are {x} and {y}."),
        integer("How many series does the legend of the chart name?", len(d["values"]),
                f"They are {' and '.join(d['series'])}."),
    ]  # fmt: skip
    if gaps.count(max(gaps)) == 1 and len(labels) > 2:
        answer = labels[gaps.index(max(gaps))]
        text = f"For which {d['one']} is the difference between {first} and {second} the largest?"
        wrong = rng.sample(labels, len(labels))
        asked.append(choose(text, answer, wrong, f"The difference there is {max(gaps)}."))
    if sum(d["values"][a]) != sum(d["values"][b]) and d["sums"]:
        sums = sum(d["values"][a]), sum(d["values"][b])
        text = f"Is the total of all values for {first} greater than the total for {second}?"
        asked.append(yes_no(text, sums[0] > sums[1], f"The totals are {sums[0]} and {sums[1]}."))
    return asked


def _ask_bars(description: dict[str, Any]) -> list[DrawnQuestion]:
    rng, rows = dice(description), len(description["values"])
    asked = [q for s in range(rows) for q in _ask_row(description, s, rng)]
    return asked + (_ask_pair(description, rng) if rows > 1 else [])


def _ask_lines(description: dict[str, Any]) -> list[DrawnQuestion]:
    asked, rng = _ask_bars(description), dice(description)
    labels = [in_full(label) for label in description["labels"]]
    for s, row in enumerate(description["values"]):
        measure = description["measure"].format(s=description["series"][s])
        steps = [b - a for a, b in pairwise(row)]
        rises = sum(step > 0 for step in steps)
        asked.append(
            integer(f"Between how many pairs of neighbouring {description['one']}s did {measure} "
                    "rise?", rises, f"The changes are {steps}; {rises} of them are positive."),
        )  # fmt: skip
        i = rng.randrange(len(steps))
        if steps[i]:
            text = f"Did {measure} fall from {labels[i]} to {labels[i + 1]}?"
            asked.append(yes_no(text, steps[i] < 0, f"It went from {row[i]} to {row[i + 1]}."))
        if len(steps) > 2 and steps.count(max(steps)) == 1 and max(steps) > 0:
            spans = [f"{a} to {b}" for a, b in pairwise(labels)]
            answer = spans[steps.index(max(steps))]
            wrong = rng.sample(spans, len(spans))
            text = f"Over which step did {measure} rise the most?"
            asked.append(choose(text, answer, wrong, f"The rise there is {max(steps)}."))
    return asked


def _shares(rng: Random, n: int) -> list[int]:
    """`n` percentages of at least 6 that make 100."""
    step = 5 if n < 7 and rng.random() < 0.5 else 1
    low = 10 if step == 5 else 6
    spare = (100 - n * low) // step
    cuts = [0, *sorted(rng.randint(0, spare) for _ in range(n - 1)), spare]
    return [low + step * (b - a) for a, b in pairwise(cuts)]


def _invent_pies(rng: Random, level: int) -> Scene:
    title, whole, one, words, labels = rng.choice(PIES)
    n = rng.randint(5, 6) if level == 3 else min(8, rng.randint(*_MARKS[level]))
    rows = 2 if level == 3 else 1
    year = rng.randint(2008, 2022)
    total = rng.choice((100, 200, 300, 400, 500, 600, 800, 1000, 1200, 2000))
    description = page(rng, n, title) | {
        "width": rng.randint(56, 64) * 10 if rows > 1 else rng.randint(36, 44) * 10,
        "labels": rng.sample(labels, n),
        "series": [str(year), str(year + rng.randint(2, 4))] if rows > 1 else [""],
        "values": [_shares(rng, n) for _ in range(rows)],
        "note": f"Total: {total} {whole}" + (" in each year" if rows > 1 else ""),
        "total": total,
        "whole": whole,
        "one": one,
        "words": [part.replace("{w}", whole) for part in words],
        "start": rng.choice((-90, -60, 0, 30)),
    }
    return _scene(description)


def _ask_pies(d: dict[str, Any]) -> list[DrawnQuestion]:
    rng, asked = dice(d), []
    labels, total = d["labels"], d["total"]
    percent, number, more, most, least = d["words"]
    unit = d["whole"] if d["whole"] in ("dollars", "hectares") else None
    for name, row in zip(d["series"], d["values"], strict=True):
        tail = f" in {name}?" if name else "?"
        i, j = rng.sample(range(len(row)), 2)
        x, y = row[i], row[j]
        count = total * y // 100
        asked += [
            integer(percent.format(x=labels[i]) + tail, x, f"That slice says {x}%.", "%"),
            integer(number.format(x=labels[j]) + tail, count,
                    f"{y}% of {total} is {count}.", unit),
            integer(f"What percentage do {labels[i]} and {labels[j]} make up together{tail}",
                    x + y, f"{x}% + {y}% = {x + y}%.", "%"),
            decimal(f"How many degrees does the angle of the slice for {labels[i]} measure"
                    f"{tail} Give one decimal place.", 3.6 * x, 1,
                    f"{x}% of 360 degrees is {3.6 * x:.1f} degrees.", "degrees"),
            listing("List the percentages of the pie chart" + (f" for {name}" if name else "")
                    + " in descending order.", sorted(row, reverse=True),
                    "Read the percentages and put the largest first.", "%"),
            integer(f"How many slices are larger than the slice for {labels[j]}{tail}",
                    sum(v > y for v in row), f"The slice for {labels[j]} is {y}%."),
        ]  # fmt: skip
        if x != y:
            text = more.format(x=labels[i], y=labels[j]) + tail
            asked.append(yes_no(text, x > y, f"The shares are {x}% and {y}%."))
        for words, best in ((most, max(row)), (least, min(row))):
            if row.count(best) == 1:
                answer, wrong = labels[row.index(best)], rng.sample(labels, len(labels))
                text = f"Which {d['one']} {words}{tail}"
                asked.append(choose(text, answer, wrong, f"Its slice is {best}%."))
    return asked


FAMILIES: tuple[Family, ...] = (
    Family("bar chart", Task.FQA, "bar chart", _invent_bars, chart_drawing.bars, _ask_bars),
    Family("line chart", Task.FQA, "line plot", _invent_lines, chart_drawing.lines, _ask_lines),
    Family("pie chart", Task.FQA, "pie chart", _invent_pies, chart_drawing.pies, _ask_pies),
)
