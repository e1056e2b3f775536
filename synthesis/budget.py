"""What requests cost: tokens and price, estimated before, counted after, capped in between."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from ..errors import UsageError
from .request import Picture, Request
from .teacher import Reply

_Tokens = Annotated[float, Field(ge=0)]
_CHARACTERS_PER_TOKEN = 4
"""Where no tokenizer is known: OpenAI's own rule of thumb for English."""
_PER_MESSAGE = 4


class ImageRule(BaseModel):
    """How many tokens an image counts as, by one of three published rules (see prices.yaml)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tiles: tuple[_Tokens, _Tokens] | None = None
    patches: _Tokens | None = None
    pixels: tuple[Annotated[float, Field(gt=0)], _Tokens] | None = None

    @model_validator(mode="after")
    def _one(self) -> ImageRule:
        if sum(rule is not None for rule in (self.tiles, self.patches, self.pixels)) != 1:
            raise ValueError("an image rule is one of tiles, patches and pixels")
        return self

    def tokens(self, width: int, height: int, detail: str) -> int:
        """Tokens of an image of `width` x `height` pixels."""
        if self.tiles is not None:
            return _tiles(width, height, detail, *self.tiles)
        if self.patches is not None:
            return math.ceil(_patches(width, height) * self.patches)
        assert self.pixels is not None
        per_token, most = self.pixels
        return math.ceil(min(width * height / per_token, most))


def _tiles(width: int, height: int, detail: str, base: float, tile: float) -> int:
    if detail == "low":
        return math.ceil(base)
    shrink = min(1.0, 2048 / max(width, height))
    width, height = round(width * shrink), round(height * shrink)
    shrink = min(1.0, 768 / min(width, height))
    width, height = round(width * shrink), round(height * shrink)
    return math.ceil(base + tile * math.ceil(width / 512) * math.ceil(height / 512))


def _patches(width: int, height: int, side: int = 32, most: int = 1536) -> int:
    """Patches that cover the image; a large one is scaled so that whole patches fit in `most`."""
    needed = math.ceil(width / side) * math.ceil(height / side)
    if needed <= most:
        return needed
    shrink = math.sqrt(side * side * most / (width * height))
    across, down = width * shrink / side, height * shrink / side
    shrink *= min(math.floor(across) / across, math.floor(down) / down)
    return math.ceil(width * shrink / side) * math.ceil(height * shrink / side)


class Price(BaseModel):
    """What a model costs, in USD per million tokens."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    input: _Tokens
    output: _Tokens
    cached: _Tokens | None = None
    batch: Annotated[float, Field(gt=0, le=1)] = 1.0
    """What a batch costs, as a share."""
    image: ImageRule = ImageRule(tiles=(85, 170))

    def usd(self, reply: Reply) -> float:
        """The price of a reply."""
        cached = self.input if self.cached is None else self.cached
        fresh = reply.input_tokens - reply.cached_tokens
        total = fresh * self.input + reply.cached_tokens * cached
        total += reply.output_tokens * self.output
        return round(total / 1e6 * reply.discount, 9)


def read_price(model: str, path: Path | None = None) -> Price | None:
    """The price of a model in the package's table, or in the file that goes before it.

    The longest name that `model` begins with counts. Raises `UsageError` for a file that is no
    such table.
    """
    text = (files("mathv360k.synthesis") / "prices.yaml").read_text(encoding="utf-8")
    table = _read_table(text, "prices.yaml")
    if path is not None:
        try:
            table |= _read_table(path.read_text(encoding="utf-8"), str(path))
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{path} cannot be read: {error}.") from None
    named = [name for name in table if model == name or model.startswith(f"{name}-")]
    return table[max(named, key=len)] if named else None


