"""CLIP features computed on a Ray cluster, in the batches of `features`, on all its devices."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np

from ..errors import FolderError, MathV360KError, ModelError
from .clip import Clip
from .cluster import Cluster, devices, joined
from .features import BATCH, Embedded, FeatureCache, Place, embed, image_places, keep, read_places
from .intake import Progress, quiet

_BATCHES = 16
"""Of one task at most: within it images are decoded while the batch before is computed."""


def embed_on_cluster(
    clip: Clip,
    pool: Path,
    cache: FeatureCache,
    cluster: Cluster,
    *,
    device: str | None = None,
    progress: Progress = quiet,
    batch: int = BATCH,
) -> int:
    """Put the features of a pool's images that are not there yet into the cache; how many.

    What a node had not handed in when it died, Ray gives to another one. Raises as `embed_images`,
    and `ModelError` where a node has another version of the checkpoint than `clip`.
    """
    known = cache.known()
    places = [place for place in image_places(pool) if place[0] not in known]
    total = len(places) + len(known)
    if not places:
        return 0

    def told(made: Iterable[Embedded]) -> Iterator[Embedded]:
        done = len(known)
        for names, features in made:
            yield names, features
            done += len(names)
            progress("embedding images", done, total)

    with joined(cluster):
        made = _embedded(clip, pool.resolve(), places, device, batch)
        return keep(told(made), cache, clip.name)


def _embedded(
    clip: Clip, pool: Path, places: list[Place], device: str | None, batch: int
) -> Iterator[Embedded]:
    import ray.data
    from ray.exceptions import RayError

    cpus, gpus = devices()
    on_gpu = gpus > 0 and not (device or "").startswith("cpu")
    workers = max(1, gpus if on_gpu else cpus)
    # a row has whole batches: the same images are computed together as on one machine
    size = batch * max(1, min(_BATCHES, len(places) // (batch * workers * 4)))
    rows = [_row(places[start : start + size]) for start in range(0, len(places), size)]
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    made = ray.data.from_items(rows, override_num_blocks=len(rows)).map(
        cast(Any, _Worker),
        fn_constructor_args=(clip.name, clip.key, pool, device, batch),
        num_cpus=1,
        num_gpus=1 if on_gpu else 0,
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=workers),
    )
    try:
        for row in made.iter_rows():
            if row["error"]:
                raise _ERRORS.get(row["error"], FolderError)(row["said"])
            ids = list(row["image_ids"])
            yield ids, np.frombuffer(row["features"], np.float16).reshape(len(ids), -1)
    except RayError as error:
        said = str(error).strip().split("\n")[-1][:300]
        raise ModelError(f"The cluster could not embed the images: {said}") from None


def _row(places: list[Place]) -> dict[str, Any]:
    ids, offsets, sizes = zip(*places, strict=True)
    return {"image_ids": list(ids), "offsets": list(offsets), "sizes": list(sizes)}


class _Worker:
    """Holds the checkpoint on one device of a node."""

    def __init__(self, name: str, key: str, pool: Path, device: str | None, batch: int) -> None:
        self._pool, self._batch = pool, batch
        self._clip = Clip(name, device)
        self._same = self._clip.key == key

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        try:
            if not self._same:
                raise ModelError(
                    f"A node of the cluster has another version of {self._clip.name}; load the "
                    "same one on all nodes."
                )
            if not (self._pool / "images.bin").is_file():
                raise FolderError(
                    f"A node of the cluster does not see {self._pool}; put the pool into a folder "
                    "that all nodes share."
                )
            columns = (list(row[name]) for name in ("image_ids", "offsets", "sizes"))
            images = read_places(self._pool, zip(*columns, strict=True))
            made = list(embed(self._clip, images, self._batch))
            ids = [name for names, _ in made for name in names]
            features = b"".join(values.tobytes() for _, values in made)
            return {"image_ids": ids, "features": features, "error": "", "said": ""}
        except MathV360KError as error:
            kind = type(error).__name__
            return {"image_ids": [""], "features": b"", "error": kind, "said": str(error)}


_ERRORS = {error.__name__: error for error in (FolderError, ModelError)}
