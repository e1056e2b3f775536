"""What is checked of a written question before anybody answers it again, and how votes count."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mathv360k.builder.recipe import Synthesis
from mathv360k.synthesis.answered import Failure
from mathv360k.synthesis.forms import Answered, Reworded, Written, WrittenSeveral, read_form
from mathv360k.synthesis.kinds import example_values, question_kinds
from mathv360k.synthesis.likeness import alike, contradict
from mathv360k.synthesis.plan import Original, Planned, Subject
from mathv360k.synthesis.questions import candidates, gives_away
from mathv360k.synthesis.request import Picture, Request
from mathv360k.synthesis.teacher import Status
from mathv360k.synthesis.verify import judge

_SYNTHESIS = Synthesis.model_validate({"teacher": {"model": "m"}})
_KINDS = {kind.name: kind for kind in question_kinds(_SYNTHESIS)}
_PICTURE = Picture("ab" * 32, "One/a.png", 0, 1, "PNG", 10, 10)


def planned(
    kind: str, question: str = "What is the length of side AB?", answer: str = "12", **more: Any
) -> Planned:
    values: dict[str, Any] = {
        "choices": (),
        "id": "One/a.png#original-2",
        "source": "One",
        "task": "GPS",
        "context": None,
        "license": "MIT",
        "question": question,
        "answer": answer,
        "unit": None,
        "contamination": None,
        **more,
    }
    original = Original(**values)
    subject = Subject(4, _PICTURE, "One", "GPS", None, "MIT", (original,))
    chosen = _KINDS[kind]
    request = Request(_SYNTHESIS.teacher, chosen.prompt, example_values(chosen.about), _PICTURE)
    return Planned(request, chosen, subject, None if chosen.about == "image" else original)


def written(**said: Any) -> Written:
    values = {"question": "How long is BC?", "choices": [], "rationale": "", "unit": "", **said}
    return Written.model_validate({"answer": "5", **values})


def test_a_good_question_becomes_a_row() -> None:
    said = written(answer="5 cm", unit="cm", rationale="By the figure.")
    (good,) = candidates(planned("complex"), said)
    assert good.fault is None
    row = good.row
    assert (row["id"], row["parent_id"]) == ("One/a.png#complex-2", "One/a.png#original-2")
    assert (row["answer"], row["unit"], row["answer_type"]) == ("5", "cm", "integer")
    assert (row["image"], row["license"], row["rationale"]) == (4, "MIT", "By the figure.")


def test_of_an_image_no_more_are_taken_than_were_asked_for() -> None:
    several = WrittenSeveral(questions=[written(question=f"Q{n}?") for n in range(9)])
    made = list(candidates(planned("ask_image"), several))
    assert [c.row["id"] for c in made] == [f"One/a.png#ask_image-{n}" for n in range(9)]
    assert [c.fault for c in made] == [None] * 5 + ["not_asked_for"] * 4
    assert {c.row["parent_id"] for c in made} == {None}


def test_what_lacks_of_an_image_is_counted() -> None:
    spoilt = {"question": "q", "answer": "1", "choices": 7}
    text = json.dumps({"questions": [written().model_dump(), spoilt]})
    made = list(candidates(planned("ask_image"), read_form(text, WrittenSeveral)))
    assert [c.fault for c in made] == [None, "invalid", *["not_written"] * 3]
    assert json.loads(made[1].reply) == spoilt
    failed = list(candidates(planned("ask_image"), Failure(Status.REFUSED, "no", "I will not.")))
    assert [c.fault for c in failed] == ["refused"] * 5
    assert [c.reply for c in failed] == ["I will not.", "", "", "", ""]


@pytest.mark.parametrize("answer", ["B", "(B)", "B. 6", "6"])
def test_a_letter_becomes_its_choice(answer: str) -> None:
    (good,) = candidates(planned("complex"), written(choices=["5", "6", "7"], answer=answer))
    row = good.row
    assert (row["answer"], row["answer_letter"], row["question_type"]) == ("6", "B", "multi_choice")


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"question": " "}, "no_question"),
        ({"answer": ""}, "no_answer"),
        ({"answer": "Unanswerable."}, "unanswerable"),
        ({"choices": ["5", "5 ", "6"]}, "choices_repeat"),
        ({"choices": ["6", "7"]}, "answer_not_among_choices"),
        ({"choices": ["5"]}, "answer_not_among_choices"),
        ({"answer": "long", "unit": "cm"}, "number_unreadable"),
        ({"question": "what is the length of side AB"}, "unchanged"),
        ({"question": "Where is the Louvre Museum?", "answer": "Louvre Museum"}, "given_away"),
    ],
)
def test_faults_of_form(said: dict[str, Any], fault: str) -> None:
    (bad,) = candidates(planned("complex"), written(**said))
    assert bad.fault == fault
    assert bad.detail


@pytest.mark.parametrize(
    ("kind", "said", "fault"),
    [
        ("rephrase", ("How long is side AB?", "12"), None),
        ("rephrase", ("How long is side AB?", "12.0"), None),
        ("rephrase", ("How long is side AB?", "13"), "answer_changed"),
        ("rephrase", ("What is the length of side AB", "12"), "unchanged"),
        ("simplify", ("Length of AB?", "12"), None),
        ("simplify", ("What is the total length of side AB?", "12"), "not_shorter"),
    ],
)
def test_rewordings_keep_the_answer(kind: str, said: tuple[str, str], fault: str | None) -> None:
    (made,) = candidates(planned(kind), Reworded(question=said[0], answer=said[1]))
    assert made.fault == fault
    assert made.row["answer"] == "12"


def test_rewordings_keep_choices_and_letter() -> None:
    one = planned("rephrase", answer="red", choices=("blue", "red"))
    (made,) = candidates(one, Reworded(question="Name the colour of AB.", answer="B"))
    assert (made.fault, made.row["choices"], made.row["answer_letter"]) == (
        None,
        ["blue", "red"],
        "B",
    )


@pytest.mark.parametrize(
    ("question", "answer", "choices", "given"),
    [
        ("What is the capital, Paris, called?", "Paris", [], True),
        ("Is the sum 7? The answer is 7.", "7", [], True),
        ("Two sides are 3 and 4; how long is the other side?", "3", [], False),
        ("Is it the red or the blue car?", "the red", [], False),
        ("Which is larger, red square or blue square?", "red square", ["red square", "x"], False),
        ("Is it true?", "Yes", [], False),
        ("Which of red car and blue car is it?", "red car", ["red car", "blue car"], False),
        ("How long is it?", "5", [], False),
    ],
)
def test_what_gives_an_answer_away(
    question: str, answer: str, choices: list[str], given: bool
) -> None:
    assert gives_away(question, answer, choices) is given


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("How many red cars are there?", "How many red cars can you find?", True),
        ("How many red cars are there?", "How many blue cars are there?", False),
        ("What is the size of angle A?", "What is the size of angle B?", False),
        ("What is the sum of 3 and 4?", "What is the sum of 3 and 5?", False),
        ("Is B left of C?", "Is C left of B?", False),
        ("What is the size of angle ABC?", "Find the size of angle ABC.", True),
    ],
)
def test_questions_that_ask_the_same(one: str, other: str, same: bool) -> None:
    rows = [{"question": question, "answer": "3"} for question in (one, other)]
    assert alike(*rows) is same
    assert not alike(rows[0], {**rows[1], "answer": "4"})


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("How many cars are there?", "how many cars are there", True),
        ("Is A left of B?", "Is B left of A?", False),
        ("What is the area of X?", "What is the area of Y?", False),
    ],
)
def test_questions_that_contradict_each_other(one: str, other: str, same: bool) -> None:
    rows = [{"question": q, "answer": a} for q, a in ((one, "3"), (other, "4"))]
    assert contradict(*rows) is same
    assert not contradict(rows[0], {**rows[1], "answer": "3.0"})
    choices = [{**row, "choices": ["3", "4", last]} for row, last in zip(rows, "56", strict=True)]
    assert not contradict(*choices)


def said(*answers: str | None) -> list[Any]:
    return [Failure(None, "x") if a is None else Answered(reasoning="", answer=a) for a in answers]


@pytest.mark.parametrize(
    ("answers", "agreement", "fault"),
    [
        (("12", "12.0", "12"), 1.0, None),
        (("12", "7", "12"), 2 / 3, None),
        (("12", "7", "8"), 1 / 3, None),  # two voices against one and one
        (("12", "7", "7"), 1 / 3, "disagreement"),
        (("7", "8", "9"), 0.0, "disagreement"),
        (("unanswerable", "12", "unanswerable"), 1 / 3, "disagreement"),
        ((None, "12", None), 1.0, None),
        ((None, None, None), None, "not_verified"),
    ],
)
def test_votes(answers: tuple[str | None, ...], agreement: float | None, fault: str | None) -> None:
    row = {"question": "q", "answer": "12", "choices": [], "unit": None}
    verdict = judge(row, said(*answers), 0.3)
    assert (verdict.fault, verdict.agreement) == (fault, agreement)


def test_the_threshold_is_the_recipes() -> None:
    row = {"question": "q", "answer": "12", "choices": [], "unit": None}
    assert judge(row, said("12", "7", "12"), 0.5).fault is None
    assert judge(row, said("12", "7", "12"), 0.9).fault == "disagreement"


def test_answers_are_compared_as_what_they_mean() -> None:
    row = {"question": "q", "answer": r"\frac{1}{2}", "choices": [], "unit": None}
    answers = said("1/2", "0.5", r"So it is \boxed{\frac12}.", "50")
    assert judge(row, answers, 0.6).agreement == pytest.approx(3 / 4)
    row = {"question": "q", "answer": "red", "choices": ["blue", "red"], "unit": None}
    assert judge(row, said("B", "(b)", "Red"), 1.0).fault is None
