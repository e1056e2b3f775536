"""A report shows what a dataset holds, in one file, to eyes, keyboards and small screens."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from mathv360k import publishing
from mathv360k.builder.recipe import Recipe
from mathv360k.builder.schema import Kind
from mathv360k.dataset_card import report, report_sample
from mathv360k.errors import FolderError, UsageError
from mathv360k.pipeline import write_dataset
from pools import diagram, encoded, pool_of, question

HOSTILE = "</script><img src=x onerror=\"document.title='broken'\"> {{ 7*7 }} \u2028 &amp;"


@pytest.fixture(scope="session")
def page(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the demo dataset."""
    path, _ = publishing.report(demo, tmp_path_factory.mktemp("report") / "report.html")
    return path


def items(page: Path) -> list[dict[str, Any]]:
    """What the gallery shows."""
    found = re.search(
        r'<script type="application/json" id="data">(.*?)</script>', page.read_text("utf-8")
    )
    assert found
    return json.loads(found.group(1))


def rows(folder: Path, config: str, *columns: str) -> pd.DataFrame:
    paths = sorted((folder / "data" / config).glob("*.parquet"))
    return pd.concat(
        pq.read_table(path, columns=list(columns)).to_pandas().assign(split=path.name.split("-")[0])
        for path in paths
    )


def made(tmp_path: Path, asked: list[Any], **more: Any) -> Path:
    recipe = Recipe(name="test", splits={"train": 1.0})
    write_dataset(recipe, pool_of(tmp_path / "pool", asked), tmp_path / "made", **more)
    return tmp_path / "made"


def test_a_small_dataset_is_shown_whole(demo: Path, page: Path) -> None:
    shown = items(page)
    assert {item["image_id"] for item in shown} == set(rows(demo, "images", "image_id")["image_id"])
    kept = {asked["id"] for item in shown for asked in item["questions"]}
    refused = {asked["id"] for item in shown for asked in item["rejected"]}
    assert kept == set(rows(demo, "questions", "id")["id"])
    assert refused == set(rows(demo, "rejected", "id")["id"]) != set()


def test_a_question_says_what_its_row_says(demo: Path, page: Path) -> None:
    wanted = rows(demo, "questions", "id", "image_id", "question", "answer", "kind", "agreement")
    wanted = wanted.set_index("id")
    for item in items(page):
        assert item["picture"].startswith("data:image/webp;base64,")
        for asked in item["questions"]:
            row = wanted.loc[asked["id"]]
            told = (item["image_id"], item["split"], asked["question"], asked["answer"])
            assert told == (row["image_id"], row["split"], row["question"], row["answer"])
            assert asked["kind"] == row["kind"]
            assert asked.get("agreement", -1) == pytest.approx(
                -1 if pd.isna(row["agreement"]) else row["agreement"], abs=1e-3
            )


