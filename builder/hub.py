"""A dataset folder to the Hub: one commit and a tag, or nothing.

All files are sent before the one commit that names them, so a reader of the branch sees the old
version or the new one. What was sent stays at the Hub: a push that was killed sends only the rest.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import httpx2
from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationDelete,
    HfApi,
    RepoFile,
    constants,
)
from huggingface_hub.errors import (
    HfHubHTTPError,
    HFValidationError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import (
    are_progress_bars_disabled,
    disable_progress_bars,
    enable_progress_bars,
)

from ..errors import FolderError, HubError, MathV360KError, UsageError
from .folders import MANIFEST, read_manifest
from .intake import Progress, quiet
from .location import download, told

TRIES = 5
"""How often a commit is tried where the Hub fails; waits double from `FIRST_WAIT` seconds."""
FIRST_WAIT = 2.0
_THREADS = 5
_TOLD = 2**24
"""Bytes between two words on progress; each costs all threads some time."""


@dataclass(frozen=True, slots=True)
class Remote:
    """What is at the Hub where a push would go."""

    repository: str
    revision: str
    exists: bool = False
    private: bool = True
    head: str | None = None
    """The latest commit of the branch; None where there is no such branch."""
    files: dict[str, str] = field(default_factory=dict)
    """By path the sha256 of its content, or the git hash where the file is not a large one."""
    tags: dict[str, str] = field(default_factory=dict)
    """By name the commit."""
    manifest: dict[str, Any] | None = None
    """The manifest of the dataset that is there."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a push does: files to send with their sizes, files to delete, the tag to set."""

    remote: Remote
    folder: Path
    send: dict[str, int]
    delete: list[str]
    tag: str | None

    @property
    def told(self) -> dict[str, Any]:
        """The plan in words for JSON and people."""
        return {
            "repository": self.remote.repository,
            "revision": self.remote.revision,
            "new_repository": not self.remote.exists,
            "send": self.send,
            "bytes": sum(self.send.values()),
            "delete": self.delete,
            "tag": self.tag,
        }


@contextmanager
def explained(repository: str) -> Iterator[None]:
    """Errors of the Hub's client as one sentence, without addresses and tokens."""
    bars = not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    except MathV360KError:
        raise
    except (HfHubHTTPError, HFValidationError) as error:
        raise HubError(f"{repository}: {told(error)}") from None
    except (httpx2.HTTPError, ValueError, RuntimeError, OSError) as error:
        cause = error.__cause__
        reason = told(cause if isinstance(cause, HfHubHTTPError) else error)
        raise HubError(f"{repository}: {reason}") from None
    finally:
        if bars:
            enable_progress_bars()


def look(repository: str, revision: str = "main", api: HfApi | None = None) -> Remote:
    """What is at the Hub where a push to this branch would go.

    Raises `HubError` where the Hub does not say so.
    """
    api = api or HfApi()
    with explained(repository):
        try:
            info = api.dataset_info(repository)
        except RepositoryNotFoundError:
            return Remote(repository, revision)
        refs = api.list_repo_refs(repository, repo_type="dataset")
        tags = {tag.name: tag.target_commit for tag in refs.tags}
        private = bool(info.private)
        try:
            head = api.dataset_info(repository, revision=revision).sha
        except RevisionNotFoundError:
            return Remote(repository, revision, True, private, None, {}, tags)
        files = _tree(api, repository, head)
    manifest = None
    if MANIFEST in files:
        manifest = read_manifest(download(repository, MANIFEST, head).parent, "dataset")
    return Remote(repository, revision, True, private, head, files, tags, manifest)


def _tree(api: HfApi, repository: str, commit: str | None) -> dict[str, str]:
    entries = api.list_repo_tree(repository, recursive=True, revision=commit, repo_type="dataset")
    return {
        entry.path: entry.lfs.sha256 if entry.lfs else entry.blob_id
        for entry in entries
        if isinstance(entry, RepoFile)
    }


def plan_push(folder: Path, manifest: dict[str, Any], remote: Remote, tag: bool) -> Plan:
    """What has to be sent and deleted so that the branch holds this dataset and nothing else of it.

    Raises `UsageError` where its version is tagged already with another content.
    """
    sizes = {name: file["bytes"] for name, file in manifest["files"].items()}
    sizes[MANIFEST] = (folder / MANIFEST).stat().st_size
    send = {n: size for n, size in sizes.items() if not _is_there(folder, n, manifest, remote)}
    before = set(remote.manifest["files"]) if remote.manifest else set()
    stale = {n for n in remote.files if n in before or n.startswith("data/")} - sizes.keys()
    name = f"v{manifest['version']}" if tag else None
    if name in remote.tags:
        there = download(remote.repository, MANIFEST, remote.tags[name])
        tagged = read_manifest(there.parent, "dataset") or {}
        if tagged.get("digest") != manifest["digest"]:
            raise UsageError(
                f"{remote.repository} has a tag {name} with another content; a version is never "
                "changed: give the recipe a higher `version` and build again."
            )
        name = None
    return Plan(remote, folder, send, sorted(stale), name)


def _is_there(folder: Path, name: str, manifest: dict[str, Any], remote: Remote) -> bool:
    there = remote.files.get(name)
    if there is None:
        return False
    if name != MANIFEST and there == manifest["files"][name]["sha256"]:
        return True
    return len(there) == 40 and there == _git_hash(folder / name)


