"""`import` of a generated release of 360,000 rows and 40,000 images, and `load` of the result.

    PYTHONPATH=tests python tests/benchmarks/import_release.py SHARED_SOURCES WORK [--rows N]

The images are real ones of the shared samples, each with a comment of its own inside. Imports from
the zip as it is. Named baseline: decoding each distinct image once on all cores, which any check
for unreadable images needs. Then `load(..., "questions")` with a filter on source and kind.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from mathv360k.builder.manifest import read_manifest
from measure import mathv360k, python, show
from release_file import __file__ as generator

DECODE = """
import io, sys, zipfile
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from PIL import Image
archive = zipfile.ZipFile(sys.argv[1])

def decode(name):
    try:
        Image.open(io.BytesIO(archive.read(name))).load()
    except OSError:
        pass

with ThreadPoolExecutor(cpu_count()) as threads:
    names = [name for name in archive.namelist() if not name.startswith("..")]
    for _ in threads.map(decode, names, chunksize=64):
        pass
"""

LOAD = """
import sys, time
import mathv360k
from mathv360k.builder import dataset
import datasets
datasets.disable_progress_bars()

def timed(what, **filters):
    start = time.perf_counter()
    rows = mathv360k.load(sys.argv[1], "questions", split="train", **filters)
    print(f"{what:34} {time.perf_counter() - start:8.2f} s, {len(rows):,} rows", flush=True)

timed("load, first time, TabMWP original", source="TabMWP", kind="original")
timed("load, another filter", source=["ChartQA", "VQA-RAD"], kind="synthetic")
timed("load, the first filter again", source="TabMWP", kind="original")
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("samples", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--rows", type=int, default=360_000)
    parser.add_argument("--images", type=int, default=40_000)
    given = parser.parse_args()
    release, out = given.work / "release", given.work / "imported"
    if not release.exists():
        size = ["--rows", given.rows, "--images", given.images]
        print(python(RUN, generator, given.samples, release, *size).output, end="")
    shutil.rmtree(out, ignore_errors=True)
    shutil.rmtree(out.with_name(f"{out.name}.pool"), ignore_errors=True)
    archive = release / "data_images.zip"
    floor = python(DECODE, archive)
    show("decode each image once", floor)
    annotations = release / "train_samples_all_tuning.json"
    imported = mathv360k("import", annotations, archive, "--out", out, "--quiet")
    ratio = imported.wall / floor.wall
    show("mathv360k import", imported, against_decoding=f"{ratio:.2f}x", bounds="180 s, 1500 MB")
    manifest = read_manifest(out, "dataset")
    assert manifest is not None
    print("imported:", {name: split["questions"] for name, split in manifest["splits"].items()})
    cache = given.work / "cache"
    shutil.rmtree(cache, ignore_errors=True)
    print(python(f"import os; os.environ['HF_HOME'] = {str(cache)!r}\n" + LOAD, out).output, end="")


RUN = "import runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"

if __name__ == "__main__":
    main()
