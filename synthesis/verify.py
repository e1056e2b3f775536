"""The verification step: which written questions are kept, and why the others are not.

A question is kept where its form is good, where it asks something new about its image, and where
the teacher (or another one), asked again without being shown the answer, finds the same answer.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ..builder.answers import final_answer, same_answer
from ..builder.extension import as_questions, merge, write_extension
from ..builder.folders import new_folder, refuse_own_input, seal
from ..builder.manifest import (
    done_before,
    files_digest,
    finished,
    is_intact,
    read_manifest,
    write_manifest,
)
from ..builder.pool import open_pool, open_questions
from ..builder.recipe import Recipe, TeacherChoice
from ..builder.schema import QUESTION, REJECTED
from ..errors import FolderError
from .answered import Failure, answer_of
from .asking import Asking, ask_all, refuse_other_teacher
from .estimate import estimate
from .forms import Answered
from .kinds import question_kinds
from .ledger import Ledger
from .likeness import alike, contradict
from .plan import read_pictures
from .prompts import built_in
from .questions import Fault
from .request import Picture, Request
from .run import WRITTEN, wanted

ANSWER = built_in("answer", Answered)
_Group = tuple[str, str, str]
_AT_ONCE = 8_192
"""Questions in memory as Python objects."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A written question, its agreement, and its fault if it is not kept."""

    row: dict[str, Any]
    fault: Fault | None
    detail: str
    reply: str = ""
    agreement: float | None = None


class Checks:
    """The written questions of a synthesis, image by image, and the requests to answer them."""

    def __init__(self, pool: Path, written: Path, recipe: Recipe) -> None:
        self.rules = recipe.verify
        self.teacher: TeacherChoice = recipe.verify.teacher or wanted(recipe).teacher
        self.pictures: Sequence[Picture] = read_pictures(pool)
        self._pool, self._written = pool, written
        self._new_kinds = {k.name for k in question_kinds(wanted(recipe)) if k.answer == "new"}

    def __iter__(self) -> Iterator[list[Verdict]]:
        """The questions of each image, those with a fault of form or a likeness told apart."""
        there = _asked_by_image(self._pool)
        place, asked = next(there, (-1, []))
        for image, rows in groupby(_rows(self._written / WRITTEN), key=lambda row: row["image"]):
            while 0 <= place < image:
                place, asked = next(there, (-1, []))
            yield _looked_at(list(rows), asked if place == image else [], self._new_kinds)

    def requests(self) -> Iterator[Request]:
        """Each question without a fault, `answers` times."""
        for verdicts in self:
            for verdict in verdicts:
                if verdict.fault is None:
                    yield from self.asked(verdict.row)

    def asked(self, row: dict[str, Any]) -> list[Request]:
        """The requests to answer one question."""
        values = {"question": row["question"], "choices": row["choices"], "unit": row["unit"]}
        picture = self.pictures[row["image"]]
        return [
            Request(self.teacher, ANSWER, values, picture, sample)
            for sample in range(self.rules.answers)
        ]

    def judged(self, verdict: Verdict, ledger: Ledger) -> Verdict:
        """A question with what the answers say about it."""
        if verdict.fault is not None or not self.rules.answers:
            return verdict
        answers = [answer_of(request, ledger) for request in self.asked(verdict.row)]
        return judge(verdict.row, answers, self.rules.min_agreement)


def judge(row: dict[str, Any], answers: Sequence[Any], min_agreement: float) -> Verdict:
    """Keep a question whose stated answer enough of the `answers` give, and more than any other.

    The statement itself counts as one voice against the others.
    """
    given = [final_answer(a.answer) for a in answers if not isinstance(a, Failure)]
    if not given:
        return Verdict(row, Fault.NOT_VERIFIED, "no answer could be had")
    choices, unit = row["choices"], row["unit"]
    others: list[list[str]] = []
    agreeing = 0
    for answer in given:
        if same_answer(row["answer"], answer, choices, unit):
            agreeing += 1
            continue
        for group in others:
            if same_answer(group[0], answer, choices, unit):
                group.append(answer)
                break
        else:
            others.append([answer])
    agreement = agreeing / len(given)
    most = max(others, key=len, default=[])
    if agreement >= min_agreement and len(most) < agreeing + 1:
        return Verdict(row, None, "", agreement=agreement)
    heard = ", ".join(repr(group[0]) for group in others)
    detail = f"{agreeing} of {len(given)} answers agree with {row['answer']!r}, others say {heard}"
    return Verdict(row, Fault.DISAGREEMENT, detail, agreement=agreement)


