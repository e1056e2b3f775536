"""The same picture in other bytes: scaled, compressed again, in another format.

Diagrams of different problems may differ by one label, which neither a perceptual hash nor an
embedding sees. So both only propose pairs, and pixels decide: a copy differs from its original a
little everywhere, another label differs at one place more than elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import faiss
import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.ndimage import uniform_filter
from scipy.sparse import coo_array
from scipy.sparse.csgraph import reverse_cuthill_mckee

from .intake import Progress, quiet

COSINE = 0.95
"""Images whose features are less alike are not looked at."""
NEIGHBOURS = 16
"""Of each image so many nearest ones are looked at."""
HASH_BITS = 48
"""Perceptual hashes of a pair differ in at most so many of their 256 bits."""

FEATURE_BITS = 96
"""Of a pair that features propose, at most so many; unrelated pictures differ in 128."""

_PAIRS = 1024  # compared together
_HELD = 2048  # pictures at once; of 320 KiB at most
_EXACT = 20_000  # up to so many images all pairs are compared
_COARSE = 0.02  # how far the index may be off
_SIDE = 256  # pixels of a side of the pictures that are compared
_PLACES = 48  # places along a side whose means are compared
_EVERYWHERE = 20.0  # grey levels, of 255: copies do not differ by more where there is something
_ODD = 2.6
"""How much more than elsewhere copies differ at the place that differs most.

