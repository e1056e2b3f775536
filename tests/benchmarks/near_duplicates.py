"""Near-duplicates: how many are found and how many are wrong, and how long a million takes.

`PYTHONPATH=tests python tests/benchmarks/near_duplicates.py quality ROOT` looks for copies among
the train diagrams of Geometry3K below ROOT: each distinct file, and a copy of it made here. Among
the files themselves two are the same diagram where they are equal pixel by pixel. `... labels ROOT`
writes one letter or digit into real and drawn diagrams and asks whether another one there is told
apart, and copies are not. `... scale [IMAGES]` searches generated features and hashes with planted
duplicates, and selects.
"""

from __future__ import annotations

import argparse
import io
import resource
import tempfile
import time
from hashlib import sha256
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFont

from mathv360k.builder.images import inspect, open_rgb
from mathv360k.builder.near_duplicates import (
    find_pairs,
    hash_distance,
    neighbours,
    pack_hashes,
    reduced,
    same_picture,
)
from mathv360k.builder.recipe import Selection
from mathv360k.builder.selection import draw, plan
from mathv360k.builder.sources.drawn import draw as draw_scene
from mathv360k.builder.sources.drawn import invent

PLANTED = 20_000
DIMENSION = 768


def quality(root: Path) -> None:
    folder = root / "Geometry3K" / "geometry3k" / "train"
    files = {}
    for path in sorted(folder.glob("*/img_diagram.png"), key=lambda p: int(p.parent.name)):
        data = path.read_bytes()
        files.setdefault(sha256(data).hexdigest(), data)
    originals = [open_rgb(data) for data in files.values()]
    rng = Random(0)
    copies = [_copy(image, rng) for image in originals]
    images = originals + copies
    hashes = [inspect(_png(image)).dhash for image in images]
    count = len(originals)
    pixels = [(image.size, image.tobytes()) for image in originals]
    groups: dict[tuple[tuple[int, int], bytes], list[int]] = {}
    for row, content in enumerate(pixels):
        groups.setdefault(content, []).append(row)
    group = {row: min(rows) for rows in groups.values() for row in rows}
    group |= {count + row: kept for row, kept in group.items()}
    true = {
        (a, b)
        for rows in groups.values()
        for members in [[*rows, *(count + row for row in rows)]]
        for a in members
        for b in members
        if a < b
    }
    print(f"{count:,} distinct files, {len(groups):,} distinct diagrams, as many copies")
    packed = pack_hashes(hashes)
    for bits in (0, 8, 16, 32, 48):
        found = {
            (row, int(other))
            for row in range(len(packed))
            for other in np.flatnonzero(hash_distance(packed, packed[row]) <= bits)
            if row < other
        }
        _tell(f"perceptual hash, {bits} bits", found, true)
    started = time.perf_counter()
    pairs = {(p.a, p.b) for p in find_pairs(None, hashes, images.__getitem__)}
    _tell("hash, confirmed by pixels", pairs, true)
    print(f"{time.perf_counter() - started:.1f} s")
    from mathv360k.builder.clip import Clip

    clip = Clip("embedded")
    features = np.concatenate([clip.embed(clip.pixels(image)[None]) for image in images])
    alike = {(a, b) for a, b, _ in neighbours(features)}
    _tell("embedding neighbours", alike, true)
    both = {(p.a, p.b) for p in find_pairs(features, hashes, images.__getitem__)}
    _tell("both, confirmed by pixels", both, true)


LABELS = ("12 13", "6 8", "3 8", "5 6", "x y", "1 7", "60 80", "A R", "C G", "15 16")


def labels(root: Path) -> None:
    """How many of 4 labels in each of 80 diagrams are taken for another, and copies for others."""
    folder = root / "Geometry3K" / "geometry3k" / "train"
    paths = sorted(folder.glob("*/img_diagram.png"), key=lambda p: int(p.parent.name))[300:360]
    images = [open_rgb(path.read_bytes()) for path in paths]
    images += [open_rgb(draw_scene(invent(9, number).name)) for number in range(20)]
    rng = Random(1)
    wrong: dict[str, list[bool]] = {}
    kept: list[bool] = []
    for image in images:
        for pair in rng.sample(LABELS, 4):
            size = max(10, round(min(image.size) / rng.uniform(16, 24)))
            place = rng.uniform(0, image.width * 0.8), rng.uniform(0, image.height * 0.8)
            one, other = (_labelled(image, text, place, size) for text in pair.split())
            ways = {"as it is": other, "copied in some way": _copy(other, rng)}
            for name, changed in ways.items():
                wrong.setdefault(name, []).append(same_picture(reduced(one), reduced(changed)))
            kept.append(same_picture(reduced(one), reduced(_copy(one, rng))))
    for name, results in wrong.items():
        print(f"another label, {name}: {sum(results)} of {len(results)} taken for the same")
    print(f"copies: {sum(kept)} of {len(kept)} taken for the same")


