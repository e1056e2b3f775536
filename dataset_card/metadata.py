"""The YAML at the top of a card: what `datasets` and the Hub read."""

from __future__ import annotations

from typing import Any

from ..builder.schema import ALL_CONFIGS, BATCH_ROWS, card_features
from ..builder.sources import EMBEDDED
from .statistics import Statistics

_SIZES = {1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 1_000_000: "100K<n<1M"}
_CHINESE = 0.001
"""Share of questions from which on a dataset is in Chinese, too."""


def metadata(manifest: dict[str, Any], statistics: Statistics) -> dict[str, Any]:
    """The metadata of a dataset; the counts of `manifest` are those of its files."""
    count = len(statistics.questions)
    configs = [name for name in ALL_CONFIGS if name != "rejected" or manifest["rejected"]]
    licenses = {source["license"] for source in manifest["sources"].values()}
    kinds = statistics.questions["kind"]
    written = bool((kinds != "original").any())
    return {
        "pretty_name": "MathV360K",
        "language": ["en", "zh"] if statistics.questions["chinese"].mean() > _CHINESE else ["en"],
        **_license(licenses),
        "annotations_creators": ["found", *(["machine-generated"] if written else [])],
        "source_datasets": _source_datasets(manifest["sources"]),
        "task_categories": ["visual-question-answering", "image-text-to-text"],
        "size_categories": [next((s for n, s in _SIZES.items() if count < n), "n>1M")],
        "tags": ["mathematics", "multimodal", *(["synthetic"] if written else [])],
        "dataset_info": [_info(config, manifest) for config in configs],
        "configs": [_config(config, manifest) for config in configs],
    }


def _license(licenses: set[str]) -> dict[str, str]:
    if licenses == {"CC0-1.0"}:
        return {"license": "cc0-1.0"}
    return {"license": "other", "license_name": "per-source", "license_link": "LICENSES.md"}


def _source_datasets(sources: dict[str, Any]) -> list[str]:
    """In the Hub's words: `original`, or `extended|other-...` of what it does not list."""
    own = ["original"] if EMBEDDED.name in sources else []
    return own + [f"extended|other-{name.lower()}" for name in sources if name != EMBEDDED.name]


def _info(config: str, manifest: dict[str, Any]) -> dict[str, Any]:
    rows = "images" if config == "images" else "questions"
    counts = manifest["rejected"] if config == "rejected" else manifest["splits"]
    stored = [f["bytes"] for n, f in manifest["files"].items() if n.startswith(f"data/{config}/")]
    splits = [
        {
            "name": name,
            "num_bytes": split["bytes"] if config == "rejected" else split["bytes"].get(config, 0),
            "num_examples": split[rows],
        }
        for name, split in counts.items()
    ]
    return {
        "config_name": config,
        "features": card_features(ALL_CONFIGS[config]),
        "splits": splits,
        "download_size": sum(stored),
        "dataset_size": sum(split["num_bytes"] for split in splits),
    }


def _config(config: str, manifest: dict[str, Any]) -> dict[str, Any]:
    return {
        "config_name": config,
        **({"default": True} if config == "default" else {}),
        "version": manifest["version"],
        # For a local folder `datasets` keys its cache on this block, not on the files: without
        # the digest a rebuilt dataset would be loaded from the cache of the old one.
        "description": f"sha256:{manifest['digest']}",
        **({"batch_size": BATCH_ROWS[config]} if config in BATCH_ROWS else {}),
        "data_files": [
            {"split": split, "path": f"data/{config}/{split}-*.parquet"}
            for split in (manifest["rejected"] if config == "rejected" else manifest["splits"])
        ],
    }
