"""From a model and a benchmark to a file of outputs, in the benchmark's own fields.

The file is JSON lines in the benchmark's order. A run that was stopped goes on where it was: the
answers of a model on this machine are kept batch by batch beside the file, those of a server in
the ledger.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ..builder.intake import Progress, quiet
from ..errors import FolderError, UsageError
from ..synthesis.asking import Asking
from .asked import Answer, Asked
from .problems import SOURCES, Problem, prompt_named


def asked_by(problems: Sequence[Problem], benchmark: str, prompt: str | None) -> list[Asked]:
    """The problems with their prompts, the benchmark's usual ones without a name."""
    _, made = prompt_named(benchmark, prompt)
    return [Asked(problem, made(problem.row)) for problem in problems]


def generate_locally(
    asked: Sequence[Asked],
    benchmark: str,
    model: str,
    out: Path,
    *,
    batch_size: int = 8,
    max_new_tokens: int = 512,
    device: str | None = None,
    dtype: str | None = None,
    progress: Progress = quiet,
) -> list[Answer]:
    """Have a model on this machine answer all problems, and write `out`.

    Raises `ModelError` for a model that cannot be loaded, `FolderError` where another run's answers
    are beside `out`.
    """
    from .local_model import LocalModel

    loaded = LocalModel(model, device, dtype)
    settings = {
        "model": model,
        "dtype": loaded.dtype,
        "device": loaded.device.type,
        "batch_size": batch_size,
        "max_new_tokens": max_new_tokens,
        "problems": _digest(asked),
        "transformers": version("transformers"),
        "torch": version("torch"),
    }
    partial = out.with_name(f".{out.name}.partial")
    kept = _kept(partial, settings)
    batches = loaded.batches(asked, batch_size)
    todo = [batch for batch in batches if any(one.problem.id not in kept for one in batch)]
    what = f"{benchmark} by {model}"
    progress(what, len(asked) - sum(map(len, todo)), len(asked))
    with partial.open("ab") as file:
        for answers in loaded.answers(todo, max_new_tokens):
            kept |= {answer.id: answer for answer in answers}
            rows = [[answer.id, answer.response, answer.error] for answer in answers]
            file.write(_line(rows))
            file.flush()
            os.fsync(file.fileno())
            progress(what, len(kept), len(asked))
    answers = [kept[one.problem.id] for one in asked]
    write_outputs(out, benchmark, asked, answers, model, max_new_tokens)
    partial.unlink()
    return answers


def generate_by_endpoint(
    asked: Sequence[Asked],
    benchmark: str,
    model: str,
    out: Path,
    asking: Asking,
    max_new_tokens: int = 512,
) -> list[Answer]:
    """Have a server answer all problems, and write `out`; see `endpoint.answers`."""
    from . import endpoint

    answers = endpoint.answers(asked, benchmark, model, max_new_tokens, asking)
    write_outputs(out, benchmark, asked, answers, model, max_new_tokens)
    return answers


def write_outputs(
    out: Path,
    benchmark: str,
    asked: Sequence[Asked],
    answers: Iterable[Answer],
    model: str,
    max_new_tokens: int,
) -> None:
    """Write the problems with their prompts and responses; the file appears whole or not at all."""
    field = SOURCES[benchmark].response
    partial = out.with_name(f".{out.name}.writing")
    with partial.open("wb") as file:
        for one, answer in zip(asked, answers, strict=True):
            asked_so = _asked_so(one, model, max_new_tokens)
            said = {**asked_so, field: answer.response}
            error = {"error": answer.error} if answer.error else {}
            file.write(_line({**one.problem.row, **said, **error}))
    partial.replace(out)


def is_written(out: Path, asked: Sequence[Asked], model: str, max_new_tokens: int) -> bool:
    """Whether `out` holds the answers of this model to these prompts already.

    Raises `UsageError` where it is another file, which is not overwritten.
    """
    if not out.exists():
        return False
    wanted = [_asked_so(one, model, max_new_tokens) for one in asked]
    try:
        found = [{name: row.get(name) for name in wanted[0]} for row in _rows(out)]
    except (ValueError, AttributeError, OSError):
        found = []
    if found != wanted:
        raise UsageError(f"{out} is another file; remove it, or write to another --out.")
    return True


def errors_in(out: Path, benchmark: str) -> dict[str, str]:
    """Why problems have no answer, by id, as `write_outputs` has written it."""
    key = SOURCES[benchmark].key
    return {row[key]: row["error"] for row in _rows(out) if "error" in row}


def _rows(out: Path) -> list[Any]:
    with out.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def _asked_so(one: Asked, model: str, max_new_tokens: int) -> dict[str, Any]:
    """What an output tells of how it was asked."""
    return {"query": one.prompt, "model": model, "max_new_tokens": max_new_tokens}


def _digest(asked: Sequence[Asked]) -> str:
    """The sha256 of ids and prompts."""
    listed = [[one.problem.id, one.prompt] for one in asked]
    return hashlib.sha256(_line(listed)).hexdigest()


def _kept(partial: Path, settings: dict[str, Any]) -> dict[str, Answer]:
    """The answers of a run that was stopped; the file is made, or cut to its last whole line."""
    if not partial.exists():
        partial.write_bytes(_line(settings))
        return {}
    lines = partial.read_bytes().splitlines(keepends=True)
    if lines and not lines[-1].endswith(b"\n"):
        lines.pop()
    try:
        told, *batches = [json.loads(line) for line in lines] or [settings]
        kept = {row[0]: Answer(*row) for rows in batches for row in rows}
    except (ValueError, TypeError, IndexError, KeyError) as error:
        raise FolderError(
            f"{partial} cannot be read ({error}); remove it to start again."
        ) from None
    if told != settings:
        other = [name for name in settings if not isinstance(told, dict) or
                 told.get(name) != settings[name]]  # fmt: skip
        raise FolderError(
            f"{partial} has answers of another run ({', '.join(other)} differ); remove it, or "
            "write to another --out."
        )
    if not lines:
        partial.write_bytes(_line(settings))
    else:
        os.truncate(partial, sum(map(len, lines)))
    return kept


def _line(said: Any) -> bytes:
    return json.dumps(said, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
