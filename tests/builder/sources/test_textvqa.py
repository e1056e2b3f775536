from __future__ import annotations

import json

import pytest

from mathv360k.builder.schema import Reason
from mathv360k.errors import SourceError
from source_reading import VALIDATION, asked, candidates, png, read, rejection, write


def row(answers, image="003a8ae2ef43b901", set_name="train"):
    return {
        "image_id": image,
        "question_id": 34602,
        "question": "what is the brand of this camera?",
        "question_tokens": ["what", "is"],
        "image_width": 1024,
        "image_height": 768,
        "flickr_original_url": "",
        "flickr_300k_url": "",
        "answers": answers,
        "image_classes": ["Camera"],
        "set_name": set_name,
    }


def file(*rows):
    return {"dataset_type": "train", "dataset_name": "textvqa", "data": list(rows)}


def test_sample(shared_sources, tmp_path):
    """The sample's rows put back into the native form; answers counted by hand."""
    folder = shared_sources / "TextVQA" / "open_flamingo_vqa_format"
    questions = json.loads((folder / "val_questions_vqa_format.json").read_text())["questions"]
    told = json.loads((folder / "val_annotations_vqa_format.json").read_text())["annotations"]
    rows = [
        {
            **row([a["answer"] for a in t["answers"]], q["image_id"], "val"),
            "question": q["question"],
        }
        for q, t in zip(questions, told, strict=True)
    ]
    write(tmp_path / "TextVQA_0.5.1_val.json", file(*rows))
    read_rows = read("TextVQA", tmp_path, VALIDATION)
    assert [asked(r)[2] for r in read_rows[:7]] == [
        *("dakota", "copenhagen", "ale", "bowmore", "10 years", "22", "5:41")
    ]
    assert rejection(read_rows[7])[1:] == (
        Reason.UNANSWERABLE,
        "most people say 'unanswerable'",
    )
    assert len(read_rows) == 60
    refused = [n for n, r in enumerate(read_rows) if hasattr(r, "reason")]
    assert refused == [7, 19]
    assert {asked(read_rows[n])[2] for n in (14, 31, 41)} <= {"Yes", "No"}


def test_images_of_both_parts_are_in_one_folder(tmp_path):
    write(tmp_path / "TextVQA_0.5.1_train.json", file(row(["a"] * 10)))
    write(tmp_path / "TextVQA_0.5.1_val.json", file(row(["b"] * 10, "ff", "val")))
    write(tmp_path / "train_images" / "003a8ae2ef43b901.jpg", png(1))
    write(tmp_path / "train_images" / "ff.jpg", png(2))
    first, second = candidates("TextVQA", tmp_path, ("train", "validation"))
    assert (first.image, first.load()) == ("003a8ae2ef43b901.jpg", png(1))
    assert (second.image, second.load()) == ("ff.jpg", png(2))


@pytest.mark.parametrize(
    ("answers", "winner"),
    [
        (["b", "a", "a", "b", "c"], "b"),  # a tie: the one given first
        (["x ", " x", "y"], "x"),
        (["", " ", "z"], "z"),
    ],
)
def test_the_majority_of_ten(tmp_path, answers, winner):
    write(tmp_path / "TextVQA_0.5.1_train.json", file(row(answers)))
    assert asked(candidates("TextVQA", tmp_path)[0])[2] == winner


def test_rows_that_cannot_be_used(tmp_path):
    text = "answering does not require reading text in the image"
    rows = [row([text] * 6 + ["a"] * 4), row([]), row(["a"], set_name="test"), row("a")]
    write(tmp_path / "TextVQA_0.5.1_train.json", file(*rows))
    assert [rejection(r)[1] for r in read("TextVQA", tmp_path)] == [
        Reason.UNANSWERABLE,
        Reason.NO_ANSWER,
        Reason.WRONG_SPLIT,
        Reason.MALFORMED_ROW,
    ]


def test_the_test_file_cannot_be_read(tmp_path):
    write(tmp_path / "TextVQA_0.5.1_test.json", file(row(["a"])))
    with pytest.raises(SourceError, match=r"TextVQA_0\.5\.1_train\.json is not in"):
        read("TextVQA", tmp_path)
