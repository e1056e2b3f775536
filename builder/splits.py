"""Train, validation and test by group: nothing that one split shows is shared with another."""

# pyright: reportAttributeAccessIssue=false
# (pyarrow.compute makes its functions when it is imported)

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc


def assign_splits(
    images: pa.Table, questions: pa.Table, shares: Mapping[Any, float], seed: int
) -> npt.NDArray[np.int8]:
    """For each image the number of its split in `shares`, `(len(images),) int8`.

    Of a pool's `images` and `questions` the columns `image_id` and `dhash`, `image` and `problem`
    are read. Images that look the same (equal `dhash`) or are asked the same problem are a group,
    and a group goes to one split, by a hash of `seed` and its first image_id: where it goes does
    not depend on what else is in the pool.
    """
    group = _groups(images, questions)
    bounds = np.cumsum(list(shares.values()))
    split = np.zeros(len(images), dtype=np.int8)
    ids = images["image_id"]
    for leader in np.unique(group):
        digest = sha256(f"{seed}:{ids[int(leader)].as_py()}".encode()).digest()
        draw = int.from_bytes(digest[:8]) / 2**64
        split[leader] = min(int(np.searchsorted(bounds, draw, side="right")), len(bounds) - 1)
    return split[group]


def _groups(images: pa.Table, questions: pa.Table) -> npt.NDArray[np.intp]:
    """For each image the row of the first image of its group."""
    looks = images["dhash"].combine_chunks()
    seen = pc.not_equal(looks, "")
    rows = np.flatnonzero(seen.to_numpy(zero_copy_only=False))
    links = [(rows, _codes(looks.filter(seen)))]

    asked = questions.filter(pc.is_valid(questions["problem"]))
    links.append((asked["image"].to_numpy(), _codes(asked["problem"])))

    group = np.arange(len(images))
    while True:
        before = group.copy()
        for image, code in links:
            smallest = np.full(int(code.max(initial=-1)) + 1, len(images))
            np.minimum.at(smallest, code, group[image])
            np.minimum.at(group, image, smallest[code])
        if np.array_equal(before, group):
            return group


def _codes(values: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.int32]:
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    return values.dictionary_encode().indices.to_numpy()
