"""Getting requests answered: what the ledger has is read, the rest is asked of the teacher."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from random import sample
from typing import TYPE_CHECKING, Literal

from filelock import FileLock, Timeout

from ..builder.cluster import Cluster
from ..builder.recipe import TeacherChoice
from ..errors import FolderError, TeacherError, UsageError
from .answered import standing, unanswered
from .budget import Budget, read_price
from .estimate import estimate
from .ledger import Ledger
from .request import Request
from .tally import Tally, Watch
from .teacher import Teacher
from .window import Limits, Window

if TYPE_CHECKING:
    from .openai_teacher import OpenAITeacher

EMBEDDED = "drawn"
KEY_VARIABLE = "OPENAI_API_KEY"


def _nobody(tally: Tally) -> None:
    """Watches nothing."""


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
    cluster: Cluster | None = None
    """Where the teacher is asked from, if not from here."""
    watch: Watch = _nobody

    def open_ledger(self) -> Ledger:
        return Ledger(self.ledger)

    def is_final(self) -> bool:
        """Whether what was written from the ledger stands: nothing shall be asked again."""
        if not self.ledger.exists():
            return True
        with self.open_ledger() as ledger:
            return not ledger.has_forgotten()


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
    if asking.batch and asking.cluster is not None:
        raise UsageError("A batch is answered at the server: --batch needs no --engine ray.")
    budget = Budget(
        read_price(teacher.model, asking.prices), asking.budget_usd, asking.budget_tokens
    )
    tally, few = standing(requests(), ledger, budget)
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
    final = standing(requests(), ledger, Budget(budget.price)).tally
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
    if asking.batch:
        from .batch import Batches

        server = _server(pool, asking)
        try:
            batches = Batches(server, ledger, budget, tally, asking.watch, asking.poll)
            return await batches.ask(pending, teacher.model)
        finally:
            await server.close()
    if asking.cluster is None:
        worker = _open_teacher(teacher, pool, asking)
    else:
        worker = _on_cluster(asking.cluster, teacher, pool, asking)
    try:
        window = Window(
            worker, ledger, budget, asking.limits, tally, asking.watch, to_the_end=asking.partial
        )
        return await window.ask(pending())
    finally:
        await worker.close()


def _open_teacher(teacher: TeacherChoice, pool: Path, asking: Asking) -> Teacher:
    if teacher.model == EMBEDDED:
        from .drawn.teacher import DrawnTeacher

        return DrawnTeacher()
    return _server(pool, asking)


def _on_cluster(cluster: Cluster, teacher: TeacherChoice, pool: Path, asking: Asking) -> Teacher:
    from .cluster_teacher import ClusterTeacher

    names = (asking.key_variable, "OPENAI_BASE_URL")
    return ClusterTeacher(
        cluster,
        pool.resolve(),
        partial(_open_teacher, teacher, pool.resolve(), replace(asking, watch=_nobody)),
        {name: os.environ[name] for name in names if name in os.environ},
        asking.limits.concurrency,
    )


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


def refuse_other_teacher(teacher: TeacherChoice, images: Iterable[str]) -> None:
    """Raise `UsageError` where the embedded teacher would be shown what it has not drawn."""
    if teacher.model != EMBEDDED:
        return
    for name in images:
        if not name.startswith(f"{EMBEDDED}/"):
            raise UsageError(
                f"The embedded teacher only knows drawn pictures, not {name}; name another model."
            )
