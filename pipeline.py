"""The steps in their order: each writes a folder, and is skipped where the folder is up to date."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from .builder.cluster import Cluster
from .builder.folders import fingerprint, new_folder, refuse_foreign, seal
from .builder.intake import Feed, Progress, quiet
from .builder.manifest import (
    QUARANTINE_FILE,
    done_before,
    files_digest,
    finished,
    read_manifest,
    write_manifest,
)
from .builder.pool import REJECTED_FILE, open_pool, read_questions, write_pool
from .builder.recipe import Recipe
from .builder.release import open_release
from .builder.shards import write_rejected, write_shards
from .builder.sources import SOURCES, source
from .builder.sources.files import Files
from .builder.sources.source import Candidate, ReadOptions, Rejection, Source
from .builder.splits import assign_splits
from .curation import select
from .errors import FolderError, SourceError, UsageError
from .scoring import score
from .synthesis.asking import Asking, refuse_without_budget


def build(
    recipe: Recipe,
    out: Path | str = "mathv360k",
    *,
    source_root: Path | str | None = None,
    pool: Path | str | None = None,
    public: bool = False,
    rehost: Collection[str] = (),
    against: Sequence[Path] = (),
    asking: Asking | None = None,
    progress: Progress = quiet,
) -> dict[str, Any]:
    """Build the dataset folder `out` from a recipe; the manifest of what is there in the end.

    The sources are read from `source_root/<name>` into a pool beside `out`, unless `pool` names one
    that is there already. With `public`, images of sources that do not clearly allow it to publish
    them again are left out, except of those in `rehost`; their questions stay, with the image's
    name in `id` and its sha256 in `image_id`. Rows that benchmarks `against` share are marked in
    `contamination`. Where the recipe has new questions written, `asking` says by which server, in
    which ledger (beside `out` without it) and for how much.

    Raises `errors.UsageError`, `errors.SourceError` or `errors.FolderError`.
    """
    out = Path(out)
    refuse_foreign(out, "dataset")  # before hours of reading
    asking = asking or Asking(beside(out, "ledger"))
    if recipe.synthesize and not asking.ledger.exists():
        refuse_without_budget(recipe.synthesize.teacher, asking)
    if pool is None:
        pool = beside(out, "pool")
        read_sources(recipe, pool, None if source_root is None else Path(source_root), progress)
    pool = _curated(recipe, Path(pool), out, against, asking.cluster, progress)
    if recipe.synthesize and "synthesis" not in open_pool(pool):
        with _explained(pool, open_pool(pool)):
            pool = _extended(recipe, pool, out, asking)
        if against:  # new questions may be those of a benchmark, too
            marked = beside(out, "marked")
            select(pool, Recipe(name=recipe.name), marked, against=against, progress=progress)
            pool = marked
    return write_dataset(recipe, pool, out, progress, _withheld(public, rehost))


def _curated(
    recipe: Recipe,
    pool: Path,
    out: Path,
    against: Sequence[Path],
    cluster: Cluster | None,
    progress: Progress,
) -> Path:
    """The pool to write: scored and selected as the recipe says, beside `out`, or as it is."""
    scores = None
    if recipe.score:
        scores = beside(out, "scores")
        score(pool, recipe.score, scores, cluster=cluster, progress=progress)
    if not (recipe.score or recipe.select or against):
        return pool
    selected = beside(out, "selected")
    select(pool, recipe, selected, scores=scores, against=against, progress=progress)
    return selected


def _extended(recipe: Recipe, pool: Path, out: Path, asking: Asking) -> Path:
    """The pool with the questions that a teacher writes about it, beside `out`."""
    from .synthesis.run import synthesize
    from .synthesis.verify import verify_answers

    written, verified = beside(out, "synthesis"), beside(out, "verified")
    spent = synthesize(pool, recipe, written, asking)
    if asking.budget_usd is not None:  # one budget for both
        asking = replace(asking, budget_usd=max(0.0, asking.budget_usd - (spent["usd"] or 0)))
    if asking.budget_tokens is not None:
        asking = replace(asking, budget_tokens=max(0, asking.budget_tokens - spent["tokens"]))
    verify_answers(pool, written, recipe, verified, asking)
    return verified


def _withheld(public: bool, rehost: Collection[str]) -> tuple[str, ...]:
    """Names of the sources whose images are left out."""
    for name in rehost:
        source(name)  # raises UsageError for a wrong one
    if rehost and not public:
        raise UsageError("Images are only left out of public datasets; give --public too.")
    closed = (s.name for s in SOURCES.values() if s.rehost != "yes" and s.name not in rehost)
    return tuple(sorted(closed)) if public else ()


def import_release(
    recipe: Recipe,
    annotations: Path | str,
    images: Path | str,
    out: Path | str = "mathv360k",
    *,
    progress: Progress = quiet,
) -> dict[str, Any]:
    """Build the dataset folder `out` from the released MathV360K; its manifest.

    `annotations` is train_samples_all_tuning.json, `images` its image folder or zip, which is read
    in place. Raises as `build` does.
    """
    annotations, images, out = Path(annotations), Path(images), Path(out)
    refuse_foreign(out, "dataset")
    pool = beside(out, "pool")
    with open_release(annotations, images) as feed:
        parameters = {"release": fingerprint(annotations, images)}
        _pool_step([feed], pool, parameters, progress)
    return write_dataset(recipe, pool, out, progress)


def beside(out: Path, step: str) -> Path:
    """Where a step's folder (pool, scores, selected) is kept for `out`, a dataset or a pool."""
    if not out.name or out.name == "..":
        out = out.resolve()
    return out.with_name(f"{out.name}.{step}")


