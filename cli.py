"""The `mathv360k` command: one thin command per step, no logic."""

from __future__ import annotations

import errno
import json
import sys
import warnings
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import typer
from PIL import Image
from rich.markup import escape

from . import curation_cli, eval_cli, pipeline, publishing_cli, synthesis_cli, train_cli
from .asking_options import asking_options
from .builder.check import check_source
from .builder.recipe import Recipe, read_recipe
from .builder.sources import SOURCES, missing_files, source
from .builder.sources.source import ReadOptions, Source
from .dataset_card.preview import write_preview
from .doctor import examine
from .errors import MathV360KError, UsageError
from .synthesis.asking import Asking
from .terminal import (
    ERR,
    OUT,
    Json,
    Quiet,
    progress_bars,
    show_checks,
    show_dataset,
    show_found,
    show_not_compared,
    show_sources,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"mathv360k {version('mathv360k')}")
        raise typer.Exit


app = typer.Typer(
    no_args_is_help=True,
    add_completion=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print it.")
    ] = False,
) -> None:
    """Rebuild, version, publish and load MathV360K."""


app.add_typer(curation_cli.app)
app.add_typer(synthesis_cli.app)
app.add_typer(publishing_cli.app)
app.add_typer(eval_cli.app, name="eval")
app.add_typer(train_cli.app)

Out = Annotated[Path, typer.Option(help="The dataset folder to write.")]
Against = Annotated[
    list[Path] | None,
    typer.Option(help="Mark what this benchmark (folder or file) shares. Repeatable."),
]
Seed = Annotated[int | None, typer.Option(min=0, help="Another seed than the recipe's.")]
Limit = Annotated[int | None, typer.Option(min=1, help="At most so many images of each source.")]


