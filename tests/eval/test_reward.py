"""The reward is right for right answers, never raises, and is fast enough for every step."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import mathv360k
from mathv360k.eval import reward as module
from mathv360k.eval.reward import reward, reward_function

RIGHT = 1.0
BOXED = 1.1


def one(completion: Any, answer: str | None, **columns: Any) -> float:
    (value,) = reward([completion], [answer], **{name: [v] for name, v in columns.items()})
    return value


class TestRight:
    @pytest.mark.parametrize(
        ("completion", "answer", "columns", "value"),
        [
            ("The answer is 42.", "42", {"answer_type": "integer"}, RIGHT),
            ("\\boxed{42}", "42", {"answer_type": "integer"}, BOXED),
            ("<think>41?</think><answer>42</answer>", "42", {"answer_type": "integer"}, BOXED),
            ("\\boxed{41}", "42", {"answer_type": "integer"}, 0.1),
            ("", "42", {"answer_type": "integer"}, 0),
            ("\\boxed{}", "42", {"answer_type": "integer"}, 0),
            ("B", "blue", {"choices": ["red", "blue"]}, RIGHT),
            ("(A)", "blue", {"choices": ["red", "blue"]}, 0),
            ("both", "blue", {"choices": ["red", "blue"]}, 0),
            ("0.5", "\\frac{1}{2}", {"answer_type": "float"}, RIGHT),
            ("3 cm", "3", {"answer_type": "integer", "unit": "cm"}, RIGHT),
            ("[2, 1]", "[1, 2]", {"answer_type": "list"}, 0),
            ("Yes", "yes", {"answer_type": "yes_no"}, RIGHT),
            ("x", "", {}, 0),
            ("x", None, {}, 0),
        ],
    )
    def test_values(
        self, completion: str, answer: str | None, columns: dict[str, Any], value: float
    ) -> None:
        assert one(completion, answer, **columns) == pytest.approx(value)

    @pytest.mark.parametrize(
        "completion",
        [
            [{"role": "assistant", "content": "\\boxed{7}"}],
            [{"role": "user", "content": "?"}, {"role": "assistant", "content": "\\boxed{7}"}],
            [{"role": "assistant", "content": [{"type": "text", "text": "\\boxed{7}"}]}],
        ],
    )
    def test_chats(self, completion: Any) -> None:
        assert one(completion, "7") == pytest.approx(BOXED)

    def test_other_columns_do_not_matter(self) -> None:
        assert reward(completions=["7", "8"], answer=["7", "7"], prompts=["?"] * 2, id=[1, 2]) == [
            1,
            0,
        ]

    def test_weights(self) -> None:
        own = reward_function(correct=2, format=0, length=0.5, budget=100)
        filler = " " * 150
        assert own(["7"], ["7"]) == [2]
        assert own([f"{' ' * 149}7"], ["7"]) == pytest.approx([2 - 0.25])
        assert own([filler * 9], ["7"]) == pytest.approx([-0.5])

    def test_of_a_dataset(self, demo_rows: list[dict[str, Any]]) -> None:
        columns = {n: [row[n] for row in demo_rows] for n in ("answer", "answer_type", "choices")}
        said = [f"<think>…</think>\\boxed{{{row['answer']}}}" for row in demo_rows]
        assert reward(said, **columns) == pytest.approx([BOXED] * len(said))
        other = said[1:] + said[:1]
        assert sum(value > 1 for value in reward(other, **columns)) < len(said) / 2


@pytest.fixture(scope="module")
def demo_rows(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder: Path = tmp_path_factory.mktemp("demo") / "mathv360k"
    mathv360k.build(mathv360k.read_recipe("demo").limited(30), folder)
    return list(mathv360k.load(folder, "questions", split="train", verifiable=True))


class TestItNeverRaises:
    @given(
        st.one_of(st.text(max_size=300), st.none(), st.integers(), st.lists(st.text())),
        st.one_of(st.text(max_size=40), st.none()),
        st.one_of(st.none(), st.lists(st.text(max_size=20), max_size=5)),
    )
    def test_whatever_it_gets(self, completion: Any, answer: Any, choices: Any) -> None:
        (value,) = reward([completion], [answer], choices=[choices])
        assert value in (0, 0.1, 1, 1.1)

    @pytest.mark.parametrize(
        "text",
        ["9^{9^{9^{9}}}", "\\boxed{" * 5_000, "{" * 10_000, "(" * 50_000, "x" * 1_000_000,
         "\\frac{" * 3_000, "\ud800", "1!" * 5_000, "٣" * 1_000],
    )  # fmt: skip
    def test_pathological_answers(self, text: str) -> None:
        started = time.process_time()
        assert one(f"\\boxed{{{text}}}", "\\frac{\\sqrt{3}}{2}") in (0, 0.1)
        assert time.process_time() - started < 10

    def test_fewer_answers_than_completions(self) -> None:
        assert reward(["1", "2"], ["1"]) == [1, 0]

    def test_columns_that_are_no_columns(self) -> None:
        assert reward(["1"], ["1"], choices=[3]) == [0]  # pyright: ignore


class TestTime:
    def test_a_symbolic_comparison_that_takes_too_long_is_given_up(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "is_right", lambda *_: time.sleep(30))
        monkeypatch.setattr(module, "SECONDS", 0.05)
        before = signal.getsignal(signal.SIGALRM)
        started = time.monotonic()
        assert one("x", "y") == 0
        assert time.monotonic() - started < 10
        assert signal.getsignal(signal.SIGALRM) is before
        assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)

    def test_it_works_in_other_threads(self) -> None:
        said: list[float] = []
        thread = threading.Thread(target=lambda: said.append(one("\\frac{2}{4}", "\\frac12")))
        thread.start()
        thread.join()
        assert said == [1]

    def test_somebody_elses_timer_is_left_alone(self) -> None:
        before = signal.signal(signal.SIGALRM, lambda *_: None)
        signal.setitimer(signal.ITIMER_REAL, 100)
        try:
            assert one("x", "x") == 1
            assert signal.getitimer(signal.ITIMER_REAL)[0] > 90
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
