"""`mathv360k.load` and the builder class from a Hub: pinned to a commit, filters pushed down."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import mathv360k
from hub_server import COMMIT, REPOSITORY, hub
from mathv360k import read_recipe

Ask = Callable[[str], Any]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo") / "mathv360k"
    mathv360k.build(read_recipe("demo").limited(51), out)
    return out


@pytest.fixture
def ask(built: Path, tmp_path: Path) -> Iterator[tuple[Ask, list[str]]]:
    """Evaluates an expression in a process whose Hub is the loopback one; and the Hub's log."""
    with hub(built) as (address, log):
        environment = {
            **os.environ,
            "HF_ENDPOINT": address,
            "HF_HOME": str(tmp_path / "home"),
            "HF_HUB_OFFLINE": "0",
            "HF_HUB_DISABLE_XET": "1",
        }

        def run(expression: str) -> Any:
            script = (
                "import datasets, json, mathv360k\n"
                "datasets.disable_progress_bars()\n"
                f"print(json.dumps({expression}))"
            )
            done = subprocess.run(
                [sys.executable, "-c", script],
                capture_output=True,
                text=True,
                env=environment,
                check=False,
                cwd=tmp_path,
            )
            assert done.returncode == 0, done.stderr
            return json.loads(done.stdout)

        yield run, log


def local(built: Path, **filters: Any) -> list[str]:
    return [row["id"] for row in mathv360k.load(built, split="train", **filters)]


def test_a_tag_is_loaded_with_filters(ask: tuple[Ask, list[str]], built: Path) -> None:
    run, log = ask
    rows = run(
        f"mathv360k.load('{REPOSITORY}', 'questions', split='train', revision='v1.0.0', "
        "task='GPS')['id'][:]"
    )
    assert rows == local(built, task="GPS")
    fetched = [line for line in log if line.startswith("GET") and ".parquet" in line]
    assert fetched
    assert all(f"/resolve/{COMMIT}/data/questions/" in line for line in fetched)


def test_streaming_reads_only_what_it_needs(ask: tuple[Ask, list[str]], built: Path) -> None:
    run, log = ask
    first = run(
        f"list(mathv360k.load('{REPOSITORY}', split='train', streaming=True).take(1))[0]['id']"
    )
    assert first == local(built)[0]
    assert not [line for line in log if "/data/images/" in line and "resolve" in line]


def test_the_builder_class(ask: tuple[Ask, list[str]]) -> None:
    run, _ = ask
    description = run(f"mathv360k.MathV360K('{REPOSITORY}', 'images').config.description")
    assert description.startswith("sha256:")


def test_an_unknown_version_or_repository_is_one_sentence(ask: tuple[Ask, list[str]]) -> None:
    run, _ = ask
    for call in (f"'{REPOSITORY}', revision='v9.9.9'", "'somebody/else'"):
        with pytest.raises(AssertionError, match=r"UsageError: .* from the Hub: "):
            run(f"mathv360k.load({call})")
