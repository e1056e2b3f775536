"""The options of every command that asks a teacher."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import typer

from .builder.cluster import Cluster
from .errors import UsageError
from .synthesis.asking import Asking
from .synthesis.window import Limits
from .synthesis_terminal import asking_bar

DRY_RUN = Annotated[
    bool, typer.Option("--dry-run", help="Only say what it takes: requests, tokens, price.")
]
Engine = Literal["local", "ray"]
ENGINE = Annotated[Engine, typer.Option(help="Work on this machine, or on a Ray cluster.")]
ADDRESS = Annotated[
    str | None,
    typer.Option(help="The cluster: `auto`, HOST:PORT. [default: one started for this command]"),
]


def cluster_of(engine: Engine, address: str | None) -> Cluster | None:
    """What --engine and --address name."""
    if engine == "ray":
        return Cluster(address)
    if address is not None:
        raise UsageError("--address is for --engine ray; give both, or neither.")
    return None


def _asking(
    ledger: Annotated[
        Path, typer.Option(help="Where answers are kept; none of these is asked again.")
    ] = Path("mathv360k.ledger"),
    base_url: Annotated[
        str | None,
        typer.Option(help="The server, as http://localhost:8000/v1. [default: OpenAI's]"),
    ] = None,
    key_variable: Annotated[
        str, typer.Option(help="The environment variable that has the key.")
    ] = "OPENAI_API_KEY",
    budget: Annotated[
        float | None, typer.Option(min=0, help="USD that the job may cost, earlier runs included.")
    ] = None,
    budget_tokens: Annotated[
        int | None, typer.Option(min=1, help="Tokens that the job may take, likewise.")
    ] = None,
    prices: Annotated[
        Path | None, typer.Option(help="A YAML table of prices that goes before the package's.")
    ] = None,
    concurrency: Annotated[int, typer.Option(min=1, max=4096, help="Requests in flight.")] = 64,
    requests_per_minute: Annotated[int | None, typer.Option(min=1)] = None,
    tokens_per_minute: Annotated[int | None, typer.Option(min=1)] = None,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds to wait for an answer.")] = 600.0,
    structured: Annotated[
        Literal["auto", "on", "off"],
        typer.Option(help="Hand the form of answers to the server as a JSON schema."),
    ] = "auto",
    batch: Annotated[
        bool, typer.Option("--batch", help="By the batch API: half the price, within a day.")
    ] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="Write what is there where answers are missing.")
    ] = False,
    engine: ENGINE = "local",
    address: ADDRESS = None,
) -> Asking:
    return Asking(
        ledger=ledger,
        base_url=base_url,
        key_variable=key_variable,
        structured=structured,
        timeout=timeout,
        limits=Limits(concurrency, requests_per_minute, tokens_per_minute),
        budget_usd=budget,
        budget_tokens=budget_tokens,
        prices=prices,
        batch=batch,
        partial=partial,
        cluster=cluster_of(engine, address),
    )


def asking_options(
    command: Callable[..., None], without: Collection[str] = ()
) -> Callable[..., None]:
    """A command with a parameter `asking`, which takes its value from the options above.

    Those named in `without` the command does not have, and they keep their usual values. Where the
    command is not quiet, a bar shows how the asking goes.
    """
    told = inspect.signature(_asking, eval_str=True).parameters
    ours = {name: parameter for name, parameter in told.items() if name not in without}
    theirs = inspect.signature(command).parameters
    hints = get_type_hints(command, include_extras=True)

    @functools.wraps(command)
    def wrapped(**values: Any) -> None:
        asking = _asking(**{name: values.pop(name) for name in ours})
        silent = values.get("quiet", False) or values.get("as_json", False)
        with asking_bar(silent) as watch:
            command(**values, asking=replace(asking, watch=watch))

    own = [p.replace(annotation=hints[name]) for name, p in theirs.items() if name != "asking"]
    options = [p.replace(kind=p.KEYWORD_ONLY) for p in ours.values()]
    keyed = [p.replace(kind=p.KEYWORD_ONLY) for p in own]
    wrapped.__signature__ = inspect.Signature([*keyed, *options])  # type: ignore[attr-defined]
    wrapped.__annotations__ = {p.name: p.annotation for p in (*keyed, *options)}
    return wrapped
