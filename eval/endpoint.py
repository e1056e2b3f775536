"""Asking the problems of a benchmark of any server that speaks OpenAI's chat completions.

Answers go through the ledger of the synthesis: whatever was answered once is never asked again.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from openai import OpenAI, OpenAIError

from ..builder.images import inspect
from ..builder.recipe import TeacherChoice
from ..builder.schema import Unusable
from ..errors import TeacherError, UsageError
from ..synthesis.answered import Failure, text_of
from ..synthesis.asking import Asking, ask_all
from ..synthesis.prompts import Prompt
from ..synthesis.request import Picture, Request
from .asked import Answer, Asked

_AS_IT_IS = "{{ text }}"
_MAX_SIDE = 4096
"""Pixels; larger images are sent smaller."""


def free_text(name: str) -> Prompt:
    """A prompt that is `text` to the byte, with any text as the answer; `name` is its purpose."""
    return Prompt(name, _AS_IT_IS, None)


def only_model(base_url: str, key_variable: str) -> str:
    """The model that a server has, if it has just one; raises `UsageError`."""
    key = os.environ.get(key_variable) or "none"
    try:
        with OpenAI(api_key=key, base_url=base_url, max_retries=1, timeout=30) as client:
            names = [model.id for model in client.models.list()]
    except OpenAIError as error:
        said = str(error).replace(key, "[key]") if key != "none" else str(error)
        raise TeacherError(f"{base_url} does not say which models it has ({said}).") from None
    if len(names) != 1:
        listed = ", ".join(names[:10]) or "none"
        raise UsageError(f"Name the model with --model; the server has {listed}.")
    return names[0]


def answers(
    asked: Sequence[Asked], benchmark: str, model: str, max_new_tokens: int, asking: Asking
) -> list[Answer]:
    """The answers to all problems, at temperature 0.

    Raises `TeacherError` where the server does not work or the budget is spent; what was answered
    until then is in the ledger.
    """
    teacher = TeacherChoice(
        model=model, temperature=0.0, max_tokens=max_new_tokens, max_side=_MAX_SIDE
    )
    prompt = free_text(f"eval {benchmark}")
    errors: dict[str, str] = {}
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        pictures = _spool(asked, folder, errors)
        requests = [
            Request(teacher, prompt, {"text": one.prompt}, pictures.get(one.problem.id))
            for one in asked
            if one.problem.id not in errors
        ]
        with asking.open_ledger() as ledger:
            ask_all(lambda: requests, teacher, folder, ledger, asking)
            said = iter([text_of(request, ledger) for request in requests])
    return [
        Answer(i, "", errors[i]) if (i := one.problem.id) in errors else _answer(i, next(said))
        for one in asked
    ]


def _answer(identity: str, said: str | Failure) -> Answer:
    if isinstance(said, Failure):
        return Answer(identity, "", said.detail)
    return Answer(identity, said.strip())


def _spool(asked: Sequence[Asked], folder: Path, errors: dict[str, str]) -> dict[str, Picture]:
    """Write the images into one file, as a pool has them; `errors` takes those without one."""
    pictures: dict[str, Picture] = {}
    with (folder / "images.bin").open("wb") as file:
        for one in asked:
            name = one.problem.id
            if one.problem.load is None:
                continue
            try:
                data = one.problem.load()
                facts = inspect(data)
            except Unusable as reason:
                errors[name] = str(reason)
                continue
            size, offset = len(data), file.tell()
            form, width, height = facts.format, facts.width, facts.height
            pictures[name] = Picture(facts.image_id, name, offset, size, form, width, height)
            file.write(data)
    return pictures