`tests/benchmarks/near_duplicates.py labels`, 60 diagrams of Geometry3K and 20 drawn ones: 302 of
320 copies stay below; none of 320 pairs that differ by a letter or digit does, and 14 of these
where one side is a compressed or scaled copy, too.
"""
_CELLS = 16  # along a side, whose mean colours are compared
_OTHER_COLOUR = 24  # of 255
_CHUNK = 4096


@dataclass(frozen=True, slots=True)
class Pair:
    """Two images, `a` before `b`, and how alike they are."""

    a: int
    b: int
    cosine: float | None  # of their features; None where these were not neighbours
    hash_bits: int


def neighbours(
    features: npt.NDArray[np.float16],
    queries: npt.NDArray[np.float16] | None = None,
    k: int = NEIGHBOURS,
    cosine: float = COSINE,
    progress: Progress = quiet,
) -> Iterator[tuple[int, int, float]]:
    """Query, image and cosine of the `k` nearest images of every query, where at least `cosine`.

    `features` are `(n, d)` and of length 1, also on disk (`numpy.memmap`). Without `queries` each
    image is one; a pair comes once or twice, the earlier image first. Above 20,000 the search is
    approximate: an inverted file of vectors in 8 bits (faiss), whose answers are then made exact.
    """
    alone = queries is None
    asked = features if alone else queries
    if not len(features) or not len(asked):
        return
    index = _index(features, progress)
    for start in range(0, len(asked), _CHUNK):
        block = np.asarray(asked[start : start + _CHUNK], np.float32)
        cosines, found = index.search(block, min(k + alone, len(features)))  # pyright: ignore
        rows, columns = np.nonzero((cosines >= cosine - _COARSE) & (found >= 0))
        images = found[rows, columns]
        exact = np.einsum("nd,nd->n", block[rows], np.asarray(features[images], np.float32))
        for row, image, alike in zip(rows.tolist(), images.tolist(), exact.tolist(), strict=True):
            query = start + row
            if alike >= cosine and not alone:
                yield query, image, alike
            elif alike >= cosine and query != image:
                yield min(query, image), max(query, image), alike
        progress("searching near-duplicates", min(start + _CHUNK, len(asked)), len(asked))


def _index(features: npt.NDArray[np.float16], progress: Progress) -> faiss.Index:
    count, dimension = features.shape
    if count <= _EXACT:
        index = faiss.IndexFlatIP(dimension)
        index.add(np.asarray(features, np.float32))  # pyright: ignore
        return index
    cells = int(min(4096, 4 * count**0.5))
    index = faiss.index_factory(dimension, f"IVF{cells},SQ8", faiss.METRIC_INNER_PRODUCT)
    inverted = faiss.extract_index_ivf(index)
    inverted.nprobe, inverted.cp.niter, inverted.cp.seed = 8, 6, 360
    step = max(1, count // (cells * 40))
    index.train(np.asarray(features[::step], np.float32))  # pyright: ignore
    for start in range(0, count, _CHUNK):
        block = np.asarray(features[start : start + _CHUNK], np.float32)
        index.add(block)  # pyright: ignore
        progress("indexing features", min(start + _CHUNK, count), count)
    return index


def hash_distance(one: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8]) -> npt.NDArray[np.intp]:
    """Bits in which perceptual hashes differ, row by row of `(n, 32) uint8`, `(n,)`."""
    return np.bitwise_count(np.atleast_2d(one ^ other)).sum(axis=1, dtype=np.intp)


def _signs(hashes: npt.NDArray[np.uint8]) -> npt.NDArray[np.float16]:
    """Hashes as vectors of length 1, whose cosine falls by 1/128 with each bit that differs."""
    bits = np.unpackbits(hashes, axis=1)
    signs = (bits.astype(np.float16) - np.float16(0.5)) / np.float16(8)
    signs[~hashes.any(axis=1)] = 0  # pictures of one colour have no neighbours
    return signs


def pack_hashes(dhash: Sequence[str]) -> npt.NDArray[np.uint8]:
    """Hexadecimal hashes as `(n, 32) uint8`; the empty hash of a flat picture is all zeros."""
    joined = b"".join(bytes.fromhex(h) if h else bytes(32) for h in dhash)
    return np.frombuffer(joined, np.uint8).reshape(-1, 32)


def find_pairs(
    features: npt.NDArray[np.float16] | None,
    dhash: Sequence[str],
    open_image: Callable[[int], Image.Image],
    progress: Progress = quiet,
) -> list[Pair]:
    """All pairs of images that show the same picture, sorted; `open_image` opens one by its row.

    Proposed are pairs of similar perceptual hashes and, where `features` are given, of similar
    features.
    """
    hashes = pack_hashes(dhash)
    proposed = {(a, b) for a, b, _ in neighbours(_signs(hashes), cosine=1 - HASH_BITS / 128)}
    alike: dict[tuple[int, int], float] = {}
    if features is not None:
        alike = {(a, b): c for a, b, c in neighbours(features, progress=progress)}
    pairs: list[Pair] = []
    for a, b in sorted(proposed | alike.keys()):
        bits = int(hash_distance(hashes[a], hashes[b])[0])
        # a picture of one colour is like any other
        if dhash[a] and dhash[b] and bits <= (HASH_BITS if (a, b) in proposed else FEATURE_BITS):
            cosine = alike.get((a, b))
            pairs.append(Pair(a, b, None if cosine is None else round(cosine, 4), bits))
    return _confirmed(pairs, open_image, progress)


def _confirmed(
    pairs: list[Pair], open_image: Callable[[int], Image.Image], progress: Progress
) -> list[Pair]:
    """Those that are of the same picture in the same colours (TabMWP repeats tables in others).

    An image may be in many pairs: shape and colours, which part most of them, are taken once of
    each, and only what is alike in these is opened again, and compared by its pixels.
    """
    with ThreadPoolExecutor() as threads:

        def opened(rows: Sequence[int]) -> Iterator[Image.Image]:
            return threads.map(lambda row: reduced(open_image(row)), rows)

        rows = sorted({row for pair in pairs for row in (pair.a, pair.b)})
        looks: dict[int, Look] = {}
        for start in range(0, len(rows), _PAIRS):
            some = rows[start : start + _PAIRS]
            looks |= zip(some, map(look, opened(some)), strict=True)
            progress("looking at colours", start + len(some), len(rows))
        pairs = _together([pair for pair in pairs if _are_alike(looks[pair.a], looks[pair.b])])
        result: list[Pair] = []
        pictures: dict[int, _Brightness] = {}  # those used last are at the end

        def same(pair: Pair) -> bool:
            return _is_copy(pictures[pair.a], pictures[pair.b])

        for start in range(0, len(pairs), _PAIRS):
            compared = pairs[start : start + _PAIRS]
            rows = sorted({row for pair in compared for row in (pair.a, pair.b)})
            used = {row: pictures.pop(row) for row in rows if row in pictures}
            new = [row for row in rows if row not in used]
            used |= zip(new, map(_Brightness, opened(new)), strict=True)
            for row in list(pictures)[: max(0, len(pictures) + len(used) - _HELD)]:
                del pictures[row]
            pictures |= used
            kept = threads.map(same, compared)
            result += [pair for pair, is_kept in zip(compared, kept, strict=True) if is_kept]
            progress("comparing pictures", start + len(compared), len(pairs))
    return sorted(result, key=lambda pair: (pair.a, pair.b))


def _together(pairs: list[Pair]) -> list[Pair]:
    """The pairs in an order in which those that share a picture come soon after each other.

    Along the images as reverse Cuthill-McKee orders them, so that a picture is opened once or a
    few times, not for each of its pairs.
    """
    if not pairs:
        return []
    images, ends = np.unique([(pair.a, pair.b) for pair in pairs], return_inverse=True)
    a, b = ends.reshape(-1, 2).T
    shape = (len(images), len(images))
    links = coo_array((np.ones(len(pairs), np.bool_), (a, b)), shape=shape).tocsr()
    place = np.argsort(reverse_cuthill_mckee(links + links.T, symmetric_mode=True))
    first, last = np.sort(place[[a, b]], axis=0)
    return [pairs[number] for number in np.lexsort((last, first)).tolist()]


def reduced(image: Image.Image) -> Image.Image:
    """What of a picture is compared: brightness and colours (YCbCr), at most twice as large."""
    small = image.convert("YCbCr")
    small.thumbnail((2 * _SIDE, 2 * _SIDE), Image.Resampling.BICUBIC)
    return small


class Look(NamedTuple):
    """Width and height of a `reduced` picture, and its colours in places, `(2, 16, 16) uint8`."""

    size: tuple[int, int]
    colours: npt.NDArray[np.uint8]


def look(image: Image.Image) -> Look:
    """How a `reduced` picture looks from afar."""
    small = [
        image.getchannel(channel).resize((_CELLS, _CELLS), Image.Resampling.BOX)
        for channel in (1, 2)
    ]
    return Look(image.size, np.stack([np.asarray(channel) for channel in small]))


def same_colours(one: Look, other: Look) -> bool:
    """Whether two pictures have the same colours everywhere, roughly."""
    difference = one.colours.astype(np.int16) - other.colours
    return int(np.abs(difference).max()) <= _OTHER_COLOUR


def _are_alike(one: Look, other: Look) -> bool:
    return same_shape(one.size, other.size) and same_colours(one, other)


def same_shape(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether widths and heights are in the same ratio, roughly."""
    return 0.97 < one[0] * other[1] / (one[1] * other[0]) < 1 / 0.97


