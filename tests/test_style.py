"""The code is formatted, linted and typed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lower_bounds import lower_bounds

ROOT = Path(__file__).resolve().parents[1]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_ruff() -> None:
    for words in (("check", "--no-cache"), ("format", "--check", "--no-cache")):
        done = run("ruff", *words, ".")
        assert done.returncode == 0, done.stdout


def test_pyright() -> None:
    done = run("pyright", "--pythonpath", sys.executable)
    if done.returncode not in (0, 1):
        pytest.skip(f"pyright did not start: {done.stderr[-300:]}")
    assert done.returncode == 0, done.stdout


def test_every_dependency_has_a_lower_bound() -> None:
    assert "pillow==12" in lower_bounds()
