"""Taking rows in: images opened once on all cores, questions checked, the rest set aside."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from os import cpu_count
from typing import Any

import pyarrow as pa

from .answer_form import answer_type, decimals
from .images import ImageFacts, inspect
from .repetitions import problem_key
from .schema import QUESTION, QuestionType, Reason, Unusable, printable
from .sources.source import Candidate, Rejection, Source

Progress = Callable[[str, int, int | None], None]
"""Told what is being done, how much of it is done, and how much there is (None: unknown)."""

IMAGES = pa.schema(
    {
        "image_id": pa.string(),
        "offset": pa.int64(),
        "size": pa.int64(),
        "source": pa.string(),
        "name": pa.string(),
        "task": pa.string(),
        "context": pa.string(),
        "format": pa.string(),
        "width": pa.int32(),
        "height": pa.int32(),
        "dhash": pa.string(),
        "clarity": pa.float32(),
        "complexity": pa.int8(),
        "license": pa.string(),
    }
)
QUESTIONS = pa.schema(
    [
        pa.field("image", pa.int32()),  # row of the image in images.parquet
        pa.field("row", pa.string()),  # where the question stands in its source
        pa.field("problem", pa.int64()),  # equal for the same problem about another image
        *QUESTION,
    ]
)
QUARANTINE = pa.schema(
    {
        "source": pa.string(),
        "row": pa.string(),
        "image": pa.string(),
        "reason": pa.string(),
        "detail": pa.string(),
    }
)

_THREADS = cpu_count() or 1
_IMAGES_AHEAD = 2 * _THREADS  # images decoded, and in memory, while earlier rows are taken in
_ROWS_AHEAD = 4096
QUESTION_BATCH = 16_384
"""Rows per batch of questions.arrow; the last one may have fewer."""


@dataclass(frozen=True, slots=True)
class Feed:
    """Rows on their way into a pool, each with its source (None: not known), in a stable order.

    Of at most `limit` images; the questions of the first ones are all read.
    """

    name: str
    rows: Iterator[tuple[Source | None, Candidate | Rejection]]
    limit: int | None = None


@dataclass(slots=True)
class Intake:
    """Everything taken in so far. Image bytes go straight to disk, texts stay in memory."""

    write: Callable[[bytes], object]
    feed: str = ""
    offset: int = 0
    images: list[dict[str, Any]] = field(default_factory=list)
    image_rows: dict[str, int] = field(default_factory=dict)  # image_id -> row in images
    questions: list[pa.RecordBatch] = field(default_factory=list)
    batch: list[dict[str, Any]] = field(default_factory=list)
    quarantined: list[dict[str, Any]] = field(default_factory=list)
    numbers: Counter[str] = field(default_factory=Counter)  # questions so far by id without number

    def take(self, feed: Feed, progress: Progress) -> None:
        """Take in one feed; images are decoded ahead on all cores, rows stay in order."""
        self.feed = feed.name
        opened: dict[tuple[str, str], Future[tuple[bytes, ImageFacts]] | int | Unusable] = {}
        window: deque[tuple[Source | None, Candidate | Rejection]] = deque()
        ahead = done = 0

        def settle() -> None:
            nonlocal ahead
            source, row = window.popleft()
            if isinstance(row, Rejection):
                self._reject(source, row)
                return
            assert source is not None
            key = source.name, row.image
            image = opened[key]
            if isinstance(image, Future):
                image = opened[key] = self._add_image(source, row, image)
                ahead -= 1
            if isinstance(image, Unusable):
                self._reject(source, Rejection(row.row, image.reason, image.detail, row.image))
            else:
                self._add_question(source, row, image)

        with ThreadPoolExecutor(_THREADS) as threads:
            try:
                for source, row in feed.rows:
                    done += 1
                    if done % 256 == 0:
                        progress(f"reading {feed.name}", done, None)
                    if isinstance(row, Candidate):
                        assert source is not None
                        key = source.name, row.image
                        if key not in opened:
                            if feed.limit is not None and len(opened) >= feed.limit:
                                continue
                            opened[key] = threads.submit(_open, row.load)
                            ahead += 1
                    window.append((source, row))
                    while ahead > _IMAGES_AHEAD or len(window) > _ROWS_AHEAD:
                        settle()
                while window:
                    settle()
            except BaseException:
                threads.shutdown(cancel_futures=True)
                raise
        progress(f"reading {feed.name}", done, done)

    def _add_image(
        self, source: Source, row: Candidate, opening: Future[tuple[bytes, ImageFacts]]
    ) -> int | Unusable:
        try:
            data, facts = opening.result()
        except Unusable as bad:
            return bad
        known = self.image_rows.get(facts.image_id)
        if known is not None:
            return known
        self.write(data)
        self.images.append(
            {
                **asdict(facts),
                "offset": self.offset,
                "size": len(data),
                "source": source.name,
                "name": f"{source.name}/{row.image}",
                "task": row.task or source.task,
                "context": row.context or source.context,
                "clarity": row.clarity,
                "complexity": row.complexity,
                "license": source.license,
            }
        )
        self.offset += len(data)
        self.image_rows[facts.image_id] = number = len(self.images) - 1
        return number

    def _add_question(self, source: Source, row: Candidate, image: int) -> None:
        stem = f"{source.name}/{row.image}#{row.kind}"
        number = self.numbers[stem]  # counts refused rows too: an id does not depend on them
        self.numbers[stem] += 1
        try:
            question, choices, answer, letter = _checked(row)
        except Unusable as bad:
            self._reject(source, Rejection(row.row, bad.reason, bad.detail, row.image))
            return
        parent = None if row.parent is None else f"{source.name}/{row.image}#original-{row.parent}"
        self.batch.append(
            {
                "image": image,
                "row": row.row,
                "problem": problem_key(question, choices, answer),
                "id": f"{stem}-{number}",
                "source": source.name,
                "task": row.task or source.task,
                "context": row.context or source.context,
                "kind": row.kind,
                "parent_id": parent,
                "question": question,
                "choices": choices,
                "answer": answer,
                "answer_letter": letter,
                "answer_type": row.answer_type or answer_type(answer),
                "question_type": QuestionType.MULTI_CHOICE if choices else QuestionType.FREE_FORM,
                "unit": row.unit,
                "precision": decimals(answer) if row.precision is None else row.precision,
                "rationale": row.rationale,
                "license": source.license,
            }
        )
        if len(self.batch) >= QUESTION_BATCH:
            self._flush()

    def _reject(self, source: Source | None, row: Rejection) -> None:
        """Note a row that cannot be used; its image is named as those in the pool are."""
        image = f"{source.name}/{row.image}" if source and row.image else row.image
        self.quarantined.append(
            {
                "source": source.name if source else self.feed,
                "row": printable(row.row),
                "image": printable(image) if image else None,
                "reason": row.reason,
                "detail": printable(row.detail),
            }
        )

    def _flush(self) -> None:
        if self.batch:
            self.questions.append(pa.RecordBatch.from_pylist(self.batch, QUESTIONS))
            self.batch = []

    def question_table(self) -> pa.Table:
        """All questions so far, in the order they came."""
        self._flush()
        return pa.Table.from_batches(self.questions, QUESTIONS)


def _open(load: Callable[[], bytes]) -> tuple[bytes, ImageFacts]:
    data = load()
    return data, inspect(data)


def _checked(row: Candidate) -> tuple[str, list[str], str, str | None]:
    """Question, choices, answer and answer letter of a row that can be used."""
    for text in (row.question, row.answer, *row.choices, row.unit or "", row.rationale or ""):
        if printable(text) != text:
            raise Unusable(Reason.MALFORMED_ROW, f"{printable(text)!r} holds half a character")
    question, answer = row.question.strip(), row.answer.strip()
    choices = [choice.strip() for choice in row.choices]
    if not question:
        raise Unusable(Reason.NO_QUESTION, f"the question is empty, the answer {answer!r}")
    if not answer:
        raise Unusable(Reason.NO_ANSWER, f"the answer to {question!r} is empty")
    if not choices:
        return question, choices, answer, None
    place = row.answer_index
    if place is None and answer in choices:
        place = choices.index(answer)
    if place is None or not 0 <= place < min(len(choices), 26) or choices[place] != answer:
        raise Unusable(Reason.ANSWER_NOT_AMONG_CHOICES, f"{answer!r} is not among {choices}")
    return question, choices, answer, chr(ord("A") + place)
