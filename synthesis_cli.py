"""The commands that ask a teacher: synthesize, verify-answers, ledger."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from .asking_options import DRY_RUN, asking_options
from .builder.recipe import (
    Recipe,
    Synthesis,
    TeacherChoice,
    Verification,
    read_recipe,
    teacher_named,
)
from .errors import UsageError
from .pipeline import beside
from .synthesis import run, verify
from .synthesis.asking import EMBEDDED, Asking
from .synthesis.ledger import Ledger
from .synthesis.teacher import Status
from .synthesis_terminal import show_estimate, show_ledger, show_written, show_yield
from .terminal import (
    OUT,
    Json,
    Quiet,
    refuse_path,
)

app = typer.Typer()
ledger_app = typer.Typer(
    no_args_is_help=True, help="Answers that were paid for: show, share, take."
)
app.add_typer(ledger_app, name="ledger")

Pool = Annotated[Path, typer.Argument(help="A pool: `build` and `select` leave one.")]
RecipeName = Annotated[
    str | None, typer.Argument(help="A recipe with `synthesize`. [default: all four kinds]")
]
Model = Annotated[
    str | None,
    typer.Option("--teacher", help="Another model than the recipe's; `drawn` is the embedded one."),
]


def _chosen(recipe: str | None, teacher: str | None) -> Recipe:
    """The recipe to follow, with another teacher where one is named."""
    chosen = Recipe(name="synthesis") if recipe is None else read_recipe(recipe)
    synthesis = chosen.synthesize
    if synthesis is None:
        if teacher is None:
            raise UsageError("Name who writes: a recipe with `synthesize`, or --teacher MODEL.")
        synthesis = Synthesis(teacher=teacher_named(teacher))
    elif teacher is not None:
        synthesis = synthesis.model_copy(update={"teacher": _renamed(synthesis.teacher, teacher)})
    return chosen.model_copy(update={"synthesize": synthesis})


def _renamed(choice: TeacherChoice, model: str) -> TeacherChoice:
    teacher_named(model)  # raises for an empty one
    rate = choice.error_rate if model == EMBEDDED else 0.0
    return TeacherChoice(**{**choice.model_dump(), "model": model, "error_rate": rate})


@app.command(epilog="Example: `mathv360k synthesize mathv360k.pool --teacher gpt-5-mini --dry-run`")
@asking_options
def synthesize(
    pool: Pool,
    asking: Asking,
    recipe: RecipeName = None,
    teacher: Model = None,
    out: Annotated[
        Path | None, typer.Option(help="The folder to write. [default: POOL.synthesis]")
    ] = None,
    dry_run: DRY_RUN = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Have a teacher write new questions about the images of a pool."""
    chosen = _chosen(recipe, teacher)
    if dry_run:
        _tell(run.dry_run(pool, chosen, asking), as_json, quiet, show_estimate)
        return
    out = out or beside(pool, "synthesis")
    manifest = run.synthesize(pool, chosen, out, asking)
    _tell({"folder": str(out), **manifest}, as_json, quiet, show_written)


