"""Tables to reckon with: price lists, frequencies, stem-and-leaf plots."""

from __future__ import annotations

from random import Random
from statistics import median
from typing import Any

from PIL import Image

from ..schema import Task
from .asking import choose, decimal, dice, integer, listing, yes_no
from .canvas import INK, LIGHT, Canvas
from .scene import DrawnQuestion, Family, Scene
from .themes import NAMES

_TINTS = ("#e6eef8", "#fbeadd", "#e7f3eb", "#f6e4e3", "#eee9f5", "#f1ebe3", "#eceff2")
# shop, article and plural of what it sells, cheapest in cents
_SHOPS = (
    ("Stationery", 40, ("pencil", "pen", "eraser", "ruler", "notebook", "marker", "glue stick",
                        "paint set", "folder", "sharpener", "stapler", "calendar")),
    ("Bakery", 90, ("roll", "bagel", "muffin", "pretzel", "cookie", "waffle", "pie", "scone",
                    "baguette", "doughnut", "cupcake", "cake")),
    ("Toy shop", 150, ("kite", "ball", "puzzle", "robot", "drum", "puppet", "yo-yo", "toy car",
                       "toy boat", "board game", "teddy bear", "whistle")),
    ("Garden centre", 120, ("pot", "trowel", "shovel", "rake", "hose", "basket", "bucket",
                            "rose bush", "fern", "cactus plant", "bag of soil", "bird house")),
    ("Snack bar", 80, ("sandwich", "salad", "soup", "milkshake", "lemonade", "burger", "wrap",
                       "taco", "fruit cup", "smoothie", "hot dog", "pizza slice")),
)  # fmt: skip
_PLURALS = {"sandwich": "sandwiches", "bag of soil": "bags of soil", "rose bush": "rose bushes"}
_COUNTED = (
    ("Pets", "families", "pets", "have"), ("Goals", "matches", "goals", "had"),
    ("Books", "pupils", "books", "read"), ("Siblings", "children", "siblings", "have"),
    ("Eggs", "nests", "eggs", "hold"), ("Trips", "guides", "trips", "led"),
)  # fmt: skip
_MEASURED = (
    ("Points of the players", "players", "scored", "points"),
    ("Minutes the runners trained", "runners", "trained for", "minutes"),
    ("Pages the readers read", "readers", "read", "pages"),
    ("Cars that passed each hour", "hours", "had", "cars"),
)


def _plural(thing: str) -> str:
    return _PLURALS.get(thing, thing + "s")


def _an(thing: str) -> str:
    return ("an " if thing[0] in "aeiou" else "a ") + thing


def _money(cents: int) -> str:
    return f"{cents / 100:.2f}"


