"""Stories with a picture: tables to reckon with, things to count, clocks to read."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from typing import Any

from PIL import Image

from ..schema import Task
from .asking import choose, decimal, dice, integer, listing, near, yes_no
from .canvas import INK, PALETTE, Canvas, Point
from .scene import DrawnQuestion, Family, Scene
from .tables import TABLE
from .themes import NAMES


def _apple(canvas: Canvas, x: float, y: float) -> None:
    canvas.line([(x, y - 6), (x + 2, y - 13)], "#6b4a2b", 2.5)
    canvas.ellipse((x + 6, y - 11), 4, 2.2, "#4c9f70", None)
    canvas.ellipse((x - 3.5, y + 1), 7.5, 9.5, "#c0504d", None)
    canvas.ellipse((x + 3.5, y + 1), 7.5, 9.5, "#c0504d", None)


def _ball(canvas: Canvas, x: float, y: float) -> None:
    canvas.circle((x, y), 11, "#3b6fb6", INK, 1)
    canvas.line([(x - 11, y), (x + 11, y)], "white", 2)
    canvas.ellipse((x, y), 5, 11, None, "white", 2)
    canvas.circle((x, y), 11, None, INK, 1.2)


def _star(canvas: Canvas, x: float, y: float) -> None:
    canvas.polygon([_spoke((x, y), 12 if i % 2 == 0 else 5, i * 36) for i in range(10)],
                   "#f0b93a", "#a8791a", 1.2)  # fmt: skip


def _fish(canvas: Canvas, x: float, y: float) -> None:
    canvas.polygon([(x + 5, y), (x + 13, y - 7), (x + 13, y + 7)], "#d9772b", None)
    canvas.ellipse((x - 2, y), 10.5, 6.5, "#d9772b", None)
    canvas.circle((x - 8, y - 1.5), 1.5, INK, None)


def _balloon(canvas: Canvas, x: float, y: float) -> None:
    canvas.line([(x, y + 5), (x - 2, y + 9), (x + 1, y + 13)], INK, 1)
    canvas.polygon([(x, y + 4), (x - 3, y + 8), (x + 3, y + 8)], "#d67fb0", None)
    canvas.ellipse((x, y - 4), 8, 9.5, "#d67fb0", None)


def _kite(canvas: Canvas, x: float, y: float) -> None:
    canvas.polygon([(x, y - 13), (x + 8, y - 3), (x, y + 12), (x - 8, y - 3)], "#7d62a8", INK, 1)
    canvas.line([(x, y - 13), (x, y + 12)], "white", 1)
    canvas.line([(x - 8, y - 3), (x + 8, y - 3)], "white", 1)


def _mushroom(canvas: Canvas, x: float, y: float) -> None:
    canvas.rectangle((x - 4, y - 2, x + 4, y + 11), "#efe3d0", "#8c6d46", 1, 3)
    canvas.sector((x, y), 12, 180, 360, "#8c6d46", None)


def _flower(canvas: Canvas, x: float, y: float) -> None:
    for i in range(6):
        canvas.circle(_spoke((x, y), 7, i * 60), 4.6, "#e08bb8", None)
    canvas.circle((x, y), 4.5, "#f0b93a", None)


def _button(canvas: Canvas, x: float, y: float) -> None:
    canvas.circle((x, y), 10, "#4c9f70", INK, 1)
    for side in (-3, 3):
        canvas.circle((x + side, y), 1.8, "white", INK, 0.8)


def _block(canvas: Canvas, x: float, y: float) -> None:
    canvas.polygon([(x - 10, y - 5), (x - 5, y - 11), (x + 11, y - 11), (x + 6, y - 5)],
                   "#9fd0b3", INK, 1)  # fmt: skip
    canvas.polygon([(x + 6, y - 5), (x + 11, y - 11), (x + 11, y + 5), (x + 6, y + 11)],
                   "#3a7a56", INK, 1)  # fmt: skip
    canvas.rectangle((x - 10, y - 5, x + 6, y + 11), "#4c9f70", INK, 1)


_THINGS: dict[str, Callable[[Canvas, float, float], None]] = {
    "apples": _apple, "balls": _ball, "stars": _star, "fish": _fish, "balloons": _balloon,
    "kites": _kite, "mushrooms": _mushroom, "flowers": _flower, "buttons": _button,
    "blocks": _block,
}  # fmt: skip
_CONTAINERS = ("basket", "box", "tray", "bag")
_GROUPS = (((1, 2),), ((1, 2), (2, 1)), ((2, 2), (3, 1), (1, 3)), ((2, 3), (3, 2), (4, 1), (4, 2)))
"""Containers and kinds of things by level."""
_LOAD = ((5, 5), (7, 10), (13, 17), (20, 30))


def _spoke(centre: Point, length: float, degrees: float) -> Point:
    """The point `degrees` clockwise from straight up."""
    angle = math.radians(degrees)
    return centre[0] + length * math.sin(angle), centre[1] - length * math.cos(angle)


def _invent_counting(rng: Random, level: int) -> Scene:
    boxes, kinds = rng.choice(_GROUPS[level])
    things = rng.sample(list(_THINGS), kinds)
    groups = boxes * kinds
    counts = [1] * groups
    load = rng.randint(*_LOAD[level])
    spare = load - boxes - (groups - 1) - groups
    while spare > 0 and min(map(sum, _rows(counts, kinds))) < 12:
        i = rng.randrange(groups)
        if sum(_rows(counts, kinds)[i // kinds]) < 12:
            counts[i] += 1
            spare -= 1
    container = rng.choice(_CONTAINERS)
    names = [f"{name}'s {container}" for name in rng.sample(NAMES, boxes)]
    if rng.random() < 0.3:
        names = [f"{container} {letter}" for letter in "ABCD"[:boxes]]
    description = {
        "container": container,
        "things": things,
        "boxes": [{"name": name, "counts": row}
                  for name, row in zip(names, _rows(counts, kinds), strict=True)],
        "tint": rng.choice(("#fffaf0", "#f3f8ff", "#f4fbf4", "#fdf4f7", "#ffffff")),
        "columns": 4 if max(map(sum, _rows(counts, kinds))) > 9 else 3,
        "jitter": rng.randrange(10**6),
    }  # fmt: skip
    return Scene(description, sum(counts) + boxes, groups - 1)


def _rows(counts: list[int], width: int) -> list[list[int]]:
    return [counts[i : i + width] for i in range(0, len(counts), width)]


def _draw_counting(description: dict[str, Any]) -> Image.Image:
    boxes, columns = description["boxes"], description["columns"]
    across = 2 if len(boxes) in (2, 4) else len(boxes)
    down = -(-len(boxes) // across)
    side, tall = columns * 38 + 20, 3 * 36 + 20
    width = max(280, across * (side + 20) + 20)
    canvas = Canvas(width, max(220, down * (tall + 44) + 16))
    rng = Random(description["jitter"])
    for k, box in enumerate(boxes):
        left = width / 2 + (k % across - across / 2) * (side + 20) + 10
        top = 38 + (k // across) * (tall + 44) + (30 if down == 1 else 0)
        canvas.text((left + side / 2, top - 14), box["name"], 15)
        canvas.rectangle((left, top, left + side, top + tall), description["tint"], INK, 2, 8)
        drawn = [thing for thing, n in zip(description["things"], box["counts"], strict=True)
                 for _ in range(n)]  # fmt: skip
        for thing, place in zip(drawn, rng.sample(range(3 * columns), len(drawn)), strict=True):
            x = left + 29 + 38 * (place % columns) + rng.randint(-3, 3)
            y = top + 28 + 36 * (place // columns) + rng.randint(-2, 2)
            _THINGS[thing](canvas, x, y)
    return canvas.finish()


def _ask_counting(d: dict[str, Any]) -> list[DrawnQuestion]:
    rng, things = dice(d), d["things"]
    box, k = rng.choice(d["boxes"]), rng.randrange(len(things))
    name, thing, count = box["name"], things[k], box["counts"][k]
    totals = [sum(b["counts"][i] for b in d["boxes"]) for i in range(len(things))]
    total, many = sum(totals), totals[k]
    more, price, gone = rng.randint(2, 9), rng.randint(2, 9), rng.randint(1, count)
    counted = [f"{n} {t}" for n, t in zip(totals, things, strict=True)]
    return [
        choose("How many things are drawn in the picture in all?", str(total),
               near(total, rng, low=1), f"Together: {', '.join(counted)}."),
        integer(f"How many {thing} are in {name}?", count, f"Count the {thing} in {name}."),
        integer(f"Somebody puts {more} more {thing} into {name}. How many {thing} are in it then?",
                count + more, f"{count} + {more} = {count + more}."),
        integer(f"From {name}, {gone} of the {thing} {'is' if gone == 1 else 'are'} taken away. "
                f"How many {thing} are left in it?", count - gone,
                f"{count} - {gone} = {count - gone}."),
        integer(f"All {thing} in the picture are sold for {price} dollars each. How many dollars "
                "is that in all?", many * price, f"{many} x {price} = {many * price}.", "dollars"),
        *_compare_things(d, rng, totals),
        *_compare_boxes(d, rng),
    ]  # fmt: skip


def _compare_things(d: dict[str, Any], rng: Random, totals: list[int]) -> list[DrawnQuestion]:
    if len(totals) < 2:
        return []
    i, j = rng.sample(range(len(totals)), 2)
    (a, b), (m, n) = (d["things"][i], d["things"][j]), (totals[i], totals[j])
    asked = []
    if m != n:
        text = f"Are there more {a} than {b} in the picture?"
        asked.append(yes_no(text, m > n, f"There are {m} {a} and {n} {b}."))
        if m < n:
            a, b, m, n = b, a, n, m
        text = f"How many more {a} than {b} are in the picture?"
        asked.append(integer(text, m - n, f"{m} - {n} = {m - n}."))
    text = "How many things of each kind are in the picture? List the numbers in ascending order."
    asked.append(listing(text, sorted(totals), "Count each kind and sort the numbers."))
    text = f"What percentage of all things in the picture are {a}? Round to one decimal place."
    why = f"{m} of {sum(totals)} things are {a}."
    return [*asked, decimal(text, 100 * m / sum(totals), 1, why, "%")]


def _compare_boxes(d: dict[str, Any], rng: Random) -> list[DrawnQuestion]:
    sums, names = [sum(box["counts"]) for box in d["boxes"]], [box["name"] for box in d["boxes"]]
    if len(sums) < 2:
        return []
    i, j = rng.sample(range(len(sums)), 2)
    container = {"box": "boxes"}.get(d["container"], d["container"] + "s")
    mean = sum(sums) / len(sums)
    asked = [
        integer(f"How many things are in {names[i]} and {names[j]} together?", sums[i] + sums[j],
                f"{sums[i]} + {sums[j]} = {sums[i] + sums[j]}."),
        decimal(f"What is the mean number of things in the {container}? Round to one decimal "
                "place.", mean, 1, f"{sum(sums)} / {len(sums)} is the mean."),
    ]  # fmt: skip
    if sums[i] != sums[j]:
        text = f"Does {names[i]} hold more things than {names[j]}?"
        why = f"They hold {sums[i]} and {sums[j]} things."
        asked.append(yes_no(text, sums[i] > sums[j], why))
    if len(sums) > 2 and sums.count(max(sums)) == 1:
        best = names[sums.index(max(sums))]
        text = f"Which of the {container} holds the most things?"
        asked.append(choose(text, best, rng.sample(names, len(names)), f"It holds {max(sums)}."))
    return asked


_DAYS = (
    ("Breakfast", "Bus", "Lesson", "Break", "Sports", "Lunch"),
    ("Take-off", "Snack", "Film", "Nap", "Meal", "Landing"),
    ("Start", "First stop", "Museum", "Park", "Market", "Arrival"),
    ("Opening", "Music", "Speech", "Show", "Prizes", "Closing"),
)


def _time(minutes: int) -> str:
    return f"{(minutes // 60 - 1) % 12 + 1}:{minutes % 60:02d}"


def _invent_clocks(rng: Random, level: int) -> Scene:
    n = (1, 2, rng.choice((3, 4)), rng.choice((5, 6)))[level]
    step = rng.choice((5, 5, 15)) if level < 2 else rng.choice((1, 5))
    times = sorted(rng.sample(range(60, 720, step), n))
    labels = sorted(rng.sample(range(6), n))
    day = rng.choice(_DAYS)
    clocks = [{"label": day[i], "minutes": t} for i, t in zip(labels, times, strict=True)]
    description = {
        "clocks": clocks,
        "face": rng.choice(("#ffffff", "#fff8e8", "#eef5fd", "#f2f8f1", "#f7f0f8")),
        "rim": rng.choice(PALETTE),
        "wide": rng.randint(0, 40),
        "numbers": rng.choice((12, 12, 12, 4)) if step > 1 else 12,
        "titled": n > 1 or rng.random() < 0.5,
    }
    return Scene(description, 3 * n, n - 1)


def _draw_clocks(description: dict[str, Any]) -> Image.Image:
    clocks = description["clocks"]
    n = len(clocks)
    across = n if n < 4 else -(-n // 2)
    radius = (88, 78, 72)[min(n, 3) - 1]
    cell = 2 * radius + 30 + description["wide"] / 4
    width, down = max(280, round(across * cell + 20)), -(-n // across)
    canvas = Canvas(width, max(220, round(down * (2 * radius + 44) + 16)))
    for k, clock in enumerate(clocks):
        x = width / 2 + (k % across - (across - 1) / 2) * cell
        y = 14 + radius + (k // across) * (2 * radius + 44)
        _draw_clock(canvas, (x, y), radius, clock["minutes"], description)
        if description["titled"]:
            canvas.text((x, y + radius + 18), clock["label"], 15)
    return canvas.finish()


def _draw_clock(
    canvas: Canvas, at: Point, radius: float, minutes: int, look: dict[str, Any]
) -> None:
    canvas.circle(at, radius, look["face"], look["rim"], 5)
    for i in range(60):
        inner = radius - (13 if i % 5 == 0 else 9)
        canvas.line([_spoke(at, inner, 6 * i), _spoke(at, radius - 6, 6 * i)], INK,
                    1.6 if i % 5 == 0 else 0.8)  # fmt: skip
    for hour in range(1, 13):
        if hour % (12 // look["numbers"]) == 0:
            canvas.text(_spoke(at, radius - 23, 30 * hour), str(hour), 14)
    canvas.line([at, _spoke(at, radius * 0.48, minutes / 2)], INK, 5)
    canvas.line([at, _spoke(at, radius - 15, minutes % 60 * 6)], look["rim"], 3)
    canvas.circle(at, 4.5, INK, None)


def _ask_clocks(d: dict[str, Any]) -> list[DrawnQuestion]:
    rng, clocks = dice(d), d["clocks"]
    if len(clocks) == 1:
        return _ask_clock(rng, clocks[0]["minutes"], "the clock")
    i = rng.randrange(len(clocks))
    asked = _ask_clock(rng, clocks[i]["minutes"], f"the clock labelled {clocks[i]['label']}")
    for _ in range(min(3, len(clocks) - 1)):
        a, b = sorted(rng.sample(range(len(clocks)), 2))
        first, last = clocks[a]["label"], clocks[b]["label"]
        gap = clocks[b]["minutes"] - clocks[a]["minutes"]
        limit = max(5, gap // 5 * 5 + rng.choice((-20, -10, 10, 20)))
        asked += [
            integer("All clocks show times between 1 am and noon of the same day. How many "
                    f"minutes pass from {first} to {last}?", gap,
                    f"From {_time(clocks[a]['minutes'])} to {_time(clocks[b]['minutes'])}.",
                    "minutes"),
            yes_no("All clocks show times between 1 am and noon of the same day. Do more than "
                   f"{limit} minutes pass from {first} to {last}?", gap > limit,
                   f"{gap} minutes pass."),
        ]  # fmt: skip
    hours = sorted(clock["minutes"] // 60 for clock in clocks)
    text = "List the hours that the hour hands have passed last, in ascending order."
    times = ", ".join(_time(clock["minutes"]) for clock in clocks)
    asked.append(listing(text, hours, f"The clocks show {times}."))
    return list({question.text: question for question in asked}.values())


def _ask_clock(rng: Random, now: int, clock: str) -> list[DrawnQuestion]:
    later, ago, film = (5 * rng.randint(2, 11) for _ in range(3))
    film += 60
    shown, limit = _time(now), rng.choice((15, 30, 45))
    apart = abs(30 * (now // 60) - 5.5 * (now % 60)) % 360
    apart = min(apart, 360 - apart)
    left = 60 - now % 60

    def time(text: str, answer: int, why: str) -> DrawnQuestion:
        swapped = (answer % 60 // 5 or 12) * 60 + answer // 60 % 12 * 5
        others = [_time(answer + shift) for shift in rng.sample((-60, -30, -10, 5, 10, 60), 3)]
        return choose(text, _time(answer), [_time(swapped), *others], why)

    return [
        time(f"What time does {clock} show?", now,
             f"The hour hand has passed {shown.split(':')[0]}; the minute hand is at {now % 60}."),
        time(f"What time will {clock} show in {later} minutes?", now + later,
             f"It shows {shown}; {later} minutes later it is {_time(now + later)}."),
        time(f"What time did {clock} show {ago} minutes ago?", now - ago,
             f"It shows {shown}; {ago} minutes before it was {_time(now - ago)}."),
        time(f"A film starts at the time on {clock} and lasts {film} minutes. When does it end?",
             now + film, f"{shown} plus {film} minutes is {_time(now + film)}."),
        integer(f"Seen from the time on {clock}, in how many minutes will the next full hour "
                "strike?", left, f"It is {shown}, so {left} minutes are missing.", "minutes"),
        yes_no(f"Is the minute hand of {clock} more than {limit} minutes past the full hour?",
               now % 60 > limit, f"It is at {now % 60} minutes."),
        decimal(f"What is the smaller angle, in degrees, between the two hands of {clock}? Give "
                "one decimal place.", apart, 1, f"At {shown} the hands are at "
                f"{now / 2:.1f} and {now % 60 * 6} degrees.", "degrees"),
        listing(f"Give the time on {clock} as a list of two numbers, the hour and the minutes.",
                [now // 60, now % 60], f"It is {shown}."),
    ]  # fmt: skip


FAMILIES: tuple[Family, ...] = (
    TABLE,
    Family("counting", Task.MWP, "synthetic scene", _invent_counting, _draw_counting,
           _ask_counting),
    Family("clock", Task.MWP, "other", _invent_clocks, _draw_clocks, _ask_clocks),
)  # fmt: skip
