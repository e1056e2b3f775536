"""A server on loopback that speaks OpenAI's protocol and fails as it is told to.

What it says is decided by a `Script`, a function of the request's body and of how often that body
has come. It keeps every chat request that it answered well, so that tests can tell what was asked
twice. As a script of its own it answers all requests alike, for benchmarks.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

Body = dict[str, Any]


@dataclass(frozen=True)
class Say:
    """One response: the model's text, or an error, late, or not at all."""

    text: str = "{}"
    status: int = 200
    error: Body | None = None
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drop: bool = False
    """Hang up without a response."""
    refusal: str | None = None
    finish: str = "stop"
    input_tokens: int = 100
    output_tokens: int = 20
    raw: bytes | None = None
    """Instead of a chat completion."""

    def body(self) -> bytes:
        if self.raw is not None:
            return self.raw
        if self.status != 200:
            return json.dumps({"error": self.error or {"message": "as told"}}).encode()
        return json.dumps(self.completion()).encode()

    def completion(self) -> Body:
        message = {"role": "assistant", "content": self.text, "refusal": self.refusal}
        usage = {
            "prompt_tokens": self.input_tokens,
            "completion_tokens": self.output_tokens,
            "total_tokens": self.input_tokens + self.output_tokens,
        }
        choice = {"index": 0, "message": message, "finish_reason": self.finish}
        return {"id": "c", "object": "chat.completion", "created": 0, "model": "m",
                "choices": [choice], "usage": usage}  # fmt: skip


Script = Callable[[Body, int], Say]


@dataclass
class Server:
    """A running server: where it is, and what it has seen."""

    script: Script
    url: str = ""
    seen: Counter[str] = field(default_factory=Counter)
    """Chat requests by a hash of their body."""
    answered: Counter[str] = field(default_factory=Counter)
    """Those that were answered with 200."""
    bodies: list[Body] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    flying: int = 0
    most_flying: int = 0
    files: dict[str, bytes] = field(default_factory=dict)
    batches: dict[str, Body] = field(default_factory=dict)
    models: list[str] = field(default_factory=lambda: ["m"])
    batch_polls: int = 0
    """Looks at a batch until it is completed."""
    refused_uploads: int = 0
    """Files that are turned away with 500 before one is taken."""
    uploading: Callable[[], None] = lambda: None
    """Called when a file has come in."""


def prompt_of(body: Body) -> str:
    """The text of the first message."""
    content = body["messages"][0]["content"]
    return content if isinstance(content, str) else content[-1]["text"]


