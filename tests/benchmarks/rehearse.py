"""All steps at a given size, from sources to a version that was pushed, fetched and read.

    PYTHONPATH=tests python -P tests/benchmarks/rehearse.py OUT 10000 20000 40000 [--sources SHARED]

Each step is a process of its own: seconds, peak memory, and what it wrote. Pictures are drawn, as
many as said, and the embedded teacher writes about each; with `--sources`, a release of as many
real pictures with nine questions each is imported, too. Prints a table for each size, and how each
step grew from the first to the last: 1.0 where time grows as images do. A step that is done is not
done again, so that a rehearsal can be stopped. The Hub is the one of the tests, on loopback.
"""

from __future__ import annotations

import json
import os
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from math import log
from pathlib import Path

import measure
from hub_server import hub
from measure import Run, mathv360k, python

RECIPE = """name: rehearsal
sources: {{drawn: {{limit: {images}}}}}
score: {{model: embedded, classifiers: embedded}}
synthesize: {{teacher: {{model: drawn}}}}
splits: {{train: 0.9, validation: 0.05, test: 0.05}}
"""
STREAM = """
import os, sys
from datasets import load_dataset
rows = load_dataset(sys.argv[1], split="train", streaming=True)
print(sum(row["image"] is not None for row in rows.take(5000)), flush=True)
os._exit(0)  # arrow#45214
"""
LOAD = """
import sys
import mathv360k
print(len(mathv360k.load(sys.argv[1], "questions", split="train")))
"""


def main(out: Path, sizes: list[int], sources: Path | None) -> None:
    out.mkdir(parents=True, exist_ok=True)
    told = {size: _rehearse(out / str(size), size, sources) for size in sizes}
    if len(sizes) > 1:
        first, last = sizes[0], sizes[-1]
        print(f"\nexponent of growth from {first:,} to {last:,} images")
        for name, run in told[last].items():
            grown = log(max(run["seconds"], 0.1) / max(told[first][name]["seconds"], 0.1))
            print(f"  {name:16} {grown / log(last / first):5.2f}")


def _rehearse(folder: Path, images: int, sources: Path | None) -> dict[str, dict[str, float]]:
    folder.mkdir(exist_ok=True)
    os.environ["MATHV360K_CACHE"] = str(folder / "cache")
    os.chdir(folder)
    recipe = RECIPE.format(images=images)
    Path("recipe.yaml").write_text(recipe)
    Path("real.yaml").write_text("name: real\nsources: {ChartQA: {}}\n")
    Path("plain.yaml").write_text(recipe.split("score:")[0] + "splits: {train: 1.0}\n")
    done = Path("steps.json")
    told: dict[str, dict[str, float]] = json.loads(done.read_text()) if done.exists() else {}
    print(f"\n{images:,} images\n{'step':16} {'seconds':>9} {'peak MB':>9} {'wrote MB':>9}")
    with hub(folder / "hub") as server:
        os.environ.update(server.environment(folder / "home"))
        for name, step in _steps(images, sources).items():
            if name not in told:
                before = _bytes(folder)
                run = step()
                wrote = (_bytes(folder) - before) / 1e6
                told[name] = {"seconds": run.wall, "memory": run.memory, "wrote": wrote}
                if name != "push":  # the Hub on loopback forgets, so what follows needs it again
                    done.write_text(json.dumps(told, indent=1))
            row = told[name]
            print(f"{name:16} {row['seconds']:9.1f} {row['memory']:9.0f} {row['wrote']:9.0f}",
                  flush=True)  # fmt: skip
    done.write_text(json.dumps(told, indent=1))
    return told


def _steps(images: int, sources: Path | None) -> dict[str, Callable[[], Run]]:
    pool = "new.pool"
    steps: dict[str, Callable[[], Run]] = {}
    if sources is not None:
        maker = Path(__file__).parents[1] / "release_file.py"
        made = ("--rows", images * 9, "--images", images)
        released = ("train_samples_all_tuning.json", "data_images.zip")
        steps["(make release)"] = lambda: measure.run([sys.executable, maker, sources, ".", *made])
        steps["import"] = lambda: mathv360k("import", *released, "--out", "real", "--quiet")
        steps["verify import"] = lambda: mathv360k("verify", "real", "--quiet")
        edit = Path(__file__).with_name("edited_pictures.py")
        steps["(make pictures)"] = lambda: measure.run(
            [sys.executable, edit, sources, "pictures", images // 4]
        )
        steps["build, real"] = lambda: mathv360k(
            "build", "real.yaml", "--source-root", "pictures", "--out", "edited", "--quiet"
        )
        steps["score, real"] = lambda: mathv360k(
            "score", "edited.pool", "--model", "embedded", "--quiet"
        )
        steps["select, real"] = lambda: mathv360k("select", "edited.pool", "--quiet")
    steps |= {
        "build": lambda: mathv360k("build", "plain.yaml", "--out", "new", "--quiet"),
        "score": lambda: mathv360k("score", pool, "--model", "embedded", "--quiet"),
        "select": lambda: mathv360k("select", pool, "--quiet"),
        "synthesize": lambda: mathv360k("synthesize", f"{pool}.selected", "recipe.yaml", "--quiet"),
        "verify-answers": lambda: mathv360k(
            "verify-answers", f"{pool}.selected", "recipe.yaml", "--quiet"
        ),
        "rebuild": lambda: mathv360k(
            "build", "plain.yaml", "--pool", f"{pool}.selected.verified", "--out", "all", "--quiet"
        ),
        "(make benchmark)": lambda: mathv360k(
            "build", "demo", "--seed", 1, "--limit", 500, "--out", "benchmark", "--quiet"
        ),
        "decontaminate": lambda: mathv360k(
            "decontaminate",
            "all",
            "--against",
            "benchmark",
            "--export",
            "hashes.parquet",
            "--quiet",
        ),
        "card --check": lambda: mathv360k("card", "all", "--check", "--quiet"),
        "report": lambda: mathv360k("report", "all", "--quiet"),
        "export": lambda: mathv360k("export", "all", "--for", "llava", "--quiet"),
        "push": lambda: mathv360k("push", "all", "somebody/rehearsal", "--quiet"),
        "get": lambda: mathv360k("get", "somebody/rehearsal", "--out", "got", "--quiet"),
        "verify": lambda: mathv360k("verify", "got", "--quiet"),
        "load": lambda: python(LOAD, "got"),
        "stream 5,000": lambda: python(STREAM, "got"),
    }
    return steps


def _bytes(folder: Path) -> int:
    """On the disk: what several names share is counted once."""
    found = {s.st_ino: s.st_blocks * 512 for p in folder.rglob("*") if (s := p.lstat()).st_nlink}
    return sum(found.values())


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("sizes", type=int, nargs="+")
    parser.add_argument("--sources", type=Path)
    given = parser.parse_args()
    main(given.out.resolve(), given.sizes, given.sources and given.sources.resolve())
