"""From nothing to a score, as a user does it: build, train, ask. A short form of the demo run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def told_by(folder: Path, *words: str) -> dict[str, Any]:
    environment = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "mathv360k", *words, "--json"],
        capture_output=True, text=True, check=False, cwd=folder,
        env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_tiny_model_learns_to_answer(tmp_path: Path) -> None:
    told_by(tmp_path, "build", "--limit", "60")
    trained = told_by(tmp_path, "train", "--tiny", "--max-steps", "50", "--out", "tiny")
    assert trained["packed"] and trained["steps"] == 50
    assert trained["last_loss"] < 0.4 * trained["first_loss"]
    asked = ("eval", "run", "--benchmark", "drawn", "--limit", "20", "--max-new-tokens", "12")
    after = told_by(tmp_path, *asked, "--model", "tiny", "--out", "after.jsonl")
    told_by(tmp_path, *asked, "--model", "tiny.base-0", "--out", "before.jsonl")
    rows, before = (
        [json.loads(line) for line in (tmp_path / name).read_text().splitlines()]
        for name in ("after.jsonl", "before.jsonl")
    )
    assert sum(row["response"].startswith("The answer is ") for row in rows) > 15
    assert not any(row["response"].startswith("The answer is ") for row in before)
    assert after["guessing"] == pytest.approx(
        sum(
            0.5 if row["answer_type"] == "yes_no" else 1 / len(row["choices"])
            for row in rows
            if row["answer_type"] == "yes_no" or row["choices"]
        )
        / 20
    )
