"""The commands `mathv360k eval …`: run a model on a benchmark, extract, judge, score, compare."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from .asking_options import asking_options
from .errors import UsageError
from .eval_terminal import show_asked, show_comparison, show_run, show_score
from .synthesis.asking import Asking
from .terminal import Json, Quiet, progress_bars, refuse_path

app = typer.Typer(no_args_is_help=True, help="Score models on benchmarks.")

Outputs = Annotated[
    Path, typer.Argument(help="Outputs in the benchmark's own format (MMMU: also its folder).")
]
Runnable = Annotated[
    str, typer.Option("--benchmark", help="drawn, mathvista, mmmu, mathvision or mathverse.")
]
Data = Annotated[
    str | None,
    typer.Option(help="A folder or file of the benchmark, or a Hub repository. [default: its own]"),
]
Split = Annotated[str | None, typer.Option(help="Another split than the usual one.")]
PromptName = Annotated[str | None, typer.Option("--prompt", help="Another prompt than the usual.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Only the first so many problems.")]
Teacher = Annotated[str, typer.Option("--model", help="Who is asked, as its server calls it.")]
Extracted = Annotated[Path, typer.Option(help="The .json or .jsonl file to write.")]
Again = Annotated[bool, typer.Option("--again", help="Also where there is one already.")]
_OWN_OPTIONS = ("base_url", "structured", "batch")
BenchmarkName = Annotated[
    str,
    typer.Option("--benchmark", help="mathvista, mmmu, mmmu-pro, mathvision, mathverse or drawn."),
]
Rules = Annotated[
    str | None,
    typer.Option(
        help="head, released (MathVista); official, no_fallback (MMMU); judged (MathVerse); "
        "sound (all)."
    ),
]
Annotations = Annotated[
    Path | None, typer.Option(help="The benchmark's annotations, where they do not lie beside.")
]


@app.command(epilog="Example: `mathv360k eval run --benchmark drawn --model ./my-llava`")
@partial(asking_options, without=_OWN_OPTIONS)
def run(
    benchmark: Runnable,
    asking: Asking,
    model: Annotated[
        str | None,
        typer.Option(help="A folder or a name on the Hub; with --endpoint what the server says."),
    ] = None,
    endpoint: Annotated[
        str | None, typer.Option(help="Ask this server, as http://localhost:8000/v1.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The .jsonl file to write. [default: BENCHMARK-MODEL.jsonl]")
    ] = None,
    data: Data = None,
    split: Split = None,
    prompt: PromptName = None,
    rules: Rules = None,
    limit: Limit = None,
    max_new_tokens: Annotated[int, typer.Option(min=1, help="Tokens of a response.")] = 512,
    batch_size: Annotated[int, typer.Option(min=1, help="Problems at a time.")] = 8,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1.")] = None,
    dtype: Annotated[
        Literal["bf16", "fp16", "fp32"] | None,
        typer.Option(help="Numbers to compute with. [default: bf16 on a GPU, fp32 else]"),
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Have a model answer a benchmark, here or behind an endpoint, and score it; resumable."""
    from .eval.run import Run, run

    if endpoint is None and model is None:
        raise UsageError("Name the model with --model, or a server that has one with --endpoint.")
    if endpoint is not None and model is None:
        from .eval.endpoint import only_model

        model = only_model(endpoint, asking.key_variable)
    assert model is not None
    out = out or Path(f"{benchmark}-{Path(model).name}.jsonl")
    wanted = Run(
        benchmark, model, data, split, prompt, rules, limit, max_new_tokens, batch_size, device,
        dtype,
    )  # fmt: skip
    asked = replace(asking, base_url=endpoint) if endpoint else None
    with progress_bars(quiet or as_json or endpoint is not None) as progress:
        told = run(wanted, out, asked, progress)
    if as_json:
        print(_json(told))
    elif not quiet:
        show_run(told)


