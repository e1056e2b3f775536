"""Which images a version is made of: clear ones, so many of each source and complexity.

Sources are shares of the whole and so are the four complexities (2:3:4:1 from simple to complex in
the paper, arXiv 2406.17294, section 3.1). Where a source runs short of a complexity, other sources
with that complexity give more of it; where all do, the same source gives images of the nearest
complexity; what is missing then comes from whoever has any. Every such step is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256

import numpy as np
import numpy.typing as npt

from .recipe import Selection

LEVELS = 4

Counts = npt.NDArray[np.int64]
"""Images by source and complexity, `(sources, 4)`."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How many images of which source and complexity there are, were wanted, and are taken."""

    sources: tuple[str, ...]
    available: Counts
    wanted: Counts
    taken: Counts
    notes: tuple[str, ...]
    """One sentence for each request that could not be met, and where the rest came from."""


def plan(sources: Sequence[str], available: Counts, wish: Selection) -> Plan:
    """How many images to take of each of `sources`, of which some may have none."""
    total = int(available.sum())
    if wish.images is None:
        return Plan(tuple(sources), available, available, available, ())
    target = min(wish.images, total)
    quotas = _quotas(sources, available, target, wish.quotas)
    wanted = _cells(quotas, wish.complexity)
    taken = np.minimum(wanted, available)
    notes = []
    if total < wish.images:
        notes.append(f"{wish.images:,} images are wanted, only {total:,} are clear: all are taken.")
    there = available.sum(axis=1) > 0
    for i in np.flatnonzero(~there & (wanted.sum(axis=1) > 0)).tolist():
        notes.append(f"{sources[i]} has no clear images, {wanted[i].sum():,} are wanted.")
    for i, level in np.argwhere((wanted > available) & there.reshape(-1, 1)).tolist():
        notes.append(
            f"{sources[i]} has {available[i, level]:,} images of complexity {level}, "
            f"{wanted[i, level]:,} are wanted."
        )
    for rule, fill in (
        ("other sources of the same complexity", _from_same_level),
        ("other complexities of the same source", _from_same_source),
        ("whatever is left", _from_anywhere),
    ):
        before = int(taken.sum())
        fill(wanted, available, taken, target)
        if given := int(taken.sum()) - before:
            notes.append(f"{given:,} images were taken from {rule} instead.")
    return Plan(tuple(sources), available, wanted, taken, tuple(notes))


def _quotas(
    sources: Sequence[str], available: Counts, target: int, said: Mapping[str, int]
) -> list[int]:
    """Images wanted of each source: as said, the rest in proportion to what there is."""
    fixed = [said.get(name) for name in sources]
    rest = max(0, target - sum(q for q in fixed if q is not None))
    have = [0 if q is not None else int(available[i].sum()) for i, q in enumerate(fixed)]
    shares = iter(apportion(rest, have))
    return [share if q is None else q for q, share in zip(fixed, shares, strict=True)]


def _cells(quotas: Sequence[int], ratio: Sequence[int]) -> Counts:
    """Quotas cut by the ratio, so that rows add up to them and columns to the ratio as they can.

    The cut of each source takes up what rounding the ones before has left.
    """
    cells = np.zeros((len(quotas), LEVELS), np.int64)
    done = 0
    so_far = [0] * LEVELS
    for i, quota in enumerate(quotas):
        done += quota
        until = apportion(done, ratio)
        row = [max(0, u - s) for u, s in zip(until, so_far, strict=True)]
        while sum(row) > quota:  # rounding may take one back from a complexity
            row[int(np.argmax(row))] -= 1
        cells[i] = row
        so_far = [s + r for s, r in zip(so_far, row, strict=True)]
    return cells


def apportion(total: int, shares: Sequence[int]) -> list[int]:
    """`total` in whole parts proportional to `shares` (largest remainders, earlier ones first)."""
    whole = sum(shares)
    if not whole:
        return [0] * len(shares)
    exact = [Fraction(total * share, whole) for share in shares]
    parts = [int(e) for e in exact]
    order = sorted(range(len(shares)), key=lambda i: (parts[i] - exact[i], i))
    for i in order[: total - sum(parts)]:
        parts[i] += 1
    return parts


def _from_same_level(wanted: Counts, available: Counts, taken: Counts, target: int) -> None:
    for level in range(LEVELS):
        short = int((wanted[:, level] - taken[:, level]).sum())
        _spread(short, available[:, level] - taken[:, level], taken[:, level], target, taken)


def _from_same_source(wanted: Counts, available: Counts, taken: Counts, target: int) -> None:
    missing = (wanted - taken).sum(axis=0)
    for level in range(LEVELS):
        for i in range(len(wanted)):
            for near in sorted(range(LEVELS), key=lambda other: (abs(other - level), other)):
                of_source = int(wanted[i].sum() - taken[i].sum())
                spare = int(available[i, near] - taken[i, near])
                given = min(int(missing[level]), of_source, spare, target - int(taken.sum()))
                if given > 0:
                    taken[i, near] += given
                    missing[level] -= given


def _from_anywhere(wanted: Counts, available: Counts, taken: Counts, target: int) -> None:
    spare = (available - taken).ravel()
    _spread(target - int(taken.sum()), spare, taken.reshape(-1), target, taken)


def _spread(amount: int, spare: Counts, into: Counts, target: int, taken: Counts) -> None:
    """Add up to `amount` to `into` in proportion to `spare`, the total never above `target`."""
    amount = min(amount, int(spare.sum()), target - int(taken.sum()))
    if amount > 0:
        into += np.minimum(apportion(amount, spare.tolist()), spare)


def draw(
    image_ids: Sequence[str],
    source: npt.NDArray[np.intp],
    complexity: npt.NDArray[np.integer],
    taken: Counts,
    seed: int,
) -> npt.NDArray[np.intp]:
    """Rows of the chosen images, in their order.

    Each image has a place in a queue, by a hash of `seed` and its image_id, whatever else there is:
    a version with more sources keeps the head of each queue.
    """
    queue = [sha256(f"select {seed} {image_id}".encode()).digest() for image_id in image_ids]
    chosen: list[int] = []
    for i, level in np.argwhere(taken > 0).tolist():
        rows = np.flatnonzero((source == i) & (complexity == level)).tolist()
        chosen += sorted(rows, key=queue.__getitem__)[: taken[i, level]]
    return np.array(sorted(chosen), np.intp)
