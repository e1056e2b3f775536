"""Copies are found, other diagrams are not: hashes and features propose, pixels decide."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from random import Random

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFont

from mathv360k.builder import near_duplicates
from mathv360k.builder.images import inspect, open_rgb
from mathv360k.builder.near_duplicates import (
    Pair,
    find_pairs,
    keep_one,
    look,
    neighbours,
    reduced,
    same_colours,
    same_picture,
)


def diagram(label: str = "12", seed: int = 0, size: int = 400) -> Image.Image:
    """A triangle with a label at one side; `seed` gives other triangles."""
    rng = Random(seed)
    page = Image.new("RGB", (size, size), "white")
    pen = ImageDraw.Draw(page)
    pen.rectangle((0, 0, size, size / 12), fill="#3b8fe8")
    corners = [(rng.uniform(0.1, 0.9) * size, rng.uniform(0.1, 0.9) * size) for _ in range(3)]
    pen.polygon(corners, outline="black", width=size // 130)
    x, y = ((a + b) / 2 for a, b in zip(corners[0], corners[1], strict=True))
    pen.text((x, y), label, fill="black", font=ImageFont.load_default(size / 18))
    return page


def jpeg(image: Image.Image, quality: int = 40) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


COPIES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "compressed": jpeg,
    "half the size": lambda i: i.resize((200, 200)),
    "larger": lambda i: i.resize((600, 600), Image.Resampling.BICUBIC),
    "16 colours": lambda i: i.quantize(16).convert("RGB"),
    "darker": lambda i: ImageEnhance.Brightness(i).enhance(0.8),
    "grey": lambda i: i.convert("L").convert("RGB"),
}


@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_is_the_same_picture(copy: str) -> None:
    for seed in range(5):
        image = diagram(seed=seed)
        one, other = reduced(image), reduced(COPIES[copy](image))
        assert same_picture(one, other)
        assert same_colours(look(one), look(other)) or copy == "grey"


@pytest.mark.parametrize("other", ["13", "12x", "", "2"])
def test_another_label_is_another_picture(other: str) -> None:
    for seed in range(5):
        one, two = diagram("12", seed), diagram(other, seed)
        assert not same_picture(reduced(one), reduced(two))
        assert not same_picture(reduced(one), reduced(jpeg(two)))


def test_the_same_in_other_colours_is_another_picture_and_yet_the_same_problem() -> None:
    blue, pink = diagram(), diagram()
    ImageDraw.Draw(pink).rectangle((0, 0, 400, 400 / 12), fill="#d858a0")
    assert same_picture(reduced(blue), reduced(pink))  # what decontamination asks
    assert not same_colours(look(reduced(blue)), look(reduced(pink)))
    assert pairs_of([blue, pink, blue.convert("L").convert("RGB")]) == set()


def test_another_shape_of_page_is_another_picture() -> None:
    image = diagram()
    assert not same_picture(reduced(image), reduced(image.crop((0, 0, 400, 300))))


def pairs_of(images: list[Image.Image], features: np.ndarray | None = None) -> set[tuple[int, int]]:
    found = find_pairs(features, hashes_of(images), images.__getitem__)
    return {(pair.a, pair.b) for pair in found}


def hashes_of(images: list[Image.Image]) -> list[str]:
    hashes = []
    for image in images:
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        hashes.append(inspect(buffer.getvalue()).dhash)
    return hashes


def test_copies_among_diagrams_that_differ_by_a_label() -> None:
    images = [diagram("12"), diagram("13"), jpeg(diagram("12")), diagram("31", seed=7)]
    images += [diagram("13").resize((250, 250)), jpeg(diagram("31", seed=7))]
    assert pairs_of(images) == {(0, 2), (1, 4), (3, 5)}


def test_a_picture_is_opened_a_few_times_however_many_pairs_it_is_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A thousand times here, where pairs are compared as they come."""
    monkeypatch.setattr(near_duplicates, "_PAIRS", 4)
    monkeypatch.setattr(near_duplicates, "_HELD", 32)
    numbers = Random(1).sample([seed for seed in range(40) for _ in range(3)], 120)
    images = [diagram(seed=seed) for seed in numbers]
    opened: Counter[int] = Counter()

    def open_image(row: int) -> Image.Image:
        opened[row] += 1
        return images[row]

    found = [(pair.a, pair.b) for pair in find_pairs(None, hashes_of(images), open_image)]
    assert found == [
        (a, b) for a in range(120) for b in range(a + 1, 120) if numbers[a] == numbers[b]
    ]
    assert opened.total() < 4 * 120


