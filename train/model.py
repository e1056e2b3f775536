"""The model that is trained: loaded, partly frozen, with adapters, and tried whether rows can be
packed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

from ..builder.pretrained import first_line, load_pretrained
from ..errors import ModelError, UsageError, require_extra
from .chat import ChatFormat
from .collate import Collator, Pictured
from .config import Lora, TrainConfig
from .packing import IGNORED, block_mask, dense_mask

_TOLERANCE = {torch.float32: 1e-4, torch.bfloat16: 5e-2}
"""Relative difference of losses that rounding explains."""
_PROJECTORS = ("multi_modal_projector", "connector", "merger")
_VISION = ("vision_tower", "vision_model", "visual")
"""What families of models call their parts."""


def load_model(config: TrainConfig, checkpoint: str | None = None) -> tuple[Any, Any]:
    """Processor and model, the frozen parts without gradients; raises `ModelError`.

    Weights are float32 where they are trained, and as `dtype` says where adapters are. Those of a
    checkpoint are read here, since `Trainer` reads them by the names of the modules, and files have
    the names of the first release of a model: it would leave the model as it was, and go on.
    """
    require_extra("train", "torch", "transformers", "accelerate", "peft")
    frozen = config.lora is not None
    weights = checkpoint if checkpoint and not frozen else config.model
    how: dict[str, Any] = {
        "dtype": torch.bfloat16 if frozen and config.dtype == "bf16" else torch.float32,
        "attn_implementation": {"": "sdpa", "text_config": config.attention},
    }
    if config.lora is not None and config.lora.quantize:
        how["quantization_config"] = _four_bits()
    processor, model = load_pretrained(
        config.model, "a vision-language model",
        lambda **options: (
            AutoProcessor.from_pretrained(config.model, **options),
            AutoModelForImageTextToText.from_pretrained(weights, **how, **options),
        ),
    )  # fmt: skip
    _freeze(model, config.freeze)
    model.config.use_cache = False
    if config.lora is not None:
        model = _adapted(model, config.lora, config.freeze)
    return processor, model


def _freeze(model: Any, parts: Sequence[str]) -> None:
    names = [name for name, _ in model.named_parameters()]
    for part in parts:
        if not any(_is_in(name, [part]) for name in names):
            raise UsageError(f"freeze: the model has no part {part!r}.")
    for name, parameter in model.named_parameters():
        if _is_in(name, parts):
            parameter.requires_grad_(False)
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise UsageError("freeze: nothing of the model is left to train.")


def _is_in(name: str, parts: Sequence[str]) -> bool:
    """Whether a parameter is of one of the parts."""
    return any(part in name or (part == "vision" and "visual" in name) for part in parts)


def _four_bits() -> Any:
    """Settings for the language model in 4 bits; what is trained whole, and the vision tower, are
    left as they are."""
    from transformers import BitsAndBytesConfig

    require_extra("train", "bitsandbytes")
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_compute_dtype=torch.bfloat16,
        llm_int8_skip_modules=["lm_head", *(f"model.{part}" for part in (*_PROJECTORS, *_VISION))],
    )


def _adapted(model: Any, lora: Lora, freeze: Sequence[str]) -> Any:
    """The model with adapters on all linear layers of its language model; its projector is trained
    whole, as in LLaVA's own LoRA."""
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training

    if lora.quantize:
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    language = {id(module) for module in model.get_decoder().modules()}
    linear = [
        name
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear)
        and id(module) in language
        and not _is_in(name, freeze)
    ]
    projectors = {
        name.rpartition(".")[2]
        for name, _ in model.named_modules()
        if name.rpartition(".")[2] in _PROJECTORS and not _is_in(name, freeze)
    }
    if not linear:
        raise ModelError("The model has no language model to put adapters into.")
    options = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,  # pyright: ignore[reportArgumentType]
        lora_dropout=lora.dropout,
        target_modules=linear,
        modules_to_save=sorted(projectors) or None,
    )
    adapted = get_peft_model(model, options)
    for parameter in adapted.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    return adapted


def attention_mask(batch: dict[str, Any], attention: str) -> Any:
    """The mask of a packed batch in the form that an attention wants; its `images` and `questions`
    are taken out."""
    images, questions = batch.pop("images"), batch.pop("questions")
    if attention == "flex_attention":
        return block_mask(images, questions)
    mask = dense_mask(images, questions)
    if attention == "sdpa":
        return mask
    lowest = torch.finfo(torch.float32).min
    return torch.zeros(mask.shape, device=mask.device).masked_fill(~mask, lowest)


def question_losses(model: Any, batch: dict[str, Any], attention: str) -> torch.Tensor:
    """The summed loss of each question of a batch, in its order: `(questions,) float32`."""
    batch = {name: value for name, value in batch.items() if name not in ("ids", "counts")}
    labels = batch.pop("labels")
    if "images" in batch:
        images, questions = batch["images"], batch["questions"]
        batch["attention_mask"] = attention_mask(batch, attention)
    else:
        images = torch.zeros_like(labels)
        questions = (labels != IGNORED).long()
    rows = torch.arange(len(labels), device=labels.device)[:, None].expand_as(labels)
    logits = model(**batch).logits.float()
    each = torch.nn.functional.cross_entropy(
        logits[:, :-1].transpose(1, 2), labels[:, 1:], ignore_index=IGNORED, reduction="none"
    )
    told = labels[:, 1:] != IGNORED
    place = torch.stack([rows[:, 1:][told], images[:, 1:][told], questions[:, 1:][told]])
    _, number = torch.unique(place, dim=1, return_inverse=True)
    sums = torch.zeros(int(number.max()) + 1, device=each.device)
    return sums.index_add(0, number, each[told])


def can_be_packed(model: Any, chat: ChatFormat, attention: str) -> str | None:
    """Why this model's losses are others when questions share an image's tokens; None where they
    are the same.

    It is tried, on two noisy pictures: what a family does with masks and positions is its affair.
    Raises `ModelError` where the model cannot be computed at all with what its processor makes.
    """
    pairs = [("How many are there?", "7"), ("Which is it? It may be any of these.", "the second")]
    pictures = [Image.effect_noise((96, 64 + 32 * n), 64).convert("RGB") for n in range(2)]
    turns = [chat.turns(pairs), chat.turns(pairs[::-1])]
    packed = [[Pictured(p, t, ["a", "b"]) for p, t in zip(pictures, turns, strict=True)]]
    single = [[Pictured(one.image, [turn], ["a"])] for one in packed[0] for turn in one.turns]
    multiple = 128 if attention == "flex_attention" else 8
    try:
        alone = _losses(model, Collator(chat, False, multiple)(single), attention)
    except Exception as error:
        raise ModelError(
            f"The model cannot be computed with its processor ({first_line(error)}); are they of "
            "the same model?"
        ) from None
    try:
        together = _losses(model, Collator(chat, True, multiple)(packed), attention)
    except Exception as error:
        return f"it cannot be computed ({first_line(error)})"
    away = ((together - alone).abs() / alone.abs().clamp_min(1e-6)).max().item()
    dtype = torch.bfloat16 if model.dtype == torch.bfloat16 else torch.float32
    return None if away <= _TOLERANCE[dtype] else f"losses differ by {away:.1%}"


@torch.no_grad()
def _losses(model: Any, batch: dict[str, Any], attention: str) -> torch.Tensor:
    device = next(model.parameters()).device
    moved = {n: v.to(device) if torch.is_tensor(v) else v for n, v in batch.items()}
    training = model.training
    model.eval()
    try:
        return question_losses(model, moved, attention)
    finally:
        model.train(training)
