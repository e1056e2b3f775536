"""The loopback Hub holds what the real clients of the Hub expect of it, and fails as it is told."""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, constants
from huggingface_hub.errors import (
    BadRequestError,
    EntryNotFoundError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import get_session

from hub_server import Hub, hub

NAME = "somebody/mathv360k"
TOKEN = "hf_a_secret"
USE_DATASETS = """
import json, sys
from pathlib import Path
from datasets import Dataset, DatasetDict, load_dataset
from huggingface_hub import HfApi, snapshot_download

NAME = "somebody/mathv360k"
POINTER = '''---
configs:
- config_name: default
  data_files:
  - split: train
    path: hf://datasets/somebody/mathv360k@v1.0.0/data/train-*
---
'''

def rows(word, count):
    numbers = list(range(count))
    return Dataset.from_dict({"id": [f"{word}{n}" for n in numbers], "number": numbers})

def load(place=NAME, *names, **how):
    return [row["id"] for row in load_dataset(place, *names, split="train", **how)]

if __name__ == "__main__":
    api = HfApi()
    both = DatasetDict(train=rows("a", 4), test=rows("t", 2))
    both.push_to_hub(NAME, num_shards={"train": 2, "test": 1})
    api.create_tag(NAME, repo_type="dataset", tag="v1.0.0")
    rows("b", 3).push_to_hub(NAME, num_proc=2, num_shards=2)
    rows("m", 2).push_to_hub(NAME, "more")
    api.create_tag(NAME, repo_type="dataset", tag="v2.0.0")
    rows("n", 1).push_to_hub(NAME, revision="next")
    snapshot_download(NAME, repo_type="dataset", revision="v2.0.0", local_dir="mathv360k")
    Path("pointer").mkdir()
    Path("pointer/README.md").write_text(POINTER)
    chosen = {"columns": ["id"], "filters": [("number", ">", 1)], "revision": "v1.0.0"}
    told = {
        "v1": load(revision="v1.0.0"),
        "v2": load(revision="v2.0.0", num_proc=2),
        "more": load(NAME, "more"),
        "branch": load(revision="next"),
        "streamed": load(streaming=True, **chosen),
        "folder": load("mathv360k"),
        "pointer": load("pointer"),
        "pointer streamed": load("pointer", streaming=True),
    }
    Path("told.json").write_text(json.dumps(told))
"""
HELLO = "ce013625030ba8dba906f756967f9e9ca394464a"  # what git calls a file that says hello
SHARD = b"PAR1" + bytes(range(256)) * 40
DATASET: dict[str, Any] = {"repo_id": NAME, "repo_type": "dataset"}

USE_XET = """
import json
from pathlib import Path
from datasets import Dataset, load_dataset
from huggingface_hub import HfApi

NAME = "somebody/mathv360k"
api = HfApi()
api.create_repo(NAME, repo_type="dataset")
Dataset.from_dict({"id": ["a", "b"]}).to_parquet("folder/data/train.parquet")
Path("folder/README.md").write_text("hello")
api.upload_folder(repo_id=NAME, repo_type="dataset", folder_path="folder")
Path("told.json").write_text(json.dumps({"ids": load_dataset(NAME, split="train")["id"][:]}))
"""


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1000)  # what it goes on from
    with hub(tmp_path / "hub", token=TOKEN) as served:
        yield served


@pytest.fixture
def api(running: Hub) -> HfApi:
    return HfApi(running.url, token=TOKEN)


@pytest.fixture
def empty(api: HfApi) -> HfApi:
    """The client of a Hub with a repository that holds nothing yet."""
    api.create_repo(**DATASET)
    return api


def push(api: HfApi, files: dict[str, bytes], **how: Any) -> str:
    operations = [CommitOperationAdd(path, data) for path, data in files.items()]
    return api.create_commit(operations=operations, commit_message="push", **DATASET, **how).oid


