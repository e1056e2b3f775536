"""`mathv360k verify` of a large dataset, against `sha256sum` of its files on all cores.

    PYTHONPATH=tests python tests/benchmarks/verify_folder.py [IMAGES]

The dataset has 40,000 images with nine questions each where IMAGES does not say otherwise, some
6 GB. Both read it four times, in changing order, after it was read once.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from statistics import median

from large_folder import write
from measure import Run, mathv360k, run, show

WAYS = {
    "sha256sum, all cores": None,
    "mathv360k verify --no-decode": ["--no-decode"],
    "mathv360k verify": [],
}


def check(folder: Path, options: list[str] | None) -> Run:
    if options is not None:
        return mathv360k("verify", folder, "--quiet", *options)
    files = sorted(folder.rglob("*.parquet"), key=lambda path: -path.stat().st_size)
    return run(["xargs", "-a", _listed(folder, files), "-d", "\n", "-n1", f"-P{os.cpu_count()}",
                "sha256sum"])  # fmt: skip


def _listed(folder: Path, files: list[Path]) -> Path:
    listing = folder.with_name("files.txt")
    listing.write_text("".join(f"{path}\n" for path in files))
    return listing


def main(images: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = write(Path(name) / "mathv360k", images)
        size = sum(path.stat().st_size for path in folder.rglob("*.parquet")) / 1e6
        print(f"{images:,} images, {size:,.0f} MB")
        check(folder, None)
        runs: dict[str, list[Run]] = {way: [] for way in WAYS}
        for turn in range(4):
            for way in list(WAYS) if turn % 2 else reversed(list(WAYS)):
                runs[way].append(one := check(folder, WAYS[way]))
                show(way, one, speed=f"{size / one.wall:.0f} MB/s")
        base, *others = WAYS
        for way in others:
            pairs = [b.wall / a.wall for a, b in zip(runs[way], runs[base], strict=True)]
            print(f"speed of {way} / {base}: {median(pairs):.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40_000)