@app.command(
    "verify-answers",
    epilog="Example: `mathv360k verify-answers mathv360k.pool --report synthesis.html`",
)
@asking_options
def verify_answers(
    pool: Pool,
    asking: Asking,
    recipe: RecipeName = None,
    teacher: Annotated[
        str | None, typer.Option("--teacher", help="Who answers. [default: who wrote]")
    ] = None,
    written: Annotated[
        Path | None, typer.Option(help="What `synthesize` wrote. [default: POOL.synthesis]")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="The pool to write. [default: POOL.verified]")
    ] = None,
    answers: Annotated[
        int | None, typer.Option(min=0, max=20, help="How often each question is answered again.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Show yield, reasons and samples as HTML.")
    ] = None,
    dry_run: DRY_RUN = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Keep the written questions that hold: good form, something new, and answers that agree."""
    refuse_path(report, ".html", ".htm")
    written = written or beside(pool, "synthesis")
    chosen = _rules(Recipe(name="x") if recipe is None else read_recipe(recipe), written)
    changes: dict[str, Any] = {} if answers is None else {"answers": answers}
    if teacher is not None:
        changes["teacher"] = teacher_named(teacher)
    rules = Verification.model_validate({**chosen.verify.model_dump(), **changes})
    chosen = chosen.model_copy(update={"verify": rules})
    if dry_run:
        _tell(verify.dry_run(pool, written, chosen, asking), as_json, quiet, show_estimate)
        return
    out = out or beside(pool, "verified")
    manifest = verify.verify_answers(pool, written, chosen, out, asking)
    if report is not None:
        from .dataset_card.synthesis import write_synthesis

        write_synthesis(out, report)
    _tell({"folder": str(out), **manifest}, as_json, quiet, show_yield)


def _rules(recipe: Recipe, written: Path) -> Recipe:
    """The recipe with the teacher that wrote: it answers where nobody else is named."""
    return recipe.model_copy(update={"synthesize": run.written_by(written)})


@ledger_app.command("show", epilog="Example: `mathv360k ledger show mathv360k.ledger`")
def show(
    ledger: Annotated[Path, typer.Argument(help="A ledger.")] = Path("mathv360k.ledger"),
    as_json: Json = False,
) -> None:
    """What a ledger holds, and what it cost, by model, purpose and how answers ended."""
    with Ledger(ledger, must_exist=True) as opened:
        rows = opened.summary()
    _tell({"ledger": str(ledger), "answers": rows}, as_json, False, show_ledger)


@ledger_app.command("export", epilog="Example: `mathv360k ledger export x.ledger answers.parquet`")
def export(
    ledger: Annotated[Path, typer.Argument(help="A ledger.")],
    out: Annotated[Path, typer.Argument(help="The .parquet file to write.")],
    as_json: Json = False,
) -> None:
    """Write all answers as Parquet, so that others need not pay for them again."""
    refuse_path(out, ".parquet")
    with Ledger(ledger, must_exist=True) as opened:
        count = opened.export(out)
    _say({"file": str(out), "answers": count}, f"{out} has {count:,} answers.", as_json)


@ledger_app.command("import", epilog="Example: `mathv360k ledger import x.ledger answers.parquet`")
def import_(
    ledger: Annotated[Path, typer.Argument(help="A ledger; made where there is none.")],
    file: Annotated[Path, typer.Argument(help="What `ledger export` wrote.")],
    as_json: Json = False,
) -> None:
    """Take over the answers of an export; those that are here already stay."""
    if not file.is_file():
        raise UsageError(f"{file} does not exist.")
    with Ledger(ledger) as opened:
        count, new = opened.import_(file)
    said = f"{new:,} of {count:,} answers are new in {ledger}."
    _say({"answers": count, "new": new}, said, as_json)


@ledger_app.command("forget", epilog="Example: `mathv360k ledger forget x.ledger truncated`")
def forget(
    ledger: Annotated[Path, typer.Argument(help="A ledger.")],
    status: Annotated[Status, typer.Argument(help="How the answers ended.")],
    as_json: Json = False,
) -> None:
    """Take out answers that are of no use, so that they are asked for again."""
    if status is Status.ANSWERED:
        raise UsageError("Good answers were paid for and stay; name another status.")
    with Ledger(ledger, must_exist=True) as opened:
        count = opened.forget(status)
    _say({"forgotten": count}, f"{count:,} answers will be asked for again.", as_json)


def _say(told: dict[str, Any], sentence: str, as_json: bool) -> None:
    if as_json:
        print(json.dumps(told))
    else:
        OUT.print(sentence, highlight=False, soft_wrap=True)


def _tell(told: dict[str, Any], as_json: bool, quiet: bool, show: Any) -> None:
    if as_json:
        print(json.dumps(told, indent=1, ensure_ascii=False))
    elif not quiet:
        show(told)