def test_a_release_is_one_commit_and_a_tag(running: Hub, empty: HfApi) -> None:
    head = empty.repo_info(**DATASET).sha
    shard = CommitOperationAdd("data/train.parquet", SHARD)
    empty.preupload_lfs_files(additions=[shard], **DATASET)
    assert [commit.oid for commit in running.commits(NAME)] == [head]  # nothing to be seen yet
    released = empty.create_commit(
        operations=[shard, CommitOperationAdd("README.md", b"hello\n")],
        commit_message="1.0.0",
        commit_description="The first.",
        parent_commit=head,
        **DATASET,
    )
    empty.create_tag(tag="v1.0.0", revision=released.oid, **DATASET)

    assert [commit.oid for commit in running.commits(NAME, "v1.0.0")] == [released.oid, head]
    assert running.commits(NAME)[0].message == "The first."
    files = running.files(NAME, "v1.0.0")
    assert list(files) == [".gitattributes", "data/train.parquet", "README.md"]
    assert files["README.md"].blob == HELLO
    assert files["data/train.parquet"].sha256 == sha256(SHARD).hexdigest()
    assert files["data/train.parquet"].read() == SHARD
    assert [put.received for put in running.requests("PUT", "/lfs/")] == [len(SHARD)]
    refs = empty.list_repo_refs(**DATASET)
    assert [(tag.name, tag.target_commit) for tag in refs.tags] == [("v1.0.0", released.oid)]
    told = [commit.title for commit in empty.list_repo_commits(**DATASET)]
    assert told == ["1.0.0", "initial commit"]


def test_listings_tell_sizes_hashes_and_the_last_change(running: Hub, empty: HfApi) -> None:
    first = push(empty, {"README.md": b"hello\n", "data/a/1.parquet": SHARD})
    second = push(empty, {"data/b.txt": b"b"})
    running.page = 2
    entries = list(empty.list_repo_tree(recursive=True, expand=True, **DATASET))
    changes = {entry.path: entry.last_commit.oid for entry in entries if entry.last_commit}
    assert list(changes) == sorted(changes)
    del changes[".gitattributes"]
    assert changes == {
        "README.md": first,
        "data": second,
        "data/a": first,
        "data/a/1.parquet": first,
        "data/b.txt": second,
    }
    assert [e.path for e in empty.list_repo_tree(**DATASET, path_in_repo="data")] == [
        "data/a",
        "data/b.txt",
    ]
    shard, readme = empty.get_paths_info(
        paths=["data/a/1.parquet", "README.md", "nothing"], **DATASET
    )
    assert shard.lfs is not None
    assert (shard.size, shard.lfs.sha256) == (len(SHARD), sha256(SHARD).hexdigest())
    assert (readme.size, readme.blob_id, readme.lfs) == (6, HELLO, None)


def test_a_commit_can_delete(running: Hub, empty: HfApi) -> None:
    push(empty, {"data/1.txt": b"1", "data/2.txt": b"2", "database": b"3", "old": b"4"})
    gone = [CommitOperationDelete("data/"), CommitOperationDelete("old")]
    empty.create_commit(operations=gone, commit_message="less", **DATASET)
    assert list(running.files(NAME)) == [".gitattributes", "database"]
    with pytest.raises(EntryNotFoundError, match="doesn't exist"):
        empty.create_commit(operations=gone, commit_message="less", **DATASET)


def test_a_folder_is_uploaded(running: Hub, empty: HfApi, tmp_path: Path) -> None:
    push(empty, {"data/old.parquet": SHARD})
    (tmp_path / "folder" / "data").mkdir(parents=True)
    (tmp_path / "folder" / "README.md").write_bytes(b"hello\n")
    (tmp_path / "folder" / "data" / "new.parquet").write_bytes(SHARD[::-1])
    empty.upload_folder(folder_path=tmp_path / "folder", delete_patterns="data/*", **DATASET)
    files = running.files(NAME)
    assert sorted(files) == [".gitattributes", "README.md", "data/new.parquet"]
    assert files["data/new.parquet"].read() == SHARD[::-1]


