"""Asking by the batch API: files of requests handed in, answered within a day at half the price.

What was handed in is noted in the ledger, so that the command can be stopped and run again, days
later, to collect. A batch is noted before it is made: after a crash in between it is looked for on
the server, by the token in its metadata.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from tempfile import TemporaryFile
from typing import IO, Any
from uuid import uuid4

import msgspec
from openai import APIConnectionError, APIStatusError, OpenAIError
from openai.types import Batch

from ..errors import TeacherError
from .budget import Budget
from .ledger import Ledger
from .openai_teacher import Completion, OpenAITeacher, read_completion
from .request import Request
from .tally import Tally, Watch, keep
from .teacher import Reply, Status

MAX_REQUESTS = 50_000
MAX_BYTES = 190 * 2**20
"""Of a file; OpenAI takes 200 MB."""
_ENDED = ("completed", "expired", "cancelled", "failed")
_NOT_YET_MADE = "made: "
_TOKEN = "mathv360k"


class _Response(msgspec.Struct):
    status_code: int = 0
    body: Any = None


class _Line(msgspec.Struct):
    custom_id: str
    response: _Response | None = None
    error: Any = None


class Batches:
    """Hands requests in, waits, and collects the answers into the ledger."""

    def __init__(
        self,
        server: OpenAITeacher,
        ledger: Ledger,
        budget: Budget,
        tally: Tally,
        watch: Watch,
        poll: float,
    ) -> None:
        self._server, self._ledger = server, ledger
        self._client = server.client.with_options(max_retries=5)
        self._budget, self._tally, self._watch, self._poll = budget, tally, watch, poll
        self._discount = budget.price.batch if budget.price else 1.0
        self._reserved: list[tuple[float, int]] = []

    async def ask(self, pending: Callable[[], Iterator[Request]], model: str) -> bool:
        """Have all of `pending` answered, those first that were handed in before; whether the
        budget sufficed. Raises `TeacherError` where a batch fails, or brings nothing."""
        try:
            await self._find_unnoted(model)
            while True:
                enough = await self._hand_in(pending(), model)
                if not self._ledger.open_batches(model):
                    return enough
                before = self._tally.asked
                await self._collect(pending, model)
                while self._reserved:
                    self._budget.release(self._reserved.pop())
                if self._tally.asked == before:
                    raise TeacherError("The batches ended without answers; see them at the server.")
        except OpenAIError as error:
            raise TeacherError(f"The batch API does not answer: {self._said(error)}.") from None

    def _said(self, error: OpenAIError) -> str:
        if isinstance(error, APIConnectionError):
            return "no connection"
        status = f"{error.status_code}: " if isinstance(error, APIStatusError) else ""
        return f"{status}{self._server.redacted(str(error))[:300]}"

    async def _find_unnoted(self, model: str) -> None:
        """Find the id of each batch that was noted, and of which nobody knows if it was made."""
        unsure = {
            token: (name, keys)
            for name, (token, keys) in self._ledger.open_batches(model).items()
            if name.startswith(_NOT_YET_MADE)
        }
        if not unsure:
            return
        async for batch in self._client.batches.list(limit=100):
            token = (batch.metadata or {}).get(_TOKEN, "")
            if token in unsure:
                self._ledger.batch_started(batch.id, token, model, unsure.pop(token)[1])
        for name, _ in unsure.values():
            self._ledger.batch_collected(name)

    async def _hand_in(self, pending: Iterator[Request], model: str) -> bool:
        """Hand in what is not waiting already, file by file; whether the budget sufficed."""
        waiting = {key for _, keys in self._ledger.open_batches(model).values() for key in keys}
        left = (request for request in pending if request.key not in waiting)
        enough = True
        held: Request | None = None
        while enough:
            with TemporaryFile(dir=self._ledger.path.resolve().parent) as file:
                keys, held, enough = await self._write(left, held, file)
                if not keys:
                    break
                await self._start(file, keys, model)
        return enough

    async def _write(
        self, requests: Iterator[Request], held: Request | None, file: IO[bytes]
    ) -> tuple[list[str], Request | None, bool]:
        """Write one file: the keys in it, the request that found no room, and whether the budget
        had something left."""
        keys: list[str] = []
        while True:
            request = held or next(requests, None)
            held = None
            if request is None:
                return keys, None, True
            line = await self._line(request)
            if keys and (len(keys) >= MAX_REQUESTS or file.tell() + len(line) > MAX_BYTES):
                return keys, request, True
            reserved = self._budget.reserve(request, self._discount)
            if reserved is None:
                return keys, request, False
            self._reserved.append(reserved)
            file.write(line)
            keys.append(request.key)

    async def _line(self, request: Request) -> bytes:
        body = msgspec.Raw(await self._server.encoded(request))
        row = {
            "custom_id": request.key,
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": body,
        }
        return msgspec.json.encode(row) + b"\n"

    async def _start(self, file: IO[bytes], keys: list[str], model: str) -> None:
        token = uuid4().hex
        file.seek(0)
        named = ("requests.jsonl", file)
        uploaded = await self._client.files.create(file=named, purpose="batch")
        self._ledger.batch_started(f"{_NOT_YET_MADE}{token}", token, model, keys)
        batch = await self._server.client.batches.create(  # once: a second one costs again
            input_file_id=uploaded.id,
            endpoint="/v1/chat/completions",
            completion_window="24h",
            metadata={_TOKEN: token},
        )
        self._ledger.batch_started(batch.id, token, model, keys)

    async def _collect(self, pending: Callable[[], Iterator[Request]], model: str) -> None:
        """Wait until all batches have ended, and take in their answers as they do."""
        while waiting := self._ledger.open_batches(model):
            for name in waiting:
                batch = await self._client.batches.retrieve(name)
                if batch.status in _ENDED:
                    await self._take(batch, pending)
                    self._ledger.batch_collected(name)
                    self._watch(self._tally)
                    if batch.status == "failed":
                        raise TeacherError(f"Batch {name} failed: {_why(batch)}.")
            if self._ledger.open_batches(model):
                await asyncio.sleep(self._poll)

    async def _take(self, batch: Batch, pending: Callable[[], Iterator[Request]]) -> None:
        replies: dict[str, Reply] = {}
        for name in (batch.output_file_id, batch.error_file_id):
            if name:
                content = await self._client.files.content(name)
                for text in content.content.splitlines():
                    self._read(text, replies)
        seconds = time.time() - batch.created_at if batch.created_at else 0.0
        for request in pending():
            reply = replies.pop(request.key, None)
            if reply is not None:
                keep(request, reply, seconds, self._ledger, self._budget, self._tally)

    def _read(self, text: bytes, replies: dict[str, Reply]) -> None:
        """Note the reply in one line of a batch's output; errors of the server are asked again."""
        try:
            line = msgspec.json.decode(text, type=_Line)
            response = line.response or _Response()
            if response.status_code == 200:
                reply = read_completion(msgspec.convert(response.body, Completion))
            elif response.status_code in (400, 422):
                said = json.dumps(response.body)[:2_000]
                reply = Reply(said, Status.NOT_ACCEPTED)
            else:
                return
        except (msgspec.MsgspecError, RecursionError):
            return
        text_said = self._server.redacted(reply.text)
        reply = msgspec.structs.replace(reply, text=text_said, discount=self._discount)
        replies[line.custom_id] = reply


def _why(batch: Batch) -> str:
    errors = batch.errors.data if batch.errors and batch.errors.data else []
    return "; ".join(e.message or e.code or "" for e in errors[:3]) or "no reason given"
