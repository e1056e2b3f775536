"""A pool made of another: the same images, with more questions about them."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from .intake import QUESTIONS
from .manifest import QUARANTINE_FILE
from .pool import REJECTED_FILE, read_questions, share_images, write_questions
from .repetitions import Repetition, find_repetitions, problem_key


def as_questions(rows: Iterable[dict[str, Any]]) -> pa.Table:
    """Written questions as those of a pool: each a row of `QUESTION` with `image`."""
    return pa.Table.from_pylist(
        [
            {
                **row,
                "row": row["id"],
                "problem": problem_key(row["question"], row["choices"], row["answer"]),
            }
            for row in rows
        ],
        QUESTIONS,
    )


def merge(pool: Path, added: pa.Table) -> tuple[pa.Table, list[Repetition]]:
    """A pool's questions with those `added`, by image; and which of `added` repeat others.

    Repetitions are numbered by the rows of `added`. An original is never one of them.
    """
    present = read_questions(pool, QUESTIONS.names).select(QUESTIONS.names)
    first = len(present)
    both = pa.concat_tables([present, added])
    repeated = [r for r in find_repetitions(both) if r.number >= first]
    staying = np.delete(np.arange(len(both)), [r.number for r in repeated])
    image = both["image"].to_numpy()[staying]
    order = staying[np.argsort(image, kind="stable")]
    moved = [Repetition(r.number - first, r.reason, r.detail, None) for r in repeated]
    return both.take(pa.array(order)), moved


def write_extension(pool: Path, questions: pa.Table, rejected: pa.Table, folder: Path) -> None:
    """Write the files of a pool with these questions, and what was rejected, into `folder`."""
    for name in ("images.parquet", QUARANTINE_FILE):
        shutil.copyfile(pool / name, folder / name)
    share_images(pool, folder)
    write_questions(questions, folder)
    pq.write_table(rejected, folder / REJECTED_FILE, compression="zstd")