def _invent_table(rng: Random, level: int) -> Scene:
    kind = rng.choice(("price", "price", "frequency", "stem"))
    rows = rng.randint(*((3, 3), (4, 5), (6, 9), (10, 12))[level])
    look = {"tint": rng.choice(_TINTS), "width": rng.randint(34, 42) * 10}
    if kind == "price":
        shop, low, things = rng.choice(_SHOPS)
        cents = rng.sample(range(low, low * 6, rng.choice((5, 10))), rows)
        title = rng.choice(("{} prices", "{} price list", "{}")).format(shop)
        cells = [[a, b] for a, b in zip(rng.sample(things, rows), cents, strict=True)]
        more = {"names": rng.sample(NAMES, 3), "title": title, "rows": cells}
        return Scene({"kind": kind} | look | more, rows, rows - 1)
    if kind == "frequency":
        head, who, what, verb = rng.choice(_COUNTED)
        first = rng.randint(0, 2)
        cells = [[first + i, rng.randint(1, 15)] for i in range(rows)]
        title = f"{head} of the {who}" if verb == "have" else f"{head} and {who}"
        more = {"title": title, "rows": cells, "who": who, "what": what, "verb": verb}
        return Scene({"kind": kind} | look | more, rows, rows - 1)
    title, who, verb, what = rng.choice(_MEASURED)
    marks = rng.randint(*((3, 4), (5, 8), (9, 13), (15, 20))[level])
    stems = (2, 3, 4, 5)[level]
    start = rng.randint(1, 9 - stems)
    values = sorted(rng.randint(10 * start, 10 * (start + stems) - 1) for _ in range(marks))
    cells = [[stem, [v % 10 for v in values if v // 10 == stem]]
             for stem in range(start, start + stems)]  # fmt: skip
    more = {"title": title, "rows": cells, "who": who, "what": what, "verb": verb}
    return Scene({"kind": kind} | look | more, marks, stems - 1)


def _draw_table(description: dict[str, Any]) -> Image.Image:
    rows, kind, width = description["rows"], description["kind"], description["width"]
    step = 28 if len(rows) < 10 else 25
    height = max(220, 62 + step * (len(rows) + 1) + 34 * (kind == "stem"))
    canvas = Canvas(width, height)
    canvas.text((width / 2, 24), description["title"], 17)
    if kind == "price":
        head, cells = ("Item", "Price"), [(name, f"${_money(cents)}") for name, cents in rows]
    elif kind == "frequency":
        what = description["what"]
        head = (f"Number of {what}", f"Number of {description['who']}")
        cells = [(str(value), str(count)) for value, count in rows]
    else:
        head = ("Stem", "Leaf")
        cells = [(str(stem), "  ".join(map(str, leaves))) for stem, leaves in rows]
    left, right, top = 20, width - 20, 46
    split = left + (right - left) * (0.22 if kind == "stem" else 0.5)
    canvas.rectangle((left, top, right, top + step), fill=description["tint"], outline=None)
    for i, (first, second) in enumerate((head, *cells)):
        y = top + step * (i + 0.5)
        canvas.text(((left + split) / 2, y), first, 14)
        at = (split + 14, y) if kind == "stem" else ((split + right) / 2, y)
        canvas.text(at, second, 14, anchor="lm" if kind == "stem" else "mm")
        if i:
            canvas.line([(left, y - step / 2), (right, y - step / 2)], INK if i == 1 else LIGHT, 1)
    bottom = top + step * (len(rows) + 1)
    canvas.line([(split, top), (split, bottom)], INK, 1)
    canvas.rectangle((left, top, right, bottom), width=1.5)
    if kind == "stem":
        stem, leaf = next((stem, leaves[0]) for stem, leaves in rows if leaves)
        key = f"Key: {stem} | {leaf} means {stem * 10 + leaf} {description['what']}"
        canvas.text((left, bottom + 18), key, 13, anchor="lm")
    return canvas.finish()


def _ask_table(description: dict[str, Any]) -> list[DrawnQuestion]:
    ask = {"price": _ask_prices, "frequency": _ask_frequencies, "stem": _ask_stems}
    return ask[description["kind"]](description)


def _ask_prices(d: dict[str, Any]) -> list[DrawnQuestion]:
    rng = dice(d)
    cents: dict[str, int] = dict(d["rows"])
    names = list(cents)
    a, b, c = rng.sample(names, 3)
    count = rng.randint(2, 6)
    both = cents[a] + cents[b]
    wallet = -(-(both + rng.choice((-60, -35, 40, 75))) // 25) * 25
    note = next(n for n in (500, 1000, 2000, 5000, 10000) if n >= cents[c] * count)
    big, small = sorted((a, b), key=cents.__getitem__, reverse=True)
    limit = rng.choice(sorted(cents.values())[:-1])
    over = [name for name in names if cents[name] > limit]
    dear, cheap = max(names, key=cents.__getitem__), min(names, key=cents.__getitem__)
    who, other, third = d["names"]
    mixed = rng.sample(names, len(names))
    both_text = f"${_money(cents[a])} + ${_money(cents[b])} = ${_money(both)}"
    change = note - cents[c] * count
    prices = sorted(cents.values())
    in_order = ", ".join(map(_money, prices))
    return [
        decimal(f"How much money, in dollars, does {who} need to buy {count} {_plural(c)}?",
                cents[c] * count / 100, 2,
                f"{count} x ${_money(cents[c])} = ${_money(count * cents[c])}.", "dollars"),
        decimal(f"How much do {_an(a)} and {_an(b)} cost together, in dollars?", both / 100, 2,
                both_text + ".", "dollars"),
        decimal(f"How much more does {_an(big)} cost than {_an(small)}, in dollars?",
                (cents[big] - cents[small]) / 100, 2,
                f"${_money(cents[big])} - ${_money(cents[small])} = "
                f"${_money(cents[big] - cents[small])}.", "dollars"),
        yes_no(f"{other} has ${_money(wallet)}. Is that enough money to buy {_an(a)} and {_an(b)}?",
               wallet >= both, f"{both_text}, and {other} has ${_money(wallet)}."),
        decimal(f"{third} buys {count} {_plural(c)} and pays with ${_money(note)}. How much change "
                f"does {third} get, in dollars?", change / 100, 2,
                f"{count} x ${_money(cents[c])} = ${_money(count * cents[c])}, and "
                f"${_money(note)} - ${_money(count * cents[c])} = ${_money(change)}.", "dollars"),
        choose("Which item is the most expensive?", dear, mixed,
               f"${_money(cents[dear])} is the highest price."),
        choose("Which item is the cheapest?", cheap, mixed,
               f"${_money(cents[cheap])} is the lowest price."),
        integer(f"How many items cost more than ${_money(limit)}?", len(over),
                f"These are: {', '.join(over)}."),
        listing("List the prices in dollars in ascending order.", [p / 100 for p in prices],
                f"{in_order}.", "dollars"),
        integer(f"{who} has ${_money(note)}. How many {_plural(a)} can {who} buy at most?",
                note // cents[a],
                f"{note // cents[a]} x ${_money(cents[a])} = "
                f"${_money(note // cents[a] * cents[a])}; one more would be too much."),
    ]  # fmt: skip


def _ask_frequencies(d: dict[str, Any]) -> list[DrawnQuestion]:
    rng, rows = dice(d), d["rows"]
    who, what, verb = d["who"], d["what"], d["verb"]
    values, counts = [v for v, _ in rows], [n for _, n in rows]
    total, things = sum(counts), sum(v * n for v, n in rows)
    limit = rng.choice([value for value in values[1:] if value > 1])
    at_least = sum(n for v, n in rows if v >= limit)
    fewer = total - at_least
    (x, nx), (y, ny) = rng.sample(rows, 2)
    sums = " + ".join(map(str, counts))
    products = " + ".join(f"{v} x {n}" for v, n in rows)
    asked = [
        integer(f"How many {who} are there in all?", total, f"{sums} = {total}."),
        integer(f"How many {who} {verb} at least {limit} {what}?", at_least,
                f"The rows from {limit} on add up to {at_least}."),
        integer(f"How many {who} {verb} fewer than {limit} {what}?", fewer,
                f"The rows before {limit} add up to {fewer}."),
        integer(f"How many {what} are there in all?", things, f"{products} = {things}."),
        decimal(f"What is the mean number of {what}? Round to two decimal places.", things / total,
                2, f"({products}) / {total} = {things} / {total}."),
        listing(f"List the numbers of {who} in the table in ascending order.", sorted(counts),
                "Read the right column and sort it."),
    ]  # fmt: skip
    if nx != ny:
        text = f"Are there more {who} in the row for {x} than in the row for {y}?"
        asked.append(yes_no(text, nx > ny, f"The rows say {nx} and {ny}."))
    if counts.count(max(counts)) == 1:
        mode = values[counts.index(max(counts))]
        wrong = [str(v) for v in rng.sample(values, len(values))]
        text = f"What is the mode of the number of {what}?"
        why = f"{mode} has the largest count, {max(counts)}."
        asked.append(choose(text, str(mode), wrong, why))
    return asked


def _ask_stems(d: dict[str, Any]) -> list[DrawnQuestion]:
    rng, who, verb, what = dice(d), d["who"], d["verb"], d["what"]
    values = [10 * stem + leaf for stem, leaves in d["rows"] for leaf in leaves]
    limit = rng.choice([stem for stem, _ in d["rows"]][1:]) * 10
    pick, n = rng.choice(values), len(values)
    spread, least = max(values) - min(values), sum(v >= limit for v in values)
    row, leaves = rng.choice([row for row in d["rows"] if row[1]])
    in_order = ", ".join(map(str, values))
    high = rng.choice([v for v in values if v < max(values)] or values)
    asked = [
        integer(f"What is the largest number of {what}?", max(values),
                f"The last leaf gives {max(values)}."),
        integer(f"What is the smallest number of {what}?", min(values),
                f"The first leaf gives {min(values)}."),
        integer(f"How many {who} {verb} exactly {pick} {what}?", values.count(pick),
                f"Count the leaves {pick % 10} in the row of stem {pick // 10}."),
        integer(f"How many {who} {verb} at least {limit} {what}?", least,
                f"Count the leaves from stem {limit // 10} on."),
        integer(f"What is the range of the numbers of {what}?", spread,
                f"{max(values)} - {min(values)} = {spread}."),
        decimal(f"What is the median number of {what}? Give one decimal place.",
                float(median(values)), 1, f"The middle of {in_order} is {median(values)}."),
        listing(f"List all numbers of {what} in the row of stem {row} in ascending order.",
                [10 * row + leaf for leaf in leaves], f"Put {row} in front of each leaf."),
        integer(f"How many {who} does the plot show?", n, f"There are {n} leaves."),
        yes_no(f"Is the number of {what} greater than {high} for more than half of the {who}?",
               2 * sum(v > high for v in values) > n,
               f"{sum(v > high for v in values)} of {n} lie above {high}."),
    ]  # fmt: skip
    common = max(values, key=values.count)
    others = sorted({v for v in values if v != common})
    if values.count(common) > max(map(values.count, others), default=0) and len(others) > 1:
        wrong = [str(v) for v in rng.sample(others, len(others))]
        text = f"Which number of {what} occurs most often?"
        asked.append(choose(text, str(common), wrong, f"It occurs {values.count(common)} times."))
    return asked


TABLE = Family("price table", Task.MWP, "table", _invent_table, _draw_table, _ask_table)