@contextmanager
def teacher_server(script: Script) -> Iterator[Server]:
    """A server that follows `script`, on a thread of its own."""
    server = Server(script)
    loop = asyncio.new_event_loop()
    started = threading.Event()

    async def serve() -> None:
        listening = await asyncio.start_server(
            lambda r, w: _connection(server, r, w), "127.0.0.1", 0, limit=2**26, backlog=1024
        )
        port = listening.sockets[0].getsockname()[1]
        server.url = f"http://127.0.0.1:{port}/v1"
        started.set()

    async def stop() -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(serve(), loop)
    started.wait()
    try:
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _connection(
    server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    try:
        while True:
            try:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            except asyncio.IncompleteReadError:
                break
            headers = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
            content = await reader.readexactly(int(headers.get("content-length", 0)))
            method, path, _ = head[0].split(" ")
            say = _chat(server, content, headers) if path.endswith("/chat/completions") else None
            if say is None:
                await _send(writer, _files_and_batches(server, method, path, content))
                continue
            server.flying += 1
            server.most_flying = max(server.most_flying, server.flying)
            await asyncio.sleep(say.delay)
            server.flying -= 1
            if say.drop:
                break
            await _send(writer, say)
    except (ConnectionError, asyncio.CancelledError):
        pass
    finally:
        writer.close()


async def _send(writer: asyncio.StreamWriter, say: Say) -> None:
    body = say.body()
    headers = {"content-type": "application/json", "content-length": str(len(body)), **say.headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"HTTP/1.1 {say.status} X\r\n{lines}\r\n".encode() + body)
    await writer.drain()


def _chat(server: Server, content: bytes, headers: dict[str, str]) -> Say:
    body = json.loads(content)
    key = sha256(content).hexdigest()
    server.seen[key] += 1
    server.bodies.append(body)
    server.headers.append(headers)
    say = server.script(body, server.seen[key])
    if say.status == 200 and not say.drop and say.raw is None:
        server.answered[key] += 1
    return say


def _files_and_batches(server: Server, method: str, path: str, content: bytes) -> Say:
    """The part of the files and batches interfaces that is needed."""
    parts = path.partition("?")[0].strip("/").split("/")[1:]
    if parts == ["models"]:
        models = [
            {"id": m, "object": "model", "created": 0, "owned_by": "x"} for m in server.models
        ]
        return _json({"object": "list", "data": models})
    if parts == ["files"] and method == "POST":
        server.uploading()
        if server.refused_uploads:
            server.refused_uploads -= 1
            return Say(status=500)
        name = f"file-{len(server.files)}"
        server.files[name] = _uploaded(content)
        file = {"id": name, "object": "file", "bytes": len(content), "created_at": 0}
        return _json({**file, "filename": "x.jsonl", "purpose": "batch", "status": "processed"})
    if parts[0] == "files" and parts[-1] == "content":
        return Say(raw=server.files[parts[1]])
    if parts == ["batches"] and method == "POST":
        asked = json.loads(content)
        name = f"batch-{len(server.batches)}"
        server.batches[name] = {
            "id": name, "object": "batch", "endpoint": asked["endpoint"], "status": "in_progress",
            "input_file_id": asked["input_file_id"], "completion_window": "24h", "created_at": 0,
            "metadata": asked.get("metadata"), "polls": 0,
        }  # fmt: skip
        return _json(server.batches[name])
    if parts == ["batches"]:
        batches = list(server.batches.values())
        return _json({"object": "list", "data": batches, "has_more": False})
    if parts[0] == "batches" and parts[1] in server.batches:
        return _json(_worked_on(server, server.batches[parts[1]]))
    return Say(status=404)


def _worked_on(server: Server, batch: Body) -> Body:
    """A batch after one more look; it is completed when it was looked at often enough."""
    batch["polls"] += 1
    if batch["status"] == "in_progress" and batch["polls"] > server.batch_polls:
        good, bad = [], []
        for line in server.files[batch["input_file_id"]].splitlines():
            asked = json.loads(line)
            key = sha256(json.dumps(asked["body"]).encode()).hexdigest()
            server.seen[key] += 1
            server.bodies.append(asked["body"])
            say = server.script(asked["body"], server.seen[key])
            body = json.loads(say.body())
            response = {"status_code": say.status, "request_id": "r", "body": body}
            server.answered[key] += say.status == 200
            row = {"id": "r", "custom_id": asked["custom_id"], "response": response, "error": None}
            (good if say.status == 200 else bad).append(json.dumps(row))
        for field_name, rows in (("output_file_id", good), ("error_file_id", bad)):
            if rows:
                name = f"file-{len(server.files)}"
                server.files[name] = "\n".join(rows).encode()
                batch[field_name] = name
        batch["status"] = "completed"
    return batch


def _uploaded(content: bytes) -> bytes:
    """The file in a multipart form."""
    boundary = content.partition(b"\r\n")[0]
    for part in content.split(boundary):
        head, _, body = part.partition(b"\r\n\r\n")
        if b"filename=" in head:
            return body.removesuffix(b"\r\n")
    raise ValueError("no file in the form")


def _json(body: Body) -> Say:
    return Say(raw=json.dumps(body).encode())


class _Alike(asyncio.Protocol):
    """Answers every request with the same bytes after the same time, at hardly any cost."""

    def __init__(self, response: bytes, latency: float) -> None:
        self._response, self._latency = response, latency
        self._head, self._missing = b"", 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if not self._missing:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            head = self._head[:end].lower()
            start = head.find(b"content-length:")
            length = int(head[start + 15 :].split(b"\r\n")[0]) if start >= 0 else 0
            self._missing = length + end + 4 - len(self._head)
            self._head = b""
        else:
            self._missing -= len(data)
        if self._missing <= 0:
            self._missing = 0
            asyncio.get_running_loop().call_later(self._latency, self._answer)

    def _answer(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(self._response)  # type: ignore[attr-defined]


async def serve_alike(text: str, latency: float) -> None:
    """Serve for ever, at a port that is printed first."""
    body = Say(text).body()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
    response = head.encode() + b"\r\n\r\n" + body
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: _Alike(response, latency), "127.0.0.1", 0, backlog=4096
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve_alike(sys.argv[1], float(sys.argv[2])))
