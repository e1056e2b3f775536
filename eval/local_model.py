"""A vision-language model on this machine that answers problems: any `AutoModelForImageTextToText`
with a chat template."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

from ..builder.device import torch_device
from ..builder.images import open_rgb
from ..builder.pretrained import load_pretrained
from ..builder.schema import Unusable
from ..errors import ModelError, UsageError
from .asked import Answer, Asked

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}
_GREEDY = {
    "do_sample": False,
    "num_beams": 1,
    "temperature": None,
    "top_p": None,
    "top_k": None,
    "repetition_penalty": None,
}


class _TooLarge(Exception):
    """A batch does not fit in memory, or in the model's context."""


class LocalModel:
    """A model ready to answer, greedily. `dtype` is bf16 on a GPU and fp32 elsewhere by default."""

    def __init__(self, name: str, device: str | None = None, dtype: str | None = None) -> None:
        """Load a model by its folder or its name on the Hub.

        Raises `ModelError` where it is none that sees pictures and has a chat template.
        """
        self.name = name
        self.device = torch_device(device)
        self.dtype = dtype or ("bf16" if self.device.type == "cuda" else "fp32")
        if self.dtype not in DTYPES:
            raise UsageError(f"--dtype is one of {', '.join(DTYPES)}, not {self.dtype!r}.")
        self.processor, model = load_pretrained(
            name, "a vision-language model",
            lambda **options: (
                AutoProcessor.from_pretrained(name, **options),
                AutoModelForImageTextToText.from_pretrained(
                    name, dtype=DTYPES[self.dtype], **options
                ),
            ),
        )  # fmt: skip
        if getattr(self.processor, "chat_template", None) is None:
            raise ModelError(f"{name} has no chat template, so nobody can say how it is asked.")
        self.processor.tokenizer.padding_side = "left"
        self.model: Any = cast(Any, model).to(self.device).eval().requires_grad_(False)
        settings = self.model.generation_config
        settings.update(**_GREEDY)
        if settings.pad_token_id is None:
            settings.pad_token_id = self.processor.tokenizer.pad_token_id
        text = self.model.config.get_text_config()
        self._context: int | None = getattr(text, "max_position_embeddings", None)

    def batches(self, asked: Sequence[Asked], size: int) -> list[list[Asked]]:
        """The problems in batches of prompts of about one length, the longest first; those without
        an image by themselves."""
        tokenizer = self.processor.tokenizer
        lengths = [len(tokens) for tokens in tokenizer([one.prompt for one in asked])["input_ids"]]
        order = sorted(
            range(len(asked)), key=lambda i: (asked[i].problem.load is None, -lengths[i], i)
        )
        result: list[list[Asked]] = []
        for place in order:
            one = asked[place]
            last = result[-1] if result else []
            if last and len(last) < size and _sees(last[0]) == _sees(one):
                last.append(one)
            else:
                result.append([one])
        return result

    def answers(
        self, batches: Sequence[Sequence[Asked]], max_new_tokens: int
    ) -> Iterator[list[Answer]]:
        """The answers batch by batch; the next batch is made ready meanwhile.

        A problem whose image cannot be read, or that does not fit, has an empty answer with the
        reason.
        """
        with ThreadPoolExecutor(1) as ahead:
            ready = ahead.submit(_pictures, batches[0]) if batches else None
            for number, batch in enumerate(batches):
                assert ready is not None
                pictures = ready.result()
                if number + 1 < len(batches):
                    ready = ahead.submit(_pictures, batches[number + 1])
                yield self._answered(batch, pictures, max_new_tokens)

    def _answered(
        self, batch: Sequence[Asked], pictures: Sequence[Any], max_new_tokens: int
    ) -> list[Answer]:
        good = [i for i, picture in enumerate(pictures) if not isinstance(picture, Unusable)]
        said = self._said([(batch[i], pictures[i]) for i in good], max_new_tokens)
        answers = dict(zip(good, said, strict=True))
        return [
            answers[i] if i in answers else Answer(one.problem.id, "", str(pictures[i]))
            for i, one in enumerate(batch)
        ]

    def _said(
        self, pairs: Sequence[tuple[Asked, Image.Image | None]], max_new_tokens: int
    ) -> list[Answer]:
        if not pairs:
            return []
        try:
            texts = self._generate(pairs, max_new_tokens)
        except (torch.OutOfMemoryError, _TooLarge) as error:
            if len(pairs) == 1:
                why = (
                    "longer than the model's context" if isinstance(error, _TooLarge) else "memory"
                )
                return [Answer(pairs[0][0].problem.id, "", f"does not fit: {why}")]
            half = len(pairs) // 2
            halves = pairs[:half], pairs[half:]
            return [answer for part in halves for answer in self._said(part, max_new_tokens)]
        return [Answer(one.problem.id, text) for (one, _), text in zip(pairs, texts, strict=True)]

    def _generate(
        self, pairs: Sequence[tuple[Asked, Image.Image | None]], max_new_tokens: int
    ) -> list[str]:
        conversations = [[{"role": "user", "content": _content(one, p)}] for one, p in pairs]
        inputs = self.processor.apply_chat_template(
            conversations,
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
            processor_kwargs={"padding": True},
        )
        length = inputs["input_ids"].shape[1]
        if self._context is not None and length + max_new_tokens > self._context:
            raise _TooLarge
        inputs = inputs.to(self.device, DTYPES[self.dtype])  # floats only; ids stay whole
        with torch.inference_mode():
            made = self.model.generate(**inputs, max_new_tokens=max_new_tokens)
        texts = self.processor.tokenizer.batch_decode(made[:, length:], skip_special_tokens=True)
        return [text.strip() for text in texts]


def _sees(asked: Asked) -> bool:
    return asked.problem.load is not None


def _content(asked: Asked, picture: Image.Image | None) -> list[dict[str, Any]]:
    text = {"type": "text", "text": asked.prompt}
    return [text] if picture is None else [{"type": "image", "image": picture}, text]


def _pictures(batch: Sequence[Asked]) -> list[Image.Image | Unusable | None]:
    """The decoded image of each, None where there is none, why not where it cannot be read."""
    result: list[Image.Image | Unusable | None] = []
    for one in batch:
        try:
            result.append(open_rgb(one.problem.load()) if one.problem.load else None)
        except Unusable as reason:
            result.append(reason)
    return result
