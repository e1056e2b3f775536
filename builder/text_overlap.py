"""Overlap of questions by word n-grams, boilerplate left out.

An n-gram that questions about several images share ("find the measure of angle") says nothing; what
is left must be nearly all there, and enough of it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

N = 5
"""Words of an n-gram."""
COMMON = 3
"""An n-gram of questions about more images than this is boilerplate."""
REPEATED = 8
"""So is one of more items of the benchmark (MathVerse asks each problem five times)."""
SHARE = 0.8
"""Share of a benchmark question's telling n-grams that a question must have."""
ENOUGH = 4
"""Telling n-grams in common: 8 words in a row. With equal choices, one is enough."""
LONG = 25
"""Telling n-grams in common from which another answer does not matter.

Below, it makes another problem of it: generators fill the same sentences with other numbers.
"""

_WORD = re.compile(r"[^\W\d_]+|\d+(?:[.,]\d+)*")


@dataclass(frozen=True, slots=True)
class Text:
    """What is compared of a question: hashes of its n-grams, of its choices and its answer."""

    question: tuple[int, ...]
    choices: int | None
    answer: int | None

    def disagrees(self, other: Text) -> bool:
        """Whether choices or answers are known of both, and none of them are the same."""
        known = [
            one == two
            for one, two in ((self.choices, other.choices), (self.answer, other.answer))
            if one is not None and two is not None
        ]
        return bool(known) and not any(known)


def text_of(question: str, choices: Sequence[str], answer: str) -> Text:
    """The n-grams of a question; one that is shorter is an n-gram as a whole.

    Upper case, punctuation, LaTeX commands' backslashes and the order of choices do not count; the
    letter of a choice is that choice.
    """
    words = _words(question)
    grams = [words[i : i + N] for i in range(max(1, len(words) - N + 1))]
    if len(answer) == 1 and ord(answer.upper()) - ord("A") in range(len(choices)):
        answer = choices[ord(answer.upper()) - ord("A")]
    said = [_plain(choice) for choice in choices]
    return Text(
        tuple(dict.fromkeys(_hash(" ".join(gram)) for gram in grams)) if words else (),
        _hash("\x1f".join(sorted(said))) if said else None,
        _hash(_plain(answer)) if answer else None,
    )


def _plain(text: str) -> str:
    return " ".join(_words(text)) or text


def _words(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=8).digest())


@dataclass(frozen=True, slots=True)
class Overlap:
    """Question `row` has `share` of the telling n-grams of the benchmark's `item`."""

    row: int
    item: int
    share: float


def find_overlaps(
    items: Sequence[Text | None], rows: Iterable[tuple[int, Text]]
) -> Iterator[Overlap]:
    """Questions that say what a benchmark's item says; `rows` are the image and text of each."""
    where: dict[int, list[int]] = defaultdict(list)  # n-gram -> items
    for number, item in enumerate(items):
        for gram in item.question if item else ():
            where[gram].append(number)
    asked: list[tuple[int, Text]] = []
    images: dict[int, set[int]] = defaultdict(set)  # n-gram -> some images it is asked about
    for row, (image, text) in enumerate(rows):
        known = tuple(gram for gram in text.question if gram in where)
        if known:
            asked.append((row, Text(known, text.choices, text.answer)))
            for gram in known:
                if len(images[gram]) <= COMMON:
                    images[gram].add(image)
    telling = {
        gram
        for gram, numbers in where.items()
        if len(images[gram]) <= COMMON and len(numbers) <= REPEATED
    }
    weight = [sum(g in telling for g in item.question) if item else 0 for item in items]
    for row, text in asked:
        shared: dict[int, int] = defaultdict(int)
        for gram in text.question:
            if gram in telling:
                for number in where[gram]:
                    shared[number] += 1
        for number, count in shared.items():
            item = items[number]
            assert item is not None
            share = count / weight[number]
            same_choices = item.choices is not None and item.choices == text.choices
            if share < SHARE or (count < ENOUGH and not same_choices):
                continue
            if count >= LONG or not item.disagrees(text):
                yield Overlap(row, number, round(share, 4))
