"""Features of images: computed in batches, and cached by the images' content.

An image is embedded once per checkpoint, whatever pools and versions it is in: the cache is a
folder of small Parquet files, each written whole, so that a killed run loses one batch of them.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from uuid import uuid4

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from filelock import FileLock

from ..errors import FolderError, ModelError
from .clip import Clip, Features
from .images import open_rgb
from .intake import Progress, quiet
from .schema import Unusable

BATCH = 32
_CACHED_TOGETHER = 2048  # images per file of the cache
_AHEAD = 3  # batches decoded, and in memory, while one is computed


def cache_folder() -> Path:
    """Where features are kept: `$MATHV360K_CACHE`, or `mathv360k` in the user's cache folder."""
    if said := os.environ.get("MATHV360K_CACHE"):
        return Path(said)
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "mathv360k"


class FeatureCache:
    """All features of one checkpoint that were ever computed, by image_id."""

    def __init__(self, folder: Path, key: str) -> None:
        self.folder = folder / "clip" / key[:16]

    def known(self) -> set[str]:
        """The image_ids in the cache."""
        ids: set[str] = set()
        for part in self._parts():
            ids.update(_table(part, ["image_id"])["image_id"].to_pylist())
        return ids

    def add(self, ids: Sequence[str], features: Features) -> None:
        """Keep these; the file appears whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        flat = pa.array(np.ascontiguousarray(features).reshape(-1), pa.float16())
        column = pa.FixedSizeListArray.from_arrays(flat, features.shape[1])
        partial = self.folder / ".partial"
        with FileLock(self.folder / ".lock"):  # one name, so that no kill leaves more than one
            pq.write_table(pa.table({"image_id": ids, "features": column}), partial)
            partial.rename(self.folder / f"{uuid4().hex}.parquet")

    def read(self, ids: Sequence[str], out: Features | None = None) -> Features:
        """Features of these images, in this order, into `out` where it is given.

        Raises `KeyError` for an image that is not in the cache.
        """
        row = {image_id: number for number, image_id in enumerate(ids)}
        missing = set(ids)
        for part in self._parts():
            table = _table(part)
            names = table["image_id"].to_pylist()
            here = [i for i, name in enumerate(names) if name in missing]
            if here:
                flat = table["features"].combine_chunks().flatten().to_numpy()
                values = flat.reshape(len(names), -1)
                if out is None:
                    out = np.zeros((len(ids), values.shape[1]), np.float16)
                out[[row[names[i]] for i in here]] = values[here]
                missing -= {names[i] for i in here}
        if missing or out is None:
            raise KeyError(min(missing, default="no image"))
        return out

    def _parts(self) -> list[Path]:
        return sorted(self.folder.glob("[!.]*.parquet"))


def _table(part: Path, columns: list[str] | None = None) -> pa.Table:
    try:
        return pq.read_table(part, columns=columns)
    except (OSError, pa.ArrowException) as error:
        raise FolderError(
            f"{part} is damaged ({error}); delete it, its images are embedded again."
        ) from None


Place = tuple[str, int, int]
"""An image of a pool: image_id, and where in `images.bin` it begins and how long it is."""


def image_places(pool: Path, rows: Sequence[int] | None = None) -> Iterator[Place]:
    """A pool's images, or those in these rows of its images.parquet."""
    table = pq.read_table(pool / "images.parquet", columns=["image_id", "offset", "size"])
    if rows is not None:
        table = table.take(pa.array(rows, pa.int64()))
    for batch in table.to_batches(4096):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def read_places(pool: Path, places: Iterable[Place]) -> Iterator[tuple[str, bytes]]:
    """image_id and bytes of these images."""
    with (pool / "images.bin").open("rb") as blob:
        for image_id, offset, size in places:
            blob.seek(offset)
            yield image_id, blob.read(size)


def pool_images(pool: Path, rows: Sequence[int] | None = None) -> Iterator[tuple[str, bytes]]:
    """image_id and bytes of a pool's images, or of those in these rows of its images.parquet."""
    return read_places(pool, image_places(pool, rows))


