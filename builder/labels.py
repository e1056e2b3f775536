"""Labels of images: clarity and comprehension complexity, by people or a teacher."""

# pyright: reportAttributeAccessIssue=false, reportArgumentType=false, reportCallIssue=false
# pyright: reportReturnType=false, reportOperatorIssue=false, reportGeneralTypeIssues=false
# (pandas has hardly any types of its own)

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.metrics import cohen_kappa_score

from ..errors import SourceError, UsageError

COLUMNS = ("image_id", "clarity", "complexity", "labeller")
CLARITY = (0, 1)
"""Not clear, clear."""
COMPLEXITY = (0, 1, 2, 3)
"""Comprehension complexity, simple to complex (arXiv 2406.17294, section 3.1)."""


def read_labels(path: Path) -> pd.DataFrame:
    """The labels in a Parquet, CSV or JSONL file: image_id, clarity, complexity, labeller.

    Clarity is 0 or 1, complexity 0..3; either may be left empty, both may not. A labeller that is
    not named is called as the file. Raises `SourceError` naming the row.
    """
    frame = _read_table(path)
    missing = [name for name in COLUMNS[:3] if name not in frame]
    if missing:
        raise SourceError(f"{path} has no column {missing[0]}; it needs {', '.join(COLUMNS)}.")
    if "labeller" not in frame:
        frame["labeller"] = path.stem
    frame = frame[list(COLUMNS)].copy()
    frame["labeller"] = frame["labeller"].fillna(path.stem).replace("", path.stem).astype(str)
    frame["image_id"] = frame["image_id"].astype("string")
    for name, allowed in (("clarity", CLARITY), ("complexity", COMPLEXITY)):
        values = pd.to_numeric(frame[name], errors="coerce")
        wrong = frame[name].notna() & ~values.isin(allowed)
        if wrong.any():
            row = int(np.flatnonzero(wrong)[0])
            raise SourceError(
                f"{path}, row {row}: {name} is {frame[name].iloc[row]!r}, it must be one of "
                f"{', '.join(map(str, allowed))} or empty."
            )
        frame[name] = values.astype("Int8")
    bad = ~frame["image_id"].str.fullmatch(r"[0-9a-f]{64}").fillna(False)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise SourceError(f"{path}, row {row}: image_id is not a sha256 of 64 hexadecimal digits.")
    refuse_repeated(frame, str(path))
    # rows of a sample that nobody has filled in yet
    frame = frame[frame["clarity"].notna() | frame["complexity"].notna()].reset_index(drop=True)
    if frame.empty:
        raise SourceError(f"{path} holds no labels; fill in clarity and complexity.")
    return frame


def refuse_repeated(labels: pd.DataFrame, where: str) -> None:
    """Raise `SourceError` where somebody labels an image twice."""
    again = labels.duplicated(["image_id", "labeller"])
    if again.any():
        row = int(np.flatnonzero(again)[0])
        name = labels["labeller"].iloc[row]
        raise SourceError(f"{where}, row {row}: {name} labels the same image for the second time.")


def _read_table(path: Path) -> pd.DataFrame:
    readers = {
        ".csv": lambda: pd.read_csv(path, dtype="string"),
        ".jsonl": lambda: pd.read_json(path, lines=True, dtype=False),
        ".parquet": lambda: pd.read_parquet(path),
    }
    if path.suffix not in readers:
        raise UsageError(f"{path} is not a .csv, .jsonl or .parquet file of labels.")
    if not path.is_file():
        raise SourceError(f"{path} does not exist.")
    try:
        return readers[path.suffix]()
    except (ValueError, OSError, pa.ArrowException) as error:
        said = str(error).strip().split("\n")[0]
        raise SourceError(f"{path} cannot be read as {path.suffix[1:].upper()}: {said}.") from None


def consensus(labels: pd.DataFrame) -> pd.DataFrame:
    """One row per image, indexed by image_id in order: the labellers' majority.

    Clarity is 1 where more than half say so; complexity is the lower median.
    """
    grouped = labels.groupby("image_id", sort=True)
    clarity = grouped["clarity"].mean()
    sorted_values = labels.dropna(subset="complexity").sort_values("complexity")
    middle = sorted_values.groupby("image_id", sort=True)["complexity"].agg(_lower_median)
    clear = (clarity > 0.5).astype("Int8").where(clarity.notna())
    return pd.DataFrame({"clarity": clear, "complexity": middle.reindex(clear.index)})


def _lower_median(values: pd.Series) -> int:
    return int(values.iloc[(len(values) - 1) // 2])


def agreement(labels: pd.DataFrame) -> list[dict[str, Any]]:
    """Cohen's kappa of every two labellers on the images that both have labelled.

    Quadratically weighted for complexity; None where it is not defined (one class only).
    """
    result = []
    by_name = dict(list(labels.groupby("labeller")))
    for one, other in combinations(sorted(by_name, key=str), 2):
        both = by_name[one].merge(by_name[other], on="image_id", suffixes=("", "_other"))
        row: dict[str, Any] = {"labellers": [str(one), str(other)]}
        for name, weights in (("clarity", None), ("complexity", "quadratic")):
            said = both[[name, f"{name}_other"]].dropna().astype(int)
            row[f"{name}_images"] = len(said)
            row[f"{name}_kappa"] = _kappa(said[name], said[f"{name}_other"], weights)
        result.append(row)
    return result


def _kappa(one: pd.Series, other: pd.Series, weights: str | None) -> float | None:
    if len(set(one) | set(other)) < 2:
        return None
    return round(float(cohen_kappa_score(one, other, weights=weights)), 4)


def sample_images(images: pa.Table, count: int, seed: int) -> pa.Table:
    """At most `count` rows of a pool's images, as many of each source as there are, sorted.

    Which ones is decided by a hash of `seed` and image_id: a larger sample holds the smaller one.
    """
    ids, sources = images["image_id"].to_pylist(), images["source"].to_pylist()
    draw = [sha256(f"label {seed} {image_id}".encode()).digest() for image_id in ids]
    order = sorted(range(len(ids)), key=lambda i: draw[i])
    turn: dict[str, int] = {}
    rank = np.zeros(len(ids), np.int64)  # of the image among those of its source
    for place in order:
        rank[place] = turn[sources[place]] = turn.get(sources[place], -1) + 1
    chosen: Sequence[int] = sorted(order, key=lambda i: (rank[i], sources[i]))[:count]
    return images.take(pa.array(sorted(chosen), pa.int64()))
