from __future__ import annotations

import json

import pytest

from mathv360k.builder.schema import AnswerType
from mathv360k.errors import SourceError
from source_reading import VALIDATION, asked, candidates, png, read, write


def row(answer, map_id="map_0.png"):
    return {
        "map_id": map_id,
        "question_type": "retrieval",
        "question_template_id": "retrieval_1",
        "question": "What is the value of Ohio ?",
        "oracle_delexicalized_question": "What is the value of Ohio ?",
        "tesseract_delexicalized_question": "What is the value of Ohio ?",
        "answer": answer,
        "oracle_delexicalized_answer": answer,
        "question_id": 5,
    }


def test_sample(shared_sources, tmp_path):
    """The one real row, under the name that the release has for it."""
    found = shared_sources / "MapQA" / "MapQA_U" / "questions" / "train-QA.example.json"
    write(tmp_path / "MapQA_U" / "questions" / "train-QA.json", json.loads(found.read_text()))
    (only,) = candidates("MapQA", tmp_path)
    assert only.question == "Name the states that have a value in the range 1,231,000-4,782,400?"
    assert asked(only)[2] == "California, Florida, New York"
    assert (only.answer_type, only.image) == (AnswerType.LIST, "MapQA_U/map_0.png")


def test_subsets_that_call_their_maps_the_same(tmp_path):
    """Archives nest: MapQA_V/MapQA_V."""
    for number, folder in enumerate(("MapQA_U", "MapQA_S", "MapQA_V/MapQA_V")):
        write(tmp_path / folder / "questions" / "train-QA.json", [row("Yes")])
        write(tmp_path / folder / "images" / "map_0.png", png(number))
    rows = candidates("MapQA", tmp_path)
    assert [r.image for r in rows] == [f"MapQA_{s}/map_0.png" for s in "USV"]
    assert [r.load() for r in rows] == [png(n) for n in range(3)]
    assert [r.row for r in rows][2] == "MapQA_V/MapQA_V/questions/train-QA.json: row 1"


@pytest.mark.parametrize(
    ("answer", "text"),
    [("Yes", "Yes"), (27, "27"), (["Utah", "Iowa"], "Utah, Iowa"), ("3.5%-4.1%", "3.5%-4.1%")],
)
def test_answers_are_texts_integers_or_lists(tmp_path, answer, text):
    write(tmp_path / "MapQA_S" / "questions" / "train-QA.json", [row(answer)])
    (only,) = candidates("MapQA", tmp_path)
    assert asked(only)[2] == text


def test_parts(tmp_path):
    write(tmp_path / "MapQA_S" / "questions" / "test-QA.json", [row("Yes")])
    write(tmp_path / "MapQA_S" / "questions" / "dev-QA.json", [row("No")])
    assert len(candidates("MapQA", tmp_path, VALIDATION)) == 1
    with pytest.raises(SourceError, match=r"questions/train-QA\.json is not in"):
        read("MapQA", tmp_path)
