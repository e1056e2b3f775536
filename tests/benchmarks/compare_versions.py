"""`mathv360k diff` of two versions of 360,000 rows, against a merge of both by pandas.

    PYTHONPATH=tests python tests/benchmarks/compare_versions.py [ROWS]

The second version has one answer in a hundred changed, 2 % of rows more and 1 % fewer, spread over
all files; and, as the worst case, one where every row has another score.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mathv360k.builder.digests import content_digest, row_hashes
from mathv360k.builder.folders import seal
from mathv360k.builder.manifest import write_manifest
from mathv360k.builder.parquet import open_writer
from mathv360k.builder.schema import CONFIGS
from mathv360k.builder.shards import QUESTION_ROWS
from measure import mathv360k, python, show

SHARDS = 8
KINDS = ("original", *["ask_image"] * 5, "complex", "rephrase", "simplify")
BASELINE = """
import sys, pandas
old, new = (pandas.read_parquet(f"{folder}/data/questions") for folder in sys.argv[1:])
both = old.merge(new, on="id", how="outer", suffixes=(" old", " new"), indicator=True)
stays = both[both["_merge"] == "both"]
changed = stays[stays["row_sha256 old"] != stays["row_sha256 new"]]
fields = {}
for name in old.columns.drop(["id", "row_sha256"]):
    left, right = changed[f"{name} old"].astype(str), changed[f"{name} new"].astype(str)
    fields[name] = int((left != right).sum())
print(both["_merge"].value_counts().to_dict(), len(changed), fields)
"""


def rows(numbers: np.ndarray, answers: dict[int, str], clarity: float) -> pa.Table:
    """Rows as they are: a question of 20 words, choices, a rationale in a quarter of them."""
    images, kinds = numbers // 9, [KINDS[n % 9] for n in numbers]
    texts: dict[str, list[Any]] = {
        "id": [f"Source/train/{i:06d}.png#{k}-{n % 9}" for i, k, n in
               zip(images, kinds, numbers, strict=True)],
        "image_id": [f"{i:064x}" for i in images],
        "source": [f"Source {i % 24}" for i in images],
        "kind": kinds,
        "question": [f"What is the value of angle {n} in figure {i}, where line {n * 7 % 91} is "
                     f"parallel to line {n * 3 % 83} and the sum is {n % 360} degrees?"
                     for i, n in zip(images, numbers, strict=True)],
        "choices": [[f"{n % 90 + d} degrees" for d in range(4)] if n % 2 else [] for n in numbers],
        "answer": [answers.get(n, f"{n % 90} degrees") for n in numbers.tolist()],
        "rationale": ["Because the angles of a triangle add up. " * 4 if n % 4 == 0 else None
                      for n in numbers],
    }  # fmt: skip
    columns = {}
    for column in CONFIGS["questions"]:
        values = texts.get(
            column.name, [clarity if column.name == "clarity" else None] * len(numbers)
        )
        columns[column.name] = pa.array(values, column.type)
    columns["row_sha256"], _ = row_hashes(columns)
    return pa.table(columns)


def write(folder: Path, numbers: np.ndarray, answers: dict[int, str], clarity: float = 0.5) -> Path:
    """As much of a dataset as a comparison reads."""
    files, hashes = {}, bytearray()
    for shard in range(SHARDS):
        name = f"data/questions/train-{shard:05d}-of-{SHARDS:05d}.parquet"
        table = rows(numbers[numbers // 9 % SHARDS == shard], answers, clarity)
        with open_writer(folder / name, "questions") as writer:
            writer.write_table(table, row_group_size=QUESTION_ROWS)
        files[name] = seal(folder / name)
        hashes += bytes.fromhex("".join(table["row_sha256"].to_pylist()))
    empty = ("parameters", "inputs", "splits", "sources", "rejected", "recipe", "quarantine")
    said = {**{name: {} for name in empty}, "name": "made", "version": "1.0.0", "withheld": []}
    digest = content_digest({"train": hashes})
    write_manifest(folder, "dataset", {**said, "digest": digest, "files": files})
    return folder


def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        root, numbers = Path(name), np.arange(count)
        old = write(root / "old", numbers, {})
        staying = np.concatenate([numbers[numbers % 100 != 7], count + np.arange(count // 50)])
        answers = dict.fromkeys(range(3, count, 100), "otherwise")
        usual = write(root / "new", staying, answers)
        worst = write(root / "scored", numbers, {}, clarity=0.75)
        for what, new in (("1 % changed", usual), ("every row changed", worst)):
            ours = mathv360k("diff", old, new, "--json")
            theirs = python(BASELINE, old, new)
            show(f"diff, {what}", ours)
            ratios = {
                n: f"{getattr(theirs, n) / getattr(ours, n):.1f}x" for n in ("wall", "memory")
            }
            show("pandas, read and merge", theirs, **ratios)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 360_000)
