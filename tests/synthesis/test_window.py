"""Asking many requests of a real server that fails in every way."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from asking import GOOD, PRICE, ask, requests_in
from mathv360k.errors import TeacherError, UsageError
from mathv360k.synthesis.budget import Budget
from mathv360k.synthesis.ledger import Ledger
from mathv360k.synthesis.openai_teacher import OpenAITeacher
from mathv360k.synthesis.tally import Tally
from mathv360k.synthesis.teacher import Status
from mathv360k.synthesis.window import Limits, Window
from teacher_server import Body, Say, prompt_of, teacher_server


def number_in(body: Body) -> int:
    """The number that a request asks for."""
    return int(prompt_of(body).partition("What is ")[2].partition("?")[0])


def test_every_request_is_answered_once_and_kept(tmp_path: Path) -> None:
    requests = requests_in(tmp_path, 100)
    with teacher_server(lambda *_: Say(GOOD)) as server:
        enough, tally = ask(tmp_path, server.url, requests)
        assert enough
        again = ask(tmp_path, server.url, requests)[1]
    assert set(server.seen.values()) == {1}
    assert len(server.seen) == 100
    assert (tally.done, tally.asked, tally.ended[Status.ANSWERED]) == (100, 100, 100)
    assert tally.usd == pytest.approx(100 * (100 * 1.0 + 20 * 2.0) / 1e6)
    assert (again.done, again.asked) == (100, 0)
    with Ledger(tmp_path / "ledger") as ledger:
        entry = ledger.read(requests[7].key)
    assert entry is not None
    assert (entry.text, entry.input_tokens, entry.output_tokens) == (GOOD, 100, 20)


def test_the_first_request_goes_alone_and_then_all_places_are_used(tmp_path: Path) -> None:
    def script(_: Body, __: int) -> Say:
        at_once.append(server.flying)
        return Say(GOOD, delay=0.05)

    at_once: list[int] = []
    with teacher_server(script) as server:
        ask(tmp_path, server.url, requests_in(tmp_path, 60), limits=Limits(12))
    assert at_once[:2] == [0, 0]
    assert server.most_flying == 12


def test_slow_requests_hold_up_no_others(tmp_path: Path) -> None:
    """A batch barrier would take as long as the slow one for every round."""
    order: list[int] = []

    def script(body: Body, _: int) -> Say:
        order.append(number_in(body))
        return Say(GOOD, delay=1.0 if number_in(body) == 1 else 0.0)

    with teacher_server(script) as server:
        ask(tmp_path, server.url, requests_in(tmp_path, 80), limits=Limits(4))
    assert order[-1] == 79
    assert server.answered.total() == 80


@pytest.mark.parametrize(
    "trouble",
    [
        Say(status=429, error={"message": "slow down"}),
        Say(status=429, headers={"retry-after": "0.2"}),
        Say(status=429, headers={"retry-after-ms": "100"}),
        Say(status=503, headers={"retry-after": "0"}),
        Say(status=500),
        Say(status=408),
        Say(status=409),
        Say(status=529),
        Say(drop=True),
        Say(raw=b"<html>bad gateway</html>"),
        Say(raw=b'{"usage": ' + b"[" * 100_000),
    ],
    ids=lambda say: f"{say.status}{'dropped' if say.drop else ''}{list(say.headers)}",
)
def test_passing_troubles_are_tried_again(trouble: Say, tmp_path: Path) -> None:
    def script(body: Body, times: int) -> Say:
        return trouble if number_in(body) % 5 == 0 and times == 1 else Say(GOOD)

    with teacher_server(script) as server:
        tally = ask(tmp_path, server.url, requests_in(tmp_path, 25))[1]
    assert tally.done == 25
    assert set(server.answered.values()) == {1}
    assert server.seen.total() == 25 + 5


def test_a_request_that_waits_holds_no_place(tmp_path: Path) -> None:
    done_at: dict[int, float] = {}
    refused_at = 0.0

    def script(body: Body, times: int) -> Say:
        nonlocal refused_at
        number = number_in(body)
        if number == 1 and times == 1:
            refused_at = time.monotonic()
            return Say(status=429, headers={"retry-after": "2"})
        done_at[number] = time.monotonic()
        return Say(GOOD)

    with teacher_server(script) as server:
        ask(tmp_path, server.url, requests_in(tmp_path, 30), limits=Limits(1))
    assert done_at[1] == max(done_at.values())
    assert done_at[1] - done_at[29] > 1
    assert done_at[1] - refused_at > 1.9


def test_overload_halves_the_places_and_answers_bring_them_back(tmp_path: Path) -> None:
    """A server that takes 4 requests at a time is not run into again and again."""
    refused = 0

    def script(_: Body, __: int) -> Say:
        nonlocal refused
        if server.flying >= 4:
            refused += 1
            return Say(status=429, headers={"retry-after": "0.05"})
        return Say(GOOD, delay=0.01)

    with teacher_server(script) as server:
        tally = ask(tmp_path, server.url, requests_in(tmp_path, 300), limits=Limits(64))[1]
    assert tally.done == 300
    assert refused < 300


def test_places_come_back_when_a_server_has_recovered(tmp_path: Path) -> None:
    flying: list[int] = []

    def script(_: Body, __: int) -> Say:
        if server.answered.total() < 40 and server.flying >= 2:
            return Say(status=429, headers={"retry-after": "0.02"})
        flying.append(server.flying)
        return Say(GOOD, delay=0.01)

    with teacher_server(script) as server:
        ask(tmp_path, server.url, requests_in(tmp_path, 400), limits=Limits(16))
    assert max(flying[:40]) <= 2
    assert max(flying[-60:]) >= 8  # how many of the 16 meet depends on how busy the machine is


def test_a_server_that_is_down_for_a_while_is_not_hammered(tmp_path: Path) -> None:
    down: list[float] = []

    def script(_: Body, __: int) -> Say:
        now = time.monotonic()
        if server.answered.total() > 10 and (not down or now - down[0] < 1.5):
            down.append(now)
            return Say(status=503)
        return Say(GOOD)

    with teacher_server(script) as server:
        tally = ask(tmp_path, server.url, requests_in(tmp_path, 600), limits=Limits(16))[1]
    assert tally.done == 600
    assert len(down) < 2 * 16


def test_what_is_in_flight_when_a_run_is_interrupted_is_kept(tmp_path: Path) -> None:
    requests = requests_in(tmp_path, 60)

    async def interrupted() -> None:
        teacher = OpenAITeacher(tmp_path, base_url=server.url)
        with Ledger(tmp_path / "ledger") as ledger:
            window = Window(teacher, ledger, Budget(PRICE), Limits(8), Tally())
            running = asyncio.create_task(window.ask(requests))
            while server.flying < 8:
                await asyncio.sleep(0.01)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
        await teacher.close()

    with teacher_server(lambda *_: Say(GOOD, delay=0.3)) as server:
        asyncio.run(interrupted())
        assert 8 <= server.answered.total() < 30
    with Ledger(tmp_path / "ledger") as ledger:
        assert sum(ledger.known(r.key) is not None for r in requests) == server.answered.total()


def test_the_servers_own_limits_are_waited_for(tmp_path: Path) -> None:
    times: list[float] = []

    def script(_: Body, __: int) -> Say:
        times.append(time.monotonic())
        spent = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "0m0.3s"}
        return Say(GOOD, headers=spent if len(times) == 1 else {})

    with teacher_server(script) as server:
        ask(tmp_path, server.url, requests_in(tmp_path, 3))
    assert times[1] - times[0] > 0.25


def test_requests_and_tokens_per_minute_are_kept(tmp_path: Path) -> None:
    times: list[float] = []

    def script(_: Body, __: int) -> Say:
        times.append(time.monotonic())
        return Say(GOOD)

    with teacher_server(script) as server:
        ask(tmp_path, server.url, requests_in(tmp_path, 20), limits=Limits(16, 600))
        assert times[-1] - times[0] > 0.8  # ten a second, ten of them at once
        times.clear()
        more = requests_in(tmp_path, 12, seed=1)  # each takes some 450 tokens at most
        ask(tmp_path, server.url, more, limits=Limits(16, None, 60 * 3000))
        assert times[-1] - times[0] > 0.4


@pytest.mark.parametrize(
    ("say", "said"),
    [
        (Say(status=401, error={"message": "Incorrect API key"}), "401: Incorrect API key"),
        (Say(status=403, error={"message": "not for you"}), "403: not for you"),
        (Say(status=404, error={"message": "no model m"}), "404: no model m"),
        (Say(status=429, error={"message": "x", "code": "insufficient_quota"}), "no credit left"),
    ],
)
def test_what_no_request_can_pass_stops_the_run_at_once(
    say: Say, said: str, tmp_path: Path
) -> None:
    with (
        teacher_server(lambda *_: say) as server,
        pytest.raises(TeacherError, match=said),
    ):
        ask(tmp_path, server.url, requests_in(tmp_path, 50))
    assert server.seen.total() == 1


def test_a_server_that_is_not_there_is_told_soon(tmp_path: Path) -> None:
    with pytest.raises(TeacherError, match="No answer can be had from the teacher: no connection"):
        ask(tmp_path, "http://127.0.0.1:9/v1", requests_in(tmp_path, 50))


def test_a_server_that_breaks_stops_the_run_and_loses_nothing(tmp_path: Path) -> None:
    def script(_: Body, __: int) -> Say:
        if server.answered.total() < 30:
            return Say(GOOD)
        return Say(status=400, error={"message": "out of memory"})

    requests = requests_in(tmp_path, 500)
    with teacher_server(script) as server:
        with pytest.raises(TeacherError, match=r"requests failed, so the run was stopped \(out of"):
            ask(tmp_path, server.url, requests, limits=Limits(4))
        assert server.seen.total() < 100
    with Ledger(tmp_path / "ledger") as ledger:  # what a broken server refuses is asked again
        kept = [ledger.known(r.key) for r in requests]
    assert [k[0] for k in kept if k] == [Status.ANSWERED] * 30


def test_a_model_whose_answers_are_of_no_use_is_not_paid_for_ever(tmp_path: Path) -> None:
    requests = requests_in(tmp_path, 400)
    with teacher_server(lambda *_: Say('{"reas', finish="length")) as server:
        with pytest.raises(
            TeacherError, match=r"95 of the last 100 answers cannot be used .*trunc"
        ):
            ask(tmp_path, server.url, requests, limits=Limits(4))
        assert server.seen.total() < 120
        tally = ask(tmp_path, server.url, requests, limits=Limits(4), to_the_end=True)[1]
    assert tally.done == 400


@pytest.mark.parametrize(
    "content", [[{"type": "text", "text": GOOD[:20]}, {"type": "text", "text": GOOD[20:]}], GOOD]
)
def test_answers_in_parts_and_without_usage(content: Any, tmp_path: Path) -> None:
    message = {"role": "assistant", "content": content}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    raw = json.dumps({"choices": [choice], "usage": {"prompt_tokens": "many"}}).encode()
    requests = requests_in(tmp_path, 2)
    with teacher_server(lambda *_: Say(raw=raw)) as server:
        tally = ask(tmp_path, server.url, requests)[1]
    assert tally.ended == {Status.ANSWERED: 2}
    with Ledger(tmp_path / "ledger") as ledger:
        entry = ledger.read(requests[0].key)
    assert entry is not None
    assert entry.text == GOOD
    assert entry.input_tokens > 300  # of the image alone 255, by the usual rule
    assert entry.output_tokens == len(GOOD) // 4 + 4


def test_a_word_for_a_key_does_not_spoil_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "draw")
    requests = requests_in(tmp_path, 1)
    with teacher_server(lambda *_: Say(GOOD)) as server:
        ask(tmp_path, server.url, requests)
    with Ledger(tmp_path / "ledger") as ledger:
        entry = ledger.read(requests[0].key)
    assert entry is not None
    assert entry.text == GOOD
    monkeypatch.setenv("OPENAI_API_KEY", "sk-schlüssel-1234")
    with pytest.raises(UsageError, match="OPENAI_API_KEY is no key"):
        ask(tmp_path, server.url, requests_in(tmp_path, 1, seed=1))


def test_a_request_that_never_passes_is_given_up_and_told(tmp_path: Path) -> None:
    def script(body: Body, _: int) -> Say:
        return Say(drop=True) if number_in(body) == 5 else Say(GOOD)

    with teacher_server(script) as server:
        limits = Limits(8, retries=1)
        tally = ask(tmp_path, server.url, requests_in(tmp_path, 20), limits=limits)[1]
    assert (tally.done, tally.unanswered) == (19, 1)
    assert "no connection" in tally.why
    assert server.seen.total() == 21


def test_timeouts_are_tried_again(tmp_path: Path) -> None:
    def script(body: Body, times: int) -> Say:
        return Say(GOOD, delay=5.0 if number_in(body) == 3 and times == 1 else 0.0)

    with teacher_server(script) as server:
        tally = ask(tmp_path, server.url, requests_in(tmp_path, 10), timeout=0.5)[1]
    assert tally.done == 10


@pytest.mark.parametrize(
    ("say", "status"),
    [
        (Say(refusal="I would rather not."), Status.REFUSED),
        (Say("half of", finish="content_filter"), Status.FILTERED),
        (Say('{"reasoning": "lo', finish="length"), Status.TRUNCATED),
        (Say(status=400, error={"message": "bad image"}), Status.NOT_ACCEPTED),
        (Say(status=400, error={"message": "x", "code": "content_filter"}), Status.FILTERED),
    ],
    ids=["refusal", "filter", "length", "400", "400 filter"],
)
def test_answers_of_no_use_are_told_apart_and_kept(
    say: Say, status: Status, tmp_path: Path
) -> None:
    def script(body: Body, _: int) -> Say:
        return say if number_in(body) == 3 else Say(GOOD)

    requests = requests_in(tmp_path, 8)
    with teacher_server(script) as server:
        tally = ask(tmp_path, server.url, requests)[1]
    assert tally.done == 8
    assert (tally.ended[status], tally.ended[Status.ANSWERED]) == (1, 7)
    assert set(server.seen.values()) == {1}  # no retry
    with Ledger(tmp_path / "ledger") as ledger:
        entry = ledger.read(requests[3].key)
    assert entry is not None
    assert entry.text == (say.refusal or (say.error or {}).get("message") or say.text)


def test_an_answer_without_form_is_asked_for_once_more(tmp_path: Path) -> None:
    def script(body: Body, _: int) -> Say:
        if len(body["messages"]) == 3:
            good_now = number_in(body) == 1
            return Say(GOOD if good_now else "still no JSON")
        return Say("The answer is 7." if number_in(body) in (1, 2) else GOOD)

    with teacher_server(script) as server:
        tally = ask(tmp_path, server.url, requests_in(tmp_path, 5))[1]
    assert tally.done == 5
    assert (tally.ended[Status.INVALID], tally.ended[Status.ANSWERED]) == (3, 4)
    repair = next(b for b in server.bodies if len(b["messages"]) == 3)
    assert [m["role"] for m in repair["messages"]] == ["user", "assistant", "user"]
    assert repair["messages"][1]["content"] == "The answer is 7."
    assert "not in the form" in repair["messages"][2]["content"]


def test_a_budget_is_never_overshot_however_many_are_in_flight(tmp_path: Path) -> None:
    """Each answer costs 140 millionths; a request may cost some 900 at most."""
    budget = Budget(PRICE, usd=0.005)
    with teacher_server(lambda *_: Say(GOOD, delay=0.02)) as server:
        enough, tally = ask(
            tmp_path, server.url, requests_in(tmp_path, 200), limits=Limits(64), budget=budget
        )
    assert not enough
    assert 0.0035 < tally.usd <= 0.005
    assert server.seen.total() == tally.asked == round(tally.usd / 140e-6)
    assert server.most_flying < 12  # more could have cost too much


def test_a_budget_in_tokens_needs_no_price(tmp_path: Path) -> None:
    budget = Budget(None, tokens=3_000)
    with teacher_server(lambda *_: Say(GOOD)) as server:
        enough, tally = ask(tmp_path, server.url, requests_in(tmp_path, 200), budget=budget)
    assert not enough
    assert 1_500 < tally.tokens <= 3_000


def test_a_schema_is_dropped_where_the_server_does_not_know_it(tmp_path: Path) -> None:
    def script(body: Body, _: int) -> Say:
        if "response_format" in body:
            return Say(status=400, error={"message": "unknown field response_format"})
        if "max_tokens" in body:
            said = "Unsupported parameter: use max_completion_tokens instead"
            return Say(status=400, error={"message": said, "param": "max_tokens"})
        return Say(GOOD)

    with teacher_server(script) as server:
        tally = ask(tmp_path, server.url, requests_in(tmp_path, 40))[1]
    assert tally.ended == {Status.ANSWERED: 40}
    assert server.seen.total() == 42  # found out by the first request


def test_what_is_sent_is_an_image_a_prompt_a_form_and_the_parameters(tmp_path: Path) -> None:
    extra = {"top_p": 0.9}
    requests = requests_in(tmp_path, 1, temperature=0.5, seed=11, detail="low", extra=extra)
    with teacher_server(lambda *_: Say(GOOD)) as server:
        ask(tmp_path, server.url, requests)
    body = server.bodies[0]
    image, text = body["messages"][0]["content"]
    assert image["image_url"]["url"].startswith("data:image/png;base64,")
    assert image["image_url"]["detail"] == "low"
    assert "What is 0?" in text["text"]
    form = body["response_format"]["json_schema"]
    assert form["strict"] is True
    assert form["schema"]["required"] == ["reasoning", "answer"]
    assert form["schema"]["additionalProperties"] is False
    assert json.dumps(form["schema"], separators=(",", ":")) in text["text"]
    rest = {k: v for k, v in body.items() if k not in ("messages", "response_format")}
    assert rest == {"model": "m", "seed": 11, "max_tokens": 50, "temperature": 0.5, "top_p": 0.9}
