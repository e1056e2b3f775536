"""Which images are chosen: worked examples, and what holds for any pool and any wish."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mathv360k.builder.recipe import Selection
from mathv360k.builder.selection import apportion, draw, plan


def planned(available: dict[str, list[int]], **wish: object) -> dict[str, list[int]]:
    made = plan(list(available), np.array(list(available.values())), Selection(**wish))  # pyright: ignore[reportArgumentType]
    return dict(zip(made.sources, made.taken.tolist(), strict=True))


def notes(available: dict[str, list[int]], **wish: object) -> str:
    made = plan(list(available), np.array(list(available.values())), Selection(**wish))  # pyright: ignore[reportArgumentType]
    return "\n".join(made.notes)


def test_the_papers_ratio() -> None:
    pool = {"A": [50_000] * 4}
    assert planned(pool, images=40_000) == {"A": [8_000, 12_000, 16_000, 4_000]}
    assert notes(pool, images=40_000) == ""


def test_sources_share_in_proportion_unless_they_have_a_quota() -> None:
    pool = {"A": [1000] * 4, "B": [3000] * 4, "C": [1000] * 4}
    assert {name: sum(n) for name, n in planned(pool, images=1000).items()} == {
        "A": 200,
        "B": 600,
        "C": 200,
    }
    with_quota = planned(pool, images=1000, quotas={"A": 500})
    assert {name: sum(n) for name, n in with_quota.items()} == {"A": 500, "B": 375, "C": 125}
    assert planned(pool, images=500, quotas={"A": 500, "B": 0, "C": 0})["A"] == [100, 150, 200, 50]


def test_without_a_number_all_clear_images_are_taken() -> None:
    pool = {"A": [1, 2, 3, 4], "B": [0, 0, 7, 0]}
    assert planned(pool) == pool


def test_other_sources_of_the_same_complexity_step_in_first() -> None:
    pool = {"A": [100, 100, 10, 100], "B": [100, 100, 100, 100]}
    taken = planned(pool, images=100)
    assert taken["A"][2] == 10
    assert taken["B"][2] == 30  # 40 of 100 have complexity 2: A's share was 18 of them, B's 22
    said = notes(pool, images=100)
    assert "A has 10 images of complexity 2, 18 are wanted." in said
    assert "8 images were taken from other sources of the same complexity instead." in said


def test_where_a_complexity_runs_short_everywhere_the_nearest_steps_in() -> None:
    pool = {"A": [100, 100, 0, 100]}
    assert planned(pool, images=100) == {"A": [20, 70, 0, 10]}  # 1 is as near as 3, and comes first
    assert "40 images were taken from other complexities of the same source" in notes(
        pool, images=100
    )


def test_too_many_images_are_not_silently_fewer() -> None:
    pool = {"A": [1, 1, 1, 1]}
    assert planned(pool, images=10) == pool
    assert "10 images are wanted, only 4 are clear: all are taken." in notes(pool, images=10)


def test_a_source_that_is_not_there_is_told_and_the_others_step_in() -> None:
    pool = {"A": [100] * 4, "B": [0] * 4}
    wish = {"images": 100, "quotas": {"B": 50}}
    assert planned(pool, **wish) == {"A": [20, 30, 40, 10], "B": [0, 0, 0, 0]}
    assert notes(pool, **wish).split("\n") == [
        "B has no clear images, 50 are wanted.",
        "50 images were taken from other sources of the same complexity instead.",
    ]


def test_wishes_that_make_no_sense_are_refused() -> None:
    for wrong, said in (
        ({"complexity": (0, 0, 0, 0)}, "0 everywhere"),
        ({"images": 5, "quotas": {"A": 6}}, "add up to 6, more than images"),
        ({"quotas": {"A": 6}}, "quotas say nothing without images"),
        ({"images": 0}, "greater than 0"),
        ({"min_clarity": 1.5}, "less than or equal to 1"),
    ):
        with pytest.raises(ValidationError, match=said):
            Selection(**wrong)  # pyright: ignore[reportArgumentType]


counts = st.lists(st.integers(0, 30), min_size=4, max_size=4)


@given(
    st.dictionaries(st.sampled_from("ABCDE"), counts, min_size=1),
    st.integers(1, 200),
    st.tuples(*[st.integers(0, 5)] * 4).filter(any),
    st.data(),
)
def test_as_many_as_possible_and_never_more_than_there_are(
    pool: dict[str, list[int]], images: int, ratio: tuple[int, ...], data: st.DataObject
) -> None:
    quotas: dict[str, int] = {}
    for name in data.draw(st.sets(st.sampled_from(sorted(pool)))):
        quotas[name] = data.draw(st.integers(0, images - sum(quotas.values())))
    available = np.array(list(pool.values()))
    wish = Selection(images=images, complexity=ratio, quotas=quotas)  # pyright: ignore[reportArgumentType]
    made = plan(list(pool), available, wish)
    assert (made.taken >= 0).all()
    assert (made.taken <= available).all()
    assert made.taken.sum() == min(images, available.sum())
    enough = (made.wanted <= available).all() and made.wanted.sum() == made.taken.sum()
    assert (made.taken == made.wanted).all() or not enough
    if not enough:
        assert made.notes


@given(st.integers(0, 1000), st.lists(st.integers(0, 50), min_size=1, max_size=9))
def test_apportionment_is_whole_and_fair(total: int, shares: list[int]) -> None:
    parts = apportion(total, shares)
    if sum(shares):
        assert sum(parts) == total
        for part, share in zip(parts, shares, strict=True):
            assert abs(part - total * share / sum(shares)) < 1
    else:
        assert parts == [0] * len(shares)


def ids(name: str, count: int) -> list[str]:
    return [sha256(f"{name}{n}".encode()).hexdigest() for n in range(count)]


def test_another_source_changes_no_earlier_choice_where_quotas_stay() -> None:
    old, new = ids("old", 500), ids("new", 300)
    taken = np.array([[5, 10, 20, 5]])
    level = np.arange(500) % 4
    before = draw(old, np.zeros(500, np.intp), level, taken, seed=7)
    # the new source's images come first, and a few more of the old one are wanted
    both = draw(
        new + old,
        np.repeat([1, 0], [300, 500]),
        np.concatenate([np.arange(300) % 4, level]),
        np.array([[6, 10, 20, 5], [3, 3, 3, 3]]),
        seed=7,
    )
    chosen = {(new + old)[row] for row in both}
    assert {old[row] for row in before} <= chosen
    assert Counter(name in set(old) for name in chosen) == {True: 41, False: 12}


def test_another_seed_draws_others() -> None:
    names, zeros = ids("x", 200), np.zeros(200, np.intp)
    first, second, again = (
        draw(names, zeros, zeros, np.array([[50, 0, 0, 0]]), seed).tolist() for seed in (0, 1, 0)
    )
    assert first == again != second
    assert first == sorted(first)
