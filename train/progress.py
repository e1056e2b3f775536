"""What is seen of a run of training on the terminal: a bar with loss, speed, memory, time left."""

from __future__ import annotations

from typing import Any

from tqdm.auto import tqdm
from transformers import TrainerCallback

_SHOWN = {"loss": "loss", "questions_per_second": "questions/s", "images_per_second": "images/s",
          "tokens_per_second": "tokens/s", "mfu": "MFU", "memory_gb": "GB"}  # fmt: skip


class Bar(TrainerCallback):
    """A bar of the steps, on the error stream of the first process."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._bar: Any = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.is_world_process_zero:
            self._bar = tqdm(
                total=state.max_steps, initial=state.global_step, unit="step", disable=self._quiet
            )

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self._bar is not None:
            self._bar.update(state.global_step - self._bar.n)

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        if self._bar is not None and logs and "loss" in logs:
            told = {name: logs[key] for key, name in _SHOWN.items() if key in logs}
            self._bar.set_postfix(told)

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if self._bar is not None:
            self._bar.close()
