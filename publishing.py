"""From a dataset folder to what others use: its card, compare, verify, publish."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from pathlib import Path
from typing import Any

from .builder.folders import new_folder
from .builder.hub import look, plan_push, send
from .builder.intake import Progress, quiet
from .builder.location import Location, locate
from .builder.manifest import (
    MANIFEST,
    data_files,
    done_before,
    finished,
    is_intact,
    read_manifest,
    write_manifest,
)
from .builder.sources import SOURCES, source
from .builder.verification import CHECKS, verify
from .builder.versions import compare, next_version
from .builder.withholding import withhold
from .errors import FolderError, UsageError
from .pipeline import beside


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
    from .dataset_card.check import check_card

    place = locate(path, intact=False)
    told = verify(place, decode=decode, progress=progress)
    if not told.bad.keys() & {"files", "columns", "rows", "hashes"}:  # else it would follow
        root = place.fetch(MANIFEST).parent
        told.looked("card", len(place.manifest["files"]) - len(data_files(place.manifest)))
        for where, detail in check_card(root, place.manifest):
            told.complain("card", where, detail)
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
    rehost: Collection[str] = (),
    dry_run: bool = False,
    progress: Progress = quiet,
) -> dict[str, Any]:
    """Publish a dataset folder as one commit, and tag it with its version; what was sent.

    Where the repository has another version, the folder's gets the number that follows from what
    changed, unless it is higher anyway; the folder's card and manifest say so. Without `tag` the
    branch main is tagged and others are not. A new repository is private unless `public`: then
    images that may not be published again, except of the sources in `rehost`, are left out, by
    way of a folder beside this one. With `dry_run` nothing is sent, and no version set.

    Raises `UsageError`, `FolderError` or `HubError`; run it again, and only the rest is sent.
    """
    folder = Path(folder)
    manifest = _finished(folder)
    if repository.count("/") != 1:
        raise UsageError(f"{repository} is no repository on the Hub; give NAMESPACE/NAME.")
    remote = look(repository, revision)
    if public and remote.exists and remote.private:
        raise UsageError(
            f"{repository} is private, and its history may hold images that may not be published; "
            "push to a new repository, or change its visibility in its settings yourself."
        )
    closed = _closed(manifest, rehost)
    if closed and public:
        everywhere = [s.name for s in SOURCES.values() if s.rehost != "yes"]
        out = beside(folder, "public")
        manifest = without_images(folder, out, {*everywhere} - {*rehost}, progress)
        folder = out
    elif closed and remote.exists and not remote.private:
        raise UsageError(
            f"Images of {', '.join(closed)} may not be published again, and everybody sees "
            f"{repository}; --public leaves them out, --rehost SOURCE says that you may."
        )
    if remote.manifest:
        before = locate(f"{repository}@{remote.head}")
        numbered = _numbered(before, locate(folder))
        if numbered != manifest and not dry_run:
            _rewrite(folder, numbered)
        manifest = numbered
    wanted = revision == "main" if tag is None else tag
    plan = plan_push(folder, manifest, remote, wanted)
    told = {**plan.told, "version": manifest["version"], "digest": manifest["digest"]}
    if not dry_run:
        told["commit"] = send(plan, manifest, private=not public, progress=progress)
    return told


def _finished(folder: Path) -> dict[str, Any]:
    manifest = _with_its_data(folder)
    if not is_intact(folder, manifest):
        raise FolderError(
            f"The card of {folder} is not the one of its manifest; run `mathv360k card {folder}`."
        )
    return manifest


def _closed(manifest: dict[str, Any], rehost: Collection[str]) -> list[str]:
    """Sources whose images are there and may not be published again (the licence gate)."""
    for name in rehost:
        source(name)  # raises UsageError for a wrong one
    shown = manifest["sources"].keys() - {*manifest["withheld"]} - {*rehost}
    return sorted(n for n in shown if n in SOURCES and SOURCES[n].rehost != "yes")


def without_images(
    folder: Path, out: Path, sources: Collection[str], progress: Progress = quiet
) -> dict[str, Any]:
    """Write the dataset `folder` into `out` without the images of these sources; its manifest.

    Raises `FolderError` where `folder` is no finished dataset or `out` holds anything else.
    """
    manifest = _finished(folder)
    given = {"dataset": manifest["digest"], "card": manifest["files"]["README.md"]["sha256"]}
    parameters = {**manifest["parameters"], "withheld": sorted(sources)}
    done = done_before(out, "dataset", parameters)
    if done and done["inputs"] == given:
        return done
    with new_folder(out, "dataset") as partial:
        body = withhold(folder, manifest, sources, partial, progress)
        body |= {"parameters": parameters, "inputs": given}
        _rewrite(partial, body)
    return finished(out, "dataset")


def _numbered(before: Location, after: Location) -> dict[str, Any]:
    """The manifest of `after` with the number that follows from what changed, and the history.

    With the content of `before` it is the version of `before`.
    """
    since, manifest = before.manifest["version"], after.manifest
    history = before.manifest.get("history", [{"version": since, "level": "first", "since": None}])
    if _same(before, after):
        kept = {"history": history} if "history" in before.manifest else {}
        return {**manifest, "version": since, **kept}
    found = compare(before, after)
    least = next_version(since, found.level)
    version = max(least, manifest["version"], key=lambda v: tuple(map(int, v.split("."))))
    counts = {n: getattr(found, n) for n in ("added", "removed", "moved", "changed", "fields")}
    entry = {"version": version, "level": found.level, "since": since, **counts}
    return {**manifest, "version": version, "history": [entry, *history]}


def _rewrite(folder: Path, manifest: dict[str, Any]) -> None:
    """Write the card and the manifest anew, the manifest last."""
    from .dataset_card.card import write_card  # matplotlib takes its time

    before = manifest["files"]
    data = {name: before[name] for name in data_files(manifest)}
    manifest["files"] = {**data, **write_card(folder, manifest)}
    for name in before.keys() - manifest["files"].keys():
        (folder / name).unlink(missing_ok=True)
    write_manifest(folder, "dataset", manifest)


def rewrite_card(folder: str | Path) -> dict[str, Any]:
    """Write the card of a dataset folder anew from its files; its manifest.

    Raises `FolderError` where `folder` is no dataset or its data files are not all there.
    """
    folder = Path(folder)
    manifest = _with_its_data(folder)
    _rewrite(folder, manifest)
    return finished(folder, "dataset")


def card_problems(folder: str | Path) -> list[dict[str, str]]:
    """Where the card of a dataset folder and its data disagree: `where` and `detail` of each.

    Raises as `rewrite_card` does.
    """
    from .dataset_card.check import check_card

    folder = Path(folder)
    found = check_card(folder, _with_its_data(folder))
    return [{"where": where, "detail": detail} for where, detail in found]


def report(
    folder: str | Path,
    out: str | Path | None = None,
    *,
    seed: int = 0,
    progress: Progress = quiet,
) -> tuple[Path, int]:
    """Write one HTML page about a dataset folder; where it is, and how many questions it shows.

    Without `out` it is beside the folder, `mathv360k.report.html`. Raises as `rewrite_card` does,
    and `UsageError` where the page would lie in the folder.
    """
    from .dataset_card.report import write_report

    folder = Path(folder)
    path = beside(folder, "report.html") if out is None else Path(out)
    if path.resolve().is_relative_to(folder.resolve()):
        raise UsageError(f"{path} is in the dataset folder; name a place outside with --out.")
    return path, write_report(folder, _with_its_data(folder), path, seed=seed, progress=progress)


def _with_its_data(folder: Path) -> dict[str, Any]:
    """The manifest of a dataset folder whose card may be missing or another."""
    manifest = read_manifest(folder, "dataset")
    data = manifest and {name: manifest["files"][name] for name in data_files(manifest)}
    if manifest is None or not is_intact(folder, {"files": data}):
        raise FolderError(f"{folder} is not a finished dataset; run `mathv360k build` there.")
    return manifest
