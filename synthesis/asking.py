"""Getting requests answered: what the ledger has is read, the rest is asked of the teacher."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from random import sample
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from filelock import FileLock, Timeout
from pydantic import BaseModel

from ..builder.recipe import TeacherChoice
from ..errors import FolderError, TeacherError, UsageError
from .budget import Budget, Price, input_tokens, read_price
from .forms import InvalidAnswer, read_form
from .ledger import Ledger
from .request import Request
from .teacher import Reply, Status, Teacher
from .window import Limits, Tally, Watch, Window

if TYPE_CHECKING:
    from .openai_teacher import OpenAITeacher

EMBEDDED = "drawn"
KEY_VARIABLE = "OPENAI_API_KEY"
_ESTIMATED = 2_000
"""Requests whose tokens are counted for an estimate; the others are taken to be like them."""
_LOOKED_UP = 500
"""Requests that are looked up in the ledger at a time."""
_HELD = 20_000
"""Missing requests that are held in memory, to be found without going through all again."""
_OUTPUT = 150
"""Output tokens per question, where the ledger has no answers yet to tell from."""


@dataclass(frozen=True, slots=True)
class Asking:
    """How a teacher is asked: all that does not decide what it answers."""

    ledger: Path
    base_url: str | None = None
    key_variable: str = KEY_VARIABLE
    structured: Literal["auto", "on", "off"] = "auto"
    timeout: float = 600.0
    limits: Limits = field(default_factory=Limits)
    budget_usd: float | None = None
    budget_tokens: int | None = None
    prices: Path | None = None
    batch: bool = False
    """Through the batch API: half the price, within a day."""
    poll: float = 60.0
    """Seconds between two looks at a batch."""
    partial: bool = False
    """Whether to go on where requests stay without an answer."""
    watch: Watch = lambda _: None

    def open_ledger(self) -> Ledger:
        return Ledger(self.ledger)

    def is_final(self) -> bool:
        """Whether what was written from the ledger stands: nothing shall be asked again."""
        if not self.ledger.exists():
            return True
        with self.open_ledger() as ledger:
            return not ledger.has_forgotten()


class _Standing(NamedTuple):
    """How a job stands, and what is missing, where that is little."""

    tally: Tally
    missing: list[Request] | None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a request has no answer in its form, and what came instead."""

    status: Status | None
    """None: it was never answered."""
    detail: str
    text: str = ""


def answer_of(request: Request, ledger: Ledger) -> BaseModel | Failure:
    """What the ledger has for a request, in its form; a mended answer counts like the first."""
    entry = ledger.read(request.key)
    if entry is None:
        return Failure(None, "not answered yet")
    if entry.status not in (Status.ANSWERED, Status.INVALID):
        return Failure(entry.status, _SAID.get(entry.status, ""), entry.text)
    try:
        return read_form(entry.text, request.prompt.form)
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
    if known[0] is not Status.INVALID or request.mended is not None:
        return None
    entry = ledger.read(request.key)
    if entry is None or not entry.text.strip():
        return None
    try:
        read_form(entry.text, request.prompt.form)
    except InvalidAnswer as problem:
        return unanswered(request.to_mend(entry.text, str(problem)), ledger)
    return None


def ask_all(
    requests: Callable[[], Iterable[Request]],
    teacher: TeacherChoice,
    pool: Path,
    ledger: Ledger,
    asking: Asking,
) -> Tally:
    """Have all requests answered by one teacher, so far as the ledger has not: how it went.

    `requests` yields the same ones each time it is called. Raises `TeacherError` where the teacher
    does not work, or where requests stay unanswered and that is not allowed.
    """
    if asking.batch and teacher.model == EMBEDDED:
        raise UsageError("The embedded teacher answers at once and takes no --batch.")
    budget = Budget(
        read_price(teacher.model, asking.prices), asking.budget_usd, asking.budget_tokens
    )
    tally, few = _standing(requests(), ledger, budget)
    if tally.done == tally.total:
        return tally
    if not budget.limited and budget.price and (budget.price.input or budget.price.output):
        usd = estimate(requests(), teacher, ledger, asking.prices)["usd"]
        refuse_without_budget(teacher, asking, usd)
    asking.watch(tally)

    def pending() -> Iterator[Request]:
        """What has no answer at the moment it is sent: another process may have asked it."""
        left = requests() if few is None or asking.batch else few
        for request in left if alone else _shuffled(left):
            missing = unanswered(request, ledger)
            if missing is not None:
                yield missing

    try:
        with _alone(asking.ledger) as alone:
            # of processes that do the same job each asks in an order of its own, or they would
            # keep pace and ask everything twice
            enough = asyncio.run(_ask(pending, teacher, pool, ledger, budget, asking, tally))
    except sqlite3.Error as error:
        raise FolderError(f"The ledger {asking.ledger} cannot be written: {error}.") from None
    asking.watch(tally)
    # told by the ledger alone: another process may have asked some of these, too
    final = _standing(requests(), ledger, Budget(budget.price)).tally
    final.why = tally.why
    _refuse_missing(final, enough, asking)
    return final


def _shuffled(requests: Iterable[Request]) -> list[Request]:
    listed = list(requests)
    return sample(listed, len(listed))


@contextmanager
def _alone(ledger: Path) -> Iterator[bool]:
    """Whether no other process asks with this ledger."""
    ledger = ledger.resolve()
    lock = FileLock(ledger.with_name(f"{ledger.name}.lock"), blocking=False)
    try:
        with lock:
            yield True
    except Timeout:
        yield False


