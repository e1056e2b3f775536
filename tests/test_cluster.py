"""Steps on a real Ray cluster of two nodes: the same files, whatever node dies."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from threading import Thread
from typing import Any

import pyarrow.parquet as pq
import pytest

import mathv360k
from asking import requests_in
from marks import marks_pool, marks_script
from mathv360k import Recipe, UsageError, read_recipe
from mathv360k.builder import features_on_cluster
from mathv360k.builder.clip import Clip
from mathv360k.builder.cluster import Cluster
from mathv360k.builder.features import FeatureCache, embed_images, pool_images
from mathv360k.builder.recipe import Scoring
from mathv360k.errors import FolderError, ModelError, TeacherError
from mathv360k.scoring import score
from mathv360k.synthesis.asking import Asking
from mathv360k.synthesis.cluster_teacher import ClusterTeacher
from mathv360k.synthesis.drawn.teacher import DrawnTeacher
from mathv360k.synthesis.run import synthesize
from mathv360k.synthesis.teacher import Denied
from mathv360k.synthesis.verify import verify_answers
from mathv360k.synthesis.window import Limits
from teacher_server import Body, Say, teacher_server
from test_cli import run

ray: Any = pytest.importorskip("ray", reason="Ray is not installed (extra `ray`)")
_KEY = "sk-marker-4711-never-to-be-seen"


@contextmanager
def two_nodes() -> Iterator[Any]:
    """A cluster whose head computes nothing, and two nodes with a CPU each."""
    from ray.cluster_utils import Cluster as LocalCluster

    cluster = LocalCluster(initialize_head=True, head_node_args={"num_cpus": 0})
    cluster.workers = [cluster.add_node(num_cpus=1) for _ in range(2)]
    cluster.wait_for_nodes()
    try:
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


@pytest.fixture(scope="module")
def whole() -> Iterator[Cluster]:
    """A cluster whose nodes stay alive."""
    with two_nodes() as cluster:
        yield Cluster(cluster.address)


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo") / "mathv360k"
    mathv360k.build(read_recipe("demo").limited(200), out)
    return out.with_name("mathv360k.pool")


@pytest.fixture(scope="module")
def marks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return marks_pool(tmp_path_factory.mktemp("marks") / "pool", 60)


def files_in(folder: Path) -> dict[str, str]:
    return {p.name: sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


def test_scores_are_those_of_one_machine_though_a_node_dies(
    pool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scoring = Scoring(model="embedded", classifiers="embedded")
    monkeypatch.setenv("MATHV360K_CACHE", str(tmp_path / "here"))
    score(pool, scoring, tmp_path / "local")
    monkeypatch.setenv("MATHV360K_CACHE", str(tmp_path / "there"))
    monkeypatch.setattr(features_on_cluster, "_BATCHES", 1)
    with two_nodes() as cluster:
        killed: list[int] = []

        def progress(_: str, done: int, total: int | None) -> None:
            if not killed and done:
                killed.append(done)
                cluster.remove_node(cluster.workers[0], allow_graceful=False)

        on_two = Cluster(cluster.address)
        score(pool, scoring, tmp_path / "cluster", cluster=on_two, progress=progress)
    assert killed and killed[0] < 1000  # in the middle
    assert files_in(tmp_path / "cluster") == files_in(tmp_path / "local")
    parts = (tmp_path / "there" / "clip").rglob("*.parquet")
    embedded = [name for part in parts for name in pq.read_table(part)["image_id"].to_pylist()]
    ids = pq.read_table(pool / "images.parquet")["image_id"].to_pylist()
    assert sorted(embedded) == sorted(ids)  # each once


def test_what_a_node_cannot_do_is_said_in_a_sentence(
    pool: Path, whole: Cluster, tmp_path: Path
) -> None:
    clip = Clip("embedded", "cpu")
    cache = FeatureCache(tmp_path / "cache", clip.key)
    broken = tmp_path / "pool"
    broken.mkdir()
    (broken / "images.parquet").write_bytes((pool / "images.parquet").read_bytes())
    with pytest.raises(FolderError, match=r"does not see .*put the pool into a folder"):
        features_on_cluster.embed_on_cluster(clip, broken, cache, whole)
    (broken / "images.bin").write_bytes(b"\x89PNG" * 100_000)
    with pytest.raises(FolderError, match=r"The image \w+ cannot be decoded"):
        features_on_cluster.embed_on_cluster(clip, broken, cache, whole)
    other = Clip("embedded", "cpu")
    other.key = "another"
    with pytest.raises(ModelError, match="A node of the cluster has another version"):
        features_on_cluster.embed_on_cluster(other, pool, cache, whole)
    assert cache.known() == set()
    first = list(pool_images(pool, range(100)))
    embed_images(clip, first, cache)
    told: list[tuple[int, int | None]] = []
    fresh = features_on_cluster.embed_on_cluster(
        clip, pool, cache, whole, progress=lambda _, done, total: told.append((done, total))
    )
    total = len(pq.read_table(pool / "images.parquet"))
    assert fresh == total - 100 and told[-1] == (total, total)
    assert features_on_cluster.embed_on_cluster(clip, pool, cache, whole) == 0


def test_answers_are_asked_for_once_though_a_node_dies(
    marks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All but what the node had in flight, and a key reaches the server and nothing else."""
    recipe = Recipe.model_validate({"name": "marks", "synthesize": {"teacher": {"model": "m"}}})
    monkeypatch.setenv("OPENAI_API_KEY", _KEY)
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()

    def slow(body: Body, times: int) -> Say:
        said = marks_script(body, times)
        return Say(said.text, delay=0.05)

    def asking(folder: Path, url: str, **more: Any) -> Asking:
        return Asking(folder / "ledger", base_url=url, limits=Limits(8), **more)

    with teacher_server(marks_script) as server:
        here = tmp_path / "here"
        synthesize(marks, recipe, here / "written", asking(here, server.url))
        verify_answers(marks, here / "written", recipe, here / "out", asking(here, server.url))
    total = server.answered.total()
    monkeypatch.setattr("mathv360k.synthesis.cluster_teacher._FOR_A_WORKER", 4)
    with two_nodes() as cluster, teacher_server(slow) as server:
        there = tmp_path / "there"
        far = asking(there, server.url, cluster=Cluster(cluster.address))

        def kill() -> None:
            while server.answered.total() < 100:
                time.sleep(0.01)
            cluster.remove_node(cluster.workers[0], allow_graceful=False)

        killer = Thread(target=kill, daemon=True)
        killer.start()
        synthesize(marks, recipe, there / "written", far)
        killer.join()
        verify_answers(marks, there / "written", recipe, there / "out", far)
        twice = [count for count in server.seen.values() if count > 1]
        assert len(twice) <= 8 and all(count == 2 for count in twice)
        assert len(server.seen) == total
        assert {h["authorization"] for h in server.headers} == {f"bearer {_KEY}".lower()}
    assert files_in(there / "written") == files_in(here / "written")
    assert files_in(there / "out") == files_in(here / "out")
    for path in there.rglob("*"):
        assert path.is_dir() or _KEY.encode() not in path.read_bytes()


