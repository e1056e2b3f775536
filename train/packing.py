"""Prefix-shared packing: all questions about an image in one row, several images to a row.

A row is [image][question 1][question 2]…[image][question 1]…. A token sees the tokens before it of
its own question and of the image's shared beginning, and its position is the one it has where the
question stands alone. So each question's loss and gradient is that of the question alone, and the
image's tokens are computed once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from .chat import Turn

IGNORED = -100
PADDING = -1
"""The image of tokens that are none of any."""
_WINDOW = 1_024
"""Images that are packed together; more would fill the rows hardly better."""


@dataclass(frozen=True, slots=True)
class Item:
    """Questions about one image that stand together in a row: numbers into the data."""

    image: int
    questions: tuple[int, ...]
    length: int


def split_to_fit(
    image: int, prefix: int, lengths: Sequence[int], most: int
) -> tuple[list[Item], list[int]]:
    """The questions about an image in as few items of at most `most` tokens as their order needs,
    and those that are too long by themselves."""
    items, long = list[Item](), list[int]()
    here: list[int] = []
    used = prefix
    for number, length in enumerate(lengths):
        if prefix + length > most:
            long.append(number)
            continue
        if used + length > most:
            items.append(Item(image, tuple(here), used))
            here, used = [], prefix
        here.append(number)
        used += length
    if here:
        items.append(Item(image, tuple(here), used))
    return items, long


def first_fit(items: Sequence[Item], most: int) -> list[list[Item]]:
    """Rows of at most `most` tokens: window by window the longest first, each into the first row
    with room for it (first-fit decreasing)."""
    rows: list[list[Item]] = []
    for start in range(0, len(items), _WINDOW):
        window = sorted(items[start : start + _WINDOW], key=lambda item: -item.length)
        room: list[int] = []
        first = len(rows)
        for item in window:
            for place, left in enumerate(room):
                if item.length <= left:
                    rows[first + place].append(item)
                    room[place] -= item.length
                    break
            else:
                rows.append([item])
                room.append(most - item.length)
    return rows


@dataclass(slots=True)
class Row:
    """The tokens of a row, each with its label, position, image and question (0: the image's)."""

    ids: list[int]
    labels: list[int]
    positions: list[int]
    images: list[int]
    questions: list[int]


def pack(parts: Sequence[tuple[Sequence[int], Sequence[Turn]]]) -> Row:
    """One row of images' shared beginnings, each with its turns."""
    row = Row([], [], [], [], [])
    for image, (prefix, turns) in enumerate(parts):
        pieces = [Turn(list(prefix), [False] * len(prefix), (0, 0)), *turns]
        for question, piece in enumerate(pieces):
            start = 0 if question == 0 else len(prefix)
            count = len(piece.ids)
            row.ids += piece.ids
            row.labels += [
                token if trained else IGNORED
                for token, trained in zip(piece.ids, piece.trained, strict=True)
            ]
            row.positions += range(start, start + count)
            row.images += [image] * count
            row.questions += [question] * count
    return row


def dense_mask(images: torch.Tensor, questions: torch.Tensor) -> torch.Tensor:
    """Whether token q sees token k: `(batch, 1, length, length) bool`, from `(batch, length)`."""
    length = images.shape[1]
    place = torch.arange(length, device=images.device)
    same_image = images[:, :, None] == images[:, None, :]
    asked = questions[:, None, :]
    seen = (asked == 0) | (asked == questions[:, :, None])
    return (same_image & seen & (place[None, :] <= place[:, None]))[:, None]


def block_mask(images: torch.Tensor, questions: torch.Tensor) -> Any:
    """The same for flex_attention: blocks of tokens that do not see each other are skipped."""
    from torch.nn.attention.flex_attention import create_block_mask

    def sees(b: torch.Tensor, _: torch.Tensor, q: torch.Tensor, k: torch.Tensor) -> torch.Tensor:
        asked = questions[b, k]
        seen = (asked == 0) | (asked == questions[b, q])
        return (images[b, q] == images[b, k]) & seen & (k <= q)

    rows, length = images.shape
    return create_block_mask(sees, rows, None, length, length, device=str(images.device))
