"""The commands between a pool and a version: label, fit, score, select, decontaminate."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from . import curation, scoring
from .asking_options import ADDRESS, DRY_RUN, ENGINE, asking_options, cluster_of
from .builder.recipe import Recipe, Scoring, Selection, TeacherChoice, read_recipe, teacher_named
from .errors import UsageError, require_extra
from .pipeline import beside
from .synthesis.asking import Asking
from .synthesis_terminal import show_estimate, show_labelled
from .terminal import (
    OUT,
    Json,
    Quiet,
    progress_bars,
    refuse_path,
    show_hits,
    show_not_compared,
    show_report,
    show_selection,
)

app = typer.Typer()

Pool = Annotated[Path, typer.Argument(help="A pool: `build` leaves one beside the dataset.")]
Model = Annotated[
    str, typer.Option(help="A CLIP or SigLIP on the Hub, a folder, or `embedded` (small, offline).")
]
Device = Annotated[
    str | None, typer.Option(help="cpu, cuda, cuda:1 … [default: a GPU if there is one]")
]
Seed = Annotated[int, typer.Option(min=0, max=2**32 - 1)]
_CLIP = Scoring().model


@app.command(epilog="Example: `mathv360k label mathv360k.pool --count 200 --images to-label`")
@asking_options
def label(
    pool: Pool,
    asking: Asking,
    out: Annotated[Path, typer.Option(help="The table to fill in.")] = Path("labels.csv"),
    count: Annotated[int, typer.Option(min=1, help="How many images.")] = 10_000,
    images: Annotated[
        Path | None, typer.Option(help="Copy the pictures into this folder too.")
    ] = None,
    seed: Seed = 0,
    teacher: Annotated[
        str | None, typer.Option(help="Have this model fill the table in instead of people.")
    ] = None,
    dry_run: DRY_RUN = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Draw images to label, uniformly over sources, as a table for people or a teacher."""
    refuse_path(out, ".csv")
    if teacher is not None:
        if images is not None:
            raise UsageError("--images copies pictures for people; leave it out with --teacher.")
        _label_by(teacher_named(teacher), pool, out, count, seed, asking, dry_run,
                  as_json, quiet)  # fmt: skip
        return
    if dry_run:
        raise UsageError("--dry-run says what a teacher costs; give --teacher too.")
    written = scoring.sample_for_labels(pool, out, count, seed, images)
    if as_json:
        print(json.dumps({"labels": str(out), "images": written}))
    elif not quiet:
        OUT.print(
            f"{out} has {written:,} images; fill in clarity (0 or 1), complexity (0 to 3) and your "
            "name as labeller.",
            highlight=False,
            soft_wrap=True,
        )


