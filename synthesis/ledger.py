"""The ledger: every request that was answered, and the answer; nothing is paid for twice.

An SQLite file in WAL mode. An answer is on disk before the next request is sent, whoever kills the
process; several processes may use one ledger at a time (on a local disk: SQLite's locks do not
work on most network file systems).
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import FolderError, SourceError, UsageError
from .request import Request
from .teacher import Reply, Status

_APPLICATION = 0x6D763336  # "mv36", so that no other SQLite file is taken for a ledger
_VERSION = 1
_TABLES = """
CREATE TABLE prompts (digest TEXT PRIMARY KEY, name TEXT NOT NULL, text TEXT NOT NULL,
    form TEXT NOT NULL);
CREATE TABLE answers (key BLOB PRIMARY KEY, status TEXT NOT NULL, price REAL, model TEXT NOT NULL,
    purpose TEXT NOT NULL, prompt TEXT NOT NULL, image_id TEXT NOT NULL, request BLOB NOT NULL,
    text TEXT NOT NULL, input_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL, seconds REAL NOT NULL, answered_at REAL NOT NULL);
CREATE TABLE demonstrations (name TEXT PRIMARY KEY, rows TEXT NOT NULL);
CREATE TABLE forgotten (key BLOB PRIMARY KEY);
CREATE TABLE batches (id TEXT PRIMARY KEY, token TEXT NOT NULL, model TEXT NOT NULL,
    keys BLOB NOT NULL, started_at REAL NOT NULL);
