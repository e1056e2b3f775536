"""Labels by a teacher: a table that the classifiers learn from."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from marks import marks_pool, marks_script
from mathv360k import read_recipe
from mathv360k.builder.labels import consensus, read_labels
from mathv360k.pipeline import read_sources
from teacher_server import Body, Say, teacher_server
from test_cli import answer, run


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pool") / "demo.pool"
    read_sources(read_recipe("demo").limited(51), folder)
    return folder


def test_the_embedded_teacher_labels_as_the_scenes_are(pool: Path, tmp_path: Path) -> None:
    told = answer(f"label {pool} --teacher drawn --count 30", tmp_path)
    assert (told["images"], told["labelled"], told["failures"]) == (30, 30, {})
    said = consensus(read_labels(tmp_path / "labels.csv"))
    images = pq.read_table(pool / "images.parquet").to_pandas().set_index("image_id")
    true = images.loc[said.index]
    assert said["clarity"].tolist() == true["clarity"].astype(int).tolist()
    assert said["complexity"].tolist() == true["complexity"].tolist()
    assert set(pd.read_csv(tmp_path / "labels.csv")["labeller"]) == {"drawn"}
    done = run(f"label {pool} --teacher drawn", tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "exists and may hold labels" in done.stderr


def test_images_that_are_not_judged_stay_empty_and_are_counted(tmp_path: Path) -> None:
    def script(body: Body, times: int) -> Say:
        return Say(refusal="no") if server.seen.total() == 4 else marks_script(body, times)

    pool = marks_pool(tmp_path / "pool", 12)
    with teacher_server(script) as server:
        call = f"label {pool} --teacher m --base-url {server.url} --out labels.csv"
        estimate = answer(f"{call} --dry-run", tmp_path)
        assert estimate["to_ask"]["label"]["requests"] == 12
        told = answer(call, tmp_path)
    assert (told["images"], told["labelled"], told["failures"]) == (12, 11, {"refused": 1})
    assert len(read_labels(tmp_path / "labels.csv")) == 11
    assert "clarity: 1 if everything" in server.bodies[0]["messages"][0]["content"][-1]["text"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("--dry-run", "give --teacher too"),
        ("--teacher drawn --images shown", "leave it out with --teacher"),
        ("--teacher drawn --out labels.txt", "must end in .csv"),
    ],
)
def test_options_that_do_not_go_together(
    options: str, said: str, pool: Path, tmp_path: Path
) -> None:
    done = run(f"label {pool} {options}", tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert said in done.stderr
