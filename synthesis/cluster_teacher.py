"""A teacher asked from all nodes of a Ray cluster.

Which request is sent when, what is tried again, the budget and the ledger stay with the one process
that was started: a node only encodes a request, sends it, and hands the reply back at once. So what
a node has in flight when it dies is asked again, and nothing else.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ..builder.cluster import Cluster, devices, joined
from .request import Request
from .teacher import Denied, Overloaded, Reply, Teacher, Unreachable

_FOR_A_WORKER = 64
"""Requests in flight that one client is enough for."""
_START = 300.0
"""Seconds in which a cluster has to find a free CPU."""


class ClusterTeacher:
    """Clients of a teacher on the nodes of a cluster, as many as `concurrency` needs.

    `open_teacher` makes a client on its node, where the images of `pool` must be seen, with the
    variables of `environment` set: it may hold a key, and is therefore told to nobody else.
    """

    def __init__(
        self,
        cluster: Cluster,
        pool: Path,
        open_teacher: Callable[[], Teacher],
        environment: Mapping[str, str],
        concurrency: int,
    ) -> None:
        self._left = ExitStack()
        self._left.enter_context(joined(cluster))
        import ray
        from ray.exceptions import RayActorError

        self._lost = RayActorError
        remote: Any = ray.remote(_Client)
        self._kind = remote.options(
            num_cpus=1, max_restarts=0, max_concurrency=concurrency, scheduling_strategy="SPREAD"
        )
        self._open = pool, open_teacher, _Hidden(environment)
        self._most = max(1, min(devices()[0], -(-concurrency // _FOR_A_WORKER)))
        self._clients: list[Any] = []  # the next to ask is the first
        self._starting: set[asyncio.Task[None]] = set()
        self._there = asyncio.Event()
        self._refused: str | None = None

    async def ask(self, request: Request) -> Reply:
        """The reply to one request; raises `Overloaded`, `Unreachable` or `Denied`."""
        client = await self._next()
        try:
            outcome = await client.ask.remote(request)
        except self._lost:
            if client in self._clients:
                self._clients.remove(client)
            raise Unreachable("a node of the cluster ended") from None
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def close(self) -> None:
        """End the clients, and leave the cluster."""
        for task in self._starting:
            task.cancel()
        for client in self._clients:
            try:
                await asyncio.wait_for(client.close.remote(), 10)
            except (self._lost, TimeoutError):
                continue
        self._left.close()

    async def _next(self) -> Any:
        """A client, each in turn; those that ended are started anew on the nodes that are left."""
        while self._refused is None and len(self._clients) + len(self._starting) < self._most:
            task = asyncio.create_task(self._start())
            self._starting.add(task)
            task.add_done_callback(self._started)
        while not self._clients:
            if self._refused:
                raise Denied(self._refused)
            self._there.clear()
            await self._there.wait()
        client = self._clients.pop(0)
        self._clients.append(client)
        return client

    async def _start(self) -> None:
        client = self._kind.remote(*self._open)
        try:
            refused = await asyncio.wait_for(client.ready.remote(), _START)
        except TimeoutError:
            self._refused = f"the cluster had no free CPU in {_START:.0f} seconds"
            return
        except self._lost as error:
            self._refused = f"a client cannot be started on the cluster ({_last_line(error)})"
            return
        if refused:
            self._refused = refused
            return
        self._clients.append(client)

    def _started(self, task: asyncio.Task[None]) -> None:
        self._starting.discard(task)
        self._there.set()


class _Hidden(dict[str, str]):
    """Variables that nobody prints by mistake."""

    def __repr__(self) -> str:
        return f"<{len(self)} variables>"


class _Client:
    """On a node: one client of the teacher."""

    def __init__(
        self, pool: Path, open_teacher: Callable[[], Teacher], environment: _Hidden
    ) -> None:
        os.environ.update(environment)
        self._pool = pool
        self._open = open_teacher
        self._teacher: Teacher | None = None

    async def ready(self) -> str | None:
        """Open the client; why that cannot be, if so."""
        if not (self._pool / "images.bin").is_file():
            return f"a node does not see {self._pool}; put the pool where all nodes see it"
        try:
            self._teacher = self._open()
        except Exception as error:
            return str(error)
        return None

    async def ask(self, request: Request) -> Reply | Overloaded | Unreachable | Denied:
        """The reply, or what the teacher raised: Ray would wrap that."""
        assert self._teacher is not None
        try:
            return await self._teacher.ask(request)
        except (Overloaded, Unreachable, Denied) as error:
            return error

    async def close(self) -> None:
        """Let go of the connections."""
        if self._teacher is not None:
            await self._teacher.close()


def _last_line(error: Exception) -> str:
    return str(error).strip().split("\n")[-1][:300]
