from __future__ import annotations

import shutil

import pytest

from mathv360k.builder.schema import AnswerType, Reason
from mathv360k.errors import SourceError
from source_reading import VALIDATION, asked, candidates, png, read, rejection, write


def row(image="VizWiz_train_00000000.jpg", answers=("soup",) * 10, **more):
    return {
        "image": image,
        "question": "What is this?",
        "answers": [{"answer": a, "answer_confidence": "yes"} for a in answers],
        "answer_type": "other",
        "answerable": 1,
        **more,
    }


@pytest.fixture
def sample(shared_sources, tmp_path):
    found = shared_sources / "VizWiz" / "annotations_2019" / "val.json"
    (tmp_path / "Annotations").mkdir()
    shutil.copy(found, tmp_path / "Annotations")
    return read("VizWiz", tmp_path, VALIDATION)


def test_sample(sample):
    """Counted in val.json of 2019 by hand."""
    assert len(sample) == 60
    assert [asked(sample[n])[2] for n in (5, 7, 8, 9, 11)] == [
        *("bottle cap", "cookies", "plant", "stouffer fettuccini alfredo", "Yes")
    ]
    assert sample[11].answer_type is AnswerType.YES_NO
    assert sample[5].image == "VizWiz_val_000000028005.jpg"
    refused = [r for r in sample if hasattr(r, "reason")]
    assert {r.reason for r in refused} == {Reason.UNANSWERABLE}
    assert len(refused) == 18  # 17 of answer_type unanswerable, one where it wins a tie


def test_names_of_both_generations(tmp_path):
    names = ("VizWiz_train_00000000.jpg", "VizWiz_train_000000000000.jpg")
    write(tmp_path / "Annotations" / "train.json", [row(name) for name in names])
    for number, name in enumerate(names):
        write(tmp_path / "train" / name, png(number))
    assert [r.load() for r in candidates("VizWiz", tmp_path)] == [png(0), png(1)]


@pytest.mark.parametrize(
    "change",
    [
        {"answerable": 0},
        {"answer_type": "unanswerable"},
        {"answers": ("unsuitable",) * 6 + ("soup",) * 4},
    ],
)
def test_what_the_picture_does_not_show(tmp_path, change):
    write(tmp_path / "train.json", [row(**change)])
    assert rejection(read("VizWiz", tmp_path)[0])[1] == Reason.UNANSWERABLE


def test_test_rows_are_refused_wherever_they_stand(tmp_path):
    """They have neither answers nor a split of their own: their names tell."""
    renamed = {"image": "VizWiz_test_00000000.jpg", "question": "What?"}
    write(tmp_path / "train.json", [row("VizWiz_test_00000000.jpg"), renamed])
    assert [rejection(r)[1] for r in read("VizWiz", tmp_path)] == [
        Reason.WRONG_SPLIT,
        Reason.MALFORMED_ROW,
    ]
    write(tmp_path / "x" / "test.json", [renamed])
    with pytest.raises(SourceError, match=r"train\.json or .* is not in"):
        read("VizWiz", tmp_path / "x")
