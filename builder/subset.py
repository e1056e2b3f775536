"""A pool made of another: the chosen images with their scores, and all questions about them."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from .intake import IMAGES, QUARANTINE, QUESTIONS
from .manifest import QUARANTINE_FILE
from .pool import (
    REJECTED_FILE,
    open_questions,
    read_questions,
    redirect_parents,
    share_images,
    write_questions,
)
from .repetitions import find_repetitions


@dataclass(frozen=True, slots=True)
class Choice:
    """What the new pool takes from the old one, by the rows of its images.parquet."""

    chosen: npt.NDArray[np.intp]
    """Rows of the images that stay, ascending."""
    kept: npt.NDArray[np.intp]
    """For each image the row of the one that has its questions: itself, or a near-duplicate."""
    scores: pa.Table | None = None
    """Columns clarity and complexity for each image; None leaves those it has."""


def write_subset(pool: Path, choice: Choice, folder: Path) -> dict[str, Any]:
    """Write the files of the new pool into `folder`; its counts and reasons for the manifest.

    The image file is shared with the old pool where the disk can (a hard link), and copied
    otherwise. A question that a near-duplicate brings along and its new image has already is
    quarantined.
    """
    images = pq.read_table(pool / "images.parquet")
    if choice.scores is not None:
        for name in ("clarity", "complexity"):
            column = images.schema.get_field_index(name)
            values = choice.scores[name].cast(IMAGES.field(name).type)
            images = images.set_column(column, IMAGES.field(name), values)
    place = np.full(len(images), -1, np.int32)
    place[choice.chosen] = np.arange(len(choice.chosen), dtype=np.int32)
    names = images["name"]
    images = images.take(pa.array(choice.chosen))
    pq.write_table(images, folder / "images.parquet", compression="zstd")
    share_images(pool, folder)

    questions = _questions(pool, place[choice.kept])
    repeated = find_repetitions(questions)
    asked = questions["image"].to_numpy()
    rejected = []
    for r in repeated:
        row = questions.slice(r.number, 1).select(["source", "row"]).to_pylist()[0]
        name = names[int(choice.chosen[asked[r.number]])].as_py()
        rejected.append({**row, "image": name, "reason": r.reason, "detail": r.detail})
    staying = np.delete(np.arange(len(questions)), [r.number for r in repeated])
    questions = redirect_parents(questions, repeated).take(pa.array(staying))
    write_questions(questions, folder)

    quarantine = pq.read_table(pool / QUARANTINE_FILE)
    more = pa.Table.from_pylist(rejected, QUARANTINE)
    quarantine = pa.concat_tables([quarantine, more])
    pq.write_table(quarantine, folder / QUARANTINE_FILE, compression="zstd")
    reasons = Counter(
        zip(quarantine["source"].to_pylist(), quarantine["reason"].to_pylist(), strict=True)
    )
    counts: dict[str, dict[str, int]] = {}
    for (source, reason), count in sorted(reasons.items()):
        counts.setdefault(source, {})[reason] = count
    if (pool / REJECTED_FILE).exists():
        rejected = pq.read_table(pool / REJECTED_FILE)
        known = pc.is_in(rejected["image_id"], value_set=images["image_id"].combine_chunks())
        pq.write_table(rejected.filter(known), folder / REJECTED_FILE, compression="zstd")
    return {
        "images": len(images),
        "questions": len(questions),
        "quarantine": len(quarantine),
        "reasons": counts,
    }


def mark_contamination(folder: Path, said: Mapping[str, str]) -> None:
    """Say in the column `contamination` of a pool what was found, by the id of a question."""
    questions = read_questions(folder, QUESTIONS.names)
    values = pa.array([said.get(name) for name in questions["id"].to_pylist()], pa.string())
    place = questions.schema.get_field_index("contamination")
    marked = questions.set_column(place, QUESTIONS.field("contamination"), values)
    write_questions(marked, folder)


def _questions(pool: Path, place: npt.NDArray[np.int32]) -> pa.Table:
    """Questions about the images that have a place, in the order of these places."""
    batches = []
    with open_questions(pool, QUESTIONS.names) as file:
        for number in range(file.num_record_batches):
            batch = pa.Table.from_batches([file.get_batch(number)])
            image = place[batch["image"].to_numpy()]
            batch = batch.set_column(0, QUESTIONS.field("image"), pa.array(image))
            batches.append(batch.filter(pa.array(image >= 0)))
    questions = pa.concat_tables(batches) if batches else QUESTIONS.empty_table()
    order = np.argsort(questions["image"].to_numpy(), kind="stable")
    return questions.take(pa.array(order))
