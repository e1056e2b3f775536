"""Packed rows are the questions one by one: the same losses, the same gradients, fewer tokens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

from mathv360k.errors import ModelError
from mathv360k.train.chat import ChatFormat
from mathv360k.train.collate import Collator, Pictured
from mathv360k.train.model import attention_mask, can_be_packed, question_losses
from mathv360k.train.packing import (
    IGNORED,
    Item,
    block_mask,
    dense_mask,
    first_fit,
    pack,
    split_to_fit,
)
from tiny_models import write_llava

WORDS = st.text("abcdefgh 0123456789?", min_size=1, max_size=40)
IMAGES = st.lists(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=6), min_size=1, max_size=4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_llava(tmp_path_factory.mktemp("llava") / "model")


@pytest.fixture(scope="module")
def chat(folder: Path) -> ChatFormat:
    return ChatFormat(AutoProcessor.from_pretrained(folder))


def model_of(folder: Path, attention: str = "sdpa") -> Any:
    text = {"": "sdpa", "text_config": attention}
    return AutoModelForImageTextToText.from_pretrained(
        folder, dtype=torch.float32, attn_implementation=text
    ).eval()


def pictured(chat: ChatFormat, asked: list[list[tuple[str, str]]]) -> list[Pictured]:
    torch.manual_seed(0)
    result = []
    for number, pairs in enumerate(asked):
        image = Image.effect_noise((40 + 9 * number, 50), 60).convert("RGB")
        result.append(
            Pictured(image, chat.turns(pairs), [f"{number}.{n}" for n in range(len(pairs))])
        )
    return result


def one_by_one(pictured: list[Pictured]) -> list[list[Pictured]]:
    return [
        [Pictured(p.image, [t], [i])] for p in pictured for t, i in zip(p.turns, p.ids, strict=True)
    ]


def gradients(
    model: Any, batch: dict[str, Any], attention: str
) -> tuple[torch.Tensor, torch.Tensor]:
    model.zero_grad()
    losses = question_losses(model, batch, attention)
    losses.sum().backward()
    told = [p.grad.flatten() for p in model.parameters() if p.grad is not None]
    return losses.detach(), torch.cat(told)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(IMAGES, st.booleans())
def test_losses_and_gradients_are_those_of_the_questions_one_by_one(
    folder: Path, chat: ChatFormat, asked: list[list[tuple[str, str]]], in_one_row: bool
) -> None:
    model = _models(folder)
    those = pictured(chat, asked)
    rows = [those] if in_one_row else [[one] for one in those]
    losses, gradient = gradients(model, Collator(chat)(rows), "sdpa")
    expected, wanted = gradients(model, Collator(chat, packed=False)(one_by_one(those)), "sdpa")
    torch.testing.assert_close(losses, expected, rtol=1e-4, atol=1e-5)
    assert (gradient - wanted).norm() <= 1e-4 * wanted.norm()


_cache: dict[Path, Any] = {}


def _models(folder: Path) -> Any:
    return _cache.setdefault(folder, model_of(folder))


@pytest.mark.parametrize("attention", ["eager", "flex_attention"])
def test_other_attentions_give_the_same(folder: Path, chat: ChatFormat, attention: str) -> None:
    asked = [[("Which is it?", "a"), ("How many are there in it?", "42")], [("Why?", "because")]]
    rows = [pictured(chat, asked)]
    multiple = 128 if attention == "flex_attention" else 8
    with torch.no_grad():
        losses = question_losses(
            model_of(folder, attention), Collator(chat, multiple=multiple)(rows), attention
        )
        expected = question_losses(_models(folder), Collator(chat)(rows), "sdpa")
    torch.testing.assert_close(losses, expected, rtol=1e-4, atol=1e-5)


def test_a_token_sees_its_image_and_its_question_and_nothing_else(chat: ChatFormat) -> None:
    turns = chat.turns([("ab", "c"), ("d", "e")])
    row = pack([([1, 2], turns), ([3], turns[:1])])
    images, questions = torch.tensor([row.images]), torch.tensor([row.questions])
    mask = dense_mask(images, questions)[0, 0]
    for q in range(len(row.ids)):
        for k in range(len(row.ids)):
            mine = row.images[q] == row.images[k] and k <= q
            assert mask[q, k] == (mine and row.questions[k] in (0, row.questions[q]))
    count = len(turns[0].ids)
    assert row.positions == [0, 1, *range(2, 2 + count), *range(2, 2 + len(turns[1].ids)), 0,
                             *range(1, 1 + count)]  # fmt: skip
    blocks = block_mask(images, questions)
    assert torch.equal(blocks.to_dense()[0, 0].bool(), torch.ones(1, 1, dtype=torch.bool))


def test_labels_are_on_answers_only(chat: ChatFormat) -> None:
    batch = Collator(chat)([pictured(chat, [[("How many?", "12"), ("Which?", "B")]])])
    told = batch["labels"][0][batch["labels"][0] != IGNORED]
    assert chat.processor.tokenizer.decode(told) == "12</s>B</s>"


@given(st.lists(st.lists(st.integers(1, 60), max_size=9), max_size=40), st.integers(1, 30))
def test_every_question_that_fits_is_in_one_row_and_rows_are_not_too_long(
    lengths: list[list[int]], prefix: int
) -> None:
    most = 80
    items, long = [], []
    for image, those in enumerate(lengths):
        found, left = split_to_fit(image, prefix, those, most)
        items += found
        long += [(image, number) for number in left]
    rows = first_fit(items, most)
    there = [(item.image, number) for row in rows for item in row for number in item.questions]
    assert sorted(there + long) == [
        (i, n) for i, those in enumerate(lengths) for n in range(len(those))
    ]
    assert all(prefix + lengths[i][n] > most for i, n in long)
    for row in rows:
        assert sum(item.length for item in row) <= most
        for item in row:
            assert item.length == prefix + sum(lengths[item.image][n] for n in item.questions)


def test_rows_are_filled_by_the_longest_first() -> None:
    items = [Item(n, (0,), length) for n, length in enumerate([3, 6, 4, 7])]
    assert [[item.length for item in row] for row in first_fit(items, 10)] == [[7, 3], [6, 4]]


def test_packing_takes_a_quarter_of_the_tokens_where_nine_questions_share_an_image(
    chat: ChatFormat,
) -> None:
    turn = chat.turns(
        [("What is the length of the side AB of this triangle, in centimetres?", "12")]
    )
    long_prefix = list(range(576))
    packed = pack([(long_prefix, turn * 9)])
    single = 9 * len(pack([(long_prefix, turn)]).ids)
    assert single / len(packed.ids) > 4


class TestWhetherAModelCanBePacked:
    def test_a_llava_can(self, folder: Path, chat: ChatFormat) -> None:
        assert can_be_packed(_models(folder), chat, "sdpa") is None

    def test_one_that_computes_its_own_positions_cannot(
        self, folder: Path, chat: ChatFormat
    ) -> None:
        model = model_of(folder)
        for name, weights in model.named_parameters():
            if "q_proj" in name or "k_proj" in name:
                weights.data *= 20  # untrained, it hardly looks at positions
        assert can_be_packed(model, chat, "sdpa") is None
        forward = model.model.forward
        model.model.forward = lambda *a, position_ids=None, **k: forward(*a, **k)
        assert "losses differ by" in (can_be_packed(model, chat, "sdpa") or "")

    def test_one_that_takes_no_such_mask_cannot(self, folder: Path, chat: ChatFormat) -> None:
        model = model_of(folder)
        forward = model.forward

        def strict(*a: Any, attention_mask: Any = None, **k: Any) -> Any:
            if attention_mask.dim() != 2:
                raise ValueError("attention_mask must have two dimensions")
            return forward(*a, attention_mask=attention_mask, **k)

        model.forward = strict
        why = can_be_packed(model, chat, "sdpa")
        assert why == "it cannot be computed (attention_mask must have two dimensions)"

    def test_one_with_another_models_processor_is_named(self, folder: Path) -> None:
        processor = AutoProcessor.from_pretrained(folder)
        processor.patch_size = 16  # a quarter of the image tokens
        with pytest.raises(ModelError, match=r"cannot be computed with its processor .*image"):
            can_be_packed(model_of(folder), ChatFormat(processor), "sdpa")


def test_the_mask_for_eager_attention_is_added() -> None:
    batch = {"images": torch.tensor([[0, 0, -1]]), "questions": torch.tensor([[0, 1, 0]])}
    mask = attention_mask(batch, "eager")
    assert batch == {}
    assert mask[0, 0, 1].tolist() == [0.0, 0.0, torch.finfo(torch.float32).min]
