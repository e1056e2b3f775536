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
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO

import httpx2
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, constants
from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

from ..errors import FolderError, HubError, UsageError
from .folders import file_digest
from .hub_client import calling, content_hashes, download
from .intake import Progress, quiet
from .manifest import MANIFEST, read_manifest

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
    branches: dict[str, str] = field(default_factory=dict)
    """By name the latest commit."""
    tags: dict[str, str] = field(default_factory=dict)
    """By name the commit."""
    files: dict[str, str] = field(default_factory=dict)
    """Of `head`, by path: the sha256 of the content, or the git hash of a small file."""
    manifest: dict[str, Any] | None = None
    """The manifest of the dataset at `head`."""

    @property
    def head(self) -> str | None:
        """The commit to build upon: of the branch, or of main, which a new branch starts from."""
        return self.branches.get(self.revision, self.branches.get("main"))


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


def look(repository: str, revision: str = "main") -> Remote:
    """What is at the Hub where a push to this branch would go.

    Raises `HubError` where the Hub does not say so.
    """
    api = HfApi()
    with calling(repository):
        try:
            info = api.dataset_info(repository)
        except RepositoryNotFoundError:
            return Remote(repository, revision)
        refs = api.list_repo_refs(repository, repo_type="dataset")
    branches = {branch.name: branch.target_commit for branch in refs.branches}
    tags = {tag.name: tag.target_commit for tag in refs.tags}
    remote = Remote(repository, revision, True, bool(info.private), branches, tags)
    files = content_hashes(repository, remote.head)
    manifest = _manifest(repository, remote.head) if MANIFEST in files else None
    return replace(remote, files=files, manifest=manifest)


def _manifest(repository: str, commit: str | None) -> dict[str, Any] | None:
    return read_manifest(download(repository, MANIFEST, commit).parent, "dataset")


def plan_push(folder: Path, manifest: dict[str, Any], remote: Remote, tag: bool) -> Plan:
    """What has to be sent and deleted so that the branch holds this dataset and nothing else of it.

    Raises `UsageError` where its version is tagged already with another content.
    """
    sizes = {name: file["bytes"] for name, file in manifest["files"].items()}
    sizes[MANIFEST] = (folder / MANIFEST).stat().st_size
    send = {n: s for n, s in sizes.items() if not _is_there(folder, n, manifest, remote.files)}
    before = set(remote.manifest["files"]) if remote.manifest else set()
    stale = [n for n in remote.files if n in before or n.startswith("data/")]
    name = f"v{manifest['version']}" if tag else None
    if name in remote.tags:
        tagged = _manifest(remote.repository, remote.tags[name]) or {}
        if tagged.get("digest") != manifest["digest"]:
            raise UsageError(
                f"{remote.repository} has a tag {name} with another content; a version is never "
                "changed: give the recipe a higher `version` and build again."
            )
        name = None
    return Plan(remote, folder, send, sorted({*stale} - sizes.keys()), name)


def _is_there(folder: Path, name: str, manifest: dict[str, Any], files: dict[str, str]) -> bool:
    """Whether `files`, of a commit at the Hub, have this one with the content that it has here."""
    there = files.get(name)
    if there is None:
        return False
    if len(there) == 40:
        return there == _git_hash(folder / name)
    return name != MANIFEST and there == manifest["files"][name]["sha256"]


def _git_hash(path: Path) -> str:
    """How git names a file's content; the Hub keeps small files in git."""
    data = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def send(
    plan: Plan, manifest: dict[str, Any], *, private: bool = True, progress: Progress = quiet
) -> str:
    """Carry out a push; the commit that the branch is at then, whose files are all verified.

    Raises `HubError` where the Hub fails (run it again: only the rest is sent) or somebody else
    changed the branch meanwhile, and `FolderError` where a file is not what the manifest says.
    """
    api, remote = HfApi(), plan.remote
    repository, revision = remote.repository, remote.revision
    with calling(repository):
        if not remote.exists:
            api.create_repo(repository, repo_type="dataset", private=private, exist_ok=True)
        if revision != "main" and revision not in remote.branches:
            api.create_branch(
                repository, branch=revision, revision=remote.head, repo_type="dataset",
                exist_ok=True,
            )  # fmt: skip
        head = remote.head or api.dataset_info(repository, revision=revision).sha
        assert head is not None
        if plan.send or plan.delete:
            operations = _upload(api, plan, manifest, progress)
            head = _commit(api, plan, manifest, operations, head)
        if not _holds(plan, manifest, head):
            raise HubError(
                f"{repository}: the files there are not those of {plan.folder}; run the command "
                "again."
            )
        if plan.tag:
            api.create_tag(
                repository, tag=plan.tag, revision=head, repo_type="dataset", exist_ok=True
            )
    return head


class _Counted(CommitOperationAdd):
    """A file to add that tells how many of its bytes were read for sending (by LFS, not by Xet)."""

    def told_to(self, tell: Callable[[int], None]) -> _Counted:
        self._tell, self._untold = tell, self.upload_info.size
        return self

    def tell(self, count: int) -> None:
        """Tell that so many more bytes are sent; of bytes that are sent again nobody hears."""
        count = min(count, self._untold)
        self._untold -= count
        self._tell(count)

    @contextmanager
    def as_file(self, with_tqdm: bool = False) -> Iterator[BinaryIO]:
        with super().as_file() as file:
            if not with_tqdm:  # not for sending
                yield file
                return
            read, waiting = file.read, 0

            def counted(size: int | None = -1) -> bytes:
                nonlocal waiting
                data = read(-1 if size is None else size)
                waiting += len(data)
                if waiting >= _TOLD or not data:
                    self.tell(waiting)
                    waiting = 0
                return data

            file.read = counted  # type: ignore[method-assign]
            yield file


def _upload(
    api: HfApi, plan: Plan, manifest: dict[str, Any], progress: Progress
) -> list[CommitOperationAdd | CommitOperationDelete]:
    """Send the large files, several at a time; the operations of the commit."""
    total, sent, one_at_a_time = sum(plan.send.values()), 0, Lock()

    def tell(count: int) -> None:
        nonlocal sent
        with one_at_a_time:
            sent += count
            progress("sending bytes", sent, total)

    def one(name: str) -> CommitOperationAdd:
        path = plan.folder / name
        operation = _Counted(name, path).told_to(tell)
        if name != MANIFEST:
            digest = file_digest(path)
            if digest != manifest["files"][name]["sha256"]:
                raise FolderError(
                    f"{path} is not what the manifest says; build {plan.folder} again."
                )
            operation.upload_info.sha256 = bytes.fromhex(digest)  # or it would be read once more
        api.preupload_lfs_files(
            plan.remote.repository, [operation], repo_type="dataset",
            revision=plan.remote.revision, free_memory=False,
        )  # fmt: skip
        operation.tell(plan.send[name])  # all of it, if nobody read it here
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
            if now not in (head, None) and _holds(plan, manifest, now):
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


def _holds(plan: Plan, manifest: dict[str, Any], commit: str) -> bool:
    """Whether a commit has all files of the folder, and none that is to be deleted."""
    files = content_hashes(plan.remote.repository, commit)
    names = [*manifest["files"], MANIFEST]
    complete = all(_is_there(plan.folder, name, manifest, files) for name in names)
    return complete and not files.keys() & set(plan.delete)