@app.command(epilog="Example: `mathv360k build --out mathv360k`")
@asking_options
def build(
    asking: Asking,
    recipe: Annotated[
        str | None,
        typer.Argument(help="A built-in recipe or a .yaml file. [default: demo, drawn offline]"),
    ] = None,
    out: Out = Path("mathv360k"),
    source_root: Annotated[
        Path | None,
        typer.Option(help="Folder that holds one folder per source; without RECIPE, reads all."),
    ] = None,
    pool: Annotated[
        Path | None, typer.Option(help="Start from this pool instead of reading sources.")
    ] = None,
    seed: Seed = None,
    limit: Limit = None,
    public: Annotated[
        bool,
        typer.Option("--public", help="Leave out images that may not be published again."),
    ] = False,
    rehost: Annotated[
        list[str] | None,
        typer.Option(help="With --public: you may publish this source's images. Repeatable."),
    ] = None,
    against: Against = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Build a dataset folder from a recipe."""
    if pool is not None and (recipe is None or source_root is not None or limit is not None):
        raise UsageError("With --pool give a recipe, and neither --source-root nor --limit.")
    if recipe is None and source_root is not None:
        chosen = Recipe.model_validate({"name": "sources", "sources": _readable(source_root)})
    else:
        chosen = read_recipe(recipe or "demo")
    if seed is not None:
        chosen = chosen.model_copy(update={"seed": seed})
    with progress_bars(quiet or as_json) as progress:
        manifest = pipeline.build(
            chosen.limited(limit),
            out,
            source_root=source_root,
            pool=pool,
            public=public,
            rehost=rehost or (),
            against=against or (),
            asking=asking,
            progress=progress,
        )
    _report(out, manifest, as_json, quiet)


@app.command(
    "import",
    epilog="Example: `mathv360k import train_samples_all_tuning.json data_images.zip`",
)
def import_(
    annotations: Annotated[Path, typer.Argument(help="train_samples_all_tuning.json")],
    images: Annotated[Path, typer.Argument(help="The folder data_images, or the zip as it is.")],
    out: Out = Path("mathv360k"),
    recipe: Annotated[
        str, typer.Option(help="Version, seed and splits: a built-in recipe or a .yaml file.")
    ] = "release",
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Turn the released MathV360K (JSON and images) into a dataset folder."""
    with progress_bars(quiet or as_json) as progress:
        manifest = pipeline.import_release(
            read_recipe(recipe), annotations, images, out, progress=progress
        )
    _report(out, manifest, as_json, quiet)


@app.command(epilog="Example: `mathv360k sources --check ~/math-sources`")
def sources(
    check: Annotated[
        Path | None, typer.Option(help="Read what lies below this folder, and say what is there.")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--source", help="Everything about this one source.")
    ] = None,
    preview: Annotated[
        Path | None,
        typer.Option(help="With --check and --source: write pictures and questions as HTML."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Read at most so many images of each source.")
    ] = None,
    validation: Annotated[
        bool, typer.Option("--validation", help="Read the validation part instead of train.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """List the 24 sources: licence, what to download; with --check what is there and readable."""
    if check is not None and not check.is_dir():
        raise UsageError(f"{check} is not a folder.")
    chosen = list(SOURCES.values()) if name is None else [source(name)]
    options = ReadOptions(("validation",) if validation else ("train",), limit)
    if preview is not None:
        if check is None or name is None:
            raise UsageError("For --preview give --source NAME and --check ROOT too.")
        shown = write_preview(chosen[0], check, preview, options)
        if not quiet and not as_json:
            OUT.print(f"{preview} shows {shown} pictures.", highlight=False, soft_wrap=True)
    rows = [_declared(s) for s in chosen]
    if check is not None:
        with progress_bars(quiet or as_json) as progress:
            for row, s in zip(rows, chosen, strict=True):
                row |= asdict(check_source(s, check, options, progress))
    if as_json:
        print(json.dumps({"sources": rows}, indent=1, ensure_ascii=False))
    elif check is not None:
        show_found(rows)
    elif name is not None:
        for key, value in rows[0].items():
            if value not in (None, ""):
                OUT.print(f"[bold]{key:11}[/] {escape(str(value))}", highlight=False)
    else:
        show_sources(rows)


def _declared(s: Source) -> dict[str, Any]:
    return {
        "name": s.name,
        "task": s.task,
        "context": s.context,
        "license": s.license,
        "rehost": s.rehost,
        "terms": s.terms,
        "attribution": s.attribution,
        "homepage": s.homepage,
        "obtain": s.obtain,
        "files": list(s.files),
        "mirrors": [mirror.repository for mirror in s.mirrors],
    }


@app.command(epilog="Example: `mathv360k doctor --source-root ~/math-sources`")
def doctor(
    source_root: Annotated[
        Path | None, typer.Option(help="Also look which sources are found here.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Say what is installed and found here, and what would go wrong."""
    checks = examine(Path.cwd(), source_root)
    if as_json:
        print(json.dumps({"checks": [c.__dict__ for c in checks]}, indent=1))
    else:
        show_checks(checks)
    if any(check.status == "bad" for check in checks):
        raise typer.Exit(1)


def run() -> None:
    """Run the command; every failure is one sentence and an exit code (1, or 2 for usage)."""
    warnings.simplefilter("error", Image.DecompressionBombWarning)  # a reason, not a message
    # Arrow's own allocator hands large buffers back to the kernel at once: a tenth slower here.
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        app()
    except SystemExit as ended:
        if ended.code == 130:  # so typer ends on Ctrl-C, without a word
            raise KeyboardInterrupt from None
        raise
    except MathV360KError as error:
        _fail(str(error), error.exit_code)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            _fail("The disk is full; free some space and run the same command again.", 1)
        where = f"{error.filename}: " if error.filename else ""
        _fail(f"{where}{error.strerror or error}.", 1)


def _fail(sentence: str, code: int) -> None:
    ERR.print(f"error: {sentence}", style="red", markup=False, highlight=False, soft_wrap=True)
    sys.exit(code)


def _readable(root: Path) -> dict[str, Any]:
    """The sources below `root` that are complete and can be read; says what is left out."""
    if not root.is_dir():
        raise UsageError(f"{root} is not a folder.")
    found = [s for s in SOURCES.values() if s.files and (root / s.name).is_dir()]
    for s in found:
        if missing := missing_files(s, root):
            ERR.print(f"left out: {s.name}, which lacks {', '.join(missing)}", style="yellow")
    chosen = {s.name: {} for s in found if not missing_files(s, root)}
    if not chosen:
        raise UsageError(f"No source is complete below {root}; see `mathv360k sources --check`.")
    return chosen


def _report(out: Path, manifest: dict[str, Any], as_json: bool, quiet: bool) -> None:
    if as_json:
        print(json.dumps({"folder": str(out), **manifest}, indent=1, ensure_ascii=False))
    elif not quiet:
        show_dataset(out, manifest)
        show_not_compared(manifest)
