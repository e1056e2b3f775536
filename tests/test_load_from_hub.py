"""`mathv360k.load` and the builder class from a Hub: pinned to a commit, filters pushed down."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import mathv360k
from hub_server import Hub, hub
from mathv360k import read_recipe

REPOSITORY = "somebody/mathv360k"
Ask = Callable[[str], Any]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo") / "mathv360k"
    mathv360k.build(read_recipe("demo").limited(51), out)
    return out


@pytest.fixture
def ask(built: Path, tmp_path: Path) -> Iterator[tuple[Ask, Hub]]:
    """Evaluates an expression in a process that uses a Hub with the demo dataset; and the Hub."""
    with hub(tmp_path / "hub") as running:
        running.serve(built, REPOSITORY, tag="v1.0.0")

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
                env=running.environment(tmp_path / "home"),
                check=False,
                cwd=tmp_path,
            )
            assert done.returncode == 0, done.stderr
            return json.loads(done.stdout)

        yield run, running


def local(built: Path, **filters: Any) -> list[str]:
    return [row["id"] for row in mathv360k.load(built, split="train", **filters)]


def test_a_tag_is_loaded_with_filters(ask: tuple[Ask, Hub], built: Path) -> None:
    run, running = ask
    rows = run(
        f"mathv360k.load('{REPOSITORY}', 'questions', split='train', revision='v1.0.0', "
        "task='GPS')['id'][:]"
    )
    assert rows == local(built, task="GPS")
    fetched = running.requests("GET", r"\.parquet$")
    assert fetched
    commit = running.commits(REPOSITORY)[0].oid
    assert all(f"/resolve/{commit}/data/questions/" in request.path for request in fetched)


def test_streaming_reads_only_what_it_needs(ask: tuple[Ask, Hub], built: Path) -> None:
    run, running = ask
    first = run(
        f"list(mathv360k.load('{REPOSITORY}', split='train', streaming=True).take(1))[0]['id']"
    )
    assert first == local(built)[0]
    fetched = [request.path for request in running.log if "/resolve/" in request.path]
    assert [path for path in fetched if "/data/" in path]
    assert not [path for path in fetched if "/data/images/" in path]


def test_the_builder_class(ask: tuple[Ask, Hub]) -> None:
    run, _ = ask
    description = run(f"mathv360k.MathV360K('{REPOSITORY}', 'images').config.description")
    assert description.startswith("sha256:")


def test_an_unknown_version_or_repository_is_one_sentence(ask: tuple[Ask, Hub]) -> None:
    run, _ = ask
    for call in (f"'{REPOSITORY}', revision='v9.9.9'", "'somebody/else'"):
        with pytest.raises(AssertionError, match=r"UsageError: .* from the Hub: "):
            run(f"mathv360k.load({call})")
