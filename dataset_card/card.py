"""The dataset card: README.md with what `load_dataset` needs to know and what people want to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from ..builder.folders import seal
from ..builder.manifest import data_files
from ..builder.sources import EMBEDDED
from . import tables
from .captions import captions
from .citation import BIBTEX
from .columns import COLUMNS
from .croissant import croissant
from .metadata import metadata
from .statistics import Statistics, count
from .templates import render, write

_NOTES = ("synthesis", "near_duplicates", "compared", "not_compared", "history")
README, LICENSES, CROISSANT = "README.md", "LICENSES.md", "croissant.json"


def write_card(folder: Path, manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Write the card of the dataset in `folder`; size and sha256 of each of its files by name.

    These are README.md, LICENSES.md, croissant.json and figures/*.png. What they say of the data is
    counted from the files; `manifest` says how it was made. Raises `FolderError` where files cannot
    be read.
    """
    from .figures import draw_dataset  # matplotlib, which a check does not need

    statistics = count(folder, data_files(manifest))
    draw_dataset(folder, statistics, folder)
    documents = card_documents(manifest, statistics)
    for name, text in documents.items():
        write(text, folder / name)
    return {name: seal(folder / name) for name in (*documents, *captions(statistics))}


def card_documents(manifest: dict[str, Any], statistics: Statistics) -> dict[str, str]:
    """The card's texts by their names."""
    there = counted(manifest, statistics)
    sources = tables.sources(statistics)
    values = {
        **there,
        "metadata": yaml.safe_dump(
            metadata(there, statistics), sort_keys=False, allow_unicode=True, width=100
        ),
        "first": next(iter(there["splits"])),
        "recipe_yaml": yaml.safe_dump(manifest["recipe"], sort_keys=False, width=100),
        "table": sources,
        "declared": tables.declared(sources),
        "public_sources": bool(there["sources"].keys() - {EMBEDDED.name}),
        "kinds": tables.kinds(statistics),
        "tasks": statistics.questions["task"].value_counts().sort_index(),
        "columns": COLUMNS,
        "bibtex": BIBTEX,
        "written": tables.written(statistics),
        "agreement": tables.agreement(statistics),
        "contaminated": tables.contaminated(statistics, manifest),
        "limits": tables.limits(statistics),
        "figures": captions(statistics),
        **{note: manifest.get(note) for note in _NOTES},
    }
    return {
        README: render("template.md.jinja", **values),
        LICENSES: render("licenses.md.jinja", **values),
        CROISSANT: croissant(there),
    }


def counted(manifest: dict[str, Any], statistics: Statistics) -> dict[str, Any]:
    """The manifest with those of its numbers that can be counted as they are in the files."""
    questions, images, rejected = statistics.questions, statistics.images, statistics.rejected
    asked, shown = questions["split"].value_counts(), images["split"].value_counts()
    refused = rejected["split"].value_counts()
    said = manifest["splits"], manifest["rejected"]
    splits = [str(name) for name, n in asked.sort_index().items() if n]
    hidden = images.loc[~images["shown"], "source"].unique()
    return {
        **manifest,
        "digest": statistics.digest,
        "splits": {
            name: {
                **said[0].get(name, {"bytes": {}}),
                "images": int(shown.get(name, 0)),
                "questions": int(asked[name]),
            }
            for name in splits
        },
        "rejected": {
            name: {**said[1].get(name, {"bytes": 0}), "questions": int(refused[name])}
            for name in splits
            if refused.get(name, 0)
        },
        "sources": tables.composition(statistics),
        "withheld": sorted(map(str, hidden)),
        "quarantine": tables.reasons(statistics.quarantine),
    }