class References(HTMLParser):
    """What a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [str(value) for name, value in attrs if name in ("src", "href", "action")]


def test_it_refers_to_nothing_outside(page: Path) -> None:
    parser = References()
    parser.feed(page.read_text("utf-8"))
    assert parser.found
    assert all(one.startswith(("data:image/png;base64,", "#")) for one in parser.found)
    assert "url(" not in page.read_text("utf-8").partition("</style>")[0]


def test_the_same_dataset_and_seed_have_the_same_report(demo: Path, page: Path) -> None:
    again, _ = publishing.report(demo, page.with_name("again.html"))
    assert again.read_bytes() == page.read_bytes()


class TestSample:
    def images(self, counts: dict[tuple[str, int], int]) -> pd.DataFrame:
        facts = [key for key, n in counts.items() for _ in range(n)]
        return pd.DataFrame(
            {
                "image_id": [f"{place:064x}" for place in range(len(facts))],
                "source": pd.Categorical([source for source, _ in facts]),
                "task": pd.Categorical(["GPS"] * len(facts)),
                "complexity": [float(level) for _, level in facts],
            }
        )

    def test_shows_each_stratum_alike(self) -> None:
        images = self.images({("a", 0): 500, ("a", 3): 2, ("b", 1): 20})
        first = report_sample.choose(images, set(), set(), 0).head(12)
        assert first["source"].value_counts().to_dict() == {"a": 7, "b": 5}
        assert (first["complexity"] == 3).sum() == 2

    def test_shows_what_was_rejected_or_is_contaminated_first(self) -> None:
        images = self.images({("a", 0): 500})
        first = report_sample.choose(images, {f"{77:064x}"}, {f"{88:064x}"}, 0).head(3)
        assert {f"{77:064x}", f"{88:064x}"} <= set(first["image_id"])

    def test_is_of_images_without_scores_too(self) -> None:
        images = self.images({("a", 0): 50}).assign(complexity=float("nan"))
        assert len(report_sample.choose(images, set(), set(), 0)) == 50

    def test_is_another_for_another_seed(self) -> None:
        images = self.images({("a", 0): 500})
        one, same, other = (
            list(report_sample.choose(images, set(), set(), seed).head(20)["image_id"])
            for seed in (0, 0, 1)
        )
        assert one == same != other

    def test_is_no_larger_than_it_may_be(
        self, demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(report_sample, "IMAGES", 30)
        path, shown = publishing.report(demo, tmp_path / "few.html")
        assert len(items(path)) == 30
        assert shown == sum(len(i["questions"]) + len(i["rejected"]) for i in items(path))
        monkeypatch.setattr(report, "LARGEST", 100_000)
        path, _ = publishing.report(demo, tmp_path / "light.html")
        assert 0 < len(items(path)) < 30
        assert len(json.dumps(items(path), separators=(",", ":"))) <= 100_000
        assert items(path) == items(tmp_path / "few.html")[: len(items(path))]

    def test_cuts_long_texts_and_long_lists_of_questions(self, tmp_path: Path) -> None:
        picture = encoded(diagram(1))
        asked = [
            ("GEOS", question("a.png", picture, f"{n}: " + "x" * 5_000, "1")) for n in range(100)
        ]
        path, _ = publishing.report(made(tmp_path, asked))
        (item,) = items(path)
        assert len(item["questions"]) == 60 and item["more"] == 40
        assert {len(one["question"]) for one in item["questions"]} == {1_501}


class TestWriting:
    def test_without_a_name_it_is_beside_the_folder(self, demo: Path, tmp_path: Path) -> None:
        folder = Path(shutil.copytree(demo, tmp_path / "mathv360k"))
        run = [sys.executable, "-P", "-m", "mathv360k", "report", str(folder), "--json"]
        done = subprocess.run(run, capture_output=True, text=True, check=True)
        told = json.loads(done.stdout)
        path = tmp_path / "mathv360k.report.html"
        asked = len(rows(demo, "questions", "id")) + len(rows(demo, "rejected", "id"))
        assert told == {"report": str(path), "questions": asked, "bytes": path.stat().st_size}
        assert [p.name for p in tmp_path.iterdir()] == ["mathv360k", path.name] or sorted(
            p.name for p in tmp_path.iterdir()
        ) == ["mathv360k", path.name]
        assert publishing.verify_dataset(folder)["ok"]

    def test_never_into_the_dataset(self, demo: Path) -> None:
        with pytest.raises(UsageError, match="name a place outside"):
            publishing.report(demo, demo / "report.html")

    def test_only_into_a_folder(self, demo: Path, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="is not a folder"):
            publishing.report(demo, tmp_path / "missing" / "report.html")

    def test_only_of_a_dataset(self, tmp_path: Path) -> None:
        with pytest.raises(FolderError, match="is not a finished dataset"):
            publishing.report(tmp_path / "nothing", tmp_path / "report.html")

    def test_images_that_are_left_out_or_broken_have_no_picture(self, tmp_path: Path) -> None:
        asked = [
            ("GEOS", question("a.png", encoded(diagram(1)), "How long is AB?", "3")),
            ("FigureQA", question("b.png", encoded(diagram(2)), "Is red the least?", "No")),
        ]
        path, shown = publishing.report(made(tmp_path, asked, withheld=["GEOS"]))
        assert shown == 2
        assert {item["source"]: "picture" in item for item in items(path)} == {
            "GEOS": False,
            "FigureQA": True,
        }


# ---- in a browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Headless Chromium."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
    if path is None:
        pytest.skip("there is no Chromium on this machine")
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def tab(browser: Any) -> Iterator[Any]:
    """A page in which no error may occur and from which nothing may be fetched."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    context.set_default_timeout(5_000)
    opened = context.new_page()
    said: list[str] = []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on(
        "request",
        lambda r: None if r.url.startswith(("file:", "data:")) else said.append(r.url),
    )
    yield opened
    context.close()
    assert said == []


