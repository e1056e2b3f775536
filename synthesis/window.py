"""Asking many requests at once: a sliding window that follows what the server can take.

As many requests are in flight as there are places; as soon as one ends the next is sent. A server
that is overloaded halves the places, and answers add them one by one again (additive increase,
multiplicative decrease, as in TCP). A request that has to wait holds no place.
"""

from __future__ import annotations

import asyncio
import gc
import heapq
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from random import Random

from ..errors import MathV360KError, TeacherError
from .budget import Budget, input_tokens
from .ledger import Ledger
from .request import Request
from .tally import Tally, Watch, keep
from .teacher import Denied, Overloaded, Reply, Status, Teacher, Unreachable

_JUDGED = 100
"""Requests that have ended last, by which a broken server is recognised."""
_USELESS_SHARE = 0.95
_BROKEN_SHARE = 0.5
_BROKEN_FROM = 20
_LOSSES = 3
"""Lost one after another, without an answer in between, that show an overloaded server."""
_SETBACKS = 20
"""Overloads one after another, some quarter of an hour of them, after which a run is stopped."""
_AT_ONCE = 2
"""Requests sent before answers are looked at again: whole flocks of them would come back as flocks,
and wait for each other."""
_COLLECTED = 1_000
"""Answers between two collections of garbage, of which there is hardly any."""
_FIRST_TRIES = 3
"""Tries of the very first request, where nothing has shown yet that there is a server."""
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 60.0  # seconds
_DRAIN = 30.0
"""Seconds for what is in flight, and will be paid for, when a run is interrupted."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How hard a server may be pressed."""

    concurrency: int = 64
    """Requests in flight at most."""
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    retries: int = 6
    """Tries of a request after the first one; being told to slow down does not count."""


@dataclass(order=True, slots=True)
class _Job:
    due: float
    number: int
    request: Request = field(compare=False)
    tries: int = field(default=0, compare=False)


class _Pace:
    """Lets through so many units per minute, evenly, with at most a second's worth at once."""

    def __init__(self, per_minute: int | None) -> None:
        self._rate = None if per_minute is None else per_minute / 60
        self._free_at = 0.0

    def wait(self, now: float) -> float:
        """Seconds until the next may go."""
        return 0.0 if self._rate is None else max(0.0, self._free_at - now)

    def take(self, now: float, units: float) -> None:
        if self._rate is not None:
            self._free_at = max(self._free_at, now - 1) + units / self._rate