def read_sources(
    recipe: Recipe, pool: Path, source_root: Path | None = None, progress: Progress = quiet
) -> None:
    """Read the recipe's sources into a pool folder, or leave it where nothing has changed."""
    if not recipe.sources:
        raise UsageError(f"Recipe {recipe.name} names no sources.")
    feeds, inputs = [], {}
    for name, choice in recipe.sources.items():
        options = ReadOptions(choice.splits, choice.limit, recipe.seed)
        if choice.hub is None:
            feed, input_print = _feed(name, options, source_root)
        else:
            feed, input_print = _hub_feed(name, choice.hub, options)
        feeds.append(feed)
        inputs[name] = {**choice.model_dump(mode="json"), "files": input_print}
    _pool_step(feeds, pool, {"seed": recipe.seed, "sources": inputs}, progress)


def _feed(name: str, options: ReadOptions, source_root: Path | None) -> tuple[Feed, str]:
    declared = source(name)
    if not declared.files:  # drawn on the spot
        return _reading(declared, Path(), options), ""
    if source_root is None:
        raise UsageError(f"{name} is read from a folder; say where with --source-root DIR.")
    if not source_root.is_dir():
        raise UsageError(f"{source_root} is not a folder; say where the sources are.")
    folder = source_root / name
    if not folder.is_dir():
        raise SourceError(f"{folder} does not exist; {declared.obtain}")
    return _reading(declared, folder, options), fingerprint(folder)


def _hub_feed(name: str, hub: str, options: ReadOptions) -> tuple[Feed, str]:
    from .builder.sources.mirrors import read_mirror, resolve

    declared = source(name)
    if not declared.mirrors:
        raise UsageError(f"{name} cannot be read from the Hub; leave its `hub` out of the recipe.")
    address = resolve(hub)
    rows = ((declared, row) for row in read_mirror(declared, address, options))
    return Feed(name, rows, options.limit), address.commit


def _reading(declared: Source, folder: Path, options: ReadOptions) -> Feed:
    def rows() -> Iterator[tuple[Source, Candidate | Rejection]]:
        with Files(folder) as files:
            for row in declared.read(files, options):
                yield declared, row

    return Feed(declared.name, rows(), options.limit)


def _pool_step(
    feeds: list[Feed], pool: Path, parameters: dict[str, Any], progress: Progress
) -> None:
    parameters = {**parameters, "software": {n: version(n) for n in ("mathv360k", "pillow")}}
    if done_before(pool, "pool", parameters):
        return
    write_pool(feeds, pool, parameters, progress)