@app.command(epilog="Example: `mathv360k eval prompts --benchmark mathvista --out prompts.jsonl`")
def prompts(
    benchmark: Runnable,
    out: Annotated[Path, typer.Option(help="The .jsonl file to write.")],
    data: Data = None,
    split: Split = None,
    prompt: PromptName = None,
    limit: Limit = None,
) -> None:
    """Write the exact prompts of a benchmark, for a model that is asked elsewhere."""
    from .eval.generate import asked_by
    from .eval.problems import read_problems

    refuse_path(out, ".jsonl")
    asked = asked_by(read_problems(benchmark, data, split, limit), benchmark, prompt)
    rows = [{"id": one.problem.id, "prompt": one.prompt} for one in asked]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    out.write_text(lines, encoding="utf-8", errors="replace")


@app.command(
    epilog="Example: `mathv360k eval extract raw.json --benchmark mathvista --model gpt-4o-mini "
    "--out extracted.json --budget 2`"
)
@partial(asking_options, without=("structured", "batch"))
def extract(
    file: Outputs,
    benchmark: Annotated[str, typer.Option("--benchmark", help="mathvista or mathverse.")],
    model: Teacher,
    out: Extracted,
    asking: Asking,
    words: Annotated[
        int, typer.Option(help="MathVerse: only the last so many words of a response.")
    ] = -1,
    again: Again = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Have a model find the short answer in each response, with the official prompts."""
    from .eval.asked_extraction import extract

    refuse_path(out, ".json", ".jsonl")
    told = extract(file, benchmark, model, out, asking, words=words, again=again)
    _tell_asked(told, as_json, quiet)


@app.command(
    epilog="Example: `mathv360k eval judge extracted.json --model gpt-4o-mini --out judged.json`"
)
@partial(asking_options, without=("structured", "batch"))
def judge(
    file: Outputs,
    model: Teacher,
    out: Extracted,
    asking: Asking,
    again: Again = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Have a model judge MathVerse's extracted answers; `score --rules judged` counts them."""
    from .eval.asked_extraction import judge

    refuse_path(out, ".json", ".jsonl")
    _tell_asked(judge(file, model, out, asking, again), as_json, quiet)


@app.command(epilog="Example: `mathv360k eval score output_bard.json --benchmark mathvista`")
def score(
    file: Outputs,
    benchmark: BenchmarkName,
    rules: Rules = None,
    annotations: Annotations = None,
    out: Annotated[Path | None, typer.Option(help="Write everything as JSON.")] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a table row.")] = False,
    as_json: Json = False,
) -> None:
    """Score a file of outputs by the official rules, with the sound ones beside them."""
    from .eval.leaderboard import markdown_row
    from .eval.scoring import score

    told = score(file, benchmark, rules, annotations)
    if out is not None:
        out.write_text(_json(told), encoding="utf-8")
    if as_json:
        print(_json(told))
    elif markdown:
        print(markdown_row(file.stem, told))
    else:
        show_score(file.name, told)


@app.command(epilog="Example: `mathv360k eval compare a.json b.json --benchmark mathvista`")
def compare(
    first: Outputs,
    second: Outputs,
    benchmark: BenchmarkName,
    rules: Rules = None,
    annotations: Annotations = None,
    as_json: Json = False,
) -> None:
    """Compare two models on the items that both have answered, with a paired test."""
    from .eval.scoring import score
    from .eval.uncertainty import compare_paired

    verdicts = []
    for file in (first, second):
        items = score(file, benchmark, rules, annotations)["items"]
        verdicts.append({item["id"]: item["correct"] for item in items})
    both = [item for item in verdicts[0] if item in verdicts[1]]
    if not both:
        raise UsageError(f"{first} and {second} have no item in common.")
    told = compare_paired([verdicts[0][i] for i in both], [verdicts[1][i] for i in both])
    if as_json:
        print(_json(told))
    else:
        show_comparison(first.name, second.name, told)


def _tell_asked(told: dict[str, Any], as_json: bool, quiet: bool) -> None:
    if as_json:
        print(_json(told))
    elif not quiet:
        show_asked(told)


def _json(told: dict[str, Any]) -> str:
    return json.dumps(told, indent=1, ensure_ascii=False, default=str)
