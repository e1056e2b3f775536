"""A command as a whole process: wall time, processor time, peak memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Run:
    """Seconds, and the peak resident set in MB."""

    wall: float
    cpu: float
    memory: float
    output: str


def run(command: Sequence[object]) -> Run:
    """Run a command to its end; its output is kept. Raises where it fails."""
    started = time.perf_counter()
    with subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        output = process.stdout.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - started
    if process.returncode:
        sys.exit(f"{command} failed with {process.returncode}")
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e3, output)


def python(script: str, *arguments: object) -> Run:
    """Run a piece of Python in a process of its own."""
    return run([sys.executable, "-c", script, *arguments])


def mathv360k(*arguments: object) -> Run:
    """Run the command `mathv360k`."""
    return run([sys.executable, "-m", "mathv360k", *arguments])


def show(name: str, run: Run, **more: str) -> None:
    """One line of a benchmark's table."""
    figures = f"{run.wall:8.2f} s wall {run.cpu:8.2f} s cpu {run.memory:8.0f} MB"
    print(f"{name:34} {figures}  " + "  ".join(f"{k} {v}" for k, v in more.items()), flush=True)
