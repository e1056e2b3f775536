"""The embedded teacher: writes and answers questions about drawn pictures from their scenes.

All it says is true by construction, but for the share `error_rate`, which is plausibly wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import lru_cache
from random import Random

from pydantic import BaseModel

from ...builder.answers import same_answer
from ...builder.scenes.scene import DrawnQuestion
from ...builder.schema import Kind
from ...builder.sources.drawn import recall
from ...errors import UsageError
from ..forms import Answered, Judged, Reworded, Written, WrittenSeveral
from ..request import Request
from ..teacher import Reply, Status
from .answers import NUMBER, as_choice
from .compositions import compose, understand
from .questions import Known

UNANSWERABLE = "unanswerable"
"""The wrong answer where no other can be made up."""
_TRIES = 10
"""How many more questions are composed than are wanted, until enough are different."""
_NO_LIMIT = 10**6


class DrawnTeacher:
    """Answers requests about drawn pictures; equal requests get equal replies."""

    async def ask(self, request: Request) -> Reply:
        """The reply; what it cannot do is refused."""
        asked = sum(map(len, request.texts())) // 4
        try:
            text = _reply(request).model_dump_json()
        except _Unable as error:
            return Reply(str(error), Status.REFUSED, asked, 0, len(str(error)) // 4)
        return Reply(text, Status.ANSWERED, asked, 0, len(text) // 4)

    async def close(self) -> None:
        """Nothing is held."""


def truth(picture_name: str, question: str, choices: Sequence[str]) -> str | None:
    """The true answer to a question this teacher can have written, None for any other.

    `picture_name` is the picture's name in a pool; an answer among `choices` is given as there.
    """
    try:
        understood = understand(_known(picture_name), question)
    except _Unable:
        return None
    return None if understood is None else as_choice(understood.answer, choices)


class _Unable(Exception):
    """The teacher cannot do what a request wants; says why not."""


def _reply(request: Request) -> BaseModel:
    form, picture = request.prompt.form, request.picture
    write = _WRITERS.get(form) if form else None
    if write is None or picture is None:
        raise _Unable("I do not know this form of answer.")
    return write(_known(picture.name), request, Random(request.key))


@lru_cache(maxsize=256)
def _known(picture_name: str) -> Known:
    name = picture_name.removeprefix("drawn/")
    try:
        if name == picture_name:
            raise UsageError("not of the drawn source")
        return Known(recall(name))
    except UsageError:
        raise _Unable("I only know drawn pictures, and this is none.") from None


def wrong_answer(answer: str, choices: Sequence[str], rng: Random) -> str:
    """A plausible answer that is not `answer`: another choice, or a slip."""
    if choices:
        others = [choice for choice in choices if not same_answer(choice, answer)]
    elif answer in ("Yes", "No"):
        others = ["No" if answer == "Yes" else "Yes"]
    elif NUMBER.fullmatch(answer):
        others = _near(answer)
    elif answer.startswith("["):
        others = _altered(json.loads(answer), rng)
    else:
        others = []
    return rng.choice(others) if others else UNANSWERABLE


def _near(number: str) -> list[str]:
    """Numbers that are close to it or what a slip makes of it, with as many decimals."""
    value = Decimal(number)
    places = len(number.partition(".")[2])
    slips = [value * Decimal("0.9"), value * Decimal("1.1"), value * 2, *_swapped(number)]
    if abs(value) >= 1 or not value:
        slips += [value - 2, value - 1, value + 1, value + 2]
    written = [f"{slip:.{places}f}" for slip in slips if slip >= 0 or value < 0]
    return [text for text in dict.fromkeys(written) if Decimal(text) != value]


def _swapped(number: str) -> list[Decimal]:
    """The number with its last two digits the other way round."""
    match = re.fullmatch(r"(.*)(\d)(\.?)(\d)", number)
    return [Decimal(f"{match[1]}{match[4]}{match[3]}{match[2]}")] if match else []


def _altered(values: list[int | float | str], rng: Random) -> list[str]:
    """A list with an element changed; of names, with two of them swapped or one left out."""
    if not values:
        return []
    place = rng.randrange(len(values))
    value = values[place]
    if not isinstance(value, str):
        changed = json.loads(rng.choice(_near(str(value))))
        return [json.dumps([*values[:place], changed, *values[place + 1 :]])]
    without = values[:place] + values[place + 1 :]
    return [json.dumps(without), json.dumps([*without[::-1], value])] if without else ["[]"]


def _write_several(known: Known, request: Request, rng: Random) -> WrittenSeveral:
    """Questions of the scene that are not among the originals, then compositions."""
    originals = {question.text for question in known.drawn.originals}
    new = [question for question in known.asked if question.text not in originals]
    count = request.values["count"]
    written = rng.sample(new, min(count, len(new)))
    texts = {question.text for question in written}
    for _ in range(_TRIES * count):
        if len(written) == count:
            break
        composed = compose(known, rng.choice(known.asked), rng)
        if composed and composed.text not in texts:
            texts.add(composed.text)
            written.append(composed)
    return WrittenSeveral(questions=[_stated(question, request, rng) for question in written])


def _write_harder(known: Known, request: Request, rng: Random) -> Written:
    written = compose(known, _original(known, request), rng)
    if written is None:
        raise _Unable("I know no harder question to make of this one.")
    return _stated(written, request, rng)


def _stated(question: DrawnQuestion, request: Request, rng: Random) -> Written:
    """The question with its answer, or with a wrong one."""
    answer = question.answer
    if _errs(request, rng):
        answer = wrong_answer(answer, question.choices, rng)
    return Written(
        question=question.text,
        choices=list(question.choices),
        rationale=f"{question.rationale or ''} So the answer is {answer}.".strip(),
        answer=answer,
        unit=question.unit or "",
    )


def _reword(known: Known, request: Request, rng: Random) -> Reworded:
    """The original in other words or, erring, another question with another answer."""
    original = _original(known, request)
    shorter = request.purpose == Kind.SIMPLIFY
    meant: Iterator[DrawnQuestion] = iter([original])
    if _errs(request, rng):
        meant = _others(known, original, request, rng)
    limit = len(request.values["question"]) if shorter else _NO_LIMIT
    too_long: list[str] = []
    for question in meant:
        texts = known.ways(question, shorter=shorter)
        if short := [text for text in texts if len(text) < limit]:
            return Reworded(question=rng.choice(short), answer=request.values["answer"])
        too_long += texts
    if too_long:
        return Reworded(question=min(too_long, key=len), answer=request.values["answer"])
    raise _Unable("I do not know how to say that in other words.")


def _others(
    known: Known, original: DrawnQuestion, request: Request, rng: Random
) -> Iterator[DrawnQuestion]:
    """Questions that are answered otherwise, those first that could have the same choices."""
    choices = request.values.get("choices") or ()

    def unlike(other: DrawnQuestion) -> tuple[bool, bool, bool]:
        return (
            bool(choices) and as_choice(other.answer, choices) not in choices,
            bool(other.choices) != bool(choices),
            other.answer_type is not original.answer_type,
        )

    given = request.values["answer"]
    others = [q for q in known.asked if as_choice(given, [q.answer]) != q.answer]
    rng.shuffle(others)
    return iter(sorted(others, key=unlike))


def _answer(known: Known, request: Request, rng: Random) -> Answered:
    question = _original(known, request)
    choices = request.values.get("choices") or ()
    answer = as_choice(question.answer, choices)
    if _errs(request, rng):
        answer = wrong_answer(answer, choices or question.choices, rng)
    reasoning = f"{question.rationale or ''} So the answer is {answer}.".strip()
    return Answered(reasoning=reasoning, answer=answer)


def _judge(known: Known, request: Request, rng: Random) -> Judged:
    """Both values, each wrong as often as any other answer."""
    drawn = known.drawn
    clarity, complexity = int(drawn.flaw is None), drawn.scene.complexity
    if _errs(request, rng):
        clarity = 1 - clarity
    if _errs(request, rng):
        complexity = rng.choice([level for level in range(4) if level != complexity])
    seen = "Everything can be told apart" if clarity else "Not everything can be told apart"
    amount = ("a single thing", "a few things", "many things", "a great many things")[complexity]
    return Judged(
        reason=f"{seen}, and there is {amount} to take in.", clarity=clarity, complexity=complexity
    )


def _original(known: Known, request: Request) -> DrawnQuestion:
    """The question that a request is about."""
    question = understand(known, request.values["question"])
    if question is None:
        raise _Unable("I do not understand this question.")
    return question


def _errs(request: Request, rng: Random) -> bool:
    return rng.random() < request.teacher.error_rate


_WRITERS: dict[type[BaseModel], Callable[[Known, Request, Random], BaseModel]] = {
    WrittenSeveral: _write_several,
    Written: _write_harder,
    Reworded: _reword,
    Answered: _answer,
    Judged: _judge,
}
