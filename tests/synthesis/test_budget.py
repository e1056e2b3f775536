"""Tokens and prices, by the providers' published rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from asking import requests_in
from mathv360k.errors import UsageError
from mathv360k.synthesis.budget import Budget, ImageRule, Price, count_tokens, read_price, sent_size
from mathv360k.synthesis.teacher import Reply


@pytest.mark.parametrize(
    ("model", "size", "detail", "tokens"),
    [  # worked out in OpenAI's guide to images and vision
        ("gpt-4o", (1024, 1024), "high", 765),
        ("gpt-4o", (2048, 4096), "high", 1105),
        ("gpt-4o", (4096, 8192), "low", 85),
        ("gpt-4o", (300, 200), "auto", 255),
        ("gpt-4o-mini", (1024, 1024), "high", 2833 + 4 * 5667),
        ("gpt-5", (512, 512), "high", 210),
        ("gpt-4.1-mini", (1024, 1024), "high", 1659),  # 1,024 patches x 1.62
        ("gpt-4.1-mini", (1800, 2400), "high", 2353),  # scaled to 1,452 patches
        ("o4-mini", (32, 32), "high", 2),
    ],
)
def test_an_image_counts_as_its_provider_says(
    model: str, size: tuple[int, int], detail: str, tokens: int
) -> None:
    price = read_price(model)
    assert price is not None
    assert price.image.tokens(*size, detail) == tokens


def test_pixels_per_token() -> None:
    assert ImageRule(pixels=(750, 1600)).tokens(1000, 750, "auto") == 1000
    assert ImageRule(pixels=(750, 1600)).tokens(4000, 4000, "auto") == 1600


def test_a_price_is_found_by_the_start_of_a_name() -> None:
    dated, plain = read_price("gpt-4o-2024-11-20"), read_price("gpt-4o")
    assert dated == plain
    assert read_price("gpt-4o-mini-2024-07-18") == read_price("gpt-4o-mini") != plain
    assert read_price("gpt-4olympus") is None
    assert read_price("Qwen/Qwen2.5-VL-7B-Instruct") is None


def test_a_table_of_ones_own_goes_first(tmp_path: Path) -> None:
    table = tmp_path / "prices.yaml"
    table.write_text("gpt-4o: {input: 1, output: 2}\nmine: {input: 3, output: 4, batch: 0.25}\n")
    price = read_price("gpt-4o", table)
    assert price is not None
    assert (price.input, price.output) == (1, 2)
    reply = Reply("", input_tokens=1_000_000, cached_tokens=500_000, output_tokens=500_000)
    assert price.usd(reply) == 2.0
    mine = read_price("mine", table)
    assert mine is not None
    assert mine.batch == 0.25
    for text in ("gpt-4o: cheap", "[1]", "x: {input: -1, output: 1}", ": :"):
        table.write_text(text)
        with pytest.raises(UsageError, match="is no table of prices"):
            read_price("gpt-4o", table)
    with pytest.raises(UsageError, match="cannot be read"):
        read_price("gpt-4o", tmp_path / "none.yaml")


def test_cached_input_and_batches_cost_less() -> None:
    price = Price(input=2.0, output=8.0, cached=0.5, batch=0.5)
    used = {"input_tokens": 1_000, "cached_tokens": 600, "output_tokens": 100}
    assert price.usd(Reply("", **used)) == pytest.approx((400 * 2 + 600 * 0.5 + 100 * 8) / 1e6)
    half = Reply("", **used, discount=0.5)
    assert price.usd(half) == pytest.approx(price.usd(Reply("", **used)) / 2)


def test_an_image_is_sent_no_larger_than_max_side(tmp_path: Path) -> None:
    (small,) = requests_in(tmp_path, 1, max_side=100)
    (whole,) = requests_in(tmp_path, 1)
    assert [sent_size(r.picture, r.teacher.max_side) for r in (small, whole) if r.picture] == [
        (100, 100),
        (300, 300),
    ]


def test_a_budget_in_usd_needs_a_price() -> None:
    with pytest.raises(UsageError, match="price of this model is not known"):
        Budget(None, usd=5.0)


def test_what_is_reserved_is_given_back(tmp_path: Path) -> None:
    request, *_ = requests_in(tmp_path, 1)
    budget = Budget(None, tokens=1_000)
    reserved = [budget.reserve(request) for _ in range(4)]
    assert reserved[0] is not None and reserved[-1] is None
    budget.release(reserved[0])
    assert budget.reserve(request) is not None


def test_unknown_models_count_characters() -> None:
    assert count_tokens("some/model", ["a" * 400, "b" * 40]) == 100 + 4 + 10 + 4
