"""What people see of a score and of a comparison."""

from __future__ import annotations

from typing import Any

from rich.markup import escape
from rich.table import Table

from .eval.leaderboard import PUBLISHED
from .terminal import OUT, tell

_VALUES = 24
"""Values of a category beyond which it is only in the JSON."""


def show_score(name: str, told: dict[str, Any]) -> None:
    """The accuracy, by category, what it rests on, and published numbers."""
    low, high = told["interval"]
    tell(
        f"{name}: {told['correct']:,} of {told['total']:,} right, {told['accuracy']:.2%} "
        f"[{low:.2%}, {high:.2%}], {told['benchmark']} by the rules {told['rules']}",
        "bold",
    )
    for category, values in told["by"].items():
        if len(values) <= _VALUES:
            table = Table(escape(category), "right", "of", "share")
            for column in table.columns[1:]:
                column.justify = "right"
            for value, (correct, total) in values.items():
                share = f"{correct / total:.1%}"
                table.add_row(escape(value), f"{correct:,}", f"{total:,}", share)
            OUT.print(table)
    if told["extracted_by_rule"]:
        tell("The file has no extracted answers; they were extracted by rule, without a model.")
    if told["guessing"] is not None:
        tell(f"Guessing among choices, yes and no would give {told['guessing']:.1%}.")
    if told["missing"]:
        tell(f"{told['missing']:,} items have no answer in the file and are not counted.", "red")
    if told["rules"] != "sound":
        share = told["sound"] / max(1, told["total"])
        tell(
            f"{told['fallbacks']:,} verdicts come from a fallback, which credits "
            f"{told['fallbacks_credited']:,}. By sound rules {share:.2%} are right; "
            f"{len(told['differences']):,} items differ (--json lists them)."
        )
    for what, items in told["notes"].items():
        tell(f"{len(items):,} items: {what} (as {items[0]}).", "yellow")
    for model, percent, source in PUBLISHED.get(told["benchmark"], []):
        tell(f"published: {model} {percent} % ({source})", "dim")


def show_run(told: dict[str, Any]) -> None:
    """The score of a run, where its outputs are, and what was odd about it."""
    show_score(told["model"], told)
    for identity, error in list(told["errors"].items())[:5]:
        tell(f"{identity} has no answer: {error}", "yellow")
    if told["errors"]:
        tell(f"{len(told['errors']):,} problems have no answer and count as wrong.", "yellow")
    if seen := told["seen_in_training"]:
        tell(
            f"The model was trained on the very images of {len(seen):,} of these problems, the "
            f"first is {seen[0]}: this score says little about new ones.",
            "red",
        )
    tell(f"Outputs, prompt {told['prompt']}: {told['outputs']}", "dim")


def show_asked(told: dict[str, Any]) -> None:
    """What a model was asked about the rows of a file."""
    ruled = f", {told['by_rule']:,} decided by rule" if "by_rule" in told else ""
    tell(f"{told['file']}: {told['asked']:,} asked{ruled}, {told['kept']:,} were there already.")
    if told["failed"]:
        tell(
            f"{len(told['failed']):,} got no answer that can be used, the first is "
            f"{told['failed'][0]}.",
            "yellow",
        )


def show_comparison(first: str, second: str, told: dict[str, Any]) -> None:
    """Who is better by how much, and whether that can be chance."""
    low, high = told["interval"]
    tell(
        f"{second} minus {first}: {told['difference']:+.2%} [{low:+.2%}, {high:+.2%}] on "
        f"{told['items']:,} items"
    )
    tell(
        f"Right is only {first} in {told['only_first']:,} and only {second} in "
        f"{told['only_second']:,} items: p = {told['p']:.3g} (McNemar, exact)."
    )
