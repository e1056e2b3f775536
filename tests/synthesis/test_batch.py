"""The batch API: handed in once, collected whenever, at half the price, in the same ledger."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from asking import GOOD, PRICE, requests_in
from mathv360k.builder.recipe import TeacherChoice
from mathv360k.errors import TeacherError
from mathv360k.synthesis import batch as batch_module
from mathv360k.synthesis.asking import Asking, ask_all
from mathv360k.synthesis.batch import Batches
from mathv360k.synthesis.budget import Budget
from mathv360k.synthesis.ledger import Ledger
from mathv360k.synthesis.openai_teacher import OpenAITeacher
from mathv360k.synthesis.request import Request
from mathv360k.synthesis.tally import Tally
from mathv360k.synthesis.teacher import Status
from teacher_server import Body, Say, Server, prompt_of, teacher_server


def options(folder: Path, server: Server, **more: Any) -> Asking:
    (folder / "prices.yaml").write_text("m: {input: 1, output: 2, batch: 0.5}\n")
    values: dict[str, Any] = {
        "base_url": server.url,
        "batch": True,
        "poll": 0.01,
        "prices": folder / "prices.yaml",
        "budget_usd": 10.0,
        **more,
    }
    return Asking(folder / "ledger", **values)


def ask(folder: Path, requests: list[Request], asking: Asking) -> Tally:
    with asking.open_ledger() as ledger:
        return ask_all(lambda: requests, TeacherChoice(model="m"), folder, ledger, asking)


def test_a_batch_costs_half_and_lands_in_the_ledger(tmp_path: Path) -> None:
    requests = requests_in(tmp_path, 30)
    with teacher_server(lambda *_: Say(GOOD)) as server:
        server.batch_polls = 3
        tally = ask(tmp_path, requests, options(tmp_path, server))
        assert (tally.done, len(server.batches)) == (30, 1)
        ask(tmp_path, requests, options(tmp_path, server))
    assert len(server.batches) == 1
    assert tally.usd == pytest.approx(30 * (100 * 1 + 20 * 2) / 1e6 / 2)
    body = server.bodies[0]
    assert body["messages"][0]["content"][0]["image_url"]["url"].startswith("data:image/png")
    with Ledger(tmp_path / "ledger") as ledger:
        entry = ledger.read(requests[9].key)
        assert ledger.open_batches("m") == {}
    assert entry is not None
    assert (entry.text, entry.price) == (GOOD, pytest.approx(70e-6))


def test_files_are_cut_where_they_would_be_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_module, "MAX_REQUESTS", 12)
    requests = requests_in(tmp_path, 30)
    with teacher_server(lambda *_: Say(GOOD)) as server:
        assert ask(tmp_path, requests, options(tmp_path, server)).done == 30
        assert len(server.batches) == 3
    line = 2_000 + len(server.bodies[0]["messages"][0]["content"][0]["image_url"]["url"])
    monkeypatch.setattr(batch_module, "MAX_BYTES", 10 * line)
    more = requests_in(tmp_path, 30, seed=1)
    with teacher_server(lambda *_: Say(GOOD)) as server:
        assert ask(tmp_path, more, options(tmp_path, server)).done == 30
        assert len(server.batches) >= 3


def test_a_file_that_is_handed_in_has_no_name_that_a_kill_could_leave(tmp_path: Path) -> None:
    seen: list[set[str]] = []
    requests = requests_in(tmp_path, 3)
    before = {path.name for path in tmp_path.iterdir()}
    with teacher_server(lambda *_: Say(GOOD)) as server:
        server.uploading = lambda: seen.append({path.name for path in tmp_path.iterdir()})
        ask(tmp_path, requests, options(tmp_path, server))
    assert len(seen) == 1
    new = seen[0] - before - {"prices.yaml"}
    assert "ledger" in new
    assert [name for name in new if not name.startswith("ledger")] == []


def test_a_file_that_is_turned_away_is_sent_again_whole(tmp_path: Path) -> None:
    with teacher_server(lambda *_: Say(GOOD)) as server:
        server.refused_uploads = 1
        assert ask(tmp_path, requests_in(tmp_path, 4), options(tmp_path, server)).done == 4
        assert len(server.files["file-0"].splitlines()) == 4


def test_what_was_handed_in_is_collected_by_a_later_run(tmp_path: Path) -> None:
    requests = requests_in(tmp_path, 20)
    with teacher_server(lambda *_: Say(GOOD)) as server:
        server.batch_polls = 10**6
        asking = options(tmp_path, server)

        async def hand_in_and_leave() -> None:
            teacher = OpenAITeacher(tmp_path, base_url=server.url)
            with asking.open_ledger() as ledger:
                batches = Batches(teacher, ledger, Budget(PRICE), Tally(), lambda _: None, 0.01)
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(batches.ask(lambda: iter(requests), "m"), 1.0)

        asyncio.run(hand_in_and_leave())
        assert server.answered.total() == 0
        server.batch_polls = 0
        assert ask(tmp_path, requests, asking).done == 20
    assert len(server.batches) == 1
    assert set(server.answered.values()) == {1}


@pytest.mark.parametrize("made", [True, False])
def test_a_crash_around_making_a_batch_pays_for_none_twice(made: bool, tmp_path: Path) -> None:
    """The ledger knows the token alone; whether there is a batch only the server knows."""
    requests = requests_in(tmp_path, 5)
    with teacher_server(lambda *_: Say(GOOD)) as server:
        server.batch_polls = 10**6
        asking = options(tmp_path, server)
        with asking.open_ledger() as ledger:
            ledger.batch_started("made: t1", "t1", "m", [r.key for r in requests])
        if made:
            lines = [
                json.dumps({"custom_id": r.key, "body": {"messages": [], "n": n}}).encode()
                for n, r in enumerate(requests)
            ]
            server.files["file-0"] = b"\n".join(lines)
            server.batches["batch-0"] = {
                "id": "batch-0",
                "object": "batch",
                "endpoint": "/v1/chat/completions",
                "status": "in_progress",
                "input_file_id": "file-0",
                "completion_window": "24h",
                "created_at": 0,
                "metadata": {"mathv360k": "t1"},
                "polls": 0,
            }
        server.batch_polls = 0
        assert ask(tmp_path, requests, asking).done == 5
        assert len(server.batches) == 1


def test_requests_that_fail_in_a_batch(tmp_path: Path) -> None:
    """A 400 is kept, a 500 is handed in again, an answer without form is asked to be mended."""

    def script(body: Body, times: int) -> Say:
        prompt = prompt_of(body)
        if "What is 1?" in prompt:
            return Say(status=400, error={"message": "bad image"})
        if "What is 2?" in prompt and times == 1:
            return Say(status=500)
        if "What is 3?" in prompt and len(body["messages"]) == 1:
            return Say("seven")
        return Say(GOOD)

    requests = requests_in(tmp_path, 6)
    with teacher_server(script) as server:
        tally = ask(tmp_path, requests, options(tmp_path, server))
        assert len(server.batches) == 2
    assert tally.done == 6
    assert tally.ended == {Status.ANSWERED: 5, Status.NOT_ACCEPTED: 1, Status.INVALID: 1}
    assert len(server.seen) == 7


def test_the_budget_counts_for_batches_too(tmp_path: Path) -> None:
    requests = requests_in(tmp_path, 60)
    with teacher_server(lambda *_: Say(GOOD)) as server:
        asking = options(tmp_path, server, budget_usd=0.003)
        with pytest.raises(TeacherError, match="The budget is spent"):
            ask(tmp_path, requests, asking)
        some = server.answered.total()
        assert 5 < some < 60
        tally = ask(tmp_path, requests, replace(asking, budget_usd=1.0))
    assert (tally.done, server.answered.total()) == (60, 60)
    assert tally.usd < 0.003 + 60 * 70e-6


def test_a_batch_that_fails_is_said(tmp_path: Path) -> None:
    with teacher_server(lambda *_: Say(GOOD)) as server:
        server.batch_polls = -1
        asking = options(tmp_path, server)

        class Failing(dict[str, Body]):
            def __setitem__(self, name: str, batch: Body) -> None:
                errors = {"object": "list", "data": [{"message": "token limit reached"}]}
                super().__setitem__(name, {**batch, "status": "failed", "errors": errors})

        server.batches = Failing()
        with pytest.raises(TeacherError, match="Batch batch-0 failed: token limit reached"):
            ask(tmp_path, requests_in(tmp_path, 3), asking)
    with pytest.raises(TeacherError, match="The batch API does not answer: no connection"):
        ask(tmp_path, requests_in(tmp_path, 3), asking)
