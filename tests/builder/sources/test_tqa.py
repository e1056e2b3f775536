from __future__ import annotations

import pytest

from mathv360k.builder.schema import Reason
from mathv360k.errors import SourceError
from source_reading import VALIDATION, asked, candidates, png, read, rejection, write


def text(said):
    return {"rawText": f"1. {said}", "processedText": said}


def question(answer="b", choices=("core", "mantle", "crust", "sea"), **more):
    return {
        "globalID": "DQ_000001",
        "idStructural": None,
        "questionType": "Diagram Multiple Choice",
        "questionSubType": "Diagram Multiple Choice",
        "beingAsked": text("Which layer is B?"),
        "answerChoices": {
            letter: {"idStructural": f"{letter}.", **text(choice)}
            for letter, choice in zip("dcba", reversed(choices), strict=True)
        },
        "correctAnswer": text(answer),
        "imagePath": "question_images/layers_1.png",
        "imageName": "layers_1.png",
        **more,
    }


def lesson(diagram, other=None):
    return {
        "globalID": "L_0002",
        "lessonName": "earth",
        "metaLessonID": "L_0002",
        "topics": {},
        "adjunctTopics": {},
        "instructionalDiagrams": {},
        "diagramAnnotations": {},
        "questions": {"diagramQuestions": diagram, "nonDiagramQuestions": other or {}},
    }


def test_sample_has_only_questions_about_the_text(shared_sources):
    assert candidates("TQA", shared_sources / "TQA") == []


def test_the_answer_is_a_small_letter(tmp_path):
    folder = tmp_path / "tqa_train_val_test" / "train"
    lessons = [lesson({"DQ_1": question(), "DQ_2": question("d")}), lesson({}, {"NDQ_1": {}})]
    write(folder / "tqa_v1_train.json", lessons)
    write(folder / "question_images" / "layers_1.png", png())
    first, second = candidates("TQA", tmp_path)
    assert asked(first) == (
        *("Which layer is B?", ["core", "mantle", "crust", "sea"], "mantle", "B"),
    )
    assert asked(second)[2] == "sea"
    assert (first.image, first.load()) == ("train/question_images/layers_1.png", png())
    assert first.row == "tqa_train_val_test/train/tqa_v1_train.json: row 1, DQ_1"


def test_a_bad_question_does_not_spoil_its_lesson_nor_a_bad_lesson_the_others(tmp_path):
    null = question(answerChoices={"a": text("core"), "b": {"processedText": None}})
    bad = {"DQ_1": null, "DQ_2": question("e"), "DQ_3": question(imagePath=None)}
    lessons = [lesson({**bad, "DQ_4": question()}), {"questions": []}, lesson({"D": question()})]
    write(tmp_path / "train" / "tqa_v1_train.json", lessons)
    rows = read("TQA", tmp_path)
    assert [r.reason if hasattr(r, "reason") else asked(r)[2] for r in rows] == [
        Reason.MALFORMED_ROW,
        Reason.ANSWER_NOT_AMONG_CHOICES,
        Reason.MALFORMED_ROW,
        "mantle",
        Reason.MALFORMED_ROW,
        "mantle",
    ]
    assert rejection(rows[0])[2].startswith("answerChoices")


def test_paths_that_lead_out_are_refused(tmp_path):
    (tmp_path / "secret.png").write_bytes(png())
    leading = question(imagePath="../../secret.png")
    write(tmp_path / "TQA" / "train" / "tqa_v1_train.json", [lesson({"D": leading})])
    (row,) = candidates("TQA", tmp_path / "TQA")
    with pytest.raises(Exception, match="is not a path below") as caught:
        row.load()
    assert getattr(caught.value, "reason", None) == Reason.UNSAFE_PATH


def test_parts(tmp_path):
    write(tmp_path / "val" / "tqa_v1_val.json", [lesson({"D": question()})])
    write(tmp_path / "test" / "tqa_v2_test.json", [lesson({"D": question()})])
    assert len(candidates("TQA", tmp_path, VALIDATION)) == 1
    with pytest.raises(SourceError, match=r"train/tqa_v1_train\.json is not in"):
        read("TQA", tmp_path)
