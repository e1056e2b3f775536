"""A version from the Hub in a folder here: a verified copy, or a link that is read from afar."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml
from huggingface_hub import DatasetCard, HfApi

from ..errors import FolderError
from .folders import file_digest, new_folder, put_in_place, recover, refuse_foreign, seal
from .hub_client import calling
from .intake import Progress, quiet
from .location import Location
from .manifest import MANIFEST, read_manifest, write_manifest

CARD = "README.md"


def get(place: Location, out: Path, progress: Progress = quiet) -> None:
    """Download a version from the Hub into `out`, every file verified against the manifest.

    A download that was interrupted goes on where it was. Raises `HubError`, or `FolderError`
    where a file is not what its manifest says or `out` holds anything else.
    """
    recover(out)
    refuse_foreign(out, _step(out))
    partial = out.with_name(f".{out.name}.download")
    files: dict[str, dict[str, Any]] = place.manifest["files"]
    total, done = sum(file["bytes"] for file in files.values()), 0
    for name, said in files.items():
        path = partial / name
        if not path.is_file() or file_digest(path) != said["sha256"]:
            path.unlink(missing_ok=True)  # of another version, or cut short
            if file_digest(place.fetch(name, partial)) != said["sha256"]:
                raise FolderError(f"{name} of {place.root} is not what its manifest says.")
        done += said["bytes"]
        progress("downloading bytes", done, total)
    place.fetch(MANIFEST, partial)
    shutil.rmtree(partial / ".cache", ignore_errors=True)
    for path in sorted(partial.rglob("*")):  # left by the download of another version
        if path.is_file() and path.relative_to(partial).as_posix() not in {*files, MANIFEST}:
            path.unlink()
    put_in_place(partial, out)


def link(place: Location, revision: str | None, out: Path) -> str:
    """Write a folder of a few KB that `load_dataset` reads from the Hub; the revision it names.

    That is `revision`, else the tag of the version, else the commit. Raises `HubError`, or
    `FolderError` where `out` holds anything else.
    """
    revision = revision or _tag(place) or place.commit
    metadata = _metadata(place)
    for config in metadata["configs"]:
        for files in config["data_files"]:
            files["path"] = f"hf://datasets/{place.repository}@{revision}/{files['path']}"
    text = yaml.safe_dump(metadata, sort_keys=False, allow_unicode=True, width=100)
    said = f"A link to {place.repository} at {revision}; `load_dataset` reads it from the Hub."
    with new_folder(out, _step(out)) as folder:
        (folder / CARD).write_text(f"---\n{text}---\n\n{said}\n", encoding="utf-8", newline="\n")
        about = {"repository": place.repository, "revision": revision, "commit": place.commit}
        kept = {name: place.manifest[name] for name in ("version", "digest")}
        write_manifest(folder, "link", {**about, **kept, "files": {CARD: seal(folder / CARD)}})
    return revision


def _tag(place: Location) -> str | None:
    """The tag of the version, where it means the same commit."""
    with calling(place.repository):
        refs = HfApi().list_repo_refs(place.repository, repo_type="dataset")
    name = f"v{place.manifest['version']}"
    there = {tag.name: tag.target_commit for tag in refs.tags}
    return name if there.get(name) == place.commit else None


def _metadata(place: Location) -> dict[str, Any]:
    """The card's metadata, with which files make up which config."""
    try:
        metadata = DatasetCard.load(place.fetch(CARD)).data.to_dict()
        for config in metadata["configs"]:
            if not all(isinstance(files["path"], str) for files in config["data_files"]):
                raise ValueError("no path")
    except (ValueError, KeyError, TypeError, yaml.YAMLError):
        raise FolderError(f"The card of {place.root} does not say where its files are.") from None
    return metadata


def _step(out: Path) -> Any:
    return "link" if out.is_dir() and read_manifest(out, "link") else "dataset"
