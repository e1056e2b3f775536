"""Fine-tuning: `transformers.Trainer` on packed rows, resumable, with a record of what it was."""

from __future__ import annotations

import errno
import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from safetensors import SafetensorError
from transformers import PrinterCallback, TrainerState, TrainingArguments
from transformers.integrations.integration_utils import get_available_reporting_integrations

from ..builder.intake import Progress, quiet
from ..errors import TrainingError, UsageError
from ..eval.contamination import write_training_images
from .chat import ChatFormat
from .collate import Collator
from .config import TrainConfig
from .data import Plan, Preparation, StreamedData, TrainingData
from .flops import flops_per_token
from .model import can_be_packed, load_model
from .progress import Bar
from .record import RECORD, describe, write_card, write_curve
from .run_folder import last_checkpoint, refuse_other, start, write_json
from .trainer import PackedTrainer

Tell = Callable[[str], None]
_PACKABLE = ("llava",)
"""Families of models that are known to give the same losses packed."""


def finetune(
    config: TrainConfig,
    out: Path,
    *,
    tell: Tell = lambda _: None,
    progress: Progress = quiet,
    bar: bool = False,
) -> dict[str, Any]:
    """Train a model and write it to `out`, with its processor, card, record and loss curve.

    Run again after it was stopped it goes on from the last checkpoint in `out`, with the same rows
    in the same order. Raises `FolderError` where `out` is of another run, `TrainingError` where
    training cannot go on, and what loading model and data raise.
    """
    refuse_other(out, config)
    if (out / "log.json").is_file():
        tell(f"{out} is done; nothing is trained.")
        return json.loads((out / RECORD).read_bytes())["result"]
    last = last_checkpoint(out)
    # made before anything is loaded: by it each process knows its GPU
    processes = PartialState(cpu=not torch.cuda.is_available())
    processor, model = load_model(config, last)
    chat = ChatFormat(processor)
    why = _not_packable(model, chat, config)
    packed = config.packing and why is None
    if config.packing and why:
        tell(f"Questions are not packed, since with this model {why}; a row is one question.")
    preparation = Preparation(config, chat, packed)
    data = (StreamedData if config.streaming else TrainingData)(preparation, progress)
    plan = data.plan
    record = describe(config, plan, packed)
    processes.wait_for_everyone()  # the folder is looked at by all before one writes into it
    start(out, record)
    arguments = _arguments(config, out, plan)
    if arguments.n_gpu > 1:
        raise UsageError(
            "There are several GPUs: start this with `accelerate launch -m mathv360k`."
        )
    tell(
        f"{plan.questions:,} questions on {plan.images:,} images in {plan.rows:,} rows "
        f"({plan.questions_per_row:.1f} to a row); {plan.shortened:,} were shortened, "
        f"{len(plan.too_long):,} are too long."
    )
    multiple = 128 if config.attention == "flex_attention" else 8
    trainer = PackedTrainer(
        packed=packed,
        attention=config.attention,
        per_token=flops_per_token(model),
        model=model,
        args=arguments,
        train_dataset=data,
        data_collator=Collator(chat, packed, multiple),
        processing_class=processor,
    )
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(Bar(quiet=not bar))
    try:
        _train(trainer, last)
        trainer.save_model(str(out))
        result = _result(trainer, preparation, plan, out)
        if trainer.is_world_process_zero():
            processor.save_pretrained(out)
            write_training_images(data.image_ids(), out)
            history = trainer.state.log_history
            write_curve(history, out / "loss.png")
            write_card(record, history, out)
            write_json(out / RECORD, {**record, "result": result})
            write_json(out / "log.json", history)  # the last: with it the run is done
        return result
    except (OSError, RuntimeError, SafetensorError) as error:
        if not _is_full(error):
            raise
        kept = last_checkpoint(out) or "nothing"
        raise TrainingError(
            f"The disk is full ({out}); {kept} is whole: make room and run the same command again."
        ) from None


