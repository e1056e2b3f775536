"""A connection to the loopback Hub: bodies in pieces, what goes wrong with them, and the log."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from hub_server import Hub

CHUNK = 2**20


@dataclass
class Request:
    """What a client asked. The Authorization header is not kept."""

    method: str
    path: str
    range: str | None
    received: int = 0
    """Bytes of its body."""
    sent: int = 0
    """Bytes of the answer's body."""
    status: int = 0
    """0 until it is answered, for good where the connection broke before."""


@dataclass(frozen=True)
class Reply:
    """An answer: `body`, or the bytes of `file` that `span` names."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    file: Path | None = None
    span: range | None = None


class Refusal(Exception):
    """An answer that says what is wrong, as the Hub says it."""

    def __init__(
        self, status: int, message: str, code: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        line = " ".join(message.split()).encode("ascii", "replace").decode()
        told = {"X-Error-Message": line} | ({"X-Error-Code": code} if code else {})
        self.reply = as_json({"error": message}, status, **told, **(headers or {}))


def as_json(value: object, status: int = 200, **headers: str) -> Reply:
    kind = {"Content-Type": "application/json"}
    return Reply(json.dumps(value, default=str).encode(), status, kind | headers)


Work = Callable[..., Reply]
_ROUTES: list[tuple[str, re.Pattern[str], Work]] = []


def route(method: str, path: str) -> Callable[[Work], Work]:
    """Makes a method answer requests whose path is `path`, its groups unquoted as arguments."""
    pattern = path.replace("{name}", r"(?P<name>[^/]+/[^/]+)").replace("{rev}", r"(?P<rev>[^/]+)")

    def add(work: Work) -> Work:
        _ROUTES.append((method, re.compile(pattern), work))
        return work

    return add


def _as_dataset(path: str) -> str:
    """The address that a model would have as a dataset: both are kept alike."""
    if path.startswith("/api/models/"):
        return path.replace("/api/models/", "/api/datasets/", 1)
    if re.fullmatch(r"/[\w.-]+/[\w.-]+(\.git/info/.+|/resolve/.+)", path) and not path.startswith(
        ("/api/", "/datasets/")
    ):
        return f"/datasets{path}"
    return path


class Connection(BaseHTTPRequestHandler):
    """Serves one connection of `hub`."""

    hub: Hub
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def handle(self) -> None:
        with suppress(ConnectionError):  # the client left, or a fault broke the connection
            super().handle()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing on the test's own output."""

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        self.place, self.query = _as_dataset(address.path), parse_qs(address.query)
        self.seen = Request(self.command, self.path, self.headers.get("Range"))
        self.hub.log.append(self.seen)
        self.fault = self.hub.fault(self.command, self.path)
        drop = self.fault.drop if self.fault else None
        self.budget = math.inf if drop is None else drop
        self.body = self._receive()
        try:
            reply = self._work()
        except Refusal as refusal:
            reply = refusal.reply
        self._send(reply)

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET

    def _work(self) -> Reply:
        refusal = None
        if self.fault:
            time.sleep(self.fault.delay)
            refusal = self.fault.refusal()
            if refusal and not self.fault.landed:
                raise refusal
        method = "GET" if self.command == "HEAD" else self.command
        for known, pattern, work in _ROUTES:
            if known == method and (match := pattern.fullmatch(self.place)):
                words = {name: unquote(word or "") for name, word in match.groupdict().items()}
                reply = work(self, **words)
                if refusal:
                    raise refusal
                return reply
        raise Refusal(404, f"The test Hub does not know {self.command} {self.place}")

    def _receive(self) -> Iterator[bytes]:
        """The request's body, at most `CHUNK` bytes at a time."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            yield from self._take(int(self.headers.get("Content-Length", 0)))
            return
        while size := int(self._line(), 16):
            yield from self._take(size)
            self._line()
        self._line()

    def _line(self) -> bytes:
        line = self.rfile.readline()
        if not line:
            raise ConnectionAbortedError
        return line

    def _take(self, size: int) -> Iterator[bytes]:
        while size:
            wanted = min(size, CHUNK)
            allowed = wanted if self.fault and self.fault.landed else self._allowed(wanted)
            data = self.rfile.read(allowed)
            self.seen.received += len(data)
            if len(data) < wanted:
                raise ConnectionAbortedError
            size -= wanted
            yield data

    def _allowed(self, size: int) -> int:
        """How many of so many bytes pass before the connection breaks."""
        allowed = int(min(size, self.budget))
        self.budget -= allowed
        return allowed

    def _send(self, reply: Reply) -> None:
        for _ in self.body:  # what is unread would be taken for the next request
            pass
        span = range(len(reply.body)) if reply.span is None else reply.span
        self.seen.status = reply.status
        self.send_response(reply.status)
        for name, value in {**reply.headers, "Content-Length": str(len(span))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        allowed = self._allowed(len(span))
        self.seen.sent = allowed
        if reply.file is None:
            self.wfile.write(reply.body[:allowed])
        elif allowed:
            with reply.file.open("rb") as file:
                self.connection.sendfile(file, span.start, allowed)
        if allowed < len(span):
            raise ConnectionAbortedError

    def _json(self) -> Any:
        return json.loads(b"".join(self.body))
