"""Reading answers from whatever text a model writes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mathv360k.synthesis.forms import (
    Answered,
    InvalidAnswer,
    Judged,
    Reworded,
    Spoilt,
    Written,
    WrittenSeveral,
    read_form,
)


@pytest.mark.parametrize(
    "text",
    [
        '{"question": "Find x.", "answer": "4"}',
        '  {"question": " Find x. ", "answer": "4", "confidence": 0.9}\n',
        '```json\n{"question": "Find x.", "answer": "4"}\n```',
        '```\n{"question": "Find x.", "answer": "4",}\n```',
        'Sure! Here it is:\n\n{"question": "Find x.", "answer": "4"}\n\nAnything else?',
        '<think>Maybe {"question": "Find y.", "answer": "5"}?</think>'
        '{"question": "Find x.", "answer": "4"}',
        'The set {1, 2} matters. {"question": "Find x.", "answer": "4"}',
        '{"result": {"question": "Find x.", "answer": "4"}}',
    ],
)
def test_json_is_found_wherever_it_stands(text: str) -> None:
    assert read_form(text, Reworded) == Reworded(question="Find x.", answer="4")


@pytest.mark.parametrize(
    ("spelled", "meant"),
    [
        (r"\\frac{1}{2}", r"\frac{1}{2}"),
        (r"\frac{1}{2}", r"\frac{1}{2}"),
        (r"2 \times 3", r"2 \times 3"),
        (r"\theta \neq \beta", r"\theta \neq \beta"),
        (r"\(x\)", r"\(x\)"),
        (r"one\nNext", "one\nNext"),
        (r"\"quoted\" \u00e9 \/", '"quoted" é /'),
        (r"C:\\\\new", r"C:\\new"),
    ],
)
def test_latex_survives_json(spelled: str, meant: str) -> None:
    text = f'{{"question": "q", "answer": "{spelled}"}}'
    assert read_form(text, Reworded).answer == meant


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Invalid JSON"),
        ("I cannot see an image.", "Invalid JSON"),
        ('{"answer": "4"}', "question: Field required"),
        ('{"question": ["q"], "answer": "4"}', "question: Input should be a valid string"),
        ('{"question": "' + "x" * 9_000 + '", "answer": "4"}', "9,000 characters are too many"),
        ("{" * 5_000, "Invalid JSON"),
        ("[" * 100_000, "Invalid JSON"),
        ("x" * 300_000, "300,000 characters are too many"),
    ],
)
def test_what_has_no_form_is_said(text: str, said: str) -> None:
    with pytest.raises(InvalidAnswer, match=said):
        read_form(text, Reworded)


@given(st.text(max_size=400))
def test_no_text_breaks_the_reader(text: str) -> None:
    with pytest.raises(InvalidAnswer, match=r"\S"):
        read_form(text, Answered)


_TEXT = st.text(
    st.characters(exclude_characters="\\", exclude_categories=["Cc", "Cf", "Cs"]), max_size=60
)


@given(_TEXT, _TEXT, st.lists(_TEXT, max_size=5))
def test_what_json_says_is_read_back(question: str, answer: str, choices: list[str]) -> None:
    said = {
        "question": question,
        "choices": choices,
        "rationale": "",
        "answer": answer,
        "unit": "cm",
    }
    read = read_form(f"```json\n{json.dumps(said)}\n```", Written)
    assert (read.question, read.answer) == (question.strip(), answer.strip())
    assert read.choices == [c.strip() for c in choices]


def test_levels_out_of_range_and_empty_lists_are_refused() -> None:
    assert read_form('{"reason": "r", "clarity": 1, "complexity": 3}', Judged).complexity == 3
    with pytest.raises(InvalidAnswer, match="less than or equal to 3"):
        read_form('{"reason": "r", "clarity": 1, "complexity": 4}', Judged)
    with pytest.raises(InvalidAnswer, match="at least 1 item"):
        read_form('{"questions": []}', WrittenSeveral)


def test_numbers_and_nothing_are_taken_for_what_they_mean() -> None:
    text = '{"question": "q", "choices": [1, 2.5], "rationale": null, "answer": 5}'
    assert read_form(text, Written) == Written(question="q", choices=["1", "2.5"], answer="5")


def test_one_question_without_form_does_not_spoil_the_others() -> None:
    good, bad = '{"question": "q", "answer": "1"}', '{"question": "q", "choices": 3}'
    read = read_form(f'{{"questions": [{good}, {bad}, {good}]}}', WrittenSeveral)
    assert [type(question) for question in read.questions] == [Written, Spoilt, Written]
    with pytest.raises(InvalidAnswer, match="choices: Input should be a valid list"):
        read_form(f'{{"questions": [{bad}, {bad}]}}', WrittenSeveral)


def test_control_characters_and_turned_writing_are_left_out() -> None:
    said = json.dumps({"question": "a\x00\x07\x1b[31mb\u202ec\nd", "answer": "\ud83d"})
    assert read_form(said, Reworded) == Reworded(question="a[31mbc\nd", answer="\\ud83d")
