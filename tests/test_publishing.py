"""Push, get, link and verify as a user runs them, against a Hub on loopback."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import mathv360k
from hub_server import Hub, hub
from mathv360k import Recipe, read_recipe
from mathv360k.pipeline import write_dataset
from pools import diagram, encoded, pool_of, question

TOKEN = "hf_thisIsASecretOfTheTests"
REPOSITORY = "somebody/mathv360k"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two datasets: `one` has three splits, `other` has more images, all in one."""
    root = tmp_path_factory.mktemp("built")
    demo = read_recipe("demo")
    mathv360k.build(demo.limited(30), root / "one")
    mathv360k.build(demo.limited(36).model_copy(update={"splits": {"train": 1.0}}), root / "other")
    return {name: root / name for name in ("one", "other")}


class User:
    """Somebody with a folder, a token and the command."""

    def __init__(self, server: Hub, folder: Path) -> None:
        self.hub, self.folder = server, folder
        self.environment = server.environment(folder / "home")

    def start(self, *words: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "mathv360k", *map(str, words)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=self.environment, cwd=self.folder,
        )  # fmt: skip

    def run(self, *words: object, code: int = 0) -> str:
        process = self.start(*words)
        out, err = process.communicate(timeout=120)
        assert process.returncode == code, out + err
        assert TOKEN not in out + err
        return out if code == 0 else out + err

    def manifest(self, name: str) -> dict[str, Any]:
        return json.loads((self.folder / name / "manifest.json").read_text())

    def json(self, *words: object, code: int = 0) -> dict[str, Any]:
        return json.loads(self.run(*words, "--json", code=code))

    def python(self, script: str) -> str:
        done = subprocess.run(
            [sys.executable, "-P", "-c", script],  # no folder here hides the package
            capture_output=True, text=True, env=self.environment, cwd=self.folder, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def user(tmp_path: Path, built: dict[str, Path]) -> Iterator[User]:
    folder = tmp_path / "user"
    folder.mkdir()
    for name, path in built.items():
        shutil.copytree(path, folder / name)
    with hub(tmp_path / "hub", token=TOKEN) as server:
        yield User(server, folder)


def names(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def test_a_push_is_one_commit_and_a_tag_with_all_files(user: User) -> None:
    dry = user.json("push", "one", REPOSITORY, "--dry-run")
    assert REPOSITORY not in user.hub.repositories
    told = user.json("push", "one", REPOSITORY)
    files = names(user.folder / "one")
    assert set(told["send"]) == set(dry["send"]) == files
    assert told["bytes"] == sum((user.folder / "one" / name).stat().st_size for name in files)
    first, *initial = user.hub.commits(REPOSITORY)
    assert first.oid == told["commit"]
    assert len(initial) == 1
    assert user.hub.repositories[REPOSITORY].tags == {"v1.0.0": first.oid}
    assert user.hub.repositories[REPOSITORY].private
    assert set(user.hub.files(REPOSITORY)) == files | {".gitattributes"}

    again = user.json("push", "one", REPOSITORY)
    assert (again["send"], again["delete"], again["tag"]) == ({}, [], None)
    assert len(user.hub.commits(REPOSITORY)) == 2


def test_the_next_version_is_numbered_by_what_changed_and_old_files_go(user: User) -> None:
    user.run("push", "one", REPOSITORY)
    told = user.json("push", "other", REPOSITORY)
    assert told["version"] == "2.0.0"  # rows of two splits went to the third
    difference = user.json("diff", f"{REPOSITORY}@v1.0.0", "other")
    assert (difference["level"], difference["next"]) == ("major", "2.0.0")
    assert difference["moved"] > 0
    history = user.manifest("other")["history"]
    assert [(h["version"], h["since"], h["level"]) for h in history] == [
        ("2.0.0", "1.0.0", "major"),
        ("1.0.0", None, "first"),
    ]
    assert history[0]["added"] == difference["added"] > 0
    assert set(user.hub.repositories[REPOSITORY].tags) == {"v1.0.0", "v2.0.0"}
    there = set(user.hub.files(REPOSITORY)) - {".gitattributes"}
    assert there == names(user.folder / "other")
    assert {"data/default/test-00000-of-00001.parquet"} < set(told["delete"])
    both = user.python(
        "import datasets\n"
        "for tag in ('v1.0.0', 'v2.0.0'):\n"
        f"    print(len(datasets.load_dataset('{REPOSITORY}', 'images', revision=tag)['train']))"
    )
    counts = [user.manifest(n)["splits"]["train"]["images"] for n in ("one", "other")]
    assert [int(n) for n in both.split()] == counts
    assert user.json("verify", REPOSITORY)["ok"]


def test_the_same_content_built_again_keeps_its_number(user: User, built: dict[str, Path]) -> None:
    user.run("push", "one", REPOSITORY)
    user.run("push", "other", REPOSITORY)
    shutil.rmtree(user.folder / "other")
    shutil.copytree(built["other"], user.folder / "other")
    assert user.manifest("other")["version"] == "1.0.0"
    told = user.json("push", "other", REPOSITORY)
    assert (told["version"], told["send"], told["tag"]) == ("2.0.0", {}, None)
    assert user.manifest("other")["version"] == "2.0.0"


def test_a_new_branch_has_nothing_of_main_left(user: User) -> None:
    user.run("push", "one", REPOSITORY)
    user.run("push", "other", REPOSITORY, "--revision", "staging")
    there = set(user.hub.files(REPOSITORY, "staging")) - {".gitattributes"}
    assert there == names(user.folder / "other")
    assert set(user.hub.files(REPOSITORY)) - {".gitattributes"} == names(user.folder / "one")


@pytest.mark.parametrize(
    ("method", "path", "after"),
    [("PUT", "/lfs/", 0), ("PUT", "/lfs/", 6), ("POST", "/commit/", 0), ("POST", "/tag/", 0)],
)
def test_a_push_killed_anywhere_is_finished_by_the_next(
    user: User, method: str, path: str, after: int
) -> None:
    """Up to the commit main is as it was; nothing that came whole is sent twice."""
    fault = user.hub.fail(method, path, delay=60, after=after, times=99)
    process = user.start("push", "one", REPOSITORY)
    deadline = time.monotonic() + 60
    arrived: list[str] = []
    while fault.met <= after or len(arrived) < after:
        assert time.monotonic() < deadline
        time.sleep(0.05)
        arrived = [r.path for r in user.hub.requests("PUT", "/lfs/") if r.status == 200]
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert len(user.hub.commits(REPOSITORY)) == (2 if path == "/tag/" else 1)
    assert user.hub.repositories[REPOSITORY].tags == {}
    user.hub.faults.clear()
    arrived = [r.path for r in user.hub.requests("PUT", "/lfs/") if r.status == 200]
    before = len(user.hub.log)
    user.run("push", "one", REPOSITORY)
    again = [r.path for r in user.hub.log[before:] if r.method == "PUT"]
    large = [n for n in names(user.folder / "one") if n.endswith((".parquet", ".png"))]
    assert not set(arrived) & set(again)
    assert len(arrived) + len(again) == len(large)
    assert len(user.hub.commits(REPOSITORY)) == 2
    assert set(user.hub.repositories[REPOSITORY].tags) == {"v1.0.0"}


def test_a_commit_that_landed_although_the_hub_failed_is_not_made_twice(user: User) -> None:
    user.hub.fail("POST", "/commit/", status=504, landed=True)
    user.run("push", "one", REPOSITORY)
    assert len(user.hub.commits(REPOSITORY)) == 2
    assert set(user.hub.repositories[REPOSITORY].tags) == {"v1.0.0"}


def test_failures_that_pass_are_waited_for(user: User) -> None:
    user.hub.fail("POST", "/commit/", status=500)
    user.hub.fail("PUT", "/lfs/", status=503)
    user.run("push", "one", REPOSITORY)
    assert len(user.hub.commits(REPOSITORY)) == 2


@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [
        ("POST", "/commit/", 412, "somebody else changed main"),
        ("POST", "/repos/create", 401, "refuses the token"),
        ("POST", "/commit/", 507, "no room"),
        ("PUT", "/lfs/", 403, "refuses the token"),
    ],
)
def test_failures_that_stay_are_one_sentence(
    user: User, method: str, path: str, status: int, said: str
) -> None:
    user.hub.fail(method, path, status=status, times=99)
    output = user.run("push", "one", REPOSITORY, code=1)
    assert said in output
    assert len(output.strip().splitlines()) == 1


def meanwhile(user: User, fault: Any, act: Callable[[], object]) -> str:
    """What a push says that fails because of what happens while a request of its waits."""
    process = user.start("push", "one", REPOSITORY)
    deadline = time.monotonic() + 60
    while not fault.met:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    act()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1, out + err
    return err


def test_a_change_by_somebody_else_is_not_overwritten(user: User) -> None:
    fault = user.hub.fail("POST", "/commit/", delay=3)
    said = meanwhile(
        user, fault, lambda: user.hub.serve(user.folder / "other", REPOSITORY, private=True)
    )
    assert "somebody else changed main" in said
    assert set(user.hub.files(REPOSITORY)) >= names(user.folder / "other")
    assert user.hub.repositories[REPOSITORY].tags == {}


def test_what_the_hub_lost_is_noticed_and_not_tagged(user: User) -> None:
    fault = user.hub.fail("GET", "/tree/", delay=3)
    lost = "data/images/train-00000-of-00001.parquet"
    said = meanwhile(user, fault, lambda: user.hub.files(REPOSITORY).pop(lost))
    assert "the files there are not those of one" in said
    assert user.hub.repositories[REPOSITORY].tags == {}
    assert user.json("push", "one", REPOSITORY)["send"].keys() == {lost}


def test_a_name_without_a_namespace_is_refused(user: User) -> None:
    assert "give NAMESPACE/NAME" in user.run("push", "one", "mathv360k", code=2)
    assert not user.hub.log


def test_a_version_that_is_tagged_never_changes(user: User) -> None:
    user.run("push", "one", REPOSITORY, "--revision", "staging", "--tag")
    output = user.run("push", "other", REPOSITORY, code=2)
    assert "a version is never changed" in output


def test_a_branch_is_not_tagged(user: User) -> None:
    told = user.json("push", "one", REPOSITORY, "--revision", "staging")
    assert told["tag"] is None
    assert user.hub.repositories[REPOSITORY].tags == {}
    assert len(user.hub.commits(REPOSITORY, "main")) == 1
    assert len(user.hub.commits(REPOSITORY, "staging")) == 2


def test_a_damaged_file_is_not_published(user: User) -> None:
    flip(next((user.folder / "one" / "data" / "images").glob("train-*")), 1000)
    output = user.run("push", "one", REPOSITORY, code=1)
    assert "is not what the manifest says" in output
    assert len(user.hub.commits(REPOSITORY)) == 1


def test_what_is_got_is_what_was_pushed(user: User) -> None:
    user.run("push", "one", REPOSITORY)
    user.hub.fail("GET", "/resolve/.*images/train", status=500, times=99)
    user.run("get", f"{REPOSITORY}@v1.0.0", code=1)
    assert not (user.folder / "mathv360k").exists()
    user.hub.faults.clear()
    user.run("get", f"{REPOSITORY}@v1.0.0")
    assert names(user.folder / "mathv360k") == names(user.folder / "one")
    for name in names(user.folder / "one"):
        copy, original = (user.folder / folder / name for folder in ("mathv360k", "one"))
        assert copy.read_bytes() == original.read_bytes()
    assert "not there" not in user.run("verify", "mathv360k")


def test_a_link_is_read_from_the_hub(user: User) -> None:
    user.run("push", "one", REPOSITORY)
    told = user.json("link", REPOSITORY)
    assert told["revision"] == "v1.0.0"
    size = sum(p.stat().st_size for p in (user.folder / "mathv360k").iterdir())
    assert size < 20_000
    shutil.rmtree(user.folder / "home")
    stock, ours = user.python(
        "import datasets, mathv360k\n"
        "print(len(datasets.load_dataset('mathv360k', 'images', split='train')))\n"
        "print(len(mathv360k.load('mathv360k', 'images', split='train')))"
    ).split()
    manifest = json.loads((user.folder / "one" / "manifest.json").read_text())
    assert int(stock) == int(ours) == manifest["splits"]["train"]["images"]
    assert f"./mathv360k: links to {REPOSITORY} at v1.0.0" in user.run("doctor")
    user.run("get", REPOSITORY)  # in the place of the link
    assert (user.folder / "mathv360k" / "data").is_dir()


def flip(path: Path, place: int) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 0x10
    path.write_bytes(data)


def test_everybody_sees_only_images_that_may_be_published(user: User) -> None:
    picture = encoded(diagram(1))
    rows = [("GEOS", question("1.png", picture, "What?", "1")),
            ("One", question("2.png", encoded(diagram(2)), "What?", "1"))]  # fmt: skip
    folder = user.folder / "closed"
    write_dataset(Recipe(name="closed"), pool_of(user.folder / "pool", rows), folder)
    user.run("push", "closed", REPOSITORY, "--public")
    assert not user.hub.repositories[REPOSITORY].private
    sent = b"".join(e.read() for n, e in user.hub.files(REPOSITORY).items() if "parquet" in n)
    assert picture not in sent
    assert encoded(diagram(2)) in sent
    assert user.json("verify", REPOSITORY)["ok"]

    output = user.run("push", "closed", REPOSITORY, code=2)
    assert "Images of GEOS may not be published again" in output
    user.run("push", "closed", REPOSITORY, "--rehost", "GEOS")
    sent = b"".join(e.read() for n, e in user.hub.files(REPOSITORY).items() if "parquet" in n)
    assert picture in sent


def test_a_private_repository_is_not_made_public(user: User) -> None:
    user.run("push", "one", REPOSITORY)
    assert "is private" in user.run("push", "one", REPOSITORY, "--public", code=2)
    assert user.hub.repositories[REPOSITORY].private


def test_a_dataset_at_the_hub_is_verified_as_a_folder_is(user: User) -> None:
    user.run("push", "one", REPOSITORY)
    copy = user.folder / "copy"
    shutil.copytree(user.folder / "one", copy)
    flip(copy / "quarantine.parquet", 30)
    (copy / "data" / "default" / "train-00001-of-00002.parquet").write_bytes(b"stray")
    (copy / "README.md").unlink()
    user.hub.serve(copy, REPOSITORY, private=True)
    told = user.json("verify", REPOSITORY, code=1)
    found = sorted((p["where"], p["detail"].split(" the sha256")[0]) for p in told["problems"])
    assert found == [
        ("README.md", "is missing"),
        ("data/default/train-00001-of-00002.parquet", "is not in the manifest"),
        ("quarantine.parquet", "has"),
    ]


def test_files_go_through_xet_too(tmp_path: Path, built: dict[str, Path]) -> None:
    folder = tmp_path / "user"
    folder.mkdir()
    with hub(tmp_path / "hub", token=TOKEN, xet=True) as server:
        user = User(server, folder)
        user.run("push", built["one"], REPOSITORY)
        assert not server.requests("PUT", "/lfs/")
        assert user.json("push", built["one"], REPOSITORY)["send"] == {}
        user.run("get", REPOSITORY, "--out", "copy")
    for name in names(built["one"]):
        assert (folder / "copy" / name).read_bytes() == (built["one"] / name).read_bytes()


def test_where_nobody_answers_that_is_said(user: User) -> None:
    user.environment["HF_ENDPOINT"] = "http://127.0.0.1:9"
    said = user.run("push", "one", REPOSITORY, "--dry-run", code=1)
    assert said.endswith(
        "the Hub cannot be reached; run the command again while there is a network.\n"
    )
