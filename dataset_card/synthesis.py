"""A page that shows what a teacher wrote: how much was kept, why the rest was not, and samples."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from heapq import nsmallest
from itertools import chain, zip_longest
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..builder.pool import REJECTED_FILE, open_pool, open_questions, read_image
from ..builder.schema import Unusable
from ..errors import FolderError
from ..synthesis.questions import Fault
from .preview import thumbnail
from .templates import write_document

SAMPLES = 8
"""Questions shown of each kind, of those kept and of those rejected."""
LONGEST = 1_500
"""Characters shown of a text; a teacher may have written any number of them."""

MEANINGS: dict[str, str] = {
    Fault.NOT_ANSWERED: "The request was never answered.",
    Fault.REFUSED: "The teacher would not answer.",
    Fault.FILTERED: "A content filter of the server stopped the answer.",
    Fault.TRUNCATED: "The answer was cut off at the limit of tokens.",
    Fault.NOT_ACCEPTED: "The server did not take the request.",
    Fault.INVALID: "The answer is not of the form that was asked for, nor when it was mended.",
    Fault.NOT_WRITTEN: "The teacher wrote fewer questions than it was asked for.",
    Fault.NOT_ASKED_FOR: "The teacher wrote more questions than it was asked for.",
    Fault.NO_QUESTION: "The question is empty.",
    Fault.NO_ANSWER: "The answer is empty.",
    Fault.UNANSWERABLE: "The teacher's own answer is that there is none.",
    Fault.CHOICES_REPEAT: "Two choices are the same, or one is empty.",
    Fault.ANSWER_NOT_AMONG_CHOICES: "The answer is none of the choices, or there is only one.",
    Fault.NUMBER_UNREADABLE: "There is a unit, but no number in the answer.",
    Fault.ANSWER_CHANGED: "Reworded, the question got another answer than its original.",
    Fault.UNCHANGED: "The question is its original, word for word.",
    Fault.NOT_SHORTER: "The question should be shorter than its original and is not.",
    Fault.GIVEN_AWAY: "The question says its answer.",
    Fault.NEAR_DUPLICATE: "In nearly the same words this is asked about the picture already.",
    Fault.DUPLICATE_QUESTION: "The same question is there about the picture, with this answer.",
    Fault.CONFLICTING_ANSWERS: "The same question is there about the picture, answered otherwise.",
    Fault.NOT_VERIFIED: "Asked again, the question got no answer at all.",
    Fault.DISAGREEMENT: "Asked again, too few answers said the same.",
}
"""What each reason means, for readers of the page."""

_SHOWN = [
    "id",
    "source",
    "task",
    "kind",
    "parent_id",
    "question",
    "choices",
    "answer",
    "answer_letter",
    "unit",
    "rationale",
    "agreement",
]
_ROWS = 8_192


def write_synthesis(pool: Path, out: Path) -> None:
    """Write `out`, one HTML file without references: what was written, kept and rejected.

    `pool` is one that `verify` wrote, or chosen from such a one. Raises `FolderError` where it
    is not.
    """
    told = open_pool(pool).get("synthesis")
    if not told:
        raise FolderError(
            f"{pool} holds no questions of a teacher; `mathv360k verify-answers` writes a pool "
            "that does."
        )
    kinds = sorted({row["kind"] for row in told["yield"]})
    try:
        kept = _kept(pool, kinds)
        rejected = _rejected(pool)
        agreement = _agreement(pool, kinds)
        originals = _originals(pool, [*kept, *rejected])
        pictures = _pictures(pool, [*kept, *rejected])
    except (pa.ArrowException, OSError) as error:
        raise FolderError(f"{pool} is damaged ({error}); write it again.") from None
    write_document(
        "synthesis.html.jinja",
        out,
        told=told,
        whole=_sums(told["yield"], None)[0],
        tables={name: _sums(told["yield"], name) for name in ("kind", "source", "task")},
        reasons=_reasons(told["yield"]),
        kinds=kinds,
        agreement=agreement,
        agreed=sum(by_kind.total() for _, by_kind in agreement),
        samples=[
            (kind, title, _cards([r for r in rows if r["kind"] == kind], originals, pictures))
            for kind in kinds
            for title, rows in (("kept", kept), ("rejected", rejected))
        ],
    )


def _sums(rows: Sequence[dict[str, Any]], name: str | None) -> list[tuple[str, int, int]]:
    """Written and kept for each value of a column, or in all."""
    written: Counter[str] = Counter()
    kept: Counter[str] = Counter()
    for row in rows:
        value = row[name] if name else ""
        written[value] += row["kept"] + sum(row["rejected"].values())
        kept[value] += row["kept"]
    return [(value, written[value], kept[value]) for value in sorted(written)] or [("", 0, 0)]


def _reasons(rows: Sequence[dict[str, Any]]) -> list[tuple[str, Counter[str], str]]:
    """Each reason with its counts by kind and its meaning, the most frequent first."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        for reason, count in row["rejected"].items():
            counts[reason][row["kind"]] += count
    order = sorted(counts, key=lambda reason: (-counts[reason].total(), reason))
    return [(reason, counts[reason], MEANINGS.get(reason, "")) for reason in order]


