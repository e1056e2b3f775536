"""`transformers.Trainer` on packed rows: their masks, what is computed per second, and a stop at a
loss that is no number."""

from __future__ import annotations

import math
from collections.abc import Iterator
from time import perf_counter
from typing import Any

import torch
from torch.utils.data import Sampler
from transformers import Trainer
from transformers.trainer_pt_utils import get_length_grouped_indices

from ..errors import TrainingError
from .data import TrainingData
from .flops import peak_flops
from .model import attention_mask


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
