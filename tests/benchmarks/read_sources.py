"""Rows per second of every reader against merely parsing the same file, and the memory it takes.

Run with `PYTHONPATH=tests python tests/benchmarks/read_sources.py [--rows N] [--big GB]` where
mathv360k is installed. Writes releases of N rows in native layout into a temporary folder; the
baseline parses the annotation files with orjson (CSV: pyarrow; pickles: pickle) into Python
objects, in the same process, before and after. `--big` adds a `qa_pairs` file of so many GB, read
in a process of its own with its peak memory.
"""

from __future__ import annotations

import argparse
import gc
import json
import pickle
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
from pyarrow import csv

import measure
from mathv360k.builder.sources import SOURCES
from mathv360k.builder.sources.files import Files
from mathv360k.builder.sources.source import Candidate, ReadOptions
from native_releases import RELEASES, plotqa
from source_reading import png

ROUNDS = 5
CHECK = """
import sys
from pathlib import Path
from mathv360k.builder.check import check_source
from mathv360k.builder.sources import SOURCES
found = check_source(SOURCES["PlotQA"], Path(sys.argv[1]))
print(found.usable, found.quarantined)
"""
POOL = """
import sys
from pathlib import Path
from mathv360k import Recipe
from mathv360k.pipeline import read_sources
recipe = Recipe.model_validate({"name": "big", "sources": {"PlotQA": {}}})
read_sources(recipe, Path(sys.argv[1], "pool"), Path(sys.argv[1]))
"""
BUILD = """
import sys
from pathlib import Path
import mathv360k
recipe = mathv360k.Recipe.model_validate({"name": "big", "sources": {"PlotQA": {"limit": 1000}}})
built = mathv360k.build(recipe, Path(sys.argv[1], "out"), source_root=sys.argv[1])
print(built["splits"]["train"]["questions"])
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--big", type=float, default=0.0, help="GB")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        if given.big:  # first: a process starts with the peak of the one that starts it
            _big(Path(work) / "big", given.big)
        for name, make in RELEASES.items():
            _compare(name, make, Path(work) / name, given.rows)


def _compare(
    name: str, make: Callable[[int], Iterator[tuple[str, Any]]], folder: Path, rows: int
) -> None:
    paths = []
    for file, content in make(rows):
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content))
        paths.append(path)
    parsing, reading, count = [], [], 0
    for _ in range(ROUNDS):
        parsing.append(_timed(lambda: [_parse(path) for path in paths])[0])
        seconds, count = _timed(lambda: _read(name, folder))
        reading.append(seconds)
    parse, read = statistics.median(parsing), statistics.median(reading)
    size = sum(path.stat().st_size for path in paths) / 1e6
    print(
        f"{name:12} {count:7,} rows {size:6.1f} MB  {count / read:9,.0f} rows/s "
        f"{size / read:6.0f} MB/s  {parse / read:5.2f}x of the parser's rows/s (bound 0.5x)",
        flush=True,
    )


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    gc.collect()
    started = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - started
    if not isinstance(result, int):
        result = 0
    return seconds, result


def _parse(path: Path) -> Any:
    if path.suffix == ".csv":
        return csv.read_csv(path).to_pylist()
    data = path.read_bytes()
    return pickle.loads(data) if path.suffix == ".pk" else orjson.loads(data)


def _read(name: str, folder: Path) -> int:
    count = 0
    with Files(folder) as files:
        for row in SOURCES[name].read(files, ReadOptions()):
            if not isinstance(row, Candidate):
                raise SystemExit(f"{name}: {row}")
            count += 1
    return count


def _big(root: Path, gigabytes: float) -> None:
    """A release with a `qa_pairs` file of this size: checked, read into a pool, built in part."""
    path = root / "PlotQA" / "train" / "qa_pairs_V2.json"
    (path.parent / "png").mkdir(parents=True)
    ((_, content),) = plotqa(100_000)
    rows = content["qa_pairs"]
    images = rows[-1]["image_index"] + 1
    with path.open("wb") as file:
        file.write(b'{"qa_pairs": [')
        blocks = 0
        while file.tell() < gigabytes * 1e9:
            file.write((b", " if blocks else b"") + orjson.dumps(rows)[1:-1])
            for row in rows:
                row["image_index"] += images
            blocks += 1
        file.write(b"]}")
    del content, rows
    for number in range(images * blocks):
        (path.parent / "png" / f"{number}.png").write_bytes(png(number))
    size = path.stat().st_size / 1e9
    print(f"{size:.2f} GB qa_pairs, {100_000 * blocks:,} rows, {images * blocks:,} images")
    measure.show("importing alone", measure.python("import mathv360k.pipeline, datasets"))
    for name, script in (("check", CHECK), ("pool", POOL), ("build of 1,000 images", BUILD)):
        done = measure.python(script, root)
        found = done.output.strip()
        measure.show(name, done, found=found, peak=f"{done.memory:.0f} MB (bound 500)")


if __name__ == "__main__":
    main()
