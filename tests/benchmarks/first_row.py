"""What is fetched for the first row of a large dataset that is streamed from a Hub on loopback.

    PYTHONPATH=tests python tests/benchmarks/first_row.py [IMAGES]

The dataset has 40,000 images where IMAGES does not say otherwise, some 6 GB. The baseline is the
whole split, as `load_dataset` without `streaming` fetches it.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from hub_server import hub
from large_folder import write
from measure import mathv360k, python, show

REPOSITORY = "somebody/mathv360k"
FIRST = """
import os, sys
from datasets import load_dataset
rows = load_dataset(sys.argv[1], sys.argv[2], split="train", streaming=True, columns=%s)
print(next(iter(rows))["%s"], flush=True)
os._exit(0)  # the threads that read ahead may crash Python where it tidies up
"""
ASKED = {
    "default": ("None", "question"),
    "default, two columns": ('["id", "question"]', "question"),
    "images": ("None", "image_id"),
    "questions": ("None", "question"),
}


def main(images: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = write(Path(name) / "mathv360k", images)
        size = sum(path.stat().st_size for path in folder.rglob("*.parquet")) / 1e6
        print(f"{images:,} images, {size:,.0f} MB")
        with hub(Path(name) / "hub") as server:
            os.environ.update(server.environment(Path(name) / "home"))
            mathv360k("push", folder, REPOSITORY, "--quiet")
            for asked, (columns, shown) in ASKED.items():
                config = asked.partition(",")[0]
                server.log.clear()
                run = python(FIRST % (columns, shown), REPOSITORY, config)
                fetched = sum(request.sent for request in server.log) / 1e6
                whole = sum(
                    path.stat().st_size for path in folder.glob(f"data/{config}/train-*")
                ) / 1e6  # fmt: skip
                show(f"first row of {asked}", run,
                     fetched=f"{fetched:.1f} MB, {fetched / whole:.4f} of the split")  # fmt: skip


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40_000)
