"""Taking rows in: images opened once on all cores, questions checked, the rest set aside."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from os import cpu_count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from .answer_form import answer_type, decimals
from .buckets import Buckets
from .images import ImageFacts, inspect
from .manifest import QUARANTINE_FILE
from .repetitions import problem_key
from .schema import QUESTION, QuestionType, Reason, Unusable, printable
from .sources.source import Candidate, Rejection, Source

Progress = Callable[[str, int, int | None], None]
"""Told what is being done, how much of it is done, and how much there is (None: unknown)."""


def quiet(*_: object) -> None:
    """Tell nobody about the progress."""


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
_ROWS_TOGETHER = 4096  # images or quarantined rows that wait in memory, as Python objects
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


class Intake:
    """Everything taken in so far: image bytes, questions and quarantine on disk, below `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.questions = Buckets(folder / ".questions", QUESTIONS)
        self.reasons: Counter[tuple[str, str]] = Counter()  # quarantined rows by source and reason
        self._feed = ""
        self._blob = (folder / "images.bin").open("wb")
        self._offset = 0
        self._images: list[pa.RecordBatch] = []
        self._waiting_images: list[dict[str, Any]] = []
        self._ids: list[bytes] = []
        self._numbers: dict[bytes, int] = {}  # image_id -> its place in `_ids`
        self._pictures: dict[str, int] = {}  # what sources call a picture -> the same
        self._asked: Counter[str] = Counter()  # questions so far by id without number
        self._quarantine = pq.ParquetWriter(
            folder / QUARANTINE_FILE, QUARANTINE, compression="zstd"
        )
        self._waiting_rejects: list[dict[str, Any]] = []

    def take(self, feed: Feed, progress: Progress) -> None:
        """Take in one feed; images are decoded ahead on all cores, rows stay in order."""
        self._feed = feed.name
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
                if row.picture is not None and isinstance(image, int):
                    image = opened[key] = self._pictures.setdefault(row.picture, image)
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
                            known = self._pictures.get(row.picture) if row.picture else None
                            if known is not None:
                                opened[key] = known
                            else:
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
        known = self._numbers.get(bytes.fromhex(facts.image_id))
        if known is not None:
            return known
        self._blob.write(data)
        self._waiting_images.append(
            {
                **asdict(facts),
                "offset": self._offset,
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
        self._offset += len(data)
        if len(self._waiting_images) >= _ROWS_TOGETHER:
            self._pack_images()
        digest = bytes.fromhex(facts.image_id)
        self._numbers[digest] = number = len(self._ids)
        self._ids.append(digest)
        return number

    def _add_question(self, source: Source, row: Candidate, image: int) -> None:
        stem = f"{source.name}/{row.image}#{row.kind}"
        number = self._asked[stem]  # counts refused rows too: an id does not depend on them
        self._asked[stem] += 1
        try:
            question, choices, answer, letter = checked(row)
        except Unusable as bad:
            self._reject(source, Rejection(row.row, bad.reason, bad.detail, row.image))
            return
        parent = None if row.parent is None else f"{source.name}/{row.image}#original-{row.parent}"
        self.questions.add(
            self._ids[image].hex(),
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
                "unit": _clean(row.unit or "") or None,
                "precision": decimals(answer) if row.precision is None else row.precision,
                "rationale": _clean(row.rationale or "") or None,
                "license": source.license,
            },
        )

    def _reject(self, source: Source | None, row: Rejection) -> None:
        """Note a row that cannot be used; its image is named as those in the pool are."""
        image = f"{source.name}/{row.image}" if source and row.image else row.image
        name = source.name if source else self._feed
        self.set_aside(name, printable(row.row), image, row.reason, row.detail)

    def set_aside(
        self, source: str, row: str, image: str | None, reason: Reason, detail: str
    ) -> None:
        """Put a row into the quarantine."""
        self.reasons[source, reason] += 1
        self._waiting_rejects.append(
            {
                "source": source,
                "row": row,
                "image": printable(image) if image else None,
                "reason": reason,
                "detail": printable(detail),
            }
        )
        if len(self._waiting_rejects) >= _ROWS_TOGETHER:
            self._write_rejects()

    def images(self) -> pa.Table:
        """All images so far, in the order they came."""
        self._pack_images()
        return pa.Table.from_batches(self._images, IMAGES)

    def close(self) -> None:
        """Write what still waits."""
        self._write_rejects()
        self._quarantine.close()
        self._blob.close()

    def _pack_images(self) -> None:
        self._images.append(pa.RecordBatch.from_pylist(self._waiting_images, IMAGES))
        self._waiting_images = []

    def _write_rejects(self) -> None:
        self._quarantine.write_batch(pa.RecordBatch.from_pylist(self._waiting_rejects, QUARANTINE))
        self._waiting_rejects = []


def _open(load: Callable[[], bytes]) -> tuple[bytes, ImageFacts]:
    data = load()
    return data, inspect(data)


def checked(row: Candidate) -> tuple[str, list[str], str, str | None]:
    """Question, choices, answer and answer letter of a row; raises `Unusable`.

    Texts lose blanks around them and Windows line ends.
    """
    question, answer = _clean(row.question), _clean(row.answer)
    choices = [_clean(choice) for choice in row.choices]
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


def _clean(text: str) -> str:
    if not text.isascii() and printable(text) != text:
        raise Unusable(Reason.MALFORMED_ROW, f"{printable(text)!r} holds half a character")
    return text.replace("\r\n", "\n").strip()
