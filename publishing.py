"""From a dataset folder to what others use: compare, verify, publish."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from .builder.folders import MANIFEST, is_intact, read_manifest, seal, write_manifest
from .builder.hub import look, plan_push, send
from .builder.intake import Progress, quiet
from .builder.location import Location, locate
from .builder.sources import SOURCES
from .builder.verification import CHECKS, verify
from .builder.versions import Difference, compare, next_version
from .dataset_card.card import write_card
from .errors import FolderError, UsageError


def diff(old: str | Path, new: str | Path) -> dict[str, Any]:
    """What changed between two versions (folders or `namespace/name@revision`), for JSON.

    `level` and `next` are None where the content is the same. Raises `UsageError`, `FolderError`
    or `HubError`.
    """
    before, after = locate(old), locate(new)
    found = compare(before, after)
    level = None if _same(before, after) else found.level
    return {
        "from": _named(old, before),
        "to": _named(new, after),
        "level": level,
        "next": level and next_version(before.manifest["version"], level),
        **asdict(found),
    }


def _named(said: str | Path, place: Location) -> dict[str, str]:
    return {"dataset": str(said), **{n: place.manifest[n] for n in ("name", "version", "digest")}}


def _same(before: Location, after: Location) -> bool:
    return before.manifest["digest"] == after.manifest["digest"]


def verify_dataset(
    path: str | Path, *, decode: bool = True, progress: Progress = quiet
) -> dict[str, Any]:
    """Whether a dataset (folder or `namespace/name@revision`) is what it says, for JSON.

    Raises `UsageError`, `FolderError` where there is no dataset at all, or `HubError`.
    """
    place = locate(path)
    told = verify(place, decode=decode, progress=progress)
    return {
        **_named(path, place),
        "ok": told.ok,
        "checks": [
            {"check": name, "what": what, "checked": told.checked[name],
             "bad": told.bad.get(name, 0)}
            for name, what in CHECKS.items()
            if name in told.checked
        ],
        "problems": told.problems,
    }  # fmt: skip


def push(
    folder: str | Path,
    repository: str,
    *,
    revision: str = "main",
    tag: bool | None = None,
    public: bool = False,
    dry_run: bool = False,
    progress: Progress = quiet,
) -> dict[str, Any]:
    """Publish a dataset folder as one commit, and tag it with its version; what was sent.

    Where the repository has another version, the folder's gets the number that follows from what
    changed, unless it is higher anyway; the folder's card and manifest say so. Without `tag` the
    branch main is tagged and others are not. A new repository is private unless `public`, which
    needs a dataset without images that may not be published again. With `dry_run` nothing is sent
    and nothing is changed.

    Raises `UsageError`, `FolderError` or `HubError`; run it again, and only the rest is sent.
    """
    folder = Path(folder)
    manifest = read_manifest(folder, "dataset")
    if manifest is None or not is_intact(folder, manifest):
        raise FolderError(f"{folder} is not a finished dataset; run `mathv360k build` there.")
    remote = look(repository, revision)
    _refuse_closed_images(manifest, repository, public, remote.exists and not remote.private)
    if public and remote.exists and remote.private:
        raise UsageError(
            f"{repository} is private, and its history may hold images that may not be published; "
            "push to a new repository, or change its visibility in its settings yourself."
        )
    if remote.manifest and remote.manifest["digest"] != manifest["digest"]:
        before = locate(f"{repository}@{remote.head}")
        manifest = _numbered(manifest, before, compare(before, locate(folder)))
        if not dry_run:
            _rewrite(folder, manifest)
    wanted = revision == "main" if tag is None else tag
    plan = plan_push(folder, manifest, remote, wanted)
    told = {**plan.told, "version": manifest["version"], "digest": manifest["digest"]}
    if not dry_run:
        told["commit"] = send(plan, manifest, private=not public, progress=progress)
    return told


def _refuse_closed_images(
    manifest: dict[str, Any], repository: str, public: bool, is_public: bool
) -> None:
    """The licence gate: whatever the world can see has only images that may be published again."""
    if not public and not is_public:
        return
    shown = manifest["sources"].keys() - set(manifest["withheld"])
    allowed = set(manifest.get("rehost", ()))
    closed = sorted(n for n in shown - allowed if n in SOURCES and SOURCES[n].rehost != "yes")
    if closed:
        raise UsageError(
            f"Images of {', '.join(closed)} may not be published again, and {repository} is for "
            "everybody; `mathv360k build --public` leaves them out, `--rehost SOURCE` says that "
            "you may."
        )


def _numbered(manifest: dict[str, Any], before: Location, found: Difference) -> dict[str, Any]:
    """The manifest with the number that follows from what changed, and with the history."""
    since = before.manifest["version"]
    least = next_version(since, found.level)
    version = max(least, manifest["version"], key=lambda v: tuple(map(int, v.split("."))))
    counts = {n: getattr(found, n) for n in ("added", "removed", "moved", "changed", "fields")}
    entry = {"version": version, "level": found.level, "since": since, **counts}
    first = {"version": since, "level": "first", "since": None}
    return {
        **manifest,
        "version": version,
        "history": [entry, *before.manifest.get("history", [first])],
    }


def _rewrite(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the card and the manifest anew, the manifest last."""
    write_card(folder, manifest)
    manifest["files"]["README.md"] = seal(folder / "README.md")
    body = {n: v for n, v in manifest.items() if n not in ("mathv360k", "step", "sha256")}
    write_manifest(folder, "dataset", body)
    seal(folder / MANIFEST)
