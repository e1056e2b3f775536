"""How many operations training takes, and how many a GPU could do."""

from __future__ import annotations

from typing import Any

import torch

_PEAKS = {"H200": 989e12, "H100": 989e12, "H800": 989e12, "A100": 312e12, "A800": 312e12,
          "L40S": 362e12, "B200": 2250e12}  # fmt: skip
"""Dense bfloat16 operations per second, from the makers' data sheets."""


def flops_per_token(model: Any) -> float:
    """Operations for a token forward and backward: 6 for a trained weight that it passes, 4 for a
    frozen one (PaLM, arXiv 2204.02311, appendix B, without attention).

    The vision tower is left out: its work is counted by images.
    """
    total = 0.0
    for name, parameter in model.named_parameters():
        if not any(part in name for part in ("vision", "visual", "embed_tokens")):
            total += parameter.numel() * (6 if parameter.requires_grad else 4)
    return total


def peak_flops() -> float | None:
    """What this machine's GPU could do; None without one, or one that is not known."""
    if not torch.cuda.is_available():
        return None
    name = torch.cuda.get_device_name()
    return next((peak for part, peak in _PEAKS.items() if part in name), None)
