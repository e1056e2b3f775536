"""The configurations that ship are ones that their tools take."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest
import yaml
from accelerate.commands.config.config_args import load_config_from_file

import mathv360k
from mathv360k.train.config import read_config

CONFIGS = Path(str(files("mathv360k.train") / "configs"))


def test_the_papers_recipe() -> None:
    config = read_config(CONFIGS / "math-llava-13b.yaml")
    assert (config.epochs, config.learning_rate, config.schedule) == (2, 2e-5, "cosine")
    assert (config.warmup, config.weight_decay, config.dtype) == (0.03, 0, "bf16")
    assert (config.questions_per_step, config.max_length) == (128, 2048)
    assert config.freeze == ["vision_tower"] and config.activation_checkpointing and config.packing


@pytest.mark.parametrize("name", ["7b-lora", "7b-qlora"])
def test_adapters(name: str) -> None:
    lora = read_config(CONFIGS / f"math-llava-{name}.yaml").lora
    assert lora is not None and lora.quantize == (name == "7b-qlora")


@pytest.mark.parametrize("path", sorted((CONFIGS / "accelerate").iterdir()), ids=lambda p: p.stem)
def test_accelerate_reads_its_own(path: Path) -> None:
    config = load_config_from_file(str(path))
    assert config.num_processes >= 8 and config.mixed_precision == "bf16"


def test_the_reward_of_grpo_is_there() -> None:
    (name,) = yaml.safe_load((CONFIGS / "grpo.yaml").read_text())["reward_funcs"]
    assert getattr(mathv360k, name.removeprefix("mathv360k."))(["\\boxed{4}"], answer=["4"]) == [
        1.1
    ]
