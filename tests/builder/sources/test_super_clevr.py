from __future__ import annotations

import json
import shutil

import pytest

from mathv360k.builder.schema import AnswerType
from mathv360k.errors import SourceError
from source_reading import VALIDATION, asked, candidates, read, rejection, write

FILE = "superCLEVR_questions_30k.json"


def row(answer, index=0):
    return {
        "split": "new",
        "image_filename": f"superCLEVR_new_{index:06d}.png",
        "image_index": index,
        "image": f"superCLEVR_new_{index:06d}",
        "question": "How many?",
        "program": [{"inputs": [], "type": "scene"}],
        "answer": answer,
        "template_filename": "zero_hop.json",
        "question_family_index": 0,
        "question_index": 0,
    }


@pytest.fixture
def sample(shared_sources, tmp_path):
    """The questions lie there under the names that the authors' generator gives them."""
    output = shared_sources / "Super-CLEVR" / "output"
    questions = []
    for name in ("superCLEVR_questions_5.json", "superCLEVR_questions_part_5.json"):
        questions += json.loads((output / name).read_text())["questions"]
    write(tmp_path / FILE, {"info": {}, "questions": questions})
    shutil.copytree(output / "images", tmp_path / "images")
    return candidates("Super-CLEVR", tmp_path)


def test_sample(sample):
    assert len(sample) == 463
    assert sum(r.answer_type is AnswerType.YES_NO for r in sample) == 158
    assert sample[0].load().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("place", "image", "question", "answer"),
    [
        (0, 0, "Is the number of gray bicycles the same", "No"),
        (100, 2, "Do the blue aeroplane and the bus", "No"),
        (121, 2, "How many small matte articulated buss", "0"),
        (131, 2, "What is the size of the shiny road bike", "large"),
        (200, 4, "Is there another rubber object", "Yes"),
        (238, 0, "What is the color of the metallic front fender", "yellow"),
    ],
)
def test_row(sample, place, image, question, answer):
    """Worked out from the JSON by hand: false, true, 0 and words."""
    assert sample[place].image == f"superCLEVR_new_{image:06d}.png"
    said, _, told, _ = asked(sample[place])
    assert said.startswith(question)
    assert told == answer


def test_the_index_alone_says_what_is_test(tmp_path):
    indices = (0, 19_999, 20_000, 24_999, 25_000, 29_999)
    write(tmp_path / FILE, {"info": {}, "questions": [row(3, index) for index in indices]})
    assert [r.image[-10:-4] for r in candidates("Super-CLEVR", tmp_path)] == ["000000", "019999"]
    validation = candidates("Super-CLEVR", tmp_path, VALIDATION)
    assert [r.image[-10:-4] for r in validation] == ["020000", "024999"]
    both = candidates("Super-CLEVR", tmp_path, ("train", "validation"))
    assert len(both) == 4


def test_a_test_picture_under_a_train_index(tmp_path):
    leaking = {**row(3), "image_filename": "superCLEVR_new_025000.png"}
    write(tmp_path / FILE, {"info": {}, "questions": [leaking]})
    assert rejection(read("Super-CLEVR", tmp_path)[0])[1] == "malformed_row"


def test_answers_of_other_types_and_other_files(tmp_path):
    write(tmp_path / FILE, {"info": {}, "questions": [row(None)]})
    assert rejection(read("Super-CLEVR", tmp_path)[0])[1] == "malformed_row"
    (tmp_path / FILE).rename(tmp_path / "superCLEVR_questions_30k_NoRedundant.json")
    with pytest.raises(SourceError, match="does not exist"):
        read("Super-CLEVR", tmp_path)