class Window:
    """Asks requests of a teacher and keeps the answers in a ledger, until all are answered,
    the budget is spent, or nothing works any more."""

    def __init__(
        self,
        teacher: Teacher,
        ledger: Ledger,
        budget: Budget,
        limits: Limits,
        tally: Tally,
        watch: Watch = lambda _: None,
        to_the_end: bool = False,
    ) -> None:
        """With `to_the_end`, go on even where hardly an answer can be used."""
        self._to_the_end = to_the_end
        self._teacher, self._ledger, self._budget = teacher, ledger, budget
        self._limits, self._tally, self._watch = limits, tally, watch
        self._places = float(limits.concurrency)
        self._requests = _Pace(limits.requests_per_minute)
        self._tokens = _Pace(limits.tokens_per_minute)
        self._new: Iterator[Request] = iter(())
        self._ready: deque[_Job] = deque()  # before anything new: repairs, what the budget held
        self._later: list[_Job] = []  # a heap by due time
        self._flying: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._number = 0
        self._paused_until = 0.0
        self._setbacks = 0  # overloads, one after another, without an answer in between
        self._losses = 0  # likewise of connections and answers
        self._eased_at = 0.0
        self._ended: deque[bool] = deque(maxlen=_JUDGED)
        self._of_use: deque[bool] = deque(maxlen=_JUDGED)
        self._not_accepted: list[str] = []
        self._stop: MathV360KError | None = None
        self._failure: BaseException | None = None
        self._random = Random()

    async def ask(self, requests: Iterable[Request]) -> bool:
        """Ask all of `requests`; whether the budget sufficed.

        Raises `TeacherError` where the key or the server does not work. The first request goes
        alone: what is wrong with all of them is found out once.
        """
        rest = iter(requests)
        collected = gc.isenabled()
        gc.freeze()  # what is there already is looked through at every collection otherwise
        gc.disable()
        try:
            self._new = islice(rest, 1)
            if not await self._run():
                return False
            self._new = rest
            return await self._run()
        except asyncio.CancelledError:
            if self._flying:
                await asyncio.wait(self._flying, timeout=_DRAIN)
            raise
        finally:
            for task in self._flying:
                task.cancel()
            gc.unfreeze()
            if collected:
                gc.enable()

    async def _run(self) -> bool:
        enough = True
        while True:
            self._changed.clear()
            wait: float | None = None
            if self._stop is None:
                wait, enough = self._send()
            if self._failure is not None:
                raise self._failure
            if not self._flying and (wait is None or self._stop is not None):
                break
            if wait == 0:
                await asyncio.sleep(0)
                continue
            try:
                await asyncio.wait_for(self._changed.wait(), wait)
            except TimeoutError:
                continue
        if self._stop is not None:
            raise self._stop
        return enough

    def _send(self) -> tuple[float | None, bool]:
        """Send what may be sent now: seconds until more may be (None: when an answer comes), and
        whether the budget had something left."""
        loop = asyncio.get_running_loop()
        sent = 0
        while len(self._flying) < max(1, int(self._places)):
            if sent == _AT_ONCE:
                return 0.0, True
            sent += 1
            now = loop.time()
            held = max(self._paused_until - now, self._requests.wait(now), self._tokens.wait(now))
            if held > 0:
                return held, True
            job = self._next(now)
            if job is None:
                return (max(0.0, self._later[0].due - now) if self._later else None), True
            reserved = self._budget.reserve(job.request)
            if reserved is None:
                self._ready.appendleft(job)
                return None, bool(self._flying)
            self._requests.take(now, 1)
            if self._limits.tokens_per_minute is not None:
                most = input_tokens(job.request, self._budget.price)
                self._tokens.take(now, most + job.request.teacher.max_tokens)
            task = loop.create_task(self._try(job, reserved))
            self._flying.add(task)
            task.add_done_callback(self._landed)
        return None, True

    def _next(self, now: float) -> _Job | None:
        if self._later and self._later[0].due <= now:
            return heapq.heappop(self._later)
        if self._ready:
            return self._ready.popleft()
        request = next(self._new, None)
        return None if request is None else self._job(request)

    def _job(self, request: Request) -> _Job:
        self._number += 1
        return _Job(0.0, self._number, request)

    async def _try(self, job: _Job, reserved: tuple[float, int]) -> None:
        loop = asyncio.get_running_loop()
        start = loop.time()
        try:
            reply = await self._teacher.ask(job.request)
            self._keep(job.request, reply, loop.time() - start)
        except Denied as denied:
            self._stop = self._stop or TeacherError(f"The teacher does not answer: {denied}.")
        except Overloaded as overload:
            self._ease(start, overload.wait)
            self._put_off(job, str(overload), overload.wait, counts=False)
        except Unreachable as lost:
            self._losses += 1
            if self._losses >= _LOSSES:
                self._ease(start, lost.wait)
            self._put_off(job, str(lost), lost.wait, counts=True)
        finally:
            self._budget.release(reserved)

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._flying.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._failure = self._failure or task.exception()
        self._changed.set()

    def _keep(self, request: Request, reply: Reply, seconds: float) -> None:
        """Keep a reply; one that is not in its form is asked for once more."""
        status, repair = keep(request, reply, seconds, self._ledger, self._budget, self._tally)
        if repair is not None:
            self._ready.append(self._job(repair))
        if reply.status is Status.NOT_ACCEPTED:
            self._not_accepted.append(request.key)
        self._judge(reply.status is not Status.NOT_ACCEPTED, reply.text)
        cut_off = status is Status.TRUNCATED and request.prompt.form is None
        self._look_at_use(Status.ANSWERED if cut_off else status)
        if reply.wait:
            self._pause(reply.wait)
        self._setbacks = self._losses = 0
        most = self._limits.concurrency
        self._places = min(most, self._places + max(1.0, most / 32) / self._places)
        if self._tally.asked % _COLLECTED == 0:
            gc.collect(1)
        self._watch(self._tally)

    def _look_at_use(self, status: Status) -> None:
        """Stop where hardly an answer can be used: all of them are paid for."""
        self._of_use.append(status is Status.ANSWERED)
        bad = self._of_use.count(False)
        if bad < _USELESS_SHARE * _JUDGED or self._to_the_end:
            return
        self._stop = self._stop or TeacherError(
            f"{bad} of the last {_JUDGED} answers cannot be used (the last one ended as "
            f"{status}), so the run was stopped; `mathv360k ledger show` counts them, "
            "--partial goes on all the same."
        )

    def _put_off(self, job: _Job, why: str, wait: float | None, counts: bool) -> None:
        job.tries += counts
        if not self._ended and job.tries >= _FIRST_TRIES:
            self._stop = self._stop or TeacherError(
                f"No answer can be had from the teacher: {why}."
            )
        if job.tries > self._limits.retries:
            self._tally.unanswered += 1
            self._tally.why = why
            self._judge(False, why)
            self._watch(self._tally)
            return
        if wait is None:
            wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** max(job.tries - 1, 0))
            wait *= self._random.uniform(0.5, 1.5)
        job.due = asyncio.get_running_loop().time() + wait
        heapq.heappush(self._later, job)

    def _ease(self, sent_at: float, wait: float | None) -> None:
        """Halve the places, once for all requests that were in flight when it was done last.

        A second setback without an answer in between pauses the whole window, longer each time.
        """
        if sent_at < self._eased_at:
            return
        now = asyncio.get_running_loop().time()
        self._eased_at = now
        self._places = max(1.0, self._places / 2)
        self._setbacks += 1
        if self._setbacks > _SETBACKS:
            self._stop = self._stop or TeacherError(
                "The teacher has been overloaded for too long; answers so far are in the ledger, "
                "run the command again later or with a lower --concurrency."
            )
        if self._setbacks > 1:
            longer = min(_LONGEST_WAIT, _FIRST_WAIT * 2 ** (self._setbacks - 2))
            self._pause(max(wait or 0.0, longer))

    def _pause(self, seconds: float) -> None:
        until = asyncio.get_running_loop().time() + min(seconds, 10 * _LONGEST_WAIT)
        self._paused_until = max(self._paused_until, until)

    def _judge(self, good: bool, said: str) -> None:
        """Stop where too many requests fail for it to be worth going on."""
        self._ended.append(good)
        bad = self._ended.count(False)
        if good or len(self._ended) < _BROKEN_FROM or bad < _BROKEN_SHARE * len(self._ended):
            return
        self._ledger.take_back(self._not_accepted)  # a broken server says nothing about a request
        self._stop = self._stop or TeacherError(
            f"{bad} of the last {len(self._ended)} requests failed, so the run was stopped "
            f"({said}); answers so far are in the ledger, run the command again when the server "
            "works."
        )
