"""How a dataset's Parquet files are laid out: their writer, and a reader of their row groups."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from .schema import ALL_CONFIGS, IMAGE, parquet_features

PICTURE = tuple(f"image.{leaf.name}" for leaf in IMAGE)
"""The Parquet columns of the image."""

_ALL_DIFFERENT = {"id", "question", "rationale", "row_sha256"}  # a dictionary would not help
_FILTERED = ("id", "image_id", "source", "task", "kind", "clarity", "complexity", "agreement")


def config_and_split(name: str) -> tuple[str, str]:
    """Config and split of `data/<config>/<split>-*.parquet`, a name of a manifest; else empty."""
    parts = name.split("/")
    if len(parts) != 3 or parts[0] != "data":
        return "", ""
    return parts[1], parts[2].partition("-")[0]


def open_writer(path: Path, config: str) -> pq.ParquetWriter:
    """A writer of a config's shards; of `default` the image is a dictionary (`_stored_once`)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = ALL_CONFIGS[config]
    leaves = [leaf for column in schema for leaf in _leaves(column)]
    pictures = "image.bytes"
    alone = _ALL_DIFFERENT if config == "default" else {*_ALL_DIFFERENT, "bytes"}
    options: dict[str, Any] = {
        "use_dictionary": [leaf for leaf in leaves if leaf.rpartition(".")[2] not in alone],
        "dictionary_pagesize_limit": 2**30,  # an image is never stored twice in a row group
        "compression": {leaf: "NONE" if leaf == pictures else "ZSTD" for leaf in leaves},
        "write_statistics": [name for name in _FILTERED if name in schema.names],
        "write_page_index": True,
        "store_schema": False,  # the stored type would be the dictionary; Parquet's own is enough
    }
    writer = pq.ParquetWriter(
        path, _stored_once(schema) if config == "default" else schema, **options
    )
    features = {"info": {"features": parquet_features(schema)}}
    writer.add_key_value_metadata({"huggingface": json.dumps(features)})
    return writer


def _stored_once(schema: pa.Schema) -> pa.Schema:
    """The schema with the image as a dictionary: how Arrow says "write each value once"."""
    types = [pa.field(f.name, pa.dictionary(pa.int32(), f.type)) for f in IMAGE]
    return schema.set(schema.get_field_index("image"), pa.field("image", pa.struct(types)))


def _leaves(column: pa.Field, prefix: str = "") -> list[str]:
    """Names of the Parquet columns that `column` becomes."""
    path, kind = prefix + column.name, column.type
    if pa.types.is_list(kind):
        return _leaves(kind.value_field.with_name("element"), f"{path}.list.")
    if pa.types.is_struct(kind):
        return [leaf for child in kind for leaf in _leaves(child, f"{path}.")]
    return [path]


def row_groups(
    path: Path, columns: Sequence[str] | None = None, once: Sequence[str] = ()
) -> Iterator[pa.Table]:
    """The row groups of a file, these columns of each.

    Values of the Parquet columns `once` are in memory once for all rows that share them: the
    images of the config `default` (`PICTURE`).
    """
    with pq.ParquetFile(path, read_dictionary=list(once), pre_buffer=False) as file:
        for number in range(file.num_row_groups):
            yield file.read_row_group(number, columns=None if columns is None else list(columns))
