"""Harder questions composed of those of a drawn picture, and understanding them again."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from random import Random

from ...builder.answers import same_answer
from ...builder.scenes.scene import DrawnQuestion
from ...builder.schema import AnswerType
from .answers import leading
from .questions import Known, is_count
from .rewordings import noun_phrase, unwrapped

_CALCULATIONS: dict[str, Callable[[int, int], int]] = {
    "What is the sum of {} and {}?": lambda a, b: a + b,
    "What do you get when you add {} to {}?": lambda a, b: a + b,
    "By how much do {} and {} differ?": lambda a, b: abs(a - b),
    "How large is the difference between {} and {}?": lambda a, b: abs(a - b),
    "What is the product of {} and {}?": lambda a, b: a * b,
    "What do you get when you multiply {} by {}?": lambda a, b: a * b,
}
_PRODUCTS = [way for way in _CALCULATIONS if "product" in way or "multiply" in way]
_IF = '{} If so, answer this: "{}" If not, answer this: "{}"'
_COMPARE = (
    'Compare the answers to "{}" and "{}" If the first is larger, answer this: "{}" '
    'Otherwise, answer this: "{}"'
)
_SAME = 'Do the questions "{}" and "{}" have the same answer?'
_TRIES = 40
"""How many compositions are drawn until one does not give its answer away."""
_LARGEST = 10_000
"""Results beyond it are not asked for."""


def compose(known: Known, original: DrawnQuestion, rng: Random) -> DrawnQuestion | None:
    """A harder question that starts from `original`, if one is found.

    Its answer does not stand in it.
    """
    for _ in range(_TRIES):
        written = _composition(known, original, rng)
        if written is not None and not _gives_away(written):
            return written
    return None


def _composition(known: Known, original: DrawnQuestion, rng: Random) -> DrawnQuestion | None:
    if is_count(original) and (written := _calculation(known, original, rng)):
        return written
    if original.answer_type is AnswerType.YES_NO:
        others = [q for q in known.decisions if q.text != original.text]
        if others and rng.random() < 0.5:
            return _alike(original, rng.choice(others))
        first, condition = rng.choice(known.asked), original
    else:
        first, condition = original, None
    second = _alternative(known, first, rng)
    if second is None:
        return None
    branches = [first, second]
    rng.shuffle(branches)
    return _conditional(known, condition, branches, rng)


def _calculation(known: Known, original: DrawnQuestion, rng: Random) -> DrawnQuestion | None:
    """With another count of the same unit; one without unit can be multiplied with any."""
    sentence = rng.choice(list(_CALCULATIONS))
    others = [q for q in known.phrases.values() if q.text != original.text]
    if sentence in _PRODUCTS:  # once or never would be no question
        others = [q for q in others if not (q.unit and original.unit) and int(q.answer) > 1]
        others = others if int(original.answer) > 1 else []
    else:
        others = [q for q in others if q.unit == original.unit]
    if not others or known.phrases[noun_phrase(original)] is not original:
        return None
    pair = [original, rng.choice(others)]
    rng.shuffle(pair)
    written = _calculated(sentence, *pair)
    return written if 0 < int(written.answer) <= _LARGEST else None


def _alternative(known: Known, first: DrawnQuestion, rng: Random) -> DrawnQuestion | None:
    """What could be asked instead of `first`, with another answer; mostly much like it."""
    others = [q for q in known.asked if q.text != first.text and _go_together(first, q)]
    like = [q for q in others if (q.answer_type, q.unit) == (first.answer_type, first.unit)]
    like = like or [q for q in others if bool(q.choices) == bool(first.choices)]
    if like and rng.random() < 0.8:
        return rng.choice(like)
    return rng.choice(others) if others else None


def _go_together(first: DrawnQuestion, second: DrawnQuestion) -> bool:
    """Whether a condition can decide between them, with one list of choices where any has some."""
    kinds = {first.answer_type, second.answer_type}
    if AnswerType.YES_NO in kinds or kinds == {AnswerType.LIST, AnswerType.TEXT}:
        return False
    if not _own_choices(first) and not _own_choices(second):
        return not same_answer(first.answer, second.answer)
    # choices of others could be right, too, but a number is no right answer to what has choices
    free = first if second.choices else second
    numbers = {leading(choice) for choice in (*first.choices, *second.choices)}
    return not free.choices and leading(free.answer) not in numbers


def _own_choices(question: DrawnQuestion) -> bool:
    """Whether it asks about its choices, so that others than its answer may be right elsewhere."""
    return bool(question.choices) and "of these" in question.text


def _conditional(
    known: Known, condition: DrawnQuestion | None, branches: list[DrawnQuestion], rng: Random
) -> DrawnQuestion | None:
    """One of the branches, by the condition or, without one, by one that is drawn."""
    taken = {question.text for question in branches}
    decisions = [q for q in known.decisions if q.text not in taken]
    if condition is None and decisions and rng.random() < 0.7:
        condition = rng.choice(decisions)
    if condition is not None:
        written = None if condition.text in taken else _if(condition, *branches)
    else:
        written = _by_comparison([q for q in known.counts if q.text not in taken], branches, rng)
    return written and _with_choices(written, branches, rng)


def _by_comparison(
    counts: list[DrawnQuestion], branches: list[DrawnQuestion], rng: Random
) -> DrawnQuestion | None:
    """One of the branches by which of two counts is larger, where that is not seen at once."""
    if len(counts) < 2:
        return None
    one, other = rng.sample(counts, 2)
    low, high = sorted((int(one.answer), int(other.answer)))
    fair = one.unit == other.unit and low < high < 5 * low
    return _compare(one, other, *branches) if fair else None


def _with_choices(
    written: DrawnQuestion, branches: Sequence[DrawnQuestion], rng: Random
) -> DrawnQuestion:
    """With the answers of both branches to choose from, where one of them has choices."""
    wrong = [choice for question in branches for choice in question.choices]
    if not wrong:
        return written
    rng.shuffle(wrong)
    choices = [written.answer]
    for choice in (*(question.answer for question in branches), *wrong):
        if len(choices) < 5 and not any(same_answer(choice, c) for c in choices):
            choices.append(choice)
    rng.shuffle(choices)
    return replace(written, answer_type=AnswerType.TEXT, choices=tuple(choices))


def _gives_away(written: DrawnQuestion) -> bool:
    """Whether the answer stands in the question."""
    if written.answer_type is AnswerType.YES_NO:
        return False
    answer = re.escape(written.answer)
    return re.search(rf"(?<!\w){answer}(?!\w)", written.text, re.IGNORECASE) is not None


def _if(decision: DrawnQuestion, first: DrawnQuestion, second: DrawnQuestion) -> DrawnQuestion:
    taken = first if decision.answer == "Yes" else second
    steps = f"{decision.rationale} So the answer to the condition is {decision.answer.lower()}."
    text = _IF.format(decision.text, first.text, second.text)
    return _branch(text, steps, taken, {first.unit, second.unit})


def _compare(
    one: DrawnQuestion, other: DrawnQuestion, first: DrawnQuestion, second: DrawnQuestion
) -> DrawnQuestion:
    larger = int(one.answer) > int(other.answer)
    steps = f"{_steps(one, other)} So {one.answer} is compared with {other.answer}."
    text = _COMPARE.format(one.text, other.text, first.text, second.text)
    return _branch(text, steps, first if larger else second, {first.unit, second.unit})


def _branch(text: str, steps: str, taken: DrawnQuestion, units: set[str | None]) -> DrawnQuestion:
    """The question that a condition leads to; a unit that not all share would tell which it is."""
    return DrawnQuestion(
        text,
        taken.answer,
        taken.answer_type,
        unit=taken.unit if len(units) == 1 else None,
        precision=taken.precision,
        rationale=f'{steps} That leaves "{taken.text}" {taken.rationale}',
    )


def _alike(one: DrawnQuestion, other: DrawnQuestion) -> DrawnQuestion:
    answer = "Yes" if one.answer == other.answer else "No"
    answers = f"The answers are {one.answer.lower()} and {other.answer.lower()}."
    text = _SAME.format(one.text, other.text)
    steps = f"{_steps(one, other)} {answers}"
    return DrawnQuestion(text, answer, AnswerType.YES_NO, rationale=steps)


def _calculated(sentence: str, first: DrawnQuestion, second: DrawnQuestion) -> DrawnQuestion:
    value = _CALCULATIONS[sentence](int(first.answer), int(second.answer))
    return DrawnQuestion(
        sentence.format(noun_phrase(first), noun_phrase(second)),
        str(value),
        AnswerType.INTEGER,
        unit=first.unit or second.unit,
        rationale=f"{_steps(first, second)} {first.answer} and {second.answer} give {value}.",
    )


def _steps(*questions: DrawnQuestion) -> str:
    """How these are worked out, each way once."""
    return " ".join(dict.fromkeys(question.rationale or "" for question in questions))


def understand(known: Known, text: str) -> DrawnQuestion | None:
    """The question of a text: of the scene, another wording of one, or composed."""
    text = " ".join(unwrapped(text).split())
    return known.asked_as(text) or _read_composed(known, text) or known.meant_by(text)


def _read_composed(known: Known, text: str) -> DrawnQuestion | None:
    """The composition of questions of the scene that `text` is, if it is one."""
    for sentence, composed in ((_IF, _if), (_COMPARE, _compare), (_SAME, _alike)):
        if match := _pattern(sentence).fullmatch(text):
            parts = known.quoted(match.groups())
            return composed(*parts) if parts else None
    return _read_calculation(known, text)


def _read_calculation(known: Known, text: str) -> DrawnQuestion | None:
    for sentence in _CALCULATIONS:
        start, middle, end = sentence.split("{}")
        if not (text.startswith(start) and text.endswith(end)):
            continue
        inside = text[len(start) : -len(end)]
        for place in re.finditer(re.escape(middle), inside):
            first = known.phrases.get(inside[: place.start()])
            second = known.phrases.get(inside[place.end() :])
            if first and second:
                return _calculated(sentence, first, second)
    return None


@lru_cache
def _pattern(sentence: str) -> re.Pattern[str]:
    return re.compile('([^"]+)'.join(map(re.escape, sentence.split("{}"))))
