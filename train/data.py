"""The questions that are trained on: planned into rows once, read row by row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import datasets
import torch
from torch.utils.data import Dataset

from ..builder.dataset import load
from ..builder.images import open_rgb
from ..builder.intake import Progress, quiet
from ..builder.location import split_revision
from ..builder.schema import Unusable
from ..errors import UsageError
from ..eval.prompts.mathv360k import hint_first, plain
from .chat import ChatFormat, Turn, cut
from .collate import Pictured
from .config import Selection, TrainConfig
from .packing import Item, first_fit, split_to_fit

PROMPTS = {"hint_first": hint_first, "plain": plain}
_AT_ONCE = 1_000
"""Images whose questions are made into tokens together."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Rows of items, and what could not be taken as it is."""

    rows: list[list[Item]]
    images: int
    questions: int
    shortened: int
    """Questions that lost text to fit."""
    too_long: list[str]
    """Ids of those that do not fit without their text either."""

    @property
    def questions_per_row(self) -> float:
        return sum(len(item.questions) for row in self.rows for item in row) / len(self.rows)


class TrainingData(Dataset[list[Pictured]]):
    """The rows of a plan; a row is some images with turns about them.

    An image that cannot be read is left out and counted, in whatever process it is met; of a row
    without any the next one stands in its place.
    """

    def __init__(
        self, config: TrainConfig, chat: ChatFormat, packed: bool, progress: Progress = quiet
    ) -> None:
        """Raises `UsageError` where nothing is left to train on, and what `load` raises."""
        self._config, self._chat, self.packed = config, chat, packed
        self._table = _open(config)
        self.order = _chosen(self._table, config.select, config.seed)
        self.plan = self._planned(packed, progress)
        self._unreadable = torch.zeros(1, dtype=torch.int64).share_memory_()
        if not self.plan.rows:
            raise UsageError(
                f"{config.data} has no questions for this run; select others, or a larger "
                "max_length."
            )

    @property
    def unreadable(self) -> int:
        """Images that could not be read so far."""
        return int(self._unreadable.item())

    def image_ids(self) -> list[str]:
        """The images in the plan."""
        used = sorted({item.image for row in self.plan.rows for item in row})
        return self._table.select(used).select_columns(["image_id"])["image_id"][:]

    @property
    def lengths(self) -> list[int]:
        """Tokens of each row."""
        return [sum(item.length for item in row) for row in self.plan.rows]

    def __len__(self) -> int:
        return len(self.plan.rows)

    def __getitem__(self, place: int) -> list[Pictured]:
        for step in range(len(self)):
            row = self.plan.rows[(place + step) % len(self)]
            pictured = [one for item in row if (one := self._pictured(item)) is not None]
            if pictured:
                return pictured
        raise UsageError(f"No image of {self._config.data} can be read.")

    def _pictured(self, item: Item) -> Pictured | None:
        row: dict[str, Any] = self._table[item.image]
        try:
            image = open_rgb(row["image"]["bytes"] or b"")
        except Unusable:
            self._unreadable += 1
            return None
        asked = _questions(row, self._config.select)
        chosen = [asked[number] for number in item.questions]
        turns = self._turns(chosen, self._chat.prefix_length(*image.size))
        return Pictured(image, [turn for turn in turns if turn], [one["id"] for one in chosen])

    def _turns(self, asked: Sequence[dict[str, Any]], prefix: int) -> list[Turn | None]:
        prompt = PROMPTS[self._config.prompt]
        made = self._chat.turns([(prompt(one), _said(one, self._config.prompt)) for one in asked])
        return [cut(turn, self._config.max_length - prefix) for turn in made]

    def _planned(self, packed: bool, progress: Progress) -> Plan:
        items: list[Item] = []
        too_long: list[str] = []
        questions = shortened = 0
        for image, prefix, asked, lengths in self._lengths(progress):
            room = self._config.max_length - prefix
            fitting = [min(length, room) for length, _ in lengths]
            shortened += sum(length > room and fits for length, fits in lengths)
            fine = [number for number, (_, fits) in enumerate(lengths) if fits]
            too_long += [one["id"] for one, (_, fits) in zip(asked, lengths, strict=True)
                         if not fits]  # fmt: skip
            questions += len(fine)
            if packed:
                found, _ = split_to_fit(
                    image, prefix, [fitting[n] for n in fine], self._config.max_length
                )
                items += [
                    Item(image, tuple(fine[n] for n in item.questions), item.length)
                    for item in found
                ]
            else:
                items += [Item(image, (n,), prefix + fitting[n]) for n in fine]
        rows = first_fit(items, self._config.max_length) if packed else [[item] for item in items]
        return Plan(rows, len(self.order), questions, shortened, too_long)

    def _lengths(
        self, progress: Progress
    ) -> Iterator[tuple[int, int, list[dict[str, Any]], list[tuple[int, bool]]]]:
        """Of each image in its order: its number, the tokens of its beginning, its questions, and
        of each of these the tokens and whether they can be made to fit."""
        told = self._table.select_columns(["width", "height", "questions"])
        done = 0
        for start in range(0, len(self.order), _AT_ONCE):
            some = self.order[start : start + _AT_ONCE]
            rows = [told[number] for number in some]
            asked = [_questions(row, self._config.select) for row in rows]
            prefixes = [self._chat.prefix_length(row["width"], row["height"]) for row in rows]
            prompt = PROMPTS[self._config.prompt]
            pairs = [
                (prompt(one), _said(one, self._config.prompt)) for those in asked for one in those
            ]
            turns = iter(self._chat.turns(pairs) if pairs else [])
            for number, prefix, those in zip(some, prefixes, asked, strict=True):
                room = self._config.max_length - prefix
                mine = [next(turns) for _ in those]
                lengths = [(len(turn.ids), cut(turn, room) is not None) for turn in mine]
                yield number, prefix, those, lengths
            done += len(some)
            progress("planning", done, len(self.order))


