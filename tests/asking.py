"""Requests about one small picture, for tests that are not about pools."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mathv360k.builder.recipe import TeacherChoice
from mathv360k.synthesis.budget import Budget, Price
from mathv360k.synthesis.forms import Answered
from mathv360k.synthesis.ledger import Ledger
from mathv360k.synthesis.openai_teacher import OpenAITeacher
from mathv360k.synthesis.prompts import built_in
from mathv360k.synthesis.request import Picture, Request
from mathv360k.synthesis.tally import Tally
from mathv360k.synthesis.window import Limits, Window
from pools import diagram, encoded

ANSWER = built_in("answer", Answered)
GOOD = json.dumps({"reasoning": "It is drawn.", "answer": "7"})
PRICE = Price(input=1.0, output=2.0)


def picture_in(folder: Path) -> Picture:
    """A picture whose bytes are in the pool `folder`."""
    data = encoded(diagram(1))
    (folder / "images.bin").write_bytes(data)
    return Picture("ab" * 32, "One/a.png", 0, len(data), "PNG", 300, 300)


def requests_in(folder: Path, count: int, **teacher: Any) -> list[Request]:
    """`count` different requests about that picture."""
    choice = TeacherChoice(**{"model": "m", "max_tokens": 50, **teacher})
    values = {"choices": [], "unit": None}
    picture = picture_in(folder)
    return [
        Request(choice, ANSWER, {"question": f"What is {n}?", **values}, picture)
        for n in range(count)
    ]


def ask(
    folder: Path,
    url: str,
    requests: Sequence[Request],
    *,
    limits: Limits | None = None,
    budget: Budget | None = None,
    timeout: float = 20.0,
    to_the_end: bool = False,
) -> tuple[bool, Tally]:
    """Ask them of a server, with the ledger `folder/ledger`; whether the budget sufficed."""
    with Ledger(folder / "ledger") as ledger:
        known = sum(ledger.known(r.key) is not None for r in requests)
    tally = Tally(total=len(requests), done=known)

    async def run() -> bool:
        teacher = OpenAITeacher(folder, base_url=url, timeout=timeout)
        try:
            with Ledger(folder / "ledger") as ledger:
                window = Window(
                    teacher,
                    ledger,
                    budget or Budget(PRICE),
                    limits or Limits(16),
                    tally,
                    to_the_end=to_the_end,
                )
                return await window.ask(r for r in requests if not ledger.known(r.key))
        finally:
            await teacher.close()

    return asyncio.run(run()), tally