def _git_hash(path: Path) -> str:
    """How git names a file's content; the Hub keeps small files in git."""
    data = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def send(
    plan: Plan, manifest: dict[str, Any], *, private: bool = True, progress: Progress = quiet,
    api: HfApi | None = None,
) -> str:  # fmt: skip
    """Carry out a push; the commit that the branch is at then, whose files are all verified.

    Raises `HubError` where the Hub fails (run it again: only the rest is sent) or somebody else
    changed the branch meanwhile, and `FolderError` where a file is not what the manifest says.
    """
    api, remote = api or HfApi(), plan.remote
    with explained(remote.repository):
        if not remote.exists:
            api.create_repo(remote.repository, repo_type="dataset", private=private, exist_ok=True)
        head = remote.head
        if head is None:
            if remote.revision != "main":
                api.create_branch(
                    remote.repository, branch=remote.revision, repo_type="dataset", exist_ok=True
                )
            head = api.dataset_info(remote.repository, revision=remote.revision).sha
        assert head is not None
        if plan.send or plan.delete:
            operations = _upload(api, plan, manifest, progress)
            head = _commit(api, plan, manifest, operations, head)
        _verify_tree(api, plan, manifest, head)
        if plan.tag:
            api.create_tag(
                remote.repository, tag=plan.tag, revision=head, repo_type="dataset", exist_ok=True
            )
    return head


class _Counted(CommitOperationAdd):
    """A file to add that tells how many of its bytes were read for sending."""

    def told_to(self, tell: Callable[[int], None]) -> _Counted:
        self.tell = tell
        return self

    @contextmanager
    def as_file(self, with_tqdm: bool = False) -> Iterator[BinaryIO]:
        with super().as_file() as file:
            if not with_tqdm:  # not for sending
                yield file
                return
            read, untold = file.read, 0

            def counted(size: int | None = -1) -> bytes:
                nonlocal untold
                data = read(-1 if size is None else size)
                untold += len(data)
                if untold >= _TOLD or not data:
                    self.tell(untold)
                    untold = 0
                return data

            file.read = counted  # type: ignore[method-assign]
            yield file


def _upload(
    api: HfApi, plan: Plan, manifest: dict[str, Any], progress: Progress
) -> list[CommitOperationAdd | CommitOperationDelete]:
    """Send the large files, several at a time; the operations of the commit."""
    total, sent = sum(plan.send.values()), 0

    def tell(count: int) -> None:
        nonlocal sent
        sent = min(total, sent + count)
        progress("sending bytes", sent, total)

    def one(name: str) -> CommitOperationAdd:
        path = plan.folder / name
        operation = _Counted(name, path).told_to(tell)
        if name != MANIFEST:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256")
            if digest.hexdigest() != manifest["files"][name]["sha256"]:
                raise FolderError(
                    f"{path} is not what the manifest says; build {plan.folder} again."
                )
            operation.upload_info.sha256 = digest.digest()
        api.preupload_lfs_files(
            plan.remote.repository, [operation], repo_type="dataset",
            revision=plan.remote.revision, free_memory=False,
        )  # fmt: skip
        return operation

    progress("sending bytes", 0, total)
    added: dict[str, CommitOperationAdd] = {}
    with ThreadPoolExecutor(_THREADS if constants.HF_HUB_DISABLE_XET else 1) as threads:
        tasks = {threads.submit(one, name): name for name in sorted(plan.send)}
        try:
            for task in as_completed(tasks):
                added[tasks[task]] = task.result()
        except BaseException:
            threads.shutdown(wait=False, cancel_futures=True)
            raise
    progress("sending bytes", total, total)
    deleted = [CommitOperationDelete(name) for name in plan.delete]
    return [*(added[name] for name in sorted(added)), *deleted]


def _commit(
    api: HfApi,
    plan: Plan,
    manifest: dict[str, Any],
    operations: list[CommitOperationAdd | CommitOperationDelete],
    head: str,
) -> str:
    """Commit on top of `head`. Where the Hub fails it may have done so all the same: look first."""
    remote, wait = plan.remote, FIRST_WAIT
    for left in reversed(range(TRIES)):
        try:
            return api.create_commit(
                remote.repository,
                operations,
                commit_message=f"{manifest['name']} {manifest['version']}",
                repo_type="dataset",
                revision=remote.revision,
                parent_commit=head,
            ).oid
        except (HfHubHTTPError, httpx2.TransportError) as error:
            status = error.response.status_code if isinstance(error, HfHubHTTPError) else 500
            if status != 412 and (status < 500 or status == 507):
                raise
            now = _head(api, remote)
            if now not in (head, None) and _holds(api, plan, manifest, now):
                return now
            if status == 412 or now not in (head, None):
                raise HubError(
                    f"{remote.repository}: somebody else changed {remote.revision} meanwhile; "
                    "look at it and run the command again."
                ) from None
            if not left:
                raise
        time.sleep(wait)
        wait *= 2
    raise AssertionError("unreachable")


def _head(api: HfApi, remote: Remote) -> str | None:
    try:
        return api.dataset_info(remote.repository, revision=remote.revision).sha
    except (HfHubHTTPError, httpx2.TransportError):
        return None


def _holds(api: HfApi, plan: Plan, manifest: dict[str, Any], commit: str) -> bool:
    """Whether a commit has all files of the folder, and none that is to be deleted."""
    files = _tree(api, plan.remote.repository, commit)
    there = Remote(plan.remote.repository, plan.remote.revision, True, files=files)
    names = [*manifest["files"], MANIFEST]
    complete = all(_is_there(plan.folder, name, manifest, there) for name in names)
    return complete and not files.keys() & set(plan.delete)


def _verify_tree(api: HfApi, plan: Plan, manifest: dict[str, Any], commit: str) -> None:
    if not _holds(api, plan, manifest, commit):
        raise HubError(
            f"{plan.remote.repository}: the files there are not those of {plan.folder}; run the "
            "command again."
        )
