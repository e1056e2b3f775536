"""What can be counted among coloured things, whatever they are and wherever they stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import Any

from .asking import choose, decimal, integer, listing, yes_no
from .canvas import COLOUR_NAMES
from .scene import DrawnQuestion
from .symbols import plural

Thing = dict[str, Any]
"""Has a `colour` and a `shape`, the word for its kind."""


def some_colours(rng: Random, count: int) -> list[str]:
    """Some colours that nobody takes for each other."""
    warm = rng.choice(("orange", "red", "brown"))
    others = [c for c in COLOUR_NAMES if c not in ("orange", "red", "brown")]
    return rng.sample([warm, *others], count)


def name_of(thing: Thing) -> str:
    return f"{thing['colour']} {thing['shape']}"


def a_or_an(words: str) -> str:
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def _are(count: int, noun: str) -> str:
    return f"There is 1 {noun}." if count == 1 else f"There are {count} {plural(noun)}."


def lone(things: Sequence[Thing]) -> list[Thing]:
    """Those that colour and kind tell from all others."""
    count = Counter(map(name_of, things))
    return [thing for thing in things if count[name_of(thing)] == 1]


def winner(count: Counter[str]) -> str | None:
    """What occurs most often, if one does so alone."""
    ranked = count.most_common(2)
    return None if len(ranked) > 1 and ranked[0][1] == ranked[1][1] else ranked[0][0]


def ask_counts(
    things: Sequence[Thing], rng: Random, nouns: Sequence[str], word: str
) -> list[DrawnQuestion]:
    """How many there are of each colour and kind; `word` is what the things are called."""
    colours, shapes = Counter(t["colour"] for t in things), Counter(t["shape"] for t in things)
    colour, shape = rng.choice(sorted(colours)), rng.choice(sorted(shapes))
    # kinds that are there make both answers likely
    pool = sorted(shapes) if len(shapes) > 1 else nouns
    other = rng.choice([s for s in pool if s != shape])
    by_shape = ", ".join(f"{shapes[s]} x {s}" for s in sorted(shapes))
    by_colour = ", ".join(f"{colours[c]} x {c}" for c in sorted(colours))
    share, kinds = colours[colour] / len(things), len(colours)
    asked = [
        integer(f"How many {plural(word)} are there in total?", len(things), f"{by_shape}."),
        integer(f"How many {colour} {plural(word)} are there?", colours[colour], f"{by_colour}."),
        integer(f"How many {plural(shape)} are there?", shapes[shape], f"{by_shape}."),
        yes_no(
            f"Are there more {plural(shape)} than {plural(other)}?",
            shapes[shape] > shapes[other],
            f"{_are(shapes[shape], shape)} {_are(shapes[other], other)}",
        ),
        integer(f"How many different colours do the {plural(word)} have?", kinds, f"{by_colour}."),
        listing(
            f"Count the {plural(word)} of each colour and list the numbers in ascending order.",
            sorted(colours.values()),
            f"{by_colour}.",
        ),
    ]
    if len(things) % 16:  # sixteenths have no plain rounding to 3 decimals
        text = f"What fraction of the {plural(word)} is {colour}? Give a decimal with 3 places."
        how = f"{colours[colour]} of {len(things)} {plural(word)}."
        asked.append(decimal(text, share, 3, how))
    for count, what, pool in ((colours, "colour", COLOUR_NAMES), (shapes, "kind", nouns)):
        best = winner(count)
        if best:
            others = [n for n in count if n != best]
            others += rng.sample([n for n in pool if n not in count], len(pool) - len(count))
            kind = f"Which {what} of {word}" if what == "kind" else "Which colour"
            how = f"{by_colour if what == 'colour' else by_shape}."
            asked.append(choose(f"{kind} occurs most often?", best, others, how))
    there = rng.random() < 0.5
    names = set(map(name_of, things))
    absent = [f"{c} {s}" for c in sorted(colours) for s in sorted(nouns)]
    name = rng.choice(sorted(names) if there else [n for n in absent if n not in names])
    how = f"There is {'' if there else 'no '}{name if not there else a_or_an(name)} in the picture."
    asked.append(yes_no(f"Is there {a_or_an(name)} in the picture?", there, how))
    return asked
