"""The command: sentences, exit codes, and JSON for machines."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from mathv360k.builder.sources import SOURCES


def run(words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mathv360k", *shlex.split(words)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def answer(words: str, folder: Path) -> Any:
    done = run(f"{words} --json", folder)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_build_prints_a_table_of_what_it_made(tmp_path: Path) -> None:
    done = run("build --limit 17 --seed 5", tmp_path)
    assert done.returncode == 0
    assert "demo 1.0.0 in mathv360k" in done.stdout
    assert "17 │       187 │" in done.stdout  # 3 originals of each, and 8 by the teacher
    assert 'load_dataset("mathv360k")' in done.stdout
    assert run("build --limit 17 --seed 5 --quiet", tmp_path).stdout == ""
    manifest = answer("build --limit 17 --seed 5", tmp_path)
    assert manifest["folder"] == "mathv360k"
    assert manifest["parameters"]["seed"] == 5
    assert manifest["sources"]["drawn"]["images"] == 17


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("build nothing", 2, "Unknown recipe 'nothing'; give demo, demo-clip, paper, release or"),
        ("build nowhere.yaml", 2, "nowhere.yaml cannot be read"),
        ("build --source-root nowhere", 2, "nowhere is not a folder"),
        ("build --source-root .", 2, "No source is complete below ."),
        ("build release", 2, "names no sources"),
        ("build demo --pool nowhere", 1, "nowhere is not a finished pool"),
        ("build --out theirs", 1, "theirs/file is not a file that mathv360k wrote"),
        ("import nowhere.json theirs", 2, "nowhere.json does not exist"),
        ("import rows.json nowhere.zip", 2, "nowhere.zip does not exist"),
        ("import rows.json theirs", 1, "holds no folder of a source"),
        ("build --out .", 2, ". holds the current directory"),
        ("build --out ..", 2, ".. holds the current directory"),
        ("build --out ''", 2, "holds the current directory"),
        ("build --pool theirs", 2, "With --pool give a recipe"),
        ("build demo --pool theirs --limit 3", 2, "With --pool give a recipe"),
        ("build demo --pool theirs", 1, "theirs is not a finished pool"),
        ("import rows.json broken.zip", 1, "broken.zip is not a readable zip"),
        ("sources --source TabMWPP", 2, "did you mean TabMWP"),
        ("sources --check nowhere", 2, "nowhere is not a folder"),
    ],
)
def test_every_failure_is_one_sentence(words: str, code: int, said: str, tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "file").write_text("theirs")
    (tmp_path / "rows.json").write_text("[]")
    (tmp_path / "broken.zip").write_bytes(b"PK\x05\x06" + bytes([255]) * 18)
    done = run(words, tmp_path)
    assert done.returncode == code
    assert done.stderr.startswith("error: ")
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
    assert (tmp_path / "theirs" / "file").read_text() == "theirs"


@pytest.mark.parametrize("words", ["build --limit 0", "build --nonsense", "nonsense", "import"])
def test_a_wrong_call_has_exit_code_2(words: str, tmp_path: Path) -> None:
    done = run(words, tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_ctrl_c_at_any_moment_is_one_sentence(tmp_path: Path) -> None:
    for moment in (0.15, 0.3, 0.6):
        command = [sys.executable, "-m", "mathv360k", "build", "--limit", "500", "--quiet"]
        with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
            time.sleep(moment)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate()
        assert process.returncode == 1, (moment, said)
        assert said.startswith("error: Interrupted;")
        assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_version(tmp_path: Path) -> None:
    assert run("--version", tmp_path).stdout.startswith("mathv360k 0.")


def test_malformed_annotations_name_the_line(tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_text('[\n{"id": "identity_0"},\n{"id": oops}\n]')
    (tmp_path / "images" / "TabMWP").mkdir(parents=True)
    done = run("import rows.json images", tmp_path)
    assert done.returncode == 1
    assert "rows.json, line 3, column 8" in done.stderr
    assert not (tmp_path / "mathv360k").exists()


def test_nothing_usable_is_said_with_where_to_look(tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_text('[{"id": "identity_0"}]')
    (tmp_path / "images" / "TabMWP").mkdir(parents=True)
    done = run("import rows.json images", tmp_path)
    assert done.returncode == 1
    assert "Not one usable question was found; mathv360k.pool/quarantine.parquet" in done.stderr


def test_sources_lists_all_24(tmp_path: Path, shared_sources: Path) -> None:
    listed = answer("sources", tmp_path)["sources"]
    assert [row["name"] for row in listed] == list(SOURCES)
    assert len(listed) == 24
    assert all(row["obtain"] and row["license"] and row["attribution"] for row in listed)
    shown = run("sources", tmp_path).stdout
    assert all(name in shown for name in SOURCES)
    assert "arXiv:2209.14610" in run("sources --source TabMWP", tmp_path).stdout


def test_sources_checks_what_is_there(tmp_path: Path, shared_sources: Path) -> None:
    rows = answer(f"sources --check '{shared_sources}' --limit 30", tmp_path)["sources"]
    found = {row["name"]: row for row in rows}
    assert len(found) == 24
    for name in ("Geometry3K", "ChartQA", "VQA-RAD", "GEOS", "VQA2.0"):
        assert found[name]["found"]
        assert found[name]["images"] == 30
        assert found[name]["usable"] >= 30
        assert len(found[name]["questions"]) == 3
    assert found["TabMWP"]["files"] == {"problems_train.json": False, "tables/*.png": True}
    assert "problems_train.json is not in" in found["TabMWP"]["error"]
    assert not found["DVQA"]["folder"]
    shown = run(f"sources --check '{shared_sources}' --limit 30", tmp_path).stdout
    assert "GEOS" in shown
    assert "lacks problems_train.json" in shown


def test_sources_reads_the_validation_part_on_demand(tmp_path: Path, shared_sources: Path) -> None:
    call = f"sources --check '{shared_sources}' --source TabMWP --validation"
    (row,) = answer(call, tmp_path)["sources"]
    assert (row["images"], row["usable"], row["images_missing"]) == (1000, 1000, 0)
    assert run("sources --validation --allow-test", tmp_path).returncode == 2


def test_sources_shows_how_one_is_read(tmp_path: Path, shared_sources: Path) -> None:
    call = f"sources --check '{shared_sources}' --source ChartQA --limit 5 --preview out.html"
    done = run(call, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "out.html shows 5 pictures." in done.stdout
    assert (tmp_path / "out.html").read_text(encoding="utf-8").count("<article>") == 5
    done = run("sources --source ChartQA --preview out.html", tmp_path)
    assert done.returncode == 2
    assert "give --source NAME and --check ROOT too" in done.stderr


def test_doctor_warns_of_a_folder_that_hides_the_dataset(tmp_path: Path) -> None:
    checks = {check["name"]: check for check in answer("doctor", tmp_path)["checks"]}
    assert checks["datasets"]["status"] == "good"
    assert checks["./mathv360k"]["status"] == "note"
    (tmp_path / "mathv360k").mkdir()
    (tmp_path / "mathv360k" / "schema.json").write_text("{}")
    done = run("doctor", tmp_path)
    assert done.returncode == 1
    assert "./mathv360k: is not a dataset" in done.stdout


@pytest.mark.parametrize(
    ("typed", "offered"), [("sco", ["score"]), ("ver", ["verify-answers", "verify"])]
)
def test_the_shell_completes_commands(typed: str, offered: list[str]) -> None:
    asked = {"COMP_WORDS": f"mathv360k {typed}", "COMP_CWORD": "1"}
    environment = {**os.environ, **asked, "_MATHV360K_COMPLETE": "complete_bash"}
    command = Path(sys.executable).with_name("mathv360k")
    done = subprocess.run([command], capture_output=True, text=True, check=False, env=environment)
    assert done.stdout.split() == offered
