"""Questions per second of training, packed, against one question to a row grouped by length.

    PYTHONPATH=tests python tests/benchmarks/train_packed.py [IMAGES]

The baseline is what LLaVA's own trainer does: the plain Trainer, a row per question, rows of one
length together, the same model, data and questions per step. The model has LLaVA-1.5's 576 tokens
to an image, and is small otherwise.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import mathv360k
from mathv360k.builder.recipe import read_recipe
from mathv360k.train.config import TrainConfig, read_config
from mathv360k.train.finetune import finetune
from mathv360k.train.tiny import write_tiny

WARM = 2
"""Steps at the start that are not counted."""
STEPS = 8
QUESTIONS = 36


def speed(config: TrainConfig, out: Path) -> tuple[float, float]:
    """Questions per second, and the loss of the first step."""
    finetune(config, out)
    rows = [row for row in json.loads((out / "log.json").read_text()) if "loss" in row]
    times = [1 / row["questions_per_second"] for row in rows[WARM:]]
    return len(times) / sum(times), rows[0]["loss"]


def main(images: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mathv360k.build(read_recipe("demo").limited(images), folder / "mathv360k")
        rows = mathv360k.load(folder / "mathv360k", "questions", split="train")
        mean = len(rows) / len(set(rows["image_id"]))
        print(f"{len(rows):,} questions, {mean:.1f} to an image")
        model = write_tiny(folder / "model", rows["question"][:], side=384)
        config = read_config(
            None, model=str(model), data=str(folder / "mathv360k"), max_steps=STEPS,
            questions_per_step=QUESTIONS, dtype="fp32", activation_checkpointing=False, workers=0,
            freeze=[], warmup=0.0, learning_rate=1e-6,
        )  # fmt: skip
        single = config.model_copy(update={"packing": False, "rows_per_device": 4})
        baseline, first = speed(single, folder / "single")
        packed, same = speed(config, folder / "packed")
        print(f"one to a row {baseline:7.2f} questions/s, loss {first:.3f}")
        ratio = packed / baseline
        print(f"packed       {packed:7.2f} questions/s, loss {same:.3f}: {ratio:.2f} times")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
