"""What people see on the terminal: tables and sentences about what was built, found or checked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from time import monotonic
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from . import pipeline
from .doctor import Check
from .errors import MathV360KError, UsageError
from .pipeline import QUARANTINE
from .synthesis.teacher import Status
from .synthesis.window import Tally, Watch

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object for machines.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress bars, no summary.")]

_LINE_EVERY = 60.0  # seconds

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
        OUT.print(f"Each quarantined row with its reason: {folder / QUARANTINE}")
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
                _print(f"  lacks {pattern}", "red")
            for image in row["missing_examples"]:
                _print(f"  no image {image}", "red")
        if row["error"]:
            _print(f"  {row['error']}", "red")
        for asked in row["questions"]:
            listed = "".join(f" ({chr(65 + i)}) {c}" for i, c in enumerate(asked["choices"]))
            _print(f"  {asked['image']}: {asked['question']}{listed} → {asked['answer']}")
        for reason, count in row["quarantined"].items():
            _print(f"  {reason}: {count:,}", "yellow")
            for bad in row["rejected"]:
                if bad["reason"] == reason:
                    _print(f"    {bad['row']}: {bad['detail']}", "dim")


def _print(text: str, style: str = "") -> None:
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
        _print(note, "yellow")


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
        _print(f"{name}: {report[name]['folds']}.")
    for row in report["agreement"]:
        who = " and ".join(row["labellers"])
        _print(f"{who}: kappa {row['clarity_kappa']} clarity, {row['complexity_kappa']} complexity")


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
        _print(f"{hit['id']} = {hit['benchmark']}:{hit['benchmark_id']}: {hit['evidence']}", "dim")
    if unreadable:
        first = unreadable[0]
        _print(
            f"{len(unreadable):,} images of benchmarks could not be read and were not compared, "
            f"the first is {first['benchmark']}:{first['benchmark_id']}: {first['reason']}.",
            "yellow",
        )


def show_not_compared(manifest: dict[str, Any]) -> None:
    """How many images of the benchmarks could not be looked for, where there are any."""
    if count := manifest.get("not_compared"):
        _print(
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


def show_estimate(told: dict[str, Any]) -> None:
    """What a job would take, by purpose, and in all."""
    table = Table(title=f"{told['model']}: what is still to be asked")
    for name in ("purpose", "requests", "input tokens", "output tokens", "at most"):
        table.add_column(name, justify="left" if name == "purpose" else "right")
    for purpose, kind in told["to_ask"].items():
        names = ("requests", "input_tokens", "output_tokens", "most_output_tokens")
        table.add_row(escape(purpose), *(f"{kind[n]:,}" for n in names))
    OUT.print(table)
    _print(f"{told['answered']:,} of {told['requests']:,} requests are in the ledger.")
    if told["usd"] is None:
        _print(f"The price of {told['model']} is not known; give one with --prices.", "yellow")
    else:
        _print(
            f"About ${told['usd']:,.2f}, at most ${told['most_usd']:,.2f}; "
            f"as a batch about ${told['batch_usd']:,.2f}."
        )


def show_labelled(told: dict[str, Any]) -> None:
    """What a teacher has labelled."""
    _print(f"{told['labels']} has labels of {told['labelled']:,} of {told['images']:,} images.")
    _show_faults(told["failures"], "Without a label")
    _print(_usd(told["usd"]))


def show_written(told: dict[str, Any]) -> None:
    """What a synthesis brought."""
    _print(f"{told['folder']} has {told['questions']:,} questions of good form.")
    _show_faults(told["faults"], "Not usable")
    _show_cost(told)


def show_yield(told: dict[str, Any]) -> None:
    """How many written questions were kept, by kind, source and task, and why others were not."""
    synthesis = told["synthesis"]
    table = Table(title=f"questions kept in {told['folder']}")
    for name in ("kind", "source", "task", "asked for", "kept", "share"):
        table.add_column(name, justify="left" if name in ("kind", "source", "task") else "right")
    faults: dict[str, int] = {}
    for row in synthesis["yield"]:
        written = row["kept"] + sum(row["rejected"].values())
        counts = (f"{written:,}", f"{row['kept']:,}", f"{row['kept'] / written:.1%}")
        table.add_row(escape(row["kind"]), escape(row["source"]), row["task"], *counts)
        for fault, count in row["rejected"].items():
            faults[fault] = faults.get(fault, 0) + count
    OUT.print(table)
    _show_faults(faults, "Rejected")
    _show_cost(synthesis)


def _show_faults(faults: dict[str, int], what: str) -> None:
    if faults:
        listed = ", ".join(f"{fault} {count:,}" for fault, count in sorted(faults.items()))
        _print(f"{what}: {listed}.", "yellow")


def _usd(usd: float | None) -> str:
    return "at a price that is not known." if usd is None else f"${usd:,.2f}."


def _show_cost(told: dict[str, Any]) -> None:
    _print(f"{told['requests']:,} answers of the teacher, {_usd(told['usd'])}")
    if told["missing"]:
        _print(
            f"{told['missing']:,} requests have no answer; the same command asks them.", "yellow"
        )


def show_ledger(told: dict[str, Any]) -> None:
    """Answers and cost by model, purpose and how they ended."""
    table = Table(title=escape(told["ledger"]))
    for name in ("model", "purpose", "ended", "answers", "input tokens", "output tokens", "USD"):
        table.add_column(name, justify="left" if name in ("model", "purpose", "ended") else "right")
    for row in told["answers"]:
        tokens = (row["answers"], row["input_tokens"], row["output_tokens"])
        usd = "unknown" if row["usd"] is None else f"{row['usd']:,.4f}"
        names = (escape(row["model"]), escape(row["purpose"]), row["status"])
        table.add_row(*names, *(f"{n:,}" for n in tokens), usd)
    OUT.print(table)
    answers = sum(row["answers"] for row in told["answers"])
    usd = sum(row["usd"] or 0 for row in told["answers"])
    unknown = sum(row["without_price"] for row in told["answers"])
    more = f" and {unknown:,} answers whose price is not known" if unknown else ""
    _print(f"{answers:,} answers, ${usd:,.2f}{more}.")


@contextmanager
def asking_bar(quiet: bool) -> Iterator[Watch]:
    """A bar of the answers with rate, cost so far and in the end, and failures.

    Without a terminal a line a minute, so that the log of a long run tells how it goes.
    """
    if quiet:
        with _interruptible():
            yield lambda _: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[how]}"),
        TimeElapsedColumn(),
    )
    with _interruptible(), Progress(*columns, console=ERR, disable=not ERR.is_terminal) as bars:
        tasks: dict[int, Any] = {}
        told = monotonic()

        def show(tally: Tally) -> None:
            nonlocal told
            how = _how(tally)
            if ERR.is_terminal:
                if id(tally) not in tasks:
                    tasks[id(tally)] = bars.add_task("asking", total=tally.total, how=how)
                bars.update(tasks[id(tally)], completed=tally.done, how=how)
            elif monotonic() - told > _LINE_EVERY:
                told = monotonic()
                ERR.print(f"{tally.done:,} of {tally.total:,}: {how}", highlight=False)

        yield show


def _how(tally: Tally) -> str:
    parts = [f"{tally.rate:,.1f}/s"]
    if tally.usd:
        parts.append(f"${tally.usd:,.2f} of about ${tally.usd_in_the_end:,.2f}")
    parts += [f"{n:,} {s}" for s, n in sorted(tally.ended.items()) if s != Status.ANSWERED and n]
    if tally.unanswered:
        parts.append(f"{tally.unanswered:,} without answer")
    return ", ".join(parts)


@contextmanager
def _interruptible() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        raise MathV360KError(
            "Interrupted; what was there before is unchanged and answers are in the ledger, "
            "run the same command again."
        ) from None


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
