"""The rules on answers made up for the purpose; what is expected follows from the official code."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mathv360k.eval import mathverse, mathvision, mathvista, mmmu
from mathv360k.eval.sound import is_right

CHOICES = ["145°", "100°", "35"]


class TestMathVista:
    @pytest.mark.parametrize(
        ("said", "read", "nearest"),
        [
            ("(B) 145°", "100°", False),
            ("B", "100°", False),
            ("b", "35", True),  # a lower-case letter is no letter, and "35" the nearest text
            ("(b)", "100°", False),
            ("145°", "145°", False),
            ("145", "145°", True),
            ("", "35", True),
            (None, "145°", True),  # the text "None"
            ("(Z)", "35", True),
        ],
    )
    def test_of_choices(self, said: str | None, read: str, nearest: bool) -> None:
        found = mathvista.normalize(said, CHOICES, "multi_choice", "text", None)
        assert found == (read, nearest)

    @pytest.mark.parametrize(
        ("said", "head", "released"),
        [
            ("3", "3", "3"), ("3.9", "3", None), ("-0.5", "0", None), ("1e2", "100", None),
            (" 7 ", "7", "7"), ("٣", "3", "3"), ("1,000", None, None), ("45%", None, None),
            ("nan", None, None), ("inf", None, None), ("", None, None), ("three", None, None),
        ],
    )  # fmt: skip
    def test_of_integers(self, said: str, head: str | None, released: str | None) -> None:
        for rules, read in (("head", head), ("released", released)):
            found = mathvista.normalize(said, None, "free_form", "integer", None, rules)  # pyright: ignore
            assert found == (read, False)

    @pytest.mark.parametrize(
        ("said", "precision", "read"),
        [("2.675", 2, "2.67"), ("5", 1, "5.0"), ("nan", 1, "nan"), ("0.85", 1.0, "0.8"),
         ("x", 2, None), ("1.2", None, None)],
    )  # fmt: skip
    def test_of_floats(self, said: str, precision: float | None, read: str | None) -> None:
        assert mathvista.normalize(said, None, "free_form", "float", precision) == (read, False)

    def test_of_lists(self) -> None:
        assert mathvista.normalize("[1,2]", None, "free_form", "list", None) == ("[1,2]", False)


LETTERS = {"A": "blue whale", "B": "red kite", "C": "fox"}


class TestMMMU:
    @pytest.mark.parametrize(
        ("response", "letter"),
        [
            ("B", "B"), ("(B)", "B"), ("The answer is B.", "B"), ("B) blue", None),
            ("**B**", None), ("blue whale", None), ("It must be the Red Kite, I think so", "B"),
            ("The answer is (B) but not (A)", "A"), ("A dog ate it, C because", "C"),
            ("B\nbecause", None), ("", None), (",.B.,", "B"),
        ],
    )  # fmt: skip
    def test_choices(self, response: str, letter: str | None) -> None:
        assert mmmu.choice(response, LETTERS) == letter

    @pytest.mark.parametrize(
        ("response", "letter"),
        [("Reason (A).\nAnswer: B", "B"), ("B.", "B"), ("Answer: A or B", "B"), ("?", None)],
    )
    def test_choices_of_pro(self, response: str, letter: str | None) -> None:
        assert mmmu.choice_pro(response, LETTERS) == letter

    @pytest.mark.parametrize(
        ("response", "gold", "right"),
        [
            ("The answer is 4.", "4", True), ("x = 1,234.567", "1234.57", True), ("1e3", "3", True),
            ("I do not know", "no", True), ("trans", "Trans", True), ("cis", "trans", False),
            ("so 5\nis 6", ["7", "6"], True), ("so 5\nor 6", "6", False), ("a", "b", False),
        ],
    )  # fmt: skip
    def test_open_answers(self, response: str, gold: Any, right: bool) -> None:
        assert mmmu.is_open_right(mmmu.open_answers(response), gold) == right

    def test_draws_are_those_of_the_official_seed(self) -> None:
        random.seed(42)
        draw = mmmu.draws()
        assert [draw("ABCD") for _ in range(8)] == [random.choice("ABCD") for _ in range(8)]


class TestMathVision:
    @pytest.mark.parametrize(
        ("response", "answer"),
        [
            ("So it is (C).", "c"), ("The value is 12.", "12"), ("\\boxed{\\frac12}", "\\frac12"),
            ("Thus \\boxed{3} or \\boxed{x=4}", "4"), ("The answer is 7 cm. Or not.", "7cm"),
            ("\\boxed{60^\\circ}", "60"), ("\\boxed{\\sqrt3}", "\\sqrt{3}"),
            ("1/2", "\\frac{1}{2}"),
            ("0.5", "\\frac{1}{2}"), ("", ""), ("(D) 105", "d105"), ("B\nbecause", "b"),
        ],
    )  # fmt: skip
    def test_extraction(self, response: str, answer: str) -> None:
        assert mathvision.extract(response) == answer

    @pytest.mark.parametrize(
        ("gold", "said", "equal"),
        [
            ("\\frac{1}{2}", "0.50", True), ("0", "0.004", True), ("0", "0.006", False),
            ("(1,2)", "(1,2.001)", False), ("(1.0,2.0)", "(1,2)", True), ("A", "a", True),
            ("", "", False), ("x", "y", False), ("[1,\\infty)", "[1,\\infty)", True),
            ("4\\pi", "12.566", True),
        ],
    )  # fmt: skip
    def test_equality(self, gold: str, said: str, equal: bool) -> None:
        assert mathvision.is_equal(gold, said) == equal

    def test_what_would_not_end_is_told(self) -> None:
        problem = {"id": "1", "answer": "5", "options": [], "level": 1, "subject": "algebra"}
        verdict = mathvision.judge({"id": "1", "response": "\\boxed{9^{9^{9^{9}}}}"}, problem)
        assert (verdict.correct, verdict.fallback) == (False, "time limit")

    @given(st.text(max_size=200))
    def test_any_response_has_an_answer(self, response: str) -> None:
        mathvision.is_equal("\\frac{1}{2}", mathvision.extract(response))


class TestMathVerse:
    record = {  # noqa: RUF012
        "sample_index": "1", "answer": "B", "problem_version": "Text Only",
        "question_type": "multi-choice", "metadata": {},
    }  # fmt: skip

    @pytest.mark.parametrize(
        ("said", "right"), [("B", True), ("b", False), ("B ", False), ("", False), (None, False)]
    )
    def test_quick_match(self, said: str | None, right: bool) -> None:
        assert mathverse.judge({**self.record, "extraction": said}).correct == right

    def test_choices(self) -> None:
        assert mathverse.choices_of("How long?\nChoices:\nA:2\nB:√3\nC:1") == ["2", "√3", "1"]
        assert mathverse.choices_of("How long is AB?") == []

    def test_extraction(self) -> None:
        assert mathverse.extract_answer("Hence AB is √3, so (B).", ["2", "√3", "1"]) == "B"


class TestSoundRules:
    @pytest.mark.parametrize(
        ("response", "gold", "more"),
        [
            ("<think>(A)</think> \\boxed{B}", "B", {"choices": CHOICES}),
            ("The answer is 100 degrees.", "B", {"choices": ["145°", "100°", "35°"]}),
            ("<answer>0.5</answer>", "\\frac{1}{2}", {}),
            ("1,000", "1000", {}),
            ("[1,2]", "[1, 2]", {}),
            ("Yes.", "yes", {}),
        ],
    )
    def test_what_says_the_same_is_right(
        self, response: str, gold: str, more: dict[str, Any]
    ) -> None:
        assert is_right(response, [gold], **more)

    @pytest.mark.parametrize(
        ("response", "gold", "more"),
        [
            ("", "35", {"choices": CHOICES}),
            ("none of them", "35", {"choices": CHOICES}),
            ("A or B", "145°", {"choices": CHOICES}),
            ("", "", {}),
            ("I do not know", "no", {}),
            ("the picture shows many things " * 20 + "3", "3", {}),
        ],
    )
    def test_nothing_is_not(self, response: str, gold: str, more: dict[str, Any]) -> None:
        assert not is_right(response, [gold], **more)
