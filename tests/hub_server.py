"""A Hub on loopback that the real `huggingface_hub` and `datasets` push to and read from.

It speaks what datasets need of the Hub's HTTP interface. Large files come through LFS or, with
`xet=True`, lie in hf_xet's own store in a local folder. Bytes lie in `storage` and pass in pieces;
commits are in memory. `Hub.log` tells what was asked, `Hub.fail` makes chosen requests go wrong.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import RLock, Thread
from typing import Any

from hub_connection import Refusal, Request
from hub_repositories import (
    Commit,
    Entry,
    Repository,
    entry_of,
    git_blob,
    large_entry,
    xet_hashes,
)
from hub_routes import Handler


@dataclass
class Fault:
    """What goes wrong with `times` requests, `after` some, whose path the pattern is found in."""

    method: str
    path: re.Pattern[str]
    status: int | None = None
    """Their answer."""
    message: str | None = None
    retry_after: int | None = None
    delay: float = 0.0
    """Seconds that they wait first."""
    drop: int | None = None
    """Bytes of bodies, received or sent, after which the connection breaks."""
    landed: bool = False
    """Their work is done nevertheless; `drop` counts only what is sent."""
    times: int = 1
    after: int = 0
    met: int = 0

    def refusal(self) -> Refusal | None:
        if self.status is None:
            return None
        waits = {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}
        return Refusal(self.status, self.message or HTTPStatus(self.status).phrase, headers=waits)


@dataclass
class Hub:
    """A running Hub. Without a `token` whoever comes may do everything."""

    storage: Path
    token: str | None = None
    xet: bool = False
    url: str = ""
    page: int = 1000
    """Entries of a listing in one answer."""
    log: list[Request] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    repositories: dict[str, Repository] = field(default_factory=dict)
    awaited: set[str] = field(default_factory=set)
    """Large files that were announced: only these may be put, and without a token."""
    lock: RLock = field(default_factory=RLock)

    def commits(self, name: str, revision: str = "main") -> list[Commit]:
        """The commits that led to `revision`, newest first."""
        repository = self.repositories[name]
        return list(repository.history(repository.at(revision)))

    def files(self, name: str, revision: str = "main") -> dict[str, Entry]:
        return self.repositories[name].at(revision).files

    def requests(self, method: str, path: str = "") -> list[Request]:
        """Those of the log with that method, whose path the pattern is found in."""
        return [r for r in self.log if r.method == method and re.search(path, r.path)]

    def fail(self, method: str, path: str, **how: Any) -> Fault:
        """A new fault, with what `Fault` can tell; `met` counts the requests that it looked at."""
        self.faults.append(Fault(method, re.compile(path), **how))
        return self.faults[-1]

    def fault(self, method: str, path: str) -> Fault | None:
        """What goes wrong with this request."""
        with self.lock:
            for fault in self.faults:
                if fault.method == method and fault.path.search(path):
                    fault.met += 1
                    if fault.after < fault.met <= fault.after + fault.times:
                        return fault
        return None

    def serve(
        self, folder: Path, name: str, *, tag: str | None = None, private: bool = False
    ) -> Commit:
        """A new commit of main (and `tag`) with a folder's files, which are read where they lie."""
        paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        files = {path.relative_to(folder).as_posix(): entry_of(path) for path in paths}
        with self.lock:
            repository = self.repositories.setdefault(name, Repository(name))
            repository.private = private
            commit = repository.commit("main", files, "Serve a folder")
            if tag is not None:
                repository.tags[tag] = commit.oid
        return commit

    def environment(self, home: Path) -> dict[str, str]:
        """Environment variables of a process that uses this Hub, with its caches in `home`."""
        return {
            **os.environ,
            "HF_ENDPOINT": self.url,
            "HF_HOME": str(home),
            "HF_TOKEN": self.token or "hf_of_somebody",
            "HF_HUB_OFFLINE": "0",
            "HF_HUB_DISABLE_XET": "0" if self.xet else "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "HF_UPDATE_DOWNLOAD_COUNTS": "0",
        }

    def lfs_file(self, sha256: str) -> Path:
        return self.storage / "lfs" / sha256

    def keep(self, data: bytes) -> Entry:
        """The entry of a small file, once it is stored."""
        blob = git_blob(data)
        file = self.storage / "git" / blob
        file.write_bytes(data)
        return Entry(len(data), hashlib.sha256(data).hexdigest(), blob, file)

    def uploaded(self, sha256: str, size: int) -> Entry | None:
        """The entry of a large file; nothing where its bytes never came."""
        if (file := self.lfs_file(sha256)).exists():
            return large_entry(sha256, file.stat().st_size, file)
        known = xet_hashes(self.storage / "xet") if self.xet else {}
        return large_entry(sha256, size, None, known[sha256]) if sha256 in known else None


@contextmanager
def hub(storage: Path, *, token: str | None = None, xet: bool = False) -> Iterator[Hub]:
    """A Hub on threads of this process, with its bytes in the folder `storage`."""
    for folder in ("lfs", "git", "xet"):
        (storage / folder).mkdir(parents=True, exist_ok=True)
    running = Hub(storage, token, xet)

    class Ours(Handler):
        hub = running

    with ThreadingHTTPServer(("127.0.0.1", 0), Ours) as server:
        running.url = f"http://127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield running
        finally:
            server.shutdown()
