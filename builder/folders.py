"""Folders that appear whole or not at all, and the files in them."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ..errors import FolderError, UsageError
from .manifest import MANIFEST, Step, read_manifest


def seal(path: Path) -> dict[str, Any]:
    """Bring a written file safely to disk; its size and sha256 for the manifest."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
    return {"bytes": path.stat().st_size, "sha256": file_digest(path)}


def file_digest(path: Path) -> str:
    """The sha256 of a file, 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def share(path: Path, copy: Path) -> None:
    """Have a file in a second folder too: a hard link where the disk can, else a copy."""
    try:
        os.link(path, copy)
    except OSError:  # another disk, or one without hard links
        shutil.copyfile(path, copy)


def fingerprint(*paths: Path) -> str:
    """A digest of names, sizes and times below `paths`: cheap, and changes when a file does."""
    digest = hashlib.sha256()
    for path in paths:
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in files:
            stat = file.stat()
            name = file.relative_to(path).as_posix()
            digest.update(f"{name}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


@contextmanager
def new_folder(out: Path, step: Step) -> Iterator[Path]:
    """A folder to write into that replaces `out` when the block ends without an exception.

    Until then `out` stays as it was. Raises `FolderError` where `out` holds anything that this
    step did not write, or another process is writing it.
    """
    if out.is_symlink():  # a link to the version in use: what it points to is replaced
        out = out.resolve()
    refuse_foreign(out, step)
    recover(out)
    refuse_foreign(out, step)
    with replacing(out) as partial:
        yield partial


@contextmanager
def replacing(out: Path) -> Iterator[Path]:
    """The same for a folder of any kind: what `out` holds is for the caller to look at.

    What a killed run left half-written is cleared.
    """
    partial = out.with_name(f".{out.name}.partial")
    partial.mkdir(parents=True, exist_ok=True)
    lock = FileLock(partial / ".lock", blocking=False)
    try:
        lock.acquire()
    except Timeout:
        raise FolderError(f"Another process is writing {out}; wait for it to finish.") from None
    try:
        _clear(partial, keep=".lock")  # left by a killed run
        yield partial
        (partial / ".lock").unlink(missing_ok=True)
        put_in_place(partial, out)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    finally:
        lock.release()


def put_in_place(partial: Path, out: Path) -> None:
    """Bring `partial` safely to disk and have it replace `out`."""
    old = _old(out)
    _sync_tree(partial)
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        out.rename(old)
    partial.rename(out)
    _sync(out.parent)
    shutil.rmtree(old, ignore_errors=True)


def recover(out: Path) -> None:
    """Bring back what `out` was, where `put_in_place` was killed between its two renames."""
    if _old(out).exists() and not out.exists():
        _old(out).rename(out)


def _old(out: Path) -> Path:
    return out.with_name(f".{out.name}.old")


def refuse_own_input(out: Path, given: Path) -> None:
    """Raise `UsageError` where a step would write into the folder that it reads."""
    if out.resolve() == given.resolve():
        raise UsageError(f"{out} is what is read; name another folder with --out.")


def refuse_foreign(out: Path, step: Step) -> None:
    """Raise where `step` may not replace `out`: `FolderError` for anything it did not write.

    Raises `UsageError` where `out` is the current directory or one that holds it.
    """
    if Path.cwd().is_relative_to(out.resolve()):
        raise UsageError(f"{out} holds the current directory; name a folder of its own with --out.")
    if not out.exists():
        return
    if not out.is_dir():
        raise FolderError(f"{out} is a file; choose another output folder with --out.")
    manifest = read_manifest(out, step)
    ours = {MANIFEST, *(manifest["files"] if manifest else ())}
    for path in sorted(out.rglob("*")):
        name = path.relative_to(out).as_posix()
        if name not in ours and not any(file.startswith(f"{name}/") for file in ours):
            raise FolderError(
                f"{path} is not a file that mathv360k wrote and would be lost; "
                "move it away or choose another output folder with --out."
            )
    if manifest is None and (out / MANIFEST).exists():
        raise FolderError(
            f"{out / MANIFEST} is not of a {step}; choose another output folder with --out."
        )


def _clear(folder: Path, keep: str) -> None:
    for entry in folder.iterdir():
        if entry.name == keep:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _sync_tree(folder: Path) -> None:
    for path in folder.rglob("*"):
        _sync(path)
    _sync(folder)


def _sync(path: Path) -> None:
    if os.name == "nt" and path.is_dir():  # Windows cannot open a directory
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
