"""A small dataset with everything in it, built once."""

from __future__ import annotations

from pathlib import Path

import pytest

import mathv360k


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 drawn images, all kinds of questions, in three splits; read it, do not change it."""
    folder = tmp_path_factory.mktemp("demo") / "mathv360k"
    mathv360k.build(mathv360k.read_recipe("demo").limited(120), folder)
    return folder
