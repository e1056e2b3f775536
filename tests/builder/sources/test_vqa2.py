from __future__ import annotations

from collections import Counter

import pytest

import mathv360k
from mathv360k.builder.pool import read_questions
from mathv360k.builder.schema import AnswerType, Reason
from mathv360k.errors import SourceError
from source_reading import VALIDATION, asked, candidates, png, read, rejection, write

QUESTIONS = "Questions/v2_OpenEnded_mscoco_train2014_questions.json"
ANNOTATIONS = "Annotations/v2_mscoco_train2014_annotations.json"
HEAD = {"info": {}, "task_type": "Open-Ended", "data_type": "mscoco", "license": {}}


def question(number, image=42, text="Is it?"):
    return {"image_id": image, "question": text, "question_id": number}


def annotation(number, answer="yes", image=42, **more):
    said = ["no"] * 5 + ["yes"] * 5
    return {
        "question_type": "is",
        "multiple_choice_answer": answer,
        "answers": [{"answer": a, "answer_confidence": "yes", "answer_id": 1} for a in said],
        "image_id": image,
        "answer_type": "yes/no",
        "question_id": number,
        **more,
    }


def release(folder, questions, annotations):
    write(folder / QUESTIONS, {**HEAD, "data_subtype": "train2014", "questions": questions})
    write(folder / ANNOTATIONS, {**HEAD, "annotations": annotations})


@pytest.fixture
def sample(shared_sources):
    return candidates("VQA2.0", shared_sources / "VQA2.0")


def test_sample(sample):
    assert len(sample) == 63
    assert len({row.image for row in sample}) == 42
    assert Counter(row.answer_type for row in sample)[AnswerType.YES_NO] == 21
    assert all(row.load().startswith(b"\xff\xd8") for row in sample)


@pytest.mark.parametrize(
    ("image", "question", "answer"),
    [
        (446, "Is the woman wearing earrings?", "Yes"),
        (529, "Is the girl sitting properly on the bike?", "No"),
        (25, "Are these giraffes living free range?", "Yes"),  # five say yes, five no
        (562, "What color are the bristles of the toothbrush", "white and green"),  # all differ
        (471, "What is directly behind the back of the bus?", "parking lot"),  # "nothing" as often
        (508, "What is on top of the mountains?", "snow"),
    ],
)
def test_the_answer_is_the_one_that_the_authors_chose(sample, image, question, answer):
    """Worked out from the annotations by hand."""
    name = f"COCO_train2014_{image:012d}.jpg"
    found = [r for r in sample if r.image == name and r.question.startswith(question)]
    assert [asked(r)[2] for r in found] == [answer]
    assert found[0].picture == f"coco/{image}"


def test_both_files_are_joined_whatever_their_order(tmp_path):
    release(tmp_path, [question(1), question(2)], [annotation(2, "red"), annotation(1, "3")])
    assert [asked(r)[2] for r in candidates("VQA2.0", tmp_path)] == ["3", "red"]


def test_what_cannot_be_joined(tmp_path):
    questions = [question(1), question(2), question(3, image=7), {"question": "?"}]
    annotations = [annotation(2), annotation(2, "no"), annotation(3), annotation(4), "x"]
    release(tmp_path, questions, annotations)
    rows = read("VQA2.0", tmp_path)
    assert [r.reason if hasattr(r, "reason") else asked(r)[2] for r in rows] == [
        Reason.DUPLICATE_ID,
        Reason.MALFORMED_ROW,  # "x"
        Reason.NO_ANSWER,  # question 1
        "Yes",
        Reason.MALFORMED_ROW,  # images 7 and 42
        Reason.MALFORMED_ROW,
        Reason.NO_QUESTION,  # annotation 4
    ]
    assert rejection(rows[4])[2] == "image 7 here, 42 in its annotation"


def test_a_question_that_comes_twice(tmp_path):
    release(tmp_path, [question(1), question(1)], [annotation(1)])
    first, again = read("VQA2.0", tmp_path)
    assert asked(first)[2] == "Yes"
    assert rejection(again)[1] == Reason.DUPLICATE_ID


@pytest.mark.parametrize("name", ["COCO_train2014_000000000042.jpg", "000000000042.jpg", "42.jpg"])
def test_coco_names_bare_and_padded(tmp_path, name):
    release(tmp_path, [question(1)], [annotation(1)])
    write(tmp_path / "Images" / "mscoco" / "train2014" / name, png())
    (row,) = candidates("VQA2.0", tmp_path)
    assert (row.image, row.load()) == ("COCO_train2014_000000000042.jpg", png())


def test_flat_folders_and_the_validation_part(tmp_path):
    for part in ("val", "test"):
        name = f"v2_OpenEnded_mscoco_{part}2014_questions.json"
        write(tmp_path / name, {"questions": [question(1)]})
    write(tmp_path / "v2_mscoco_val2014_annotations.json", {"annotations": [annotation(1)]})
    write(tmp_path / "val2014" / "COCO_val2014_000000000042.jpg", png())
    (row,) = candidates("VQA2.0", tmp_path, VALIDATION)
    assert (row.image, row.load()) == ("COCO_val2014_000000000042.jpg", png())
    with pytest.raises(SourceError, match="train2014_questions"):
        read("VQA2.0", tmp_path)


def test_a_coco_picture_of_two_sources_is_one_image(tmp_path):
    """VQA2.0 has the file as of 2014, A-OKVQA as of 2017."""
    release(tmp_path / "VQA2.0", [question(1, 42)], [annotation(1, image=42)])
    coco = tmp_path / "VQA2.0" / "Images" / "mscoco" / "train2014"
    write(coco / "COCO_train2014_000000000042.jpg", png(1))
    row = {"split": "train", "image_id": 42, "question": "What?", "choices": ["a", "b"]}
    row |= {"correct_choice_idx": 1}
    write(tmp_path / "A-OKVQA" / "aokvqa" / "aokvqa_v1p0_train.json", [row])
    write(tmp_path / "A-OKVQA" / "coco" / "train2017" / "000000000042.jpg", png(2))
    chosen = {"name": "coco", "sources": {"A-OKVQA": {}, "VQA2.0": {}}}
    recipe = mathv360k.Recipe.model_validate(chosen)
    manifest = mathv360k.build(recipe, tmp_path / "out", source_root=tmp_path)
    assert manifest["splits"]["train"]["images"] == 1
    assert read_questions(tmp_path / "out.pool", ["id"])["id"].to_pylist() == [
        "A-OKVQA/train2017/000000000042.jpg#original-0",
        "VQA2.0/COCO_train2014_000000000042.jpg#original-0",
    ]
