"""Untrained CLIP, SigLIP and BERT checkpoints of a few thousand parameters, as folders."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import (
    BertConfig,
    BertModel,
    CLIPConfig,
    CLIPImageProcessorPil,
    CLIPModel,
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


def write_bert(folder: Path) -> Path:
    """No CLIP, though it has an image processor beside it."""
    BertModel(BertConfig(**_TEXT)).save_pretrained(folder)
    CLIPImageProcessorPil().save_pretrained(folder)
    return folder
