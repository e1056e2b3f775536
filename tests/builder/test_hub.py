"""Progress of a push: every byte is told once, whoever reads the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub_server import hub
from mathv360k.builder import hub as publishing
from mathv360k.builder.recipe import Recipe
from mathv360k.pipeline import write_dataset
from pools import diagram, encoded, pool_of, question


@pytest.mark.parametrize("fails", [False, True])
def test_bytes_are_told_once_up_to_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    rows = [("One", question("1.png", encoded(diagram(1)), "What is it?", "1"))]
    folder = tmp_path / "folder"
    manifest = write_dataset(Recipe(name="test"), pool_of(tmp_path / "pool", rows), folder)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    with hub(tmp_path / "hub") as server:
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", server.url)
        if fails:
            server.fail("PUT", "/lfs/", status=503)
        remote = publishing.look("somebody/mathv360k")
        plan = publishing.plan_push(folder, manifest, remote, tag=True)
        told: list[tuple[int, int | None]] = []
        publishing.send(plan, manifest, progress=lambda _, done, total: told.append((done, total)))
    total = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    assert {whole for _, whole in told} == {total}
    done = [count for count, _ in told]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0, total)
