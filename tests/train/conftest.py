"""Tiny models are trained by one thread: two that wait for each other are slower, and many times so
where something else computes as well."""

from __future__ import annotations

import os

import torch

os.environ["OMP_NUM_THREADS"] = "1"
torch.set_num_threads(1)