def test_a_stale_parent_is_refused(running: Hub, empty: HfApi) -> None:
    head = running.commits(NAME)[0].oid
    later = push(empty, {"a": b"a"})
    with pytest.raises(HfHubHTTPError, match="A commit has happened since") as caught:
        push(empty, {"b": b"b"}, parent_commit=head)
    assert caught.value.response.status_code == 412
    assert running.commits(NAME)[0].oid == later


def test_a_commit_needs_the_bytes_of_its_large_files(running: Hub, empty: HfApi) -> None:
    shard = CommitOperationAdd("data/train.parquet", SHARD)
    empty.preupload_lfs_files(additions=[shard], free_memory=False, **DATASET)
    running.lfs_file(sha256(SHARD).hexdigest()).unlink()
    with pytest.raises(BadRequestError, match=r"Offending file: data/train\.parquet"):
        empty.create_commit(operations=[shard], commit_message="1.0.0", **DATASET)


def test_what_is_there_is_not_sent_again(running: Hub, empty: HfApi) -> None:
    first = push(empty, {"data/1.parquet": SHARD, "README.md": b"hello\n"})
    again = push(empty, {"data/1.parquet": SHARD, "README.md": b"hello\n"})
    assert again == first
    moved = push(empty, {"data/2.parquet": SHARD})
    assert [commit.oid for commit in running.commits(NAME)][:2] == [moved, first]
    assert len(running.requests("PUT", "/lfs/")) == 1


def test_only_announced_bytes_are_taken(running: Hub, empty: HfApi) -> None:
    oid = sha256(SHARD).hexdigest()
    assert get_session().put(f"{running.url}/lfs/{oid}", content=SHARD).status_code == 403
    running.awaited.add(oid)
    assert get_session().put(f"{running.url}/lfs/{oid}", content=SHARD[1:]).status_code == 400
    assert not running.lfs_file(oid).exists()
    pieces = (SHARD[n : n + 1000] for n in range(0, len(SHARD), 1000))  # sent chunked
    assert get_session().put(f"{running.url}/lfs/{oid}", content=pieces).status_code == 200
    assert running.lfs_file(oid).read_bytes() == SHARD


def test_tags_and_branches_are_made_once(running: Hub, empty: HfApi) -> None:
    empty.create_branch(branch="next", **DATASET)
    staged = push(empty, {"a": b"a"}, revision="next")
    empty.create_tag(tag="v1.0.0-rc1", revision="next", **DATASET)
    assert (list(running.files(NAME)), running.files(NAME, "v1.0.0-rc1")["a"].size) == (
        [".gitattributes"],
        1,
    )
    for again in (
        lambda: empty.create_tag(tag="v1.0.0-rc1", **DATASET),
        lambda: empty.create_branch(branch="next", **DATASET),
        lambda: empty.create_repo(**DATASET),
    ):
        with pytest.raises(HfHubHTTPError) as caught:
            again()
        assert caught.value.response.status_code == 409
    empty.delete_tag(tag="v1.0.0-rc1", **DATASET)
    empty.delete_branch(branch="next", **DATASET)
    assert running.repositories[NAME].tags == {}
    assert list(running.repositories[NAME].branches) == ["main"]
    assert empty.repo_info(revision=staged, **DATASET).sha == staged


def test_a_card_that_is_not_yaml_is_refused_before_anything_is_sent(empty: HfApi) -> None:
    with pytest.raises(ValueError, match="Invalid metadata"):
        push(empty, {"README.md": b"---\nlicense: [\n---\n"})