def _train(trainer: PackedTrainer, last: str | None) -> None:
    """Train to the end, if the last checkpoint is not the end."""
    if last is not None:
        state = TrainerState.load_from_json(f"{last}/trainer_state.json")
        if state.global_step >= state.max_steps:
            trainer.state = state
            trainer._load_from_checkpoint(last)
            return
    trainer.train(resume_from_checkpoint=last)
    trainer._check_loss()


def _result(
    trainer: PackedTrainer, preparation: Preparation, plan: Plan, out: Path
) -> dict[str, Any]:
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    unreadable = trainer.accelerator.reduce(preparation.unreadable.to(trainer.args.device), "sum")
    return {
        "folder": str(out),
        "packed": preparation.packed,
        "rows": plan.rows,
        "questions": plan.questions,
        "images": plan.images,
        "shortened": plan.shortened,
        "too_long": plan.too_long,
        "unreadable": int(unreadable.count_nonzero()),  # type: ignore[union-attr]
        "steps": trainer.state.global_step,
        "first_loss": losses[0] if losses else None,
        "last_loss": losses[-1] if losses else None,
    }


def _not_packable(model: Any, chat: ChatFormat, config: TrainConfig) -> str | None:
    """Why questions cannot be packed with this model, None where they can."""
    if _is_sharded():  # no process has all weights, to try it
        known = model.config.model_type in _PACKABLE
        return None if known else "nobody has tried, and its weights are sharded"
    if torch.cuda.is_available():
        model.to(PartialState().device)
    return can_be_packed(model, chat, config.attention)


def _arguments(config: TrainConfig, out: Path, plan: Plan) -> TrainingArguments:
    cuda = torch.cuda.is_available()
    found = TrainingArguments(output_dir=str(out), report_to=[], use_cpu=not cuda)
    trackers = get_available_reporting_integrations()
    if missing := sorted(set(config.report_to) - set(trackers)):
        raise UsageError(
            f"report_to: {missing[0]!r} is not installed here; there are "
            f"{', '.join(trackers) or 'none'}."
        )
    rows = config.rows_per_device * max(1, found.world_size)
    accumulated = max(1, round(config.questions_per_step / (rows * plan.questions_per_row)))
    steps = config.max_steps
    if config.streaming and not steps:  # nobody but the plan knows when an epoch ends
        steps = math.ceil(config.epochs * plan.rows / (rows * accumulated))
    workers = min(config.workers, 1) if config.streaming else config.workers
    return TrainingArguments(
        output_dir=str(out),
        num_train_epochs=config.epochs,
        max_steps=steps or -1,
        per_device_train_batch_size=config.rows_per_device,
        gradient_accumulation_steps=accumulated,
        learning_rate=config.learning_rate,
        lr_scheduler_type=config.schedule,
        warmup_steps=config.warmup,
        weight_decay=config.weight_decay,
        bf16=config.dtype == "bf16",
        use_cpu=not cuda,
        activation_checkpointing=config.activation_checkpointing,
        activation_checkpointing_kwargs={"use_reentrant": False},
        train_sampling_strategy="sequential" if config.select.curriculum else "random",
        seed=config.seed,
        data_seed=config.seed,
        save_steps=config.save_steps,
        save_total_limit=config.keep_checkpoints,
        logging_steps=1,
        logging_nan_inf_filter=False,
        dataloader_num_workers=workers,
        dataloader_persistent_workers=workers > 0 and not config.streaming,
        accelerator_config={"dispatch_batches": False},
        dataloader_drop_last=False,
        remove_unused_columns=False,
        label_names=["labels"],
        report_to=config.report_to,
        disable_tqdm=True,
    )


def _is_full(error: Exception) -> bool:
    """Whether a disk was full: torch says no more than that a file is shorter than it wrote."""
    said = str(error)
    full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
    return full or "No space left" in said or "inline_container" in said


def _is_sharded() -> bool:
    """Whether accelerate will spread the model's weights over processes."""
    names = ("ACCELERATE_USE_FSDP", "ACCELERATE_USE_DEEPSPEED")
    return any(os.environ.get(name, "false").lower() == "true" for name in names)
