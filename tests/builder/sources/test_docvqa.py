from __future__ import annotations

import json

import pytest

from mathv360k.errors import SourceError
from source_reading import VALIDATION, asked, candidates, png, read, rejection, write

ROW = {
    "questionId": 1,
    "question": "What is the total?",
    "image": "documents/ffbg0227_2.png",
    "docId": 7467,
    "ucsf_document_id": "ffbg0227",
    "ucsf_document_page_no": "2",
    "answers": ["10,596", "$10,596"],
    "data_split": "train",
}


def file(*rows):
    return {"dataset_name": "docvqa", "dataset_version": "1.0", "data": list(rows)}


def test_sample(shared_sources):
    """Worked out from val_v1.0.json by hand."""
    rows = candidates("DocVQA", shared_sources / "DocVQA", VALIDATION)
    assert len(rows) == 12
    assert {row.image for row in rows} == {*("ffbg0227_2.png", "ffhx0227_1.png", "ffjw0228_11.png")}
    assert [(row.question, row.answer) for row in rows[:6]] == [
        ("what is the page no or page mentioned ?", "2"),
        ("What is the name of the University?", "Vanderbilt university"),
        ("What is the Expenses for Salaries for 1986?", "$123,110"),
        ("What is the Expenses for Publications for 1987?", "10,596"),
        ("What is the Expenses for Publications for 1986?", "3,700"),
        ("What is the Expenses for Salaries for 1987?", "$117,047"),
    ]
    assert rows[0].load().startswith(b"\x89PNG")


def test_the_first_accepted_answer_counts(tmp_path):
    write(tmp_path / "train" / "train_v1.0.json", file(ROW))
    write(tmp_path / "train" / "documents" / "ffbg0227_2.png", png())
    (row,) = candidates("DocVQA", tmp_path)
    assert (asked(row)[2], row.image, row.load()) == ("10,596", "ffbg0227_2.png", png())


def test_the_later_release(tmp_path):
    write(tmp_path / "spdocvqa_qas" / "train_v1.0_withQT.json", file({**ROW, "question_types": []}))
    write(tmp_path / "spdocvqa_images" / "ffbg0227_2.png", png())
    (row,) = candidates("DocVQA", tmp_path)
    assert (row.image, row.load()) == ("ffbg0227_2.png", png())


def test_rows_of_another_split_or_without_answer(tmp_path):
    rows = [{**ROW, "data_split": "test"}, {**ROW, "answers": []}]
    write(tmp_path / "train" / "train_v1.0.json", file(*rows))
    test, empty = read("DocVQA", tmp_path)
    assert rejection(test)[1:] == ("wrong_split", "the row says that it is of the 'test' split")
    assert rejection(empty)[1] == "no_answer"


def test_the_test_part_cannot_be_read(tmp_path):
    write(tmp_path / "test" / "test_v1.0.json", file({**ROW, "data_split": "test"}))
    with pytest.raises(SourceError, match=r"train/train_v1\.0\.json or .* is not in"):
        read("DocVQA", tmp_path)


def test_a_file_of_another_form_is_refused(tmp_path):
    write(tmp_path / "train" / "train_v1.0.json", json.dumps({"rows": []}))
    with pytest.raises(SourceError, match='"data" is not in the file'):
        read("DocVQA", tmp_path)
