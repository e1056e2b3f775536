"""Published numbers to compare with, and a row for a table of one's own."""

from __future__ import annotations

from typing import Any

PUBLISHED: dict[str, list[tuple[str, float, str]]] = {
    "mathvista": [
        ("Math-LLaVA-13B", 46.6, "arXiv 2406.17294"),
        ("LLaVA-1.5-13B", 27.6, "arXiv 2406.17294"),
    ],
    "mmmu": [
        ("Math-LLaVA-13B", 38.3, "arXiv 2406.17294"),
        ("LLaVA-1.5-13B", 36.4, "the leaderboard of MMMU, val"),
    ],
    "mathvision": [
        ("Math-LLaVA-13B", 15.69, "arXiv 2406.17294"),
        ("LLaVA-1.5-13B", 11.12, "mathllm/MATH-V at a1f5cc3, outputs"),
    ],
}
"""Model, per cent right, and where that is said. Outputs of Math-LLaVA were never released."""


def markdown_row(name: str, score: dict[str, Any]) -> str:
    """A row of a Markdown table: model, benchmark and rules, per cent, counts, fallbacks, sound."""
    low, high = score["interval"]
    sound = 100 * score["sound"] / max(1, score["total"])
    return (
        f"| {name} | {score['benchmark']} ({score['rules']}) | {100 * score['accuracy']:.2f} "
        f"[{100 * low:.2f}, {100 * high:.2f}] | {score['correct']}/{score['total']} | "
        f"{score['fallbacks']} | {sound:.2f} |"
    )
