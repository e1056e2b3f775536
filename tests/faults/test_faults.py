"""Each step is killed, finds the disk full or read-only, and the clock jumping: the next run ends
in the same bytes and leaves nothing half-written.

The whole campaign: `MATHV360K_FAULTS=100 pytest tests/faults`. Kills while training, generating,
pushing and asking a teacher over a network are beside the tests of these.
"""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from faults.steps import MARKER, STEPS, Step, copy, half_written, results
from release_file import write_release
from test_pipeline import small_pictures

MOMENTS = int(os.environ.get("MATHV360K_FAULTS", "1"))


@dataclass(frozen=True)
class Calm:
    """What undisturbed steps found and left, and how long they took."""

    before: dict[str, Path]
    after: dict[str, dict[str, str]]
    seconds: dict[str, float]
    said: dict[str, str]
    folder: Path


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Calm:
    root = tmp_path_factory.mktemp("calm")
    here = root / "here"
    here.mkdir()
    write_release(here, small_pictures(30), 300)
    before: dict[str, Path] = {}
    after: dict[str, dict[str, str]] = {}
    seconds: dict[str, float] = {}
    told: dict[str, str] = {}
    for name in STEPS:
        before[name] = root / f"before {name}"
        copy(here, before[name])
        started = time.monotonic()
        code, said = Step(name, here).end()
        seconds[name] = time.monotonic() - started
        assert code == 0, said
        told[name] = said
        after[name] = results(here)
        assert len(after[name]) > len(results(before[name])), f"{name} has written nothing"
    return Calm(before, after, seconds, told, here)


@pytest.mark.parametrize("name", STEPS)
def test_a_killed_step_is_done_by_the_next_run(name: str, calm: Calm, tmp_path: Path) -> None:
    rng = random.Random(f"{name} {MOMENTS}")
    for number in range(MOMENTS):
        here = tmp_path / f"{number}"
        copy(calm.before[name], here)
        step = Step(name, here)
        time.sleep(rng.uniform(0.05, 1.0) * calm.seconds[name])
        step.kill()
        again(name, here, calm)


def test_no_key_is_in_anything_that_is_said_or_written(calm: Calm) -> None:
    assert not [name for name, said in calm.said.items() if MARKER in said]
    files = [path for path in calm.folder.rglob("*") if path.is_file()]
    assert len(files) > 60
    assert not [path for path in files if MARKER.encode() in path.read_bytes()]


def test_a_clock_that_jumps_changes_nothing(calm: Calm, tmp_path: Path) -> None:
    for name in STEPS:
        here = tmp_path / name
        copy(calm.before[name], here)
        code, said = Step(name, here, jumping_clock=True).end()
        assert code == 0, said
        assert results(here) == calm.after[name]


@pytest.mark.parametrize("name", STEPS)
def test_a_full_disk_is_named_and_nothing_lost(
    name: str, calm: Calm, disk: Path, tmp_path: Path
) -> None:
    here = disk / "here"
    copy(calm.before[name], here)
    used = size_of(here)
    written = size_of_files(calm, name)
    for share in random.Random(name).sample((0.1, 0.3, 0.5, 0.7, 0.9), min(5, MOMENTS)):
        remount(disk, f"size={used + int(share * written) // 4096 * 4096}")
        code, said = Step(name, here).end()
        if code != 0:  # some write less than there is room for, as what they link
            assert code == 1 and "Traceback" not in said, said
            assert "full" in said or "No space" in said, said
        used = size_of(here)
    remount(disk, "size=1g")
    again(name, here, calm)


@pytest.mark.parametrize("name", STEPS)
def test_a_read_only_folder_is_named(name: str, calm: Calm, disk: Path) -> None:
    here = disk / "here"
    copy(calm.before[name], here)
    remount(disk, "ro")
    code, said = Step(name, here).end()
    assert code in (1, 2) and "Traceback" not in said, said
    assert "ead-only" in said or "readonly" in said, said
    remount(disk, "rw")
    again(name, here, calm)


def again(name: str, here: Path, calm: Calm) -> None:
    """Run a step to its end: it leaves what the undisturbed one left."""
    code, said = Step(name, here).end()
    assert code == 0, said
    assert results(here) == calm.after[name]
    assert half_written(here) == []


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, whose size and mode can be changed."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if mount("-t", "tmpfs", "-o", "size=1g", "tmpfs", str(folder)):
        pytest.skip("no disk can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def mount(*words: str) -> int:
    try:
        return subprocess.run(["mount", *words], capture_output=True, check=False).returncode
    except FileNotFoundError:
        return 1


def remount(disk: Path, option: str) -> None:
    assert mount("-o", f"remount,{option}", str(disk)) == 0


def size_of(folder: Path) -> int:
    """Bytes that a tmpfs needs for it: whole pages."""
    return sum(-(-path.stat().st_size // 4096) * 4096 + 4096 for path in folder.rglob("*"))


def size_of_files(calm: Calm, name: str) -> int:
    names = list(STEPS)
    later = names[names.index(name) + 1 :]
    if later:
        return size_of(calm.before[later[0]]) - size_of(calm.before[name])
    return 1_000_000
