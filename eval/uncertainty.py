"""How far a score can be trusted, and whether two models differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import bdtr

RESAMPLES = 10_000
LEVEL = 0.95


def accuracy_interval(correct: int, total: int, seed: int = 0) -> tuple[float, float]:
    """The bootstrap's 95 % interval of an accuracy, by percentiles.

    Items drawn again with replacement are right as often as a binomial draw says, so that is drawn.
    """
    if not total:
        return 0.0, 0.0
    draws = np.random.default_rng(seed).binomial(total, correct / total, RESAMPLES) / total
    return _percentiles(draws)


def compare_paired(one: Sequence[bool], other: Sequence[bool], seed: int = 0) -> dict[str, Any]:
    """The difference of two models on the same items, other minus one, with its 95 % interval.

    `p` is that of McNemar's exact test: of the items on which just one is right, does one of the
    two have more than a fair coin would give it?
    """
    gained = sum(b and not a for a, b in zip(one, other, strict=True))
    lost = sum(a and not b for a, b in zip(one, other, strict=True))
    total = len(one)
    shares = [gained / total, lost / total, 1 - (gained + lost) / total]
    draws = np.random.default_rng(seed).multinomial(total, shares, RESAMPLES)
    low, high = _percentiles((draws[:, 0] - draws[:, 1]) / total)
    differing = gained + lost
    return {
        "items": total,
        "difference": (gained - lost) / total,
        "interval": [low, high],
        "only_first": lost,
        "only_second": gained,
        "p": min(1.0, 2 * float(bdtr(min(gained, lost), differing, 0.5))),  # both tails
    }


def _percentiles(draws: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(draws, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
