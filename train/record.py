"""What a run of training was: its record, the model's card, and the curve of its loss."""

from __future__ import annotations

import json
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..builder.location import locate
from .config import TrainConfig

if TYPE_CHECKING:
    from .data import Plan

RECORD = "training.json"
_PACKAGES = ("mathv360k", "torch", "transformers", "accelerate", "peft", "datasets")


def describe(config: TrainConfig, plan: Plan, packed: bool) -> dict[str, Any]:
    """The record of a run: configuration, dataset with version and digest, packages, commit."""
    manifest = locate(config.data).manifest
    return {
        "config": config.model_dump(mode="json"),
        "dataset": {
            "name": manifest["name"],
            "path": config.data,
            "version": manifest["version"],
            "digest": manifest["digest"],
            "split": config.split,
        },
        "data": {
            "images": plan.images,
            "questions": plan.questions,
            "rows": plan.rows,
            "packed": packed,
            "shortened": plan.shortened,
            "too_long": plan.too_long,
        },
        "packages": {name: _version(name) for name in _PACKAGES},
        "commit": _commit(),
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    """The commit that this package is checked out at, None where it was installed."""
    root = Path(__file__).resolve().parents[1]
    command = ["git", "-C", str(root), "rev-parse", "HEAD", "--show-toplevel"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    commit, top = done.stdout.splitlines()
    return commit if Path(top).resolve() == root else None


def write_curve(history: list[dict[str, Any]], path: Path) -> None:
    """The loss by step as a picture, with its mean over a twentieth of the steps."""
    from matplotlib.figure import Figure

    points = [(entry["step"], entry["loss"]) for entry in history if "loss" in entry]
    if not points:
        return
    steps, losses = zip(*points, strict=True)
    width = max(1, len(losses) // 20)
    means = [sum(losses[max(0, i - width) : i + 1]) / (i + 1 - max(0, i - width))
             for i in range(len(losses))]  # fmt: skip
    figure = Figure(figsize=(8, 4), dpi=120, layout="constrained")
    axes = figure.subplots()
    axes.plot(steps, losses, color="#9ecae1", linewidth=0.8, label="each step")
    axes.plot(steps, means, color="#08519c", label=f"mean of {width + 1} steps")
    axes.set_xlabel("step")
    axes.set_ylabel("loss per token of the answer")
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path)


def write_card(record: dict[str, Any], history: list[dict[str, Any]], folder: Path) -> None:
    """The model's card, README.md, from the record."""
    config, dataset, data = record["config"], record["dataset"], record["data"]
    losses = [entry["loss"] for entry in history if "loss" in entry]
    on_hub = {} if Path(config["model"]).exists() else {"base_model": config["model"]}
    metadata = {
        **on_hub,
        "library_name": "peft" if config["lora"] else "transformers",
        "pipeline_tag": "image-text-to-text",
        "tags": ["mathv360k", "multimodal", "mathematics"],
    }
    lines = [
        "---",
        *(f"{name}: {json.dumps(value)}" for name, value in metadata.items()),
        "---",
        "",
        f"# {Path(config['model']).name} on {dataset['name']} {dataset['version']}",
        "",
        f"Fine-tuned by `mathv360k train` for {_length(history, config)} on {data['questions']:,} "
        f"questions about {data['images']:,} images of {dataset['name']} {dataset['version']} "
        f"(split {dataset['split']}, digest `{dataset['digest']}`).",
        "",
        f"Loss per token of the answer: {losses[0]:.3f} at the first step, {losses[-1]:.3f} at the "
        "last." if losses else "",
        "",
        "![loss](loss.png)",
        "",
        "Made with " + ", ".join(f"{n} {v}" for n, v in record["packages"].items() if v)
        + f", seed {config['seed']}" + (f", commit {record['commit']}" if record["commit"] else "")
        + ".",
        "",
        f"`{RECORD}` has the whole configuration, the versions of all packages and the seed; "
        "`training_images.parquet` lists the images, so that `mathv360k eval run` can say what a "
        "benchmark shares with them.",
        "",
    ]  # fmt: skip
    (folder / "README.md").write_text("\n".join(lines), encoding="utf-8")


def _length(history: list[dict[str, Any]], config: dict[str, Any]) -> str:
    """How long it was trained; by a stream the Trainer cannot tell epochs."""
    last = history[-1] if history else {"step": 0, "epoch": 0.0}
    steps = f"{last['step']:,} steps"
    return steps if config["streaming"] else f"{steps} ({last['epoch']:.2f} epochs)"
