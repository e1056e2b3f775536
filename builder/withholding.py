"""A dataset without the images of some sources: what may be shown to everybody."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from .digests import content_digest
from .folders import seal, share
from .intake import Progress, quiet
from .manifest import data_files
from .parquet import PICTURE, config_and_split, open_writer, row_groups
from .schema import CONFIGS


def withhold(
    folder: Path,
    manifest: dict[str, Any],
    sources: Collection[str],
    out: Path,
    progress: Progress = quiet,
) -> dict[str, Any]:
    """Write the data files of a dataset into `out`, without the images of `sources`.

    Returned is the manifest of what is written: the same rows, each with the same hash, as a build
    that leaves these images out. The card and the manifest are for the caller to write.
    """
    hidden = sorted({*manifest["sources"]} & {*sources} | {*manifest["withheld"]})
    splits = {name: {**s, "bytes": dict(s["bytes"])} for name, s in manifest["splits"].items()}
    files, hashes = {}, defaultdict(bytearray)
    names = data_files(manifest)
    for done, name in enumerate(names):
        config, split = config_and_split(name)
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        if config in ("default", "images"):
            splits[split]["bytes"][config] -= _without(folder / name, out / name, config, hidden)
            files[name] = seal(out / name)
        else:
            share(folder / name, out / name)
            files[name] = manifest["files"][name]
        if config == "questions":
            said = pq.read_table(folder / name, columns=["row_sha256"])["row_sha256"].to_pylist()
            hashes[split] += bytes.fromhex("".join(said))
        progress("leaving images out", done + 1, len(names))
    return {
        **manifest,
        "digest": content_digest(hashes, hidden),
        "splits": splits,
        "withheld": hidden,
        "files": files,
    }


def _without(path: Path, out: Path, config: str, sources: Collection[str]) -> int:
    """Write a shard without the images of `sources`; how many bytes in memory it is less."""
    less = 0
    shared = PICTURE if config == "default" else ()
    with open_writer(out, config) as writer:
        for table in row_groups(path, once=shared):
            hidden = pc.is_in(table["source"], value_set=pa.array(sources, pa.string()))
            pictures = table["image"].combine_chunks()
            mask = pc.or_(hidden, table["image"].is_null()).combine_chunks()
            data, name = (pictures.field(leaf) for leaf in ("bytes", "path"))
            less += pc.sum(_lengths(data).filter(hidden.combine_chunks())).as_py() or 0
            kept = [_shown(column, mask) for column in (data, name)]
            struct = pa.StructArray.from_arrays(kept, fields=list(pictures.type), mask=mask)
            place = table.schema.get_field_index("image")
            table = table.set_column(place, pa.field("image", struct.type), struct)
            table = table.select(CONFIGS[config].names)
            writer.write_table(table, row_group_size=max(1, len(table)))
    return less


def _lengths(column: pa.Array) -> pa.Array:
    if isinstance(column, pa.DictionaryArray):
        return pc.binary_length(column.dictionary).take(column.indices)
    return pc.binary_length(column)


def _shown(column: pa.Array, mask: pa.BooleanArray) -> pa.Array:
    """The column with null where `mask` is true; a dictionary without what nobody uses."""
    if not isinstance(column, pa.DictionaryArray):
        return pc.if_else(mask, pa.scalar(None, column.type), column)
    indices = pc.if_else(mask, pa.scalar(None, pa.int32()), column.indices.cast(pa.int32()))
    used = np.unique(pc.drop_null(indices).to_numpy())
    place = np.zeros(len(column.dictionary), np.int32)
    place[used] = np.arange(len(used), dtype=np.int32)
    moved = pa.array(place[pc.fill_null(indices, 0).to_numpy()]) if len(used) else indices
    moved = pc.if_else(mask, pa.scalar(None, pa.int32()), moved)
    return pa.DictionaryArray.from_arrays(moved, column.dictionary.take(pa.array(used)))
