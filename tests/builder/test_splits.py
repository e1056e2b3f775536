"""Nothing that one split shows is shared with another."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import numpy as np
import pyarrow as pa

from mathv360k.builder.repetitions import problem_key
from mathv360k.builder.splits import assign_splits

SHARES = {"train": 0.8, "validation": 0.1, "test": 0.1}


def pool(looks: list[str], problems: Sequence[tuple[int, int | None]]) -> tuple[pa.Table, pa.Table]:
    ids = sorted(sha256(str(i).encode()).hexdigest() for i in range(len(looks)))
    images = pa.table({"image_id": ids, "dhash": looks})
    image, problem = [i for i, _ in problems], [p for _, p in problems]
    questions = {"image": pa.array(image, pa.int32()), "problem": pa.array(problem, pa.int64())}
    return images, pa.table(questions)


def test_images_that_look_the_same_stay_together() -> None:
    looks = [str(i // 4) for i in range(400)]
    split = assign_splits(*pool(looks, []), SHARES, 0).reshape(-1, 4)
    assert (split == split[:, :1]).all()
    assert len(np.unique(split)) == 3


def test_images_without_a_hash_are_not_one_group() -> None:
    split = assign_splits(*pool([""] * 400, []), SHARES, 0)
    assert len(np.unique(split)) == 3


def test_a_problem_ties_its_images_together_also_in_chains() -> None:
    problems = (
        [(i, 7) for i in (0, 50, 99)] + [(i, 8) for i in (99, 3)] + [(i, None) for i in range(100)]
    )
    looks = [f"look {i}" for i in range(100)]
    looks[60] = looks[3]
    split = assign_splits(*pool(looks, problems), {"train": 0.5, "test": 0.5}, 1)
    assert len({split[i] for i in (0, 50, 99, 3, 60)}) == 1


def test_shares_are_kept_and_the_seed_matters() -> None:
    images, questions = pool([str(i) for i in range(5000)], [])
    split = assign_splits(images, questions, SHARES, 0)
    counts = np.bincount(split) / 5000
    assert np.allclose(counts, [0.8, 0.1, 0.1], atol=0.02)
    assert (split != assign_splits(images, questions, SHARES, 1)).any()


def test_what_is_added_later_moves_nobody() -> None:
    images, questions = pool([str(i) for i in range(500)], [])
    before = dict(
        zip(
            images["image_id"].to_pylist(), assign_splits(images, questions, SHARES, 0), strict=True
        )
    )
    more = pa.table({"image_id": sorted([*before, *(f"{i:064x}" for i in range(50))])})
    more = more.append_column("dhash", pa.array([f"n{i}" for i in range(len(more))]))
    after = dict(
        zip(more["image_id"].to_pylist(), assign_splits(more, questions, SHARES, 0), strict=True)
    )
    assert all(after[image] == split for image, split in before.items())


def test_only_long_questions_are_problems_of_their_own() -> None:
    long = "A train leaves the station at noon, at 60 miles an hour; how far is it at half past 3?"
    assert problem_key("Find x.", (), "5") is None
    assert problem_key(long, ("a", "b"), "a") == problem_key("  " + long.upper(), ("a", "b"), "a.")
    assert problem_key(long, ("a", "b"), "a") != problem_key(long, ("a", "c"), "a")
    assert problem_key(long, (), "180") != problem_key(long, (), "120")
