"""Which images a report shows, and what it says of each: the same for the same data and seed."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..builder.intake import Progress
from ..builder.parquet import config_and_split, row_groups
from ..builder.schema import Unusable
from .preview import thumbnail
from .statistics import Statistics

IMAGES = 1_500
"""Images that are shown at most."""
QUESTIONS = 60
"""Questions shown of an image at most, of those kept and of those rejected."""
LONGEST = 1_500
"""Characters shown of a text; a source or a teacher may have written any number of them."""

_SIDE, _QUALITY = 360, 72
_STRATA = ["source", "task", "complexity", "rejected", "contaminated"]
_PICTURE = [
    "image_id", "source", "task", "context", "format", "width", "height", "clarity", "complexity",
    "license",
]  # fmt: skip
_QUESTION = [
    "id", "kind", "parent_id", "question", "choices", "answer", "answer_letter", "answer_type",
    "question_type", "unit", "precision", "rationale", "teacher", "agreement", "contamination",
]  # fmt: skip
_REJECTED = ["image_id", *_QUESTION, "reason", "detail", "reply"]

Item = dict[str, Any]
"""An image as the page's script reads it: its columns that are not null, and its questions."""


def sample(
    folder: Path, names: Sequence[str], statistics: Statistics, seed: int, progress: Progress
) -> list[Item]:
    """At most `IMAGES` images of the dataset's files `names` with their questions.

    In the order of their importance: first one image of each source, task, complexity and of those
    with and without rejected or contaminated questions, then a second of each. Within such a
    stratum the sha256 of seed and image_id decides.
    """
    rejected = _image_ids(folder, names, "rejected")
    contaminated = _image_ids(folder, names, "questions", "contamination")
    chosen = choose(statistics.images, rejected, contaminated, seed).head(IMAGES)
    refused = _refused(folder, names, set(chosen["image_id"]))
    place = {image_id: number for number, image_id in enumerate(chosen["image_id"])}
    items: list[Item] = [{} for _ in place]
    done = 0
    with ThreadPoolExecutor() as threads:
        for rows in _read(folder, chosen):
            told = [(row, refused.get(row["image_id"], [])) for row in rows]
            for item in threads.map(_shown, told):
                items[place[item["image_id"]]] = item
            done += len(rows)
            progress("drawing images", done, len(items))
    return items


def choose(
    images: pd.DataFrame, rejected: set[str], contaminated: set[str], seed: int
) -> pd.DataFrame:
    """All rows of `images` in the order in which a report prefers them."""
    told = images.assign(
        rejected=images["image_id"].isin(rejected),
        contaminated=images["image_id"].isin(contaminated),
        hash=[sha256(f"{seed}\0{name}".encode()).hexdigest() for name in images["image_id"]],
    ).sort_values("hash")
    strata = told.groupby(_STRATA, observed=True, dropna=False, sort=False)
    return told.assign(turn=strata.cumcount()).sort_values(["turn", "hash"])


def _image_ids(
    folder: Path, names: Sequence[str], config: str, where: str | None = None
) -> set[str]:
    """The images with rows in a config, or those with rows where a column is not null."""
    columns = ["image_id", *([where] if where else [])]
    found: set[str] = set()
    for name in names:
        if config_and_split(name)[0] == config:
            for table in row_groups(folder / name, columns):
                kept = table.filter(pc.is_valid(table[where])) if where else table
                found.update(kept["image_id"].to_pylist())
    return found


def _refused(folder: Path, names: Sequence[str], wanted: set[str]) -> dict[str, list[Item]]:
    """The rejected questions of the wanted images."""
    result: dict[str, list[Item]] = defaultdict(list)
    for name in names:
        if config_and_split(name)[0] == "rejected":
            for table in row_groups(folder / name, _REJECTED):
                mine = table.filter(pc.is_in(table["image_id"], pa.array(sorted(wanted))))
                for row in mine.to_pylist():
                    result[row.pop("image_id")].append(row)
    return result


def _read(folder: Path, chosen: pd.DataFrame) -> Iterator[list[Item]]:
    """The chosen rows of the config `images`, those of a row group at a time."""
    columns = ["image.bytes", *_PICTURE, *(f"questions.list.element.{c}" for c in _QUESTION)]
    for shard, rows in chosen.groupby("shard", observed=True):
        split = config_and_split(str(shard))[1]
        with pq.ParquetFile(folder / str(shard)) as file:
            for number, group in rows.groupby("row_group"):
                table = file.read_row_group(int(str(number)), columns=columns)
                wanted = pc.is_in(table["image_id"], pa.array(group["image_id"]))
                yield [{"split": split, **row} for row in table.filter(wanted).to_pylist()]


def _shown(told: tuple[Item, list[Item]]) -> Item:
    row, refused = told
    picture = (row["image"] or {}).get("bytes")
    kept = row["questions"] or []
    return {
        "split": row["split"],
        **_facts(row, _PICTURE),
        **({"picture": _drawn(picture)} if picture else {}),
        "questions": [_facts(one, _QUESTION) for one in kept[:QUESTIONS]],
        "rejected": [_facts(one, _REJECTED[1:]) for one in refused[:QUESTIONS]],
        "more": max(0, len(kept) - QUESTIONS) + max(0, len(refused) - QUESTIONS),
    }


def _drawn(data: bytes) -> str | None:
    try:
        return thumbnail(data, _SIDE, _QUALITY)
    except Unusable:
        return None


def _facts(row: Item, names: Sequence[str]) -> Item:
    """What is known of these columns, texts cut, numbers as people read them."""
    return {name: _short(row[name]) for name in names if row[name] not in (None, [], "")}


def _short(value: Any) -> Any:
    if isinstance(value, list):
        return [_short(one) for one in value]
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, str) and len(value) > LONGEST:
        return f"{value[:LONGEST]}…"
    return value
