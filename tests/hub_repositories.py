"""The repositories of the loopback Hub: commits, branches and tags of files named by their hash."""

from __future__ import annotations

import hashlib
import json
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

_LARGE = re.compile(r".*\.(parquet|arrow|jpe?g|png|gif|webp|zip|tar|gz|zst|bin|npy)", re.IGNORECASE)
_XET_RECORD = 48


@dataclass(frozen=True)
class Entry:
    """A file in a commit."""

    size: int
    sha256: str
    blob: str
    """Git's name for it: of its bytes or, where it is large, of the LFS pointer to them."""
    file: Path | None
    """Its bytes; none where only hf_xet has them."""
    large: bool = False
    xet: str | None = None

    @property
    def etag(self) -> str:
        return self.sha256 if self.large else self.blob

    def read(self) -> bytes:
        assert self.file is not None, "only hf_xet can read it"
        return self.file.read_bytes()


@dataclass(frozen=True)
class Commit:
    oid: str
    parent: str | None
    title: str
    message: str
    date: str
    files: dict[str, Entry]

    def below(self, path: str) -> dict[str, Entry]:
        """The file `path`, or the files in the folder of that name (`""`: all)."""
        inside = f"{path}/" if path else ""
        return {p: e for p, e in self.files.items() if p == path or p.startswith(inside)}


class UnknownRevision(Exception):
    """No branch, tag or commit has that name."""


@dataclass
class Repository:
    name: str
    private: bool = False
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def at(self, revision: str) -> Commit:
        """The commit that a branch, a tag or its own name means."""
        oid = self.branches.get(revision) or self.tags.get(revision) or revision
        if oid not in self.commits:
            raise UnknownRevision(revision)
        return self.commits[oid]

    def history(self, commit: Commit) -> Iterator[Commit]:
        """The commit and those before it, newest first."""
        yield commit
        while commit.parent is not None:
            commit = self.commits[commit.parent]
            yield commit

    def commit(self, branch: str, files: dict[str, Entry], title: str, message: str = "") -> Commit:
        """The branch's new commit, which holds exactly `files`."""
        parent = self.branches.get(branch)
        what = [self.name, parent, title, message, sorted((p, e.etag) for p, e in files.items())]
        oid = hashlib.sha1(json.dumps(what).encode()).hexdigest()
        date = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self.commits[oid] = Commit(oid, parent, title, message, date, files)
        self.branches[branch] = oid
        return self.commits[oid]

    def describe(self, commit: Commit, path: str, expand: bool) -> dict[str, Any] | None:
        """What a listing says of a file or a folder; nothing where there is none."""
        entry, inside = commit.files.get(path), commit.below(path)
        if not inside:
            return None
        if entry is None:
            told: dict[str, Any] = {"type": "directory", "path": path, "size": 0}
            told["oid"] = hashlib.sha1(repr(sorted(inside.items())).encode()).hexdigest()
        else:
            told = {"type": "file", "path": path, "size": entry.size, "oid": entry.blob}
            if entry.large:
                pointer = len(lfs_pointer(entry.sha256, entry.size))
                told["lfs"] = {"oid": entry.sha256, "size": entry.size, "pointerSize": pointer}
            if entry.xet:
                told["xetHash"] = entry.xet
        if expand:
            last = self._last_change(commit, path)
            told["lastCommit"] = {"id": last.oid, "title": last.title, "date": last.date}
        return told

    def _last_change(self, commit: Commit, path: str) -> Commit:
        inside = commit.below(path)
        for earlier in self.history(commit):
            if earlier.below(path) != inside:
                break
            commit = earlier
        return commit


def names_below(commit: Commit, folder: str, *, recursive: bool) -> list[str]:
    """The files and folders in a folder (`""`: the root), in the order of their names."""
    prefix = f"{folder}/" if folder else ""
    files = [path for path in commit.files if path.startswith(prefix)]
    names = {*files, *(str(parent) for path in files for parent in PurePosixPath(path).parents)}
    inside = {name for name in names if name.startswith(prefix) and name != "."}
    return sorted(name for name in inside if recursive or "/" not in name[len(prefix) :])


def is_large(path: str, size: int) -> bool:
    """Whether the Hub keeps the file out of git."""
    return size > 10_000_000 or _LARGE.fullmatch(path) is not None


def entry_of(file: Path) -> Entry:
    """The entry of a file that stays where it lies."""
    size = file.stat().st_size
    if is_large(file.name, size):
        with file.open("rb") as opened:
            return large_entry(hashlib.file_digest(opened, "sha256").hexdigest(), size, file)
    data = file.read_bytes()
    return Entry(size, hashlib.sha256(data).hexdigest(), git_blob(data), file)


def large_entry(sha256: str, size: int, file: Path | None, xet: str | None = None) -> Entry:
    return Entry(size, sha256, git_blob(lfs_pointer(sha256, size)), file, large=True, xet=xet)


def git_blob(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def lfs_pointer(sha256: str, size: int) -> bytes:
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n"
    return pointer.encode()


def xet_hashes(store: Path) -> dict[str, str]:
    """The Xet hashes of the files in hf_xet's local store, by sha256.

    A shard is a header, then per file: its hash and the number n of its segments, n segments and,
    as two flags say, n checksums and its sha256; all in records of 48 bytes.
    """
    found: dict[str, str] = {}
    for shard in store.glob("xet/xorbs/shards/*.mdb"):
        data, at = shard.read_bytes(), _XET_RECORD
        while data[at : at + 32] != b"\xff" * 32:
            flags, segments = struct.unpack_from("<II", data, at + 32)
            end = at + _XET_RECORD * (1 + segments * (2 if flags >> 31 else 1))
            if flags >> 30 & 1:
                found[_xet_hex(data, end)] = _xet_hex(data, at)
                end += _XET_RECORD
            at = end
    return found


def _xet_hex(data: bytes, at: int) -> str:
    return "".join(f"{word:016x}" for word in struct.unpack_from("<4Q", data, at))
