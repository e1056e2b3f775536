"""Sources in, a pool out: every usable image once, every usable question, the rest quarantined.

A pool is a folder of `images.bin` (the images' own bytes, one after another), `images.parquet`
(one row per image, sorted by image_id, with offset and size in `images.bin`), `questions.arrow`
(sorted by image, then in the order of the sources; uncompressed, to be read at the speed of the
disk) and `quarantine.parquet`.
"""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from .folders import new_folder, seal, write_manifest
from .intake import IMAGES, QUARANTINE, QUESTION_BATCH, QUESTIONS, Feed, Intake, Progress
from .repetitions import Repetition, find_repetitions


def write_pool(
    feeds: Iterable[Feed],
    out: Path,
    parameters: dict[str, Any],
    progress: Progress = lambda *_: None,
) -> None:
    """Read all feeds into a pool folder at `out`, replacing an earlier pool there.

    `parameters` go into the manifest: what a later run compares to see whether it may skip this
    step. Raises `errors.SourceError` where a source cannot be read at all and `errors.FolderError`
    where `out` is not a pool.
    """
    with new_folder(out, "pool") as folder:
        with (folder / "images.bin").open("wb") as blob:
            intake = Intake(blob.write)
            for feed in feeds:
                intake.take(feed, progress)
        tables = _settle(intake)
        for name in ("images", "quarantine"):
            pq.write_table(tables[name], folder / f"{name}.parquet", compression="zstd")
        with pa.ipc.new_file(folder / "questions.arrow", QUESTIONS) as file:
            file.write_table(tables["questions"].combine_chunks(), QUESTION_BATCH)
        names = ("images.bin", "images.parquet", "questions.arrow", "quarantine.parquet")
        write_manifest(
            folder,
            "pool",
            {
                "parameters": parameters,
                **{name: len(table) for name, table in tables.items()},
                "reasons": _count_reasons(tables["quarantine"]),
                "files": {name: seal(folder / name) for name in names},
            },
        )


def open_questions(pool: Path, columns: Sequence[str]) -> pa.RecordBatchFileReader:
    """These columns of a pool's questions, batch by batch, each of `QUESTION_BATCH` rows."""
    places = [QUESTIONS.get_field_index(name) for name in columns]
    options = pa.ipc.IpcReadOptions(included_fields=places)
    return pa.ipc.open_file(pa.memory_map(str(pool / "questions.arrow")), options=options)


def read_questions(pool: Path, columns: Sequence[str]) -> pa.Table:
    """These columns of all of a pool's questions."""
    with open_questions(pool, columns) as file:
        return file.read_all()


def _settle(intake: Intake) -> dict[str, pa.Table]:
    """The pool's tables: repeated questions quarantined, everything sorted by image."""
    images = pa.Table.from_pylist(intake.images, IMAGES)
    questions = intake.question_table()
    repeated = find_repetitions(questions)
    intake.quarantined += [
        {
            "source": questions["source"][r.number].as_py(),
            "row": questions["row"][r.number].as_py(),
            "image": images["name"][questions["image"][r.number].as_py()].as_py(),
            "reason": r.reason,
            "detail": r.detail,
        }
        for r in repeated
    ]
    staying = np.delete(np.arange(len(questions)), [r.number for r in repeated])
    questions = _redirect_parents(questions, repeated)
    asked = questions["image"].to_numpy()

    by_id = pc.sort_indices(images["image_id"]).to_numpy()
    order = by_id[np.isin(by_id, asked[staying])]
    place = np.zeros(len(images), dtype=np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    by_image = staying[np.argsort(place[asked[staying]], kind="stable")]
    column = questions.schema.get_field_index("image")
    field = questions.schema.field(column)
    questions = questions.set_column(column, field, pa.array(place[asked]))
    return {
        "images": images.take(pa.array(order)),
        "questions": questions.take(pa.array(by_image)),
        "quarantine": pa.Table.from_pylist(intake.quarantined, QUARANTINE),
    }


def _redirect_parents(questions: pa.Table, repeated: list[Repetition]) -> pa.Table:
    """Children of a question that goes become those of the one that stays, or nobody's."""
    ids = questions["id"]
    kept = {
        ids[r.number].as_py(): None if r.kept is None else ids[r.kept].as_py() for r in repeated
    }
    said = questions["parent_id"].to_pylist()
    parents = pa.array([kept.get(parent, parent) for parent in said], pa.string())
    known = pc.is_in(parents, value_set=ids.combine_chunks())
    column = questions.schema.get_field_index("parent_id")
    return questions.set_column(
        column, QUESTIONS.field("parent_id"), pc.if_else(known, parents, None)
    )


def _count_reasons(quarantine: pa.Table) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    grouped = quarantine.group_by(["source", "reason"]).aggregate([([], "count_all")])
    for row in sorted(grouped.to_pylist(), key=lambda r: (r["source"], r["reason"])):
        counts.setdefault(row["source"], {})[row["reason"]] = row["count_all"]
    return counts
