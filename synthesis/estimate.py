"""What a job will take: requests, tokens and price, before anything is asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ..builder.recipe import TeacherChoice
from .answered import unanswered
from .budget import Price, input_tokens, read_price
from .ledger import Ledger
from .request import Request
from .teacher import Reply, Status

_ESTIMATED = 2_000
"""Requests whose tokens are counted for an estimate; the others are taken to be like them."""
_OUTPUT = 150
"""Output tokens per question, where the ledger has no answers yet to tell from."""


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
