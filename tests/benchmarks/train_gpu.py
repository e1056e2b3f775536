"""Training on one GPU in the size of LLaVA-1.5-7B: packed against one question to a row.

    PYTHONPATH=tests python tests/benchmarks/train_gpu.py [IMAGES]

The weights are random and everything else is real: 576 tokens to an image, questions as long as the
demo's, pictures read and decoded. All weights are trained where the GPU has 120 GB, adapters
elsewhere. Prints of each run questions and useful tokens per second, model FLOPs utilization (of
useful tokens alone, without attention and vision tower) and memory; how many times the packed run
is as fast; and what loading costs, against the same batch again and again.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import torch
from transformers import CLIPVisionConfig, LlamaConfig, LlavaConfig, LlavaForConditionalGeneration

import mathv360k
from mathv360k.builder.recipe import read_recipe
from mathv360k.train import finetune as module
from mathv360k.train.config import Lora, TrainConfig, read_config
from mathv360k.train.tiny import write_tiny
from mathv360k.train.trainer import PackedTrainer

WARM = 3
"""Steps at the start that are not counted."""
STEPS = 12
QUESTIONS = 36
ALL_WEIGHTS_GB = 120


def write_7b(folder: Path, texts: list[str]) -> Path:
    """LLaVA-1.5-7B's layers with random weights, and the tiny model's tokenizer."""
    write_tiny(folder, texts, side=336, patch=14)
    tiny = LlavaConfig.from_pretrained(folder)
    text = LlamaConfig(vocab_size=32_064, pad_token_id=3, bos_token_id=1, eos_token_id=2)
    vision = CLIPVisionConfig(
        hidden_size=1024, intermediate_size=4096, num_hidden_layers=24, num_attention_heads=16,
        image_size=336, patch_size=14, projection_dim=768,
    )  # fmt: skip
    config = LlavaConfig(
        vision_config=vision, text_config=text, image_token_index=tiny.image_token_id,
        vision_feature_layer=-2,
    )  # fmt: skip
    with torch.device("cuda"):
        model = LlavaForConditionalGeneration(config).to(torch.bfloat16)
    print(f"{sum(p.numel() for p in model.parameters()) / 1e9:.2f} G weights")
    model.save_pretrained(folder)
    del model
    torch.cuda.empty_cache()
    return folder


class Unsaved(PackedTrainer):
    """Leaves out writing a model and its optimizer's state at the end: 110 GB."""

    def save_model(self, *_: Any, **__: Any) -> None:
        """Nothing."""

    def _save_checkpoint(self, *_: Any, **__: Any) -> None:
        """Nothing."""


class Cached(Unsaved):
    """Trains on its first batch only, so that nothing is read."""

    def get_train_dataloader(self) -> Any:
        batch = next(iter(super().get_train_dataloader()))
        return Repeated(batch)


class Repeated:
    """A loader of one batch, many times."""

    def __init__(self, batch: Any) -> None:
        self._batch = batch

    def __len__(self) -> int:
        return STEPS * QUESTIONS

    def __iter__(self) -> Iterator[Any]:
        for _ in range(len(self)):
            yield dict(self._batch)


def measure(name: str, config: TrainConfig, out: Path, trainer: Any = Unsaved) -> Any:
    """The middle step's numbers."""
    torch.cuda.reset_peak_memory_stats()
    setattr(module, "PackedTrainer", trainer)  # noqa: B010
    module.finetune(config, out)
    rows = [row for row in json.loads((out / "log.json").read_text()) if "loss" in row][WARM:]
    keys = ("questions_per_second", "tokens_per_second", "mfu", "memory_gb")
    found = {key: median(row.get(key, 0.0) for row in rows) for key in keys}
    print(f"{name:14}", *(f"{key} {value:,.3f}" for key, value in found.items()), flush=True)
    torch.cuda.empty_cache()
    return found


def main(images: int) -> None:
    if not torch.cuda.is_available():
        sys.exit("There is no GPU here.")
    memory = torch.cuda.get_device_properties(0).total_memory / 1e9
    print(torch.cuda.get_device_name(), f"{memory:.0f} GB")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mathv360k.build(read_recipe("demo").limited(images), folder / "mathv360k")
        rows = mathv360k.load(folder / "mathv360k", "questions", split="train")
        model = write_7b(folder / "model", rows["question"][:])
        config = read_config(
            None, model=str(model), data=str(folder / "mathv360k"), max_steps=STEPS,
            questions_per_step=QUESTIONS, save_steps=10_000, keep_checkpoints=1,
        )  # fmt: skip
        if memory < ALL_WEIGHTS_GB:
            config = config.model_copy(update={"lora": Lora()})
        single = config.model_copy(update={"packing": False, "rows_per_device": 4})
        baseline = measure("one to a row", single, folder / "single")
        for attention in ("sdpa", "flex_attention"):
            changed = config.model_copy(update={"attention": attention})
            packed = measure(f"packed, {attention}", changed, folder / attention)
            ratio = packed["questions_per_second"] / baseline["questions_per_second"]
            print(f"packed, {attention}: {ratio:.2f} times the questions per second")
        cached = measure("the same batch", config, folder / "cached", Cached)
        usual = measure("packed, again", config, folder / "again")
        rate = cached["tokens_per_second"] / usual["tokens_per_second"]
        print(f"a step with loading takes {rate:.3f} of one without")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
