"""How a run stands, and putting a reply on record: into the ledger, the budget and the tally."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from .budget import Budget, count_tokens, input_tokens
from .forms import InvalidAnswer, read_form
from .ledger import Ledger
from .request import Request
from .teacher import Reply, Status


@dataclass(slots=True)
class Tally:
    """How a run stands."""

    total: int = 0
    """Requests of the job."""
    done: int = 0
    """Of these, those with an answer."""
    asked: int = 0
    """Answers that came in this run."""
    ended: Counter[str] = field(default_factory=Counter)
    """Answers by status, those of earlier runs too."""
    usd: float = 0.0
    """What the job has cost, in earlier runs too, as far as prices are known."""
    unpriced: int = 0
    """Answers whose price is not known."""
    tokens: int = 0
    """What it has taken, likewise."""
    unanswered: int = 0
    """Requests given up in this run."""
    why: str = ""
    """What the last of them failed of."""
    started: float = field(default_factory=time.monotonic)

    @property
    def rate(self) -> float:
        """Answers per second in this run."""
        return self.asked / max(time.monotonic() - self.started, 1e-9)

    @property
    def usd_in_the_end(self) -> float:
        """What the job will have cost, if it goes on as so far."""
        return self.usd / self.done * self.total if self.done else 0.0


Watch = Callable[[Tally], None]
"""Told how a run stands, after every answer."""


def keep(
    request: Request, reply: Reply, seconds: float, ledger: Ledger, budget: Budget, tally: Tally
) -> tuple[Status, Request | None]:
    """Put a reply into the ledger and count it: how it ended, and the request to mend it if it has
    no form. Where the server does not tell what it took, that is estimated."""
    repair = None
    if reply.text and not (reply.input_tokens or reply.output_tokens):
        reply = msgspec.structs.replace(
            reply,
            input_tokens=input_tokens(request, budget.price),
            output_tokens=count_tokens(request.teacher.model, [reply.text]),
        )
    if reply.status is Status.ANSWERED and request.prompt.form is not None:
        try:
            read_form(reply.text, request.prompt.form)
        except InvalidAnswer as problem:
            reply = msgspec.structs.replace(reply, status=Status.INVALID)
            if request.mended is None and reply.text.strip():
                repair = request.to_mend(reply.text, str(problem))
    price = budget.price.usd(reply) if budget.price else None
    ledger.add(request, reply, price, seconds)
    used = reply.input_tokens + reply.output_tokens
    budget.spend(price, used)
    tally.asked += 1
    tally.done += repair is None
    tally.usd += price or 0.0
    tally.tokens += used
    tally.unpriced += price is None
    tally.ended[reply.status] += 1
    return reply.status, repair
