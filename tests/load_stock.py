"""Load a built dataset with plain `datasets`, of whatever version runs this script.

`python tests/load_stock.py` in the directory that holds `mathv360k`; needs nothing of this package.
"""

from __future__ import annotations

import json
from pathlib import Path

import datasets
from datasets import load_dataset


def main() -> None:
    manifest = json.loads(Path("mathv360k/manifest.json").read_text())
    counts = manifest["splits"]
    default = load_dataset("mathv360k")
    assert {name: len(split) for name, split in default.items()} == {
        name: split["questions"] for name, split in counts.items()
    }
    row = default["train"][0]
    assert row["image"].size[0] > 0
    assert isinstance(row["choices"], list)
    images = load_dataset("mathv360k", "images", split="train")
    assert len(images) == counts["train"]["images"]
    asked = images[0]["questions"]
    assert asked[0]["row_sha256"] == row["row_sha256"]
    questions = load_dataset("mathv360k", "questions", split="train[:10%]")
    assert len(questions) == round(counts["train"]["questions"] / 10)
    for config in ("default", "images", "questions"):
        stream = load_dataset("mathv360k", config, split="train", streaming=True)
        first, *_ = stream  # left half-way, it may hang or abort the exit of Python
        assert first["image_id"] == row["image_id"]
        if config != "questions":
            assert first["image"].tobytes() == row["image"].tobytes()
    print(f"datasets {datasets.__version__}: {len(default['train'])} rows")


if __name__ == "__main__":
    main()
