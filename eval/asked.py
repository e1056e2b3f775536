"""A problem as a model is asked it, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass

from .problems import Problem


@dataclass(frozen=True, slots=True)
class Asked:
    """A problem with its prompt."""

    problem: Problem
    prompt: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A response to the problem `id`; where there is none it is empty and `error` says why."""

    id: str
    response: str
    error: str | None = None
