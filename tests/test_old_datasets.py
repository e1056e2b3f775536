"""The same folder in older versions of `datasets`, each in a virtual environment of its own."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import pytest

import mathv360k
from mathv360k import read_recipe

SCRIPT = Path(__file__).with_name("load_stock.py")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    mathv360k.build(read_recipe("demo").limited(51), folder / "mathv360k")
    return folder


def test_the_version_that_is_installed(built: Path) -> None:
    subprocess.run([sys.executable, SCRIPT], cwd=built, check=True)


@pytest.mark.install
@pytest.mark.parametrize("version", ["3.6.0", "4.5.0"])
def test_an_older_version(version: str, built: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    install = [python, "-m", "pip", "install", "-q", f"datasets=={version}", "pillow"]
    installed = subprocess.run(install, capture_output=True, text=True, check=False)
    if installed.returncode:
        pytest.skip(f"datasets {version} cannot be installed: {installed.stderr[-300:]}")
    loaded = subprocess.run(
        [python, SCRIPT], cwd=built, capture_output=True, text=True, check=False
    )
    assert loaded.returncode == 0, loaded.stderr
    assert f"datasets {version}:" in loaded.stdout
