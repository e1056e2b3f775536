"""Checkpoints of `transformers`: from a folder, the Hub's cache or the Hub, without their code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from huggingface_hub import HfApi
from transformers.utils import logging

from ..errors import ModelError

T = TypeVar("T")


def load_pretrained(name: str, what: str, load: Callable[..., T], where: str | None = None) -> T:
    """What `load` makes with the options of `from_pretrained` that it is given.

    `name` is what the user calls the checkpoint, `where` its folder if that is another, `what` says
    what it should be. Raises `ModelError` where it cannot be had or is something else.
    """
    logging.set_verbosity_error()  # it recommends torchvision, which nothing here needs
    logging.disable_progress_bar()
    where = where or name
    # weights are read by safetensors or torch's restricted unpickler, code never
    options: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}
    try:
        try:
            return load(**options)
        except Exception:
            if Path(where).exists():
                raise
            HfApi().model_info(where, timeout=10)  # says at once that there is no network
            return load(**options | {"local_files_only": False})
    except Exception as error:  # whatever a strange configuration or a broken file leads to
        raise ModelError(
            f"{name} cannot be loaded as {what} ({first_line(error)}); give a folder that holds "
            "one, or its name on the Hub while there is a network."
        ) from None


def first_line(error: Exception) -> str:
    """What an error of a library says, as far as a sentence of ours can hold it."""
    return str(error).strip().split("\n")[0][:200]
