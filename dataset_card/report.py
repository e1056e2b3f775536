"""A page about a dataset: tables, figures, and a gallery of its images, in one HTML file."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from markupsafe import Markup

from ..builder.intake import Progress, quiet
from ..builder.manifest import data_files
from ..errors import UsageError
from . import tables
from .captions import captions, headline
from .card import counted
from .figures import draw_dataset
from .report_sample import Item, sample
from .statistics import Statistics, count
from .synthesis import MEANINGS
from .templates import render, write

LARGEST = 24_000_000
"""Bytes that the images and texts of the gallery may have; with all else it is under 25 MB."""


def write_report(
    folder: Path,
    manifest: dict[str, Any],
    out: Path,
    *,
    seed: int = 0,
    progress: Progress = quiet,
) -> int:
    """Write one HTML file without references to others; how many questions its gallery shows.

    Of a large dataset the gallery has a sample (`report_sample.sample`), the same for the same
    `seed`. Raises `FolderError` where files cannot be read, `UsageError` where `out` cannot be
    written.
    """
    if not out.parent.is_dir():
        raise UsageError(f"{out.parent} is not a folder; make it first.")
    names = data_files(manifest)
    statistics = count(folder, names)
    items, data = _within(sample(folder, names, statistics, seed, progress), LARGEST)
    script = Path(__file__).with_name("report.js").read_text(encoding="utf-8")
    there = counted(manifest, statistics)
    page = render(
        "report.html.jinja",
        manifest=there,
        headline=headline(statistics),
        sources=tables.sources(statistics),
        kinds=tables.kinds(statistics),
        written=tables.written(statistics),
        agreement=tables.agreement(statistics),
        contaminated=tables.contaminated(statistics, manifest),
        limits=tables.limits(statistics),
        rejected=_rejected(statistics),
        quarantine=_quarantine(there["quarantine"]),
        figures=_figures(folder, statistics),
        shown=len(items),
        images=len(statistics.images),
        style=Markup(Path(__file__).with_name("report.css").read_text(encoding="utf-8")),
        script=Markup(script),
        script_hash=base64.b64encode(sha256(script.encode()).digest()).decode(),
        data=Markup(data),
    )
    partial = out.with_name(f".{out.name}.partial")
    write(page, partial)
    partial.replace(out)
    return sum(len(item["questions"]) + len(item["rejected"]) for item in items)


def _within(items: Iterable[Item], limit: int) -> tuple[list[Item], str]:
    """The first items that together have at most `limit` bytes, and their JSON for a script."""
    kept, texts, size = [], [], 0
    for item in items:
        text = json.dumps(item, ensure_ascii=True, separators=(",", ":")).replace("<", "\\u003c")
        size += len(text) + 1
        if size > limit:
            break
        kept.append(item)
        texts.append(text)
    return kept, f"[{','.join(texts)}]"


def _rejected(statistics: Statistics) -> list[dict[str, Any]]:
    """How many written questions are not kept, by kind and reason."""
    counts = statistics.rejected.groupby(["reason", "kind"], observed=True).size()
    return [
        {
            "reason": str(key[0]),
            "kind": str(key[1]),
            "n": int(n),
            "meaning": MEANINGS.get(str(key[0]), ""),
        }
        for key, n in counts.items()
        if isinstance(key, tuple)
    ]


def _quarantine(reasons: dict[str, dict[str, int]]) -> list[tuple[str, str, int]]:
    return [(source, reason, n) for source, told in reasons.items() for reason, n in told.items()]


def _figures(folder: Path, statistics: Statistics) -> list[tuple[str, str]]:
    """Data URL and description of each figure, drawn anew: those of the card may be of old rows."""
    with TemporaryDirectory() as drawn:
        draw_dataset(folder, statistics, Path(drawn))
        return [
            (base64.b64encode((Path(drawn) / name).read_bytes()).decode(), alt)
            for name, alt in captions(statistics).items()
        ]
