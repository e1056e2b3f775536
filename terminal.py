"""What people see on the terminal: tables and sentences about what was built, found or checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .doctor import Check
from .pipeline import QUARANTINE

OUT = Console()
ERR = Console(stderr=True)


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


def show_checks(checks: list[Check]) -> None:
    """A line for each thing that was looked at."""
    marks = {"good": "[green]ok  [/]", "note": "[yellow]note[/]", "bad": "[red]bad [/]"}
    for check in checks:
        OUT.print(marks[check.status], end=" ")
        OUT.print(f"{check.name}: {check.found}", markup=False, highlight=False, soft_wrap=True)
