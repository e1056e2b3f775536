"""The manifest of a step: what it was given, what it wrote, and that this is still so."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError

from ..errors import FolderError
from .images import safe_path
from .schema import Unusable

MANIFEST = "manifest.json"
QUARANTINE_FILE = "quarantine.parquet"
"""The file of a pool or dataset with the rows that cannot be used."""
FORMAT = 1
"""Raised when a folder of an older version can no longer be read."""

Step = Literal["pool", "scores", "classifiers", "synthesis", "dataset", "link"]

_LONGEST_NAME = 255
"""Bytes of a file's name with its folders; a disk takes none with a longer part."""

_KEYS = {
    "pool": {"parameters", "files", "images", "questions", "reasons"},
    "scores": {"parameters", "files", "images"},
    "classifiers": {"parameters", "files", "report"},
    "synthesis": {"parameters", "files", "questions", "faults", "missing"},
    "dataset": {"inputs"},  # and what `_Dataset` says
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


class _Yield(BaseModel):
    kind: str
    source: str
    task: str
    kept: int
    rejected: dict[str, int]


class _Synthesis(BaseModel):
    teacher: str
    verified_by: str | None
    requests: _Count
    usd: Annotated[float, Field(ge=0)] | None
    rows: list[_Yield] = Field(alias="yield")


class _Change(BaseModel):
    version: _Version
    level: Literal["first", "major", "minor", "patch"]
    since: _Version | None
    added: _Count = 0
    removed: _Count = 0
    moved: _Count = 0
    changed: _Count = 0
    fields_: dict[str, _Count] = Field({}, alias="fields")


class _Parameters(BaseModel):
    software: dict[str, str] = {}


class _Dataset(BaseModel):
    parameters: _Parameters
    files: dict[str, _File]
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    version: _Version
    digest: _Hex
    splits: dict[str, _Split]
    sources: dict[str, _Source]
    withheld: list[str]
    rejected: dict[str, _Rejected]
    recipe: dict[str, Any]
    quarantine: dict[str, dict[str, _Count]]
    synthesis: _Synthesis | None = None
    compared: dict[str, _Count] = {}
    not_compared: _Count = 0
    near_duplicates: _Count = 0
    history: list[_Change] = []


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
    return all(
        path.as_posix() == name and len(name.encode()) <= _LONGEST_NAME
        for path, name in zip(paths, files, strict=True)
    )


def is_intact(folder: Path, manifest: dict[str, Any]) -> bool:
    """Whether every file of the manifest is there with its size."""
    files: dict[str, dict[str, Any]] = manifest["files"]
    return all(
        (folder / name).is_file() and (folder / name).stat().st_size == file["bytes"]
        for name, file in files.items()
    )


def data_files(manifest: dict[str, Any]) -> list[str]:
    """The names of a dataset's files without those of its card."""
    return [n for n in manifest["files"] if n.startswith("data/") or n == QUARANTINE_FILE]


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
    partial = folder / f".{MANIFEST}.partial"
    partial.write_bytes(_sealed({"mathv360k": FORMAT, "step": step, **body}))
    partial.replace(folder / MANIFEST)


def is_sealed(data: bytes) -> bool:
    """Whether these are the bytes of a manifest as `write_manifest` left them."""
    try:
        manifest = json.loads(data)
        return isinstance(manifest, dict) and data == _sealed(manifest)
    except (ValueError, RecursionError):  # no JSON, or with halves of surrogate pairs
        return False


def _sealed(manifest: dict[str, Any]) -> bytes:
    body = {name: value for name, value in manifest.items() if name != "sha256"}
    text = json.dumps(body, indent=1, ensure_ascii=False)
    sealed = {**body, "sha256": hashlib.sha256(text.encode()).hexdigest()}
    return (json.dumps(sealed, indent=1, ensure_ascii=False) + "\n").encode()


def files_digest(manifest: dict[str, Any]) -> str:
    """One sha256 for all files of a manifest."""
    lines = (f"{name}\0{file['sha256']}\n" for name, file in sorted(manifest["files"].items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()
