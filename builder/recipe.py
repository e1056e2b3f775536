"""The recipe: the file that determines a version of the dataset."""

from __future__ import annotations

import json
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from ..errors import UsageError

SplitName = Literal["train", "validation", "test"]


class SourceChoice(BaseModel):
    """How one source is used: at most `limit` images of the named splits of its release.

    With `hub`, `namespace/name@revision`, a copy on the Hub is read instead of a folder.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Annotated[int, Field(gt=0)] | None = None
    splits: tuple[Literal["train", "validation"], ...] = ("train",)
    hub: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+@[\w./-]+$")] | None = None


class Scoring(BaseModel):
    """By which CLIP and which classifiers images are scored; `embedded` ships with the package."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = "openai/clip-vit-large-patch14-336"
    classifiers: str = "classifiers"
    """A folder that `mathv360k fit` wrote, or `embedded`."""


class Selection(BaseModel):
    """Which images of the pool a version is made of."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    images: Annotated[int, Field(gt=0)] | None = None
    """How many in all; without it, all that are clear."""
    min_clarity: Annotated[float, Field(ge=0, le=1)] = 0.5
    complexity: tuple[
        Annotated[int, Field(ge=0)],
        Annotated[int, Field(ge=0)],
        Annotated[int, Field(ge=0)],
        Annotated[int, Field(ge=0)],
    ] = (2, 3, 4, 1)
    """Ratio of the complexities 0..3 (Math-LLaVA, arXiv 2406.17294, section 3.1)."""
    quotas: dict[str, Annotated[int, Field(ge=0)]] = {}
    """Images of these sources; the others share the rest in proportion to what they have."""
    near_duplicates: Literal["keep one", "keep all"] = "keep one"

    @model_validator(mode="after")
    def _something_is_wanted(self) -> Selection:
        if not any(self.complexity):
            raise ValueError("the ratio of complexities is 0 everywhere")
        if self.quotas and self.images is None:
            raise ValueError("quotas say nothing without images, the number of all")
        if self.images is not None and sum(self.quotas.values()) > self.images:
            total = sum(self.quotas.values())
            raise ValueError(f"the quotas add up to {total}, more than images ({self.images})")
        return self


class TeacherChoice(BaseModel):
    """Which model is asked, and how. Where it is served is said when a step is run.

    All of this is part of what is asked: answers in a ledger are found again by it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Annotated[str, Field(min_length=1)]
    """As its server calls it; `drawn` is the embedded teacher, for drawn pictures only."""
    temperature: Annotated[float, Field(ge=0, le=2)] | None = 1.0
    max_tokens: Annotated[int, Field(gt=0)] = 2000
    max_side: Annotated[int, Field(ge=32)] = 1024
    """Pixels; larger images are sent smaller."""
    detail: Literal["auto", "low", "high"] = "auto"
    seed: Annotated[int, Field(ge=0)] = 0
    extra: dict[str, Any] = {}
    """Further fields of the request's body, as the server wants them."""
    error_rate: Annotated[float, Field(ge=0, le=1)] = 0.0
    """How often the embedded teacher shall be wrong, to measure verification with."""

    @cached_property
    def settings(self) -> bytes:
        """All of it as JSON, the same text for the same settings."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True).encode()

    @model_validator(mode="after")
    def _only_the_embedded_errs(self) -> TeacherChoice:
        if self.error_rate and self.model != "drawn":
            raise ValueError("error_rate is for the embedded teacher, drawn")
        return self


def teacher_named(model: str) -> TeacherChoice:
    """The model of that name with the usual settings; raises `UsageError` for an empty one."""
    if not model.strip():
        raise UsageError("The name of the teacher is empty; give --teacher MODEL.")
    return TeacherChoice(model=model)


class KindChoice(BaseModel):
    """How questions of one kind are written: what differs from the kind's own settings.

    A kind of your own needs `prompt`, a jinja template, and says what it is about and whether the
    answer of the original stays.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    prompt: str | None = None
    about: Literal["image", "question"] | None = None
    answer: Literal["new", "same"] | None = None
    count: Annotated[int, Field(ge=1, le=20)] | None = None
    """Questions per request; of a kind about images only."""
    demonstrations: Annotated[int, Field(ge=0, le=20)] | None = None


