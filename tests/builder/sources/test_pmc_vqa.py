from __future__ import annotations

import csv
import io
import shutil

import pytest

from mathv360k.builder.schema import Reason
from mathv360k.errors import SourceError
from source_reading import VALIDATION, asked, candidates, png, read, rejection, write

CHOICES = ["Choice A", "Choice B", "Choice C", "Choice D"]
V1 = ["Figure_path", "Question", "Answer", *CHOICES, "Answer_label"]
V2 = ["index", "Figure_path", "Caption", "Question", *CHOICES, "Answer", "split"]


def table(*lines):
    text = io.StringIO()
    csv.writer(text).writerows(lines)
    return text.getvalue()


def v1(answer="A lung", label="B"):
    return ["PMC1_F1.jpg", "What?", answer, "A:Heart", " B: A lung", "C:Liver", "D:None", label]


def v2(answer="B", split="train", figure="PMC1_fig01_443233.jpg"):
    caption = 'A "big"\nlung'
    choices = [" A:Heart ", " B:Lung ", "C:1", "D:2"]
    return ["0", figure, caption, "What?", *choices, answer, split]


def test_sample(shared_sources, tmp_path):
    """The one real row, under the name that the release has for it."""
    shutil.copy(shared_sources / "PMC-VQA" / "train.example.csv", tmp_path / "train.csv")
    (row,) = candidates("PMC-VQA", tmp_path)
    assert asked(row) == (
        "What is the uptake pattern in the breast?",
        [
            "Diffuse uptake pattern",
            "Focal uptake pattern",
            "No uptake pattern",
            "Cannot determine from the information given",
        ],
        "Focal uptake pattern",
        "B",
    )
    assert row.image == "images/PMC1064097_F1.jpg"


def test_version_1_has_the_text_and_the_letter(tmp_path):
    write(tmp_path / "train.csv", table(V1, v1(), v1("Liver"), v1("a lung."), v1(label="E")))
    good, other, spelt, outside = read("PMC-VQA", tmp_path)
    assert asked(good)[1:] == (["Heart", "A lung", "Liver", "None"], "A lung", "B")
    assert rejection(other)[1] == Reason.ANSWER_NOT_AMONG_CHOICES
    assert asked(spelt)[2] == "A lung"
    assert rejection(outside)[1] == Reason.ANSWER_NOT_AMONG_CHOICES


def test_version_2_has_the_letter_as_the_answer(tmp_path):
    write(tmp_path / "train_2.csv", table(V2, v2(), v2("C "), v2("X"), v2(split="test")))
    write(tmp_path / "figures" / "PMC1_fig01_443233.jpg", png())
    first, second, outside, test = read("PMC-VQA", tmp_path)
    assert asked(first)[1:] == (["Heart", "Lung", "1", "2"], "Lung", "B")
    assert asked(second)[2:] == ("1", "C")
    assert rejection(outside)[1] == Reason.ANSWER_NOT_AMONG_CHOICES
    assert rejection(test)[1] == Reason.WRONG_SPLIT
    assert (first.image, first.load()) == ("figures/PMC1_fig01_443233.jpg", png())
    assert first.row == "train_2.csv: row 1"


def test_a_misspelt_column(tmp_path):
    header = ["Anwser" if column == "Answer" else column for column in V2]
    write(tmp_path / "train_2.csv", table(header, v2("D")))
    assert asked(candidates("PMC-VQA", tmp_path)[0])[2:] == ("2", "D")


def test_both_versions_are_read(tmp_path):
    write(tmp_path / "train_2.csv", table(V2, v2()))
    write(tmp_path / "train.csv", table(V1, v1()))
    assert [r.image.split("/")[0] for r in candidates("PMC-VQA", tmp_path)] == ["figures", "images"]


def test_lines_that_are_too_short_and_files_that_are_no_csv(tmp_path):
    write(tmp_path / "train.csv", table(V1, v1()[:-1], v1()))
    short, good = read("PMC-VQA", tmp_path)
    assert rejection(short) == (
        "train.csv: row 1",
        Reason.MALFORMED_ROW,
        "7 cells below 8 columns",
    )
    assert asked(good)[2] == "A lung"
    for content in (b"\xff\xfe", b'a,b\n"x', b""):
        write(tmp_path / "train.csv", content)
        with pytest.raises(SourceError, match=r"train\.csv"):
            read("PMC-VQA", tmp_path)


def test_the_test_files_cannot_be_read(tmp_path):
    for name in ("test.csv", "test_2.csv", "test_clean.csv"):
        write(tmp_path / name, table(V1, v1()))
    with pytest.raises(SourceError, match=r"train_2\.csv or train\.csv is not in"):
        read("PMC-VQA", tmp_path)
    with pytest.raises(SourceError, match="PMC-VQA has no validation part"):
        read("PMC-VQA", tmp_path, VALIDATION)
