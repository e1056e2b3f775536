"""The commands that train, and that hand the dataset to other trainers."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from .errors import UsageError, require_extra
from .terminal import Json, Quiet, progress_bars, tell

app = typer.Typer()

Names = Annotated[list[str] | None, typer.Option(help="Only these. Repeatable.")]
Levels = Annotated[list[int] | None, typer.Option(min=0, max=3, help="Only these. Repeatable.")]
TRAINERS = ("llava", "llama-factory", "ms-swift", "trl", "nanovlm")


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
    complexity: Levels = None,
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
    streaming: Annotated[
        bool | None,
        typer.Option("--streaming", help="Read the dataset as it comes, without keeping it."),
    ] = None,
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
    from .train.run_folder import is_first
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
        streaming=streaming, seed=seed, select=select,
    )  # fmt: skip
    out = out or Path(f"{Path(chosen.model).name}-mathv360k")
    if tiny:
        chosen = make_tiny(chosen, out.with_name(f"{out.name}.base-{chosen.seed}"))
    silent = quiet or as_json or not is_first()
    say = (lambda _: None) if silent else tell
    with progress_bars(silent) as progress:
        told = finetune(chosen, out, tell=say, progress=progress, bar=not silent)
    if as_json and is_first():
        print(json.dumps(told))
    elif not silent:
        _show(told)


@app.command(epilog="Example: `mathv360k export mathv360k --for llava --out for-llava`")
def export(
    dataset: Annotated[
        str, typer.Argument(help="A dataset folder, or `namespace/name[@version]` on the Hub.")
    ],
    trainer: Annotated[str, typer.Option("--for", help=f"One of {', '.join(TRAINERS)}.")],
    out: Annotated[
        Path | None, typer.Option(help="The folder to write. [default: mathv360k-TRAINER]")
    ] = None,
    split: Annotated[str, typer.Option(help="A split, or a slice as train[:10%].")] = "train",
    prompt: Annotated[str, typer.Option(help="hint_first, as in MathV360K, or plain.")] = (
        "hint_first"
    ),
    source: Names = None,
    task: Names = None,
    kind: Names = None,
    complexity: Levels = None,
    min_clarity: Annotated[float | None, typer.Option(min=0, max=1)] = None,
    min_agreement: Annotated[float | None, typer.Option(min=0, max=1)] = None,
    exclude_contaminated: Annotated[
        bool, typer.Option("--exclude-contaminated", help="Without what a benchmark shares.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write a dataset in the form that another trainer reads."""
    from .train.export import export as write

    out = out or Path(f"mathv360k-{trainer}")
    with progress_bars(quiet or as_json) as progress:
        told = write(
            dataset, trainer, out, split=split, prompt=cast(Any, prompt), progress=progress,
            source=source, task=task, kind=kind, complexity=complexity, min_clarity=min_clarity,
            min_agreement=min_agreement, exclude_contaminated=exclude_contaminated,
        )  # fmt: skip
    if as_json:
        print(json.dumps(told))
    elif not quiet:
        tell(f"{told['folder']}: {told['questions']:,} questions on {told['images']:,} images.")
        if told["without_image"]:
            tell(f"{told['without_image']:,} questions have no image here.", "yellow")


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