"""
_EXPORT = pa.schema(
    {
        "key": pa.string(),
        "status": pa.string(),
        "price": pa.float64(),
        "model": pa.string(),
        "purpose": pa.string(),
        "prompt": pa.string(),
        "image_id": pa.string(),
        "request": pa.string(),
        "text": pa.string(),
        "input_tokens": pa.int64(),
        "cached_tokens": pa.int64(),
        "output_tokens": pa.int64(),
        "seconds": pa.float64(),
        "answered_at": pa.float64(),
    }
)
_COLUMNS = _EXPORT.names
_INSERT = f"INSERT OR IGNORE INTO answers VALUES ({', '.join('?' * len(_COLUMNS))})"
_STATUS = {status.value: status for status in Status}
_EXPORT_ROWS = 20_000


@dataclass(frozen=True, slots=True)
class Entry:
    """An answer in the ledger: its price in USD (None: not known), time taken in seconds."""

    status: Status
    price: float | None
    text: str
    model: str
    input_tokens: int
    output_tokens: int


class Ledger:
    """The ledger in the file `path`, made where there is none.

    Raises `FolderError` where the file is no ledger, or one of a later version.
    """

    def __init__(self, path: Path, *, must_exist: bool = False) -> None:
        if must_exist and not path.is_file():
            raise UsageError(f"{path} does not exist; `mathv360k synthesize` makes a ledger.")
        if not path.resolve().parent.is_dir():
            raise UsageError(f"{path.parent} is not a folder; make it first.")
        self.path = path
        self._prompts: set[str] = set()
        try:
            self._db = sqlite3.connect(path.resolve(), timeout=60, isolation_level=None)
            self._prepare()
        except sqlite3.DatabaseError as error:
            locked = not os.access(path.resolve().parent, os.W_OK)
            why = "its folder is read-only" if locked else error
            raise FolderError(f"{path} cannot be used as a ledger: {why}.") from None

    def _prepare(self) -> None:
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute("PRAGMA cache_size = -65536")  # KiB
        self._db.execute("BEGIN IMMEDIATE")  # two processes may make it at once
        try:
            application = self._db.execute("PRAGMA application_id").fetchone()[0]
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            empty = not self._db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
            if empty:
                for statement in _TABLES.split(";\n"):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA application_id = {_APPLICATION}")
                self._db.execute(f"PRAGMA user_version = {_VERSION}")
            elif application != _APPLICATION:
                raise FolderError(f"{self.path} is not a ledger; name another file.")
            elif version != _VERSION:
                raise FolderError(
                    f"{self.path} is a ledger of version {version}, this version of mathv360k "
                    f"reads {_VERSION}."
                )
        finally:
            self._db.execute("COMMIT")
        self._db.execute("PRAGMA journal_mode = WAL")

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def known(self, key: str) -> tuple[Status, float | None, int] | None:
        """How the answer to a request ended, its price and its tokens; None where there is none."""
        row = self._db.execute(
            "SELECT status, price, input_tokens + output_tokens FROM answers WHERE key = ?",
            (bytes.fromhex(key),),
        ).fetchone()
        return None if row is None else (Status(row[0]), row[1], row[2])

    def known_of(self, keys: Sequence[str]) -> dict[str, tuple[Status, float | None, int]]:
        """The same of all these requests that are answered; at most some thousand at a time."""
        places = ", ".join("?" * len(keys))
        rows = self._db.execute(
            "SELECT key, status, price, input_tokens + output_tokens FROM answers "
            f"WHERE key IN ({places})",
            [bytes.fromhex(key) for key in keys],
        )
        return {row[0].hex(): (_STATUS[row[1]], row[2], row[3]) for row in rows}

    def read(self, key: str) -> Entry | None:
        """The answer to a request."""
        row = self._db.execute(
            "SELECT status, price, text, model, input_tokens, output_tokens FROM answers "
            "WHERE key = ?",
            (bytes.fromhex(key),),
        ).fetchone()
        return None if row is None else Entry(Status(row[0]), *row[1:])

    def add(self, request: Request, reply: Reply, price: float | None, seconds: float) -> None:
        """Keep an answer; it is on disk when this returns. The first one of a request stays."""
        prompt = request.prompt
        if prompt.digest not in self._prompts:
            row = (prompt.digest, prompt.name, prompt.text, prompt.form_text)
            self._db.execute("INSERT OR IGNORE INTO prompts VALUES (?, ?, ?, ?)", row)
            self._prompts.add(prompt.digest)
        row = (
            bytes.fromhex(request.key),
            reply.status,
            price,
            request.teacher.model,
            request.purpose,
            prompt.digest,
            request.image_id,
            zlib.compress(request.content, 1),
            reply.text,
            reply.input_tokens,
            reply.cached_tokens,
            reply.output_tokens,
            round(seconds, 3),
            round(time.time(), 3),
        )
        self._db.execute(_INSERT, row)
        self._db.execute("DELETE FROM forgotten WHERE key = ?", (row[0],))

    def forget(self, status: Status) -> int:
        """Take out all answers that ended so, to be asked again; how many."""
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute(
            "INSERT OR IGNORE INTO forgotten SELECT key FROM answers WHERE status = ?", (status,)
        )
        count = self._db.execute("DELETE FROM answers WHERE status = ?", (status,)).rowcount
        self._db.execute("COMMIT")
        return count

    def take_back(self, keys: Iterable[str]) -> None:
        """Take out the answers to these requests: what they say is not about the requests."""
        rows = ((bytes.fromhex(key),) for key in keys)
        self._db.executemany("DELETE FROM answers WHERE key = ?", rows)

    def has_forgotten(self) -> bool:
        """Whether there are requests that shall be asked again."""
        return self._db.execute("SELECT 1 FROM forgotten LIMIT 1").fetchone() is not None

    def summary(self) -> list[dict[str, Any]]:
        """Answers, tokens and price (USD) by model, purpose and status."""
        rows = self._db.execute(
            "SELECT model, purpose, status, count(*), sum(input_tokens), sum(output_tokens), "
            "sum(price), sum(price IS NULL) FROM answers GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
        )
        names = ("model", "purpose", "status", "answers", "input_tokens", "output_tokens")
        return [
            {**dict(zip(names, row, strict=False)), "usd": row[6], "without_price": row[7]}
            for row in rows
        ]

    # demonstrations

    def demonstrations(self, name: str) -> list[dict[str, Any]] | None:
        """What was kept under that name."""
        row = self._db.execute("SELECT rows FROM demonstrations WHERE name = ?", (name,)).fetchone()
        return None if row is None else json.loads(row[0])

    def keep_demonstrations(self, name: str, rows: list[dict[str, Any]]) -> None:
        """Keep rows under a name; what is there already stays."""
        text = json.dumps(rows, ensure_ascii=False)
        self._db.execute("INSERT OR IGNORE INTO demonstrations VALUES (?, ?)", (name, text))

    # batches

    def open_batches(self, model: str) -> dict[str, tuple[str, list[str]]]:
        """Batches that were handed in and not collected: by id, their token and request keys."""
        rows = self._db.execute("SELECT id, token, keys FROM batches WHERE model = ?", (model,))
        return {row[0]: (row[1], _unpack(row[2])) for row in rows.fetchall()}

    def batch_started(self, batch: str, token: str, model: str, keys: Iterable[str]) -> None:
        """Note a batch; one that is noted already gets its new id in the place of `token`."""
        packed = zlib.compress(b"".join(bytes.fromhex(key) for key in keys), 1)
        self._db.execute("BEGIN IMMEDIATE")
        self._db.execute("DELETE FROM batches WHERE token = ?", (token,))
        row = (batch, token, model, packed, time.time())
        self._db.execute("INSERT INTO batches VALUES (?, ?, ?, ?, ?)", row)
        self._db.execute("COMMIT")

    def batch_collected(self, batch: str) -> None:
        """Forget a batch whose answers are all here."""
        self._db.execute("DELETE FROM batches WHERE id = ?", (batch,))

    # for others

    def export(self, path: Path) -> int:
        """Write all answers (Parquet), sorted by key; how many.

        What is needed to rebuild a version elsewhere without a teacher: the prompts and the
        demonstrations are in the file's metadata.
        """
        prompts = self._db.execute("SELECT * FROM prompts ORDER BY 1").fetchall()
        demonstrations = self._db.execute("SELECT * FROM demonstrations ORDER BY 1").fetchall()
        notes = {"prompts": prompts, "demonstrations": demonstrations}
        schema = _EXPORT.with_metadata({"mathv360k": json.dumps(notes)})
        partial = path.with_name(f".{path.name}.partial")
        count = 0
        with pq.ParquetWriter(partial, schema, compression="zstd") as writer:
            for rows in self._all():
                columns = [
                    pa.array(c, f.type)
                    for c, f in zip(zip(*rows, strict=True), schema, strict=True)
                ]
                writer.write_batch(pa.record_batch(columns, schema=schema))
                count += len(rows)
        partial.replace(path)
        return count

    def _all(self) -> Iterator[list[tuple[Any, ...]]]:
        cursor = self._db.execute(f"SELECT {', '.join(_COLUMNS)} FROM answers ORDER BY key")
        while rows := cursor.fetchmany(_EXPORT_ROWS):
            yield [(r[0].hex(), *r[1:7], zlib.decompress(r[7]).decode(), *r[8:]) for r in rows]

    def import_(self, path: Path) -> tuple[int, int]:
        """Take over the answers of an export: how many it has, and how many were new here.

        Answers that are here already stay. Raises `SourceError` for a file that is no export, or
        whose requests do not belong to their keys.
        """
        if not path.is_file():
            raise UsageError(f"{path} does not exist.")
        before = self._db.execute("SELECT count(*) FROM answers").fetchone()[0]
        count = 0
        try:
            with pq.ParquetFile(path) as file:
                notes = json.loads((file.schema_arrow.metadata or {})[b"mathv360k"])
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    self._take(notes)
                    for batch in file.iter_batches(_EXPORT_ROWS, columns=_COLUMNS):
                        rows = batch.cast(_EXPORT).to_pylist()
                        self._db.executemany(_INSERT, (_checked(path, row) for row in rows))
                        count += len(rows)
                except BaseException:
                    self._db.execute("ROLLBACK")
                    raise
                self._db.execute("COMMIT")
        except SourceError:
            raise
        except (pa.ArrowException, OSError, KeyError, ValueError, TypeError, RecursionError,
                sqlite3.Error) as e:  # fmt: skip
            lacking = isinstance(e, KeyError)
            said = "it was not written by one" if lacking else str(e).strip().split("\n")[0][:200]
            raise SourceError(f"{path} is not an exported ledger: {said.rstrip('.')}.") from None
        after = self._db.execute("SELECT count(*) FROM answers").fetchone()[0]
        return count, after - before

    def _take(self, notes: dict[str, list[list[str]]]) -> None:
        for digest, name, text, form in notes["prompts"]:
            if sha256(f"{text}\0{form}".encode()).hexdigest() != digest:
                raise ValueError(f"the prompt {name!r} is not what its hash says")
            row = (digest, name, text, form)
            self._db.execute("INSERT OR IGNORE INTO prompts VALUES (?, ?, ?, ?)", row)
        for name, rows in notes["demonstrations"]:
            json.loads(rows)
            row = (name, rows)
            self._db.execute("INSERT OR IGNORE INTO demonstrations VALUES (?, ?)", row)


def _checked(path: Path, row: dict[str, Any]) -> tuple[Any, ...]:
    request = row["request"].encode()
    if sha256(request).hexdigest() != row["key"]:
        raise SourceError(f"{path}: the request of {row['key']} is not what its key says.")
    row = {
        **row,
        "key": bytes.fromhex(row["key"]),
        "status": Status(row["status"]),
        "request": zlib.compress(request, 1),
    }
    return tuple(row[name] for name in _COLUMNS)


def _unpack(keys: bytes) -> list[str]:
    data = zlib.decompress(keys)
    return [data[i : i + 32].hex() for i in range(0, len(data), 32)]
