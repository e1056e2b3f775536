"""The commands `mathv360k eval …` as a user gives them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from mathv360k.eval.generate import asked_by
from mathv360k.eval.problems import read_problems
from teacher_server import Body, Say, prompt_of, teacher_server
from tiny_models import write_llava


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "mathv360k", "eval", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_a_model_is_run_on_drawn_problems_and_scored(tmp_path: Path) -> None:
    write_llava(tmp_path / "llava")
    words = ("run", "--benchmark", "drawn", "--model", "llava", "--limit", "6", "--device", "cpu",
             "--max-new-tokens", "4")  # fmt: skip
    done = run(tmp_path, *words)
    assert done.returncode == 0, done.stderr
    assert "llava: 0 of 6 right" in done.stdout
    assert "Outputs, prompt mathv360k: drawn-llava.jsonl" in done.stdout
    told = json.loads(run(tmp_path, *words, "--json").stdout)
    scored = run(tmp_path, "score", "drawn-llava.jsonl", "--benchmark", "drawn", "--json")
    assert json.loads(scored.stdout)["items"] == told["items"]


def test_a_server_is_run_by_its_address_alone(tmp_path: Path) -> None:
    asked = asked_by(read_problems("drawn", limit=6), "drawn", "plain")
    golds = {one.prompt: one.problem.row["answer"] for one in asked}

    def mostly(body: Body, _: int) -> Say:
        prompt = prompt_of(body)
        return Say("I do not know." if prompt == asked[0].prompt else golds[prompt])

    with teacher_server(mostly) as server:
        done = run(
            tmp_path, "run", "--benchmark", "drawn", "--endpoint", server.url, "--limit", "6",
            "--prompt", "plain", "--out", "o.jsonl", "--json",
        )  # fmt: skip
    told = json.loads(done.stdout)
    assert (told["correct"], told["total"], told["model"]) == (5, 6, "m")
    assert (tmp_path / "mathv360k.ledger").exists()


def test_prompts_are_written_for_models_that_are_asked_elsewhere(tmp_path: Path) -> None:
    done = run(tmp_path, "prompts", "--benchmark", "drawn", "--limit", "3", "--out", "p.jsonl")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in (tmp_path / "p.jsonl").read_text().splitlines()]
    asked = asked_by(read_problems("drawn", limit=3), "drawn", None)
    assert rows == [{"id": one.problem.id, "prompt": one.prompt} for one in asked]


def test_extract_and_judge_say_what_was_asked(tmp_path: Path) -> None:
    row = {"sample_index": "1", "problem_version": "Text Lite", "question": "How long?",
           "answer": "14", "question_type": "free-form", "model_answer": "It is 14."}  # fmt: skip
    (tmp_path / "in.json").write_text(json.dumps([row]))

    def model(body: Body, _: int) -> Say:
        return Say("1" if prompt_of(body).endswith("Judgement:") else "14")

    with teacher_server(model) as server:
        asked = ("--model", "m", "--base-url", server.url)
        extracted = run(
            tmp_path, "extract", "in.json", "--benchmark", "mathverse", *asked, "--out", "x.json"
        )
        judged = run(tmp_path, "judge", "x.json", *asked, "--out", "j.json", "--json")
    assert "x.json: 1 asked, 0 decided by rule, 0 were there already." in extracted.stdout
    assert json.loads(judged.stdout) == {"file": "j.json", "kept": 0, "asked": 1, "failed": []}
    told = run(tmp_path, "score", "j.json", "--benchmark", "mathverse", "--rules", "judged")
    assert "1 of 1 right" in told.stdout


def test_a_run_without_a_model_is_refused(tmp_path: Path) -> None:
    done = run(tmp_path, "run", "--benchmark", "drawn")
    assert done.returncode == 2
    assert "Name the model with --model, or a server that has one with --endpoint" in done.stderr
