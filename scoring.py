"""From a pool to scores of its images: labels, classifiers, predictions."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from .builder.cluster import Cluster
from .builder.folders import new_folder, seal
from .builder.intake import Progress, quiet
from .builder.manifest import done_before, files_digest, finished, write_manifest
from .builder.pool import open_pool, read_image
from .builder.recipe import Scoring
from .errors import UsageError, require_extra

SCORES, FEATURES = "scores.parquet", "features.npy"
_EMBEDDED = Path(__file__).parent / "builder" / "embedded" / "classifiers"


def sample_for_labels(
    pool: Path, out: Path, count: int, seed: int = 0, images: Path | None = None
) -> int:
    """Write a CSV of images to label, uniformly over sources; how many.

    With `images`, the pictures are copied there under their image_id. Raises `UsageError` where
    `out` exists: it may hold labels.
    """
    require_extra("score", "pandas", "sklearn")
    from .builder.labels import COLUMNS, sample_images

    open_pool(pool)
    if out.exists():
        raise UsageError(f"{out} exists and may hold labels; name another file with --out.")
    table = pq.read_table(pool / "images.parquet")
    chosen = sample_images(table, count, seed)
    frame = chosen.select(["image_id", "source", "name"]).to_pandas()
    for name in COLUMNS[1:]:
        frame[name] = ""
    if images is not None and images.exists() and not images.is_dir():
        raise UsageError(f"{images} is a file; name a folder for the pictures.")
    frame.to_csv(out, index=False)
    if images is not None:
        images.mkdir(parents=True, exist_ok=True)
        for row in chosen.select(["image_id", "offset", "size", "format"]).to_pylist():
            name = f"{row['image_id']}.{row['format'].lower()}"
            (images / name).write_bytes(read_image(pool, row["offset"], row["size"]))
    return len(frame)


def fit(
    pool: Path,
    labels: Sequence[Path],
    out: Path,
    model: str,
    *,
    seed: int = 0,
    device: str | None = None,
    progress: Progress = quiet,
) -> dict[str, Any]:
    """Fit classifiers on the labelled images of a pool into the folder `out`; its manifest."""
    require_extra("score", "torch", "transformers", "sklearn", "matplotlib")
    import pandas as pd

    from .builder import classifiers
    from .builder.clip import Clip
    from .builder.features import FeatureCache, cache_folder, embed_images, pool_images
    from .builder.labels import agreement, consensus, read_labels, refuse_repeated
    from .dataset_card.classifiers import write_model_card
    from .dataset_card.curation_figures import draw_classifiers

    pool_manifest = open_pool(pool)
    frame = pd.concat([read_labels(path) for path in labels], ignore_index=True)
    refuse_repeated(frame, "The files")
    images = pq.read_table(pool / "images.parquet", columns=["image_id", "source"]).to_pandas()
    row = pd.Series(np.arange(len(images)), index=images["image_id"])
    known = consensus(frame)
    strange = known.index.difference(row.index)
    if len(strange):
        raise UsageError(
            f"{len(strange):,} labelled images are not in {pool}, the first is {strange[0]}; give "
            "the pool that the labels were made for."
        )
    rows = row.loc[known.index].to_numpy(np.int64)  # pyright: ignore[reportAttributeAccessIssue]
    clip = Clip(model, device)
    cache = FeatureCache(cache_folder(), clip.key)
    embed_images(clip, pool_images(pool, rows.tolist()), cache, progress, len(rows))
    fitted = classifiers.fit(
        cache.read(known.index.tolist()),
        known["clarity"].to_numpy(np.float64, na_value=np.nan),
        known["complexity"].to_numpy(np.float64, na_value=np.nan),
        images["source"].to_numpy()[rows],
        clip=model,
        clip_key=clip.key,
        seed=seed,
    )
    report = {**fitted.report, "labels": len(frame), "agreement": agreement(frame)}
    with new_folder(out, "classifiers") as folder:
        classifiers.save(fitted, folder)
        draw_classifiers(report, folder)
        write_model_card(folder, model, report)
        names = sorted(p.name for p in folder.iterdir() if p.name != ".lock")
        parameters = {
            "pool": files_digest(pool_manifest),
            "labels": [sha256(path.read_bytes()).hexdigest() for path in labels],
            "model": model,
            "seed": seed,
            "software": {n: version(n) for n in ("mathv360k", "scikit-learn", "transformers")},
        }
        files = {name: seal(folder / name) for name in names}
        body = {"parameters": parameters, "report": report, "files": files}
        write_manifest(folder, "classifiers", body)
    return finished(out, "classifiers")


def score(
    pool: Path,
    scoring: Scoring,
    out: Path,
    *,
    device: str | None = None,
    cluster: Cluster | None = None,
    progress: Progress = quiet,
) -> dict[str, Any]:
    """Score all images of a pool into the folder `out`, or leave it where nothing has changed.

    With a `cluster` the images are embedded on its nodes.
    """
    require_extra("score", "torch", "transformers", "sklearn")
    from .builder.classifiers import read_classifiers
    from .builder.clip import Clip
    from .builder.features import FeatureCache, cache_folder, embed_images, pool_images

    pool_manifest = open_pool(pool)
    where = _EMBEDDED if scoring.classifiers == "embedded" else Path(scoring.classifiers)
    judges = read_classifiers(where)
    parameters = {
        "pool": files_digest(pool_manifest),
        "model": scoring.model,
        "clip_key": judges.clip_key,
        "classifiers": sha256(
            b"".join(sorted(p.read_bytes() for p in where.glob("classifiers.*")))
        ).hexdigest(),
        "software": {n: version(n) for n in ("mathv360k", "torch", "transformers")},
    }
    if done := done_before(out, "scores", parameters):
        return done
    clip = Clip(scoring.model, "cpu" if cluster else device)
    if clip.key != judges.clip_key:
        raise UsageError(
            f"The classifiers in {scoring.classifiers} were fitted on {judges.clip}, not on this "
            f"version of {scoring.model}; fit them again or score with their model."
        )
    cache = FeatureCache(cache_folder(), clip.key)
    if cluster is None:
        embed_images(clip, pool_images(pool), cache, progress, pool_manifest["images"])
    else:
        from .builder.features_on_cluster import embed_on_cluster

        embed_on_cluster(clip, pool, cache, cluster, device=device, progress=progress)
    ids = pq.read_table(pool / "images.parquet", columns=["image_id"])["image_id"].to_pylist()
    with new_folder(out, "scores") as folder:
        schema = pa.schema(
            {
                "image_id": pa.string(),
                "clarity": pa.float32(),
                "complexity": pa.int8(),
                "expected_complexity": pa.float32(),
            }
        )
        shape = len(ids), clip.dimension
        features = np.lib.format.open_memmap(folder / FEATURES, "w+", np.float16, shape)
        cache.read(ids, features)
        features.flush()
        with pq.ParquetWriter(folder / SCORES, schema, compression="zstd") as writer:
            for start in range(0, len(ids), 65_536):
                names = ids[start : start + 65_536]
                said = judges.predict(features[start : start + 65_536])
                columns = [names, said.clarity, said.complexity, said.expected_complexity]
                writer.write_table(pa.table(columns, schema=schema))
        body = {"parameters": parameters, "images": len(ids)}
        body["files"] = {name: seal(folder / name) for name in (FEATURES, SCORES)}
        write_manifest(folder, "scores", body)
    return finished(out, "scores")
