"""Is a dataset what its manifest says it is? Every byte, every row, every image is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..folders import file_digest
from ..intake import Progress, quiet
from ..location import Location
from ..manifest import MANIFEST, is_sealed
from ..parquet import config_and_split
from ..schema import ALL_CONFIGS, CONFIGS
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
    sound = [
        name
        for name in _sound_files(place, told, progress)
        if _has_its_columns(place.fetch(name), name, told)
    ]
    shards = {config: _shards(sound, config) for config in CONFIGS}
    # What only follows from a damaged or missing file is not told once more.
    whole = {
        config: shards[config] == _shards(place.manifest["files"], config) for config in CONFIGS
    }
    rows, seen = Rows(), Images(place.manifest["withheld"], decode)
    for name, split in shards["questions"].items():
        check = partial(verify_questions, place.fetch(name), name, split, rows, told)
        whole["questions"] &= _can_be_read(name, check, told)
    both = [(c, n, split) for c in ("default", "images") for n, split in shards[c].items()]
    with ThreadPoolExecutor() as threads:
        for done, (config, name, split) in enumerate(both):
            progress("checking shards", done, len(both))
            path = place.fetch(name)
            check = partial(verify_images, path, name, config, split, seen, threads, told)
            readable = _can_be_read(name, check, told)
            if readable and whole["questions"]:
                verify_same_rows(path, name, config, rows, told)
            whole[config] &= readable
    progress("checking shards", len(both), len(both))
    if whole["questions"]:
        verify_rows(place.manifest, rows, told)
    if whole["images"]:
        verify_named(rows.images, seen, told)
    return told


def _shards(names: Iterable[str], config: str) -> dict[str, str]:
    """The shards of a config with their splits."""
    parts = {name: config_and_split(name) for name in names}
    return {name: split for name, (found, split) in parts.items() if found == config}


def _can_be_read(name: str, check: Callable[[], None], told: Verification) -> bool:
    """Run a check of a file's content, which Parquet may not be able to read."""
    try:
        check()
    except (pa.ArrowException, OSError) as error:
        told.complain("columns", name, f"cannot be read: {error}")
        return False
    return True


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


def _has_its_columns(path: Path, name: str, told: Verification) -> bool:
    config, _ = config_and_split(name)
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
