"""Whatever bytes come, a reader returns or refuses in its own words: at once, and in its folder.

The whole campaign: `MATHV360K_FUZZED=100000 pytest tests/fuzz`. A finding names target and number;
`finding("images", 4711)` gives its bytes again.
"""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path
from random import Random

import pytest

from fuzz.mutations import mutated
from fuzz.targets import TARGETS

FUZZED = int(os.environ.get("MATHV360K_FUZZED", "300"))
SECONDS = 1.0
"""Of computing, for any input."""
MEGABYTES = 500


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_that_is_read_does_harm(name: str, tmp_path: Path) -> None:
    target = TARGETS[name]
    here = tmp_path / "here"
    here.mkdir()
    seeds = target.seeds(here)
    for seed in seeds:
        target.read(seed, here)  # or only refusals would be tried
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    count, refused = FUZZED // (10 if target.slow and FUZZED < 10_000 else 1), list[str]()
    for number in range(count):
        data = mutated(seeds, Random(f"{name} {number}"))
        started = time.process_time()
        try:
            target.read(data, here)
        except target.refuses as error:
            refused.append(str(error).strip())
        except Exception as error:
            raise AssertionError(f"{name} {number}: {type(error).__name__}: {error}") from error
        assert time.process_time() - started < SECONDS, f"{name} {number} took too long"
    assert all(refused)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < MEGABYTES
    assert [path.name for path in tmp_path.iterdir()] == ["here"]
    print(f"{name}: {len(refused)} of {count} refused, {grown:.0f} MB more")


def finding(name: str, number: int, folder: Path) -> bytes:
    """The bytes of an input."""
    return mutated(TARGETS[name].seeds(folder), Random(f"{name} {number}"))