def _label_by(
    teacher: TeacherChoice,
    pool: Path,
    out: Path,
    count: int,
    seed: int,
    asking: Asking,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    require_extra("score", "pandas", "sklearn")
    from .synthesis import labels

    if dry_run:
        told = labels.dry_run(pool, count, seed, teacher, asking)
    else:
        told = labels.label_images(pool, out, count, seed, teacher, asking)
    if as_json:
        print(json.dumps(told, indent=1))
    elif quiet:
        return
    elif dry_run:
        show_estimate(told)
    else:
        show_labelled(told)


@app.command(epilog="Example: `mathv360k fit labels.csv --pool mathv360k.pool --model embedded`")
def fit(
    labels: Annotated[list[Path], typer.Argument(help=".csv, .jsonl or .parquet, one or more.")],
    pool: Annotated[Path, typer.Option(help="The pool that has the labelled images.")],
    out: Annotated[Path, typer.Option(help="The folder to write.")] = Path("classifiers"),
    model: Model = _CLIP,
    seed: Seed = 0,
    device: Device = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Fit the classifiers of clarity and complexity on labelled images."""
    with progress_bars(quiet or as_json) as progress:
        manifest = scoring.fit(
            pool, labels, out, model, seed=seed, device=device, progress=progress
        )
    if as_json:
        print(json.dumps({"folder": str(out), "report": manifest["report"]}, indent=1))
    elif not quiet:
        show_report(manifest["report"])


@app.command(epilog="Example: `mathv360k score mathv360k.pool --model embedded`")
def score(
    pool: Pool,
    out: Annotated[
        Path | None, typer.Option(help="The folder to write. [default: POOL.scores]")
    ] = None,
    model: Model = _CLIP,
    classifiers: Annotated[
        str | None,
        typer.Option(help="What `fit` wrote, or `embedded`. [default: classifiers, or embedded]"),
    ] = None,
    device: Device = None,
    engine: ENGINE = "local",
    address: ADDRESS = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Score the clarity and complexity of every image of a pool."""
    out = out or beside(pool, "scores")
    judges = classifiers or ("embedded" if model == "embedded" else "classifiers")
    chosen = Scoring(model=model, classifiers=judges)
    cluster = cluster_of(engine, address)
    with progress_bars(quiet or as_json) as progress:
        manifest = scoring.score(
            pool, chosen, out, device=device, cluster=cluster, progress=progress
        )
    if as_json:
        print(json.dumps({"folder": str(out), **manifest}, indent=1))
    elif not quiet:
        OUT.print(f"{out} has the scores of {manifest['images']:,} images.", highlight=False)


@app.command(epilog="Example: `mathv360k select mathv360k.pool paper --dry-run`")
def select(
    pool: Pool,
    recipe: Annotated[
        str | None, typer.Argument(help="A recipe with `select`. [default: all clear images]")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The pool to write. [default: POOL.selected]")
    ] = None,
    scores: Annotated[
        Path | None, typer.Option(help="What `score` wrote. [default: POOL.scores if it is there]")
    ] = None,
    against: Annotated[
        list[Path] | None,
        typer.Option(help="Mark what this benchmark (folder or file) shares. Repeatable."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be taken.")] = (
        False
    ),
    picture: Annotated[
        Path | None, typer.Option(help="Draw the images before and after as PNG.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Choose clear images by source and complexity, and keep one of near-duplicates."""
    there = beside(pool, "scores")
    scores = scores or (there if there.is_dir() else None)
    chosen = Recipe(name="selected") if recipe is None else read_recipe(recipe)
    if chosen.select is None:
        chosen = chosen.model_copy(update={"select": Selection()})
    assert chosen.select is not None
    refuse_path(picture, ".png")
    if dry_run:
        if against:
            raise UsageError("--dry-run does not look at benchmarks; leave --against out.")
        plan = curation.plan_selection(pool, chosen.select, scores)
        result = curation.told(plan)
        if picture:
            _draw(result, picture)
        if as_json:
            print(json.dumps({"images": int(plan.taken.sum()), **result}, indent=1))
        elif not quiet:
            show_selection(result)
        return
    out = out or beside(pool, "selected")
    with progress_bars(quiet or as_json) as progress:
        manifest = curation.select(
            pool, chosen, out, scores=scores, against=against or (), progress=progress
        )
    if picture:
        _draw(manifest["selection"], picture)
    if as_json:
        print(json.dumps({"folder": str(out), **manifest}, indent=1))
    elif not quiet:
        show_selection(manifest["selection"])
        OUT.print(
            f"{out} has {manifest['images']:,} images with {manifest['questions']:,} questions; "
            f"{manifest['near_duplicates']:,} near-duplicates were merged.",
            highlight=False,
            soft_wrap=True,
        )
        show_not_compared(manifest)


def _draw(told: dict[str, dict[str, dict[str, list[int]]]], path: Path) -> None:
    require_extra("score", "matplotlib")
    from .dataset_card.curation_figures import draw_selection

    draw_selection(told["sources"], path)


@app.command(epilog="Example: `mathv360k decontaminate mathv360k --against MathVista`")
def decontaminate(
    dataset: Annotated[
        Path | None, typer.Argument(help="A dataset folder or a pool; none to only --export.")
    ] = None,
    against: Annotated[
        list[Path] | None,
        typer.Option(help="A benchmark: folder, .parquet, .json, or a hash list. Repeatable."),
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Show the hits side by side as HTML.")] = None,
    export: Annotated[
        Path | None, typer.Option(help="Write the benchmarks' hashes (.parquet) to share them.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Also look for pictures with this CLIP's features.")
    ] = None,
    device: Device = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Find what a dataset shares with benchmarks: images by file and pixels, questions by words."""
    if not against:
        raise UsageError("Name at least one benchmark with --against.")
    if dataset is None and export is None:
        raise UsageError("Name a dataset folder to search, or a file with --export.")
    refuse_path(report, ".html", ".htm")
    refuse_path(export, ".parquet")
    hits, unreadable = [], []
    with progress_bars(quiet or as_json) as progress:
        if export is not None:
            curation.export_hashes(against, export, progress)
        if dataset is not None:
            found, lost = curation.decontaminate(
                dataset, against, model=model, device=device, report=report, progress=progress
            )
            hits = [asdict(hit) for hit in found]
            unreadable = [
                {"benchmark": i.benchmark, "benchmark_id": i.id, "reason": i.unreadable}
                for i in lost
            ]
    if as_json:
        told = {"hits": hits, "unreadable": unreadable}
        print(json.dumps(told, indent=1, ensure_ascii=False))
    elif not quiet and dataset is not None:
        show_hits(hits, unreadable)
