from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from mathv360k.builder.recipe import Synthesis, TeacherChoice
from mathv360k.builder.scenes.scene import DrawnQuestion
from mathv360k.builder.sources.drawn import Drawn, invent
from mathv360k.synthesis.drawn.teacher import DrawnTeacher, truth
from mathv360k.synthesis.forms import Answered, Judged
from mathv360k.synthesis.kinds import question_kinds
from mathv360k.synthesis.prompts import Prompt, built_in
from mathv360k.synthesis.request import Picture, Request
from mathv360k.synthesis.teacher import Reply, Status

PICTURES = 153
"""Nine of each family."""
PROMPTS = {
    **{k.name: k.prompt for k in question_kinds(Synthesis(teacher=TeacherChoice(model="drawn")))},
    "answer": built_in("answer", Answered),
    "label": built_in("label", Judged),
}


def ask(
    drawn: Drawn | str,
    purpose: str | Prompt,
    values: dict[str, Any],
    error_rate: float = 0.0,
    sample: int = 0,
) -> Reply:
    name = drawn if isinstance(drawn, str) else "drawn/" + drawn.name
    rest = {"subject": "geometry", "context": "diagram", "demonstrations": [], "unit": ""}
    request = Request(
        teacher=TeacherChoice(model="drawn", error_rate=error_rate),
        prompt=PROMPTS[purpose] if isinstance(purpose, str) else purpose,
        values={**rest, **values},
        picture=Picture(f"sha of {name}", name, 0, 0, "PNG", 1, 1),
        sample=sample,
    )
    return asyncio.run(DrawnTeacher().ask(request))


def said(*arguments: Any, **more: Any) -> dict[str, Any]:
    reply = ask(*arguments, **more)
    assert reply.status is Status.ANSWERED, reply.text
    return json.loads(reply.text)


def about(question: DrawnQuestion) -> dict[str, Any]:
    return {
        "question": question.text,
        "choices": list(question.choices),
        "answer": question.answer,
    }


def harder(drawn: Drawn, original: DrawnQuestion) -> dict[str, Any]:
    """A harder question; rarely all would tell their answer, and another sample is asked for."""
    for sample in range(10):
        reply = ask(drawn, "complex", about(original), sample=sample)
        if reply.status is Status.ANSWERED:
            return json.loads(reply.text)
    raise AssertionError(f"{original.text} is refused")


def true_answer(drawn: Drawn, question: str, choices: list[str]) -> str | None:
    return truth("drawn/" + drawn.name, question, choices)


def pictures(count: int = PICTURES) -> Iterator[Drawn]:
    return (invent(7, number) for number in range(count))


def asked_of(drawn: Drawn) -> list[DrawnQuestion]:
    return drawn.family.questions(drawn.scene.description)


def numbers(text: str) -> list[str]:
    return sorted(re.findall(r"\d+(?:\.\d+)?", text))


def test_harder_questions_are_hardly_ever_refused() -> None:
    asked = [(drawn, question) for drawn in pictures() for question in asked_of(drawn)]
    refused = sum(ask(d, "complex", about(q)).status is not Status.ANSWERED for d, q in asked)
    assert refused < 0.005 * len(asked)


def test_questions_about_an_image_are_true_and_new() -> None:
    for drawn in pictures():
        originals = {question.text for question in drawn.originals}
        facts = {question.text: question for question in asked_of(drawn)}
        written = said(drawn, "ask_image", {"count": 6})["questions"]
        texts = [question["question"] for question in written]
        assert len(set(texts)) == 6
        assert not originals & set(texts)
        for question in written:
            expected = true_answer(drawn, question["question"], question["choices"])
            assert question["answer"] == expected
            assert not question["choices"] or question["answer"] in question["choices"]
            if fact := facts.get(question["question"]):
                assert question["answer"] == fact.answer
                assert question["unit"] == (fact.unit or "")


def test_a_family_with_few_questions_is_asked_composed_ones() -> None:
    drawn = min(pictures(), key=lambda drawn: len(asked_of(drawn)))
    facts = {question.text for question in asked_of(drawn)}
    written = said(drawn, "ask_image", {"count": 20})["questions"]
    texts = {question["question"] for question in written}
    assert len(texts) == 20
    assert facts - {question.text for question in drawn.originals} < texts


def test_harder_questions_are_true_start_from_the_original_and_do_not_tell_the_answer() -> None:
    for drawn in pictures():
        for original in drawn.originals:
            written = harder(drawn, original)
            text, answer, choices = written["question"], written["answer"], written["choices"]
            assert answer == true_answer(drawn, text, choices)
            assert len(text) > len(original.text)
            if answer not in ("Yes", "No"):
                assert not re.search(rf"(?<!\w){re.escape(answer)}(?!\w)", text, re.IGNORECASE)
            if choices:
                assert answer in choices
                assert 3 <= len(set(choices)) == len(choices) <= 5


