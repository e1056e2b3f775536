"""Fine-tuning: `transformers.Trainer` on packed rows, resumable, with a record of what it was."""

from __future__ import annotations

import errno
import json
import math
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from accelerate import PartialState
from safetensors import SafetensorError
from torch.utils.data import Sampler
from transformers import PrinterCallback, Trainer, TrainerState, TrainingArguments
from transformers.integrations.integration_utils import get_available_reporting_integrations
from transformers.trainer_pt_utils import get_length_grouped_indices

from ..builder.intake import Progress, quiet
from ..errors import FolderError, TrainingError, UsageError
from ..eval.contamination import write_training_images
from .chat import ChatFormat
from .collate import Collator
from .config import TrainConfig
from .data import Plan, Preparation, StreamedData, TrainingData
from .flops import flops_per_token, peak_flops
from .model import attention_mask, can_be_packed, load_model
from .progress import Bar
from .record import RECORD, describe, write_card, write_curve

Tell = Callable[[str], None]
_PACKABLE = ("llava",)
"""Families of models that are known to give the same losses packed."""


class ByLength(Sampler[int]):
    """Rows in random order, those of about one length beside each other; another order in each
    epoch, and the same when a run goes on."""

    def __init__(self, lengths: list[int], together: int, seed: int) -> None:
        self._lengths, self._together, self._seed = lengths, together, seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by accelerate."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self._seed + self._epoch)
        return iter(get_length_grouped_indices(self._lengths, self._together, generator=generator))


class PackedTrainer(Trainer):
    """A Trainer that knows packed batches, counts what it computes, and stops at a loss that is no
    number."""

    def __init__(self, *, packed: bool, attention: str, per_token: float, **options: Any) -> None:
        super().__init__(**options)
        self._packed = packed
        self._attention = attention
        self._per_token = per_token
        self._counts = torch.zeros(3, dtype=torch.float64)  # tokens, questions, images
        self._since = perf_counter()
        self._unchecked: tuple[torch.Tensor, list[str]] | None = None

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        """As LLaVA's own trainer: rows that are one question each are put together by length."""
        data = self.train_dataset
        usual = self.args.train_sampling_strategy == "random"
        if isinstance(data, TrainingData) and not self._packed and usual:
            together = self.args.train_batch_size * self.args.gradient_accumulation_steps
            return ByLength(data.lengths, together, self.args.seed)
        return super()._get_train_sampler(train_dataset)

    def compute_loss(self, model: Any, inputs: Any, *args: Any, **options: Any) -> Any:
        """The loss of a batch; see `collate.Collator` for what is in it."""
        batch = dict(inputs)
        batch.pop("ids")
        self._counts += torch.tensor(batch.pop("counts"), dtype=torch.float64)
        if "images" in batch:
            batch["attention_mask"] = attention_mask(batch, self._attention)
        return super().compute_loss(model, batch, *args, **options)

    def training_step(self, model: Any, inputs: Any, *args: Any, **options: Any) -> torch.Tensor:
        """One batch forward and backward; raises `TrainingError` after a loss that is no number."""
        self._check_loss()
        loss = super().training_step(model, inputs, *args, **options)
        self._unchecked = (loss, list(inputs["ids"]))
        return loss

    def _check_loss(self) -> None:
        """Look at the loss of the batch before, which has long been computed."""
        if self._unchecked is None:
            return
        loss, ids = self._unchecked
        self._unchecked = None
        if not math.isfinite(loss.item()):
            step = self.state.global_step
            raise TrainingError(
                f"The loss is {loss.item()} at step {step}, in the batch of {', '.join(ids[:8])}"
                f"{' …' if len(ids) > 8 else ''}; lower the learning rate, or leave these out."
            )

    def _save_checkpoint(self, *args: Any, **options: Any) -> None:
        self._check_loss()
        super()._save_checkpoint(*args, **options)

    def log(self, logs: dict[str, float], *args: Any, **options: Any) -> None:
        """The usual logs with what was computed per second since the last ones."""
        took = perf_counter() - self._since
        if "loss" in logs and self._counts[0]:
            world = self.args.world_size
            tokens, questions, images = (self._counts * world / took).tolist()
            logs["tokens_per_second"] = round(tokens, 1)
            logs["questions_per_second"] = round(questions, 2)
            logs["images_per_second"] = round(images, 2)
            if peak := peak_flops():
                logs["mfu"] = round(tokens * self._per_token / (peak * world), 4)
            if torch.cuda.is_available():
                logs["memory_gb"] = round(torch.cuda.max_memory_allocated() / 1e9, 2)
        self._counts.zero_()
        self._since = perf_counter()
        super().log(logs, *args, **options)


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
    _refuse_other(out, config)
    if (out / "log.json").is_file():
        tell(f"{out} is done; nothing is trained.")
        return json.loads((out / RECORD).read_bytes())["result"]
    last = _last_checkpoint(out)
    PartialState(cpu=not torch.cuda.is_available())  # each process knows its GPU, before it loads
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
    _start(out, record)
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
            _write(out / RECORD, {**record, "result": result})
            _write(out / "log.json", history)  # the last: with it the run is done
        return result
    except (OSError, RuntimeError, SafetensorError) as error:
        if not _is_full(error):
            raise
        kept = _last_checkpoint(out) or "nothing"
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