def test_what_a_token_is_for(running: Hub, api: HfApi) -> None:
    api.create_repo(private=True, **DATASET)
    stranger, forger = HfApi(running.url, token=False), HfApi(running.url, token="hf_wrong")
    assert api.repo_info(**DATASET).private
    with pytest.raises(RepositoryNotFoundError, match="401"):
        stranger.repo_info(**DATASET)
    with pytest.raises(HfHubHTTPError, match="Invalid credentials"):
        forger.repo_info(**DATASET)
    api.update_repo_settings(private=False, **DATASET)
    assert stranger.repo_info(**DATASET).private is False
    with pytest.raises(HfHubHTTPError, match="401"):
        push(stranger, {"a": b"a"})
    with pytest.raises(HfHubHTTPError, match="Invalid username or password"):
        stranger.create_repo("somebody/else", repo_type="dataset")
    assert list(running.repositories) == [NAME]
    assert TOKEN not in repr(running.log)
    api.delete_repo(**DATASET)
    with pytest.raises(RepositoryNotFoundError, match="404"):
        api.repo_info(**DATASET)


def test_what_is_not_there_has_a_name(empty: HfApi) -> None:
    with pytest.raises(RevisionNotFoundError):
        empty.repo_info(revision="v9.9.9", **DATASET)
    with pytest.raises(EntryNotFoundError):
        empty.hf_hub_download(filename="nothing", **DATASET)
    with pytest.raises(EntryNotFoundError):
        list(empty.list_repo_tree(path_in_repo="nothing", **DATASET))
    with pytest.raises(RepositoryNotFoundError):
        empty.repo_info("somebody/else", repo_type="dataset")


@pytest.mark.parametrize(
    ("asked", "status", "body", "told"),
    [
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=4-", 206, b"456789", "bytes 4-9/10"),
        ("bytes=-3", 206, b"789", "bytes 7-9/10"),
        ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
        ("bytes=10-11", 416, None, "bytes */10"),
    ],
)
def test_ranges(
    running: Hub, tmp_path: Path, asked: str, status: int, body: bytes | None, told: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "digits.parquet").write_bytes(b"0123456789")
    running.serve(tmp_path / "folder", NAME, tag="v1.0.0")
    url = f"{running.url}/datasets/{NAME}/resolve/v1.0.0/digits.parquet"
    answer = get_session().get(url, headers={"Range": asked})
    assert (answer.status_code, answer.headers["Content-Range"]) == (status, told)
    assert body is None or answer.content == body
    assert running.log[-1].range == asked


@pytest.mark.parametrize("status", [401, 403, 412, 429, 500, 502, 503, 504, 507])
def test_an_error_comes_once_and_nothing_happens(running: Hub, empty: HfApi, status: int) -> None:
    running.fail("POST", "/commit/", status=status, message="As told")
    with pytest.raises(HfHubHTTPError) as caught:
        push(empty, {"a": b"a"})
    assert caught.value.response.status_code == status
    assert caught.value.response.json() == {"error": "As told"}
    assert len(running.commits(NAME)) == 1
    push(empty, {"a": b"a"})
    assert len(running.commits(NAME)) == 2


def test_a_commit_can_land_although_the_client_saw_an_error(running: Hub, empty: HfApi) -> None:
    running.fail("POST", "/commit/", status=504, landed=True)
    running.fail("POST", "/commit/", drop=10, landed=True)
    with pytest.raises(HfHubHTTPError, match="504"):
        push(empty, {"a": b"a"})
    with pytest.raises(Exception, match="peer closed connection"):
        push(empty, {"b": b"b"})
    assert list(running.files(NAME)) == [".gitattributes", "a", "b"]
    assert [r.sent for r in running.requests("POST", "/commit/")][1] == 10


def test_an_upload_that_broke_is_sent_again(running: Hub, empty: HfApi) -> None:
    running.fail("PUT", "/lfs/", drop=5000)
    running.fail("PUT", "/lfs/", status=503, after=1)
    push(empty, {"data/1.parquet": SHARD, "data/2.parquet": SHARD[::-1]}, num_threads=1)
    told = [(put.status, put.received) for put in running.requests("PUT", "/lfs/")]
    assert told == [(0, 5000), (200, len(SHARD)), (503, len(SHARD)), (200, len(SHARD))]
    assert running.files(NAME)["data/2.parquet"].sha256 == sha256(SHARD[::-1]).hexdigest()