def _labelled(image: Image.Image, text: str, place: tuple[float, float], size: int) -> Image.Image:
    page = image.copy()
    ImageDraw.Draw(page).text(place, text, fill="black", font=ImageFont.load_default(size))
    return page


def _tell(name: str, found: set[tuple[int, int]], true: set[tuple[int, int]]) -> None:
    right = len(found & true)
    precision, recall = right / max(1, len(found)), right / len(true)
    print(
        f"{name:28} {len(found):8,} pairs, precision {precision:.4f}, recall {recall:.4f}",
        flush=True,
    )


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def _copy(image: Image.Image, rng: Random) -> Image.Image:
    """Compressed, scaled, of 16 colours or darker."""
    how = rng.randrange(4)
    if how == 0:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=rng.randint(30, 80))
        return Image.open(buffer).convert("RGB")
    if how == 1:
        factor = rng.uniform(0.6, 1.6)
        size = round(image.width * factor), round(image.height * factor)
        return image.resize(size, Image.Resampling.BICUBIC)
    if how == 2:
        return image.quantize(16).convert("RGB")
    return ImageEnhance.Brightness(image).enhance(rng.uniform(0.7, 0.95))


def scale(count: int) -> None:
    rng = np.random.default_rng(0)
    planted = min(PLANTED, count // 10)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "features.npy"
        features = np.lib.format.open_memmap(path, "w+", np.float16, (count, DIMENSION))
        centres = rng.standard_normal((2000, DIMENSION), np.float32)  # images come in kinds
        for start in range(0, count, 50_000):
            rows = min(50_000, count - start)
            block = centres[rng.integers(0, 2000, rows)]
            block = block + 0.7 * rng.standard_normal((rows, DIMENSION), np.float32)
            features[start : start + rows] = block / np.linalg.norm(block, axis=1, keepdims=True)
        copies = rng.permutation(count)[: 2 * planted].reshape(2, planted)
        noisy = features[copies[0]].astype(np.float32)
        noisy += rng.standard_normal(noisy.shape, np.float32) * (0.15 / DIMENSION**0.5)
        noisy /= np.linalg.norm(noisy, axis=1, keepdims=True)
        features[copies[1]] = noisy
        features.flush()
        hashes = rng.integers(0, 256, (count, 32), np.uint8)
        hashes[copies[1]] = hashes[copies[0]] ^ (1 << rng.integers(0, 8, (planted, 32))).astype(
            np.uint8
        ) * (rng.random((planted, 32)) < 0.3)
        told = [row.tobytes().hex() for row in hashes]
        del features, hashes
        mapped = np.load(path, mmap_mode="r")
        picture = Image.fromarray(np.tile(np.arange(64, dtype=np.uint8) * 4, (64, 1)))
        true = {(min(a, b), max(a, b)) for a, b in copies.T.tolist()}
        started = time.perf_counter()
        found = {(p.a, p.b) for p in find_pairs(mapped, told, lambda _: picture)}
        searched = time.perf_counter() - started
    ids = [sha256(str(row).encode()).hexdigest() for row in range(count)]
    source, level = rng.integers(0, 24, count), rng.integers(0, 4, count)
    started = time.perf_counter()
    available = np.zeros((24, 4), np.int64)
    np.add.at(available, (source, level), 1)
    made = plan([f"S{n:02}" for n in range(24)], available, Selection(images=count // 25))
    chosen = draw(ids, source, level, made.taken, seed=0)
    selected = time.perf_counter() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{count:,} images x {DIMENSION}, {planted:,} planted duplicates")
    print(f"search {searched:.0f} s, recall {len(found & true) / len(true):.4f}")
    print(f"selection of {len(chosen):,}: {selected:.1f} s; peak memory {memory:.2f} GB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("quality").add_argument("root", type=Path)
    commands.add_parser("labels").add_argument("root", type=Path)
    commands.add_parser("scale").add_argument("count", type=int, nargs="?", default=1_000_000)
    options = parser.parse_args()
    if options.command == "scale":
        scale(options.count)
    else:
        {"quality": quality, "labels": labels}[options.command](options.root)


if __name__ == "__main__":
    main()
