"""Extraction and judgement by a model with the official prompts, through the ledger.

What goes in is a file of outputs, what comes out is the same file with the fields `extraction`
(MathVista, MathVerse) or `judgement` (MathVerse).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..builder.recipe import TeacherChoice
from ..errors import OutputError, UsageError
from ..synthesis.answered import Failure, text_of
from ..synthesis.asking import Asking, ask_all
from ..synthesis.request import Request
from .endpoint import free_text
from .outputs import MathVerseOutput, MathVistaOutput, read_rows, rows_of
from .prompts import mathverse, mathvista

_MAX_TOKENS = 512
_JUDGED = 5
"""Times that a judge is asked who says neither 0 nor 1; the official script asks for ever."""


def extract(
    file: Path,
    benchmark: str,
    model: str,
    out: Path,
    asking: Asking,
    *,
    words: int = -1,
    again: bool = False,
) -> dict[str, Any]:
    """Find the short answer in each response and write it as `extraction`; counts of how.

    MathVista's own rules go first (`extract_answer.py`: an empty response, a choice or a number on
    its own), then `model` is asked. Extractions that are there stay, but with `again`. MathVerse's
    responses are cut to their last `words` words. Raises `OutputError`, and what asking raises.
    """
    prompts: dict[str, str] = {}
    found: dict[str, str] = {}
    kept = 0
    for key, said, ruled, prompt in _READERS[_known(benchmark)](file, words):
        if said.strip() and not again:
            kept += 1
        elif ruled is not None:
            found[key] = ruled
        else:
            prompts[key] = prompt
    replies = _ask(prompts, f"extract {benchmark}", model, asking)
    failed = [key for key, reply in replies.items() if isinstance(reply, Failure)]
    by_rule = len(found)
    for key, reply in replies.items():
        text = "" if isinstance(reply, Failure) else reply
        if benchmark == "mathverse":
            text = text.replace("Extracted Answer: ", "")
        found[key] = text.strip()
    _write(file, out, benchmark, "extraction", found)
    return {
        "file": str(out), "kept": kept, "by_rule": by_rule, "asked": len(replies),
        "failed": failed,
    }  # fmt: skip


def judge(file: Path, model: str, out: Path, asking: Asking, again: bool = False) -> dict[str, Any]:
    """Have `model` judge MathVerse's extractions and write its 0 or 1 as `judgement`.

    Who answers anything else is asked up to five times, then the judgement is 0 and counted.
    Raises `OutputError` for a file without extractions, and what asking raises.
    """
    rows = rows_of(file, MathVerseOutput, "sample_index")
    if without := [row.sample_index for row in rows if row.extraction is None]:
        raise OutputError(
            f"{file}: item {without[0]!r} has no extraction; `mathv360k eval extract` finds it."
        )
    prompts = {
        row.sample_index: mathverse.judgement(
            row.question_for_eval or row.question, row.answer, row.extraction or ""
        )
        for row in rows
        if again or row.judgement is None
    }
    found: dict[str, int] = {}
    for sample in range(_JUDGED):
        left = {key: prompt for key, prompt in prompts.items() if key not in found}
        for key, reply in _ask(left, "judge mathverse", model, asking, sample).items():
            text = "" if isinstance(reply, Failure) else reply.replace("Judgement:", "").strip()
            if text in ("0", "1"):
                found[key] = int(text)
    unclear = [key for key in prompts if key not in found]
    _write(file, out, "mathverse", "judgement", {**found, **dict.fromkeys(unclear, 0)})
    kept = len(rows) - len(prompts)
    return {"file": str(out), "kept": kept, "asked": len(prompts), "failed": unclear}


def official_rule(response: str, record: Mapping[str, Any]) -> str | None:
    """What MathVista's script extracts without a model; None where it asks one."""
    if not response:
        return ""
    if record["question_type"] == "multi_choice" and response in (record["choices"] or ()):
        return response
    whole = record["answer_type"] == "integer"
    try:
        if whole:
            return str(int(response))
        if record["answer_type"] == "float":
            return str(float(response))
    except ValueError:
        pass
    return None


_Item = tuple[str, str, str | None, str]
"""Id, extraction that is there, extraction by rule, prompt for a model."""


def _mathvista(file: Path, words: int) -> list[_Item]:
    items: list[_Item] = []
    for row in rows_of(file, MathVistaOutput, "pid"):
        record = row.model_dump()
        response = row.response if row.execution is None else row.execution
        prompt = mathvista.extraction(row.query or mathvista.query(record), response)
        items.append((row.pid, row.extraction or "", official_rule(response, record), prompt))
    return items


def _mathverse(file: Path, words: int) -> list[_Item]:
    return [
        (
            row.sample_index,
            row.extraction or "",
            None,
            mathverse.extraction(mathverse.truncated(row.response, words)),
        )
        for row in rows_of(file, MathVerseOutput, "sample_index")
    ]


_READERS: dict[str, Callable[[Path, int], Sequence[_Item]]] = {
    "mathvista": _mathvista,
    "mathverse": _mathverse,
}
_KEYS = {"mathvista": "pid", "mathverse": "sample_index"}


def _known(benchmark: str) -> str:
    if benchmark not in _READERS:
        raise UsageError(f"{benchmark!r} has no extraction; {', '.join(_READERS)} have.")
    return benchmark


def _ask(
    prompts: Mapping[str, str], purpose: str, model: str, asking: Asking, sample: int = 0
) -> dict[str, str | Failure]:
    if not prompts:
        return {}
    teacher = TeacherChoice(model=model, temperature=0.0, max_tokens=_MAX_TOKENS)
    prompt = free_text(purpose)
    requests = {
        key: Request(teacher, prompt, {"text": text}, None, sample) for key, text in prompts.items()
    }
    with asking.open_ledger() as ledger:
        ask_all(requests.values, teacher, Path(), ledger, asking)
        return {key: text_of(request, ledger) for key, request in requests.items()}


def _write(file: Path, out: Path, benchmark: str, field: str, found: Mapping[str, Any]) -> None:
    """The rows of `file` with a field more, in a file of the same form."""
    key = _KEYS[benchmark]
    rows = [dict(row) for row in read_rows(file)]
    for row in rows:
        if str(row[key]) in found:
            row[field] = found[str(row[key])]
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    if out.suffix == ".jsonl":
        text = "".join(line + "\n" for line in lines)
    else:
        text = "[\n" + ",\n".join(lines) + "\n]\n"
    partial = out.with_name(f".{out.name}.writing")
    partial.write_bytes(text.encode("utf-8", "replace"))
    partial.replace(out)