def test_a_download_that_broke_goes_on_where_it_was(
    running: Hub, empty: HfApi, tmp_path: Path
) -> None:
    push(empty, {"data/1.parquet": SHARD})
    running.fail("GET", "/resolve/", drop=4000)
    path = empty.hf_hub_download(filename="data/1.parquet", local_dir=tmp_path / "d", **DATASET)
    assert Path(path).read_bytes() == SHARD
    told = [(get.range, get.sent) for get in running.requests("GET", "/resolve/")]
    assert told == [(None, 4000), ("bytes=4000-", len(SHARD) - 4000)]


def test_faults_can_be_late_several_and_slow(running: Hub, empty: HfApi) -> None:
    late = running.fail("GET", "/whoami", status=403, after=1, times=2)
    running.fail("GET", "/refs", delay=0.3)
    statuses = [
        get_session().get(
            f"{running.url}/api/whoami-v2", headers={"Authorization": f"Bearer {TOKEN}"}
        )
        for _ in range(4)
    ]
    assert [answer.status_code for answer in statuses] == [200, 403, 403, 200]
    assert late.met == 4
    answer = get_session().get(f"{running.url}/api/datasets/{NAME}/refs")
    assert answer.elapsed.total_seconds() > 0.3


def test_a_limit_says_when_to_come_again(running: Hub, empty: HfApi) -> None:
    running.fail("GET", "/refs", status=429, retry_after=7)
    answer = get_session().get(f"{running.url}/api/datasets/{NAME}/refs")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
    assert answer.json() == {"error": "Too Many Requests"}


def test_a_shard_is_never_in_memory_whole(running: Hub, empty: HfApi, tmp_path: Path) -> None:
    shard = tmp_path / "shard.parquet"
    with shard.open("wb") as file:
        file.truncate(64_000_000)
    tracemalloc.start()
    try:
        empty.upload_file(path_or_fileobj=shard, path_in_repo="shard.parquet", **DATASET)
        empty.hf_hub_download(filename="shard.parquet", local_dir=tmp_path / "d", **DATASET)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (tmp_path / "d" / "shard.parquet").stat().st_size == 64_000_000
    assert peak < 8_000_000


def run(script: str, running: Hub, folder: Path) -> dict[str, Any]:
    """What a script tells that uses the Hub from a process of its own."""
    (folder / "script.py").write_text(script)
    command = [sys.executable, "script.py"]
    environment = running.environment(folder / "home")
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "told.json").read_text())


def test_datasets_pushes_and_loads(tmp_path: Path) -> None:
    with hub(tmp_path / "hub", token=TOKEN) as running:
        told = run(USE_DATASETS, running, tmp_path)
    first, second = ["a0", "a1", "a2", "a3"], ["b0", "b1", "b2"]
    assert told == {
        "v1": first,
        "v2": second,
        "more": ["m0", "m1"],
        "branch": ["n0"],
        "streamed": ["a2", "a3"],
        "folder": second,
        "pointer": first,
        "pointer streamed": first,
    }
    assert "data/test-00000-of-00001.parquet" in running.files(NAME, "v1.0.0")
    assert TOKEN not in repr(running.log)


def test_large_files_can_lie_in_the_store_of_hf_xet(tmp_path: Path) -> None:
    (tmp_path / "folder" / "data").mkdir(parents=True)
    with hub(tmp_path / "hub", token=TOKEN, xet=True) as running:
        assert run(USE_XET, running, tmp_path) == {"ids": ["a", "b"]}
    shard = running.files(NAME)["data/train.parquet"]
    there = (tmp_path / "folder" / "data" / "train.parquet").read_bytes()
    assert (shard.size, shard.sha256) == (len(there), sha256(there).hexdigest())
    assert shard.xet is not None
    assert not running.requests("PUT")
