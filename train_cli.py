"""The commands that train, and that hand the dataset to other trainers."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import typer

from .errors import UsageError, require_extra
from .terminal import Json, Quiet, progress_bars, tell

app = typer.Typer()

Names = Annotated[list[str] | None, typer.Option(help="Only these. Repeatable.")]


@app.command(
    epilog="Example: `mathv360k train --tiny`, or `accelerate launch -m mathv360k train --config "
    "train/configs/math-llava-13b.yaml`"
)
def train(
    config: Annotated[Path | None, typer.Option(help="A YAML file; options go before it.")] = None,
    model: Annotated[str | None, typer.Option(help="A folder or a name on the Hub.")] = None,
    data: Annotated[
        str | None, typer.Option(help="A dataset folder or `namespace/name@version`.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The folder to write. [default: MODEL-mathv360k]")
    ] = None,
    tiny: Annotated[
        bool, typer.Option("--tiny", help="A LLaVA of a few million parameters, made here.")
    ] = False,
    source: Names = None,
    task: Names = None,
    kind: Names = None,
    complexity: Annotated[
        list[int] | None, typer.Option(min=0, max=3, help="Only these. Repeatable.")
    ] = None,
    min_agreement: Annotated[float | None, typer.Option(min=0, max=1)] = None,
    weight: Annotated[
        list[str] | None,
        typer.Option(help="SOURCE=TIMES that its images are seen in an epoch. Repeatable."),
    ] = None,
    curriculum: Annotated[
        bool | None, typer.Option("--curriculum", help="From simple to complex images.")
    ] = None,
    epochs: Annotated[float | None, typer.Option(min=0)] = None,
    max_steps: Annotated[int | None, typer.Option(min=1)] = None,
    packing: Annotated[
        bool | None, typer.Option("--packing/--no-packing", help="Questions share their image.")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0)] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many images.")] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Fine-tune a vision-language model on a dataset; run again it goes on where it was."""
    require_extra("train", "torch", "transformers", "accelerate", "peft")
    from .train.config import read_config
    from .train.finetune import finetune
    from .train.tiny import make_tiny

    if tiny and (model or config):
        raise UsageError("--tiny has a model and a configuration of its own.")
    if tiny:
        config = Path(str(files("mathv360k.train") / "configs" / "tiny.yaml"))
    select = {
        "source": source,
        "task": task,
        "kind": kind,
        "complexity": complexity,
        "min_agreement": min_agreement,
        "weights": _weights(weight),
        "curriculum": curriculum,
        "limit": limit,
    }
    chosen = read_config(
        config, model=model, data=data, epochs=epochs, max_steps=max_steps, packing=packing,
        seed=seed, select=select,
    )  # fmt: skip
    out = out or Path(f"{Path(chosen.model).name}-mathv360k")
    if tiny:
        chosen = make_tiny(chosen, out.with_name(f"{out.name}.base"))
    say = (lambda _: None) if quiet or as_json else tell
    with progress_bars(quiet or as_json) as progress:
        told = finetune(chosen, out, tell=say, progress=progress, bar=not (quiet or as_json))
    if as_json:
        print(json.dumps(told))
    elif not quiet:
        _show(told)


def _weights(said: list[str] | None) -> dict[str, float] | None:
    if said is None:
        return None
    try:
        return {name: float(times) for name, times in (one.split("=") for one in said)}
    except ValueError:
        raise UsageError("--weight is SOURCE=TIMES, as --weight TabMWP=0.5.") from None


def _show(told: dict[str, Any]) -> None:
    tell(
        f"{told['folder']}: {told['steps']:,} steps, loss {told['first_loss']:.3f} → "
        f"{told['last_loss']:.3f}.",
        "bold",
    )
    if told["unreadable"]:
        tell(f"{told['unreadable']:,} images could not be read and were left out.", "yellow")
    if told["too_long"]:
        first = told["too_long"][0]
        tell(f"{len(told['too_long']):,} questions are too long, the first is {first}.", "yellow")
