"""What people see of a teacher on the terminal: estimates, progress, what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from .errors import MathV360KError
from .synthesis.tally import Tally, Watch
from .synthesis.teacher import Status
from .terminal import ERR, OUT, tell

_LINE_EVERY = 60.0  # seconds


def show_estimate(told: dict[str, Any]) -> None:
    """What a job would take, by purpose, and in all."""
    table = Table(title=f"{told['model']}: what is still to be asked")
    for name in ("purpose", "requests", "input tokens", "output tokens", "at most"):
        table.add_column(name, justify="left" if name == "purpose" else "right")
    for purpose, kind in told["to_ask"].items():
        names = ("requests", "input_tokens", "output_tokens", "most_output_tokens")
        table.add_row(escape(purpose), *(f"{kind[n]:,}" for n in names))
    OUT.print(table)
    tell(f"{told['answered']:,} of {told['requests']:,} requests are in the ledger.")
    if told["usd"] is None:
        tell(f"The price of {told['model']} is not known; give one with --prices.", "yellow")
    else:
        tell(
            f"About ${told['usd']:,.2f}, at most ${told['most_usd']:,.2f}; "
            f"as a batch about ${told['batch_usd']:,.2f}."
        )


def show_labelled(told: dict[str, Any]) -> None:
    """What a teacher has labelled."""
    tell(f"{told['labels']} has labels of {told['labelled']:,} of {told['images']:,} images.")
    _show_faults(told["failures"], "Without a label")
    tell(_usd(told["usd"]))


def show_written(told: dict[str, Any]) -> None:
    """What a synthesis brought."""
    tell(f"{told['folder']} has {told['questions']:,} questions of good form.")
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
        tell(f"{what}: {listed}.", "yellow")


def _usd(usd: float | None) -> str:
    return "at a price that is not known." if usd is None else f"${usd:,.2f}."


def _show_cost(told: dict[str, Any]) -> None:
    tell(f"{told['requests']:,} answers of the teacher, {_usd(told['usd'])}")
    if told["missing"]:
        tell(f"{told['missing']:,} requests have no answer; the same command asks them.", "yellow")


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
    tell(f"{answers:,} answers, ${usd:,.2f}{more}.")


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
