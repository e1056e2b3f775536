"""What figures bounded by sides share: their outline, their name, their perimeter and area."""

from __future__ import annotations

from .asking import choose_number, exceeds, integer, listing
from .diagram import Line, Part
from .scene import DrawnQuestion

TRIPLES = (
    (3, 4, 5), (6, 8, 10), (9, 12, 15), (12, 16, 20), (15, 20, 25), (5, 12, 13), (10, 24, 26),
    (8, 15, 17), (7, 24, 25), (20, 21, 29), (18, 24, 30), (16, 30, 34), (21, 28, 35),
)  # fmt: skip


def sides(part: Part, names: list[str], lengths: list[int], span: int = -1) -> list[Line]:
    """The outline with its lengths; the hidden one is `x` where no letters can name it.

    Another point divides the side number `span`.
    """
    unknown = "" if part["letters"] else "x"
    ring = zip(names, [*names[1:], names[0]], lengths, strict=True)
    return [
        Line(
            a,
            b,
            unknown if i == part["hidden"] else f"{length} {part['unit']}",
            span=i == span != part["hidden"],
        )
        for i, (a, b, length) in enumerate(ring)
    ]


def called(part: Part, word: str, names: list[str]) -> str:
    """`triangle ABC` where the points have letters, `the triangle` where not."""
    return f"{word} {''.join(names)}" if part["letters"] else f"the {word}"


def hidden_side(part: Part, names: list[str]) -> str:
    i = part["hidden"]
    ring = names + names[:1]
    return f"side {ring[i]}{ring[i + 1]}" if part["letters"] else "the side marked x"


def measures(part: Part, who: str, lengths: list[int], area: int, how: str) -> list[DrawnQuestion]:
    """Perimeter and area, put in several ways."""
    unit, around = part["unit"], sum(lengths)
    added = f"The sides add up: {' + '.join(map(str, lengths))} = {around} {unit}."
    square = f"square {unit}"
    worked = f"{how} = {area} {square}."
    return [
        integer(f"What is the perimeter of {who} in {unit}?", around, added, unit),
        integer(f"What is the area of {who} in {square}?", area, worked, square),
        exceeds(f"the perimeter of {who}", around, added, unit),
        choose_number(
            f"Which of these is the area of {who}?",
            area,
            (area * 2, around, area // 2, area + around),
            worked,
            square,
        ),
        listing(
            f"List the side lengths of {who} in {unit}, in ascending order.",
            sorted(lengths),
            f"The sides are {', '.join(map(str, sorted(lengths)))} {unit}.",
            unit,
        ),
    ]
