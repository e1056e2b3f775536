"""A real model server: an untrained LLaVA behind `transformers serve`, which talks nonsense."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pyarrow.parquet as pq
import pytest

from marks import marks_pool
from mathv360k import Recipe
from mathv360k.synthesis.asking import Asking
from mathv360k.synthesis.ledger import Ledger
from mathv360k.synthesis.run import synthesize
from mathv360k.synthesis.verify import verify_answers
from mathv360k.synthesis.window import Limits
from tiny_models import write_llava


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_llava(tmp_path_factory.mktemp("llava") / "model")


@pytest.fixture(scope="module")
def url(model: Path) -> Iterator[str]:
    command = shutil.which("transformers", path=str(Path(sys.executable).parent))
    assert command, "transformers brings a command of that name"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--port", str(port), "--host", "127.0.0.1", "--device", "cpu"]
    log = (model.parent / "log").open("wb")
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    with subprocess.Popen(
        [command, "serve", *options, str(model)], stdout=log, stderr=log, env=environment
    ) as process:
        try:
            for _ in range(600):
                try:
                    with urlopen(f"http://127.0.0.1:{port}/health", timeout=1):
                        break
                except OSError:
                    assert process.poll() is None, (model.parent / "log").read_text()
                    time.sleep(0.2)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.kill()


def test_a_real_server_is_asked_with_images_and_what_it_says_is_kept(
    url: str, model: Path, tmp_path: Path
) -> None:
    pool = marks_pool(tmp_path / "pool", 3)
    teacher = {"model": str(model), "max_tokens": 12, "temperature": 0.7}
    synthesis = {"teacher": teacher, "kinds": {"ask_image": {}, "rephrase": {}}}
    recipe = Recipe.model_validate({"name": "x", "synthesize": synthesis})
    asking = Asking(tmp_path / "ledger", base_url=url, limits=Limits(2))
    written = synthesize(pool, recipe, tmp_path / "written", asking)
    assert written["questions"] == 0
    assert sum(written["faults"].values()) == 3 * 5 + 3
    assert set(written["faults"]) <= {"truncated", "invalid"}
    verify_answers(pool, tmp_path / "written", recipe, tmp_path / "out", asking)
    replies = pq.read_table(tmp_path / "out" / "rejected.parquet")["reply"].to_pylist()
    assert len([reply for reply in replies if reply]) == 6
    with Ledger(tmp_path / "ledger") as ledger:
        rows = ledger.summary()
    assert sum(row["answers"] for row in rows) >= 6
    # a token a letter, and 16 for the image
    assert all(row["input_tokens"] > 300 * row["answers"] for row in rows)
    assert all(0 < row["output_tokens"] <= 12 * row["answers"] for row in rows)
