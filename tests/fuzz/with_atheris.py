"""The same targets, guided by coverage, where atheris is installed (`pip install atheris`).

PYTHONPATH=tests python -P tests/fuzz/with_atheris.py TARGET -runs=100000
"""

from __future__ import annotations

import sys
import tempfile
from contextlib import suppress
from pathlib import Path

import atheris  # pyright: ignore[reportMissingImports]

with atheris.instrument_imports(include=["mathv360k"]):
    from fuzz.targets import TARGETS


def main(name: str, options: list[str]) -> None:
    target = TARGETS[name]
    with tempfile.TemporaryDirectory() as folder:
        here, corpus = Path(folder, "here"), Path(folder, "corpus")
        here.mkdir()
        corpus.mkdir()
        for number, seed in enumerate(target.seeds(here)):
            (corpus / f"{number}").write_bytes(seed)

        def one(data: bytes) -> None:
            with suppress(*target.refuses):
                target.read(data, here)

        limits = ["-timeout=5", "-rss_limit_mb=2048"]
        atheris.Setup([sys.argv[0], *limits, *options, str(corpus)], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
