"""A model is trained on a version that lies on the Hub, and goes there itself."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import mathv360k
from hub_server import Hub, hub
from mathv360k.builder.recipe import read_recipe
from tiny_models import write_llava

TOKEN = "hf_sesame"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Hub]:
    with hub(tmp_path / "hub", token=TOKEN) as started:
        yield started


@pytest.fixture
def run(server: Hub, tmp_path: Path) -> Run:
    def run(*words: object) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "mathv360k", *map(str, words)],
            capture_output=True, text=True, check=False, cwd=tmp_path,
            env=server.environment(tmp_path / "home") | {"OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        assert TOKEN not in done.stdout + done.stderr
        return done

    return run


def test_from_the_hub_and_back(server: Hub, run: Run, tmp_path: Path) -> None:
    mathv360k.build(read_recipe("demo").limited(12), tmp_path / "built")
    server.serve(tmp_path / "built", "somebody/mathv360k", tag="v1.0.0", private=True)
    model = write_llava(tmp_path / "model")
    config = tmp_path / "c.yaml"
    config.write_text("{dtype: fp32, freeze: [], max_steps: 2, questions_per_step: 20, workers: 1}")
    done = run(
        "train", "--config", config, "--model", model, "--data", "somebody/mathv360k@v1.0.0",
        "--streaming", "--out", "out", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["steps"] == 2
    record = json.loads((tmp_path / "out" / "training.json").read_text())
    manifest = json.loads((tmp_path / "built" / "manifest.json").read_text())
    assert record["dataset"]["digest"] == manifest["digest"]
    assert record["dataset"]["path"] == "somebody/mathv360k@v1.0.0"

    (tmp_path / "out" / "checkpoint-1").mkdir(exist_ok=True)
    (tmp_path / "out" / "checkpoint-1" / "optimizer.pt").write_text("large")
    done = run("push", "out", "somebody/tiny", "--json")
    assert done.returncode == 0, done.stderr
    files = server.files("somebody/tiny")
    names = {path.name for path in (tmp_path / "out").iterdir() if path.is_file()}
    names.remove("training_args.bin")  # a pickle
    assert set(files) - {".gitattributes"} == names
    assert server.repositories["somebody/tiny"].private
    commit = server.commits("somebody/tiny")[0]
    assert (commit.oid, commit.title) == (
        json.loads(done.stdout)["commit"],
        "Trained on demo 1.0.0",
    )


def test_what_is_not_done_and_what_is_for_datasets_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "training.json").write_text("{}")
    done = run("push", "out", "somebody/tiny")
    assert done.returncode == 1 and "out is not done; run the same `mathv360k train`" in done.stderr
    done = run("push", "out", "somebody/tiny", "--dry-run")
    assert done.returncode == 2 and "--dry-run are for datasets" in done.stderr
