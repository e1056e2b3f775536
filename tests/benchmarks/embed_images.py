"""How much of the bare forward pass is left when images are read, decoded and cached as well.

`PYTHONPATH=tests python tests/benchmarks/embed_images.py [--clip NAME] [--images 512] [--batch 32]`
embeds drawn pictures, saved as JPEG of 640 x 480 pixels, with a checkpoint by name or, without one,
with an untrained one of the shape of openai/clip-vit-large-patch14-336. The baseline is the forward
pass alone, in the same process, on the same pixels, decoded before and on the device.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from hashlib import sha256
from pathlib import Path
from statistics import median

import numpy as np
import torch
from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel

from mathv360k.builder.clip import Clip
from mathv360k.builder.features import FeatureCache, embed_images
from mathv360k.builder.images import open_rgb
from mathv360k.builder.sources.drawn import draw, invent


def write_large(folder: Path) -> str:
    """An untrained CLIP ViT-L/14 at 336 pixels, with a tiny text tower."""
    vision = {
        "hidden_size": 1024,
        "intermediate_size": 4096,
        "num_hidden_layers": 24,
        "num_attention_heads": 16,
        "image_size": 336,
        "patch_size": 14,
        "projection_dim": 768,
    }
    text = {"hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 1}
    text |= {"num_attention_heads": 1, "vocab_size": 64, "projection_dim": 768}
    config = CLIPConfig(text_config=text, vision_config=vision, projection_dim=768)
    CLIPModel(config).half().save_pretrained(folder)
    processor = CLIPImageProcessorPil(
        size={"shortest_edge": 336}, crop_size={"height": 336, "width": 336}
    )
    processor.save_pretrained(folder)
    return str(folder)


def pictures(count: int) -> list[tuple[str, bytes]]:
    kept = []
    for number in range(count):
        image = open_rgb(draw(invent(7, number % 200).name)).resize((640, 480))
        image.putpixel((0, 0), (number % 256, number // 256, 0))
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=90)
        kept.append((sha256(buffer.getvalue()).hexdigest(), buffer.getvalue()))
    return kept


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clip")
    parser.add_argument("--images", type=int, default=512)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clip = Clip(options.clip or write_large(Path(folder) / "model"))
        images = pictures(options.images)
        first = images[: options.batch]
        pixels = np.stack([clip.pixels(open_rgb(data)) for _, data in first])
        batch = torch.from_numpy(pixels).to(clip.device)
        rounds = options.images // options.batch

        def settle() -> None:
            if clip.device.type == "cuda":
                torch.cuda.synchronize()

        shares = []
        clip.forward(batch)
        for number in range(options.rounds):
            settle()
            started = time.perf_counter()
            for _ in range(rounds):
                clip.forward(batch)
            settle()
            bare = rounds * options.batch / (time.perf_counter() - started)
            cache = FeatureCache(Path(folder) / str(number), clip.key)
            started = time.perf_counter()
            embed_images(clip, images, cache, batch=options.batch)
            whole = len(images) / (time.perf_counter() - started)
            shares.append(whole / bare)
            print(f"bare {bare:8.1f} images/s, whole {whole:8.1f} images/s: {whole / bare:.3f}")
        print(f"{clip.device}, {clip.dtype}, batch {options.batch}: median {median(shares):.3f}")


if __name__ == "__main__":
    main()
