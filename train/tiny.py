"""A LLaVA of a few million parameters that is made on the spot: to see all of training work on any
machine, in minutes.

It is a real `LlavaForConditionalGeneration` with a CLIP vision tower, none of it trained before.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch
from datasets import Dataset
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    CLIPImageProcessorPil,
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
)
from transformers.utils import logging

from ..builder.dataset import load
from ..builder.folders import replacing
from ..builder.location import split_revision
from .config import TrainConfig
from .questions import PROMPTS, answer_of

SIDE, PATCH = 192, 16  # pixels
_WIDTH = 160
_VOCABULARY = 2_000
_SPECIAL = ["<unk>", "<s>", "</s>", "<pad>", "<image>"]
_TEMPLATE = (
    "{% for message in messages %}{{ message['role'].upper() + ': ' }}"
    "{% for part in message['content'] %}{% if part['type'] == 'image' %}{{ '<image>\n' }}"
    "{% else %}{{ part['text'] + ' ' }}{% endif %}{% endfor %}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'ASSISTANT:' }}{% endif %}"
)
"""The form of LLaVA-1.5's conversations."""


def write_tiny(
    folder: Path, texts: Iterable[str], seed: int = 0, side: int = SIDE, patch: int = PATCH
) -> Path:
    """Write model, tokenizer (learned from `texts`) and processor; the same for the same texts.

    Images are seen in `side` x `side` pixels, as (side / patch)² tokens.
    """
    tokenizer = _tokenizer(texts)
    torch.manual_seed(seed)
    text = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=_WIDTH,
        intermediate_size=3 * _WIDTH,
        num_hidden_layers=4,
        num_attention_heads=_WIDTH // 32,
        max_position_embeddings=2048,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=3,
    )
    vision = CLIPVisionConfig(
        hidden_size=_WIDTH,
        intermediate_size=3 * _WIDTH,
        num_hidden_layers=4,
        num_attention_heads=_WIDTH // 32,
        image_size=side,
        patch_size=patch,
    )
    config = LlavaConfig(
        vision_config=vision, text_config=text, image_token_index=4, vision_feature_layer=-1
    )
    config.image_token_id = 4
    LlavaForConditionalGeneration(config).save_pretrained(folder)
    size = {"height": side, "width": side}
    pictures = CLIPImageProcessorPil(size=size, do_center_crop=False)  # all of it, squeezed
    LlavaProcessor(
        pictures,
        tokenizer,
        patch_size=patch,
        vision_feature_select_strategy="default",
        image_token="<image>",
        num_additional_image_tokens=1,
        chat_template=_TEMPLATE,
    ).save_pretrained(folder)
    return folder


def make_tiny(config: TrainConfig, folder: Path) -> TrainConfig:
    """The configuration with a tiny model in `folder`, made for the questions of its dataset where
    it is not there yet."""
    if not (folder / "config.json").is_file():
        logging.disable_progress_bar()
        path, revision = split_revision(config.data)
        rows = load(path, "questions", split=config.split, revision=revision)
        assert isinstance(rows, Dataset)
        prompt = PROMPTS[config.prompt]
        texts = (f"{prompt(row)} {answer_of(row, config.prompt)}" for row in rows)  # type: ignore
        with replacing(folder) as partial:
            write_tiny(partial, texts, config.seed)
    return config.model_copy(update={"model": str(folder)})


def _tokenizer(texts: Iterable[str]) -> PreTrainedTokenizerFast:
    """Bytes in pairs, digits one by one."""
    learned = Tokenizer(models.BPE(unk_token="<unk>"))
    learned.pre_tokenizer = pre_tokenizers.Sequence(  # type: ignore[assignment]
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(False)]
    )
    learned.decoder = decoders.ByteLevel()  # type: ignore[assignment]
    trainer = trainers.BpeTrainer(
        vocab_size=_VOCABULARY,
        special_tokens=_SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    learned.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=learned,
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        extra_special_tokens={"image_token": "<image>"},
    )
