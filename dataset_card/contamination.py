"""A page that shows what a dataset shares with benchmarks, side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..builder.benchmarks import Item
from ..builder.decontamination import Content, Hit
from ..builder.schema import Unusable
from .preview import thumbnail
from .templates import write_document

SHOWN = 500
"""Hits with their pictures; the others are told in words, or no browser would open the page."""


def write_contamination(
    content: Content, items: Sequence[Item], hits: Sequence[Hit], out: Path
) -> None:
    """Write `out`, one HTML file without references: every hit, the first ones side by side."""
    shown = hits[:SHOWN]
    theirs: dict[tuple[str, str], Item] = {}
    for item in items:  # the first of an item with several images has its question
        theirs.setdefault((item.benchmark, item.id), item)
    wanted_images, wanted_rows = {h.image_id for h in shown}, {h.id for h in shown}
    pictures = {
        image_id: thumbnail(load())
        for image_id, load, _ in content.images()
        if image_id in wanted_images
    }
    asked = {row[0]: row for row in content.questions() if row[0] in wanted_rows}
    rows: list[dict[str, Any]] = []
    for hit in shown:
        _, _, question, choices, answer = asked[hit.id]
        item = theirs[hit.benchmark, hit.benchmark_id]
        ours = {"question": question, "choices": choices, "answer": answer}
        rows.append(
            {
                "hit": hit,
                "ours": {**ours, "picture": pictures.get(hit.image_id)},
                "theirs": {
                    "question": item.question,
                    "choices": item.choices,
                    "answer": item.answer,
                    "picture": _picture(item),
                },
            }
        )
    by_benchmark = Counter((hit.benchmark, hit.evidence) for hit in hits)
    write_document(
        "contamination.html.jinja",
        out,
        rows=rows,
        others=hits[SHOWN:],
        unreadable=[item for item in items if item.unreadable],
        count=len(hits),
        counts=sorted(by_benchmark.items()),
    )


def _picture(item: Item) -> str | None:
    try:
        return thumbnail(item.load()) if item.load else None
    except (Unusable, OSError):
        return None
