from __future__ import annotations

import json

import pytest

from mathv360k.builder.schema import Reason
from mathv360k.errors import SourceError
from source_reading import VALIDATION, asked, candidates, png, read, rejection, write

ROW = {
    "split": "train",
    "image_id": 42,
    "question_id": "2N5s",
    "question": "What is it?",
    "choices": ["man", "dog", "cat", "car"],
    "correct_choice_idx": 0,
    "direct_answers": ["man"] * 10,
    "difficult_direct_answer": False,
    "rationales": ["He walks.", "He talks."],
}


@pytest.fixture
def sample(shared_sources):
    return candidates("A-OKVQA", shared_sources / "A-OKVQA", VALIDATION)


def test_sample(sample):
    assert len(sample) == 31
    assert len({row.image for row in sample}) == 30
    assert all(row.load().startswith(b"\xff\xd8") for row in sample)


@pytest.mark.parametrize(
    ("image", "question", "choices", "answer", "letter"),
    [
        (4795, "What is the descriptive", "barren crowded minimalist empty", "crowded", "B"),
        (8844, "What drink", "beer milkshake gin coffee", "milkshake", "B"),
        (6771, "Who is the woman", "snow_white xena maleficent cinderella", "xena", "B"),
        (2299, "How do these", "coworkers spouses siblings classmates", "classmates", "D"),
        (2431, "What is in the glass", "juice milk white_wine red_wine", "red wine", "D"),
    ],
)
def test_row(sample, image, question, choices, answer, letter):
    """Worked out from aokvqa_v1p0_val.json by hand; the index counts from 0."""
    found = next(row for row in sample if row.image == f"val2017/{image:012d}.jpg")
    said, told, *rest = asked(found)
    assert said.startswith(question)
    assert told == [choice.replace("_", " ") for choice in choices.split()]
    assert rest == [answer, letter]
    assert found.picture == f"coco/{image}"


def test_train(tmp_path):
    write(tmp_path / "aokvqa_v1p0_train.json", [ROW])
    write(tmp_path / "coco" / "train2017" / "000000000042.jpg", png())
    (row,) = candidates("A-OKVQA", tmp_path)
    assert (row.image, row.load()) == ("train2017/000000000042.jpg", png())
    assert row.rationale == "He walks.\nHe talks."


@pytest.mark.parametrize(
    "name",
    [
        "train2017/000000000042.jpg",
        "train2017/42.jpg",
        "train2014/COCO_train2014_000000000042.jpg",
    ],
)
def test_coco_names_bare_and_padded(tmp_path, name):
    write(tmp_path / "aokvqa_v1p0_train.json", [ROW])
    write(tmp_path / "coco" / name, png())
    (row,) = candidates("A-OKVQA", tmp_path)
    assert (row.image, row.load()) == ("train2017/000000000042.jpg", png())


def test_rows_that_do_not_fit(tmp_path):
    changes = [{"split": "test"}, {"correct_choice_idx": 4}, {"correct_choice_idx": None}]
    rows = [{**ROW, **change} for change in changes]
    del rows[2]["rationales"]
    write(tmp_path / "aokvqa" / "aokvqa_v1p0_train.json", rows)
    assert [rejection(row)[1] for row in read("A-OKVQA", tmp_path)] == [
        Reason.WRONG_SPLIT,
        Reason.ANSWER_NOT_AMONG_CHOICES,
        Reason.MALFORMED_ROW,
    ]


def test_the_test_file_cannot_be_read(tmp_path):
    write(tmp_path / "aokvqa" / "aokvqa_v1p0_test.json", json.dumps([ROW]))
    with pytest.raises(SourceError, match=r"aokvqa_v1p0_train\.json or .* is not in"):
        read("A-OKVQA", tmp_path)
