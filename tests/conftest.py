"""Tests never reach the network, nor the caches of whoever runs them."""

from __future__ import annotations

import os
import signal
import tempfile
from pathlib import Path

import pytest

_HOME = tempfile.mkdtemp(prefix="mathv360k-tests-")
os.environ |= {  # before anything imports huggingface_hub or datasets
    "HF_HOME": _HOME,
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_UPDATE_DOWNLOAD_COUNTS": "0",
    "MATHV360K_CACHE": str(Path(_HOME) / "mathv360k"),
}

# A shell starts jobs in the background deaf to Ctrl-C, and so would be what tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data" / "sources"


@pytest.fixture(scope="session")
def shared_sources() -> Path:
    """The folder of real samples of the sources, in their native layouts."""
    if not SHARED.is_dir():
        pytest.skip("the shared samples of the sources are not on this machine")
    return SHARED