def test_features_propose_what_hashes_miss() -> None:
    # on an even ground, grain too faint to be seen decides the bits of the hash
    grain = np.random.default_rng(0).integers(121, 137, (2, 400, 400, 3), np.uint8)
    scans = [Image.fromarray(np.minimum(np.asarray(diagram()), grey)) for grey in grain]
    alike = np.ones((2, 4), np.float16) / 2
    assert pairs_of(scans) == set()
    assert pairs_of(scans, alike) == {(0, 1)}
    assert pairs_of([diagram(), diagram(seed=3)], alike) == set()  # pixels decide


def test_pictures_of_one_colour_are_nobodys_copies() -> None:
    blank = Image.new("RGB", (100, 100), "white")
    assert pairs_of([blank, blank.copy(), diagram()]) == set()


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)


def test_neighbours_are_those_of_brute_force() -> None:
    rng = np.random.default_rng(0)
    features = unit(rng.normal(size=(300, 6)))
    cosines = features.astype(np.float32) @ features.T.astype(np.float32)
    expected = {(a, b) for a, b in np.argwhere(cosines > 0.8).tolist() if a < b}
    found = {(a, b) for a, b, _ in neighbours(features, k=299, cosine=0.8)}
    assert len(expected) > 10
    assert found == expected
    queries = unit(rng.normal(size=(20, 6)))
    asked = queries.astype(np.float32) @ features.T.astype(np.float32)
    pairs = {(a, b) for a, b, _ in neighbours(features, queries, 300, 0.7)}
    assert pairs == set(map(tuple, np.argwhere(asked >= 0.7).tolist()))
    assert list(neighbours(features[:0])) == []


def test_many_images_are_searched_through_an_index_that_finds_nearly_all() -> None:
    rng = np.random.default_rng(0)
    base = unit(rng.normal(size=(21_000, 32)))  # above 20,000 the search is approximate
    copies = unit(base[:500] + rng.normal(scale=0.02, size=(500, 32)).astype(np.float16))
    found = {(a, b) for a, b, _ in neighbours(np.concatenate([base, copies]), k=4)}
    assert sum((n, 21_000 + n) in found for n in range(500)) >= 495


def test_likeness_is_not_passed_on_along_a_chain() -> None:
    pairs = [Pair(0, 1, None, 1), Pair(1, 2, None, 1), Pair(3, 4, None, 1)]
    # 1 is the best: 0 and 2 go to it; 0 is the best: 1 goes to it and 2, no copy of 0, stays
    assert keep_one(pairs, np.array([1, 0, 2, 4, 3, 5])).tolist() == [1, 1, 1, 4, 4, 5]
    assert keep_one(pairs, np.array([0, 1, 2, 3, 4, 5])).tolist() == [0, 0, 2, 3, 3, 5]


def test_real_diagrams_and_copies_of_them(shared_sources: Path) -> None:
    root = shared_sources / "Geometry3K" / "geometry3k" / "train"
    if not root.is_dir():
        pytest.skip("no sample of Geometry3K")
    by_bytes: dict[str, Image.Image] = {}
    for folder in sorted(root.iterdir(), key=lambda p: int(p.name))[:300]:
        data = (folder / "img_diagram.png").read_bytes()
        by_bytes.setdefault(sha256(data).hexdigest(), open_rgb(data))
    images = list(by_bytes.values())
    copies = [jpeg(image, 60) for image in images[:60]]
    found = pairs_of([*images, *copies])
    planted = {(n, len(images) + n) for n in range(60)}
    assert len(found & planted) >= 59
    # files that differ in bytes alone: the same diagram with another question about it
    assert {(a, b) for a, b in found if b < len(images)} == {
        (a, b)
        for a, one in enumerate(images)
        for b, other in enumerate(images)
        if a < b and one.size == other.size and one.tobytes() == other.tobytes()
    }
