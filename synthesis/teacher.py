"""What a teacher is: somebody who answers one request, or says why not."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

import msgspec

from .request import Request


class Status(StrEnum):
    """How an answer ended. All of these are kept in the ledger and not asked again."""

    ANSWERED = "answered"
    INVALID = "invalid"
    """Not of the form that was asked for."""
    REFUSED = "refused"
    """The model would not answer."""
    FILTERED = "filtered"
    """A content filter of the server stopped it."""
    TRUNCATED = "truncated"
    """Cut off at the limit of tokens."""
    NOT_ACCEPTED = "not_accepted"
    """The server does not take this request (400), say for its image."""


class Reply(msgspec.Struct, frozen=True):
    """What came back for a request, and what it took."""

    text: str
    status: Status = Status.ANSWERED
    input_tokens: int = 0
    cached_tokens: int = 0
    """Of the input, those the server had seen before and charges less for."""
    output_tokens: int = 0
    discount: float = 1.0
    """Factor on the price: a batch costs half."""
    wait: float = 0.0
    """Seconds until the server's limits let the next request through."""


class Overloaded(Exception):
    """The server wants fewer requests, or to be asked later; `wait` seconds where it says so."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class Unreachable(Exception):
    """No answer came: a lost connection, a timeout, or an error of the server (408, 409, 5xx)."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class Denied(Exception):
    """No request will be answered: a wrong key, no credit left, an unknown model or address."""


class Teacher(Protocol):
    """Answers requests; many at a time."""

    async def ask(self, request: Request) -> Reply:
        """The reply to one request; raises `Overloaded`, `Unreachable` or `Denied`."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
