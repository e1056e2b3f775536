"""The ablation trains each setting with each seed on its kinds, and says mean and spread."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from mathv360k.train import ablation


def test_every_setting_is_trained_with_every_seed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, tuple[str, ...]]] = []

    def accuracy(data: str, out: Path, kinds: list[str], seed: int, *_: Any) -> float:
        asked.append((seed, tuple(kinds)))
        return 0.1 * len(kinds) + 0.02 * seed

    monkeypatch.setattr(ablation, "_accuracy", accuracy)
    outcomes = ablation.ablate("data", tmp_path / "out", seeds=3, steps=1, problems=1)
    kinds = {tuple(kinds) for kinds in ablation.SETTINGS.values()}
    assert set(asked) == {(seed, some) for seed in range(3) for some in kinds}
    assert [seed for seed, _ in asked] == sorted(seed for seed, _ in asked)
    console = Console(record=True, width=80)
    console.print(ablation.table(outcomes))
    lines = console.export_text().splitlines()
    assert [part.strip() for part in lines[3].strip("│").split("│")] == [
        "original", "12.0%", "2.0%", "+0.0%",
    ]  # fmt: skip
    assert [part.strip() for part in lines[-2].strip("│").split("│")] == [
        "all", "52.0%", "2.0%", "+40.0%",
    ]  # fmt: skip
