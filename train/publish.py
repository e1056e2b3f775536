"""A trained model to the Hub, with its card and its record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi

from ..builder.hub_client import calling
from ..errors import FolderError
from .record import RECORD

_NOT_SENT = ["checkpoint-*/**", "runs/**", "training_args.bin"]


def is_model(folder: Path) -> bool:
    """Whether `finetune` began to write this folder."""
    return (folder / RECORD).is_file()


def push_model(
    folder: Path, repository: str, *, revision: str = "main", public: bool = False
) -> dict[str, Any]:
    """Send a model's folder without its checkpoints as one commit; what is there is not sent again.

    A new repository is private unless `public`. Raises `FolderError` for a model whose training is
    not done, `HubError` where the Hub does not take it.
    """
    if not (folder / "log.json").is_file():
        raise FolderError(f"{folder} is not done; run the same `mathv360k train` again first.")
    data = json.loads((folder / RECORD).read_bytes())["dataset"]
    api = HfApi()
    with calling(repository):
        api.create_repo(repository, private=not public, exist_ok=True)
        if revision != "main":
            api.create_branch(repository, branch=revision, exist_ok=True)
        commit = api.upload_folder(
            repo_id=repository,
            folder_path=folder,
            revision=revision,
            ignore_patterns=_NOT_SENT,
            commit_message=f"Trained on {data['name']} {data['version']}",
        )
    return {"repository": repository, "revision": revision, "commit": commit.oid}