def write_dataset(
    recipe: Recipe,
    pool: Path,
    out: Path,
    progress: Progress = quiet,
    withheld: Collection[str] = (),
) -> dict[str, Any]:
    """Split the pool, write its shards, card and manifest into `out`; the manifest.

    Raises `errors.FolderError` where `pool` is no pool, has no questions, or `out` is not ours.
    """
    from .dataset_card.card import write_card  # matplotlib takes its time

    pool_manifest = open_pool(pool)
    if not pool_manifest["questions"]:
        where = f"{pool / QUARANTINE_FILE} has the reason for each row"
        reason = where if pool_manifest["quarantine"] else "there are no rows"
        raise FolderError(f"Not one usable question was found; {reason}.")
    inputs = {"pool": files_digest(pool_manifest)}
    parameters = {
        **recipe.model_dump(mode="json", include={"name", "version", "seed", "splits"}),
        "withheld": sorted(withheld),
        "software": {n: version(n) for n in ("mathv360k", "pyarrow")},
    }
    done = done_before(out, "dataset", parameters)
    if done and done["inputs"] == inputs:
        return done
    with new_folder(out, "dataset") as folder:
        with _explained(pool, pool_manifest):
            body = _write(recipe, pool, folder, progress, withheld)
        body |= {
            "recipe": recipe.model_dump(mode="json", exclude_defaults=True),
            "parameters": parameters,
            "inputs": inputs,
            "quarantine": pool_manifest["reasons"],
        }
        for note in ("near_duplicates", "compared", "not_compared", "synthesis"):
            if pool_manifest.get(note):
                body[note] = pool_manifest[note]
        body["files"] |= write_card(folder, body)
        write_manifest(folder, "dataset", body)
    return finished(out, "dataset")


@contextmanager
def _explained(pool: Path, manifest: dict[str, Any]) -> Iterator[None]:
    """What goes wrong while a pool is read, told as what it comes from."""
    failure: Exception | None = None
    try:
        yield
    except Exception as error:
        failure = error
    if read_manifest(pool, "pool") != manifest:
        raise FolderError(f"{pool} was changed by another process; run the command again.")
    unreadable = isinstance(failure, OSError) and failure.errno is None  # so says Parquet
    if unreadable or isinstance(failure, pa.ArrowException):
        raise FolderError(f"{pool} is damaged ({failure}); delete it and build again.")
    if failure is not None:
        raise failure


def _write(
    recipe: Recipe, pool: Path, folder: Path, progress: Progress, withheld: Collection[str]
) -> dict[str, Any]:
    """Write the data files; what the manifest says about them."""
    images = pq.read_table(pool / "images.parquet", columns=["image_id", "dhash"])
    questions = read_questions(pool, ["image", "problem"])
    split = assign_splits(images, questions, recipe.splits, recipe.seed)
    rows = {name: np.flatnonzero(split == i) for i, name in enumerate(recipe.splits)}
    filled = {name: r for name, r in rows.items() if len(r)}
    ids = images["image_id"].to_pylist()
    written = write_shards(pool, filled, folder, progress, withheld)
    rejected = {}
    if (pool / REJECTED_FILE).exists():
        split_of = {ids[row]: name for name, rows in filled.items() for row in rows.tolist()}
        rejected = write_rejected(pq.read_table(pool / REJECTED_FILE), split_of, folder)
    (folder / QUARANTINE_FILE).write_bytes((pool / QUARANTINE_FILE).read_bytes())
    return {
        "name": recipe.name,
        "version": recipe.version,
        "digest": written.digest,
        "splits": {
            name: {"images": s.images, "questions": s.questions, "bytes": s.bytes}
            for name, s in written.splits.items()
        },
        "rejected": {
            split: {"questions": rows, "bytes": size} for split, (_, rows, size) in rejected.items()
        },
        "sources": (composition := _composition(pool)),
        "withheld": [name for name in composition if name in withheld],
        "files": {
            **{n: f.result() for s in written.splits.values() for n, f in s.files.items()},
            **{name: seal(folder / name) for name, _, _ in rejected.values()},
            QUARANTINE_FILE: seal(folder / QUARANTINE_FILE),
        },
    }


def _composition(pool: Path) -> dict[str, dict[str, Any]]:
    """Per source its tasks, licence, images, and questions by kind."""
    by_source = ["source", "task", "license"]
    images = pq.read_table(pool / "images.parquet", columns=by_source)
    questions = read_questions(pool, [*by_source, "kind"])
    result: dict[str, dict[str, Any]] = {}
    counted = questions.group_by([*by_source, "kind"]).aggregate([([], "count_all")])
    order = [(name, "ascending") for name in ("source", "task", "kind")]
    for row in counted.sort_by(order).to_pylist():
        entry = result.setdefault(
            row["source"], {"tasks": [], "license": row["license"], "images": 0, "questions": {}}
        )
        if row["task"] not in entry["tasks"]:
            entry["tasks"].append(row["task"])
        kinds = entry["questions"]
        kinds[row["kind"]] = kinds.get(row["kind"], 0) + row["count_all"]
    for row in images.group_by(["source"]).aggregate([([], "count_all")]).to_pylist():
        if row["source"] in result:
            result[row["source"]]["images"] = row["count_all"]
    return result
