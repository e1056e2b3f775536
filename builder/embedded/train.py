"""Train the small CLIP that ships in this folder: `python -m mathv360k.builder.embedded.train`.

A `transformers.CLIPModel` learns pictures and captions of `pictures.py` with CLIP's contrastive
loss (arXiv 2103.00020, section 2.3); each batch holds every scene clear and spoiled, so that
captions differ in quality alone. Two linear heads, thrown away afterwards, help: whether the
picture is clear, and the logarithm of what there is to take in. What does not learn (`front.py`)
looks at every picture once, before.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TextIO

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch import nn
from torch.nn.functional import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    mse_loss,
    normalize,
    scaled_dot_product_attention,
)
from torch.utils.data import DataLoader, Dataset
from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, PreTrainedTokenizerFast

from .front import HIDDEN, WIDTH, set_front
from .pictures import SIDE, views

FOLDER = Path(__file__).parent / "clip"
SEED = 360
SCENES = 32  # per batch, each twice
FEATURES = 128
VOCABULARY = 1536
WORDS = 64  # tokens of a caption


_LOGGED = ("loss", "contrastive", "clarity", "load", "clarity_accuracy")


@dataclass(frozen=True, slots=True)
class Seen:
    """Pictures as the front of the model sees them; rows 2n and 2n + 1 are of one scene."""

    tokens: np.ndarray  # (pictures, tokens, width) float16, on disk
    captions: list[str]
    clear: torch.Tensor  # 1 clear, 0 spoiled
    loads: torch.Tensor  # log(1 + objects + relations), NaN where there is no scene


class _Views(Dataset[tuple[np.ndarray, list[str], list[float], list[float]]]):
    """Scene `number`, clear and spoiled; every number is a new scene."""

    def __init__(self, seed: int, count: int) -> None:
        self.seed, self.count = seed, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, number: int) -> tuple[np.ndarray, list[str], list[float], list[float]]:
        pair = views(self.seed, number)
        pixels = np.stack([np.asarray(view.image).transpose(2, 0, 1) for view in pair])
        loads = [math.nan if v.load is None else math.log1p(v.load) for v in pair]
        return pixels, [v.caption for v in pair], [float(v.clear) for v in pair], loads


def _collate(rows: list[tuple[np.ndarray, list[str], list[float], list[float]]]):
    pixels, captions, clear, loads = zip(*rows, strict=True)
    return (
        torch.from_numpy(np.concatenate(pixels)),
        [caption for pair in captions for caption in pair],
        torch.tensor(clear).flatten(),
        torch.tensor(loads).flatten(),
    )


def new_tokenizer(captions: Iterator[str]) -> PreTrainedTokenizerFast:
    """A byte-level BPE of the captions' own words."""
    bpe = Tokenizer(models.BPE(unk_token="<|endoftext|>"))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    bpe.decoder = decoders.ByteLevel()
    marks = ["<|startoftext|>", "<|endoftext|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=marks,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(captions, trainer)
    bpe.post_processor = processors.TemplateProcessing(
        single="<|startoftext|> $A <|endoftext|>",
        special_tokens=[(mark, number) for number, mark in enumerate(marks)],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        bos_token=marks[0],
        eos_token=marks[1],
        pad_token=marks[1],
        model_max_length=WORDS,
    )


def new_model(tokenizer: PreTrainedTokenizerFast) -> CLIPModel:
    """The untrained model; its size is decided here."""
    text = {
        "hidden_size": 128,
        "intermediate_size": 512,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "hidden_act": "gelu",
        "vocab_size": len(tokenizer),
        "max_position_embeddings": WORDS,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    vision = {
        "hidden_size": WIDTH,
        "intermediate_size": HIDDEN,
        "num_hidden_layers": 3,
        "num_attention_heads": 8,
        "hidden_act": "gelu",
        "image_size": SIDE,
        "patch_size": 24,
    }
    sizes = {"projection_dim": FEATURES}
    model = CLIPModel(
        CLIPConfig(text_config=text | sizes, vision_config=vision | sizes, projection_dim=FEATURES)
    )
    set_front(model)
    return model


def new_processor() -> CLIPImageProcessorPil:
    """The whole picture, nothing cropped: what is cut off a diagram is what a question asks."""
    return CLIPImageProcessorPil(
        size={"height": SIDE, "width": SIDE},
        do_center_crop=False,
        image_mean=[0.5] * 3,
        image_std=[0.5] * 3,
    )


@torch.inference_mode()
def look(model: CLIPModel, seed: int, scenes: int, workers: int, out: Path) -> Seen:
    """What the front makes of every scene, clear and spoiled, and what is true about it."""
    vision = model.vision_model
    tokens = 1 + (SIDE // 24) ** 2
    shape = 2 * scenes, tokens, WIDTH
    kept = np.lib.format.open_memmap(out / "tokens.npy", "w+", np.float16, shape)
    texts, clear, loads = [], [], []
    loader = DataLoader(_Views(seed, scenes), 16, num_workers=workers, collate_fn=_collate)
    for pixels, captions, clarity, load in loader:
        hidden = vision.pre_layrnorm(vision.embeddings(pixels.float() / 127.5 - 1))
        for layer in vision.encoder.layers[:2]:
            hidden = layer(hidden, None)
            hidden = hidden if isinstance(hidden, torch.Tensor) else hidden[0]
        kept[len(texts) : len(texts) + len(captions)] = hidden.half().numpy()
        texts += captions
        clear.append(clarity)
        loads.append(load)
    return Seen(kept, texts, torch.cat(clear), torch.cat(loads))


def embed_tokens(model: CLIPModel, tokens: torch.Tensor) -> torch.Tensor:
    """Image features from what the front makes of pictures, `(n, tokens, width)`.

    As the library computes them, but of the last layer only the first token, since no other is
    looked at afterwards: a seventh of the work.
    """
    vision = model.vision_model
    layer: Any = vision.encoder.layers[-1]
    attention = layer.self_attn
    normed = layer.layer_norm1(tokens)

    def heads(values: torch.Tensor) -> torch.Tensor:
        return values.unflatten(-1, (attention.num_heads, attention.head_dim)).transpose(1, 2)

    attended = scaled_dot_product_attention(
        heads(attention.q_proj(normed[:, :1])),
        heads(attention.k_proj(normed)),
        heads(attention.v_proj(normed)),
    )
    first = tokens[:, :1] + attention.out_proj(attended.transpose(1, 2).flatten(2))
    first = first + layer.mlp(layer.layer_norm2(first))
    return model.visual_projection(vision.post_layernorm(first[:, 0]))


def train(out: Path, scenes: int, epochs: int, seed: int, workers: int) -> None:
    """Write model, tokenizer, image processor and training log into `out`."""
    torch.manual_seed(seed)
    out.mkdir(parents=True, exist_ok=True)
    tokenizer = new_tokenizer(view.caption for n in range(1000) for view in views(seed + 1, n))
    model = new_model(tokenizer)
    with TemporaryDirectory(dir=out) as folder, (out / "training.jsonl").open("w") as log:
        seen = look(model, seed, scenes, workers, Path(folder))
        _learn(model, tokenizer, seen, epochs, seed, log)
    model.half().save_pretrained(out)
    tokenizer.save_pretrained(out)
    new_processor().save_pretrained(out)


def _learn(
    model: CLIPModel,
    tokenizer: PreTrainedTokenizerFast,
    seen: Seen,
    epochs: int,
    seed: int,
    log: TextIO,
) -> None:
    heads = nn.Linear(FEATURES, 2)
    learning = [p for p in model.parameters() if p.requires_grad]
    groups = [{"params": learning}, {"params": list(heads.parameters()), "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.05, betas=(0.9, 0.98))
    count = len(seen.captions) // 2
    steps = epochs * (count // SCENES)
    rates = [5e-4, 5e-3]
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rates, steps, pct_start=0.05)
    order = np.random.default_rng(seed)
    sums, start, step = np.zeros(5), time.monotonic(), 0
    for _ in range(epochs):
        for scene in order.permutation(count)[: count // SCENES * SCENES].reshape(-1, SCENES):
            step += 1
            rows = np.sort(np.concatenate([2 * scene, 2 * scene + 1]))
            features = embed_tokens(model, torch.from_numpy(seen.tokens[rows]).float())
            features = normalize(features, dim=-1)
            clear, loads = seen.clear[rows], seen.loads[rows]
            words = tokenizer(
                [seen.captions[row] for row in rows],
                padding=True,
                truncation=True,
                max_length=WORDS,
                return_tensors="pt",
            )
            texts: Any = model.get_text_features(**words)
            texts = normalize(getattr(texts, "pooler_output", texts), dim=-1)
            logits = features @ texts.T * model.logit_scale.exp()
            target = torch.arange(len(logits))
            contrast = (cross_entropy(logits, target) + cross_entropy(logits.T, target)) / 2
            said = heads(features * FEATURES**0.5)
            clarity = binary_cross_entropy_with_logits(said[:, 0], clear)
            known = ~loads.isnan()
            load = mse_loss(said[known, 1], loads[known] - 2.2)
            loss = 0.3 * contrast + 3 * clarity + 2 * load
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(learning, 1.0)
            optimizer.step()
            schedule.step()
            with torch.no_grad():
                model.logit_scale.clamp_(0, math.log(100))
            right = ((said[:, 0] > 0) == (clear > 0.5)).float().mean()
            sums += [x.item() for x in (loss, contrast, clarity, load, right)]
            if step % 50 == 0:
                means = zip(_LOGGED, (sums / 50).round(4).tolist(), strict=True)
                speed = round(step * 2 * SCENES / (time.monotonic() - start), 1)
                print(json.dumps({"step": step, **dict(means), "per_second": speed}), file=log)
                log.flush()
                sums[:] = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--scenes", type=int, default=24_000)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    train(options.out, options.scenes, options.epochs, options.seed, options.workers)


if __name__ == "__main__":
    main()