class Synthesis(BaseModel):
    """Which new questions are written, and by whom (Math-LLaVA, section 3.2)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    teacher: TeacherChoice
    kinds: Annotated[
        dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], KindChoice], Field(min_length=1)
    ] = {name: KindChoice() for name in ("ask_image", "complex", "rephrase", "simplify")}
    parents: Annotated[int, Field(gt=0)] | None = 1
    """Originals of each image that others are written from; null: all of them."""

    @model_validator(mode="before")
    @classmethod
    def _bare_kinds(cls, data: object) -> object:
        if isinstance(data, dict) and isinstance(data.get("kinds"), dict):
            return {**data, "kinds": {n: {} if c is None else c for n, c in data["kinds"].items()}}
        return data


class Verification(BaseModel):
    """When a written question is kept: checks of its form always, and answers from the image."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    answers: Annotated[int, Field(ge=0, le=20)] = 3
    """How often it is answered again, without being shown the answer; 0: never."""
    min_agreement: Annotated[float, Field(ge=0, le=1)] = 0.3
    """Share of these that must say the same; and no other answer may be given as often."""
    teacher: TeacherChoice | None = None
    """Who answers; without it, who wrote."""


class Recipe(BaseModel):
    """Everything a version depends on, next to the sources' own files."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")] = "1.0.0"
    seed: Annotated[int, Field(ge=0)] = 0
    sources: dict[str, SourceChoice] = {}
    score: Scoring | None = None
    """How images are scored; without it, only the scores that sources bring are there."""
    select: Selection | None = None
    """Which images are taken; without it, all."""
    synthesize: Synthesis | None = None
    """Which questions a teacher writes; without it, none."""
    verify: Verification = Verification()
    splits: dict[SplitName, Annotated[float, Field(gt=0, le=1)]] = {"train": 1.0}
    """Share of the image groups per split; the shares add up to 1."""

    @model_validator(mode="before")
    @classmethod
    def _bare_names(cls, data: object) -> object:
        """`TabMWP:` with nothing behind it means the defaults."""
        if isinstance(data, dict) and isinstance(data.get("sources"), dict):
            sources = {name: {} if c is None else c for name, c in data["sources"].items()}
            return {**data, "sources": sources}
        return data

    @model_validator(mode="after")
    def _shares_add_up(self) -> Recipe:
        if abs(sum(self.splits.values()) - 1) > 1e-9:
            raise ValueError(f"the shares of splits add up to {sum(self.splits.values()):g}, not 1")
        return self

    def limited(self, limit: int | None) -> Recipe:
        """The same recipe with at most `limit` images of each source."""
        if limit is None:
            return self
        sources = {
            name: choice.model_copy(update={"limit": min(limit, choice.limit or limit)})
            for name, choice in self.sources.items()
        }
        return self.model_copy(update={"sources": sources})


def built_in() -> list[str]:
    """Names of the recipes in the package."""
    folder = files("mathv360k.builder") / "recipes"
    return sorted(
        p.name.removesuffix(".yaml") for p in folder.iterdir() if p.name.endswith(".yaml")
    )


def read_recipe(name: str) -> Recipe:
    """The built-in recipe of that name, or the one in that YAML file; raises `UsageError`."""
    if name in built_in():
        text = (files("mathv360k.builder") / "recipes" / f"{name}.yaml").read_text(encoding="utf-8")
    elif name.endswith((".yaml", ".yml")):
        try:
            text = Path(name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"Recipe {name} cannot be read: {error}.") from None
    else:
        known = ", ".join(built_in())
        raise UsageError(f"Unknown recipe {name!r}; give {known} or the path of a .yaml file.")
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "unreadable"
        raise UsageError(f"Recipe {name}{where} is not YAML: {problem}.") from None
    if not isinstance(data, dict):
        raise UsageError(f"Recipe {name} is not a mapping of settings; see the README for one.")
    try:
        return Recipe.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "splits"
        if first["type"] == "extra_forbidden":
            raise UsageError(f"Recipe {name}: {where} is not a setting of a recipe.") from None
        said = first["msg"].removeprefix("Value error, ")
        raise UsageError(f"Recipe {name}, {where}: {said}.") from None
