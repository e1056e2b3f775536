"""Does the card say what the files hold? Numbers and features are counted again and compared."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml
from PIL import Image

from ..builder.manifest import data_files
from ..builder.parquet import config_and_split
from ..builder.schema import ALL_CONFIGS, card_features
from .captions import captions
from .card import README, card_documents, counted
from .statistics import count

Rows = dict[tuple[str, str], list[str]]
"""Rows of Markdown tables by their section and first cell."""

_SHOWN = 200
"""Characters shown of a value."""


def check_card(folder: Path, manifest: dict[str, Any]) -> list[tuple[str, str]]:
    """Where the card and the data disagree: file, and what it says and ought to say.

    Compared are the manifest's counts, the metadata with the features of each config, every table,
    of which rows the figures are, and, where the card is of this version of the package, every
    word. Raises `FolderError` where data files cannot be read.
    """
    statistics = count(folder, data_files(manifest))
    there = counted(manifest, statistics)
    written_by = manifest["parameters"].get("software", {}).get("mathv360k")
    problems = [("manifest.json", said) for said in _unlike(_counts(manifest), _counts(there))]
    problems += _features(folder, manifest)
    for name in captions(statistics):
        if (told := _drawn_from(folder / name)) != f"sha256:{there['digest']}":
            problems.append((name, f"is of other rows ({told})"))
    for name, wanted in card_documents(there, statistics).items():
        found = _read(folder / name)
        if found is None:
            problems.append((name, "is missing"))
        elif found != wanted:
            said = list(_differences(name, found, wanted))
            if not said and written_by == version("mathv360k"):
                said = [_first_line(found, wanted)]
            problems += ((name, one) for one in said)
    return problems


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        return ""


def _counts(manifest: dict[str, Any]) -> dict[str, Any]:
    names = ("digest", "splits", "rejected", "sources", "withheld", "quarantine")
    return {name: manifest[name] for name in names}


def _features(folder: Path, manifest: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Files whose columns are not those that the card says of their config."""
    for name in data_files(manifest):
        config, _ = config_and_split(name)
        if config in ALL_CONFIGS:
            found = card_features(pq.read_schema(folder / name).remove_metadata())
            if found != card_features(ALL_CONFIGS[config]):
                yield name, f"has not the columns of config {config!r}"


def _drawn_from(path: Path) -> str:
    """The content digest of the rows that a figure was drawn from, as the figure says."""
    try:
        with Image.open(path, formats=["PNG"]) as picture:
            return str(picture.info.get("Description", "it does not say which"))
    except (OSError, ValueError, Image.DecompressionBombError):
        return "it cannot be read"


def _differences(name: str, found: str, wanted: str) -> Iterator[str]:
    if name.endswith(".json"):
        yield from _unlike(_json(found), json.loads(wanted))
        return
    if name == README:
        yield from _unlike(_front(found), _front(wanted))
    ours, theirs = _table_rows(wanted), _table_rows(found)
    for key in ours.keys() & theirs.keys():
        if ours[key] != theirs[key]:
            yield f"{' / '.join(key)}: {_cut(theirs[key])}, the files have {_cut(ours[key])}"


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _front(text: str) -> Any:
    """The YAML at the top of a card, None where there is none."""
    parts = text.split("---\n", 2)
    try:
        return yaml.safe_load(parts[1]) if len(parts) == 3 and not parts[0] else None
    except (yaml.YAMLError, RecursionError):
        return None


def _unlike(found: Any, wanted: Any, where: str = "") -> Iterator[str]:
    """Where two values differ, leaf by leaf; what `found` has in addition does not matter."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for key, value in wanted.items():
            yield from _unlike(found.get(key), value, f"{where}.{key}".lstrip("."))
    elif isinstance(wanted, list) and isinstance(found, list) and len(found) == len(wanted):
        for place, (one, other) in enumerate(zip(found, wanted, strict=True)):
            yield from _unlike(one, other, f"{where}[{place}]")
    elif found != wanted:
        yield f"{where or 'all'} is {_cut(found)}, the files have {_cut(wanted)}"


def _table_rows(text: str) -> Rows:
    """The rows of all tables, headers included."""
    rows: Rows = {}
    section, fenced = "", False
    for line in text.splitlines():
        fenced ^= line.startswith("```")
        if line.startswith("#") and not fenced:
            section = line.lstrip("# ")
        elif line.startswith("| ") and not fenced:
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            key = (section, cells[0])
            rows[key] = rows.get(key, []) + cells[1:]
    return rows


def _first_line(found: str, wanted: str) -> str:
    pairs = zip([*found.splitlines(), ""], [*wanted.splitlines(), ""], strict=False)
    for number, (one, other) in enumerate(pairs, start=1):
        if one != other:
            return f"line {number} is {_cut(one)}, not {_cut(other)}"
    return "has more or fewer lines than it ought to"


def _cut(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