def _looked_at(
    rows: list[dict[str, Any]], originals: list[dict[str, Any]], new_kinds: set[str]
) -> list[Verdict]:
    """Faults of form as they were found, and repetitions of what is asked about the image."""
    verdicts = []
    asked = list(originals)
    for row in rows:
        fault, detail, reply = row.pop("fault"), row.pop("detail"), row.pop("reply")
        if fault is None:
            new = row["kind"] in new_kinds  # a rewording is like its original, and shall be
            like = next((o for o in asked if new and alike(row, o)), None)
            if like is not None:
                verdicts.append(
                    Verdict(row, Fault.NEAR_DUPLICATE, f"asks the same as {like['id']}")
                )
                continue
            against = next((o for o in originals if new and contradict(row, o)), None)
            if against is not None:
                verdicts.append(_contradicted(Verdict(row, None, ""), against))
                continue
            if new:
                asked.append(row)
        verdicts.append(Verdict(row, None if fault is None else Fault(fault), detail, reply))
    return verdicts


def _without_contradictions(verdicts: list[Verdict]) -> list[Verdict]:
    """Of questions about an image that ask the same and are answered otherwise nobody knows which
    is right: all of them go."""
    kept = [v for v in verdicts if v.fault is None]
    against = {
        v.row["id"]: other.row
        for v in kept
        for other in kept
        if other is not v and contradict(v.row, other.row)
    }
    return [
        _contradicted(v, against[v.row["id"]]) if v.row["id"] in against else v for v in verdicts
    ]


def _contradicted(verdict: Verdict, other: dict[str, Any]) -> Verdict:
    detail = f"answer {verdict.row['answer']!r}, but {other['id']} says {other['answer']!r}"
    return Verdict(verdict.row, Fault.CONFLICTING_ANSWERS, detail, verdict.reply, verdict.agreement)


def verify_answers(
    pool: Path, written: Path, recipe: Recipe, out: Path, asking: Asking
) -> dict[str, Any]:
    """The pool in the folder `out` with the written questions that hold; its manifest.

    Or leave the folder where nothing has changed. Raises `TeacherError` where the teacher does not
    answer, `FolderError` where `written` was not written about `pool`.
    """
    refuse_own_input(out, pool)
    pool_manifest = open_pool(pool)
    written_manifest = _open_written(written, files_digest(pool_manifest))
    parameters = {
        "pool": files_digest(pool_manifest),
        "synthesis": files_digest(written_manifest),
        "verify": recipe.verify.model_dump(mode="json"),
        "software": {n: version(n) for n in ("mathv360k", "math-verify")},
    }
    done = done_before(out, "pool", parameters)
    if done and not done["synthesis"]["missing"] and asking.is_final():
        return done
    with asking.open_ledger() as ledger:
        checks = Checks(pool, written, recipe)
        refuse_other_teacher(checks.teacher, (p.name for p in checks.pictures))
        tally = ask_all(checks.requests, checks.teacher, pool, ledger, asking)
        added, rejected, counts = _judged(checks, ledger)
    questions, repeated = merge(pool, added)
    ids = [picture.image_id for picture in checks.pictures]
    more = [_repetition(added, r.number, Fault(r.reason), r.detail) for r in repeated]
    for verdict in more:
        counts[_group(verdict.row)].update({"": -1, str(verdict.fault): 1})
    rejected.append(_rejections(more, ids))
    spent = written_manifest["usd"]
    with new_folder(out, "pool") as folder:
        write_extension(pool, questions, pa.concat_tables(rejected), folder)
        told = {k: pool_manifest[k] for k in ("images", "quarantine", "reasons")}
        for note in ("near_duplicates", "compared", "not_compared"):
            if count := pool_manifest.get(note):
                told[note] = count
        files = {p.name: seal(p) for p in sorted(folder.iterdir()) if p.name != ".lock"}
        body = {
            "parameters": parameters,
            **told,
            "questions": len(questions),
            "synthesis": {
                "teacher": written_manifest["parameters"]["synthesize"]["teacher"]["model"],
                "verified_by": checks.teacher.model if recipe.verify.answers else None,
                "missing": tally.total - tally.done,
                "requests": written_manifest["requests"] + tally.ended.total(),
                "usd": None if tally.unpriced or spent is None else round(spent + tally.usd, 6),
                "yield": _yield(counts),
            },
            "files": files,
        }
        write_manifest(folder, "pool", body)
    return finished(out, "pool")


