"""Questions and answers as the tokens that a model is trained on, by its processor's chat template.

All questions about an image share its beginning: everything up to the image's last token. What
comes after is a turn.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from PIL import Image

from ..errors import ModelError

_QUESTION, _ANSWER = "mathv360kquestion", "mathv360kanswer"
_SHAPES = ((64, 48), (100, 210), (210, 100), (336, 336), (700, 1100), (1500, 300), (2000, 1900))
"""Width and height in pixels."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A question and its answer, as the tokens after the image.

    `trained[i]` says whether the loss is on `ids[i]`: the answer and the token that ends it.
    `text` is the span of the question's own tokens, the only ones that may be cut.
    """

    ids: list[int]
    trained: list[bool]
    text: tuple[int, int]


class ChatFormat:
    """How a processor's chat template puts a question about one image, and its answer.

    The template is rendered once and filled in; special tokens in a question's text are taken out,
    or it could pretend to be another image. Where the template does not end an answer, the
    tokenizer's end of sequence does.
    """

    def __init__(self, processor: Any) -> None:
        """Raises `ModelError` for a processor without a chat template or an image token."""
        self.processor = processor
        self.tells_images = False
        """Whether the model wants to be told which tokens are images'."""
        self._tokenizer = processor.tokenizer
        token = getattr(processor, "image_token", None)
        if getattr(processor, "chat_template", None) is None:
            raise ModelError("The model has no chat template, so nobody can say how it is asked.")
        if not isinstance(token, str):
            raise ModelError("The model has no image token: it does not see pictures.")
        self.image_token_id: int = self._tokenizer.convert_tokens_to_ids(token)
        user = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": _QUESTION}]}
        said = {"role": "assistant", "content": [{"type": "text", "text": _ANSWER}]}
        asked = processor.apply_chat_template([user], add_generation_prompt=True)
        whole = processor.apply_chat_template([user, said])
        head, question, rest = whole.partition(_QUESTION)
        middle, answer, tail = rest.partition(_ANSWER)
        if not question or not answer or token not in head or not asked.startswith(head):
            raise ModelError("The model's chat template does not have the image first.")
        self._head, self._middle = head, middle
        cue = asked[len(head) + len(_QUESTION) :]
        self._cue = cue if cue and middle.startswith(cue) else middle
        self._tail = self._ending(tail)
        self.prefix = head[: head.rindex(token) + len(token)]
        """The text of the shared beginning, with the image's mark in it."""
        special = sorted({*self._tokenizer.all_special_tokens, token}, key=len, reverse=True)
        self._special = re.compile("|".join(map(re.escape, special)))

    def _ending(self, tail: str) -> str:
        ended = tail.rstrip()
        if any(ended.endswith(token) for token in self._tokenizer.all_special_tokens):
            return ended
        return self._tokenizer.eos_token

    def turns(self, pairs: Sequence[tuple[str, str]]) -> list[Turn]:
        """The turns of questions with their answers."""
        texts, spans = [], []
        for question, answer in pairs:
            plain, said = self._plain(question), self._plain(answer)
            start = len(self._head)
            text = f"{self._head}{plain}{self._middle}{said}{self._tail}"
            texts.append(text)
            spans.append((start, start + len(plain), start + len(plain) + len(self._cue)))
        made = self._tokenizer(texts, add_special_tokens=False, return_offsets_mapping=True)
        return [
            self._turn(ids, offsets, *span)
            for ids, offsets, span in zip(
                made["input_ids"], made["offset_mapping"], spans, strict=True
            )
        ]

    def _turn(
        self, ids: list[int], offsets: list[tuple[int, int]], start: int, end: int, answer: int
    ) -> Turn:
        first = len(ids) - ids[::-1].index(self.image_token_id)
        ids, offsets = ids[first:], offsets[first:]
        inside = [i for i, (a, b) in enumerate(offsets) if start <= a and b <= end]
        text = (inside[0], inside[-1] + 1) if inside else (0, 0)
        return Turn(ids, [b > answer for _, b in offsets], text)

    def _plain(self, text: str) -> str:
        return self._special.sub("", text).strip()

    def prefixes(self, images: Sequence[Image.Image]) -> tuple[list[list[int]], dict[str, Any]]:
        """The shared beginning of each image as tokens, and the images as the model takes them."""
        made = self.processor(
            text=[self.prefix] * len(images),
            images=[[image] for image in images],
            padding=True,
            return_tensors="pt",
        )
        ids, mask = made.pop("input_ids"), made.pop("attention_mask").bool()
        made.pop("token_type_ids", None)
        self.tells_images = made.pop("mm_token_type_ids", None) is not None
        return [row[kept].tolist() for row, kept in zip(ids, mask, strict=True)], dict(made)

    @lru_cache(maxsize=1 << 16)  # noqa: B019  a format lives as long as the run
    def prefix_length(self, width: int, height: int) -> int:
        """Tokens of the shared beginning for an image of that size."""
        if self._fixed is not None:
            return self._fixed
        return len(self.prefixes([Image.new("RGB", (width, height))])[0][0])

    @property
    def _fixed(self) -> int | None:
        """The length where all images have the same, as some of very different shape tell."""
        if not hasattr(self, "_lengths"):
            blanks = [Image.new("RGB", size) for size in _SHAPES]
            self._lengths = {len(self.prefixes([blank])[0][0]) for blank in blanks}
        return next(iter(self._lengths)) if len(self._lengths) == 1 else None


def cut(turn: Turn, most: int) -> Turn | None:
    """The turn in at most `most` tokens: the first tokens of the question's text go, since what is
    asked and the choices stand last. None where that is not enough."""
    over = len(turn.ids) - most
    start, end = turn.text
    if over <= 0:
        return turn
    if over >= end - start:
        return None
    kept = slice(start + over, None)
    return Turn(
        turn.ids[:start] + turn.ids[kept],
        turn.trained[:start] + turn.trained[kept],
        (start, end - over),
    )
