"""Sources in, a pool out: every usable image once, every usable question, the rest quarantined.

A pool is a folder of `images.bin` (the images' own bytes, one after another), `images.parquet`
(one row per image, sorted by image_id, with offset and size in `images.bin`), `questions.arrow`
(sorted by image, then in the order of the sources; uncompressed, to be read at the speed of the
disk) and `quarantine.parquet`.
"""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..errors import FolderError
from .folders import new_folder, seal, share
from .intake import QUESTION_BATCH, QUESTIONS, Feed, Intake, Progress
from .manifest import QUARANTINE_FILE, is_intact, read_manifest, write_manifest
from .repetitions import Repetition, find_repetitions

REJECTED_FILE = "rejected.parquet"
"""What a teacher wrote about the images and was not kept, where there is a teacher."""


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
        with closing(Intake(folder)) as intake:
            for feed in feeds:
                intake.take(feed, progress)
            counts = _settle(intake, folder)
        names = ("images.bin", "images.parquet", "questions.arrow", QUARANTINE_FILE)
        write_manifest(
            folder,
            "pool",
            {
                "parameters": parameters,
                **counts,
                "quarantine": intake.reasons.total(),
                "reasons": _by_source(intake.reasons),
                "files": {name: seal(folder / name) for name in names},
            },
        )


def open_pool(pool: Path) -> dict[str, Any]:
    """The manifest of a finished pool; raises `FolderError`."""
    manifest = read_manifest(pool, "pool")
    if manifest is None or not is_intact(pool, manifest):
        raise FolderError(
            f"{pool} is not a finished pool; `mathv360k build` without --pool leaves one beside "
            "the dataset, called as that with .pool at the end."
        )
    return manifest


def read_image(pool: Path, offset: int, size: int) -> bytes:
    """The bytes of one image; threads may do this side by side."""
    with (pool / "images.bin").open("rb") as blob:
        blob.seek(offset)
        return blob.read(size)


def open_questions(pool: Path, columns: Sequence[str]) -> pa.RecordBatchFileReader:
    """These columns of a pool's questions, batch by batch, each of `QUESTION_BATCH` rows."""
    places = [QUESTIONS.get_field_index(name) for name in columns]
    options = pa.ipc.IpcReadOptions(included_fields=places)
    return pa.ipc.open_file(pa.memory_map(str(pool / "questions.arrow")), options=options)


def read_questions(pool: Path, columns: Sequence[str]) -> pa.Table:
    """These columns of all of a pool's questions."""
    with open_questions(pool, columns) as file:
        return file.read_all()


def write_questions(questions: pa.Table, folder: Path) -> None:
    """Write the questions of a pool, which are sorted by image."""
    partial = folder / "questions.arrow.partial"  # the table may be a view of the file itself
    with pa.ipc.new_file(partial, QUESTIONS) as file:
        file.write_table(questions.combine_chunks(), QUESTION_BATCH)
    partial.rename(folder / "questions.arrow")


def share_images(pool: Path, folder: Path) -> None:
    """Give another pool the image file."""
    share(pool / "images.bin", folder / "images.bin")


def _settle(intake: Intake, folder: Path) -> dict[str, int]:
    """Quarantine repeated questions, write the others and their images sorted by image.

    How many images and questions there are in the end. Questions are taken up one range of
    image_ids at a time: a question can only repeat one about the same image.
    """
    images = intake.images()
    staying: list[npt.NDArray[np.int32]] = []
    places = questions = 0
    with pa.ipc.new_file(folder / "questions.arrow", QUESTIONS) as file:
        rest = QUESTIONS.empty_table()
        for bucket in intake.questions:
            kept = _without_repetitions(bucket, images["name"], intake)
            asked = kept["image"].to_numpy()
            numbers = np.unique(asked)
            ids = images["image_id"].take(pa.array(numbers))
            numbers = numbers[pc.sort_indices(ids).to_numpy()]
            place = np.zeros(len(images), np.int32)
            place[numbers] = np.arange(places, places + len(numbers))
            kept = _with(kept, "image", pa.array(place[asked]))
            kept = kept.take(pa.array(np.argsort(place[asked], kind="stable")))
            staying.append(numbers)
            places += len(numbers)
            questions += len(kept)
            rest = pa.concat_tables([rest, kept])
            whole = len(rest) // QUESTION_BATCH * QUESTION_BATCH
            file.write_table(rest.slice(0, whole).combine_chunks(), QUESTION_BATCH)
            rest = rest.slice(whole)
        file.write_table(rest.combine_chunks(), QUESTION_BATCH)
    order = np.concatenate([np.zeros(0, np.int32), *staying])
    pq.write_table(images.take(pa.array(order)), folder / "images.parquet", compression="zstd")
    return {"images": places, "questions": questions}


def _without_repetitions(questions: pa.Table, names: pa.ChunkedArray, intake: Intake) -> pa.Table:
    """The questions that stay; the others go into the quarantine, their children to who stays."""
    repeated = find_repetitions(questions)
    for r in repeated:
        row = questions.slice(r.number, 1).select(["source", "row", "image"]).to_pylist()[0]
        image = names[row["image"]].as_py()
        intake.set_aside(row["source"], row["row"], image, r.reason, r.detail)
    staying = np.delete(np.arange(len(questions)), [r.number for r in repeated])
    return redirect_parents(questions, repeated).take(pa.array(staying))


def redirect_parents(questions: pa.Table, repeated: list[Repetition]) -> pa.Table:
    """Children of a question that goes become those of the one that stays, or nobody's."""
    ids = questions["id"]
    kept = {
        ids[r.number].as_py(): None if r.kept is None else ids[r.kept].as_py() for r in repeated
    }
    said = questions["parent_id"].to_pylist()
    parents = pa.array([kept.get(parent, parent) for parent in said], pa.string())
    known = pc.is_in(parents, value_set=ids.combine_chunks())
    return _with(questions, "parent_id", pc.if_else(known, parents, None))


def _with(questions: pa.Table, column: str, values: pa.Array | pa.ChunkedArray) -> pa.Table:
    place = questions.schema.get_field_index(column)
    return questions.set_column(place, QUESTIONS.field(column), values)


def _by_source(reasons: Counter[tuple[str, str]]) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for (source, reason), count in sorted(reasons.items()):
        counts.setdefault(source, {})[reason] = count
    return counts
