"""What a dataset shares with benchmarks: the same image file, the same picture, the same text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
from PIL import Image

from ..errors import FolderError, UsageError
from .benchmarks import Item, Load
from .images import inspect, open_rgb
from .intake import Progress, quiet
from .manifest import read_manifest
from .near_duplicates import (
    HASH_BITS,
    hash_distance,
    neighbours,
    pack_hashes,
    reduced,
    same_picture,
    same_shape,
)
from .pool import open_questions, read_image
from .schema import Unusable
from .text_overlap import Text, find_overlaps, text_of

if TYPE_CHECKING:
    from .clip import Clip
    from .features import FeatureCache

SURE_BITS = 6
"""Where only a benchmark's hashes are known, those that differ by so many bits are the same."""
COSINE = 0.9
_NEAREST = 8


@dataclass(frozen=True, slots=True)
class Hit:
    """Question `id` of the dataset and item `benchmark_id` of a benchmark are the same.

    `evidence` is one or more of `image_bytes` (the same file), `image` (the same picture, pixel by
    pixel), `image_hash` (nearly the same perceptual hash, where there is no image to compare) and
    `text` (the same words), joined by `+`; `detail` says how alike they are.
    """

    id: str
    image_id: str
    benchmark: str
    benchmark_id: str
    evidence: str
    detail: str


@dataclass(frozen=True, slots=True)
class Content:
    """What is compared of a pool or a dataset folder; both can be gone through again and again."""

    images: Callable[[], Iterator[tuple[str, Load, str | None]]]
    """image_id, what reads the bytes, and the perceptual hash where it is known."""
    questions: Callable[[], Iterator[tuple[str, str, str, list[str], str]]]
    """id, image_id, question, choices, answer."""
    count: int


def open_content(folder: Path) -> Content:
    """The images and questions of a pool or a dataset folder; raises `FolderError`."""
    if manifest := read_manifest(folder, "pool"):
        return pool_content(folder, manifest["images"])
    if manifest := read_manifest(folder, "dataset"):
        count = sum(split["images"] for split in manifest["splits"].values())
        return Content(lambda: _dataset_images(folder), lambda: _dataset_questions(folder), count)
    raise FolderError(f"{folder} is neither a finished dataset nor a pool; build one first.")


def pool_content(folder: Path, count: int) -> Content:
    """The same for a pool whose `count` images are written, but not yet its manifest."""
    return Content(lambda: _pool_images(folder), lambda: _pool_questions(folder), count)


def find_hits(
    content: Content,
    items: Sequence[Item],
    clip: tuple[Clip, FeatureCache] | None = None,
    progress: Progress = quiet,
) -> list[Hit]:
    """All that `content` shares with the benchmarks' `items`, in the order of the questions.

    Pictures are proposed by perceptual hash and, with `clip`, by their features, and confirmed
    pixel by pixel. Raises `UsageError` where there is nothing to compare with.
    """
    if not items:
        raise UsageError("There is no benchmark to compare with; give one with --against.")
    found = _same_images(content, items, _alike(content, items, clip, progress), progress)
    rows: list[tuple[str, str]] = []
    numbers: dict[str, int] = {}

    def texts() -> Iterator[tuple[int, Text]]:
        for row_id, image_id, question, choices, answer in content.questions():
            rows.append((row_id, image_id))
            number = numbers.setdefault(image_id, len(numbers))
            yield number, text_of(question, choices, answer)
            if len(rows) % 4096 == 0:
                progress("comparing questions", len(rows), None)
        progress("comparing questions", len(rows), len(rows))

    overlaps: dict[int, dict[int, float]] = defaultdict(dict)
    for overlap in find_overlaps([item.text for item in items], texts()):
        overlaps[overlap.row][overlap.item] = overlap.share
    hits = []
    for row, (row_id, image_id) in enumerate(rows):
        shown, said = found.get(image_id, {}), overlaps.get(row, {})
        for number in sorted({*shown, *said}):
            item = items[number]
            evidence, detail = [], []
            if number in shown:
                evidence.append(shown[number][0])
                detail.append(shown[number][1])
            if number in said:
                evidence.append("text")
                detail.append(f"{said[number]:.0%} of the telling word groups")
            hits.append(
                Hit(
                    row_id,
                    image_id,
                    item.benchmark,
                    item.id,
                    "+".join(evidence),
                    ", ".join(detail),
                )
            )
    return hits


def summaries(hits: Iterable[Hit]) -> dict[str, str]:
    """What the column `contamination` says of each question: benchmarks, items, evidence."""
    said: dict[str, list[str]] = defaultdict(list)
    for hit in hits:
        said[hit.id].append(f"{hit.benchmark}:{hit.benchmark_id} ({hit.evidence})")
    return {name: "; ".join(parts) for name, parts in said.items()}


def _alike(
    content: Content,
    items: Sequence[Item],
    clip: tuple[Clip, FeatureCache] | None,
    progress: Progress,
) -> Mapping[str, list[int]]:
    """For each image_id the items whose features are close; none without a model."""
    if clip is None:
        return {}
    from .features import embed_images

    model, cache = clip

    known = {item.image_id: item for item in items if item.load and item.image_id}
    if not known:
        return {}
    theirs = ((name, item.load()) for name, item in known.items() if item.load)
    embed_images(model, theirs, cache)
    ours = ((image_id, load()) for image_id, load, _ in content.images())
    embed_images(model, ours, cache, progress, content.count)
    ids = [image_id for image_id, _, _ in content.images()]
    names = list(known)
    numbers: dict[str, list[int]] = defaultdict(list)
    for number, item in enumerate(items):
        if item.image_id:
            numbers[item.image_id].append(number)
    result: dict[str, list[int]] = defaultdict(list)
    close = neighbours(cache.read(names), cache.read(ids), _NEAREST, COSINE, progress)
    for query, image, _ in close:
        result[ids[query]] += numbers[names[image]]
    return result