def _asked(pool: Path, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
    """These columns of a pool's questions; never all of them at once."""
    with open_questions(pool, columns) as file:
        for number in range(file.num_record_batches):
            yield file.get_batch(number)


def _written(pool: Path, kinds: Sequence[str], *columns: str) -> Iterator[pa.RecordBatch]:
    """Those that are of this synthesis."""
    for batch in _asked(pool, ["kind", "teacher", *columns]):
        ours = pc.is_in(batch["kind"], value_set=pa.array(kinds, pa.string()))
        yield batch.filter(pc.and_(ours, pc.is_valid(batch["teacher"])))


def _agreement(pool: Path, kinds: Sequence[str]) -> list[tuple[int | None, Counter[str]]]:
    """How many kept questions of each kind have which agreement, in percent, the highest first."""
    counts: dict[int | None, Counter[str]] = defaultdict(Counter)
    for batch in _written(pool, kinds, "agreement"):
        rows = zip(batch["kind"].to_pylist(), batch["agreement"].to_pylist(), strict=True)
        for (kind, share), count in Counter(rows).items():
            counts[None if share is None else round(100 * share)][kind] += count
    return sorted(counts.items(), key=lambda item: -1 if item[0] is None else item[0], reverse=True)


def _first(
    batches: Iterable[pa.RecordBatch], by: Sequence[str]
) -> dict[tuple[str, ...], list[str]]:
    """Of each group the ids that come first by a hash, the same ones in whatever order they are."""
    chosen: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for batch in batches:
        groups: dict[tuple[str, ...], list[str]] = defaultdict(list)
        ids, *names = (batch[name].to_pylist() for name in ("id", *by))
        for row_id, *group in zip(ids, *names, strict=True):
            groups[tuple(group)].append(row_id)
        for group, some in groups.items():
            chosen[group] = nsmallest(SAMPLES, [*chosen[group], *some], key=_hash)
    return chosen


def _hash(row_id: str) -> bytes:
    return sha256(f"shown {row_id}".encode()).digest()


def _kept(pool: Path, kinds: Sequence[str]) -> list[dict[str, Any]]:
    """Some kept questions of each kind."""
    chosen = _first(_written(pool, kinds, "id"), ["kind"])
    return _questions(pool, chain.from_iterable(chosen.values()), ["image", *_SHOWN])


def _questions(pool: Path, ids: Iterable[str], columns: Sequence[str]) -> list[dict[str, Any]]:
    return sorted(_those(_asked(pool, columns), ids), key=lambda row: _hash(row["id"]))


def _those(batches: Iterable[pa.RecordBatch], ids: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The rows with these ids."""
    wanted = pa.array(sorted(set(ids)), pa.string())
    for batch in batches:
        yield from batch.filter(pc.is_in(batch["id"], value_set=wanted)).to_pylist()


def _rejected(pool: Path) -> list[dict[str, Any]]:
    """Some rejected questions of each kind, of every reason at least one."""
    path = pool / REJECTED_FILE
    if not path.exists():
        return []
    by_kind: dict[str, list[list[str]]] = defaultdict(list)
    chosen: list[str] = []
    with pq.ParquetFile(path) as file:
        batches = file.iter_batches(_ROWS, columns=["id", "kind", "reason"])
        for (kind, _), ids in sorted(_first(batches, ["kind", "reason"]).items()):
            by_kind[kind].append(ids)
        for lists in by_kind.values():
            in_turn = [i for i in chain.from_iterable(zip_longest(*lists)) if i is not None]
            chosen += in_turn[: max(SAMPLES, len(lists))]
        columns = ["image_id", *_SHOWN, "reason", "detail", "reply"]
        rows = list(_those(file.iter_batches(_ROWS, columns=columns), chosen))
    return sorted(rows, key=lambda row: (row["reason"], _hash(row["id"])))


def _originals(pool: Path, samples: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What the samples were written from, by id."""
    ids = [row["parent_id"] for row in samples if row["parent_id"] is not None]
    return {row["id"]: row for row in _questions(pool, ids, ["id", "question", "answer"])}


def _pictures(pool: Path, samples: Sequence[dict[str, Any]]) -> dict[str, str | None]:
    """The pictures of the samples, by image_id; those who know theirs by number learn its id."""
    images = pq.read_table(pool / "images.parquet", columns=["image_id", "offset", "size"])
    for row in samples:
        if "image" in row:
            row["image_id"] = images["image_id"][row["image"]].as_py()
    wanted = pa.array(sorted({row["image_id"] for row in samples}), pa.string())
    found = images.filter(pc.is_in(images["image_id"], value_set=wanted)).to_pylist()
    return {row["image_id"]: _picture(pool, row["offset"], row["size"]) for row in found}


def _picture(pool: Path, offset: int, size: int) -> str | None:
    try:
        return thumbnail(read_image(pool, offset, size))
    except Unusable:
        return None


def _cards(
    samples: Sequence[dict[str, Any]],
    originals: dict[str, dict[str, Any]],
    pictures: dict[str, str | None],
) -> list[dict[str, Any]]:
    """A card for each picture, with all samples that are about it."""
    cards: dict[str, dict[str, Any]] = {}
    for row in samples:
        image_id = row["image_id"]
        card = cards.setdefault(image_id, {"picture": pictures.get(image_id), "samples": []})
        card["samples"].append(
            {
                **_short(row),
                "choices": [_cut(choice) for choice in row["choices"] or ()],
                "place": None if row["answer_letter"] is None else ord(row["answer_letter"]) - 65,
                "original": _short(originals.get(row["parent_id"], {})),
            }
        )
    return list(cards.values())


def _short(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _cut(value) if isinstance(value, str) else value for name, value in row.items()}


def _cut(text: str) -> str:
    more = len(text) - LONGEST
    return text if more <= 0 else f"{text[:LONGEST]} … ({more:,} more characters)"
