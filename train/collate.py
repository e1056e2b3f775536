"""From questions about images to a batch, packed or one question to a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image

from .chat import ChatFormat, Turn
from .packing import IGNORED, PADDING, Row, pack


@dataclass(frozen=True, slots=True)
class Pictured:
    """An image and turns about it, with the questions' ids."""

    image: Image.Image
    turns: list[Turn]
    ids: list[str]


@dataclass(frozen=True, slots=True)
class Collator:
    """Makes batches of rows, each some images with their turns.

    Packed: `input_ids`, `labels`, `position_ids`, `images`, `questions`, all `(rows, length) int64`
    (see `packing`). Not packed, and then a row is one question: `input_ids`, `labels`,
    `attention_mask`. In both `ids`, the questions', `counts` (tokens, questions, images), and what
    the processor makes of the images, in their order: for LLaVA `pixel_values` `(images, 3, side,
    side)`.
    """

    chat: ChatFormat
    packed: bool = True
    multiple: int = 8
    """Of which the length of a row is one."""

    def __call__(self, rows: Sequence[Sequence[Pictured]]) -> dict[str, Any]:
        pictured = [one for row in rows for one in row]
        prefixes, pictures = self.chat.prefixes([one.image for one in pictured])
        beginnings = iter(prefixes)
        packed = [pack([(next(beginnings), one.turns) for one in row]) for row in rows]
        longest = max(len(row.ids) for row in packed)
        length = -(-longest // self.multiple) * self.multiple
        batch = {
            "input_ids": _padded(packed, "ids", length, self._padding()),
            "labels": _padded(packed, "labels", length, IGNORED),
        }
        if self.packed:
            batch["position_ids"] = _padded(packed, "positions", length, 0)
            batch["images"] = _padded(packed, "images", length, PADDING)
            batch["questions"] = _padded(packed, "questions", length, 0)
        else:
            there = _padded(packed, "images", length, PADDING)
            batch["attention_mask"] = (there != PADDING).long()
            if self.chat.tells_images:
                batch["mm_token_type_ids"] = (batch["input_ids"] == self.chat.image_token_id).long()
        names = [name for one in pictured for name in one.ids]
        counts = [sum(len(row.ids) for row in packed), len(names), len(pictured)]
        return {**batch, **pictures, "ids": names, "counts": counts}

    def _padding(self) -> int:
        tokenizer = self.chat.processor.tokenizer
        padding = tokenizer.pad_token_id
        return tokenizer.eos_token_id if padding is None else padding


def _padded(rows: Sequence[Row], name: str, length: int, filler: int) -> torch.Tensor:
    values = [getattr(row, name) for row in rows]
    return torch.tensor([value + [filler] * (length - len(value)) for value in values])
