"""What the ledger has for requests: answers in their form, what is missing, how a job stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from pydantic import BaseModel

from .budget import Budget
from .forms import InvalidAnswer, read_form
from .ledger import Ledger
from .request import Request
from .tally import Tally
from .teacher import Status

_LOOKED_UP = 500
"""Requests that are looked up in the ledger at a time."""
_HELD = 20_000
"""Missing requests that are held in memory, to be found without going through all again."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request has no answer in its form, and what came instead."""

    status: Status | None
    """None: it was never answered."""
    detail: str
    text: str = ""


def text_of(request: Request, ledger: Ledger) -> str | Failure:
    """What the ledger has for a request to which any text is an answer, even one that is cut off
    or says that the model will not answer."""
    entry = ledger.read(request.key)
    if entry is None:
        return Failure(None, "not answered yet")
    if entry.status in (Status.ANSWERED, Status.TRUNCATED, Status.REFUSED):
        return entry.text
    return Failure(entry.status, _SAID.get(entry.status, "the server said nothing"), entry.text)


def answer_of(request: Request, ledger: Ledger) -> BaseModel | Failure:
    """What the ledger has for a request, in its form; a mended answer counts like the first."""
    form = request.prompt.form
    assert form is not None, "any text is an answer: see text_of"
    entry = ledger.read(request.key)
    if entry is None:
        return Failure(None, "not answered yet")
    if entry.status not in (Status.ANSWERED, Status.INVALID):
        return Failure(entry.status, _SAID.get(entry.status, ""), entry.text)
    try:
        return read_form(entry.text, form)
    except InvalidAnswer as problem:
        failure = Failure(Status.INVALID, str(problem), entry.text)
        if request.mended is not None or not entry.text.strip():
            return failure
        mended = answer_of(request.to_mend(entry.text, str(problem)), ledger)
        return failure if isinstance(mended, Failure) else mended


_SAID = {
    Status.REFUSED: "the teacher would not answer",
    Status.FILTERED: "a content filter stopped the answer",
    Status.TRUNCATED: "the answer was cut off at max_tokens",
    Status.NOT_ACCEPTED: "the server did not take the request",
}


def unanswered(request: Request, ledger: Ledger) -> Request | None:
    """What is still to be asked for a request: itself, to mend its answer, or nothing."""
    known = ledger.known(request.key)
    if known is None:
        return request
    form = request.prompt.form
    if known[0] is not Status.INVALID or request.mended is not None or form is None:
        return None
    entry = ledger.read(request.key)
    if entry is None or not entry.text.strip():
        return None
    try:
        read_form(entry.text, form)
    except InvalidAnswer as problem:
        return unanswered(request.to_mend(entry.text, str(problem)), ledger)
    return None


class Standing(NamedTuple):
    """How a job stands, and what is missing, where that is little."""

    tally: Tally
    missing: list[Request] | None


def standing(requests: Iterable[Request], ledger: Ledger, budget: Budget) -> Standing:
    """How a job stands before anything is asked."""
    tally, missing = Tally(), list[Request]()
    left = iter(requests)
    while some := list(islice(left, _LOOKED_UP)):
        known = ledger.known_of([request.key for request in some])
        for request in some:
            tally.total += 1
            entry = known.get(request.key)
            entries = [] if entry is None else [entry]
            if entry is None:
                rest: Request | None = request
            elif entry[0] is Status.INVALID:
                rest = unanswered(request, ledger)
                entries += [] if rest else _mended(request, ledger)
            else:
                rest = None
            tally.done += rest is None
            if rest is not None and len(missing) <= _HELD:
                missing.append(rest)
            for status, price, tokens in entries:
                tally.ended[status] += 1
                tally.usd += price or 0.0
                tally.unpriced += price is None
                tally.tokens += tokens
    budget.spend(tally.usd, tally.tokens)
    return Standing(tally, missing if len(missing) <= _HELD else None)


def _mended(request: Request, ledger: Ledger) -> list[tuple[Status, float | None, int]]:
    entry = ledger.read(request.key)
    mended = entry and ledger.known(request.to_mend(entry.text, "").key)
    return [mended] if mended else []