def test_a_wrong_key_stops_the_run_and_a_budget_holds(
    marks: Path, whole: Cluster, tmp_path: Path
) -> None:
    recipe = Recipe.model_validate({"name": "marks", "synthesize": {"teacher": {"model": "m"}}})

    def script(body: Body, times: int) -> Say:
        return Say(status=401, error={"message": "Incorrect API key"})

    with teacher_server(script) as server:
        far = Asking(tmp_path / "a.ledger", base_url=server.url, cluster=whole)
        with pytest.raises(TeacherError, match="Incorrect API key"):
            synthesize(marks, recipe, tmp_path / "a", far)
        assert server.seen.total() == 1
    with teacher_server(marks_script) as server:
        few = Asking(
            tmp_path / "b.ledger", base_url=server.url, cluster=whole, budget_tokens=20_000
        )
        with pytest.raises(TeacherError, match="The budget is spent"):
            synthesize(marks, recipe, tmp_path / "b", few)
        assert 0 < server.answered.total() < 160


def test_a_node_that_does_not_see_the_pool_is_no_help(whole: Cluster, tmp_path: Path) -> None:
    async def ask() -> None:
        teacher = ClusterTeacher(whole, tmp_path / "nowhere", DrawnTeacher, {}, 8)
        try:
            await teacher.ask(requests_in(tmp_path, 1)[0])
        finally:
            await teacher.close()

    with pytest.raises(Denied, match=r"a node does not see .*nowhere"):
        asyncio.run(ask())


def test_commands_take_a_cluster(marks: Path, whole: Cluster, tmp_path: Path) -> None:
    nowhere = run(f"score {marks} --model embedded --engine ray --address 127.0.0.1:9", tmp_path)
    assert nowhere.returncode == 2 and "No Ray cluster at 127.0.0.1:9" in nowhere.stderr
    odd = run(f"score {marks} --model embedded --address auto", tmp_path)
    assert odd.returncode == 2 and "--address is for --engine ray" in odd.stderr
    with teacher_server(marks_script) as server:
        done = run(
            f"synthesize {marks} --teacher m --base-url {server.url} --engine ray "
            f"--address {whole.address} --out w --json",
            tmp_path,
        )
        assert done.returncode == 0, done.stderr
        assert server.answered.total() == 240
    with pytest.raises(UsageError, match="--batch needs no --engine ray"):
        synthesize(
            marks,
            Recipe.model_validate({"name": "m", "synthesize": {"teacher": {"model": "m"}}}),
            tmp_path / "o",
            Asking(tmp_path / "l", base_url="http://127.0.0.1:9", batch=True, cluster=Cluster()),
        )
