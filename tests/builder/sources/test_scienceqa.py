from __future__ import annotations

import json
import shutil

import pytest

from mathv360k.builder.schema import Reason
from mathv360k.errors import SourceError
from source_reading import VALIDATION, asked, candidates, png, read, rejection, write


def problem(**more):
    return {
        "question": "Which is a liquid?",
        "choices": ["milk", "rock"],
        "answer": 0,
        "hint": "",
        "image": "image.png",
        "task": "closed choice",
        "grade": "grade2",
        "subject": "natural science",
        "topic": "physics",
        "category": "States of matter",
        "skill": "Classify",
        "lecture": "Liquids flow.",
        "solution": "Milk flows.",
        "split": "train",
        **more,
    }


@pytest.fixture
def sample(shared_sources, tmp_path):
    """The sample is of the test part; here it stands where the train part does."""
    folder = shared_sources / "ScienceQA" / "data" / "scienceqa"
    problems = json.loads((folder / "problems.json").read_text())
    for row in problems.values():
        row["split"] = "train"
    write(tmp_path / "data" / "scienceqa" / "problems.json", problems)
    shutil.copytree(folder / "images" / "test", tmp_path / "data/scienceqa/images/train")
    return {row.image: row for row in candidates("ScienceQA", tmp_path)}


def test_questions_without_a_picture_are_not_read(sample):
    assert len(sample) == 50  # of 60


@pytest.mark.parametrize(
    ("number", "question", "choices", "answer", "letter"),
    [
        (686, "What is the capital of New", 4, "Santa Fe", "B"),
        (691, "Which continent is", 4, "South America", "C"),
        (880, "What is the capital of Connecticut?", 4, "Hartford", "D"),
        (945, "Below is a food web", 2, "mushroom", "A"),
        (87, "Figure: Daintree rain forest.", 2, "It has year-round rain. It also", "A"),
    ],
)
def test_row(sample, number, question, choices, answer, letter):
    """Worked out from problems.json by hand; a hint stands before its question."""
    row = sample[f"train/{number}/image.png"]
    said, told, right, place = asked(row)
    assert said.startswith(question)
    assert right.startswith(answer)
    assert (len(told), place) == (choices, letter)
    assert row.load().startswith(b"\x89PNG")


def test_hint_lecture_and_solution(tmp_path):
    write(tmp_path / "problems.json", {"1": problem(hint="Look."), "2": problem(lecture="")})
    first, second = candidates("ScienceQA", tmp_path)
    assert asked(first)[0] == "Look.\nWhich is a liquid?"
    assert first.rationale == "Liquids flow.\nMilk flows."
    assert second.rationale == "Milk flows."


def test_each_row_says_its_part_and_the_list_of_parts_may_only_forbid(tmp_path):
    rows = {
        "1": problem(),
        "2": problem(split="val"),
        "3": problem(split="test"),
        "4": problem(),
        "5": problem(image=None),
    }
    folder = tmp_path / "data" / "scienceqa"
    write(folder / "problems.json", rows)
    write(folder / "pid_splits.json", {"train": ["1"], "val": ["2"], "test": ["3", "4"]})
    assert [r.image for r in candidates("ScienceQA", tmp_path)] == ["train/1/image.png"]
    assert [r.image for r in candidates("ScienceQA", tmp_path, VALIDATION)] == ["val/2/image.png"]


@pytest.mark.parametrize("images", ["data/scienceqa/images", "images"])
def test_images_beside_the_questions_or_above(tmp_path, images):
    write(tmp_path / "data" / "scienceqa" / "problems.json", {"1": problem()})
    write(tmp_path / images / "train" / "1" / "image.png", png())
    assert candidates("ScienceQA", tmp_path)[0].load() == png()


def test_rows_that_do_not_fit(tmp_path):
    write(tmp_path / "problems.json", {"1": problem(answer=2), "2": problem(answer="0"), "3": 1})
    assert [rejection(r)[1] for r in read("ScienceQA", tmp_path)] == [
        Reason.ANSWER_NOT_AMONG_CHOICES,
        Reason.MALFORMED_ROW,
        Reason.MALFORMED_ROW,
    ]


def test_a_missing_file_is_one_sentence(tmp_path):
    with pytest.raises(SourceError, match=r"problems\.json does not exist; download it again"):
        read("ScienceQA", tmp_path)
