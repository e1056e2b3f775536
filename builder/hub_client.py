"""The Hub's own client as we call it: without a word of its own, each failure in one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
from huggingface_hub import HfApi, RepoFile, hf_hub_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import (
    are_progress_bars_disabled,
    disable_progress_bars,
    enable_progress_bars,
    logging,
)

from ..errors import HubError


@contextmanager
def unlogged() -> Iterator[None]:
    """Where the Hub's client does not tell of each try, with the address."""
    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)


@contextmanager
def calling(repository: str) -> Iterator[None]:
    """Where the Hub's client is called: it is silent, and its errors become `HubError`.

    The sentences hold no address and no token. Errors of this machine's files stay what they are.
    """
    bars = not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        with unlogged():
            yield
    except (
        HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, httpx2.HTTPError
    ) as error:  # fmt: skip
        raise HubError(f"{repository}: {_told(error)}") from None
    except (ValueError, RuntimeError) as error:
        cause = error.__cause__ if isinstance(error.__cause__, Exception) else error
        raise HubError(f"{repository}: {_told(cause)}") from None
    except OSError as error:
        if error.errno is not None:
            raise
        raise HubError(f"{repository}: {_told(error)}") from None
    finally:
        if bars:
            enable_progress_bars()


def download(repository: str, name: str, revision: str | None, into: Path | None = None) -> Path:
    """A file of a dataset repository, in the Hub's cache or below the folder `into`."""
    with calling(repository):
        return Path(
            hf_hub_download(
                repository, name, repo_type="dataset", revision=revision, local_dir=into
            )
        )


def content_hashes(repository: str, commit: str | None) -> dict[str, str]:
    """By path the sha256 of each file's content; of small files, which git keeps, git's sha1."""
    with calling(repository):
        entries = HfApi().list_repo_tree(
            repository, recursive=True, revision=commit, repo_type="dataset"
        )
        return {
            entry.path: entry.lfs.sha256 if entry.lfs else entry.blob_id
            for entry in entries
            if isinstance(entry, RepoFile)
        }


def _told(error: Exception) -> str:
    """What an error of the Hub's client means, in words that hold no address and no token."""
    if isinstance(error, RevisionNotFoundError):
        return "there is no such version, branch or commit."
    if isinstance(error, LocalEntryNotFoundError):
        return "the Hub cannot be reached, and there is no copy in the cache."
    if isinstance(error, RepositoryNotFoundError):
        return "there is no such dataset on the Hub, or it is private: run `hf auth login`."
    if isinstance(error, EntryNotFoundError):
        return "a file is missing there; mathv360k did not write this dataset."
    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code
        if status in (401, 403):
            return "the Hub refuses the token, or it may not do this; run `hf auth login`."
        if status == 429:
            return "the Hub has had too many requests; wait some minutes, run the command again."
        if status in (402, 413, 507):
            return f"the Hub has no room for this (status {status}); see its storage settings."
        return f"the Hub fails (status {status}); run the command again later."
    if isinstance(error, HFValidationError):
        return "that is not the name of a repository; it is like `namespace/name`."
    if isinstance(error, httpx2.ConnectError):
        return "the Hub cannot be reached; run the command again while there is a network."
    if isinstance(error, httpx2.TransportError):
        return "the connection to the Hub broke; run the command again."
    return f"its answer cannot be used ({type(error).__name__}); run the command again."
