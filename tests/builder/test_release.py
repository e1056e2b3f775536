"""The released MathV360K, row by row and as a whole."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mathv360k.builder.pool import read_questions, write_pool
from mathv360k.builder.release import ORIGINALS, open_release, parse_answer, parse_question
from mathv360k.builder.schema import Reason, Unusable
from mathv360k.builder.sources.source import Candidate, Rejection
from mathv360k.errors import MathV360KError, SourceError
from release_file import (
    FINAL_HINT,
    INTEGER_HINT,
    LETTER_HINT,
    ReleaseFile,
    png,
    small_pictures,
    write_release,
)


class TestQuestions:
    def test_hint_question_and_choices(self) -> None:
        asked = parse_question(
            f"<image>\n{LETTER_HINT}\nQuestion: Is the sum of the two smallest bars greater than "
            "the largest?\nChoices:\n(A) Yes\n(B) No"
        )
        assert asked.hint == LETTER_HINT.removeprefix("Hint: ")
        assert asked.question == ("Is the sum of the two smallest bars greater than the largest?")
        assert asked.choices == ("Yes", "No")

    @pytest.mark.parametrize(
        ("text", "question", "unit"),
        [
            ("<image>\nQuestion: How much? (Unit: $)", "How much?", "$"),
            ("Question: How far? (unit: miles per hour )\n<image>", "How far?", "miles per hour"),
            ("<image>\r\nHow many (in all)?", "How many (in all)?", None),
            (f"{FINAL_HINT}\nQuestion: What is\nthe title?", "What is\nthe title?", None),
        ],
    )
    def test_question_and_unit(self, text: str, question: str, unit: str | None) -> None:
        asked = parse_question(text)
        assert (asked.question, asked.unit, asked.choices) == (question, unit, ())

    @pytest.mark.parametrize(
        ("listed", "choices"),
        [
            ("(A) 1\n(B) 2\n(C) 3", ("1", "2", "3")),
            ("(A) 1 (B) 2", ("1", "2")),
            ("(A) see (C)\n(B) f(A) = 3", ("see (C)", "f(A) = 3")),
            ("(A) \\frac{1}{2}\n(B) a\nb", ("\\frac{1}{2}", "a\nb")),
        ],
    )
    def test_choices(self, listed: str, choices: tuple[str, ...]) -> None:
        assert parse_question(f"Question: Which?\nChoices:\n{listed}").choices == choices

    @pytest.mark.parametrize("text", ["", "<image>", "Question: ", "Question:\nChoices:\n(A) 1"])
    def test_no_question(self, text: str) -> None:
        with pytest.raises(Unusable) as caught:
            parse_question(text)
        assert caught.value.reason == Reason.NO_QUESTION

    def test_choices_that_are_none(self) -> None:
        with pytest.raises(Unusable) as caught:
            parse_question("Question: Which?\nChoices:\nnone")
        assert caught.value.reason == Reason.MALFORMED_ROW


class TestAnswers:
    @pytest.mark.parametrize(
        ("text", "answer"),
        [
            ("The answer is 145", "145"),
            ("The answer is 145.", "145"),
            ("The answer is 3.5.", "3.5"),
            ("the answer is: Yes。", "Yes"),
            ("2:10 P.M.", "2:10 P.M."),
            ("The answer is not shown.", "not shown"),
            ("Answerphone", "Answerphone"),
        ],
    )
    def test_text(self, text: str, answer: str) -> None:
        assert parse_answer(text, ()) == (answer, None)

    @pytest.mark.parametrize(
        ("text", "answer", "place"),
        [
            ("The answer is B", "20", 1),
            ("The answer is (B).", "20", 1),
            ("The answer is B. 20", "20", 1),
            ("b", "20", 1),
            ("The answer is 30", "30", 2),
            ("The answer is D", "at 2 P.M.", 3),
            ("The answer is At 2 p.m.", "at 2 P.M.", 3),
        ],
    )
    def test_choice(self, text: str, answer: str, place: int) -> None:
        assert parse_answer(text, ("10", "20", "30", "at 2 P.M.")) == (answer, place)

    def test_a_letter_counts_as_a_letter_even_where_choices_are_letters(self) -> None:
        assert parse_answer("The answer is A", ("C", "B", "A")) == ("C", 0)

    @pytest.mark.parametrize("text", ["The answer is E", "The answer is B. 30", "The answer is 99"])
    def test_no_such_choice(self, text: str) -> None:
        with pytest.raises(Unusable) as caught:
            parse_answer(text, ("10", "20", "30"))
        assert caught.value.reason == Reason.ANSWER_NOT_AMONG_CHOICES

    def test_empty(self) -> None:
        with pytest.raises(Unusable) as caught:
            parse_answer("The answer is ", ())
        assert caught.value.reason == Reason.NO_ANSWER


fragments = st.sampled_from(
    [
        "<image>",
        "Hint:",
        "Question:",
        "Choices:",
        "(A)",
        "(B)",
        "A.",
        "(Unit: $)",
        "The answer is",
        "\n",
        " ",
        "x",
        ".",
    ]
)


@given(
    st.text(max_size=80) | st.lists(fragments).map("".join),
    st.lists(st.text(max_size=5), max_size=4),
)
def test_any_text_is_parsed_or_refused(text: str, choices: list[str]) -> None:
    for parse in (lambda: parse_question(text), lambda: parse_answer(text, tuple(choices))):
        try:
            parse()
        except Unusable:
            continue


def rows(tmp_path: Path, *content: Any) -> list[Candidate | Rejection]:
    annotations = tmp_path / "rows.json"
    annotations.write_text(json.dumps(content, indent=1))
    images = tmp_path / "data_images" / "TabMWP" / "images"
    images.mkdir(parents=True, exist_ok=True)
    with open_release(annotations, tmp_path / "data_images") as feed:
        return [row for _, row in feed.rows]


def released(number: int, human: str, gpt: str, image: str = "TabMWP/images/1.png") -> Any:
    turns = [{"from": "human", "value": human}, {"from": "gpt", "value": gpt}]
    return {"id": f"identity_{number}", "image": image, "conversations": turns}


CHOICES = "\nChoices:\n(A) 30\n(B) 40\n(C) 50"
ASKED = "Question: What is the size of the angle at the corner B in the figure?" + CHOICES


LONGER = (
    "Question: What is the size of the angle at the corner B in the figure if the side next to the "
    "corner is made longer?" + CHOICES
)


def test_kinds_are_stated_where_they_can_be_told(tmp_path: Path) -> None:
    late = ORIGINALS
    read = rows(
        tmp_path,
        released(0, ASKED, "The answer is B"),
        released(late, "Question: Angle at B?" + CHOICES, "The answer is B"),
        released(late + 1, ASKED.replace("What is", "Give"), "The answer is B"),
        released(late + 2, LONGER, "The answer is B"),
        released(late + 3, "Question: How large is C?" + CHOICES, "The answer is C"),
        released(late + 4, "Question: How large is C?", "The answer is 50"),
    )
    told = [(row.kind, row.parent) for row in read if isinstance(row, Candidate)]
    assert told == [
        ("original", None),
        ("simplify", 0),
        ("rephrase", 0),
        ("synthetic", 0),
        ("synthetic", None),
        ("synthetic", None),
    ]


def test_the_hint_gives_the_form_of_the_answer(tmp_path: Path) -> None:
    decimal = "Hint: Please answer the question requiring a floating-point number with two decimal places and provide the final value, e.g., 1.23, 1.34, at the end."  # noqa: E501
    read = rows(
        tmp_path,
        released(0, f"{INTEGER_HINT}\nQuestion: How many?", "The answer is 7"),
        released(1, f"{decimal}\nQuestion: How long?", "The answer is 7"),
        released(2, f"{FINAL_HINT}\nQuestion: How long in cm?", "The answer is 7.5"),
        released(3, f"{FINAL_HINT}\nQuestion: Is it?", "The answer is yes"),
    )
    forms = [(row.answer_type, row.precision) for row in read if isinstance(row, Candidate)]
    assert forms == [("integer", None), ("float", 2), ("float", 1), ("yes_no", None)]


def test_malformed_rows_say_where_they_stand(tmp_path: Path) -> None:
    read = rows(
        tmp_path,
        released(0, "Question: Fine?", "The answer is Yes"),
        "not a row",
        {"id": 3, "image": "TabMWP/images/1.png"},
        released(0, "Question: Same id?", "The answer is Yes"),
        released(4, "Question: Out?", "The answer is 1", "../../secret.png"),
        released(5, "Question: Whose?", "The answer is 1", "KVQA/images/1.png"),
        released(6, "Question: Whose?", "The answer is 1", "TabMWP"),
        {**released(7, "Question: ?", "1"), "conversations": [{"from": "gpt", "value": "x"}] * 2},
    )
    rejections = [row for row in read if isinstance(row, Rejection)]
    assert [r.reason for r in rejections] == [
        "malformed_row",
        "malformed_row",
        "duplicate_id",
        "unsafe_path",
        "unknown_source",
        "unknown_source",
        "malformed_row",
    ]
    lines = (tmp_path / "rows.json").read_text().splitlines()
    assert rejections[0].row == "rows.json: line 16"
    assert lines[15].strip() == '"not a row",'


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> ReleaseFile:
    return write_release(tmp_path_factory.mktemp("release"), small_pictures(60), 6000)


@pytest.mark.parametrize("unpacked", [None, "data_images", "MathV-360k", "bare"])
def test_a_release_gives_what_its_maker_says(
    release: ReleaseFile, unpacked: str | None, tmp_path: Path
) -> None:
    images = release.images
    rejected = dict(release.rejected)
    if unpacked:
        with zipfile.ZipFile(images) as archive:
            names = [n for n in archive.namelist() if not n.startswith("..")]
            archive.extractall(tmp_path, names)
        images = tmp_path / "data_images"
        if unpacked == "MathV-360k":
            images = images.rename(tmp_path / "MathV-360k")
        if unpacked != "bare":
            images = tmp_path
        rejected["unsafe_path"] -= 1  # the zip's own unsafe member
    out = tmp_path / "pool"
    with open_release(release.annotations, images) as feed:
        write_pool([feed], out, {})
    questions = read_questions(out, ["source", "kind"]).to_pylist()
    assert Counter((q["source"], q["kind"]) for q in questions) == release.accepted
    quarantine = pq.read_table(out / "quarantine.parquet").to_pylist()
    assert Counter(row["reason"] for row in quarantine) == rejected
    assert pq.read_metadata(out / "images.parquet").num_rows == 60


def test_images_in_a_zip_are_read_with_limits(tmp_path: Path) -> None:
    rows = [released(i, f"Question: {i}?", "1", f"TabMWP/images/{i}.png") for i in range(4)]
    (tmp_path / "rows.json").write_text(json.dumps(rows))
    with zipfile.ZipFile(tmp_path / "images.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data_images/TabMWP/images/0.png", png(0))
        archive.writestr("data_images/TabMWP/images/1.png", bytes(2**26))  # a zip bomb
        archive.writestr("data_images/TabMWP/images/2.png", png(2))
    data = bytearray((tmp_path / "images.zip").read_bytes())
    with zipfile.ZipFile(tmp_path / "images.zip") as archive:
        damaged = archive.getinfo("data_images/TabMWP/images/2.png")
    data[damaged.header_offset + 30 + len(damaged.filename) + 200] ^= 0xFF
    (tmp_path / "images.zip").write_bytes(data)
    with open_release(tmp_path / "rows.json", tmp_path / "images.zip") as feed:
        write_pool([feed], tmp_path / "pool", {})
    quarantine = pq.read_table(tmp_path / "pool" / "quarantine.parquet").to_pylist()
    assert {(row["image"], row["reason"]) for row in quarantine} == {
        ("TabMWP/images/1.png", "image_too_large"),
        ("TabMWP/images/2.png", "image_unreadable"),
        ("TabMWP/images/3.png", "image_missing"),
    }


def test_a_zip_with_odd_members_is_read_all_the_same(tmp_path: Path) -> None:
    names = ["./", ".", "../out.png", "/abs.png", "C:/drive.png", "a/../../b.png"]
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), png(9))
        archive.writestr("data_images/TabMWP/images/1.png", png(1))
    odd = [released(i, f"Question: {i}?", "1", name) for i, name in enumerate([".", "./", ""])]
    odd.append(released(7, "Question: \ud800?", "1"))
    (tmp_path / "rows.json").write_text(json.dumps([*odd, released(9, "Question: ?", "1")]))
    with open_release(tmp_path / "rows.json", tmp_path / "images.zip") as feed:
        write_pool([feed], tmp_path / "pool", {})
    assert len(read_questions(tmp_path / "pool", ["id"])) == 1
    quarantine = pq.read_table(tmp_path / "pool" / "quarantine.parquet").to_pylist()
    assert Counter(row["reason"] for row in quarantine) == {"unsafe_path": 9, "malformed_row": 1}


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
@given(data=st.data())
def test_a_damaged_zip_never_crashes(method: int, data: st.DataObject) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("TabMWP/images/1.png", png(1))
    damaged = bytearray(buffer.getvalue())
    for place in data.draw(st.lists(st.integers(0, len(damaged) - 1), min_size=1, max_size=3)):
        damaged[place] ^= data.draw(st.integers(1, 255))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "rows.json").write_text(json.dumps([released(1, "Question: ?", "1")]))
        (Path(folder) / "images.zip").write_bytes(damaged)
        try:
            with open_release(Path(folder) / "rows.json", Path(folder) / "images.zip") as feed:
                for _, row in feed.rows:
                    if isinstance(row, Candidate):
                        with suppress(Unusable):
                            row.load()
        except SourceError as error:
            assert "not a readable zip" in str(error)  # noqa: PT017


@pytest.mark.parametrize(
    ("annotations", "images", "said"),
    [
        ("nowhere.json", "images.zip", "nowhere.json does not exist"),
        ("rows.json", "nowhere", "nowhere does not exist"),
        ("rows.json", "rows.json", "not a readable zip"),
        ("rows.json", "empty", "holds no folder of a source"),
        ("object.json", "images.zip", "not the released list"),
        ("broken.json", "images.zip", "broken.json, line 3"),
    ],
)
def test_what_is_wrong_as_a_whole(annotations: str, images: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    row = json.dumps(released(0, "Question: ?", "1"))
    (tmp_path / "rows.json").write_text(f"[{row}]")
    (tmp_path / "object.json").write_text(f'{{"rows": {row}}}')
    (tmp_path / "broken.json").write_text(f"[\n{row},\n{{'id': 1}}\n]")
    with zipfile.ZipFile(tmp_path / "images.zip", "w") as archive:
        archive.writestr("data_images/TabMWP/images/1.png", png(1))
    with (
        pytest.raises(MathV360KError, match=said.replace(".", r"\.")),
        open_release(tmp_path / annotations, tmp_path / images) as feed,
    ):
        list(feed.rows)
