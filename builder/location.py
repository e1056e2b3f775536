"""Where a finished dataset is: a folder here, or a commit of a repository on the Hub."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import FolderError, HubError, UsageError
from .hub_client import content_hashes, download
from .manifest import MANIFEST, is_intact, read_manifest

_HUBS_OWN = {".gitattributes"}


@dataclass(frozen=True, slots=True)
class Location:
    """A dataset with its manifest. `commit` is 40 hex digits, and empty for a folder."""

    root: str
    """The folder, or `hf://datasets/<repository>@<commit>`."""
    manifest: dict[str, Any]
    repository: str = ""
    commit: str = ""

    def fetch(self, name: str, into: Path | None = None) -> Path:
        """A file of the dataset on this machine: in the folder, in the Hub's cache, or `into`.

        Raises `HubError` where it cannot be had.
        """
        if not self.repository:
            return Path(self.root) / name
        return download(self.repository, name, self.commit, into)

    def names(self) -> set[str]:
        """All files that are there, also those that the manifest does not name."""
        if self.repository:
            return {n for n in content_hashes(self.repository, self.commit) if n not in _HUBS_OWN}
        root = Path(self.root)
        return {p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()}


def split_revision(address: str) -> tuple[str, str | None]:
    """`namespace/name@revision` as its two parts; the revision may be missing."""
    repository, _, revision = address.partition("@")
    return repository, revision or None


def locate(path: str | Path, revision: str | None = None, *, intact: bool = True) -> Location:
    """The dataset in a folder, or in a repository `namespace/name` or `namespace/name@revision`.

    A folder that `link` wrote is followed to the Hub. Without `intact` files may be missing.

    Raises `UsageError` where there is nothing of that name or version, `FolderError` where it is no
    finished dataset and `HubError` where the Hub does not answer.
    """
    folder = Path(path)
    if folder.is_dir():
        return _here(folder, path, revision, intact)
    repository, at = split_revision(str(path))
    if isinstance(path, Path) or repository.count("/") != 1 or (at and revision):
        raise UsageError(
            f"{path} is neither a dataset folder here nor a Hub repository `namespace/name`."
        )
    return _on_hub(repository, at or revision)


def _here(folder: Path, said: str | Path, revision: str | None, intact: bool) -> Location:
    link = read_manifest(folder, "link")
    manifest = link or read_manifest(folder, "dataset")
    if manifest is None or (intact and not is_intact(folder, manifest)):
        raise FolderError(f"{said} is not a finished dataset; run `mathv360k build` there.")
    if revision not in (None, manifest["version"], f"v{manifest['version']}"):
        raise UsageError(f"{said} is version {manifest['version']}, not {revision}.")
    if link:
        return _on_hub(link["repository"], link["commit"])
    return Location(str(folder.resolve()), manifest)


def _on_hub(repository: str, revision: str | None) -> Location:
    try:
        local = download(repository, MANIFEST, revision)
    except HubError as error:
        reason = str(error).partition(": ")[2]
        at = f"{repository}@{revision}" if revision else repository
        raise UsageError(f"{at} is no folder here, and from the Hub: {reason}") from None
    manifest = read_manifest(local.parent, "dataset")
    if manifest is None:
        raise FolderError(f"{repository} on the Hub was not built by mathv360k.")
    commit = local.parent.name  # the cache keeps each commit in a folder of its name
    return Location(f"hf://datasets/{repository}@{commit}", manifest, repository, commit)
