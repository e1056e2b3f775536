"""From a pool to the pool of a version: near-duplicates, benchmarks, selection."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from .builder.folders import new_folder, refuse_own_input, seal
from .builder.images import open_rgb
from .builder.intake import Progress, quiet
from .builder.manifest import done_before, files_digest, finished, read_manifest, write_manifest
from .builder.pool import open_pool, read_image
from .builder.recipe import Recipe, Selection
from .builder.sources import SOURCES
from .errors import FolderError, UsageError, require_extra
from .scoring import FEATURES, SCORES

if TYPE_CHECKING:
    from .builder.benchmarks import Item
    from .builder.clip import Clip
    from .builder.decontamination import Hit
    from .builder.features import FeatureCache
    from .builder.selection import Plan

PAIRS = "near_duplicates.parquet"


def plan_selection(pool: Path, wish: Selection, scores: Path | None = None) -> Plan:
    """What a selection would take, near-duplicates not counted; nothing is written."""
    open_pool(pool)
    images = pq.read_table(pool / "images.parquet", columns=["image_id", "source"])
    table = _scores(pool, scores)
    _require_scores(table)
    return _plan(images, table, wish, np.ones(len(images), np.bool_))[0]


def select(
    pool: Path,
    recipe: Recipe,
    out: Path,
    *,
    scores: Path | None = None,
    against: Sequence[Path] = (),
    progress: Progress = quiet,
) -> dict[str, Any]:
    """The pool of a version in the folder `out`, or leave it where nothing has changed.

    Images are those the recipe's `select` asks for (all without one), with the scores of the
    folder `scores`; what they share with the benchmarks `against` is written into `contamination`,
    pictures proposed by the features that the scores were made of, too.
    """
    from .builder.subset import Choice, mark_contamination, write_subset

    refuse_own_input(out, pool)
    pool_manifest = open_pool(pool)
    score_manifest = None if scores is None else read_manifest(scores, "scores")
    items = _read_benchmarks(against, progress)
    wish = recipe.select
    looks = ("scipy", "faiss-cpu", "pillow") if wish or items else ()
    if looks:
        require_extra("score", "faiss", "scipy")
    parameters = {
        "pool": files_digest(pool_manifest),
        "scores": score_manifest and files_digest(score_manifest),
        "select": wish and wish.model_dump(mode="json"),
        "seed": recipe.seed,
        "against": _benchmarks_digest(items),
        "software": {n: version(n) for n in ("mathv360k", *looks)},
    }
    if done := done_before(out, "pool", parameters):
        return done
    table = _scores(pool, scores)
    if wish:
        _require_scores(table)
    images = pq.read_table(pool / "images.parquet")
    rows = np.arange(len(images))
    kept, pairs, plan, chosen = rows, [], None, rows
    if wish:
        if wish.near_duplicates == "keep one":
            features = None if scores is None else scores / FEATURES
            clear = table["clarity"].to_numpy() >= wish.min_clarity
            kept, pairs = _near_duplicates(pool, images, features, clear, progress)
        plan, chosen = _chosen(images, table, wish, kept, recipe.seed)
    if not len(chosen):
        raise FolderError(f"Not one image of {pool} is clear enough; lower min_clarity.")
    with new_folder(out, "pool") as folder:
        counts = write_subset(pool, Choice(chosen, kept, table), folder)
        marked = 0
        if items:
            from .builder.decontamination import find_hits, pool_content, summaries

            clip = None
            if score_manifest is not None:
                clip = _features(score_manifest["parameters"]["model"])
            hits = find_hits(pool_content(folder, len(chosen)), items, clip, progress)
            marked = len(said := summaries(hits))
            mark_contamination(folder, said)
        pq.write_table(_pair_table(images, kept, pairs), folder / PAIRS, compression="zstd")
        files = {p.name: seal(p) for p in sorted(folder.iterdir()) if p.name != ".lock"}
        body = {"parameters": parameters, **counts, "files": files}
        if plan is not None:
            body["selection"] = told(plan)
        merged = int((kept != rows).sum())
        body["near_duplicates"] = pool_manifest.get("near_duplicates", 0) + merged
        body["contaminated"] = marked
        if "synthesis" in pool_manifest:
            body["synthesis"] = pool_manifest["synthesis"]
        compared = Counter(item.benchmark for item in items)
        body["compared"] = {**pool_manifest.get("compared", {}), **dict(sorted(compared.items()))}
        body["not_compared"] = sum(item.unreadable is not None for item in items)
        write_manifest(folder, "pool", body)
    return finished(out, "pool")


def _read_benchmarks(against: Sequence[Path], progress: Progress) -> list[Item]:
    from .builder.benchmarks import read_benchmark

    return [item for path in against for item in read_benchmark(path, progress)]


def _features(model: str, device: str | None = None) -> tuple[Clip, FeatureCache]:
    """A checkpoint, and the features of it that are known."""
    require_extra("score", "torch", "transformers")
    from .builder.clip import Clip
    from .builder.features import FeatureCache, cache_folder

    clip = Clip(model, device)
    return clip, FeatureCache(cache_folder(), clip.key)


def told(plan: Plan) -> dict[str, Any]:
    """A plan as JSON: per source and complexity what is available, wanted and taken."""
    return {
        "sources": {
            name: {
                "available": plan.available[i].tolist(),
                "wanted": plan.wanted[i].tolist(),
                "taken": plan.taken[i].tolist(),
            }
            for i, name in enumerate(plan.sources)
        },
        "notes": list(plan.notes),
    }


def decontaminate(
    folder: Path,
    against: Sequence[Path],
    *,
    model: str | None = None,
    device: str | None = None,
    report: Path | None = None,
    progress: Progress = quiet,
) -> tuple[list[Hit], list[Item]]:
    """What a dataset folder or a pool shares with benchmarks; with `report`, as HTML too.

    Also: the benchmarks' items whose image could not be read, and so was not looked for.

    With `model`, CLIP features propose pictures besides the perceptual hash.
    """
    require_extra("score", "faiss", "scipy")
    from .builder.decontamination import find_hits, open_content
    from .dataset_card.contamination import write_contamination

    content = open_content(folder)
    items = _read_benchmarks(against, progress)
    clip = None if model is None else _features(model, device)
    hits = find_hits(content, items, clip, progress)
    if report is not None:
        write_contamination(content, items, hits, report)
    return hits, [item for item in items if item.unreadable]


def export_hashes(against: Sequence[Path], path: Path, progress: Progress = quiet) -> None:
    """Write what identifies the benchmarks' items (Parquet), and nothing that shows them."""
    from .builder.benchmarks import write_hashes

    write_hashes(_read_benchmarks(against, progress), path)


