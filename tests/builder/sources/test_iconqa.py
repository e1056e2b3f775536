from __future__ import annotations

import shutil

import pytest

from mathv360k.builder.schema import Reason
from mathv360k.errors import SourceError
from source_reading import VALIDATION, asked, candidates, png, read, rejection, write


@pytest.fixture
def rows(shared_sources, tmp_path):
    """The sample is of the test part; here it stands where the train part does."""
    part = shared_sources / "IconQA" / "iconqa_data" / "iconqa" / "test"
    shutil.copytree(part, tmp_path / "iconqa_data" / "iconqa" / "train")
    return read("IconQA", tmp_path)


def test_sample(rows):
    assert len(rows) == 75
    pictures = [row for row in rows if rejection_or_none(row)]
    assert len(pictures) == 25
    assert {rejection(row)[1] for row in pictures} == {Reason.NOT_ONE_IMAGE}


def rejection_or_none(row):
    return hasattr(row, "reason")


@pytest.mark.parametrize(
    ("name", "start", "choices", "answer", "unit"),
    [
        ("choose_txt/18", "Are there enough forks", ["yes", "no"], "no", None),
        ("choose_txt/44", "How many hearts", ["3", "5", "2", "1", "4"], "2", None),
        ("choose_txt/149", "The first picture is a sub", ["turtle", "fish", "sub"], "fish", None),
        ("choose_txt/188", "Dana's mom", ["6:00 A.M.", "6:00 P.M."], "6:00 A.M.", None),
        ("fill_in_blank/62", "What is the perimeter", [], "12", "yards"),
        ("fill_in_blank/220", "How many berries", [], "100", None),
        (
            "fill_in_blank/48",
            "Use paper clips to measure the line. The line is about (_)",
            [],
            "1",
            None,
        ),
    ],
)
def test_problem(rows, name, start, choices, answer, unit):
    """Worked out from the raw data.json files; the answer counts choices from 0."""
    found = [r for r in rows if r.row == f"iconqa_data/iconqa/train/{name}/data.json"]
    question, told, said, _ = asked(found[0])
    assert question.startswith(start)
    assert (told, said, found[0].unit) == (choices, answer, unit)
    assert found[0].image == f"train/{name}/image.png"
    assert found[0].load().startswith(b"\x89PNG")


def test_a_hint_belongs_to_the_question(rows):
    found = [r for r in rows if r.row.endswith("fill_in_blank/1451/data.json")]
    assert asked(found[0])[0] == (
        "There are 4 rainbows in the top row. How many rainbows are in the bottom row?\n"
        "The bottom row has one less."
    )


def test_answers_that_do_not_fit(tmp_path):
    base = {"question": "Which?", "ques_type": "choose_txt", "choices": ["a", "b"]}
    for number, answer in enumerate((2, -1, "a")):
        write(tmp_path / f"train/choose_txt/{number}/data.json", {**base, "answer": answer})
    assert [rejection(row)[1] for row in read("IconQA", tmp_path)] == [
        Reason.ANSWER_NOT_AMONG_CHOICES,
        Reason.ANSWER_NOT_AMONG_CHOICES,
        Reason.MALFORMED_ROW,
    ]


def test_the_test_part_cannot_be_read(tmp_path):
    row = {"question": "How many?", "answer": "1", "ques_type": "fill_in_blank"}
    for part in ("test", "val"):
        write(tmp_path / "iconqa" / part / "fill_in_blank" / "7" / "data.json", row)
        write(tmp_path / "iconqa" / part / "fill_in_blank" / "7" / "image.png", png())
    (only,) = candidates("IconQA", tmp_path, VALIDATION)
    assert only.image == "val/fill_in_blank/7/image.png"
    with pytest.raises(SourceError, match="train is not in"):
        read("IconQA", tmp_path)
