"""What people see on the terminal: tables and sentences about what was built, found or checked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from . import pipeline
from .builder.manifest import QUARANTINE_FILE
from .doctor import Check
from .errors import MathV360KError, UsageError

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bars, no summary.")]

OUT = Console()
ERR = Console(stderr=True)


def refuse_path(path: Path | None, *suffixes: str) -> None:
    """Say before the work is done that its result cannot be written to `path`."""
    if path is None:
        return
    if path.suffix.lower() not in suffixes:
        raise UsageError(f"{path} must end in {' or '.join(suffixes)}.")
    if not path.resolve().parent.is_dir():
        raise UsageError(f"{path.parent} is not a folder; make it first.")


def show_dataset(folder: Path, manifest: dict[str, Any]) -> None:
    """What a dataset folder holds."""
    table = Table(title=f"{manifest['name']} {manifest['version']} in {folder}")
    for name in ("source", "task"):
        table.add_column(name)
    for name in ("images", "questions", "quarantined"):
        table.add_column(name, justify="right")
    everything = sorted({*manifest["sources"], *manifest["quarantine"]})
    for name in everything:
        entry = manifest["sources"].get(name, {"tasks": [], "images": 0, "questions": {}})
        bad = manifest["quarantine"].get(name, {})
        counts = (entry["images"], sum(entry["questions"].values()), sum(bad.values()))
        table.add_row(name, " ".join(entry["tasks"]), *(f"{n:,}" for n in counts))
    OUT.print(table)
    splits = ", ".join(
        f"{name} {s['questions']:,} questions on {s['images']:,} images"
        for name, s in manifest["splits"].items()
    )
    OUT.print(f"Splits: {splits}.", highlight=False)
    for name, reasons in manifest["quarantine"].items():
        listed = ", ".join(f"{reason} {n:,}" for reason, n in reasons.items())
        OUT.print(f"Quarantined from {name}: {listed}.", highlight=False)
    if manifest["quarantine"]:
        OUT.print(f"Each quarantined row with its reason: {folder / QUARANTINE_FILE}")
    if manifest["withheld"]:
        OUT.print(f"Without the images of {', '.join(manifest['withheld'])}.", highlight=False)
    if folder == Path("mathv360k"):
        OUT.print('Load it here with: datasets.load_dataset("mathv360k")', highlight=False)


def show_sources(rows: list[dict[str, Any]]) -> None:
    """Licence, terms, and what to download from where, of each source."""
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column()
    table.add_column(overflow="fold")  # an address must not lose its end
    for row in rows:
        table.add_row(row["name"], row["task"], escape(row["license"]), style="bold")
        table.add_row("", "", escape(f"images may be re-hosted: {row['rehost']}. {row['terms']}"))
        table.add_row("", "", escape(f"{row['obtain']} {row['homepage']}"), style="dim")
    OUT.print(table)


def show_found(rows: list[dict[str, Any]]) -> None:
    """A line per source, then for those that are there what was read and what cannot be used."""
    table = Table()
    table.add_column("source")
    table.add_column("files")
    for column in ("images", "missing", "usable rows", "quarantined"):
        table.add_column(column, justify="right")
    for row in rows:
        counts = (row["images"], row["images_missing"], row["usable"])
        bad = sum(row["quarantined"].values())
        read = any(counts) or bad
        table.add_row(
            row["name"],
            "found" if row["found"] else "incomplete" if row["folder"] else "not there",
            *((f"{n:,}" for n in (*counts, bad)) if read else ()),
            style="bold" if row["found"] else "",
        )
    OUT.print(table)
    for row in rows:
        missing = [pattern for pattern, there in row["files"].items() if not there]
        if row["folder"]:
            OUT.print(f"\n[bold]{row['name']}[/]")
            for pattern in missing:
                tell(f"  lacks {pattern}", "red")
            for image in row["missing_examples"]:
                tell(f"  no image {image}", "red")
        if row["error"]:
            tell(f"  {row['error']}", "red")
        for asked in row["questions"]:
            listed = "".join(f" ({chr(65 + i)}) {c}" for i, c in enumerate(asked["choices"]))
            tell(f"  {asked['image']}: {asked['question']}{listed} → {asked['answer']}")
        for reason, count in row["quarantined"].items():
            tell(f"  {reason}: {count:,}", "yellow")
            for bad in row["rejected"]:
                if bad["reason"] == reason:
                    tell(f"    {bad['row']}: {bad['detail']}", "dim")


def tell(text: str, style: str = "") -> None:
    """Text from files of others: one line, no control characters."""
    shown = "".join(c if c.isprintable() else " " for c in text)
    OUT.print(shown, style=style, markup=False, highlight=False, soft_wrap=True)


def show_selection(told: dict[str, Any]) -> None:
    """Images by source and complexity: taken, wanted and available; and what fell short."""
    table = Table(title="images by complexity")
    table.add_column("source")
    table.add_column("")
    for level in (*"0123", "all"):
        table.add_column(level, justify="right")
    total = {key: [0] * 4 for key in ("taken", "wanted", "available")}
    for name, counts in told["sources"].items():
        for key, so_far in total.items():
            total[key] = [a + b for a, b in zip(so_far, counts[key], strict=True)]
        _add_counts(table, escape(name), counts)
    _add_counts(table, "all", total)
    OUT.print(table)
    for note in told["notes"]:
        tell(note, "yellow")


def _add_counts(table: Table, name: str, counts: dict[str, list[int]]) -> None:
    for key in ("taken", "wanted", "available"):
        values = [*counts[key], sum(counts[key])]
        style = None if key == "taken" else "dim"
        first = name if key == "taken" else ""
        table.add_row(first, key, *(f"{value:,}" for value in values), style=style)
    table.add_section()


def show_report(report: dict[str, Any]) -> None:
    """How good classifiers are on images that they had not seen."""
    table = Table()
    for name in ("", "images", "accuracy", "ROC-AUC", "macro F1", "weighted kappa"):
        table.add_column(name, justify="right" if name else "left")
    for name in ("clarity", "complexity"):
        r = report[name]
        numbers = (r["accuracy"], r["roc_auc"], r["macro_f1"], r["quadratic_weighted_kappa"])
        table.add_row(name, f"{r['images']:,}", *(f"{n:.3f}" for n in numbers))
    OUT.print(table)
    for name in ("clarity", "complexity"):
        tell(f"{name}: {report[name]['folds']}.")
    for row in report["agreement"]:
        who = " and ".join(row["labellers"])
        tell(f"{who}: kappa {row['clarity_kappa']} clarity, {row['complexity_kappa']} complexity")


def show_hits(hits: list[dict[str, Any]], unreadable: list[dict[str, Any]]) -> None:
    """What was found in benchmarks: counts, and the first ones; which images were not compared."""
    counts: dict[tuple[str, str], int] = {}
    for hit in hits:
        key = hit["benchmark"], hit["evidence"]
        counts[key] = counts.get(key, 0) + 1
    table = Table(title=f"{len(hits):,} questions that benchmarks share")
    for name in ("benchmark", "evidence", "questions"):
        table.add_column(name, justify="right" if name == "questions" else "left")
    for (benchmark, evidence), count in sorted(counts.items()):
        table.add_row(escape(benchmark), evidence, f"{count:,}")
    OUT.print(table)
    for hit in hits[:10]:
        tell(f"{hit['id']} = {hit['benchmark']}:{hit['benchmark_id']}: {hit['evidence']}", "dim")
    if unreadable:
        first = unreadable[0]
        tell(
            f"{len(unreadable):,} images of benchmarks could not be read and were not compared, "
            f"the first is {first['benchmark']}:{first['benchmark_id']}: {first['reason']}.",
            "yellow",
        )


def show_not_compared(manifest: dict[str, Any]) -> None:
    """How many images of the benchmarks could not be looked for, where there are any."""
    if count := manifest.get("not_compared"):
        tell(
            f"{count:,} images of benchmarks could not be read and were not compared; "
            "`mathv360k decontaminate` names them.",
            "yellow",
        )


def show_checks(checks: list[Check]) -> None:
    """A line for each thing that was looked at."""
    marks = {"good": "[green]ok  [/]", "note": "[yellow]note[/]", "bad": "[red]bad [/]"}
    for check in checks:
        OUT.print(marks[check.status], end=" ")
        OUT.print(f"{check.name}: {check.found}", markup=False, highlight=False, soft_wrap=True)


@contextmanager
def progress_bars(quiet: bool) -> Iterator[pipeline.Progress]:
    """A bar per thing that is being done, on the terminal's error stream."""
    try:
        with _bars() if not quiet else nullcontext(lambda *_: None) as progress:
            yield progress
    except KeyboardInterrupt:
        raise MathV360KError(
            "Interrupted; what was there before is unchanged, run the same command again."
        ) from None


@contextmanager
def _bars() -> Iterator[pipeline.Progress]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=ERR, disable=not ERR.is_terminal) as bars:
        tasks: dict[str, Any] = {}

        def show(what: str, done: int, total: int | None) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield show