def _said(question: dict[str, Any], prompt: str) -> str:
    """What the model shall say: the letter of a choice, or the answer; after a hint in the words
    of the released MathV360K."""
    answer = question["answer_letter"] or question["answer"]
    return f"The answer is {answer}" if prompt == "hint_first" else answer


def _open(config: TrainConfig) -> datasets.Dataset:
    """The config `images` of the dataset, with the images' own bytes."""
    select = config.select
    path, revision = split_revision(config.data)
    table = load(
        path,
        "images",
        split=config.split,
        revision=revision,
        source=select.source,
        task=select.task,
        complexity=select.complexity,
        min_clarity=select.min_clarity,
    )
    assert isinstance(table, datasets.Dataset)
    return table.cast_column("image", datasets.Image(decode=False))


def _chosen(table: datasets.Dataset, select: Selection, seed: int) -> list[int]:
    """The images of an epoch in the order in which they are planned, each as often as weighed."""
    rng = Random(f"mathv360k train {seed}")
    sources = table.select_columns(["source"])["source"][:]
    if unknown := sorted(set(select.weights) - set(sources)):
        raise UsageError(f"weights: no image is of the source {unknown[0]!r}.")
    order: list[int] = []
    for number, source in enumerate(sources):
        times = select.weights.get(source, 1.0)
        order += [number] * (int(times) + (rng.random() < times % 1))
    rng.shuffle(order)
    if select.limit is not None:
        order = order[: select.limit]
    if select.curriculum:
        levels = table.select_columns(["complexity"])["complexity"][:]
        order.sort(key=lambda number: -1 if levels[number] is None else levels[number])
    return order


def _questions(row: dict[str, Any], select: Selection) -> list[dict[str, Any]]:
    return [
        one
        for one in row["questions"]
        if (select.kind is None or one["kind"] in select.kind)
        and (select.min_agreement is None or (one["agreement"] or 0) >= select.min_agreement)
        and not (select.exclude_contaminated and one["contamination"])
    ]
