"""The tables of a card and a report, counted from what the files hold."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pandas as pd

from ..builder.sources import EMBEDDED, SOURCES
from ..builder.sources.source import Source
from .kinds import MEANING
from .statistics import Statistics


def composition(statistics: Statistics) -> dict[str, dict[str, Any]]:
    """What the manifest says of each source: tasks, licence, images, questions by kind."""
    result = {}
    images = statistics.images["source"].value_counts()
    for name, rows in statistics.questions.groupby("source", observed=True):
        kinds = rows["kind"].value_counts()
        result[str(name)] = {
            "tasks": sorted(map(str, rows["task"].unique())),
            "license": ", ".join(sorted(map(str, rows["license"].dropna().unique()))),
            "images": int(images.get(name, 0)),
            "questions": {kind: int(n) for kind, n in sorted(kinds.items()) if n},
        }
    return result


def sources(statistics: Statistics) -> list[dict[str, Any]]:
    """A row of the table of sources each; `original` and `written` are numbers of questions."""
    shown = statistics.images.groupby("source", observed=True)["shown"].all()
    return [
        {
            "name": name,
            **source,
            "original": source["questions"].get("original", 0),
            "written": sum(source["questions"].values()) - source["questions"].get("original", 0),
            "shown": bool(shown.get(name, True)),
        }
        for name, source in composition(statistics).items()
    ]


def declared(sources: list[dict[str, Any]]) -> list[Source]:
    known = {**SOURCES, EMBEDDED.name: EMBEDDED}
    return [known[source["name"]] for source in sources if source["name"] in known]


def kinds(statistics: Statistics) -> list[dict[str, Any]]:
    counts = statistics.questions["kind"].value_counts().sort_index()
    return [
        {"name": kind, "what": MEANING.get(str(kind), "A kind of this dataset's recipe."), "n": n}
        for kind, n in counts.items()
        if n
    ]


def written(statistics: Statistics) -> list[dict[str, Any]]:
    """What was written by kind and source: how many are kept, and why others are not."""
    by = ["kind", "source"]
    written = statistics.questions[statistics.questions["kind"] != "original"]
    kept = written.groupby(by, observed=True).size()
    reasons: dict[Any, Counter[str]] = {}
    for key, rows in statistics.rejected.groupby(by, observed=True):
        reasons[key] = Counter(map(str, rows["reason"]))
    return [
        {"kind": key[0], "source": key[1], "kept": int(kept.get(key, 0)),
         "rejected": dict(sorted(reasons.get(key, Counter()).items()))}
        for key in sorted({*kept.index, *reasons}, key=lambda pair: tuple(map(str, pair)))
    ]  # fmt: skip


def agreement(statistics: Statistics) -> list[tuple[str, int]]:
    """Written questions by the share of answers that agreed."""
    written = statistics.questions[statistics.questions["kind"] != "original"]
    share = written["agreement"]
    bands = (
        ("all", share == 1),
        ("two thirds or more", share.between(0.66, 1, inclusive="left")),
        ("less", share < 0.66),
        ("not asked again", share.isna()),
    )
    return [(name, int(rows.sum())) for name, rows in bands] if len(written) else []


def contaminated(statistics: Statistics, manifest: dict[str, Any]) -> list[tuple[str, Any, int]]:
    """Of each benchmark how many items were compared, and how many questions it shares."""
    rows = statistics.questions["contamination"].value_counts()
    found = Counter[str]()
    for said, n in rows.items():
        for benchmark in {part.partition(":")[0] for part in str(said).split("; ")}:
            found[benchmark] += int(n)
    compared = manifest.get("compared") or {}
    return [(n, compared.get(n, ""), found[n]) for n in sorted({*compared, *found})]


def limits(statistics: Statistics) -> dict[str, int]:
    """Numbers of what is unknown or missing."""
    images, questions = statistics.images, statistics.questions
    written = questions[questions["kind"] != "original"]
    return {
        "images": len(images),
        "questions": len(questions),
        "written": len(written),
        "hidden": int((~images["shown"]).sum()),
        "without_scores": int((images["clarity"].isna() | images["complexity"].isna()).sum()),
        "unclear": int((images["clarity"] < 0.5).sum()),
        "not_asked_again": int(written["agreement"].isna().sum()),
        "unspecified": int((questions["kind"] == "synthetic").sum()),
        "chinese": int(questions["chinese"].sum()),
    }


def reasons(quarantine: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Rows that cannot be used by source and reason, as the manifest has them."""
    result: dict[str, dict[str, int]] = {}
    counts = quarantine.groupby(["source", "reason"]).size().reset_index(name="rows")
    for row in counts.itertuples():
        result.setdefault(str(row.source), {})[str(row.reason)] = int(str(row.rows))
    return result
