"""The dataset card: README.md with what `load_dataset` needs to know and what people want to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from ..builder.schema import ALL_CONFIGS, card_features
from ..builder.sources import EMBEDDED, SOURCES
from .templates import write_document

_SIZES = {1_000: "n<1K", 10_000: "1K<n<10K", 100_000: "10K<n<100K", 1_000_000: "100K<n<1M"}


def write_card(folder: Path, manifest: dict[str, Any]) -> None:
    """Write `folder/README.md` from the manifest of the dataset and the files in `folder`."""
    metadata = yaml.safe_dump(_metadata(manifest), sort_keys=False, allow_unicode=True, width=100)
    known = {**SOURCES, EMBEDDED.name: EMBEDDED}
    declared = [known[name] for name in manifest["sources"] if name in known]
    recipe = yaml.safe_dump(manifest["recipe"], sort_keys=False, width=100)
    values = {"synthesis": None, **manifest, "metadata": metadata, "declared": declared}
    values["recipe"] = recipe
    write_document("template.md.jinja", folder / "README.md", **values)


def _metadata(manifest: dict[str, Any]) -> dict[str, Any]:
    splits = manifest["splits"]
    count = sum(split["questions"] for split in splits.values())
    configs = [name for name in ALL_CONFIGS if name != "rejected" or manifest["rejected"]]
    licenses = {source["license"] for source in manifest["sources"].values()}
    return {
        "pretty_name": "MathV360K",
        "language": ["en"],
        **_license(licenses),
        "task_categories": ["visual-question-answering", "image-text-to-text"],
        "size_categories": [next((s for n, s in _SIZES.items() if count < n), "n>1M")],
        "tags": ["mathematics", "multimodal"],
        "dataset_info": [_info(config, manifest) for config in configs],
        "configs": [_config(config, manifest) for config in configs],
    }


def _license(licenses: set[str]) -> dict[str, str]:
    if licenses == {"CC0-1.0"}:
        return {"license": "cc0-1.0"}
    return {"license": "other", "license_name": "per-source", "license_link": "README.md#sources"}


def _info(config: str, manifest: dict[str, Any]) -> dict[str, Any]:
    rows = "images" if config == "images" else "questions"
    counts = manifest["rejected"] if config == "rejected" else manifest["splits"]
    stored = [f["bytes"] for n, f in manifest["files"].items() if n.startswith(f"data/{config}/")]
    splits = [
        {
            "name": name,
            "num_bytes": split["bytes"] if config == "rejected" else split["bytes"][config],
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
        "data_files": [
            {"split": split, "path": f"data/{config}/{split}-*.parquet"}
            for split in (manifest["rejected"] if config == "rejected" else manifest["splits"])
        ],
    }
