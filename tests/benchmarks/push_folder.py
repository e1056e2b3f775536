"""`mathv360k push` of a large folder, against `huggingface_hub.upload_folder`, to the same Hub.

    PYTHONPATH=tests python tests/benchmarks/push_folder.py [GB]

The Hub is the one of the tests, on loopback, and takes large files by LFS. Each client sends the
same files, 6 GB without GB, to a repository that does not exist, four times, in changing order.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from statistics import median

from hub_server import Hub, hub
from mathv360k.builder.folders import seal
from mathv360k.builder.manifest import write_manifest
from measure import Run, mathv360k, python, show

SHARD = 400 * 2**20
BASELINE = """
import sys
from huggingface_hub import HfApi
api = HfApi()
api.create_repo(sys.argv[2], repo_type="dataset", private=True)
api.upload_folder(repo_id=sys.argv[2], repo_type="dataset", folder_path=sys.argv[1])
"""


def write(folder: Path, size: int) -> Path:
    """Files like those of a dataset, with as much of a manifest as a push reads."""
    files = {}
    for number in range(max(1, round(size / SHARD))):
        path = folder / f"data/default/train-{number:05d}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            for _ in range(SHARD // 2**20):
                file.write(os.urandom(2**20))
        files[path.relative_to(folder).as_posix()] = seal(path)
    empty = ("parameters", "inputs", "splits", "sources", "rejected", "recipe", "quarantine")
    said = {**{name: {} for name in empty}, "name": "made", "version": "1.0.0", "withheld": []}
    digest = "0" * 64
    write_manifest(folder, "dataset", {**said, "digest": digest, "files": files})
    return folder


def send(server: Hub, folder: Path, ours: bool) -> Run:
    """One client's push; what it stored is deleted afterwards."""
    repository = f"somebody/{'ours' if ours else 'theirs'}"
    run = mathv360k("push", folder, repository) if ours else python(BASELINE, folder, repository)
    assert len(server.files(repository)) >= len(list(folder.rglob("*.parquet")))
    del server.repositories[repository]
    shutil.rmtree(server.storage / "lfs")
    (server.storage / "lfs").mkdir()
    return run


def main(size: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = write(Path(name) / "folder", size)
        sent = sum(path.stat().st_size for path in folder.rglob("*.parquet")) / 1e6
        runs: dict[bool, list[Run]] = {True: [], False: []}
        with hub(Path(name) / "hub") as server:
            os.environ.update(server.environment(Path(name) / "home"))
            for ours in (True, False, False, True) * 2:
                runs[ours].append(run := send(server, folder, ours))
                client = "mathv360k push" if ours else "upload_folder"
                show(client, run, speed=f"{sent / run.wall:.0f} MB/s")
        ratios = [b.wall / a.wall for a, b in zip(runs[True], runs[False], strict=True)]
        ours, theirs = (median(run.wall for run in runs[who]) for who in (True, False))
        print(f"throughput of mathv360k push / upload_folder, of the medians: {theirs / ours:.2f}")
        print(f"of pairs: {', '.join(f'{ratio:.2f}' for ratio in ratios)}")


if __name__ == "__main__":
    main(int(float(sys.argv[1]) * 1e9) if len(sys.argv) > 1 else 6 * 10**9)