def found(tab: Any) -> tuple[int, int]:
    """Numbers of questions and images that the page says it found."""
    numbers = re.findall(r"[\d,]+", tab.locator("#found").inner_text())
    return tuple(int(number.replace(",", "")) for number in numbers)  # pyright: ignore


def field(tab: Any, name: str) -> Any:
    """A field of the filters."""
    return tab.get_by_label(name, exact=True)


class TestInABrowser:
    @pytest.mark.parametrize(
        ("name", "column", "config"),
        [
            ("task", "task", "questions"),
            ("source", "source", "questions"),
            ("kind", "kind", "questions"),
            ("complexity", "complexity", "questions"),
            ("split", "split", "questions"),
            ("question type", "question_type", "questions"),
            ("answer type", "answer_type", "questions"),
        ],
    )
    def test_a_filter_shows_the_right_rows(
        self, tab: Any, demo: Path, page: Path, name: str, column: str, config: str
    ) -> None:
        tab.goto(page.as_uri())
        there = rows(demo, config, *{"image_id", column} - {"split"})
        field(tab, "status").select_option("kept")
        for value in there[column].dropna().unique():
            field(tab, name).select_option(str(value))
            mine = there[there[column] == value]
            assert found(tab) == (len(mine), mine["image_id"].nunique()), value

    def test_filters_combine_and_shown_are_those_questions_alone(
        self, tab: Any, demo: Path, page: Path
    ) -> None:
        tab.goto(page.as_uri())
        field(tab, "task").select_option("GPS")
        field(tab, "kind").select_option("complex")
        field(tab, "status").select_option("kept")
        there = rows(demo, "questions", "image_id", "task", "kind", "question")
        mine = there[(there["task"] == "GPS") & (there["kind"] == "complex")]
        assert found(tab) == (len(mine), mine["image_id"].nunique())
        shown = tab.locator("article .ask").all_inner_texts()
        assert 0 < len(shown) <= len(mine)
        assert set(shown) <= set(mine["question"])
        told = tab.locator("article > div:first-child").all_inner_texts()
        assert all("drawn · GPS" in text for text in told)

    def test_words_are_looked_for(self, tab: Any, demo: Path, page: Path) -> None:
        tab.goto(page.as_uri())
        field(tab, "words").fill("PARALLELOGRAM")
        tab.keyboard.press("Enter")
        there = rows(demo, "questions", "question", "id", "answer", "choices")
        refused = rows(demo, "rejected", "question", "id", "answer", "choices")
        hits = [
            row.id
            for row in pd.concat([there, refused]).itertuples()
            if "parallelogram" in f"{row.question}{row.id}{row.answer}{row.choices}".lower()
        ]
        assert found(tab)[0] == len(hits) > 0

    def test_rejected_rows_say_why(self, tab: Any, demo: Path, page: Path) -> None:
        refused = rows(demo, "rejected", "reason", "detail")
        reason = refused["reason"].iloc[0]
        tab.goto(page.as_uri())
        tab.get_by_role("link", name=reason, exact=True).first.click()
        assert field(tab, "reason").input_value() == reason
        mine = refused[refused["reason"] == reason]
        assert found(tab)[0] == len(mine)
        texts = tab.locator("article .reason").all_inner_texts()
        assert texts
        details = set(mine["detail"])
        assert all(text.removeprefix(f"rejected: {reason}: ") in details for text in texts)

    def test_a_view_is_in_the_address(self, tab: Any, page: Path) -> None:
        tab.goto(page.as_uri())
        everything = found(tab)
        field(tab, "task").select_option("VQA")
        some, address = found(tab), tab.url
        tab.get_by_role("button", name="Next").click()
        assert tab.locator("#pages span").inner_text().startswith("Page 2 of ")
        assert tab.evaluate("document.activeElement.id") == "gallery"
        tab.go_back()
        assert tab.locator("#pages span").inner_text().startswith("Page 1 of ")
        tab.get_by_role("button", name="Show all").click()
        assert found(tab) == everything != some
        tab.goto("about:blank")
        tab.goto(address)
        assert found(tab) == some
        assert field(tab, "task").input_value() == "VQA"

    @pytest.mark.parametrize("hash", ["#?page=99999", "#?page=x", "#?task=none", "#?a=%zz", "#x"])
    def test_a_strange_address_does_no_harm(self, tab: Any, page: Path, hash: str) -> None:
        tab.goto(page.as_uri() + hash)
        assert len(found(tab)) == 2

    def test_tables_are_sorted_by_the_keyboard(self, tab: Any, demo: Path, page: Path) -> None:
        tab.goto(page.as_uri())
        table = tab.locator("table", has_text="Kinds of questions")
        head = table.get_by_role("columnheader", name="questions")
        counts = rows(demo, "questions", "kind")["kind"].value_counts()
        for order, ascending in (("descending", False), ("ascending", True)):
            head.get_by_role("button").focus()
            tab.keyboard.press("Enter")
            assert head.get_attribute("aria-sort") == order
            cells = table.locator("tbody tr td:nth-child(2)").all_inner_texts()
            numbers = [int(cell.replace(",", "")) for cell in cells]
            assert numbers == sorted(counts, reverse=not ascending)
        table.get_by_role("columnheader", name="kind").get_by_role("button").click()
        assert head.get_attribute("aria-sort") is None
        names = table.locator("tbody tr td:nth-child(1)").all_inner_texts()
        assert names == sorted(names)

    def test_the_keyboard_reaches_the_filters_first(self, tab: Any, page: Path) -> None:
        tab.goto(page.as_uri())
        tab.keyboard.press("Tab")
        assert tab.evaluate("document.activeElement.textContent") == "Skip to the gallery"
        tab.keyboard.press("Enter")
        tab.keyboard.press("Tab")
        assert tab.evaluate("document.activeElement.name") == "split"
        before = found(tab)
        tab.keyboard.press("ArrowDown")
        tab.keyboard.press("Tab")
        assert found(tab) != before

    def test_everything_that_is_used_has_a_name(self, tab: Any, page: Path) -> None:
        tab.goto(page.as_uri())
        for role in ("combobox", "searchbox", "button", "link", "region", "img"):
            for one in tab.get_by_role(role).all()[:80]:
                name = one.get_attribute("aria-label") or one.get_attribute("alt")
                label = one.evaluate("e => e.labels?.[0]?.textContent ?? e.textContent")
                assert name or label.strip(), (role, one)

    @pytest.mark.parametrize("width", [320, 360, 768])
    def test_it_fits_a_phone(self, browser: Any, page: Path, width: int) -> None:
        context = browser.new_context(viewport={"width": width, "height": 700})
        opened = context.new_page()
        opened.goto(page.as_uri())
        assert opened.evaluate("document.documentElement.scrollWidth") <= width
        context.close()

    def test_it_is_dark_where_one_wants_it(self, browser: Any, page: Path) -> None:
        lightness = {}
        for scheme in ("light", "dark"):
            context = browser.new_context(color_scheme=scheme)
            opened = context.new_page()
            opened.goto(page.as_uri())
            picture = opened.screenshot(clip={"x": 2, "y": 2, "width": 1, "height": 1})
            text = opened.evaluate("getComputedStyle(document.body).color")
            ink = sum(map(int, re.findall(r"\d+", text)[:3]))
            lightness[scheme] = (pixel(picture), ink)
            context.close()
        assert lightness["light"][0] > 700 > lightness["light"][1]
        assert lightness["dark"][0] < 200 < lightness["dark"][1]

    def test_what_was_read_is_text_and_nothing_else(self, tab: Any, tmp_path: Path) -> None:
        asked = [
            (
                HOSTILE,
                question(
                    f"{HOSTILE}.png".replace("/", ":"), encoded(diagram(1)), HOSTILE, HOSTILE,
                    choices=[HOSTILE, "x"], rationale=HOSTILE, context=HOSTILE, unit=HOSTILE,
                ),
            ),
            (HOSTILE, question("b.png", encoded(diagram(2)), "Why?", HOSTILE, kind=Kind.ASK_IMAGE)),
        ]  # fmt: skip
        path, shown = publishing.report(made(tmp_path, asked))
        assert shown == 2
        tab.goto(path.as_uri())
        assert tab.title() == "MathV360K: test 1.0.0"
        assert HOSTILE.replace("\u2028", "").split()[0] in tab.locator("article").first.inner_text()
        assert tab.locator("article img").count() == 2  # the pictures themselves
        assert tab.locator("img[src=x]").count() == 0
        assert "{{ 7*7 }}" in tab.locator("article").first.inner_text()
        field(tab, "source").select_option(index=1)
        assert found(tab) == (2, 2)


def pixel(png: bytes) -> int:
    """The sum of red, green and blue of a picture's first pixel."""
    import io

    from PIL import Image

    return sum(Image.open(io.BytesIO(png)).convert("RGB").getpixel((0, 0)))  # pyright: ignore
