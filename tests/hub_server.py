"""A read-only Hub on loopback that serves one dataset folder as `somebody/mathv360k`.

The part of the HTTP interface that `huggingface_hub` and `datasets` use for reading: repository
and tree listings, `paths-info`, and files with ETag, commit and byte ranges.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

REPOSITORY = "somebody/mathv360k"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
TAG = "v1.0.0"


@contextmanager
def hub(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """The address of a Hub that serves `folder`, and the log of its requests."""
    log: list[str] = []

    class Handler(_Handler):
        root = folder
        requests = log

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", log
    finally:
        server.shutdown()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    root: Path
    requests: list[str]

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        self._answer(parse_qs(body).get("paths", []))

    def _answer(self, wanted: list[str] | None = None) -> None:
        self.requests.append(f"{self.command} {self.path} {self.headers.get('Range', '')}".strip())
        path = unquote(urlsplit(self.path).path)
        api = f"/api/datasets/{REPOSITORY}"
        if path == api or path.startswith(f"{api}/revision/"):
            if not path.endswith(("/nope", "/v9.9.9")):
                return self._json({"id": REPOSITORY, "sha": COMMIT, "siblings": [], "tags": []})
            return self._missing("RevisionNotFound")
        if path.startswith(f"{api}/tree/"):
            inside = path.removeprefix(f"{api}/tree/").partition("/")[2]
            entries = [self._entry(p) for p in sorted(self._below(inside))]
            return self._json(entries) if entries else self._missing("EntryNotFound")
        if path.startswith(f"{api}/paths-info/"):
            paths = [self.root / name for name in wanted or []]
            return self._json([self._entry(p) for p in paths if p.exists()])
        if path.startswith(f"/datasets/{REPOSITORY}/resolve/"):
            name = path.removeprefix(f"/datasets/{REPOSITORY}/resolve/").partition("/")
            if name[0] not in ("main", COMMIT, TAG):
                return self._missing("RevisionNotFound")
            return self._file(self.root / name[2])
        return self._missing("RepoNotFound")

    def _below(self, inside: str) -> Iterator[Path]:
        folder = self.root / inside
        recursive = "recursive=true" in self.path.lower()
        return iter(()) if not folder.is_dir() else folder.glob("**/*" if recursive else "*")

    def _entry(self, path: Path) -> dict[str, Any]:
        name = path.relative_to(self.root).as_posix()
        oid = sha256(name.encode()).hexdigest()[:40]
        if path.is_dir():
            return {"type": "directory", "path": name, "oid": oid, "size": 0}
        return {"type": "file", "path": name, "oid": oid, "size": path.stat().st_size}

    def _file(self, path: Path) -> None:
        if not path.is_file():
            return self._missing("EntryNotFound")
        data = path.read_bytes()
        status, headers = 200, {"Accept-Ranges": "bytes"}
        asked = self.headers.get("Range", "").removeprefix("bytes=")
        if asked:
            first, _, last = asked.partition("-")
            start = int(first) if first else max(0, len(data) - int(last))
            end = min(int(last), len(data) - 1) if first and last else len(data) - 1
            headers["Content-Range"] = f"bytes {start}-{end}/{len(data)}"
            status, data = 206, data[start : end + 1]
        etag = sha256(path.read_bytes()).hexdigest()
        return self._send(status, data, {**headers, "ETag": f'"{etag}"', "X-Repo-Commit": COMMIT})

    def _json(self, body: object) -> None:
        headers = {"Content-Type": "application/json", "X-Repo-Commit": COMMIT}
        self._send(200, json.dumps(body).encode(), headers)

    def _missing(self, code: str) -> None:
        headers = {"X-Error-Code": code, "X-Error-Message": code, "X-Repo-Commit": COMMIT}
        self._send(404, json.dumps({"error": code}).encode(), headers)

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing on the test's own output."""
