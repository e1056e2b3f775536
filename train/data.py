"""The questions that are trained on: planned into rows first, read row by row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count, groupby, islice
from random import Random
from typing import Any, TypeVar, cast

import datasets
import torch
from torch.utils.data import Dataset, IterableDataset

from ..builder.dataset import load
from ..builder.images import open_rgb
from ..builder.intake import Progress, quiet
from ..builder.location import split_revision
from ..builder.schema import Unusable
from ..errors import UsageError
from .chat import ChatFormat, Turn, cut
from .collate import Pictured
from .config import TrainConfig
from .packing import Item, first_fit, split_to_fit
from .questions import PROMPTS, answer_of, is_kept

_AT_ONCE = 1_000
"""Images whose questions are made into tokens together."""
_WINDOW = 256
"""Images of a stream that are held, mixed and packed together."""
_TOLD = ["image_id", "source", "width", "height", "questions"]
"""Columns from which rows are planned."""
_Row = TypeVar("_Row")


@dataclass(slots=True)
class Plan:
    """What is trained on in an epoch, and what could not be taken as it is."""

    rows: int = 0
    images: int = 0
    questions: int = 0
    shortened: int = 0
    """Questions that lost text to fit."""
    too_long: list[str] = field(default_factory=list)
    """Ids of those that do not fit without their text either."""

    @property
    def questions_per_row(self) -> float:
        return self.questions / self.rows


class Preparation:
    """How the images of a dataset become items, items rows, and these what a model is shown."""

    def __init__(self, config: TrainConfig, chat: ChatFormat, packed: bool) -> None:
        self.config, self._chat, self.packed = config, chat, packed
        self.unreadable = torch.zeros(1 << 20, dtype=torch.uint8).share_memory_()
        """Where an image could not be read there is a 1, at the first 20 bits of its id."""

    def items(self, rows: Iterable[tuple[int, Mapping[str, Any]]], plan: Plan) -> Iterator[Item]:
        """The questions about images, with their numbers, as items; counted in `plan`."""
        rows = iter(rows)
        while some := list(islice(rows, _AT_ONCE)):
            asked = [self._asked(row) for _, row in some]
            turns = iter(self._turns([one for those in asked for one in those]))
            for (number, row), those in zip(some, asked, strict=True):
                prefix = self._chat.prefix_length(row["width"], row["height"])
                lengths = self._lengths(those, [next(turns) for _ in those], prefix, plan)
                plan.images += 1
                yield from self._fitted(number, prefix, lengths)

    def _lengths(
        self, asked: Sequence[Mapping[str, Any]], turns: Sequence[Turn], prefix: int, plan: Plan
    ) -> dict[int, int]:
        """The tokens of each question that can be made to fit, by its number."""
        room = self.config.max_length - prefix
        lengths = dict[int, int]()
        for number, turn in enumerate(turns):
            if cut(turn, room) is None:
                plan.too_long.append(asked[number]["id"])
                continue
            plan.questions += 1
            plan.shortened += len(turn.ids) > room
            lengths[number] = min(len(turn.ids), room)
        return lengths

    def _fitted(self, image: int, prefix: int, lengths: Mapping[int, int]) -> list[Item]:
        if not self.packed:
            return [Item(image, (number,), prefix + lengths[number]) for number in lengths]
        numbers = list(lengths)
        items, _ = split_to_fit(image, prefix, list(lengths.values()), self.config.max_length)
        return [
            Item(image, tuple(numbers[n] for n in item.questions), item.length) for item in items
        ]

    def rows(self, items: Sequence[Item]) -> list[list[Item]]:
        """Items together in rows, or one by one."""
        if not self.packed:
            return [[item] for item in items]
        return first_fit(items, self.config.max_length)

    def pictured(self, row: Mapping[str, Any], questions: Sequence[int]) -> Pictured | None:
        """An image with some of its questions; None, and counted, where it cannot be read."""
        try:
            image = open_rgb((row["image"] or {}).get("bytes") or b"")
        except Unusable:
            self.unreadable[int(row["image_id"][:5], 16)] = 1
            return None
        asked = self._asked(row)
        chosen = [asked[number] for number in questions]
        room = self.config.max_length - self._chat.prefix_length(*image.size)
        turns = [cut(turn, room) for turn in self._turns(chosen)]
        return Pictured(image, [turn for turn in turns if turn], [one["id"] for one in chosen])

    def _asked(self, row: Mapping[str, Any]) -> list[dict[str, Any]]:
        select = self.config.select
        return [
            one
            for one in row["questions"]
            if is_kept(
                one,
                kind=select.kind,
                min_agreement=select.min_agreement,
                exclude_contaminated=select.exclude_contaminated,
            )
        ]

    def _turns(self, asked: Sequence[Mapping[str, Any]]) -> list[Turn]:
        prompt = self.config.prompt
        pairs = [(PROMPTS[prompt](one), answer_of(one, prompt)) for one in asked]
        return self._chat.turns(pairs) if pairs else []


class TrainingData(Dataset[list[Pictured]]):
    """The rows of a dataset that is at hand; a row is some images with turns about them.

    An image that cannot be read is left out and counted; of a row without any the next one stands
    in its place.
    """

    def __init__(self, preparation: Preparation, progress: Progress = quiet) -> None:
        """Raises `UsageError` where nothing is left to train on, and what `load` raises."""
        self._preparation = preparation
        self._config = preparation.config
        self.plan = Plan()
        table = _open(self._config, streaming=False)
        assert isinstance(table, datasets.Dataset)
        self._table = table.cast_column("image", datasets.Image(decode=False))
        self.order = self._chosen()
        told = self._table.select_columns(_TOLD)
        numbered = ((number, told[number]) for number in self.order)
        tracked = _tracked(numbered, progress, len(self.order))
        items = list(preparation.items(tracked, self.plan))
        self._rows = [row for some in self._apart(items) for row in preparation.rows(some)]
        self.plan.rows = len(self._rows)
        _refuse_nothing(self.plan, self._config)

    def image_ids(self) -> list[str]:
        """The images in the plan."""
        used = sorted({item.image for row in self._rows for item in row})
        return self._table.select(used).select_columns(["image_id"])["image_id"][:]

    @property
    def lengths(self) -> list[int]:
        """Tokens of each row."""
        return [sum(item.length for item in row) for row in self._rows]

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, place: int) -> list[Pictured]:
        for step in range(len(self)):
            row = self._rows[(place + step) % len(self)]
            found = [self._preparation.pictured(self._table[i.image], i.questions) for i in row]
            if pictured := [one for one in found if one is not None]:
                return pictured
        raise UsageError(f"No image of {self._config.data} can be read.")

    def _chosen(self) -> list[int]:
        """The images of an epoch in the order in which they are planned."""
        select = self._config.select
        rng = Random(f"mathv360k train {self._config.seed}")
        sources = self._table.select_columns(["source"])["source"][:]
        order = [
            number
            for number, source in enumerate(sources)
            for _ in range(_times(select.weights, source, rng))
        ]
        _refuse_unknown(select.weights, sources)
        rng.shuffle(order)
        if select.limit is not None:
            order = order[: select.limit]
        return order

    def _apart(self, items: list[Item]) -> list[list[Item]]:
        """The items that may share rows: of a curriculum those of one level, level by level."""
        if not self._config.select.curriculum:
            return [items]
        told = self._table.select_columns(["complexity"])["complexity"][:]
        levels = [-1 if level is None else level for level in told]
        items = sorted(items, key=lambda item: levels[item.image])
        return [list(some) for _, some in groupby(items, key=lambda item: levels[item.image])]


class StreamedData(IterableDataset[list[Pictured]]):
    """The same rows of a dataset that is read as it comes: files in random order, and the images of
    a window mixed; epoch after epoch without an end, each in an order of its own.

    `Trainer` would carry the gradients of an epoch's last rows over into the next. All questions
    are read once before, without the images, to know how many rows an epoch has.
    """

    def __init__(self, preparation: Preparation, progress: Progress = quiet) -> None:
        """Raises as `TrainingData` does, and for what needs the whole dataset at hand."""
        self._preparation = preparation
        self._config = config = preparation.config
        if config.select.curriculum or config.select.limit:
            raise UsageError("A stream has no curriculum and no limit; leave out streaming.")
        self.plan = Plan()
        self._image_ids: set[str] = set()
        sources = set[str]()
        stream = _tracked(self._repeated(0, _TOLD), progress, None)
        while window := list(islice(stream, _WINDOW)):
            sources |= {row["source"] for row in window}
            items = list(preparation.items(enumerate(window), self.plan))
            self.plan.rows += len(preparation.rows(items))
            self._image_ids |= {window[item.image]["image_id"] for item in items}
        _refuse_unknown(config.select.weights, sources)
        _refuse_nothing(self.plan, config)

    def image_ids(self) -> list[str]:
        """The images in the plan."""
        return sorted(self._image_ids)

    def __iter__(self) -> Iterator[list[Pictured]]:
        for number in count():
            read = False
            for row in self.epoch(number):
                read = True
                yield row
            if not read:
                raise UsageError(f"No image of {self._config.data} can be read.")

    def epoch(self, number: int) -> Iterator[list[Pictured]]:
        """The rows of one epoch."""
        rng = Random(f"mathv360k rows {self._config.seed} {number}")
        stream = self._repeated(number, None)
        while window := list(islice(stream, _WINDOW)):
            rows = self._preparation.rows(list(self._preparation.items(enumerate(window), Plan())))
            rng.shuffle(rows)
            for row in rows:
                found = [self._preparation.pictured(window[i.image], i.questions) for i in row]
                if pictured := [one for one in found if one is not None]:
                    yield pictured

    def _repeated(self, epoch: int, columns: list[str] | None) -> Iterator[dict[str, Any]]:
        """The images of an epoch, each as often as its source is weighed."""
        stream = _open(self._config, streaming=True, columns=columns)
        assert isinstance(stream, datasets.IterableDataset)
        if columns is None:
            stream = stream.cast_column("image", datasets.Image(decode=False))
        seed = self._config.seed + epoch
        rng = Random(f"mathv360k train {seed}")
        for row in stream.shuffle(seed=seed, buffer_size=_WINDOW):
            for _ in range(_times(self._config.select.weights, row["source"], rng)):
                yield cast(dict[str, Any], row)


def _open(config: TrainConfig, *, streaming: bool, columns: list[str] | None = None) -> Any:
    """The config `images` of the dataset."""
    select = config.select
    path, revision = split_revision(config.data)
    if select.kind:  # images have none; this raises for a name that the dataset does not know
        load(path, "questions", revision=revision, kind=select.kind, streaming=True)
    return load(
        path,
        "images",
        split=config.split,
        revision=revision,
        source=select.source,
        task=select.task,
        complexity=select.complexity,
        min_clarity=select.min_clarity,
        columns=columns,
        streaming=streaming,
    )


def _times(weights: Mapping[str, float], source: str, rng: Random) -> int:
    """How often an image is seen in an epoch."""
    times = weights.get(source, 1.0)
    return int(times) + (rng.random() < times % 1)


def _tracked(rows: Iterable[_Row], progress: Progress, total: int | None) -> Iterator[_Row]:
    for done, row in enumerate(rows, 1):
        yield row
        progress("planning", done, total)


def _refuse_unknown(weights: Mapping[str, float], sources: Iterable[str]) -> None:
    if unknown := sorted(set(weights) - set(sources)):
        raise UsageError(f"weights: no image is of the source {unknown[0]!r}.")


def _refuse_nothing(plan: Plan, config: TrainConfig) -> None:
    if not plan.rows:
        raise UsageError(
            f"{config.data} has no questions for this run; select others, or a larger max_length."
        )
