"""MMMU (arXiv 2311.16502) and MMMU-Pro (arXiv 2409.02813): their scorers, rule by rule.

Rules are those of MMMU-Benchmark/MMMU at bb0b95a, `mmmu/utils/eval_utils.py` and
`mmmu-pro/evaluate.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Any

from .verdicts import Verdict

SEED = 42
RANDOM_DRAW = "random draw"
DOMAINS: dict[str, tuple[str, ...]] = {
    "Art and Design": ("Art", "Art_Theory", "Design", "Music"),
    "Business": ("Accounting", "Economics", "Finance", "Manage", "Marketing"),
    "Science": ("Biology", "Chemistry", "Geography", "Math", "Physics"),
    "Health and Medicine": (
        "Basic_Medical_Science", "Clinical_Medicine", "Diagnostics_and_Laboratory_Medicine",
        "Pharmacy", "Public_Health",
    ),
    "Humanities and Social Science": ("History", "Literature", "Sociology", "Psychology"),
    "Tech and Engineering": (
        "Agriculture", "Architecture_and_Engineering", "Computer_Science", "Electronics",
        "Energy_and_Power", "Materials", "Mechanical_Engineering",
    ),
}  # fmt: skip
SUBJECTS = tuple(sorted(subject for subjects in DOMAINS.values() for subject in subjects))
"""In the order of the official script, which decides what is drawn for whom."""

_OF_SUBJECT = {subject: domain for domain, subjects in DOMAINS.items() for subject in subjects}
Draw = Callable[[Sequence[str]], str]


def draws(seed: int = SEED) -> Draw:
    """Random draws as the official script has them, in the order of its items."""
    return Random(seed).choice


def judge(row: Mapping[str, Any], subject: str, draw: Draw | None, parsed: bool = False) -> Verdict:
    """The official verdict on a row of an output file; without `draw` none is made.

    `parsed` is a row whose response is a letter already.
    """
    categories = {"subject": subject, "domain": _OF_SUBJECT.get(subject, "")}
    golds = [row["answer"]] if isinstance(row["answer"], str) else row["answer"]
    if row["question_type"] != "multiple-choice":
        said = open_answers(row["response"])
        return Verdict(row["id"], said, is_open_right(said, golds), None, categories)
    letters = {letter: row["index2ans"].get(letter, letter) for letter in row["all_choices"]}
    named = row["response"] if parsed else choice(row["response"], letters)
    return _verdict(row["id"], named, golds, row["all_choices"], draw, categories)


def judge_pro(row: Mapping[str, Any], draw: Draw | None) -> Verdict:
    """The official verdict on a row of an MMMU-Pro output file; without `draw` none is made."""
    letters = {chr(ord("A") + place): text for place, text in enumerate(row["options"])}
    named = choice_pro(row["response"], letters)
    categories = {"subject": row["subject"]}
    return _verdict(row["id"], named, [row["answer"]], list(letters), draw, categories)


def _verdict(
    item: str, named: str | None, golds: Sequence[str], letters: Sequence[str],
    draw: Draw | None, categories: Mapping[str, str],
) -> Verdict:  # fmt: skip
    drawn = draw(letters) if named is None and draw is not None and letters else None
    fallback = RANDOM_DRAW if drawn is not None else None
    prediction = drawn or named
    return Verdict(item, prediction, prediction in golds, fallback, categories)


def subject_of(item: str) -> str:
    """The subject in an item's id, `validation_Art_Theory_3`; empty where there is none."""
    subject = item.partition("_")[2].rpartition("_")[0]
    return subject if subject in _OF_SUBJECT else ""


def choice(response: str, choices: Mapping[str, str]) -> str | None:
    """The letter that a response names, None for none; `choices` has their texts by letter.

    Letters in round brackets count first, then those between blanks, then, in responses of more
    than five words, texts; of several the one whose last place is the latest.
    """
    return _choice(response, choices, [" {} "])


def choice_pro(response: str, choices: Mapping[str, str]) -> str | None:
    """The same by the rules of MMMU-Pro: after the last `Answer:` a letter alone, then as `choice`,
    where a letter needs no blank before it and may end in a full stop."""
    _, announced, said = response.rpartition("Answer:")
    if announced and len(named := [letter for letter in choices if letter in said.strip()]) == 1:
        return named[0]
    return _choice(response, choices, ["{} ", "{}."])


def _choice(response: str, choices: Mapping[str, str], forms: Sequence[str]) -> str | None:
    for mark in ",.!?;:'":
        response = response.strip(mark)
    response = f" {response} "
    for form in ["({})", *forms]:
        if named := [letter for letter in choices if form.format(letter) in response]:
            # several letters are looked for between blanks, whatever they were found by
            place = form if form == "({})" else " {} "
            return max(named, key=lambda letter: response.rfind(place.format(letter)))
    if len(response.split()) > 5:
        lowered = response.lower()
        if named := [letter for letter, text in choices.items() if text.lower() in lowered]:
            return max(named, key=lambda letter: lowered.rfind(choices[letter].lower()))
    return None


Parsed = list[str | float]

_TAILS = ("could be ", "so ", "is ", "thus ", "therefore ", "final ", "answer ", "result ")
_SIGNS = frozenset(":,.!?;'")
_NUMBERS = (
    re.compile(r"-?\b\d{1,3}(?:,\d{3})+\b"),
    re.compile(r"-?\d+(?:\.\d+)?[eE][+-]?\d+"),
    re.compile(r"-?(?:\d+\.\d+|\.\d+|\d+\b)(?![eE][+-]?\d+)(?![,\d])"),
)


def open_answers(response: str) -> Parsed:
    """All that a response to an open question may say: tails of its lines, numbers in them."""
    tails = list(_tails(response))
    numbers = [found for tail in tails for form in _NUMBERS for found in form.findall(tail)]
    said = [one for text in [*tails, *numbers] for one in _normalized(text)]
    return list(dict.fromkeys(said))


def is_open_right(parsed: Parsed, gold: str | Sequence[str]) -> bool:
    """Whether a text holds a gold text, or a number is a gold number; any of several golds does."""
    golds = [g for text in ([gold] if isinstance(gold, str) else gold) for g in _normalized(text)]
    texts = [g for g in golds if isinstance(g, str)]
    return any(
        any(text in one for text in texts) if isinstance(one, str) else one in golds
        for one in parsed
    )


def _tails(response: str) -> Iterator[str]:
    response = response.strip().strip(".").lower()
    lines = response.split("\n")
    found = False
    for number, line in enumerate(lines):
        marks = (*_TAILS, "=") if number == len(lines) - 1 else _TAILS
        tails = [line.rpartition(mark)[2].strip() for mark in marks if mark in line]
        shortest = ""
        for tail in tails:
            if not shortest or len(tail) < len(shortest):
                shortest = tail
        if shortest and shortest not in _SIGNS:
            found = True
            yield shortest
    if not found:
        yield response


def _normalized(text: str) -> Parsed:
    text = text.strip()
    try:
        return [round(float(text.replace(",", "")), 2)]
    except ValueError:
        text = text.lower()
        return [f" {text}", f"{text} "] if len(text) == 1 else [text]
    except OverflowError:
        return [text]
