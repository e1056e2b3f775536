"""A reward for reinforcement learning on answers that can be checked, in TRL's signature."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from ..builder.schema import AnswerType
from .sound import is_right

Completion = str | Sequence[dict[str, Any]]
"""A text, or the messages of a chat, whose contents may be texts or lists of parts."""
RewardFunction = Callable[..., list[float]]

SECONDS = 1.0
"""After which a symbolic comparison is given up, in the main thread."""
_FORMAT = re.compile(r"\\boxed\s*\{.*\S.*\}|<answer>.*\S.*</answer>", re.DOTALL)
_LONGEST = 100_000


def reward_function(
    *,
    correct: float = 1.0,
    format: float = 0.1,
    length: float = 0.0,
    budget: int = 4_096,
) -> RewardFunction:
    r"""A reward function with its own weights, for TRL's `GRPOTrainer(reward_funcs=...)`.

    A completion gets `correct` where its answer is right by the sound rules (`sound.is_right`),
    `format` where it has a non-empty `\boxed{}` or `<answer></answer>`, and loses up to `length`
    for the characters beyond `budget`, all of it at twice the budget.
    """

    def reward(
        completions: Sequence[Completion],
        answer: Sequence[str | None],
        answer_type: Sequence[str | None] | None = None,
        choices: Sequence[Sequence[str] | None] | None = None,
        unit: Sequence[str | None] | None = None,
        **_: Any,
    ) -> list[float]:
        """The reward of each completion; the columns are those of the dataset, a value each.

        It never raises: what cannot be read or compared is wrong.
        """
        nothing: Sequence[None] = [None] * len(completions)
        columns = (answer, answer_type or nothing, choices or nothing, unit or nothing)
        result = []
        for completion, gold, kind, offered, measure in zip(completions, *columns, strict=False):
            text = _text(completion)
            right = _right(text, gold, kind, offered, measure)
            beyond = min(1.0, max(0.0, len(text) / max(1, budget) - 1))
            boxed = _FORMAT.search(text[-_LONGEST:]) is not None
            result.append(correct * right + format * boxed - length * beyond)
        return result + [0.0] * (len(completions) - len(result))

    return reward


reward = reward_function()
"""1 for a right answer, and 0.1 for a box or tag around it."""


def _text(completion: object) -> str:
    """What a completion says: of a chat the last message."""
    if isinstance(completion, str):
        return completion
    with suppress(Exception):
        content = completion[-1]["content"]  # pyright: ignore
        if isinstance(content, str):
            return content
        return "".join(part.get("text") or "" for part in content)
    return ""


def _right(
    text: str,
    gold: object,
    kind: str | None,
    choices: Sequence[str] | None,
    unit: str | None,
) -> bool:
    if not isinstance(gold, str) or not gold.strip():
        return False
    symbolic = not choices and kind in (None, AnswerType.TEXT, AnswerType.LIST)
    try:
        with _limited(SECONDS if symbolic else 0):
            return is_right(text, [gold], choices or (), unit or None)
    except Exception:
        return False


@contextmanager
def _limited(seconds: float) -> Iterator[None]:
    """Interrupt what takes longer; only the main thread can, and not where a timer runs already."""
    usable = threading.current_thread() is threading.main_thread()
    if not seconds or not usable or signal.getitimer(signal.ITIMER_REAL)[0]:
        yield
        return
    before = signal.signal(signal.SIGALRM, _interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _interrupt(*_: object) -> None:
    raise TimeoutError
