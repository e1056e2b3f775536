"""How well the embedded CLIP tells clear real images from spoiled ones: ROC-AUC by source.

`PYTHONPATH=tests python tests/benchmarks/clarity_on_real_images.py ROOT [--per-source 60]` reads
the sources below ROOT; none of their images was used in training. Every image is brought to 336
pixels, squeezed into a square or with that shorter side, and spoiled in each way; clear means as
it is. Also: the rank correlation of the predicted complexity of drawn scenes with what there is to
take in.
"""

from __future__ import annotations

import argparse
import io
import random
from collections import defaultdict
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from mathv360k.builder.classifiers import Classifiers, read_classifiers
from mathv360k.builder.clip import Clip
from mathv360k.builder.images import open_rgb
from mathv360k.builder.sources.drawn import draw, invent

SIDE = 336


def gaussian(image: Image.Image, rng: random.Random) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(rng.uniform(2, 6)))


def motion(image: Image.Image, rng: random.Random) -> Image.Image:
    """Each pixel is the mean of 9 to 21 pixels along a row or a column."""
    length, axis = rng.choice(range(9, 22)), rng.choice((0, 1))
    pixels = np.asarray(image, np.float32)
    width = [(length // 2, length - 1 - length // 2) if a == axis else (0, 0) for a in range(3)]
    sums = np.cumsum(np.pad(pixels, width, "edge"), axis=axis)
    sums = np.concatenate([np.zeros_like(sums.take([0], axis)), sums], axis=axis)
    count = pixels.shape[axis]
    windows = sums.take(range(length, length + count), axis) - sums.take(range(count), axis)
    return Image.fromarray((windows / length).round().astype(np.uint8))


def low_resolution(image: Image.Image, rng: random.Random) -> Image.Image:
    small = image.resize((image.width // 4, image.height // 4), Image.Resampling.BICUBIC)
    return small.resize(image.size, Image.Resampling.BICUBIC)


def jpeg(image: Image.Image, rng: random.Random) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=8)
    return Image.open(buffer).convert("RGB")


SPOILED = {"gaussian": gaussian, "motion": motion, "4x": low_resolution, "jpeg 8": jpeg}


def real_images(root: Path, per_source: int, square: bool) -> dict[str, list[Image.Image]]:
    """Some images of each source, drawn by lot, with a shorter side of 336 pixels or square."""
    found: dict[str, list[Image.Image]] = {}
    for folder in sorted(p for p in root.iterdir() if p.is_dir()):
        suffixes = {".png", ".jpg", ".jpeg", ".gif"}
        paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in suffixes)
        random.Random(folder.name).shuffle(paths)
        images = []
        for path in paths:
            if len(images) == per_source:
                break
            image = open_rgb(path.read_bytes())
            scale = SIDE / min(image.size)
            size = round(image.width * scale), round(image.height * scale)
            if square:
                size = SIDE, SIDE
            if max(size) <= 4 * SIDE:
                images.append(image.resize(size, Image.Resampling.BICUBIC))
        if images:
            found[folder.name] = images
    return found


def clarity(clip: Clip, judges: Classifiers, images: list[Image.Image]) -> np.ndarray:
    features = [clip.embed(clip.pixels(image)[None]) for image in images]
    return judges.predict(np.concatenate(features)).clarity


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", type=Path)
    parser.add_argument("--per-source", type=int, default=60)
    parser.add_argument("--clip", default="embedded")
    parser.add_argument(
        "--classifiers",
        type=Path,
        default=Path(__file__).parents[2] / "builder" / "embedded" / "classifiers",
    )
    options = parser.parse_args()
    clip, judges = Clip(options.clip), read_classifiers(options.classifiers)
    for square in (True, False):
        print(f"\n{'336 x 336 pixels' if square else 'shorter side of 336 pixels'}")
        _table(clip, judges, real_images(options.root, options.per_source, square))
    scenes = [invent(10**6, number) for number in range(400)]
    pictures = [Image.open(io.BytesIO(draw(scene.name))).convert("RGB") for scene in scenes]
    features = np.concatenate([clip.embed(clip.pixels(picture)[None]) for picture in pictures])
    loads = np.array([scene.scene.objects + scene.scene.relations for scene in scenes])
    said = judges.predict(features)
    whole = np.array([scene.flaw is None for scene in scenes])
    for name, rows in (("all", whole | True), ("without flaw", whole)):
        rho = spearmanr(said.expected_complexity[rows], loads[rows])[0]
        print(f"Spearman of complexity with objects and relations, drawn scenes, {name}: {rho:.3f}")


def _table(clip: Clip, judges: Classifiers, real: dict[str, list[Image.Image]]) -> None:
    rng = random.Random(0)
    clear: list[float] = []
    bad: dict[str, list[float]] = defaultdict(list)
    print(f"{'':12} images    all " + " ".join(f"{name:>9}" for name in SPOILED))
    for source, images in real.items():
        good = clarity(clip, judges, images)
        spoiled = {
            name: clarity(clip, judges, [spoil(image, rng) for image in images])
            for name, spoil in SPOILED.items()
        }
        clear += good.tolist()
        for name, values in spoiled.items():
            bad[name] += values.tolist()
        print(f"{source:12} {len(images):6} " + _line(good, spoiled), flush=True)
    print(f"{'all':12} {len(clear):6} " + _line(clear, bad))


def _line(good, spoiled) -> str:
    aucs = {
        name: roc_auc_score([1] * len(good) + [0] * len(bad), [*good, *bad])
        for name, bad in spoiled.items()
    }
    everything = [value for values in spoiled.values() for value in values]
    whole = roc_auc_score([1] * len(good) + [0] * len(everything), [*good, *everything])
    return f"{whole:6.3f} " + " ".join(f"{aucs[name]:9.3f}" for name in SPOILED)


if __name__ == "__main__":
    main()
