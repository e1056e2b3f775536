"""The same question asked again: about the same image, or as the same problem elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import pyarrow as pa

from .schema import Kind, Reason

PROBLEM_LENGTH = 80
"""Characters from which a question with its choices and its answer is a problem of its own.

Shorter ones ("Find x.", "How many apples are there?") recur over different pictures.
"""


def problem_key(question: str, choices: Sequence[str], answer: str) -> int | None:
    """A 63-bit number that equal problems share whatever their image; None for short questions."""
    if len(question) < PROBLEM_LENGTH:
        return None
    text = "\x1f".join([_plain(question), *choices, _plain(answer)])
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) >> 1


@dataclass(frozen=True, slots=True)
class Repetition:
    """Question `number` of a table goes; question `kept`, if any, stays in its place."""

    number: int
    reason: Reason
    detail: str
    kept: int | None = None


def find_repetitions(questions: pa.Table) -> list[Repetition]:
    """Which questions of a pool go because another row asks the same about the same image.

    The same means equal choices and equal text but for case and white space. Of rows that agree in
    their answer the first original (else the first) stays. Where answers differ, an original
    outweighs what a teacher wrote; where the originals, or only synthetic rows, contradict each
    other, nobody knows who is right and all of them go. A problem that two sources tell in their
    own words about the same image stays once, too.
    """
    gone = {r.number: r for group in _groups(questions) for r in _repeated(questions, group)}
    for repetition in _told_elsewhere(questions):
        gone.setdefault(repetition.number, repetition)
    return sorted(gone.values(), key=lambda r: r.number)


def _repeated(questions: pa.Table, numbers: list[int]) -> Iterator[Repetition]:
    rows = questions.take(pa.array(numbers)).select(["kind", "answer", "id"]).to_pylist()
    answers = [_plain(row["answer"]) for row in rows]
    originals = [i for i, row in enumerate(rows) if row["kind"] == Kind.ORIGINAL]
    witnesses = originals or range(len(rows))
    agreed = {answers[i] for i in witnesses}
    kept = witnesses[0] if len(agreed) == 1 else None
    for i, number in enumerate(numbers):
        if i == kept:
            continue
        if kept is not None and answers[i] == answers[kept]:
            reason = Reason.DUPLICATE_QUESTION
            detail = f"repeats {rows[kept]['id']}, answer {rows[i]['answer']!r}"
        else:
            reason = Reason.CONFLICTING_ANSWERS
            others = {row["answer"] for row in rows if row["answer"] != rows[i]["answer"]}
            detail = f"answer {rows[i]['answer']!r} here, elsewhere {sorted(others)}"
        yield Repetition(number, reason, detail, None if kept is None else numbers[kept])


def _told_elsewhere(questions: pa.Table) -> Iterator[Repetition]:
    """Originals that another source has in other words: same image, three or more equal choices,
    same answer. So UniGeo tells the problems of GeoQA+ in English. The source that came first
    keeps its rows.
    """
    first: dict[tuple[object, ...], tuple[str, int, str]] = {}
    columns = ["source", "id", "kind", "image", "choices", "answer_letter"]
    number = 0
    for batch in questions.select(columns).to_batches(max_chunksize=8192):
        for source, name, kind, *problem in zip(
            *(column.to_pylist() for column in batch.columns), strict=True
        ):
            choices = problem[1]
            if kind == Kind.ORIGINAL and len(choices) >= 3:
                key = (problem[0], *map(_plain, choices), problem[2])
                owner, kept, kept_id = first.setdefault(key, (source, number, name))
                if owner != source:
                    detail = f"the same problem as {kept_id}"
                    yield Repetition(number, Reason.SAME_PROBLEM, detail, kept)
            number += 1


def _groups(questions: pa.Table) -> list[list[int]]:
    """Numbers of the questions that are asked more than once, group by group."""
    first: dict[bytes, int] = {}
    groups: dict[bytes, list[int]] = {}
    number = 0
    for batch in questions.select(["image", "question", "choices"]).to_batches(max_chunksize=8192):
        for image, question, choices in zip(*(c.to_pylist() for c in batch.columns), strict=True):
            text = "\x1f".join([str(image), _plain(question), *choices])
            key = blake2b(text.encode(), digest_size=16).digest()
            if first.setdefault(key, number) != number:
                groups.setdefault(key, [first[key]]).append(number)
            number += 1
    return list(groups.values())


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).rstrip(".")
