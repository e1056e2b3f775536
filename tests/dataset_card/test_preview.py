"""The preview: one HTML file in which a person sees how a source is read."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image

from mathv360k.builder.sources import SOURCES
from mathv360k.builder.sources.source import ReadOptions
from mathv360k.dataset_card.preview import write_preview
from mathv360k.errors import SourceError
from source_reading import png, write

EVIL = '<script>alert("x")</script>'


class Page(HTMLParser):
    """Texts, and addresses that a browser would fetch."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: list[str] = []
        self.sources: list[str] = []
        self.answers: list[str] = []
        self._answer = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._answer = dict(attrs).get("class") == "answer"
        self.sources += [value or "" for name, value in attrs if name in ("src", "href")]

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append(data.strip())
            if self._answer:
                self.answers.append(data.strip())
            self._answer = False


@pytest.fixture
def scienceqa(tmp_path: Path) -> Path:
    base = {"answer": 1, "choices": ["ice", EVIL], "split": "train", "image": "image.png"}
    problems = {str(n): {**base, "question": f"{EVIL} {n}?"} for n in range(5)}
    problems["9"] = {**base, "question": "Too far?", "answer": 7}
    folder = tmp_path / "ScienceQA" / "data" / "scienceqa"
    write(folder / "problems.json", problems)
    for number in range(4):
        write(folder / "images" / "train" / str(number) / "image.png", png(number, (900, 300)))
    return tmp_path


def test_pictures_questions_answers_and_what_is_refused(scienceqa: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.html"
    assert write_preview(SOURCES["ScienceQA"], scienceqa, out, ReadOptions()) == 4
    page = Page(out.read_text(encoding="utf-8"))
    assert "script" not in page.tags
    assert [text for text in page.texts if text == f"{EVIL} 3?"]
    assert page.answers == [EVIL] * 4  # the second choice, escaped
    assert any("answer 7 is not the position of one of 2 choices" in text for text in page.texts)
    assert any("'data/scienceqa/images/train/4/image.png' does not exist" in t for t in page.texts)


def test_nothing_is_fetched_and_pictures_are_small(scienceqa: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.html"
    write_preview(SOURCES["ScienceQA"], scienceqa, out, ReadOptions())
    page = Page(out.read_text(encoding="utf-8"))
    assert len(page.sources) == 4
    for source in page.sources:
        kind, data = source.split(",", 1)
        assert kind == "data:image/webp;base64"
        with Image.open(io.BytesIO(base64.b64decode(data))) as image:
            assert image.size == (480, 160)
    assert "default-src 'none'" in out.read_text(encoding="utf-8")


def test_a_limit_counts_pictures(scienceqa: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.html"
    assert write_preview(SOURCES["ScienceQA"], scienceqa, out, ReadOptions(limit=2)) == 2
    assert len(re.findall("<article>", out.read_text(encoding="utf-8"))) == 2


def test_a_missing_source_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"GEOS does not exist; Take"):
        write_preview(SOURCES["GEOS"], tmp_path, tmp_path / "out.html", ReadOptions())


@pytest.mark.parametrize("name", ["GEOS", "ChartQA", "VQA2.0", "VQA-RAD", "Geometry3K"])
def test_real_sources(shared_sources: Path, tmp_path: Path, name: str) -> None:
    out = tmp_path / "out.html"
    assert write_preview(SOURCES[name], shared_sources, out, ReadOptions(limit=8)) == 8
    page = Page(out.read_text(encoding="utf-8"))
    assert len(page.sources) == 8
    assert len(page.answers) >= 8
