"""The folder of a run: whose it is, which of its checkpoints is whole, and what is written once."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..errors import FolderError
from .config import TrainConfig
from .record import RECORD


def refuse_other(out: Path, config: TrainConfig) -> None:
    """Raise `FolderError` where `out` holds anything but a run of this configuration."""
    if not out.exists() or not any(out.iterdir()):
        return
    try:
        before = json.loads((out / RECORD).read_bytes())["config"]
    except (OSError, ValueError, KeyError, TypeError):
        raise FolderError(f"{out} holds something else; name another --out.") from None
    if before != config.model_dump(mode="json"):
        raise FolderError(f"{out} is of a run with another config; name another --out.")


def start(out: Path, record: dict[str, Any]) -> None:
    """Put the record into the folder, or check that the run went on with the same dataset."""
    path = out / RECORD
    if path.exists():
        if json.loads(path.read_bytes()).get("dataset") != record["dataset"]:
            raise FolderError(f"{out} is of a run with another dataset; name another --out.")
        return
    out.mkdir(parents=True, exist_ok=True)
    if is_first():
        write_json(path, record)


def last_checkpoint(out: Path) -> str | None:
    """The last checkpoint that is whole; those that are not are removed. Its state is what is
    written last."""
    found = [path for path in out.glob("checkpoint-*") if path.name[11:].isdigit()]
    for path in sorted(found, key=lambda path: -int(path.name[11:])):
        with suppress(OSError, ValueError):
            json.loads((path / "trainer_state.json").read_bytes())
            return str(path)
        if is_first():
            shutil.rmtree(path)
    return None


def write_json(path: Path, value: Any) -> None:
    """JSON, whole or not at all."""
    beside = path.with_name(f".{path.name}")
    beside.write_text(json.dumps(value, indent=1, default=str))
    beside.replace(path)


def is_first() -> bool:
    """Whether this is the first of the processes that train together, or the only one."""
    return int(os.environ.get("RANK", "0")) == 0
