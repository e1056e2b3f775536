"""What people see of a card's check, a comparison, a verification and a push."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from .terminal import OUT, tell

_SHOWN = 30
_SORTS = ("added", "removed", "moved", "changed")


def show_difference(told: dict[str, Any]) -> None:
    """Counts by split, source and kind, changed columns, and the first rows of each sort."""
    old, new = told["from"], told["to"]
    tell(f"{old['dataset']} ({old['version']}) → {new['dataset']} ({new['version']})")
    if told["level"] is None:
        tell("The content is the same; it is the same version.")
        return
    table = Table()
    table.add_column("")
    for sort in _SORTS:
        table.add_column(sort, justify="right")
    table.add_row("all", *(f"{told[sort]:,}" for sort in _SORTS), style="bold")
    for facet, values in told["by"].items():
        table.add_section()
        for value, counts in sorted(values.items()):
            numbers = (f"{counts.get(sort, 0):,}" for sort in _SORTS)
            table.add_row(f"{facet} {escape(value)}", *numbers)
    OUT.print(table)
    for name, count in told["fields"].items():
        tell(f"{name}: other in {count:,} rows")
    for what in ("columns", "images"):
        for sort, names in told[what].items():
            if names:
                tell(f"{what} {sort}: {', '.join(names)}")
    for sort in _SORTS:
        for row in told["samples"].get(sort, [])[:3]:
            moved = f" ({row['was']} → {row['split']})" if sort == "moved" else ""
            tell(f"{sort} {row['id']}{moved}", "dim")
            for name, (was, now) in row.get("fields", {}).items():
                tell(f"  {name}: {was!r} → {now!r}"[:200], "dim")
    tell(f"This is a {told['level']} change: {old['version']} → {told['next']}.", "bold")


def show_verification(told: dict[str, Any]) -> None:
    """A line per check, then what is wrong."""
    for check in told["checks"]:
        mark = "[red]bad [/]" if check["bad"] else "[green]ok  [/]"
        OUT.print(mark, end=" ")
        counts = f"{check['bad']:,} bad of " if check["bad"] else ""
        tell(f"{check['what']} ({counts}{check['checked']:,})")
    for problem in told["problems"]:
        tell(f"{problem['where']}: {problem['detail']}", "red")
    wrong = sum(check["bad"] for check in told["checks"])
    if wrong > len(told["problems"]):
        tell(f"… and {wrong - len(told['problems']):,} more", "red")
    verdict = "is what it says" if told["ok"] else "is not what it says"
    tell(f"{told['dataset']} ({told['name']} {told['version']}) {verdict}.")


def show_card(folder: Path, problems: list[dict[str, str]], checked: bool) -> None:
    """Where a card and the data disagree, or that it was written."""
    for problem in problems[:_SHOWN]:
        tell(f"{problem['where']}: {problem['detail']}", "red")
    if len(problems) > _SHOWN:
        tell(f"… and {len(problems) - _SHOWN:,} more", "red")
    if problems:
        tell(f"The card of {folder} does not say what the files hold; `mathv360k card` writes it.")
    else:
        tell(f"The card of {folder} {'agrees with the files' if checked else 'is written'}.")


def show_push(told: dict[str, Any], dry_run: bool) -> None:
    """What was, or would be, sent and deleted."""
    where = f"{told['repository']} ({told['revision']})"
    verb = "Would send" if dry_run else "Sent"
    if not told["send"] and not told["delete"]:
        tell(f"{where} has this already, as {told['version']}.")
    else:
        tell(f"{verb} {len(told['send'])} files, {told['bytes']:,} bytes, to {where}.")
    if dry_run:
        for name, size in told["send"].items():
            tell(f"  {size:>15,} {name}", "dim")
    for name in told["delete"]:
        tell(f"  deleted {name}", "dim")
    if told["tag"]:
        tell(f"{'Would tag it' if dry_run else 'Tagged'} {told['tag']}.")