def dry_run(pool: Path, written: Path, recipe: Recipe, asking: Asking) -> dict[str, Any]:
    """What a verification will take; nothing is asked."""
    _open_written(written, files_digest(open_pool(pool)))
    with asking.open_ledger() as ledger:
        checks = Checks(pool, written, recipe)
        return estimate(checks.requests(), checks.teacher, ledger, asking.prices)


def _open_written(written: Path, pool_digest: str) -> dict[str, Any]:
    manifest = read_manifest(written, "synthesis")
    if manifest is None or not is_intact(written, manifest):
        raise FolderError(f"{written} holds no written questions; `mathv360k synthesize` does.")
    if manifest["parameters"]["pool"] != pool_digest:
        raise FolderError(f"{written} was written about another pool; synthesize again.")
    return manifest


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(8_192):
                yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise FolderError(f"{path} is damaged ({error}); write it again.") from None


def _asked_by_image(pool: Path) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """What the pool's own questions ask and answer, image by image in its order."""
    columns = ["image", "id", "question", "choices", "answer"]

    def rows() -> Iterator[dict[str, Any]]:
        with open_questions(pool, columns) as file:
            for number in range(file.num_record_batches):
                yield from file.get_batch(number).to_pylist()

    for image, of_image in groupby(rows(), key=lambda row: row["image"]):
        yield image, list(of_image)


def _judged(
    checks: Checks, ledger: Ledger
) -> tuple[pa.Table, list[pa.Table], dict[_Group, Counter[str]]]:
    """Questions that hold, those that do not, and how many by kind, source, task and fault."""
    ids = [picture.image_id for picture in checks.pictures]
    good, bad = [as_questions([])], []
    counts: dict[_Group, Counter[str]] = defaultdict(Counter)
    verdicts = (
        verdict
        for of_image in checks
        for verdict in _without_contradictions([checks.judged(v, ledger) for v in of_image])
    )
    while some := list(islice(verdicts, _AT_ONCE)):
        kept = [v for v in some if v.fault is None]
        good.append(as_questions({**v.row, "agreement": v.agreement} for v in kept))
        bad.append(_rejections([v for v in some if v.fault is not None], ids))
        for verdict in some:
            counts[_group(verdict.row)][verdict.fault or ""] += 1
    return pa.concat_tables(good), bad, counts


def _repetition(added: pa.Table, number: int, fault: Fault, detail: str) -> Verdict:
    (row,) = added.slice(number, 1).to_pylist()
    return Verdict(row, fault, detail, agreement=row["agreement"])


def _rejections(verdicts: Sequence[Verdict], ids: Sequence[str]) -> pa.Table:
    rows = [
        {
            "image_id": ids[verdict.row["image"]],
            **{name: verdict.row[name] for name in QUESTION.names},
            "agreement": verdict.agreement,
            "reason": verdict.fault,
            "detail": verdict.detail,
            "reply": verdict.reply,
        }
        for verdict in verdicts
    ]
    return pa.Table.from_pylist(rows, REJECTED)


def _group(row: dict[str, Any]) -> _Group:
    return row["kind"], row["source"], row["task"]


def _yield(counts: dict[_Group, Counter[str]]) -> list[dict[str, Any]]:
    """Per kind, source and task: how many were kept, and rejected for which reason."""
    return [
        {
            "kind": kind,
            "source": source,
            "task": task,
            "kept": faults[""],
            "rejected": {fault: n for fault, n in sorted(faults.items()) if fault and n},
        }
        for (kind, source, task), faults in sorted(counts.items())
    ]
