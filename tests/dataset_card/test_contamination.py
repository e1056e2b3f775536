"""The page of hits: every one of them, whatever their texts hold."""

from __future__ import annotations

from pathlib import Path

import pytest

import mathv360k.dataset_card.contamination as page
from mathv360k.builder.benchmarks import read_benchmark
from mathv360k.builder.decontamination import find_hits, open_content
from pools import diagram, encoded, pool_of, question


def test_all_hits_are_told_and_nothing_in_them_is_markup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Bench").mkdir()
    rows = []
    for seed in range(3):
        (tmp_path / "Bench" / f"{seed}.png").write_bytes(encoded(diagram(seed)))
        text = f"<script>alert({seed})</script> & so on"
        rows.append(question(f"q{seed}", encoded(diagram(seed)), text, "4"))
    (tmp_path / "Bench" / "broken.png").write_bytes(b"no image")
    content = open_content(pool_of(tmp_path / "pool", (("One", row) for row in rows)))
    items = read_benchmark(tmp_path / "Bench")
    hits = find_hits(content, items)
    monkeypatch.setattr(page, "SHOWN", 2)
    page.write_contamination(content, items, hits, tmp_path / "hits.html")
    text = (tmp_path / "hits.html").read_text()
    assert text.count("<article>") == 2
    assert text.count("data:image/") == 4
    assert all(hit.id in text for hit in hits)
    assert text.index("image_unreadable: not one of") > text.rindex("<article>")  # hits come first
    assert "<script>" not in text
    assert "&lt;script&gt;alert(0)&lt;/script&gt; &amp; so on" in text
