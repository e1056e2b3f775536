"""What a run of training is made of: one YAML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ..errors import UsageError

_Share = Annotated[float, Field(ge=0, lt=1)]


class Selection(BaseModel):
    """Which questions are trained on, and how often."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: list[str] | None = None
    task: list[str] | None = None
    kind: list[str] | None = None
    complexity: list[int] | None = None
    min_clarity: float | None = None
    min_agreement: float | None = None
    exclude_contaminated: bool = False
    weights: dict[str, Annotated[float, Field(ge=0, le=1_000)]] = {}
    """Times that the images of a source are seen in an epoch, 1 where none is said; 0.5 is half of
    them."""
    curriculum: bool = False
    """From simple to complex images, instead of all mixed."""
    limit: Annotated[int, Field(gt=0)] | None = None
    """At most so many images."""


class Lora(BaseModel):
    """Low-rank adapters in the language model instead of all its weights."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rank: Annotated[int, Field(gt=0)] = 128
    alpha: Annotated[float, Field(gt=0)] = 256
    dropout: _Share = 0.05
    quantize: bool = False
    """The frozen weights in 4 bits (QLoRA); needs bitsandbytes and a GPU."""


class TrainConfig(BaseModel):
    """A run of training. The defaults are Math-LLaVA's (arXiv 2406.17294, section 4)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    """A folder or a name on the Hub."""
    data: str = "mathv360k"
    """A dataset folder, or `namespace/name@version` on the Hub."""
    split: str = "train"
    streaming: bool = False
    """Read the dataset as it comes instead of keeping it on this machine first; each process reads
    all of it."""
    select: Selection = Selection()
    prompt: Literal["hint_first", "plain"] = "hint_first"
    epochs: Annotated[float, Field(gt=0)] = 2
    max_steps: Annotated[int, Field(gt=0)] | None = None
    learning_rate: Annotated[float, Field(gt=0)] = 2e-5
    schedule: Literal[
        "cosine", "linear", "constant", "constant_with_warmup", "cosine_with_restarts",
        "polynomial", "inverse_sqrt",
    ] = "cosine"  # fmt: skip
    warmup: _Share = 0.03
    """Share of all steps."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    questions_per_step: Annotated[int, Field(gt=0)] = 128
    """The global batch, on all devices together; about so many when packed."""
    rows_per_device: Annotated[int, Field(gt=0)] = 1
    """Rows that a device computes at a time."""
    max_length: Annotated[int, Field(gt=0)] = 2048
    """Tokens of a row."""
    packing: bool = True
    attention: Literal["sdpa", "flex_attention", "eager"] = "sdpa"
    dtype: Literal["bf16", "fp32"] = "bf16"
    freeze: list[str] = ["vision"]
    """Parts of the model, by a piece of their parameters' names, that are not trained; `vision` is
    the vision tower, whatever it is called."""
    activation_checkpointing: bool = True
    lora: Lora | None = None
    seed: Annotated[int, Field(ge=0)] = 0
    save_steps: Annotated[int, Field(gt=0)] = 500
    keep_checkpoints: Annotated[int, Field(gt=0)] = 2
    workers: Annotated[int, Field(ge=0)] = 4
    """Processes that read and decode images."""
    report_to: list[str] = []
    """Trackers of `transformers`: wandb, tensorboard, trackio, …"""


def read_config(path: Path | None, **changes: Any) -> TrainConfig:
    """The configuration in a YAML file, with the changes that are not None.

    Raises `UsageError` where the file or a value is wrong.
    """
    said: Any = {}
    if path is not None:
        try:
            said = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            problem = str(error).split("\n")[0]
            raise UsageError(f"{path} cannot be read as a configuration ({problem}).") from None
        if not isinstance(said, dict):
            raise UsageError(f"{path} is no configuration: it has no names with values.")
    select = changes.pop("select", None) or {}
    chosen = {name: value for name, value in select.items() if value is not None}
    said |= {name: value for name, value in changes.items() if value is not None}
    before = said.get("select") or {}
    if chosen and isinstance(before, dict):  # what else it may be, validation says
        said["select"] = {**before, **chosen}
    try:
        return TrainConfig.model_validate(said)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = ".".join(map(str, first["loc"]))
        where = f"{path}: " if path is not None else ""
        raise UsageError(f"{where}{name}: {first['msg']}.") from None
