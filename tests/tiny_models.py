"""Untrained CLIP, SigLIP, LLaVA and BERT checkpoints of a few thousand parameters, as folders."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    BertConfig,
    BertModel,
    CLIPConfig,
    CLIPImageProcessorPil,
    CLIPModel,
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
    SiglipConfig,
    SiglipImageProcessorPil,
    SiglipModel,
)

_SHAPE = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}
_TEXT = {**_SHAPE, "vocab_size": 64, "max_position_embeddings": 16}
_VISION = {**_SHAPE, "image_size": 32, "patch_size": 8}


def write_clip(folder: Path, seed: int = 0) -> Path:
    """Cuts the centre of 32 x 32 pixels out, as OpenAI's checkpoints do; 24 features."""
    torch.manual_seed(seed)
    config = CLIPConfig(
        text_config={**_TEXT, "projection_dim": 24},
        vision_config={**_VISION, "projection_dim": 24},
        projection_dim=24,
    )
    CLIPModel(config).save_pretrained(folder)
    CLIPImageProcessorPil(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
    ).save_pretrained(folder)
    return folder


def write_siglip(folder: Path) -> Path:
    """Squeezes the whole picture into 32 x 32 pixels, as SigLIP does; 32 features."""
    torch.manual_seed(0)
    SiglipModel(SiglipConfig(text_config=_TEXT, vision_config=_VISION)).save_pretrained(folder)
    SiglipImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    return folder


def write_llava(folder: Path) -> Path:
    """A LLaVA that says nonsense, with processor and chat template: what a model server needs."""
    torch.manual_seed(0)
    characters = {chr(code): number for number, code in enumerate(range(32, 127))}
    special = ["<s>", "</s>", "<pad>", "<unk>", "<image>"]
    vocabulary = {**characters, **{t: len(characters) + n for n, t in enumerate(special)}}
    letters = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    letters.pre_tokenizer = pre_tokenizers.Split("", "isolated")  # type: ignore[assignment]
    letters.decoder = decoders.Fuse()  # type: ignore[assignment]
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=letters,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        extra_special_tokens={"image_token": "<image>"},
    )
    text = LlamaConfig(
        **_SHAPE, vocab_size=len(vocabulary), max_position_embeddings=8192, bos_token_id=95,
        eos_token_id=96, pad_token_id=97,
    )  # fmt: skip
    vision = CLIPVisionConfig(**_VISION)
    config = LlavaConfig(vision_config=vision, text_config=text, image_token_index=99)
    config.image_token_id = 99
    LlavaForConditionalGeneration(config).save_pretrained(folder)
    pictures = CLIPImageProcessorPil(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
    )
    template = (
        "{% for m in messages %}{{ m.role }}: {% if m.content is string %}{{ m.content }}"
        "{% else %}{% for c in m.content %}{% if c.type == 'image' %}<image>{% else %}"
        "{{ c.text }}{% endif %}{% endfor %}{% endif %}\n{% endfor %}"
    )
    LlavaProcessor(
        pictures, tokenizer, patch_size=8, vision_feature_select_strategy="default",
        image_token="<image>", num_additional_image_tokens=1, chat_template=template,
    ).save_pretrained(folder)  # fmt: skip
    return folder


def write_bert(folder: Path) -> Path:
    """No CLIP, though it has an image processor beside it."""
    BertModel(BertConfig(**_TEXT)).save_pretrained(folder)
    CLIPImageProcessorPil().save_pretrained(folder)
    return folder
