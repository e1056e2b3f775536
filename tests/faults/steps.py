"""Every step of the package as a process of its own, which can be disturbed."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path

STEPS: dict[str, str] = {
    "build": "build demo --limit 60 --out d",
    "score": "score d.pool --model embedded",
    "select": "select d.pool",
    "synthesize": "synthesize d.pool.selected demo --ledger two.ledger",
    "verify-answers": "verify-answers d.pool.selected demo --ledger two.ledger",
    "rebuild": "build demo --pool d.pool.selected.verified --out e",
    "import": "import train_samples_all_tuning.json data_images.zip --out f",
    "decontaminate": "decontaminate --against f --export hashes.parquet",
    "export": "export d --for llava --out for-llava",
    "report": "report d",
}
"""In the order in which each finds what it needs."""
MARKER = "sk-marker-0815-never-to-be-seen"
"""The keys that every step finds in its environment."""
_NOT_COMPARED = ("cache", "two.ledger", "mathv360k.ledger")
"""What is not a result: features have names of their own, answers the time they were given."""

_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload(
    ["mathv360k.cli", "mathv360k.builder.features", "mathv360k.builder.classifiers", "openai",
     "datasets", "matplotlib.figure", "mathv360k.pipeline", "mathv360k.curation"]
)  # fmt: skip


class Step:
    """A step that is running in `folder`; it was started with everything imported."""

    def __init__(self, name: str, folder: Path, *, jumping_clock: bool = False) -> None:
        words = [*STEPS[name].split(), "--quiet"]
        self._output = Path(tempfile.mkdtemp()) / "output.txt"  # on another disk
        arguments = (words, folder, self._output, jumping_clock)
        self.process = _server.Process(target=_run, args=arguments)
        self.process.start()

    def end(self, within: float = 300.0) -> tuple[int | None, str]:
        """Its exit code and what it said."""
        self.process.join(within)
        return self.process.exitcode, self._output.read_text("utf-8", "replace")

    def kill(self) -> None:
        self.process.kill()
        self.process.join()


def _run(words: list[str], folder: Path, output: Path, jumping_clock: bool) -> None:
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.chdir(folder)
    os.environ["MATHV360K_CACHE"] = str(folder / "cache")
    os.environ |= dict.fromkeys(("OPENAI_API_KEY", "HF_TOKEN"), MARKER)
    if jumping_clock:
        rng, true = random.Random(0), time.time
        time.time = lambda: true() + rng.uniform(-1e8, 1e8)
    sys.argv = ["mathv360k", *words]
    from mathv360k.__main__ import main

    main()


def results(folder: Path) -> dict[str, str]:
    """All files below a folder that are results, by path: their sha256. Half-written ones too."""
    return {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and path.relative_to(folder).parts[0].removesuffix(".lock") not in _NOT_COMPARED
        and path.name != ".lock"
    }


def half_written(folder: Path) -> list[str]:
    """What a step writes under another name until it is whole."""
    return [str(p.relative_to(folder)) for p in folder.rglob("*") if ".partial" in p.name]


def copy(source: Path, folder: Path) -> None:
    """The files of a folder in a new one."""
    shutil.copytree(source, folder, symlinks=True)
