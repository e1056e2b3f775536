"""Is a dataset what its manifest says it is? Every byte, every row, every image is looked at."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..folders import MANIFEST, file_digest, is_sealed
from ..intake import Progress, quiet
from ..location import Location
from ..parquet import config_and_split
from ..schema import ALL_CONFIGS
from .findings import CHECKS, Verification
from .images import Images, verify_images, verify_named
from .rows import Rows, verify_questions, verify_rows, verify_same_rows

__all__ = ["CHECKS", "Verification", "verify"]


def verify(place: Location, *, decode: bool = True, progress: Progress = quiet) -> Verification:
    """Check a dataset against its manifest and itself; all but its card.

    Without `decode` images are hashed, but not opened, and look-alikes are not looked for. A
    dataset on the Hub is downloaded into the Hub's cache. Raises `HubError` where it cannot be.
    """
    told = Verification()
    shards: dict[str, dict[str, str]] = {"questions": {}, "default": {}, "images": {}}
    for name in _sound_files(place, told, progress):
        config, split = config_and_split(name)
        if _has_its_columns(place.fetch(name), name, config, told) and config in shards:
            shards[config][name] = split
    rows, seen = Rows(), Images(place.manifest["withheld"], decode)
    for name, split in shards["questions"].items():
        _reading(told, name, partial(verify_questions, place.fetch(name), name, split, rows, told))
    both = [(c, n, split) for c in ("default", "images") for n, split in shards[c].items()]
    with ThreadPoolExecutor() as threads:
        for done, (config, name, split) in enumerate(both):
            progress("checking shards", done, len(both))
            path = place.fetch(name)
            _reading(told, name, partial(verify_same_rows, path, name, config, rows, told))
            _reading(told, name, partial(
                verify_images, path, name, config, split, seen, threads, told))  # fmt: skip
    progress("checking shards", len(both), len(both))
    verify_rows(place.manifest, rows, told)
    verify_named(rows.images, seen, told)
    return told


def _reading(told: Verification, name: str, check: partial[None]) -> None:
    """Run a check of a file's content; what Parquet cannot read is a finding, too."""
    try:
        check()
    except (pa.ArrowException, OSError) as error:
        told.complain("columns", name, f"cannot be read: {error}")


def _sound_files(place: Location, told: Verification, progress: Progress) -> list[str]:
    """The files that are there with their sha256, in order."""
    files: dict[str, dict[str, Any]] = place.manifest["files"]
    there = place.names()
    for name in sorted(there - files.keys() - {MANIFEST}):
        told.complain("files", name, "is not in the manifest")
    if not is_sealed(place.fetch(MANIFEST).read_bytes()):
        told.complain("files", MANIFEST, "was changed after it was written")
    total, done, sound = sum(file["bytes"] for file in files.values()), 0, []
    largest_first = sorted(files, key=lambda name: -files[name]["bytes"])

    def digest(name: str) -> str | None:
        return file_digest(place.fetch(name)) if name in there else None

    with ThreadPoolExecutor() as threads:
        for name, found in zip(largest_first, threads.map(digest, largest_first), strict=True):
            told.looked("files", 1)
            done += files[name]["bytes"]
            progress("checking bytes", done, total)
            if found is None:
                told.complain("files", name, "is missing")
            elif found != files[name]["sha256"]:
                told.complain("files", name, f"has the sha256 {found[:16]}…, not its own")
            else:
                sound.append(name)
    return sorted(sound)


def _has_its_columns(path: Path, name: str, config: str, told: Verification) -> bool:
    if not config:
        return False
    told.looked("columns", 1)
    try:
        found = pq.read_schema(path).remove_metadata()
    except (pa.ArrowException, OSError) as error:
        told.complain("columns", name, f"is no Parquet file: {error}")
        return False
    if config not in ALL_CONFIGS or not found.equals(ALL_CONFIGS[config]):
        told.complain("columns", name, f"has not the columns of config {config!r}")
        return False
    return True
