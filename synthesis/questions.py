"""From a teacher's answers to rows: the form of a written question, or why it has none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from ..builder.answer_form import answer_type, decimals
from ..builder.answers import find_choice, same_answer
from ..builder.schema import AnswerType, QuestionType
from .answered import Failure
from .forms import Reworded, Spoilt, Written, WrittenSeveral
from .plan import Planned
from .teacher import Status


class Fault(StrEnum):
    """Why a written question is not kept."""

    NOT_ANSWERED = "not_answered"
    REFUSED = "refused"
    FILTERED = "filtered"
    TRUNCATED = "truncated"
    NOT_ACCEPTED = "not_accepted"
    INVALID = "invalid"
    NOT_WRITTEN = "not_written"
    NOT_ASKED_FOR = "not_asked_for"
    NO_QUESTION = "no_question"
    NO_ANSWER = "no_answer"
    UNANSWERABLE = "unanswerable"
    CHOICES_REPEAT = "choices_repeat"
    ANSWER_NOT_AMONG_CHOICES = "answer_not_among_choices"
    NUMBER_UNREADABLE = "number_unreadable"
    ANSWER_CHANGED = "answer_changed"
    UNCHANGED = "unchanged"
    NOT_SHORTER = "not_shorter"
    GIVEN_AWAY = "given_away"
    NEAR_DUPLICATE = "near_duplicate"
    DUPLICATE_QUESTION = "duplicate_question"
    CONFLICTING_ANSWERS = "conflicting_answers"
    NOT_VERIFIED = "not_verified"
    DISAGREEMENT = "disagreement"


_FAULTS: dict[Status | None, Fault] = {
    None: Fault.NOT_ANSWERED,
    **{status: Fault(status) for status in Status if status is not Status.ANSWERED},
}


_MAX_REPLY = 4_000
"""Characters of a reply without a question that are kept beside it; the ledger has all of it."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question as a teacher wrote it: its row, or what is wrong with it.

    `row` has the columns of `builder.schema.QUESTION` and `image`, the row of its image. Where the
    teacher gave no question at all, `reply` is what it gave instead.
    """

    row: dict[str, Any]
    fault: Fault | None = None
    detail: str = ""
    reply: str = ""


def candidates(planned: Planned, answer: BaseModel | Failure) -> Iterator[Candidate]:
    """The questions in a teacher's answer, in their order, and those that are lacking: as many as
    were asked for, or more."""
    if isinstance(answer, Failure):
        for number in range(planned.kind.count):
            reply = answer.text[:_MAX_REPLY] if number == 0 else ""
            yield _none(planned, number, _FAULTS[answer.status], answer.detail, reply)
    elif isinstance(answer, WrittenSeveral):
        yield from _several(planned, answer)
    elif isinstance(answer, Written):
        yield _written(planned, 0, answer)
    else:
        assert isinstance(answer, Reworded)
        yield _reworded(planned, answer)


def _several(planned: Planned, answer: WrittenSeveral) -> Iterator[Candidate]:
    count = planned.kind.count
    for number, said in enumerate(answer.questions):
        if isinstance(said, Spoilt):
            yield _none(planned, number, Fault.INVALID, said.problem, said.reply[:_MAX_REPLY])
            continue
        candidate = _written(planned, number, said)
        if number >= count:
            detail = f"{count} questions were asked for"
            candidate = Candidate(candidate.row, Fault.NOT_ASKED_FOR, detail)
        yield candidate
    for number in range(len(answer.questions), count):
        detail = f"{len(answer.questions)} of {count} questions came"
        yield _none(planned, number, Fault.NOT_WRITTEN, detail, "")


def _none(planned: Planned, number: int, fault: Fault, detail: str, reply: str) -> Candidate:
    return Candidate(_row(planned, number, "", (), "", None, None, None), fault, detail, reply)


def _written(planned: Planned, number: int, said: Written) -> Candidate:
    choices = tuple(said.choices)
    answer, unit = _without_unit(said.answer, said.unit), said.unit or None
    place = find_choice(said.answer, choices) if choices else None
    if place is not None:
        answer = choices[place]
    rationale = said.rationale or None
    row = _row(planned, number, said.question, choices, answer, place, unit, rationale)
    return _checked(Candidate(row), planned)


def _reworded(planned: Planned, said: Reworded) -> Candidate:
    """The original's answer and choices under another question."""
    original = planned.parent
    assert original is not None
    choices = original.choices
    place = choices.index(original.answer) if original.answer in choices else None
    row = _row(planned, 0, said.question, choices, original.answer, place, original.unit, None)
    if said.answer and not same_answer(original.answer, said.answer, choices, original.unit):
        detail = f"answered {said.answer!r}, the original {original.answer!r}"
        return Candidate(row, Fault.ANSWER_CHANGED, detail)
    return _checked(Candidate(row), planned)