def _same_images(
    content: Content,
    items: Sequence[Item],
    alike: Mapping[str, list[int]],
    progress: Progress,
) -> dict[str, dict[int, tuple[str, str]]]:
    """For each image_id the items that show it, with evidence and detail."""
    showing: dict[str, list[int]] = defaultdict(list)  # several questions may show one image
    for number, item in enumerate(items):
        if item.image_id:
            showing[item.image_id].append(number)
    first = {numbers[0]: numbers for numbers in showing.values()}
    hashed = np.array([number for number in first if items[number].dhash], np.intp)
    hashes = pack_hashes([items[number].dhash or "" for number in hashed])

    shapes: dict[int, tuple[int, int]] = {}

    @lru_cache(maxsize=2048)
    def picture(number: int) -> Image.Image | None:
        load = items[number].load
        if load is None:
            return None
        bright = reduced(open_rgb(load())).getchannel(0)
        shapes[number] = bright.size
        return bright

    def same(image: tuple[str, Load, str]) -> tuple[str, dict[int, tuple[str, str]]]:
        image_id, load, dhash = image
        hits: dict[int, tuple[str, str]] = {}
        hits |= dict.fromkeys(showing.get(image_id, ()), ("image_bytes", "the same file"))
        bits = _bits(hashes, dhash)
        near = hashed[bits <= HASH_BITS].tolist()
        distance = dict(zip(hashed.tolist(), bits.tolist(), strict=True))
        close = {showing[items[number].image_id or ""][0] for number in alike.get(image_id, ())}
        ours: Image.Image | None = None
        for number in sorted({*near, *close} - hits.keys()):
            if ours and number in shapes and not same_shape(ours.size, shapes[number]):
                continue  # without opening it again
            theirs = picture(number)
            said = f"{distance[number]} of 256 hash bits differ" if number in distance else ""
            if theirs is None:
                if distance.get(number, 256) <= SURE_BITS:
                    hits |= dict.fromkeys(first[number], ("image_hash", said))
                continue
            ours = ours or reduced(open_rgb(load()))
            if same_picture(ours, theirs):
                told = f"the same pixels but for compression, {said}"
                hits |= dict.fromkeys(first[number], ("image", told))
        return image_id, hits

    found: dict[str, dict[int, tuple[str, str]]] = {}
    done = 0
    images = _hashed(content.images())
    with ThreadPoolExecutor() as threads:
        while some := list(islice(images, 256)):
            found |= {image_id: hits for image_id, hits in threads.map(same, some) if hits}
            done += len(some)
            progress("comparing images", done, content.count)
    return found


def _bits(hashes: npt.NDArray[np.uint8], dhash: str) -> npt.NDArray[np.intp]:
    if not len(hashes) or not dhash:
        return np.full(len(hashes), 256)
    return hash_distance(hashes, pack_hashes([dhash]))


def _hashed(
    images: Iterator[tuple[str, Load, str | None]],
) -> Iterator[tuple[str, Load, str]]:
    """The images with their perceptual hashes; what is not known is computed on all cores."""

    def complete(image: tuple[str, Load, str | None]) -> tuple[str, Load, str]:
        image_id, load, dhash = image
        try:
            return image_id, load, inspect(load()).dhash if dhash is None else dhash
        except Unusable as bad:
            raise FolderError(f"The image {image_id} is damaged ({bad}); build it again.") from None

    with ThreadPoolExecutor() as threads:
        while some := list(islice(images, 256)):
            yield from threads.map(complete, some)


def _pool_images(pool: Path) -> Iterator[tuple[str, Load, str | None]]:
    columns = ["image_id", "offset", "size", "dhash"]
    for batch in pq.ParquetFile(pool / "images.parquet").iter_batches(4096, columns=columns):
        for row in batch.to_pylist():
            load = partial(read_image, pool, row["offset"], row["size"])
            yield row["image_id"], load, row["dhash"]


def _pool_questions(pool: Path) -> Iterator[tuple[str, str, str, list[str], str]]:
    ids = pq.read_table(pool / "images.parquet", columns=["image_id"])["image_id"].to_pylist()
    with open_questions(pool, ["image", "id", "question", "choices", "answer"]) as file:
        for number in range(file.num_record_batches):
            for row in file.get_batch(number).to_pylist():
                yield row["id"], ids[row["image"]], row["question"], row["choices"], row["answer"]


def _dataset_images(folder: Path) -> Iterator[tuple[str, Load, str | None]]:
    for row in _rows(folder, "images", ["image_id", "image"]):
        if row["image"] is not None and row["image"]["bytes"] is not None:  # else withheld
            yield row["image_id"], partial(bytes, row["image"]["bytes"]), None


def _dataset_questions(folder: Path) -> Iterator[tuple[str, str, str, list[str], str]]:
    columns = ["id", "image_id", "question", "choices", "answer"]
    for row in _rows(folder, "questions", columns):
        yield tuple(row[name] for name in columns)  # pyright: ignore


def _rows(folder: Path, config: str, columns: list[str]) -> Iterator[dict[str, Any]]:
    for path in sorted((folder / "data" / config).glob("*.parquet")):
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(256, columns=columns):
                yield from batch.to_pylist()
