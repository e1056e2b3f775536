"""From nothing to a score, as a user does it: build, train, ask. A short form of the demo run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def told_by(folder: Path, *words: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "mathv360k", *words, "--json"],
        capture_output=True, text=True, check=False, cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_tiny_model_learns_to_answer(tmp_path: Path) -> None:
    told_by(tmp_path, "build", "--limit", "60")
    trained = told_by(tmp_path, "train", "--tiny", "--max-steps", "40", "--out", "tiny")
    assert trained["packed"] and trained["steps"] == 40
    assert trained["last_loss"] < 0.4 * trained["first_loss"]
    asked = ("eval", "run", "--benchmark", "drawn", "--limit", "60", "--max-new-tokens", "16")
    after = told_by(tmp_path, *asked, "--model", "tiny", "--out", "after.jsonl")
    before = told_by(tmp_path, *asked, "--model", "tiny.base", "--out", "before.jsonl")
    assert before["correct"] == 0
    assert after["correct"] >= 3
    rows = [json.loads(line) for line in (tmp_path / "after.jsonl").read_text().splitlines()]
    assert sum(row["response"].startswith("The answer is ") for row in rows) > 50
    assert after["guessing"] == pytest.approx(
        sum(
            0.5 if row["answer_type"] == "yes_no" else 1 / len(row["choices"])
            for row in rows
            if row["answer_type"] == "yes_no" or row["choices"]
        )
        / 60
    )
