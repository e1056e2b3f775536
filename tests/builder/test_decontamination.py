"""What a pool shares with a benchmark: the file, the picture, the words, each with its evidence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mathv360k.builder.benchmarks import Item, read_benchmark, write_hashes
from mathv360k.builder.clip import Clip
from mathv360k.builder.decontamination import Hit, find_hits, open_content, summaries
from mathv360k.builder.features import FeatureCache
from mathv360k.errors import FolderError, UsageError
from pools import diagram, encoded, pool_of, question
from tiny_models import write_clip

STORY = "A train leaves the station at noon and travels sixty miles in every hour until the evening"


@pytest.fixture
def benchmark(tmp_path: Path) -> Path:
    """Three diagrams and a question in words."""
    folder = tmp_path / "Bench"
    folder.mkdir()
    for seed in range(3):
        (folder / f"{seed}.png").write_bytes(encoded(diagram(seed)))
    (folder / "rows.json").write_text(
        json.dumps([{"pid": "s", "question": STORY, "answer": "360"}])
    )
    return folder


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    rows = [
        question("same", encoded(diagram(0)), "Find x.", "4"),
        question(
            "copy", encoded(diagram(1).resize((420, 420)), "JPEG", quality=60), "Find y.", "5"
        ),
        question("label", encoded(diagram(2, label="8")), "Find z.", "6"),
        question("other", encoded(diagram(50)), "Find w.", "7"),
        question("words", encoded(diagram(51)), f"{STORY}. How far?", "360"),
        question("numbers", encoded(diagram(52)), f"{STORY}. How far?", "420"),
    ]
    return pool_of(tmp_path / "pool", (("One", row) for row in rows))


def found(hits: list[Hit]) -> dict[str, tuple[str, str]]:
    return {hit.id.split("#")[0]: (hit.benchmark_id, hit.evidence) for hit in hits}


EXPECTED = {
    "One/same": ("0.png", "image_bytes"),
    "One/copy": ("1.png", "image"),
    "One/words": ("s", "text"),
}


def test_the_file_the_picture_and_the_words_are_found(pool: Path, benchmark: Path) -> None:
    hits = find_hits(open_content(pool), read_benchmark(benchmark))
    assert found(hits) == EXPECTED
    by_id = summaries(hits)
    assert by_id["One/copy#original-0"] == "Bench:1.png (image)"
    assert len(by_id) == 3


def test_features_may_propose_and_pixels_still_decide(
    pool: Path, benchmark: Path, tmp_path: Path
) -> None:
    clip = Clip(str(write_clip(tmp_path / "model")))  # untrained: proposes anything
    cache = FeatureCache(tmp_path / "cache", clip.key)
    hits = find_hits(open_content(pool), read_benchmark(benchmark), (clip, cache))
    assert found(hits) == EXPECTED
    assert len(cache.known()) == 6 + 3 - 1


def test_a_hash_list_finds_the_file_and_words_and_close_pictures(
    pool: Path, benchmark: Path, tmp_path: Path
) -> None:
    write_hashes(read_benchmark(benchmark), tmp_path / "Bench.parquet")
    hits = found(find_hits(open_content(pool), read_benchmark(tmp_path / "Bench.parquet")))
    assert hits["One/same"] == ("0.png", "image_bytes")
    assert hits["One/copy"] == ("1.png", "image_hash")
    assert hits["One/words"] == ("s", "text")
    assert "One/other" not in hits
    assert "One/numbers" not in hits


def test_image_and_words_of_the_same_item_are_one_hit(tmp_path: Path) -> None:
    (tmp_path / "B").mkdir()
    (tmp_path / "B" / "1.png").write_bytes(encoded(diagram(3)))
    row = {"id": "q", "question": STORY, "answer": "360", "image": "1.png"}
    (tmp_path / "B" / "rows.json").write_text(json.dumps([row]))
    rows = [question("a", encoded(diagram(3)), STORY, "360")]
    pool = pool_of(tmp_path / "pool", [("One", rows[0])])
    (hit,) = find_hits(open_content(pool), read_benchmark(tmp_path / "B"))
    assert (hit.benchmark_id, hit.evidence) == ("q", "image_bytes+text")
    assert "the same file" in hit.detail
    assert "100%" in hit.detail


def test_nothing_to_compare_with_is_an_error(pool: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no benchmark to compare with"):
        find_hits(open_content(pool), [])
    with pytest.raises(FolderError, match="neither a finished dataset nor a pool"):
        open_content(tmp_path)


def test_mathvista_texts_are_not_found_among_others(tmp_path: Path) -> None:
    """Real benchmark texts against questions that have nothing to do with them."""
    annotations = Path(__file__).parents[3] / "shared/data/eval/annotations"
    if not annotations.is_dir():
        pytest.skip("the shared annotations of benchmarks are not on this machine")
    items = read_benchmark(annotations / "mathvista_testmini.json")
    assert len(items) == 1000
    mine: list[Item] = [i for i in items if len(i.question) > 100][:20]
    rows: list[Any] = [
        question(f"m{n}", encoded(diagram(n)), item.question, item.answer, choices=item.choices)
        for n, item in enumerate(mine)
        if item.answer and (not item.choices or item.answer in item.choices)
    ]
    rows += [
        question(f"o{n}", encoded(diagram(100 + n)), f"How many corners has shape number {n}?", "4")
        for n in range(20)
    ]
    pool = pool_of(tmp_path / "pool", (("One", row) for row in rows))
    hits = find_hits(open_content(pool), items)
    names = {hit.id.split("/")[1][0] for hit in hits}
    assert names == {"m"}
    assert len({hit.id for hit in hits}) == sum(row.image.startswith("m") for row in rows)