def test_a_conditional_question_is_answered_by_the_branch_that_counts() -> None:
    pattern = re.compile(r'(.+) If so, answer this: "(.+)" If not, answer this: "(.+)"')
    checked = 0
    for drawn in pictures():
        facts = {question.text: question.answer for question in asked_of(drawn)}
        for original in drawn.originals:
            written = harder(drawn, original)
            if match := pattern.fullmatch(written["question"]):
                condition, yes, no = match.groups()
                assert original.text in match.groups()
                assert written["answer"] == facts[yes if facts[condition] == "Yes" else no]
                assert facts[yes] != facts[no]
                checked += 1
    assert checked > 50


def test_a_comparison_of_two_counts_decides_which_question_is_meant() -> None:
    pattern = re.compile(
        r'Compare the answers to "(.+)" and "(.+)" If the first is larger, answer this: "(.+)" '
        r'Otherwise, answer this: "(.+)"'
    )
    checked = 0
    for drawn in pictures():
        facts = {question.text: question.answer for question in asked_of(drawn)}
        for original in drawn.originals:
            written = harder(drawn, original)
            if match := pattern.fullmatch(written["question"]):
                one, other, first, second = (facts[text] for text in match.groups())
                assert written["answer"] == (first if int(one) > int(other) else second)
                checked += 1
    assert checked > 20


def test_a_calculation_says_in_words_what_is_calculated() -> None:
    drawn = next(drawn for drawn in pictures() if drawn.family.name == "shelf")
    facts = {question.text: int(question.answer) for question in counts(drawn)}
    total = facts["How many objects are there in total?"]
    colour = next(match[1] for text in facts if (match := re.search(r"many (\w+) objects", text)))
    part = facts[f"How many {colour} objects are there?"]
    first, second = "the total number of objects", f"the number of {colour} objects"
    for text, expected in (
        (f"What is the sum of {first} and {second}?", total + part),
        (f"What do you get when you add {second} to {first}?", total + part),
        (f"By how much do {second} and {first} differ?", total - part),
        (f"What is the product of {first} and {second}?", total * part),
    ):
        assert true_answer(drawn, text, []) == str(expected)


def test_integer_questions_become_calculations_mostly() -> None:
    asked = [(drawn, question) for drawn in pictures() for question in counts(drawn)[:2]]
    texts = [harder(drawn, question)["question"] for drawn, question in asked]
    words = ("sum", "add", "differ", "product", "multiply")
    assert sum(any(word in text for word in words) for text in texts) > 0.7 * len(texts)


def counts(drawn: Drawn) -> list[DrawnQuestion]:
    return [q for q in asked_of(drawn) if q.answer_type == "integer" and not q.choices]


def test_calculations_are_of_counts_of_one_unit() -> None:
    for drawn in pictures():
        units = {question.text: question.unit for question in counts(drawn)}
        for original in counts(drawn)[:3]:
            written = harder(drawn, original)
            quoted = re.findall(r'answer to "([^"]+)"', written["question"])
            of_like = (
                "What is the sum",
                "What do you get when you add",
                "By how much do the answer",
            )
            if written["question"].startswith(of_like) and len(quoted) == 2:
                assert units[quoted[0]] == units[quoted[1]]


@pytest.mark.parametrize("purpose", ["rephrase", "simplify"])
def test_other_words_mean_the_same_and_answer_the_same(purpose: str) -> None:
    for drawn in pictures():
        for original in asked_of(drawn):
            written = said(drawn, purpose, about(original))
            choices = list(original.choices)
            assert written["question"] != original.text
            assert written["answer"] == original.answer
            assert true_answer(drawn, written["question"], choices) == original.answer
            unchanged = numbers(original.text)
            assert numbers(written["question"].replace("+", "")) == unchanged


def test_all_questions_of_all_families_have_their_own_rewordings() -> None:
    for drawn in pictures():
        for question in asked_of(drawn):
            text = said(drawn, "rephrase", about(question))["question"]
            assert not text.startswith(("Study the picture", "Look at the picture"))


def test_shortened_questions_are_shorter_and_keep_roundings() -> None:
    for drawn in pictures():
        for original in asked_of(drawn):
            text = said(drawn, "simplify", about(original))["question"]
            assert len(text) < len(original.text)
            for needed in ("Round to", "Give ", "taking pi as", "in this order", "ascending"):
                if not original.text.startswith(needed):
                    assert (needed in original.text) == (needed in text)


def test_shortened_questions_of_a_scene_are_told_apart() -> None:
    for drawn in pictures():
        meant: dict[str, str] = {}
        for original in asked_of(drawn):
            for sample in range(3):
                text = said(drawn, "simplify", about(original), sample=sample)["question"]
                assert meant.setdefault(text.casefold(), original.text) == original.text


def test_what_it_writes_it_answers_truly_whatever_the_choices() -> None:
    for drawn in pictures(51):
        for original in drawn.originals:
            for purpose in ("complex", "rephrase", "simplify"):
                wanted = purpose == "complex"
                written = (
                    harder(drawn, original) if wanted else said(drawn, purpose, about(original))
                )
                values = {"question": written["question"], "choices": written.get("choices", [])}
                assert said(drawn, "answer", values)["answer"] == written["answer"]
            others = [*reversed(original.choices), "none of these"]
            values = {"question": original.text, "choices": others}
            assert said(drawn, "answer", values)["answer"] == original.answer


