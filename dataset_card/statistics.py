"""What a dataset holds, counted from its files and not from what they say about themselves."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ..builder.digests import content_digest
from ..builder.manifest import QUARANTINE_FILE
from ..builder.parquet import config_and_split, row_groups
from ..builder.recipe import SplitName
from ..builder.schema import REJECTED, AnswerType, Kind, Task
from ..errors import FolderError

_WORDS = ["source", "task", "kind", "answer_type", "question_type", "answer_letter"]
_FACTS = [*_WORDS, "agreement", "contamination", "license"]
_SIZES = ["source", "task", "format", "width", "height", "clarity", "complexity"]
_REJECTED = ["source", "task", "kind", "reason"]
_ORDER: dict[str, tuple[str, ...]] = {
    "split": get_args(SplitName),
    "task": tuple(Task),
    "kind": tuple(Kind),
    "answer_type": tuple(AnswerType),
}
_CHINESE = r"\p{Han}"


@dataclass(frozen=True, slots=True)
class Statistics:
    """Facts of each question and each image, in the order of the files, words as categories."""

    questions: pd.DataFrame
    """split, source, task, kind, answer_type, question_type, answer_letter, agreement,
    contamination, license, choices (how many), characters (of the question), chinese."""
    images: pd.DataFrame
    """split, source, task, format, width, height, clarity, complexity, image_id, shown (whether
    its bytes are there), shard and row_group."""
    rejected: pd.DataFrame
    """split, source, task, kind, reason."""
    quarantine: pd.DataFrame
    """source, reason."""
    digest: str
    """The content digest, from the hashes that the rows have."""


def count(folder: Path, names: Sequence[str]) -> Statistics:
    """Read all but texts and pictures of the dataset's files `names` in `folder`.

    Raises `FolderError` where a file cannot be read.
    """
    hashes: dict[str, bytearray] = defaultdict(bytearray)

    def question(table: pa.Table, split: str, _: dict[str, Any]) -> pa.Table:
        hashes[split] += bytes.fromhex("".join(table["row_sha256"].to_pylist()))
        text = table["question"]
        return (
            table.select(_FACTS)
            .append_column("choices", pc.list_value_length(table["choices"]))
            .append_column("characters", pc.utf8_length(text))
            .append_column("chinese", pc.match_substring_regex(text, _CHINESE))
        )

    def picture(table: pa.Table, _: str, place: dict[str, Any]) -> pa.Table:
        shown = pc.is_valid(pc.struct_field(table["image"], "path"))
        table = table.select([*_SIZES, "image_id"]).append_column("shown", shown)
        for name, value in place.items():
            table = table.append_column(name, pa.repeat(value, len(table)))
        return table

    asked = [*_FACTS, "choices", "question", "row_sha256"]
    try:
        questions = _read(folder, names, "questions", asked, question)
        images = _read(folder, names, "images", [*_SIZES, "image_id", "image.path"], picture)
        rejected = _read(folder, names, "rejected", _REJECTED, lambda table, *_: table)
        quarantine = _quarantine(folder, names)
    except (pa.ArrowException, OSError, ValueError, KeyError) as error:
        raise FolderError(f"{folder} is damaged ({error}); `mathv360k verify` says more.") from None
    hidden = images.loc[~images["shown"], "source"].unique()
    return Statistics(
        questions, images, rejected, quarantine, content_digest(hashes, sorted(map(str, hidden)))
    )


def _read(
    folder: Path,
    names: Sequence[str],
    config: str,
    columns: Sequence[str],
    derive: Callable[[pa.Table, str, dict[str, Any]], pa.Table],
) -> pd.DataFrame:
    """What `derive` makes of each row group of a config, with its split in front."""
    parts = [
        _with_split(derive(table, split, {"shard": name, "row_group": number}), split)
        for name, split, number, table in _groups(folder, names, config, columns)
    ]
    if not parts:
        empty = REJECTED.empty_table().select([n for n in columns if n in REJECTED.names])
        parts = [_with_split(empty, "")]
    return _ordered(pa.concat_tables(parts).unify_dictionaries().to_pandas())


def _ordered(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with its categories in the order of the schema, others by name."""
    for name in map(str, frame.select_dtypes("category")):
        there = sorted(map(str, frame[name].cat.categories))
        known = [word for word in _ORDER.get(name, ()) if word in there]
        order = [*known, *(word for word in there if word not in known)]
        frame[name] = frame[name].cat.reorder_categories(order)
    return frame


def _groups(
    folder: Path, names: Sequence[str], config: str, columns: Sequence[str]
) -> Iterator[tuple[str, str, int, pa.Table]]:
    """Shard, split, number and table of each row group of a config."""
    words = [name for name in _WORDS if name in columns]
    for name in names:
        found, split = config_and_split(name)
        if found == config:
            for number, table in enumerate(row_groups(folder / name, columns, once=words)):
                yield name, split, number, table


def _with_split(table: pa.Table, split: str) -> pa.Table:
    """The table with its words as categories."""
    for place, field in enumerate(table.schema):
        if field.type == pa.string() and field.name != "image_id":
            table = table.set_column(place, field.name, table[field.name].dictionary_encode())
    return table.add_column(0, "split", pa.repeat(split, len(table)).dictionary_encode())


def _quarantine(folder: Path, names: Sequence[str]) -> pd.DataFrame:
    tables = [
        table.select(["source", "reason"])
        for name in names
        if name == QUARANTINE_FILE
        for table in row_groups(folder / name, ["source", "reason"])
    ]
    empty = pa.table({name: pa.array([], pa.string()) for name in ("source", "reason")})
    return pa.concat_tables([empty, *tables]).to_pandas()
