"""A model on a benchmark, from the problems to the score."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..builder.intake import Progress, quiet
from ..errors import UsageError, require_extra
from ..synthesis.asking import Asking
from .contamination import seen_in_training
from .generate import asked_by, errors_in, generate_by_endpoint, generate_locally, is_written
from .problems import prompt_named, read_problems
from .scoring import score


@dataclass(frozen=True, slots=True)
class Run:
    """Which model is asked what, and how.

    `model` is a folder, a name on the Hub or, with `asking`, what a server calls it.
    """

    benchmark: str
    model: str
    data: str | None = None
    split: str | None = None
    prompt: str | None = None
    rules: str | None = None
    limit: int | None = None
    max_new_tokens: int = 512
    batch_size: int = 8
    device: str | None = None
    dtype: str | None = None


def run(
    wanted: Run, out: Path, asking: Asking | None = None, progress: Progress = quiet
) -> dict[str, Any]:
    """Ask a model all problems of a benchmark, write its outputs to `out` and score them.

    With `asking` a server is asked, else the model runs here. The score with all verdicts is
    written beside the outputs as `.score.json`. Where `out` has these outputs already they are
    only scored. Raises what reading the problems, asking and scoring raise.
    """
    if out.suffix != ".jsonl":
        raise UsageError(f"{out} must end in .jsonl.")
    if not out.resolve().parent.is_dir():
        raise UsageError(f"{out.parent} is not a folder; make it first.")
    if asking is None:
        require_extra("eval", "torch", "transformers")
    problems = read_problems(wanted.benchmark, wanted.data, wanted.split, wanted.limit)
    asked = asked_by(problems, wanted.benchmark, wanted.prompt)
    seen = seen_in_training(wanted.model, problems) if asking is None else None
    if not is_written(out, asked, wanted.model, wanted.max_new_tokens):
        if asking is not None:
            generate_by_endpoint(
                asked, wanted.benchmark, wanted.model, out, asking, wanted.max_new_tokens
            )
        else:
            generate_locally(
                asked,
                wanted.benchmark,
                wanted.model,
                out,
                batch_size=wanted.batch_size,
                max_new_tokens=wanted.max_new_tokens,
                device=wanted.device,
                dtype=wanted.dtype,
                progress=progress,
            )
    told = {
        "outputs": str(out),
        "model": wanted.model,
        "prompt": prompt_named(wanted.benchmark, wanted.prompt)[0],
        "seen_in_training": seen,
        "errors": errors_in(out, wanted.benchmark),
        **score(out, wanted.benchmark, wanted.rules),
    }
    written = json.dumps(told, indent=1, ensure_ascii=False, default=str)
    out.with_suffix(".score.json").write_text(written, encoding="utf-8", errors="replace")
    return told
