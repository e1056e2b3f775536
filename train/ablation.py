"""The paper's ablation in the small: does each kind of written question help?

    python -m mathv360k.train.ablation mathv360k --out ablation --seeds 5 --steps 150

Math-LLaVA (arXiv 2406.17294, table 4) adds kind after kind to the originals, and all of them. Here
a tiny model is trained on drawn pictures, in each setting for the same number of steps, and asked
the problems of the held-out seed. A setting that is done is not done again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from statistics import mean, stdev
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from ..eval.run import Run, run
from .config import read_config
from .finetune import finetune
from .tiny import make_tiny

KINDS = ("ask_image", "complex", "rephrase", "simplify")
SETTINGS: dict[str, list[str]] = {
    "original": ["original"],
    **{f"+ {kind}": ["original", kind] for kind in KINDS},
    "all": ["original", *KINDS],
}
_QUESTIONS = 16
_TINY = files("mathv360k.train") / "configs" / "tiny.yaml"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The shares of right answers of a setting, a seed each."""

    setting: str
    accuracies: list[float]

    @property
    def spread(self) -> float:
        """The standard deviation between seeds."""
        return stdev(self.accuracies) if len(self.accuracies) > 1 else 0.0


def ablate(data: str, out: Path, *, seeds: int, steps: int, problems: int) -> list[Outcome]:
    """Train and ask a tiny model in each setting, with each seed; folders are made below `out`."""
    out.mkdir(parents=True, exist_ok=True)
    outcomes = [Outcome(setting, []) for setting in SETTINGS]
    for seed in range(seeds):
        for outcome in outcomes:
            kinds = SETTINGS[outcome.setting]
            outcome.accuracies.append(_accuracy(data, out, kinds, seed, steps, problems))
    return outcomes


def _accuracy(
    data: str, out: Path, kinds: list[str], seed: int, steps: int, problems: int
) -> float:
    folder = out / f"{'-'.join(kinds)}-{seed}"
    config = read_config(
        Path(str(_TINY)), data=data, seed=seed, max_steps=steps, select={"kind": kinds},
        questions_per_step=_QUESTIONS,
    )  # fmt: skip
    model = make_tiny(config, out / f"base-{seed}")
    finetune(model, folder)
    asked = Run("drawn", str(folder), limit=problems, max_new_tokens=24, batch_size=32)
    return run(asked, folder.with_suffix(".jsonl"))["accuracy"]


def table(outcomes: list[Outcome]) -> Table:
    """Mean and spread of each setting, and how far it is from originals alone."""
    shown = Table("questions", "right", "spread", "more than original")
    for column in shown.columns[1:]:
        column.justify = "right"
    base = mean(outcomes[0].accuracies)
    for outcome in outcomes:
        value = mean(outcome.accuracies)
        shown.add_row(
            outcome.setting, f"{value:.1%}", f"{outcome.spread:.1%}", f"{value - base:+.1%}"
        )
    return shown


def main(
    data: Annotated[str, typer.Argument(help="A dataset of drawn pictures.")],
    out: Annotated[Path, typer.Option(help="Where models and outputs are kept.")],
    seeds: Annotated[int, typer.Option(min=1)] = 5,
    steps: Annotated[int, typer.Option(min=1)] = 150,
    problems: Annotated[int, typer.Option(min=1)] = 300,
) -> None:
    """Print the share of right answers in each setting, over the seeds."""
    outcomes = ablate(data, out, seeds=seeds, steps=steps, problems=problems)
    rows: list[dict[str, Any]] = [
        {"setting": o.setting, "accuracies": o.accuracies} for o in outcomes
    ]
    (out / "ablation.json").write_text(json.dumps(rows, indent=1))
    Console().print(table(outcomes))


if __name__ == "__main__":
    typer.run(main)
