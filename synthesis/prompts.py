"""Prompts: jinja templates with the form of the answer, known by a hash of both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined, Template, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import BaseModel

from ..errors import UsageError

_ENVIRONMENT = Environment(undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
_SANDBOX = ImmutableSandboxedEnvironment(  # a recipe, and its prompts, may come from others
    undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


_LEFT_OUT = ("title", "description", "default")


@dataclass(frozen=True)
class Prompt:
    """What is asked, and the form of the answer (None: any text); `digest` changes when either
    does."""

    name: str
    text: str
    form: type[BaseModel] | None

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of the answer: all fields required, no others allowed."""
        return _untitled(self.form.model_json_schema()) if self.form else {}

    @cached_property
    def form_text(self) -> str:
        """The schema as the text of a prompt has it; empty where any text is an answer."""
        return json.dumps(self.schema, separators=(",", ":")) if self.form else ""

    @cached_property
    def digest(self) -> str:
        return sha256(f"{self.text}\0{self.form_text}".encode()).hexdigest()

    @cached_property
    def _template(self) -> Template:
        try:
            ours = self.text in _texts()  # and rendered in half the time
            return (_ENVIRONMENT if ours else _SANDBOX).from_string(self.text)
        except TemplateError as error:
            raise UsageError(f"The prompt of {self.name} is no jinja template: {error}.") from None

    def __reduce__(self) -> tuple[Any, ...]:
        return _prompt, (self.name, self.text, self.form)  # a compiled template is not pickled

    def render(self, values: Mapping[str, Any]) -> str:
        """The prompt's text; raises `UsageError` where the template wants what is not there."""
        try:
            return self._template.render(values)
        except (TemplateError, TypeError, ArithmeticError, ValueError) as error:
            known = ", ".join(values)
            raise UsageError(
                f"The prompt of {self.name} cannot be filled in ({error}); it may use {known}."
            ) from None


@lru_cache
def _prompt(name: str, text: str, form: type[BaseModel] | None) -> Prompt:
    return Prompt(name, text, form)


@lru_cache
def built_in_text(name: str) -> str:
    """The template of that name in the package."""
    path = files("mathv360k.synthesis") / "prompts" / f"{name}.jinja"
    return path.read_text(encoding="utf-8")


@lru_cache
def _texts() -> frozenset[str]:
    folder = files("mathv360k.synthesis") / "prompts"
    return frozenset(path.read_text(encoding="utf-8") for path in folder.iterdir())


def built_in(name: str, form: type[BaseModel]) -> Prompt:
    """A prompt of the package."""
    return Prompt(name, built_in_text(name), form)


def render_repair(problem: str, schema: str) -> str:
    """What is said to a model whose answer was not of its form."""
    return _repair().render(problem=problem, schema=schema).strip()


@lru_cache
def _repair() -> Template:
    return _ENVIRONMENT.from_string(built_in_text("repair"))


def _untitled(schema: Any) -> Any:
    """A JSON schema without what only people read, for every token of it is paid for, and with all
    fields required, as structured output wants it."""
    if isinstance(schema, dict):
        plain = {n: _untitled(v) for n, v in schema.items() if n not in _LEFT_OUT}
        return {**plain, "required": list(plain["properties"])} if "properties" in plain else plain
    return [_untitled(item) for item in schema] if isinstance(schema, list) else schema
