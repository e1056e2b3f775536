"""Training: it learns, it goes on where it was killed, and it says what it did."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForImageTextToText

import mathv360k
from mathv360k.builder.recipe import read_recipe
from mathv360k.errors import FolderError, ModelError, TrainingError, UsageError
from mathv360k.eval.run import Run, run
from mathv360k.train.config import Lora, TrainConfig, read_config
from mathv360k.train.finetune import finetune
from mathv360k.train.model import load_model
from mathv360k.train.trainer import PackedTrainer
from tiny_models import write_bert, write_llava

SMALL = {
    "epochs": 1, "questions_per_step": 40, "max_length": 512, "dtype": "fp32", "workers": 0,
    "activation_checkpointing": False, "freeze": [], "learning_rate": 1e-2,
}  # fmt: skip


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo") / "mathv360k"
    mathv360k.build(read_recipe("demo").limited(20), out)
    return out


@pytest.fixture(scope="module")
def llava(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_llava(tmp_path_factory.mktemp("llava") / "model")


@pytest.fixture(scope="module")
def config(dataset: Path, llava: Path) -> TrainConfig:
    return read_config(None, model=str(llava), data=str(dataset), **SMALL)


@pytest.fixture(scope="module")
def trained(config: TrainConfig, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    out = tmp_path_factory.mktemp("trained") / "out"
    told: list[str] = []
    return out, {**finetune(config, out, tell=told.append), "said": told}


def losses_of(out: Path) -> list[float]:
    return [row["loss"] for row in json.loads((out / "log.json").read_text()) if "loss" in row]


def test_it_learns_and_leaves_a_model_that_can_be_asked(
    trained: tuple[Path, Any], dataset: Path, tmp_path: Path
) -> None:
    out, told = trained
    assert told["packed"] and told["unreadable"] == 0
    assert told["last_loss"] < 0.9 * told["first_loss"]
    assert f"{told['questions']:,} questions on {told['images']:,} images" in told["said"][-1]
    names = {path.name for path in out.iterdir()}
    assert {"model.safetensors", "tokenizer.json", "chat_template.jinja", "training.json"} <= names
    assert {"README.md", "loss.png", "log.json", "training_images.parquet"} <= names
    AutoModelForImageTextToText.from_pretrained(out)
    wanted = Run("drawn", str(out), limit=3, max_new_tokens=3, device="cpu")
    assert run(wanted, tmp_path / "o.jsonl")["seen_in_training"] == []


def test_a_run_that_is_done_is_left_as_it_is(
    trained: tuple[Path, Any], config: TrainConfig
) -> None:
    out, told = trained
    before = (out / "model.safetensors").read_bytes()
    again = finetune(config, out)
    assert again == {name: value for name, value in told.items() if name != "said"}
    assert (out / "model.safetensors").read_bytes() == before


def test_a_run_killed_after_its_last_step_is_only_written(
    config: TrainConfig, tmp_path: Path
) -> None:
    short = config.model_copy(update={"max_steps": 2, "streaming": True})
    finetune(short, tmp_path / "o")
    whole = load_file(tmp_path / "o" / "model.safetensors")
    (tmp_path / "o" / "log.json").unlink()
    (tmp_path / "o" / "model.safetensors").unlink()
    assert finetune(short, tmp_path / "o")["steps"] == 2
    assert "for 2 steps on" in (tmp_path / "o" / "README.md").read_text()
    again = load_file(tmp_path / "o" / "model.safetensors")
    assert all(torch.equal(again[name], weights) for name, weights in whole.items())


def test_the_record_names_data_packages_and_settings(
    trained: tuple[Path, Any], dataset: Path, config: TrainConfig
) -> None:
    out, told = trained
    record = json.loads((out / "training.json").read_text())
    manifest = json.loads((dataset / "manifest.json").read_text())
    assert record["dataset"]["digest"] == manifest["digest"]
    assert record["dataset"]["version"] == "1.0.0"
    assert record["config"]["learning_rate"] == 1e-2 and record["config"]["seed"] == 0
    assert record["packages"]["transformers"] and record["data"]["packed"]
    card = (out / "README.md").read_text()
    assert f"for {told['steps']} steps (1.00 epochs) on {told['questions']:,} questions" in card
    assert manifest["digest"] in card
    listed = pq.read_table(out / "training_images.parquet")["image_id"].to_pylist()
    images = pq.read_table(next((dataset / "data" / "images").glob("train-*")))
    assert listed == sorted(images["image_id"].to_pylist())


def test_logs_have_what_was_computed_per_second(trained: tuple[Path, Any]) -> None:
    rows = [r for r in json.loads((trained[0] / "log.json").read_text()) if "loss" in r]
    assert all(row["tokens_per_second"] > row["questions_per_second"] > 0 for row in rows)
    assert all(row["images_per_second"] > 0 for row in rows)


def test_packed_and_single_rows_train_alike(
    config: TrainConfig, trained: tuple[Path, Any], tmp_path: Path
) -> None:
    one_step = config.model_copy(update={"questions_per_step": 10_000, "warmup": 0.0})
    finetune(one_step, tmp_path / "packed")
    finetune(one_step.model_copy(update={"packing": False}), tmp_path / "single")
    a, b = (load_file(tmp_path / n / "model.safetensors") for n in ("packed", "single"))
    assert losses_of(tmp_path / "packed") == pytest.approx(losses_of(tmp_path / "single"), rel=1e-4)
    assert set(a) == set(b)
    before = load_file(Path(config.model) / "model.safetensors")
    assert any(not torch.equal(a[name], before[name]) for name in before)


def test_a_stream_is_trained_on_to_its_end(config: TrainConfig, tmp_path: Path) -> None:
    streaming = config.model_copy(
        update={"streaming": True, "workers": 2, "epochs": 2, "learning_rate": 3e-3}
    )
    told = finetune(streaming, tmp_path / "o")
    assert told["steps"] == pytest.approx(2 * told["questions"] / 40, abs=1)
    losses = losses_of(tmp_path / "o")
    assert len(losses) == told["steps"] and losses[-1] < 0.9 * losses[0]


def test_frozen_parts_do_not_change(config: TrainConfig, tmp_path: Path) -> None:
    finetune(config.model_copy(update={"freeze": ["vision_tower"], "max_steps": 2}), tmp_path / "o")
    before = load_file(Path(config.model) / "model.safetensors")
    after = load_file(tmp_path / "o" / "model.safetensors")
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed and not any("vision_tower" in name for name in changed)
    assert any("multi_modal_projector" in name for name in changed)


def test_adapters_are_trained_alone(config: TrainConfig, tmp_path: Path) -> None:
    told = finetune(
        config.model_copy(update={"lora": Lora(rank=2), "max_steps": 2}), tmp_path / "o"
    )
    assert told["packed"]
    adapters = load_file(tmp_path / "o" / "adapter_model.safetensors")
    assert any("lora_A" in name for name in adapters)
    assert all("lora" in name or "multi_modal_projector" in name for name in adapters)
    assert not any("vision_tower" in name for name in adapters)
    frozen = {"lora": Lora(rank=2), "freeze": ["vision", "multi_modal_projector"]}
    _, model = load_model(config.model_copy(update=frozen | {"dtype": "bf16"}))
    learning = {name: p.dtype for name, p in model.named_parameters() if p.requires_grad}
    assert all("lora" in name for name in learning)
    assert set(learning.values()) == {torch.float32}


def test_a_killed_run_goes_on_with_the_same_rows_and_losses(
    config: TrainConfig, tmp_path: Path
) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(json.dumps(config.model_dump(mode="json") | {"save_steps": 1, "epochs": 2}))
    command = [sys.executable, "-m", "mathv360k", "train", "--config", str(path), "--json", "--out"]
    whole = subprocess.run([*command, str(tmp_path / "whole")], capture_output=True, check=True)
    steps = json.loads(whole.stdout)["steps"]
    out = tmp_path / "killed"
    with subprocess.Popen([*command, str(out)], stdout=subprocess.DEVNULL) as process:
        while not (out / "checkpoint-3").exists():
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    shutil.rmtree(out / "checkpoint-99", ignore_errors=True)
    (out / "checkpoint-99").mkdir()  # killed while it was written
    (out / "checkpoint-99" / "model.safetensors").write_bytes(b"torn")
    (out / "checkpoint-99" / "trainer_state.json").write_text('{"epoch": 1')
    done = subprocess.run([*command, str(out)], capture_output=True, check=True)
    assert json.loads(done.stdout)["steps"] == steps
    assert losses_of(out) == pytest.approx(losses_of(tmp_path / "whole"), rel=1e-5)
    a, b = (load_file(tmp_path / n / "model.safetensors") for n in ("whole", "killed"))
    for name, weights in a.items():
        torch.testing.assert_close(weights, b[name], rtol=1e-4, atol=1e-6)


def test_two_processes_train_like_one(config: TrainConfig, tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(json.dumps(config.model_dump(mode="json") | {"max_steps": 2}))
    train = ["-P", "-m", "mathv360k", "train", "--config", str(path), "--json", "--out"]
    launch = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2"]
    launched = {"one": [sys.executable], "two": [*launch, "--no-python", sys.executable]}
    for name, command in launched.items():
        done = subprocess.run(
            [*command, *train, str(tmp_path / name)], capture_output=True, check=True
        )
        assert json.loads(done.stdout)["steps"] == 2  # said once
    assert losses_of(tmp_path / "two") == pytest.approx(losses_of(tmp_path / "one"), rel=1e-4)


def test_a_folder_of_another_run_is_refused(
    config: TrainConfig, trained: tuple[Path, Any], tmp_path: Path
) -> None:
    other = config.model_copy(update={"seed": 9})
    with pytest.raises(FolderError, match="is of a run with another config; name another --out"):
        finetune(other, trained[0])
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary").write_text("x")
    with pytest.raises(FolderError, match="holds something else"):
        finetune(config, tmp_path / "mine")


def test_a_loss_that_is_no_number_stops_the_run_with_the_batch(
    config: TrainConfig, tmp_path: Path, llava: Path
) -> None:
    broken = shutil.copytree(llava, tmp_path / "broken")
    weights = load_file(broken / "model.safetensors")
    weights[next(name for name in weights if "embed_tokens" in name)][40] = float("nan")
    save_file(weights, broken / "model.safetensors", {"format": "pt"})
    with pytest.raises(TrainingError, match=r"The loss is nan at step 0, in the batch of .*#"):
        finetune(config.model_copy(update={"model": str(broken), "packing": False}), tmp_path / "o")


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 796 vs 688"),
    ],
    ids=["the system's", "torch's"],
)
def test_a_full_disk_names_the_last_checkpoint(
    config: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    save = PackedTrainer.save_model

    def full(self: Any, folder: str | None = None, *args: Any, **options: Any) -> None:
        if folder and folder.endswith("checkpoint-2"):
            raise error
        save(self, folder, *args, **options)

    monkeypatch.setattr(PackedTrainer, "save_model", full)
    saving = config.model_copy(update={"save_steps": 1, "max_steps": 3})
    with pytest.raises(TrainingError, match=r"The disk is full .*checkpoint-1 is whole: make room"):
        finetune(saving, tmp_path / "o")


def test_models_that_cannot_be_trained_are_named(config: TrainConfig, tmp_path: Path) -> None:
    bert = str(write_bert(tmp_path / "bert"))
    with pytest.raises(ModelError, match="cannot be loaded as a vision-language model"):
        load_model(config.model_copy(update={"model": bert}))
    with pytest.raises(UsageError, match="freeze: nothing of the model is left to train"):
        load_model(config.model_copy(update={"freeze": ["model", "lm_head"]}))
    with pytest.raises(UsageError, match="report_to: 'abacus' is not installed here"):
        finetune(config.model_copy(update={"report_to": ["abacus"]}), tmp_path / "o")
    with pytest.raises(UsageError, match="freeze: the model has no part 'head_of_state'"):
        load_model(config.model_copy(update={"freeze": ["head_of_state"]}))
