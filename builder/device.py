"""The device that torch computes on."""

from __future__ import annotations

import torch

from ..errors import UsageError


def torch_device(name: str | None) -> torch.device:
    """The device of that name, without one a GPU if there is one, else the CPU.

    Raises `UsageError` for a device that is not there.
    """
    try:
        device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
        torch.zeros(1, device=device).cpu()
    except (RuntimeError, AssertionError, NotImplementedError):
        raise UsageError(f"There is no device {name!r} here; give cpu, cuda or cuda:1.") from None
    return device