def _read_table(text: str, name: str) -> dict[str, Price]:
    try:
        return TypeAdapter(dict[str, Price]).validate_python(yaml.safe_load(text))
    except (yaml.YAMLError, ValidationError) as error:
        if isinstance(error, ValidationError):
            first = error.errors()[0]
            said = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        else:
            said = str(error).split("\n")[0]
        raise UsageError(
            f"{name} is no table of prices ({said}); see synthesis/prices.yaml."
        ) from None


def input_tokens(request: Request, price: Price | None, texts: list[str] | None = None) -> int:
    """Tokens of a request, image and text, as far as that can be known before."""
    words = count_tokens(request.teacher.model, texts or request.texts())
    if request.picture is None:
        return words
    rule = price.image if price else ImageRule(tiles=(85, 170))
    width, height = sent_size(request.picture, request.teacher.max_side)
    return words + rule.tokens(width, height, request.teacher.detail)


def sent_size(picture: Picture, most: int) -> tuple[int, int]:
    """Width and height of an image as it is sent, at most `most` pixels a side."""
    shrink = min(1.0, most / max(picture.width, picture.height, 1))
    return max(1, round(picture.width * shrink)), max(1, round(picture.height * shrink))


def count_tokens(model: str, texts: list[str]) -> int:
    """Tokens of texts: by tiktoken for models it knows, else a quarter of the characters."""
    encode = _encoder(model)
    if encode is None:
        return sum(len(t) // _CHARACTERS_PER_TOKEN + _PER_MESSAGE for t in texts)
    return sum(len(encode(t)) + _PER_MESSAGE for t in texts)


@cache
def _encoder(model: str) -> Any:
    """tiktoken's encoder for a model; None where there is none, or it cannot be fetched."""
    import tiktoken

    try:
        name = tiktoken.encoding_name_for_model(model)
    except KeyError:
        return None
    try:
        return tiktoken.get_encoding(name).encode_ordinary
    except Exception:  # its vocabulary is fetched from the network, with any error of that
        return None


@dataclass(slots=True)
class Budget:
    """A hard cap on what a job may cost, in USD or in tokens; None: no cap.

    Each request reserves the most that it can cost before it is sent, and gives back what it did
    not use. So requests in flight cannot overshoot the cap by more than their input was
    underestimated.
    """

    price: Price | None
    usd: float | None = None
    tokens: int | None = None
    spent_usd: float = 0.0
    spent_tokens: int = 0
    _reserved_usd: float = field(default=0.0)
    _reserved_tokens: int = field(default=0)

    def __post_init__(self) -> None:
        if self.usd is not None and self.price is None:
            raise UsageError(
                "The price of this model is not known, so a budget in USD cannot be kept; give a "
                "table with --prices, or a budget in tokens with --budget-tokens."
            )

    @property
    def limited(self) -> bool:
        """Whether there is a cap at all."""
        return self.usd is not None or self.tokens is not None

    def reserve(self, request: Request, discount: float = 1.0) -> tuple[float, int] | None:
        """Set aside the most that a request can cost; None where that is not left."""
        if not self.limited:
            return 0.0, 0
        known = input_tokens(request, self.price)
        most = request.teacher.max_tokens
        worst = Reply("", input_tokens=known, output_tokens=most, discount=discount)
        usd = self.price.usd(worst) if self.price else 0.0
        total = known + most
        over_usd = self.usd is not None and self.spent_usd + self._reserved_usd + usd > self.usd
        if over_usd or (
            self.tokens is not None
            and self.spent_tokens + self._reserved_tokens + total > self.tokens
        ):
            return None
        self._reserved_usd += usd
        self._reserved_tokens += total
        return usd, total

    def release(self, reserved: tuple[float, int]) -> None:
        """Give back what was set aside: the request has ended."""
        self._reserved_usd -= reserved[0]
        self._reserved_tokens -= reserved[1]

    def spend(self, usd: float | None, tokens: int) -> None:
        """Count what a reply has cost."""
        self.spent_usd += usd or 0.0
        self.spent_tokens += tokens