def _scores(pool: Path, scores: Path | None) -> pa.Table:
    """Clarity and complexity of the pool's images, in their order; raises for other images."""
    if scores is None:
        return pq.read_table(pool / "images.parquet", columns=["clarity", "complexity"])
    if read_manifest(scores, "scores") is None:
        raise FolderError(f"{scores} holds no scores; `mathv360k score` makes them.")
    table = pq.read_table(scores / SCORES)
    ids = pq.read_table(pool / "images.parquet", columns=["image_id"])["image_id"]
    if not table["image_id"].combine_chunks().equals(ids.combine_chunks()):
        raise FolderError(f"{scores} are not the scores of {pool}; score it again.")
    return table.select(["clarity", "complexity"])


def _require_scores(scores: pa.Table) -> None:
    missing = scores["complexity"].null_count or scores["clarity"].null_count
    if missing:
        raise UsageError(
            f"{missing:,} images have no scores; run `mathv360k score`, or give the recipe `score`."
        )


def _plan(
    images: pa.Table, scores: pa.Table, wish: Selection, usable: npt.NDArray[np.bool_]
) -> tuple[Plan, npt.NDArray[np.bool_], npt.NDArray[np.intp], npt.NDArray[np.int64]]:
    """The plan, which images are clear, and the source and complexity of each."""
    from .builder.selection import LEVELS, plan

    clarity = scores["clarity"].to_numpy()
    complexity = scores["complexity"].to_numpy().astype(np.int64)
    there = set(images["source"].to_pylist())
    if unknown := sorted(set(wish.quotas) - there - SOURCES.keys()):
        raise UsageError(
            f"The recipe has a quota for {unknown[0]}, which is no source; `mathv360k sources` "
            "lists them."
        )
    names = sorted(there | wish.quotas.keys())
    number = {name: i for i, name in enumerate(names)}
    source = np.array([number[name] for name in images["source"].to_pylist()], np.intp)
    clear = usable & (clarity >= wish.min_clarity)
    available = np.zeros((len(names), LEVELS), np.int64)
    np.add.at(available, (source[clear], complexity[clear]), 1)
    return plan(names, available, wish), clear, source, complexity


def _chosen(
    images: pa.Table,
    scores: pa.Table,
    wish: Selection,
    kept: npt.NDArray[np.intp],
    seed: int,
) -> tuple[Plan, npt.NDArray[np.intp]]:
    from .builder.selection import draw

    plan, clear, source, complexity = _plan(images, scores, wish, kept == np.arange(len(images)))
    rows = np.flatnonzero(clear)
    ids = images["image_id"].take(pa.array(rows)).to_pylist()
    return plan, rows[draw(ids, source[rows], complexity[rows], plan.taken, seed)]


def _near_duplicates(
    pool: Path,
    images: pa.Table,
    features: Path | None,
    clear: npt.NDArray[np.bool_],
    progress: Progress,
) -> tuple[npt.NDArray[np.intp], list[Any]]:
    """For each image the one kept for it, and the pairs that were found."""
    from .builder.near_duplicates import find_pairs, keep_one

    known = None if features is None else np.load(features, mmap_mode="r", allow_pickle=False)
    offset, size = images["offset"].to_numpy(), images["size"].to_numpy()
    pixels = images["width"].to_numpy().astype(np.int64) * images["height"].to_numpy()

    def open_image(row: int) -> Any:
        return open_rgb(read_image(pool, int(offset[row]), int(size[row])))

    pairs = find_pairs(known, images["dhash"].to_pylist(), open_image, progress)
    best_first = np.lexsort((np.arange(len(images)), -pixels, ~clear))
    return keep_one(pairs, best_first), pairs


def _pair_table(images: pa.Table, kept: npt.NDArray[np.intp], pairs: Sequence[Any]) -> pa.Table:
    """Both image_ids of each pair, how alike they are, and which image is kept for them."""
    ids = images["image_id"]
    rows = [
        {
            "image_id": ids[pair.a].as_py(),
            "other": ids[pair.b].as_py(),
            "kept": ids[int(kept[pair.a])].as_py(),
            "cosine": pair.cosine,
            "hash_bits": pair.hash_bits,
        }
        for pair in pairs
    ]
    schema = pa.schema(
        {
            "image_id": pa.string(),
            "other": pa.string(),
            "kept": pa.string(),
            "cosine": pa.float32(),
            "hash_bits": pa.int16(),
        }
    )
    return pa.Table.from_pylist(rows, schema)


def _benchmarks_digest(items: Sequence[Item]) -> str | None:
    if not items:
        return None
    rows = [[i.benchmark, i.id, i.image_id, i.text and asdict(i.text)] for i in items]
    return sha256(json.dumps(rows).encode()).hexdigest()
