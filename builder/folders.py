"""Folders that appear whole or not at all, each with the manifest of the step that wrote it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

from filelock import FileLock, Timeout
from pydantic import BaseModel, Field, ValidationError

from ..errors import FolderError, UsageError
from .images import safe_path
from .schema import Unusable

MANIFEST = "manifest.json"
FORMAT = 1
"""Raised when a folder of an older version can no longer be read."""

Step = Literal["pool", "scores", "classifiers", "synthesis", "dataset", "link"]

_KEYS = {
    "pool": {"parameters", "files", "images", "questions", "reasons"},
    "scores": {"parameters", "files", "images"},
    "classifiers": {"parameters", "files", "report"},
    "synthesis": {"parameters", "files", "questions", "faults", "missing"},
    "dataset": {"inputs", "recipe", "quarantine"},  # and what `_Dataset` says
    "link": {"revision"},  # and what `_Link` says
}

_Count = Annotated[int, Field(ge=0, strict=True)]
_Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Version = Annotated[str, Field(pattern=r"^\d{1,9}\.\d{1,9}\.\d{1,9}$")]


class _File(BaseModel):
    bytes: _Count
    sha256: _Hex


class _Split(BaseModel):
    images: _Count
    questions: _Count
    bytes: dict[str, _Count]


class _Rejected(BaseModel):
    questions: _Count
    bytes: _Count


class _Source(BaseModel):
    tasks: list[str]
    license: str
    images: _Count
    questions: dict[str, _Count]


class _Dataset(BaseModel):
    parameters: dict[str, Any]
    files: dict[str, _File]
    name: str
    version: _Version
    digest: _Hex
    splits: dict[str, _Split]
    sources: dict[str, _Source]
    withheld: list[str]
    rejected: dict[str, _Rejected]
    history: list[dict[str, Any]] = []


class _Link(BaseModel):
    files: dict[str, _File]
    repository: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")]
    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]
    version: _Version
    digest: _Hex


_SHAPES: dict[str, type[BaseModel]] = {"dataset": _Dataset, "link": _Link}
"""Manifests that may come from anybody, by the Hub."""


def read_manifest(folder: Path, step: Step) -> dict[str, Any] | None:
    """The manifest of a finished `step` in `folder`, or None where there is none.

    Raises `FolderError` where the manifest is damaged or of an unknown format.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, RecursionError, OSError) as error:
        raise FolderError(
            f"{path} cannot be read ({error}); move {folder} away and run the command again."
        ) from None
    if not isinstance(manifest, dict) or manifest.get("mathv360k") is None:
        return None
    if manifest["mathv360k"] != FORMAT:
        raise FolderError(
            f"{path} is of format {manifest['mathv360k']!r}, this version of mathv360k reads "
            f"format {FORMAT}; build {folder} again."
        )
    if manifest.get("step") != step:
        return None
    if not _KEYS[step] <= manifest.keys() or not _are_below(manifest.get("files")):
        raise FolderError(f"{path} is damaged; move {folder} away and run the command again.")
    if step in _SHAPES:
        try:
            _SHAPES[step].model_validate(manifest)
        except ValidationError as error:
            where = ".".join(map(str, error.errors()[0]["loc"]))
            raise FolderError(f"{path} is damaged: {where} is not what it ought to be.") from None
    return manifest


def _are_below(files: object) -> bool:
    """Whether these are files below the folder: a manifest may be anybody's."""
    if not isinstance(files, dict):
        return False
    try:
        paths = [safe_path(name) for name in files]
    except Unusable:
        return False
    return all(path.as_posix() == name for path, name in zip(paths, files, strict=True))


def is_intact(folder: Path, manifest: dict[str, Any]) -> bool:
    """Whether every file of the manifest is there with its size."""
    files: dict[str, dict[str, Any]] = manifest["files"]
    return all(
        (folder / name).is_file() and (folder / name).stat().st_size == file["bytes"]
        for name, file in files.items()
    )


def done_before(out: Path, step: Step, parameters: dict[str, Any]) -> dict[str, Any] | None:
    """The manifest of what `step` left in `out`, where it had these parameters and is all there."""
    manifest = read_manifest(out, step)
    if manifest is None or manifest["parameters"] != parameters or not is_intact(out, manifest):
        return None
    return manifest


def finished(out: Path, step: Step) -> dict[str, Any]:
    """The manifest of what `step` has just written; raises `FolderError` where it is gone again."""
    manifest = read_manifest(out, step)
    if manifest is None:
        raise FolderError(f"{out} was changed by another process; run the command again.")
    return manifest


def write_manifest(folder: Path, step: Step, body: dict[str, Any]) -> None:
    """Write the manifest, byte for byte a function of its content, with a sha256 of itself."""
    manifest = {"mathv360k": FORMAT, "step": step, **body}
    (folder / MANIFEST).write_bytes(_sealed(manifest))


def is_sealed(data: bytes) -> bool:
    """Whether these are the bytes of a manifest as `write_manifest` left them."""
    try:
        manifest = json.loads(data)
    except (ValueError, RecursionError):
        return False
    return isinstance(manifest, dict) and data == _sealed(manifest)


def _sealed(manifest: dict[str, Any]) -> bytes:
    body = {name: value for name, value in manifest.items() if name != "sha256"}
    text = json.dumps(body, indent=1, ensure_ascii=False)
    sealed = {**body, "sha256": hashlib.sha256(text.encode()).hexdigest()}
    return (json.dumps(sealed, indent=1, ensure_ascii=False) + "\n").encode()


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


def files_digest(manifest: dict[str, Any]) -> str:
    """One sha256 for all files of a manifest."""
    lines = (f"{name}\0{file['sha256']}\n" for name, file in sorted(manifest["files"].items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


@contextmanager
def new_folder(out: Path, step: Step) -> Iterator[Path]:
    """A folder to write into that replaces `out` when the block ends without an exception.

    Until then `out` stays as it was. Raises `FolderError` where `out` holds anything that this
    step did not write, or another process is writing it.
    """
    if out.is_symlink():  # a link to the version in use: what it points to is replaced
        out = out.resolve()
    refuse_foreign(out, step)
    partial = out.with_name(f".{out.name}.partial")
    recover(out)
    refuse_foreign(out, step)
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
