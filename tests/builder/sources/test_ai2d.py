from __future__ import annotations

import pytest

from mathv360k.builder.schema import Reason
from mathv360k.errors import SourceError
from source_reading import VALIDATION, asked, candidates, png, read, rejection, write


def question(answer=1, texts=("leaf", "stem", "root", "fruit"), abc=False):
    return {
        "abcLabel": abc,
        "answerTexts": list(texts),
        "correctAnswer": answer,
        "questionId": "0.png-0",
    }


def release(folder, test="7\n8\n", **files):
    for name, questions in files.items():
        number = name.removeprefix("n")
        content = {"imageName": f"{number}.png", "questions": questions}
        write(folder / "ai2d" / "questions" / f"{number}.png.json", content)
        write(folder / "ai2d" / "images" / f"{number}.png", png(int(number)))
    if test:
        write(folder / "ai2d_test_ids.csv", test)


def test_the_question_is_the_key_and_the_answer_an_index_from_0(tmp_path):
    asked_ = {"What takes up water?": question(2), "What carries it?": question(1)}
    release(tmp_path, n0=asked_, n12=asked_)
    rows = candidates("AI2D", tmp_path)
    assert asked(rows[0]) == (
        *("What takes up water?", ["leaf", "stem", "root", "fruit"], "root", "C"),
    )
    assert [r.image for r in rows] == ["0.png", "0.png", "12.png", "12.png"]
    assert rows[2].load() == png(12)
    assert rows[1].row == "ai2d/questions/0.png.json: question 2"


def test_images_of_the_test_list_are_left_out(tmp_path):
    release(tmp_path, n7={"a?": question()}, n8={"b?": question()}, n9={"c?": question()})
    assert [r.question for r in candidates("AI2D", tmp_path)] == ["c?"]


@pytest.mark.parametrize(
    ("test", "sentence"),
    [("", "ai2d_test_ids.csv is not in"), ("<html>", "is not a list of numbers")],
)
def test_without_the_test_list_nothing_is_read(tmp_path, test, sentence):
    release(tmp_path, test, n0={"a?": question()})
    with pytest.raises(SourceError, match=sentence):
        read("AI2D", tmp_path)


def test_letters_that_are_not_drawn(tmp_path):
    release(tmp_path, n0={"What is A?": question(0, ("A", "B", "C", "D"), abc=True)})
    assert rejection(read("AI2D", tmp_path)[0])[1] == Reason.LETTERS_NOT_DRAWN


def test_empty_options_are_dropped_and_the_letter_moves(tmp_path):
    texts = ("{}", "stem", "", "stem")
    release(tmp_path, n0={"a?": question(3, texts), "b?": question(0, texts)})
    moved, empty = read("AI2D", tmp_path)
    assert asked(moved) == ("a?", ["stem", "stem"], "stem", "B")
    assert rejection(empty)[1] == Reason.NO_ANSWER


def test_single_letters_may_be_answers(tmp_path):
    release(tmp_path, n0={"Which blob?": question(3, ("A", "B", "C", "D"))})
    assert asked(candidates("AI2D", tmp_path)[0])[2:] == ("D", "D")


def test_a_bad_question_does_not_spoil_its_file_nor_a_bad_file_the_others(tmp_path):
    bad = {**question(), "correctAnswer": "1"}
    release(tmp_path, n0={"a?": bad, "b?": question(4), "c?": question()}, n1={}, n2={})
    write(tmp_path / "ai2d" / "questions" / "2.png.json", "{")
    rows = read("AI2D", tmp_path)
    assert [r.reason if hasattr(r, "reason") else r.question for r in rows] == [
        Reason.MALFORMED_ROW,
        Reason.ANSWER_NOT_AMONG_CHOICES,
        "c?",
        Reason.MALFORMED_ROW,
    ]


def test_there_is_no_validation_part(tmp_path):
    release(tmp_path, n0={"a?": question()})
    with pytest.raises(SourceError, match="AI2D has no validation part"):
        read("AI2D", tmp_path, VALIDATION)