def same_picture(one: Image.Image, other: Image.Image) -> bool:
    """Whether two `reduced` pictures differ as copies do: a little, nowhere more than elsewhere.

    Their brightness, the first channel, decides, after both were brought to the size of the
    smaller, and the second to the first one's brightness and contrast (least squares). The
    differences are averaged over small places.
    """
    return same_shape(one.size, other.size) and _is_copy(_Brightness(one), _Brightness(other))


class _Brightness:
    """The brightness of a `reduced` picture, which may be compared with many others."""

    def __init__(self, picture: Image.Image) -> None:
        self._image = picture.getchannel(0)
        self._squares: dict[int, npt.NDArray[np.uint8]] = {}

    @property
    def least_side(self) -> int:
        return min(self._image.size)

    def square(self, side: int) -> npt.NDArray[np.float32]:
        """As `(side, side) float32`."""
        if side not in self._squares:
            resized = self._image.resize((side, side), Image.Resampling.BICUBIC)
            self._squares[side] = np.asarray(resized)
        return self._squares[side].astype(np.float32)


def _is_copy(one: _Brightness, other: _Brightness) -> bool:
    side = min(_SIDE, one.least_side, other.least_side)
    a, b = one.square(side), other.square(side)
    place = max(2, round(side / _PLACES))
    difference = uniform_filter(np.abs(a - _matched(b, a)), place)
    if float(difference.max()) >= _ODD * (_EVERYWHERE + 3):
        return False  # whatever it is elsewhere
    detail = uniform_filter(np.abs(a - uniform_filter(a, place)), place)
    drawn = detail > max(2.0, 0.2 * float(detail.max()))
    usual = float(np.quantile(difference[drawn], 0.8)) if drawn.any() else 0.0
    return usual < _EVERYWHERE and float(difference.max()) < _ODD * (usual + 3)


def _matched(
    levels: npt.NDArray[np.float32], others: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """The grey levels with the contrast and brightness that bring them closest to the others."""
    mine, theirs = levels - levels.mean(), others - others.mean()
    power = float((mine * mine).sum())
    contrast = float((mine * theirs).sum()) / power if power else 1.0
    return others.mean() + np.float32(np.clip(contrast, 0.5, 2)) * mine


def keep_one(pairs: Sequence[Pair], priority: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    """For each image the row of the one that is kept for it, itself for most, `(n,)`.

    `priority` orders the images, the best first. An image goes only to one that it is paired with
    itself: likeness is not passed on along a chain.
    """
    linked: dict[int, list[int]] = {}
    for pair in pairs:
        linked.setdefault(pair.a, []).append(pair.b)
        linked.setdefault(pair.b, []).append(pair.a)
    kept = np.arange(len(priority))
    settled: set[int] = set()
    for image in priority.tolist():
        if image in linked and image not in settled:
            settled.add(image)
            for other in linked[image]:
                if other not in settled:
                    settled.add(other)
                    kept[other] = image
    return kept
