"""`build` from a pool of 38,000 real images x 9 questions, against the floor and a plain builder.

    PYTHONPATH=tests python tests/benchmarks/build_from_pool.py SHARED_SOURCES WORK [--images N]

The images are the tables of the TabMWP sample, each with comments inside that make other bytes of
it. The floor reads, hashes and durably writes the same image bytes once. The plain builder is a
`GeneratorBasedBuilder` with `Image()` and `download_and_prepare(file_format="parquet")`.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pyarrow.parquet as pq

from mathv360k.builder.intake import Feed
from mathv360k.builder.pool import write_pool
from mathv360k.builder.sources import SOURCES
from mathv360k.builder.sources.source import Candidate, Source
from measure import Run, mathv360k, python, show
from release_file import commented

QUESTIONS = 9
RECIPE = "name: benchmark\nsplits: {train: 0.9, validation: 0.05, test: 0.05}\n"

FLOOR = """
import hashlib, os, sys
import pyarrow.parquet as pq
pool, out = sys.argv[1:]
table = pq.read_table(pool + "/images.parquet", columns=["offset", "size"])
places = zip(table["offset"].to_pylist(), table["size"].to_pylist())
with open(pool + "/images.bin", "rb") as source, open(out, "wb") as target:
    for offset, size in places:
        source.seek(offset)
        data = source.read(size)
        hashlib.sha256(data).digest()
        target.write(data)
    target.flush()
    os.fsync(target.fileno())
"""

PLAIN = """
import sys
import datasets
datasets.disable_progress_bars()
import pyarrow as pa
import pyarrow.parquet as pq
from mathv360k.builder.schema import QUESTION
pool, out = sys.argv[1:]
names = QUESTION.names

class Plain(datasets.GeneratorBasedBuilder):
    def _info(self):
        features = datasets.Features.from_arrow_schema(QUESTION)
        features["image"] = datasets.Image()
        return datasets.DatasetInfo(features=features)

    def _split_generators(self, dl_manager):
        return [datasets.SplitGenerator(name="train")]

    def _generate_examples(self):
        places = pq.read_table(pool + "/images.parquet", columns=["offset", "size"]).to_pydict()
        with open(pool + "/images.bin", "rb") as blob:
            file = pa.ipc.open_file(pool + "/questions.arrow")
            for i in range(file.num_record_batches):
                for row in file.get_batch(i).to_pylist():
                    image = row["image"]
                    blob.seek(places["offset"][image])
                    data = blob.read(places["size"][image])
                    columns = {name: row[name] for name in names}
                    yield row["id"], {**columns, "image": {"bytes": data, "path": None}}

Plain(cache_dir=out + ".cache").download_and_prepare(out, file_format="parquet")
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("samples", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--images", type=int, default=38_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-plain", action="store_true", help="leave the plain builder out")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    pool, out, recipe = given.work / "pool", given.work / "out", given.work / "recipe.yaml"
    recipe.write_text(RECIPE)
    source = SOURCES["TabMWP"]
    if not pool.exists():
        write_pool([Feed("TabMWP", _rows(source, given.samples, given.images))], pool, {})
    floors: list[Run] = []
    builds: list[Run] = []
    for _ in range(given.rounds):
        floors.append(python(FLOOR, pool, given.work / "floor.bin"))
        show("read, hash, write once (floor)", floors[-1])
        shutil.rmtree(out, ignore_errors=True)
        builds.append(mathv360k("build", recipe, "--pool", pool, "--out", out, "--quiet"))
        ratio = builds[-1].wall / floors[-1].wall
        show("mathv360k build", builds[-1], against_floor=f"{ratio:.2f}x")
    median = statistics.median(b.wall / f.wall for b, f in zip(builds, floors, strict=True))
    print(f"median against the floor: {median:.2f}x (bound 2x)")
    _sizes(pool, out)
    if not given.no_plain:
        plain = python(PLAIN, pool, given.work / "plain")
        show("plain GeneratorBasedBuilder", plain)
        best = statistics.median(b.wall for b in builds)
        print(f"plain against build: {plain.wall / best:.1f}x (bound 5x)")
        shutil.rmtree(given.work / "plain")


def _rows(source: Source, samples: Path, images: int) -> Iterator[tuple[Source, Candidate]]:
    """Nine questions of the usual length on each image, each image with a comment of its own."""
    tables = sorted((samples / "TabMWP" / "tables").glob("*.png"))
    for number in range(images):
        table = tables[number % len(tables)]
        for place in range(QUESTIONS):
            row = Candidate(
                row=f"{number}, {place}",
                image=f"tables/{number}.png",
                load=partial(_picture, table, number),
                question=f"Look at table {number}. The people in the table each give away {place} "
                "of their things to a friend. How many things are left in all?",
                answer=str(number + place),
                rationale=f"Add the numbers in the table, which makes {number + 10 * place}. Then "
                f"subtract {place} for every person: the answer is {number + place}.",
            )
            yield source, row


def _picture(path: Path, number: int) -> bytes:
    return commented(path.read_bytes(), f"copy {number}")


def _sizes(pool: Path, out: Path) -> None:
    pictures = sum(pq.read_table(pool / "images.parquet", columns=["size"])["size"].to_pylist())
    size = {
        config: sum(p.stat().st_size for p in (out / "data" / config).iterdir())
        for config in ("default", "images", "questions")
    }
    for config in ("default", "images"):
        share = size[config] / (pictures + size["questions"])
        print(
            f"{config}: {size[config] / 1e6:.1f} MB, distinct images {pictures / 1e6:.1f} MB plus "
            f"text {size['questions'] / 1e6:.1f} MB: {share:.3f}x (bound 1.05x)"
        )


if __name__ == "__main__":
    main()