def embed_images(
    clip: Clip,
    images: Iterable[tuple[str, bytes]],
    cache: FeatureCache,
    progress: Progress = quiet,
    total: int | None = None,
    batch: int = BATCH,
) -> int:
    """Put the features of all images that are not there yet into the cache; how many these were.

    Images are decoded on all cores while the model computes. Raises `FolderError` for one that
    cannot be decoded, `ModelError` where a feature is not a finite number.
    """
    known, done = cache.known(), 0

    def unknown() -> Iterator[tuple[str, bytes]]:
        nonlocal done
        for image_id, data in images:
            done += 1
            if image_id not in known:
                known.add(image_id)
                yield image_id, data

    def told() -> Iterator[Embedded]:
        for made in embed(clip, unknown(), batch):
            yield made
            progress("embedding images", done, total)

    fresh = keep(told(), cache, clip.name)
    progress("embedding images", done, total)
    return fresh


Embedded = tuple[list[str], Features]
"""image_ids, and the features of these images."""


def embed(clip: Clip, images: Iterator[tuple[str, bytes]], batch: int) -> Iterator[Embedded]:
    """The features of images, given by id and bytes, in batches.

    While a GPU computes a batch, the one before is handed on.
    """
    computing: tuple[list[str], torch.Tensor] | None = None
    for names, pixels in _decoded(clip, images, batch):
        started = clip.start(pixels)
        if computing is not None:
            yield computing[0], computing[1].cpu().numpy()
        computing = names, started
    if computing is not None:
        yield computing[0], computing[1].cpu().numpy()


def keep(made: Iterable[Embedded], cache: FeatureCache, model: str) -> int:
    """Put features into the cache as they come, also those before an error; how many.

    Raises `ModelError` where one is not a finite number.
    """
    ids: list[str] = []
    features: list[Features] = []
    fresh = 0

    def write() -> None:
        nonlocal ids, features
        if ids:
            cache.add(ids, np.concatenate(features))
        ids, features = [], []

    try:
        for names, values in made:
            _refuse_nan(model, names, values)
            ids += names
            features.append(values)
            fresh += len(names)
            if len(ids) >= _CACHED_TOGETHER:
                write()
    finally:
        write()
    return fresh


def _refuse_nan(model: str, names: Sequence[str], made: Features) -> None:
    finite = np.isfinite(made).all(axis=1)
    if not finite.all():
        image = names[int(np.flatnonzero(~finite)[0])]
        raise ModelError(
            f"{model} gives features that are not finite numbers for the image {image}; its "
            "weights are damaged, or do not fit the device's precision: try --device cpu."
        )


def _decoded(
    clip: Clip, images: Iterator[tuple[str, bytes]], batch: int
) -> Iterator[tuple[list[str], npt.NDArray[np.uint8]]]:
    """Batches of ids and pixels, decoded ahead."""
    waiting: deque[tuple[list[str], list[Future[npt.NDArray[np.uint8]]]]] = deque()
    with ThreadPoolExecutor(os.cpu_count() or 1) as threads:

        def submit() -> None:
            rows = list(islice(images, batch))
            if rows:
                pixels = [threads.submit(_pixels, clip, *row) for row in rows]
                waiting.append(([image_id for image_id, _ in rows], pixels))

        try:
            for _ in range(_AHEAD):
                submit()
            while waiting:
                names, pixels = waiting.popleft()
                stacked = np.stack([image.result() for image in pixels])
                submit()
                yield names, stacked
        finally:
            threads.shutdown(cancel_futures=True)


def _pixels(clip: Clip, image_id: str, data: bytes) -> npt.NDArray[np.uint8]:
    try:
        return clip.pixels(open_rgb(data))
    except (Unusable, OSError, ValueError, SyntaxError) as error:
        raise FolderError(
            f"The image {image_id} cannot be decoded ({error}); its folder is damaged, build it "
            "again."
        ) from None
