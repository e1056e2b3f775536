from __future__ import annotations

import pytest

from mathv360k.errors import SourceError
from source_reading import VALIDATION, asked, candidates, png, read, rejection, write


def row(answer, image=3, **more):
    return {
        "split": "train",
        "image_filename": f"CLEVR_train_{image:06d}.png",
        "image_index": image,
        "image": f"CLEVR_train_{image:06d}",
        "question": "Subtract all red cubes. How many objects are left?",
        "program": [{"inputs": [], "function": "scene", "value_inputs": []}],
        "answer": answer,
        "template_filename": "subtraction.json",
        "question_family_index": 1,
        "question_index": 0,
        **more,
    }


def questions(*rows):
    return {"info": {"split": "train"}, "questions": list(rows)}


def test_both_configs_ask_about_the_same_pictures(tmp_path):
    write(tmp_path / "clevr-math-train.json", questions(row(10)))
    write(tmp_path / "multihop" / "clevr-math-train.json", questions(row(0, 4), row(7)))
    images = tmp_path / "CLEVR_v1.0" / "images"
    write(images / "train" / "CLEVR_train_000003.png", png(3))
    rows = candidates("CLEVR-Math", tmp_path)
    assert [(asked(r)[2], r.image[-10:]) for r in rows] == [
        ("10", "000003.png"),
        ("0", "000004.png"),
        ("7", "000003.png"),
    ]
    assert rows[2].image == "train/CLEVR_train_000003.png"
    assert rows[2].load() == png(3)
    assert len({r.row for r in rows}) == 3  # image ids repeat, places do not


def test_pictures_beside_the_questions(tmp_path):
    write(tmp_path / "clevr-math-train.json", questions(row(1)))
    write(tmp_path / "images" / "train" / "CLEVR_train_000003.png", png(3))
    assert candidates("CLEVR-Math", tmp_path)[0].load() == png(3)


def test_rows_of_the_test_part_are_refused(tmp_path):
    write(tmp_path / "clevr-math-train.json", questions(row(1, split="test"), row("2")))
    test, text = read("CLEVR-Math", tmp_path)
    assert rejection(test)[1] == "wrong_split"
    assert rejection(text)[2] == "answer: expected int, got str"


def test_parts(tmp_path):
    write(tmp_path / "clevr-math-val.json", questions(row(1, split="val")))
    write(tmp_path / "clevr-math-test.json", questions(row(1, split="test")))
    assert len(candidates("CLEVR-Math", tmp_path, VALIDATION)) == 1
    with pytest.raises(SourceError, match=r"clevr-math-train\.json or .* is not in"):
        read("CLEVR-Math", tmp_path)