def _write(path: Path, value: Any) -> None:
    """JSON, whole or not at all."""
    beside = path.with_name(f".{path.name}")
    beside.write_text(json.dumps(value, indent=1, default=str))
    beside.replace(path)


def _not_packable(model: Any, chat: ChatFormat, config: TrainConfig) -> str | None:
    """Why questions cannot be packed with this model, None where they can."""
    if _is_sharded():  # no process has all weights, to try it
        known = model.config.model_type in _PACKABLE
        return None if known else f"nobody has tried, and its weights are sharded ({_PACKABLE})"
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


def _refuse_other(out: Path, config: TrainConfig) -> None:
    """Raise `FolderError` where `out` holds anything but a run of this configuration."""
    if not out.exists() or not any(out.iterdir()):
        return
    try:
        before = json.loads((out / RECORD).read_bytes())["config"]
    except (OSError, ValueError, KeyError, TypeError):
        raise FolderError(f"{out} holds something else; name another --out.") from None
    if before != config.model_dump(mode="json"):
        raise FolderError(f"{out} is of a run with another config; name another --out.")


def _start(out: Path, record: dict[str, Any]) -> None:
    """Put the record into the folder, or check that the run went on with the same dataset."""
    path = out / RECORD
    if path.exists():
        if json.loads(path.read_bytes()).get("dataset") != record["dataset"]:
            raise FolderError(f"{out} is of a run with another dataset; name another --out.")
        return
    out.mkdir(parents=True, exist_ok=True)
    if is_first():
        _write(path, record)


def _last_checkpoint(out: Path) -> str | None:
    """The last checkpoint that is whole; those that are not are removed. Its state is what is
    written last."""
    found = [path for path in out.glob("checkpoint-*") if path.name[11:].isdigit()]
    for path in sorted(found, key=lambda path: -int(path.name[11:])):
        with suppress(OSError, ValueError):
            json.loads((path / "trainer_state.json").read_bytes())
            return str(path)
        if is_first():
            shutil.rmtree(path)
    return None


def _is_full(error: Exception) -> bool:
    """Whether a disk was full: torch says no more than that a file is shorter than it wrote."""
    said = str(error)
    full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
    return full or "No space left" in said or "inline_container" in said


def is_first() -> bool:
    """Whether this is the first of the processes that train together, or the only one."""
    return int(os.environ.get("RANK", "0")) == 0


def _is_sharded() -> bool:
    """Whether accelerate will spread the model's weights over processes."""
    names = ("ACCELERATE_USE_FSDP", "ACCELERATE_USE_DEEPSPEED")
    return any(os.environ.get(name, "false").lower() == "true" for name in names)