async def _ask(
    pending: Callable[[], Iterator[Request]],
    teacher: TeacherChoice,
    pool: Path,
    ledger: Ledger,
    budget: Budget,
    asking: Asking,
    tally: Tally,
) -> bool:
    if asking.batch and teacher.model != EMBEDDED:
        from .batch import Batches

        server = _server(pool, asking)
        try:
            batches = Batches(server, ledger, budget, tally, asking.watch, asking.poll)
            return await batches.ask(pending, teacher.model)
        finally:
            await server.close()
    worker = _open_teacher(teacher, pool, asking)
    try:
        window = Window(worker, ledger, budget, asking.limits, tally, asking.watch)
        return await window.ask(pending())
    finally:
        await worker.close()


def _open_teacher(teacher: TeacherChoice, pool: Path, asking: Asking) -> Teacher:
    if teacher.model == EMBEDDED:
        from .drawn.teacher import DrawnTeacher

        return DrawnTeacher()
    return _server(pool, asking)


def _server(pool: Path, asking: Asking) -> OpenAITeacher:
    from .openai_teacher import OpenAITeacher

    return OpenAITeacher(
        pool,
        base_url=asking.base_url,
        key_variable=asking.key_variable,
        timeout=asking.timeout,
        connections=asking.limits.concurrency,
        structured=asking.structured,
    )


def refuse_without_budget(teacher: TeacherChoice, asking: Asking, usd: float | None = None) -> None:
    """Raise `UsageError` where money would be spent and nobody has said how much; `usd` is what it
    will be about, where that is known."""
    price = read_price(teacher.model, asking.prices)
    limited = asking.budget_usd is not None or asking.budget_tokens is not None
    if limited or price is None or not (price.input or price.output):
        return
    about = "" if usd is None else f", about ${usd:,.2f} for what is still to be asked"
    raise UsageError(
        f"{teacher.model} costs money{about}; say with --budget USD how much it may be."
    )


def _standing(requests: Iterable[Request], ledger: Ledger, budget: Budget) -> _Standing:
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
    return _Standing(tally, missing if len(missing) <= _HELD else None)


def _mended(request: Request, ledger: Ledger) -> list[tuple[Status, float | None, int]]:
    entry = ledger.read(request.key)
    mended = entry and ledger.known(request.to_mend(entry.text, "").key)
    return [mended] if mended else []


def _refuse_missing(tally: Tally, enough: bool, asking: Asking) -> None:
    missing = tally.total - tally.done
    if not missing or asking.partial:
        return
    so_far = f"{tally.done:,} of {tally.total:,} requests are answered and in {asking.ledger}"
    if not enough:
        raise TeacherError(
            f"The budget is spent: {so_far}; raise the budget to go on, or write what is there "
            "with --partial."
        )
    raise TeacherError(
        f"{missing:,} requests have no answer ({tally.why or 'the teacher gave none'}): {so_far}; "
        "run the command again to ask the others, or write what is there with --partial."
    )


def estimate(
    requests: Iterable[Request], teacher: TeacherChoice, ledger: Ledger, prices: Path | None
) -> dict[str, Any]:
    """What a job will take: requests, tokens and USD, before anything is asked.

    Tokens of the input are counted on a sample; those of the output follow the answers that the
    ledger has for the same purpose, or are guessed. USD is None where the price is not known.
    """
    price = read_price(teacher.model, prices)
    missing: dict[str, list[Request]] = defaultdict(list)
    counts: dict[str, int] = defaultdict(int)
    total = 0
    for request in requests:
        total += 1
        if unanswered(request, ledger) is None:
            continue
        purpose = request.purpose
        counts[purpose] += 1
        if len(missing[purpose]) < _ESTIMATED or counts[purpose] % 16 == 0:
            missing[purpose].append(request)
    known = {
        (row["model"], row["purpose"]): row["output_tokens"] / row["answers"]
        for row in ledger.summary()
        if row["status"] == Status.ANSWERED and row["output_tokens"]
    }
    kinds = {}
    for purpose, some in missing.items():
        some = some[:: max(1, len(some) // _ESTIMATED)]
        questions = some[0].values.get("count", 1)
        output = known.get((teacher.model, purpose), _OUTPUT * questions)
        mean = sum(input_tokens(r, price) for r in some) / len(some)
        kinds[purpose] = {
            "requests": counts[purpose],
            "input_tokens": round(mean * counts[purpose]),
            "output_tokens": round(output * counts[purpose]),
            "most_output_tokens": teacher.max_tokens * counts[purpose],
        }
    used = {n: sum(kind[n] for kind in kinds.values()) for n in next(iter(kinds.values()), {})}
    return {
        "model": teacher.model,
        "requests": total,
        "answered": total - sum(counts.values()),
        "to_ask": kinds,
        "usd": _usd(price, used, "output_tokens"),
        "most_usd": _usd(price, used, "most_output_tokens"),
        "batch_usd": _usd(price, used, "output_tokens", batch=True),
    }


def _usd(
    price: Price | None, used: dict[str, int], output: str, batch: bool = False
) -> float | None:
    if price is None:
        return None
    reply = Reply(
        "",
        input_tokens=used.get("input_tokens", 0),
        output_tokens=used.get(output, 0),
        discount=price.batch if batch else 1.0,
    )
    return round(price.usd(reply), 4)


def refuse_other_teacher(teacher: TeacherChoice, images: Iterable[str]) -> None:
    """Raise `UsageError` where the embedded teacher would be shown what it has not drawn."""
    if teacher.model != EMBEDDED:
        return
    for name in images:
        if not name.startswith(f"{EMBEDDED}/"):
            raise UsageError(
                f"The embedded teacher only knows drawn pictures, not {name}; name another model."
            )
