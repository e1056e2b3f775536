"""Extraction and judgement by a model: the official prompts go out, the official fields come in."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from mathv360k.errors import OutputError, TeacherError, UsageError
from mathv360k.eval.asked_extraction import extract, judge, official_rule
from mathv360k.eval.prompts import mathverse, mathvista
from mathv360k.eval.scoring import score
from mathv360k.synthesis.asking import Asking
from mathv360k.synthesis.window import Limits
from teacher_server import Body, Say, prompt_of, teacher_server

ROW = {
    "pid": "1",
    "question": "Which?",
    "question_type": "multi_choice",
    "answer_type": "text",
    "answer": "blue",
    "choices": ["red", "blue"],
    "precision": None,
    "unit": None,
    "query": "Question: Which?",
    "response": "I think that it is the second one.",
    "metadata": {},
    "mine": "stays",
}
VERSE = {
    "sample_index": "7",
    "problem_version": "Vision Only",
    "question": "",
    "question_for_eval": "How long is AB?",
    "answer": "14",
    "question_type": "free-form",
    "metadata": {"subject": "Plane Geometry", "subfield": "Length"},
    "model_answer": "So AB is 14 cm",
}


def asking_of(folder: Path, url: str, **changes: Any) -> Asking:
    return Asking(folder / "ledger", base_url=url, limits=Limits(8), timeout=20, **changes)


def write(path: Path, said: Any) -> Path:
    path.write_text(json.dumps(said))
    return path


@pytest.mark.parametrize(
    ("response", "changes", "extraction"),
    [
        ("", {}, ""),
        ("blue", {}, "blue"),
        ("Blue", {}, None),
        (" 7 ", {"question_type": "free_form", "answer_type": "integer"}, "7"),
        ("7.0", {"question_type": "free_form", "answer_type": "integer"}, None),
        ("7", {"question_type": "free_form", "answer_type": "float"}, "7.0"),
        ("[1]", {"question_type": "free_form", "answer_type": "list"}, None),
    ],
)
def test_the_official_rules_go_first(
    response: str, changes: dict[str, Any], extraction: str | None
) -> None:
    assert official_rule(response, {**ROW, **changes}) == extraction


def test_only_what_is_missing_is_asked_and_nothing_else_changes(tmp_path: Path) -> None:
    rows = {
        "1": ROW,
        "2": {**ROW, "pid": "2", "response": "blue"},
        "3": {**ROW, "pid": "3", "extraction": "A"},
        "4": {**ROW, "pid": "4", "extraction": " ", "response": ""},
    }
    file, out = write(tmp_path / "in.json", rows), tmp_path / "out.json"
    with teacher_server(lambda *_: Say(" B \n")) as server:
        asking = asking_of(tmp_path, server.url)
        told = extract(file, "mathvista", "m", out, asking)
        assert told == {"file": str(out), "kept": 1, "by_rule": 2, "asked": 1, "failed": []}
        (body,) = server.bodies
        assert body["temperature"] == 0.0
        assert body["messages"][0]["content"] == mathvista.extraction(ROW["query"], ROW["response"])
        extract(file, "mathvista", "m", out, asking)
        assert len(server.bodies) == 1  # it is in the ledger
    written = json.loads(out.read_text())
    assert [row["extraction"] for row in written] == ["B", "blue", "A", ""]
    assert all(row["mine"] == "stays" for row in written)
    assert score(out, "mathvista")["correct"] == 2  # the empty one gets the nearest choice, "red"


def test_prompts_that_a_server_gets_are_the_official_ones(
    pack: Path, expected: dict[str, Any], tmp_path: Path
) -> None:
    name = "output_llava_llama_2_13b.json"
    outputs = json.loads((pack / "mathvista" / name).read_bytes())
    bare = {pid: {**o, "extraction": ""} for pid, o in outputs.items()}
    ruled = {pid: official_rule(o["response"], o) for pid, o in outputs.items()}
    with teacher_server(lambda *_: Say("A")) as server:
        file = write(tmp_path / "in.json", bare)
        told = extract(file, "mathvista", "m", tmp_path / "o.json", asking_of(tmp_path, server.url))
        sent = {prompt_of(body) for body in server.bodies}
    assert told["by_rule"] == sum(said is not None for said in ruled.values())
    prompts = {p: mathvista.extraction(o["query"], o["response"]) for p, o in outputs.items()}
    assert sent == {prompt for pid, prompt in prompts.items() if ruled[pid] is None}
    digest = sha256("\0".join(prompts.values()).encode()).hexdigest()
    assert digest == expected["mathvista"][name]["extraction_prompt_sha256"]


def test_who_gives_no_answer_leaves_an_empty_extraction(tmp_path: Path) -> None:
    file = write(tmp_path / "in.json", {"1": ROW})
    with teacher_server(lambda *_: Say("", finish="content_filter")) as server:
        asking = asking_of(tmp_path, server.url)
        told = extract(file, "mathvista", "m", tmp_path / "out.jsonl", asking)
    assert told["failed"] == ["1"]
    (row,) = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert row["extraction"] == ""


def test_mathverse_is_extracted_judged_and_scored(tmp_path: Path) -> None:
    rows = [VERSE, {**VERSE, "sample_index": "8", "model_answer": "So AB is 15 cm"}]
    file, out = write(tmp_path / "in.json", rows), tmp_path / "out.json"

    def model(body: Body, _: int) -> Say:
        prompt = prompt_of(body)
        if prompt.endswith("Extracted Answer: "):
            return Say("Extracted Answer: " + ("14 cm" if "14 cm'" in prompt else "15 cm"))
        return Say("Judgement: 1" if prompt.endswith(": 14 cm\nJudgement:") else "0")

    with teacher_server(model) as server:
        asking = asking_of(tmp_path, server.url)
        with pytest.raises(OutputError, match="item '7' has no extraction; `mathv360k eval extr"):
            judge(file, "m", out, asking)
        extract(file, "mathverse", "m", out, asking, words=2)
        assert prompt_of(server.bodies[0]) in [mathverse.extraction(f"{n} cm") for n in (14, 15)]
        with pytest.raises(OutputError, match="item '7' has no judgement; `mathv360k eval judge"):
            score(out, "mathverse", "judged")
        told = judge(out, "m", tmp_path / "judged.json", asking)
        assert told == {
            "file": str(tmp_path / "judged.json"), "kept": 0, "asked": 2, "failed": [],
        }  # fmt: skip
        assert "[Question]: How long is AB?\n[Standard" in prompt_of(server.bodies[-1])
    assert score(out, "mathverse")["correct"] == 0  # quick match is to the character
    judged = score(tmp_path / "judged.json", "mathverse", "judged")
    assert (judged["correct"], judged["total"]) == (1, 2)


def test_a_judge_who_says_neither_0_nor_1_is_asked_five_times(tmp_path: Path) -> None:
    file = write(tmp_path / "in.json", [{**VERSE, "extraction": "14"}])
    with teacher_server(lambda *_: Say("They are alike.")) as server:
        told = judge(file, "m", tmp_path / "out.json", asking_of(tmp_path, server.url))
        assert len(server.bodies) == 5
        assert len({body["seed"] for body in server.bodies}) == 5
    assert told["failed"] == ["7"]
    assert json.loads((tmp_path / "out.json").read_text())[0]["judgement"] == 0


def test_what_cannot_be_extracted_is_one_sentence(tmp_path: Path) -> None:
    file = write(tmp_path / "in.json", {"1": ROW})
    asking = asking_of(tmp_path, "http://127.0.0.1:9/v1")
    with pytest.raises(UsageError, match="'mmmu' has no extraction; mathvista, mathverse have"):
        extract(file, "mmmu", "m", tmp_path / "o.json", asking)
    with pytest.raises(TeacherError, match="No answer can be had from the teacher"):
        extract(file, "mathvista", "m", tmp_path / "o.json", asking)
    assert not (tmp_path / "o.json").exists()
