"""Models that answer benchmarks: here, in batches, or behind an endpoint; stopped, and again."""

from __future__ import annotations

import base64
import json
import shutil
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForImageTextToText, AutoProcessor

from mathv360k.builder.images import open_rgb
from mathv360k.errors import FolderError, ModelError, TeacherError, UsageError
from mathv360k.eval import endpoint
from mathv360k.eval.asked import Asked
from mathv360k.eval.contamination import write_training_images
from mathv360k.eval.generate import asked_by
from mathv360k.eval.local_model import LocalModel
from mathv360k.eval.problems import Problem, read_problems
from mathv360k.eval.run import Run, run
from mathv360k.synthesis.asking import Asking
from mathv360k.synthesis.window import Limits
from teacher_server import Body, Say, prompt_of, teacher_server
from tiny_models import write_bert, write_llava

PROBLEMS = read_problems("drawn", limit=12)
ASKED = asked_by(PROBLEMS, "drawn", None)


@pytest.fixture(scope="module")
def llava(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_llava(tmp_path_factory.mktemp("llava") / "model")


@pytest.fixture(scope="module")
def model(llava: Path) -> LocalModel:
    return LocalModel(str(llava), "cpu")


def told_by(model: LocalModel, asked: list[Asked], size: int) -> dict[str, tuple[str, str | None]]:
    batches = model.batches(asked, size)
    answers = [answer for batch in model.answers(batches, 12) for answer in batch]
    return {answer.id: (answer.response, answer.error) for answer in answers}


def test_an_answer_is_what_the_library_generates_greedily(llava: Path, model: LocalModel) -> None:
    processor = AutoProcessor.from_pretrained(llava)
    plain: Any = AutoModelForImageTextToText.from_pretrained(llava, dtype=torch.float32)
    expected = {}
    for one in ASKED[:4]:
        assert one.problem.load
        text = f"user: <image>{one.prompt}"
        inputs = processor(images=open_rgb(one.problem.load()), text=text, return_tensors="pt")
        made = plain.generate(**inputs, max_new_tokens=12, do_sample=False)
        said = processor.decode(made[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        expected[one.problem.id] = (said.strip(), None)
    assert told_by(model, ASKED[:4], 1) == expected


def test_batches_are_of_one_length_and_answer_as_one_by_one(model: LocalModel) -> None:
    batches = model.batches(ASKED, 5)
    assert [len(batch) for batch in batches] == [5, 5, 2]
    lengths = [len(one.prompt) for batch in batches for one in batch]
    assert lengths == sorted(lengths, reverse=True)
    assert told_by(model, ASKED, 5) == told_by(model, ASKED, 1)


def test_problems_without_an_image_are_asked_by_themselves(model: LocalModel) -> None:
    blind = Asked(Problem("blind", {}, None), "What is 1 + 1?")
    batches = model.batches([*ASKED[:3], blind], 8)
    assert [len(batch) for batch in batches] == [3, 1]
    assert told_by(model, [blind], 8)["blind"][1] is None


def test_what_cannot_be_asked_has_no_answer_and_a_reason(model: LocalModel) -> None:
    broken = Asked(Problem("broken", {}, lambda: b"no image"), "What is it?")
    long = Asked(Problem("long", {}, ASKED[0].problem.load), "why " * 4_000)
    told = told_by(model, [*ASKED[:3], broken, long], 8)
    assert told["broken"][0] == "" and "not one of PNG" in (told["broken"][1] or "")
    assert told["long"] == ("", "does not fit: longer than the model's context")
    assert {n: told[n] for n in told if n in {a.problem.id for a in ASKED[:3]}} == told_by(
        model, ASKED[:3], 3
    )


def test_a_batch_that_does_not_fit_in_memory_is_halved(
    model: LocalModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = told_by(model, ASKED[:8], 1)
    generate = model.model.generate

    def small(**inputs: Any) -> Any:
        if inputs["input_ids"].shape[0] > 3:
            raise torch.OutOfMemoryError("as told")
        return generate(**inputs)

    monkeypatch.setattr(model.model, "generate", small)
    assert told_by(model, ASKED[:8], 8) == expected


def test_a_model_that_cannot_be_asked_is_one_sentence(llava: Path, tmp_path: Path) -> None:
    for name in (str(write_bert(tmp_path / "bert")), str(tmp_path)):
        with pytest.raises(ModelError, match="cannot be loaded as a vision-language model"):
            LocalModel(name)
    mute = shutil.copytree(llava, tmp_path / "mute")
    (mute / "chat_template.jinja").unlink()
    with pytest.raises(ModelError, match="has no chat template"):
        LocalModel(str(mute))
    with pytest.raises(UsageError, match="no device 'tpu'"):
        LocalModel(str(llava), "tpu")


def test_a_run_writes_rows_that_are_scored(llava: Path, tmp_path: Path) -> None:
    wanted = Run("drawn", str(llava), limit=10, max_new_tokens=8, batch_size=4, device="cpu")
    told = run(wanted, tmp_path / "o.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text().splitlines()]
    assert [row["id"] for row in rows] == [problem.id for problem in PROBLEMS[:10]]
    assert [row["query"] for row in rows] == [one.prompt for one in ASKED[:10]]
    assert told["total"] == 10 and told["errors"] == {}
    assert json.loads((tmp_path / "o.score.json").read_text()) == told
    before = (tmp_path / "o.jsonl").stat().st_mtime_ns
    assert run(wanted, tmp_path / "o.jsonl") == told
    assert (tmp_path / "o.jsonl").stat().st_mtime_ns == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["o.jsonl", "o.score.json"]


def test_a_killed_run_goes_on_and_writes_the_same(llava: Path, tmp_path: Path) -> None:
    command = [
        sys.executable, "-m", "mathv360k", "eval", "run", "--benchmark", "drawn", "--model",
        str(llava), "--limit", "60", "--batch-size", "2", "--max-new-tokens", "40", "--device",
        "cpu", "--quiet", "--out",
    ]  # fmt: skip
    subprocess.run([*command, "whole.jsonl"], cwd=tmp_path, check=True)
    partial = tmp_path / ".o.jsonl.partial"
    with subprocess.Popen([*command, "o.jsonl"], cwd=tmp_path) as process:
        while not partial.exists() or partial.read_bytes().count(b"\n") < 4:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    kept = partial.read_bytes()
    partial.write_bytes(kept + b'[["torn')  # a batch that was being written
    changed = [*command[:-1], "--dtype", "bf16", "--out", "o.jsonl"]
    refused = subprocess.run(changed, cwd=tmp_path, capture_output=True, text=True)
    assert refused.returncode == 1 and "another run (dtype differ" in refused.stderr
    subprocess.run([*command, "o.jsonl"], cwd=tmp_path, check=True)
    assert (tmp_path / "o.jsonl").read_bytes() == (tmp_path / "whole.jsonl").read_bytes()
    assert not partial.exists()


def test_another_file_is_not_overwritten(llava: Path, tmp_path: Path) -> None:
    (tmp_path / "o.jsonl").write_text("{}\n")
    with pytest.raises(UsageError, match=r"o.jsonl is another file; remove it"):
        run(Run("drawn", str(llava), limit=2), tmp_path / "o.jsonl")
    with pytest.raises(UsageError, match=r"must end in .jsonl"):
        run(Run("drawn", str(llava), limit=2), tmp_path / "o.txt")
    (tmp_path / ".p.jsonl.partial").write_text("{\n")
    with pytest.raises(FolderError, match=r"cannot be read .* remove it to start again"):
        run(Run("drawn", str(llava), limit=2, device="cpu"), tmp_path / "p.jsonl")


def test_problems_whose_images_the_model_was_trained_on_are_named(
    llava: Path, tmp_path: Path
) -> None:
    trained = shutil.copytree(llava, tmp_path / "trained")
    seen = PROBLEMS[1]
    assert seen.load
    write_training_images([sha256(seen.load()).hexdigest(), "0" * 64], trained)
    wanted = Run("drawn", str(trained), limit=3, max_new_tokens=2, device="cpu")
    assert run(wanted, tmp_path / "o.jsonl")["seen_in_training"] == [seen.id]
    (trained / "training_images.parquet").write_bytes(b"PAR1")
    with pytest.raises(FolderError, match="is no list of images"):
        run(wanted, tmp_path / "p.jsonl")


# behind an endpoint


def asking_of(folder: Path, url: str, **changes: Any) -> Asking:
    return Asking(folder / "ledger", base_url=url, limits=Limits(8), timeout=20, **changes)


def truth(body: Body, _: int) -> Say:
    """What the gold answer is, said as a model may say it."""
    prompt = prompt_of(body)
    (row,) = [one.problem.row for one in ASKED if one.prompt == prompt]
    return Say(f"I see it. The answer is {row['answer']}.")


def test_a_server_that_knows_everything_gets_everything_right(tmp_path: Path) -> None:
    wanted = Run("drawn", "oracle", limit=12, max_new_tokens=77)
    with teacher_server(truth) as server:
        told = run(wanted, tmp_path / "o.jsonl", asking_of(tmp_path, server.url))
        (tmp_path / "o.jsonl").unlink()
        again = run(wanted, tmp_path / "o.jsonl", asking_of(tmp_path, server.url))
        assert sum(server.seen.values()) == 12  # the second time all is in the ledger
    assert told["correct"] == told["total"] == 12
    assert again == told
    sent = {prompt_of(body): body for body in server.bodies}
    body = sent[ASKED[0].prompt]
    assert (body["model"], body["temperature"], body["max_tokens"]) == ("oracle", 0.0, 77)
    assert "response_format" not in body
    (message,) = body["messages"]
    picture, text = message["content"]
    assert text == {"type": "text", "text": ASKED[0].prompt}
    load = PROBLEMS[0].load
    assert load and picture["image_url"]["url"] == (
        f"data:image/png;base64,{base64.b64encode(load()).decode()}"
    )


def test_answers_that_are_cut_off_or_refused_are_what_was_said(tmp_path: Path) -> None:
    def odd(body: Body, _: int) -> Say:
        place = [one.prompt for one in ASKED[:4]].index(prompt_of(body))
        return [
            Say("It is 5 because", finish="length"),
            Say("", refusal="I would rather not."),
            Say("", finish="content_filter"),
            Say(status=400, error={"message": "the image is odd"}),
        ][place]

    with teacher_server(odd) as server:
        asking = asking_of(tmp_path, server.url)
        answers = endpoint.answers(ASKED[:4], "drawn", "m", 5, asking)
    assert [answer.response for answer in answers] == [
        "It is 5 because", "I would rather not.", "", "",
    ]  # fmt: skip
    assert [answer.error for answer in answers] == [
        None, None, "a content filter stopped the answer", "the server did not take the request",
    ]  # fmt: skip


def test_an_image_that_cannot_be_read_is_not_sent(tmp_path: Path) -> None:
    broken = Asked(Problem("broken", {}, lambda: b"GIF89a"), "What is it?")
    blind = Asked(Problem("blind", {}, None), ASKED[0].prompt)
    with teacher_server(lambda *_: Say("7")) as server:
        answers = endpoint.answers([broken, blind], "x", "m", 5, asking_of(tmp_path, server.url))
    assert [answer.response for answer in answers] == ["", "7"]
    assert answers[0].error
    (body,) = server.bodies
    assert body["messages"] == [{"role": "user", "content": ASKED[0].prompt}]


def test_the_budget_holds_and_what_was_answered_stays(tmp_path: Path) -> None:
    wanted = Run("drawn", "m", limit=12, max_new_tokens=20)
    with teacher_server(lambda *_: Say("7", input_tokens=500)) as server:
        tight = asking_of(tmp_path, server.url, budget_tokens=3_000)
        with pytest.raises(TeacherError, match="The budget is spent"):
            run(wanted, tmp_path / "o.jsonl", tight)
        so_far = sum(server.seen.values())
        assert 0 < so_far < 12
        run(wanted, tmp_path / "o.jsonl", asking_of(tmp_path, server.url))
        assert sum(server.seen.values()) == 12


def test_a_server_with_one_model_needs_no_name(tmp_path: Path) -> None:
    with teacher_server(truth) as server:
        server.models = ["the-only-one"]
        assert endpoint.only_model(server.url, "NO_SUCH_KEY") == "the-only-one"
        server.models = ["a", "b"]
        with pytest.raises(UsageError, match="Name the model with --model; the server has a, b"):
            endpoint.only_model(server.url, "NO_SUCH_KEY")
    with pytest.raises(TeacherError, match="does not say which models it has"):
        endpoint.only_model("http://127.0.0.1:9/v1", "NO_SUCH_KEY")
