from __future__ import annotations

import shutil

import pytest

from mathv360k.errors import SourceError
from source_reading import VALIDATION, asked, candidates, read, write

IMAGE = "abstract_v002_train2015_000000011779.png"


def release(folder, **annotation):
    question = {"image_id": 11779, "question": "Who looks happier?", "question_id": 117790}
    name = "OpenEnded_abstract_v002_train2015_questions.json"
    write(folder / "Questions" / name, {"info": {}, "questions": [question]})
    answers = [{"answer": a, "answer_id": i} for i, a in enumerate(["man", "woman", "woman"])]
    row = {"question_id": 117790, "image_id": 11779, "answers": answers, **annotation}
    name = "abstract_v002_train2015_annotations.json"
    write(folder / "Annotations" / name, {"info": {}, "annotations": [row]})


def test_a_real_picture(shared_sources, tmp_path):
    release(tmp_path, multiple_choice_answer="man")
    folder = "Images/abstract_v002/train2015"
    (tmp_path / folder).mkdir(parents=True)
    shutil.copy(shared_sources / "VQA-AS" / folder / IMAGE, tmp_path / folder)
    (row,) = candidates("VQA-AS", tmp_path)
    assert row.image == IMAGE
    assert row.load().startswith(b"\x89PNG")
    assert asked(row) == ("Who looks happier?", [], "man", None)


def test_without_the_authors_choice_the_majority_counts(tmp_path):
    release(tmp_path)
    (row,) = candidates("VQA-AS", tmp_path)
    assert asked(row)[2] == "woman"
    assert row.picture is None  # not of COCO


def test_eighteen_choices_and_the_test_part_are_not_read(tmp_path):
    for name in ("MultipleChoice_abstract_v002_train2015", "OpenEnded_abstract_v002_test2015"):
        write(tmp_path / "Questions" / f"{name}_questions.json", {"questions": []})
    for splits in (("train",), VALIDATION):
        with pytest.raises(SourceError, match=r"OpenEnded_abstract_v002_\w+2015_questions"):
            read("VQA-AS", tmp_path, splits)
