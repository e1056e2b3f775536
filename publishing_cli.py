"""The commands around a finished dataset: card, report, diff, verify, push, get, link."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from . import publishing
from .builder import copies
from .builder.location import locate, split_revision
from .errors import UsageError
from .publishing_terminal import show_card, show_difference, show_push, show_verification
from .terminal import OUT, Json, Quiet, progress_bars, tell
from .train.publish import is_model, push_model

app = typer.Typer()

Dataset = Annotated[
    str, typer.Argument(help="A dataset folder, or NAMESPACE/NAME@REVISION on the Hub.")
]
Repository = Annotated[str, typer.Argument(help="NAMESPACE/NAME, or NAMESPACE/NAME@TAG.")]
Folder = Annotated[Path, typer.Argument(help="The dataset folder.")]
Out = Annotated[Path, typer.Option(help="The folder to write.")]


@app.command(epilog="Example: `mathv360k card mathv360k --check`")
def card(
    folder: Folder,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit code 1 where it disagrees.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the card of a dataset anew from its files, or check that it agrees with them."""
    if not check:
        publishing.rewrite_card(folder)
    problems = publishing.card_problems(folder) if check else []
    if as_json:
        told = {"folder": str(folder), "ok": not problems, "problems": problems}
        print(json.dumps(told, indent=1, ensure_ascii=False))
    elif problems or not quiet:
        show_card(folder, problems, check)
    if problems:
        raise typer.Exit(1)


@app.command(epilog="Example: `mathv360k report mathv360k`")
def report(
    folder: Folder,
    out: Annotated[
        Path | None, typer.Option(help="The HTML file. [default: beside the folder]")
    ] = None,
    seed: Annotated[int, typer.Option(help="Which images are shown, where there are many.")] = 0,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write one HTML page with tables, figures and a gallery of a dataset."""
    with progress_bars(quiet or as_json) as progress:
        path, shown = publishing.report(folder, out, seed=seed, progress=progress)
    size = path.stat().st_size
    if as_json:
        print(json.dumps({"report": str(path), "questions": shown, "bytes": size}))
    elif not quiet:
        said = f"{path} shows {shown:,} questions ({size / 1e6:.1f} MB)."
        OUT.print(said, highlight=False, soft_wrap=True)


@app.command(epilog="Example: `mathv360k diff somebody/mathv360k@v1.0.0 mathv360k`")
def diff(old: Dataset, new: Dataset, as_json: Json = False) -> None:
    """Say what changed between two versions, row by row."""
    told = publishing.diff(old, new)
    if as_json:
        print(json.dumps(told, indent=1, ensure_ascii=False))
    else:
        show_difference(told)


@app.command(epilog="Example: `mathv360k verify mathv360k`")
def verify(
    dataset: Dataset,
    decode: Annotated[
        bool, typer.Option(help="Open every image too, and look for look-alikes across splits.")
    ] = True,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Check every byte, row and image of a dataset; exit code 1 where anything is wrong."""
    with progress_bars(quiet or as_json) as progress:
        told = publishing.verify_dataset(dataset, decode=decode, progress=progress)
    if as_json:
        print(json.dumps(told, indent=1, ensure_ascii=False))
    elif not (quiet and told["ok"]):
        show_verification(told)
    if not told["ok"]:
        raise typer.Exit(1)


@app.command(epilog="Example: `mathv360k push mathv360k somebody/mathv360k`")
def push(
    folder: Folder,
    repository: Annotated[str, typer.Argument(help="NAMESPACE/NAME on the Hub.")],
    revision: Annotated[str, typer.Option(help="The branch, like `staging`.")] = "main",
    tag: Annotated[
        bool | None,
        typer.Option("--tag/--no-tag", help="Tag the version. [default: on main only]"),
    ] = None,
    public: Annotated[
        bool,
        typer.Option(
            "--public/--private",
            help="Who may see a new repository; everybody: without images that forbid it.",
        ),
    ] = False,
    rehost: Annotated[
        list[str] | None,
        typer.Option(help="You may publish this source's images. Repeatable."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be sent.")
    ] = False,
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Publish a dataset folder, or a trained model: one commit and a tag, or nothing."""
    if is_model(folder):
        if tag or rehost or dry_run:
            raise UsageError(
                f"{folder} is a model: --tag, --rehost and --dry-run are for datasets."
            )
        told = push_model(folder, repository, revision=revision, public=public)
        if as_json:
            print(json.dumps(told, indent=1))
        elif not quiet:
            tell(f"{told['repository']} ({told['revision']}) is at {told['commit'][:12]}.")
        return
    with progress_bars(quiet or as_json) as progress:
        told = publishing.push(
            folder, repository, revision=revision, tag=tag, public=public, rehost=rehost or (),
            dry_run=dry_run, progress=progress,
        )  # fmt: skip
    if as_json:
        print(json.dumps(told, indent=1, ensure_ascii=False))
    elif not quiet:
        show_push(told, dry_run)


@app.command(epilog="Example: `mathv360k get somebody/mathv360k@v1.0.0`")
def get(
    repository: Repository,
    out: Out = Path("mathv360k"),
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Download a version from the Hub, verified."""
    _on_hub(repository)
    place = locate(repository)
    with progress_bars(quiet or as_json) as progress:
        copies.get(place, out, progress)
    name, version = place.manifest["name"], place.manifest["version"]
    if as_json:
        told = {"folder": str(out), "name": name, "version": version, "commit": place.commit}
        print(json.dumps({**told, "digest": place.manifest["digest"]}, indent=1))
    elif not quiet:
        OUT.print(f"{out} is {name} {version}.", highlight=False, soft_wrap=True)


@app.command(epilog="Example: `mathv360k link somebody/mathv360k@v1.0.0`")
def link(
    repository: Repository,
    out: Out = Path("mathv360k"),
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write a small folder that `load_dataset` reads from the Hub, pinned to a version."""
    name, revision = _on_hub(repository)
    place = locate(repository)
    revision = copies.link(place, revision, out)
    if as_json:
        told = {"folder": str(out), "repository": name, "revision": revision}
        print(json.dumps({**told, "commit": place.commit, "version": place.manifest["version"]}))
    elif not quiet:
        OUT.print(f"{out} links to {name} at {revision}.", highlight=False, soft_wrap=True)


def _on_hub(repository: str) -> tuple[str, str | None]:
    name, revision = split_revision(repository)
    if name.count("/") != 1 or Path(repository).is_dir():
        raise UsageError(f"{repository} is no repository on the Hub; give NAMESPACE/NAME@TAG.")
    return name, revision