def _row(
    planned: Planned,
    number: int,
    question: str,
    choices: tuple[str, ...],
    answer: str,
    place: int | None,
    unit: str | None,
    rationale: str | None,
) -> dict[str, Any]:
    subject, original, kind = planned.subject, planned.parent, planned.kind
    if original is None:
        name = f"{subject.picture.name}#{kind.name}-{number}"
    else:
        stem, _, place_there = original.id.rpartition("#")
        name = f"{stem}#{kind.name}-{place_there.rpartition('-')[2]}"
    return {
        "image": subject.row,
        "id": name,
        "source": original.source if original else subject.source,
        "task": original.task if original else subject.task,
        "context": original.context if original else subject.context,
        "kind": kind.name,
        "parent_id": original.id if original else None,
        "question": question,
        "choices": list(choices),
        "answer": answer,
        "answer_letter": None if place is None else chr(ord("A") + place),
        "answer_type": answer_type(answer),
        "question_type": QuestionType.MULTI_CHOICE if choices else QuestionType.FREE_FORM,
        "unit": unit,
        "precision": decimals(answer),
        "rationale": rationale,
        "teacher": planned.request.teacher.model,
        "agreement": None,
        "contamination": (original or subject).contamination,
        "license": original.license if original else subject.license,
    }


def _without_unit(answer: str, unit: str) -> str:
    """`12 cm` is 12 where the unit is told apart."""
    stripped = answer.removesuffix(unit).strip() if unit else answer
    numeric = answer_type(stripped) in (AnswerType.INTEGER, AnswerType.FLOAT)
    return stripped if numeric else answer


def _checked(candidate: Candidate, planned: Planned) -> Candidate:
    """A question of good form as it is, and another with its fault."""
    row = candidate.row
    found = _fault(row, planned)
    return candidate if found is None else Candidate(row, *found)


def _fault(row: dict[str, Any], planned: Planned) -> tuple[Fault, str] | None:
    question, answer, choices = row["question"], row["answer"], row["choices"]
    if not question:
        return Fault.NO_QUESTION, "the question is empty"
    if not answer:
        return Fault.NO_ANSWER, "the answer is empty"
    if plain(answer) in ("unanswerable", "cannot be determined", "none of the above"):
        return Fault.UNANSWERABLE, f"the answer is {answer!r}"
    if choices:
        if len({plain(choice) for choice in choices}) < len(choices) or "" in choices:
            return Fault.CHOICES_REPEAT, f"the choices are {choices}"
        if row["answer_letter"] is None or len(choices) < 2:
            return Fault.ANSWER_NOT_AMONG_CHOICES, f"{answer!r} is not among {choices}"
    elif row["unit"] and not any(c.isdigit() for c in answer):
        return Fault.NUMBER_UNREADABLE, f"{answer!r} is no number of {row['unit']}"
    original = planned.parent
    if original is not None:
        if plain(question) == plain(original.question):
            return Fault.UNCHANGED, f"the same as {original.id}"
        if planned.kind.shorter and len(question) >= len(original.question):
            return Fault.NOT_SHORTER, f"{len(question)} characters, {len(original.question)} before"
    if gives_away(question, answer, choices) and not (
        original is not None and gives_away(original.question, answer, choices)
    ):
        return Fault.GIVEN_AWAY, f"the question says {answer!r}"
    return None


def gives_away(question: str, answer: str, choices: list[str]) -> bool:
    """Whether a question says its answer, without offering others beside it.

    A number in a question is mostly a given; it gives the answer away only where it is called so.
    """
    text, said = f" {plain(question)} ", f" {plain(answer)} "
    if said.strip() in ("", "yes", "no", "true", "false"):
        return False
    if any(f" the {noun} is{said}" in text for noun in ("answer", "result", "solution")):
        return True
    if said not in text or len(said) < 5 or " or " in text or answer_type(answer) != "text":
        return False
    return not any(f" {plain(c)} " in text for c in choices if plain(c) != plain(answer))


def plain(text: str) -> str:
    """Letters and digits in lower case, words apart by one blank."""
    return " ".join("".join(c if c.isalnum() else " " for c in text.casefold()).split())
