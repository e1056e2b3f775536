"""What is installed and found on this machine, and what would go wrong."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from .builder.manifest import is_intact, read_manifest
from .builder.sources import SOURCES, missing_files
from .errors import FolderError

_NEEDED = ("mathv360k", "datasets", "huggingface_hub", "pyarrow", "pillow", "openai")
_EXTRAS = {
    "torch": "score",
    "transformers": "score",
    "faiss-cpu": "score",
    "accelerate": "train",
    "peft": "train",
    "ray": "ray",
}


@dataclass(frozen=True)
class Check:
    """One thing that was looked at; `bad` things keep a command from working."""

    name: str
    status: Literal["good", "note", "bad"]
    found: str


def examine(folder: Path, source_root: Path | None = None) -> list[Check]:
    """Look at the installation, at `folder` where commands run, and at the sources."""
    checks = [Check("Python", "good", sys.version.split()[0])]
    checks += [Check(name, "good", version(name)) for name in _NEEDED]
    for name, extra in _EXTRAS.items():
        try:
            checks.append(Check(name, "good", version(name)))
        except PackageNotFoundError:
            mend = f"not installed; pip install 'mathv360k[{extra}]' where it is needed"
            checks.append(Check(name, "note", mend))
    checks.append(_device())
    free = shutil.disk_usage(folder).free / 2**30
    checks.append(Check("disk", "good" if free > 20 else "note", f"{free:,.0f} GiB free here"))
    checks.append(Check("cores", "good", str(os.cpu_count())))
    checks += [_token(), _teacher_key()]
    checks.append(_dataset(folder / "mathv360k"))
    if source_root is not None:
        checks += [_source(name, source_root) for name in SOURCES if SOURCES[name].files]
    return checks


def _token() -> Check:
    from huggingface_hub import get_token  # slow to import, and only needed here

    if get_token():
        return Check("Hub token", "good", "found")
    return Check("Hub token", "note", "none; `hf auth login` before publishing")


def _teacher_key() -> Check:
    where = os.environ.get("OPENAI_BASE_URL")
    server = f"$OPENAI_BASE_URL is {urlsplit(where).hostname}" if where else "OpenAI's own server"
    if os.environ.get("OPENAI_API_KEY"):
        return Check("teacher", "good", f"$OPENAI_API_KEY is set; {server}")
    return Check("teacher", "note", f"no $OPENAI_API_KEY; {server}, or name one with --base-url")


def _device() -> Check:
    try:
        import torch  # pyright: ignore[reportMissingImports]
    except ImportError:
        return Check("device", "note", "CPU (no torch to look for a GPU with)")
    if torch.cuda.is_available():
        return Check("device", "good", torch.cuda.get_device_name())
    return Check("device", "good", "CPU")


def _dataset(folder: Path) -> Check:
    """What `load_dataset("mathv360k")` finds in the current folder."""
    if not folder.exists():
        return Check("./mathv360k", "note", "not there; `mathv360k build` makes it")
    try:
        link = read_manifest(folder, "link")
        manifest = read_manifest(folder, "dataset")
    except FolderError as error:
        return Check("./mathv360k", "bad", str(error))
    if link:
        return Check("./mathv360k", "good", f"links to {link['repository']} at {link['revision']}")
    if manifest is None:
        mend = 'is not a dataset but load_dataset("mathv360k") would read it; work elsewhere'
        return Check("./mathv360k", "bad", mend)
    if not is_intact(folder, manifest):
        return Check("./mathv360k", "bad", "files are missing or cut short; build it again")
    questions = sum(split["questions"] for split in manifest["splits"].values())
    found = f"{manifest['name']} {manifest['version']}, {questions:,} questions"
    return Check("./mathv360k", "good", found)


def _source(name: str, root: Path) -> Check:
    missing = missing_files(SOURCES[name], root)
    return Check(
        name, "note" if missing else "good", f"lacks {', '.join(missing)}" if missing else "found"
    )
