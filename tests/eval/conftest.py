"""Real released outputs with the official verdict of each item."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

_PACK = Path(__file__).resolve().parents[3] / "shared" / "data" / "eval"


@pytest.fixture(scope="session")
def pack() -> Path:
    if not _PACK.is_dir():
        pytest.skip("the released outputs are not on this machine")
    return _PACK


@pytest.fixture(scope="session")
def expected(pack: Path) -> dict[str, Any]:
    return json.loads((pack / "expected.json").read_bytes())
