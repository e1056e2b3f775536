"""What tells rows and versions apart: the hash of a row, and the digest of all of them."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from .schema import CONFIGS


def row_hashes(columns: Mapping[str, pa.Array]) -> tuple[pa.StringArray, bytes]:
    """The sha256 of each row: as 64 hex digits, and as 32 bytes each, one after another.

    Hashed is the UTF-8 text of the columns of the config `questions`, in order and without the
    hash itself, joined by U+001F; null is U+0000, the items of a list are joined by U+001E, and
    floats are written in millionths.
    """
    data, ends = _texts(columns, [n for n in CONFIGS["questions"].names if n != "row_sha256"])
    hashes = b"".join([sha256(data[a:b]).digest() for a, b in pairwise(ends.tolist())])
    places = np.arange(0, 2 * len(hashes) + 1, 64, dtype=np.int32)
    text = pa.py_buffer(hashes.hex().encode())
    return pa.StringArray.from_buffers(len(ends) - 1, pa.py_buffer(places), text), hashes


class RowsDigest:
    """One digest of many rows with their hashes, whatever row groups they come in."""

    def __init__(self) -> None:
        self._texts, self._lengths = sha256(), sha256()

    def update(self, columns: Mapping[str, pa.Array]) -> None:
        """Add rows; `columns` are those of the config `questions`."""
        data, ends = _texts(columns, CONFIGS["questions"].names)
        self._texts.update(data)
        self._lengths.update(np.diff(ends).tobytes())

    def digest(self) -> bytes:
        """64 bytes that other rows do not have."""
        return self._texts.digest() + self._lengths.digest()


def _texts(
    columns: Mapping[str, pa.Array], names: Iterable[str]
) -> tuple[memoryview, npt.NDArray[np.int32]]:
    """The texts of rows one after another, and where each ends, with a 0 in front."""
    joined = pc.binary_join_element_wise(
        *(as_text(columns[name]) for name in names),
        "\x1f",
        null_handling="replace",
        null_replacement="\0",
    )
    ends = np.frombuffer(joined.buffers()[1], dtype=np.int32)[: len(joined) + 1]
    return memoryview(joined.buffers()[2] or b"")[: ends[-1]], ends


def content_digest(rows: Mapping[str, bytes | bytearray], withheld: Iterable[str] = ()) -> str:
    """The sha256 of a version's content, 64 hex digits: the same rows in the same splits give the
    same, however they are ordered and cut into files.

    `rows` has the hashes of each split, 32 bytes each; `withheld` are the sources whose images are
    left out.
    """
    digest = sha256()
    for source in sorted(withheld):
        digest.update(f"without images of {source}\n".encode())
    for split in sorted(rows):
        hashes = np.sort(np.frombuffer(rows[split], dtype="S32"))
        digest.update(f"{split} {len(hashes)}\n".encode())
        digest.update(hashes.tobytes())
    return digest.hexdigest()


def as_text(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """Each value as it is hashed; null stays null."""
    if pa.types.is_list(column.type):
        return pc.binary_join(column, "\x1e")
    if pa.types.is_floating(column.type):
        column = pc.round(pc.multiply(column.cast(pa.float64()), 1e6)).cast(pa.int64())
    return column.cast(pa.string())
