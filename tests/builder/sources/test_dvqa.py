from __future__ import annotations

import pytest

from mathv360k.errors import SourceError
from source_reading import VALIDATION, asked, candidates, png, read, rejection, write

ROW = {
    "image": "bar_train_00134926.png",
    "question": "What is the value of the smallest bar?",
    "question_type": "data",
    "bbox_answer": [],
    "question_id": "00000001",
}
OLD_ROW = {
    "image": "bar_train_00000001.png",
    "question": "How many bars are there?",
    "answer": "two",
    "template_id": "structure",
    "answer_bbox": [310, 20, 8, 12],
    "question_id": "00000002",
}


def test_both_forms_of_the_file(tmp_path):
    write(tmp_path / "train_qa.json", [{**ROW, "answer": "2"}, OLD_ROW])
    write(tmp_path / "images" / ROW["image"], png(1))
    value, count = candidates("DVQA", tmp_path)
    assert (value.image, value.load()) == ("bar_train_00134926.png", png(1))
    assert asked(value) == ("What is the value of the smallest bar?", [], "2", None)
    assert asked(count)[2] == "two"  # a count, which digits are not


def test_only_train_is_read(tmp_path):
    for name in ("val_easy_qa.json", "val_hard_qa.json"):
        write(tmp_path / name, [OLD_ROW])
    with pytest.raises(SourceError, match=r"train_qa\.json is not in"):
        read("DVQA", tmp_path)
    with pytest.raises(SourceError, match="DVQA has no validation part"):
        read("DVQA", tmp_path, VALIDATION)


def test_a_bad_row_does_not_spoil_the_others(tmp_path):
    write(tmp_path / "train_qa.json", [OLD_ROW, {**ROW, "answer": 2}, OLD_ROW])
    first, bad, last = read("DVQA", tmp_path)
    assert rejection(bad) == (
        "train_qa.json: row 2",
        "malformed_row",
        "answer: expected str, got int",
    )
    assert (asked(first), asked(last)) == (asked(first), asked(first))