def test_a_choice_with_a_unit_is_found() -> None:
    drawn = next(drawn for drawn in pictures() if drawn.family.name == "triangle")
    size = next(q for q in counts(drawn) if q.unit)
    choice = f"{size.answer} {size.unit}"
    assert true_answer(drawn, size.text, ["1000", choice]) == choice


def test_erring_always_it_is_never_right() -> None:
    for drawn in pictures():
        for question in said(drawn, "ask_image", {"count": 4}, error_rate=1)["questions"]:
            expected = true_answer(drawn, question["question"], question["choices"])
            assert expected is not None and question["answer"] != expected
            assert not question["choices"] or question["answer"] in question["choices"]
        for original in drawn.originals:
            written = said(drawn, "complex", about(original), error_rate=1)
            expected = true_answer(drawn, written["question"], written["choices"])
            assert expected is not None and written["answer"] != expected
            for purpose in ("rephrase", "simplify"):
                written = said(drawn, purpose, about(original), error_rate=1)
                assert written["answer"] == original.answer
                choices = list(original.choices)
                assert true_answer(drawn, written["question"], choices) not in (
                    None,
                    original.answer,
                )
            answered = said(drawn, "answer", about(original), error_rate=1)
            assert answered["answer"] != original.answer
            assert not original.choices or answered["answer"] in original.choices


def test_wrong_numbers_keep_their_decimals_and_lists_their_form() -> None:
    for drawn in pictures():
        for original in asked_of(drawn):
            wrong = said(drawn, "answer", about(original), error_rate=1)["answer"]
            if original.precision is not None:
                assert re.fullmatch(rf"-?\d+\.\d{{{original.precision}}}", wrong)
                assert float(wrong) != float(original.answer)
            elif original.answer_type == "integer":
                assert int(wrong) != int(original.answer)
            elif original.answer_type == "yes_no":
                assert {wrong, original.answer} == {"Yes", "No"}
            elif original.answer_type == "list" and wrong != "unanswerable":
                assert json.loads(wrong) != json.loads(original.answer)


def test_it_errs_as_often_as_told() -> None:
    wrong = total = 0
    for drawn in pictures():
        for sample in range(2):
            more: dict[str, Any] = {"error_rate": 0.2, "sample": sample}
            for question in said(drawn, "ask_image", {"count": 5}, **more)["questions"]:
                expected = true_answer(drawn, question["question"], question["choices"])
                wrong += question["answer"] != expected
                total += 1
            for original in drawn.originals:
                for purpose in ("complex", "rephrase", "simplify"):
                    written = said(drawn, purpose, about(original), **more)
                    choices = written.get("choices", list(original.choices))
                    expected = true_answer(drawn, written["question"], choices)
                    wrong += written["answer"] != expected
                    total += 1
    assert total > 3000
    assert wrong / total == pytest.approx(0.2, abs=0.03)


def test_equal_requests_get_equal_replies_and_samples_are_independent() -> None:
    drawn = invent(7, 14)
    first = ask(drawn, "ask_image", {"count": 3})
    assert ask(drawn, "ask_image", {"count": 3}) == first
    assert len({ask(drawn, "ask_image", {"count": 3}, sample=n).text for n in range(6)}) > 3
    values = about(drawn.originals[0])
    more: dict[str, Any] = {"error_rate": 0.5}
    answers = [said(drawn, "answer", values, sample=n, **more)["answer"] for n in range(40)]
    right = answers.count(drawn.originals[0].answer)
    assert 10 <= right <= 30


def test_images_are_judged_by_their_scenes() -> None:
    for drawn in pictures():
        judged = said(drawn, "label", {})
        assert judged["clarity"] == (0 if drawn.flaw else 1)
        assert judged["complexity"] == drawn.scene.complexity
        wrong = said(drawn, "label", {}, error_rate=1)
        assert wrong["clarity"] != judged["clarity"]
        assert wrong["complexity"] != judged["complexity"]
        assert 0 <= wrong["complexity"] <= 3


def test_it_refuses_what_it_cannot_do() -> None:
    class Other(BaseModel):
        question: str

    drawn = invent(7, 0)
    values = about(drawn.originals[0])
    strange = {"question": "Why is the sky blue?", "choices": [], "answer": "light"}
    refused = [
        ask("TabMWP/1.png", "answer", values),
        ask("drawn/shapes/0-000000.png", "answer", values),
        ask(drawn.name, "answer", values),
        ask(drawn, Prompt("other", "Ask.", Other), values),
        *(ask(drawn, purpose, strange) for purpose in ("answer", "complex", "rephrase")),
    ]
    for reply in refused:
        assert reply.status is Status.REFUSED
        assert reply.text.endswith(".")
    assert true_answer(drawn, "Why is the sky blue?", []) is None
    assert truth("TabMWP/1.png", values["question"], []) is None


def test_a_reply_counts_its_tokens() -> None:
    drawn = invent(7, 0)
    reply = ask(drawn, "answer", about(drawn.originals[0]))
    assert reply.output_tokens == len(reply.text) // 4
    assert reply.input_tokens > 100
