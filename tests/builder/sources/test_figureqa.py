from __future__ import annotations

import io
import json
import tarfile

import pytest

from mathv360k.builder.schema import AnswerType
from mathv360k.errors import SourceError
from source_reading import VALIDATION, asked, candidates, png, read, rejection, write


def row(answer, image=0, **more):
    return {
        "question_string": "Is Dark Salmon the minimum?",
        "question_id": 0,
        "answer": answer,
        "color1_name": "Dark Salmon",
        "color1_id": 3,
        "color1_rgb": [233, 150, 122],
        "color2_name": "--None--",
        "color2_id": -1,
        "color2_rgb": [-1, -1, -1],
        "image_index": image,
        **more,
    }


@pytest.mark.parametrize("wrap", [lambda rows: {"qa_pairs": rows}, lambda rows: rows])
def test_zero_and_one_are_no_and_yes(tmp_path, wrap):
    write(tmp_path / "train1" / "qa_pairs.json", wrap([row(0), row(1, 7)]))
    write(tmp_path / "train1" / "png" / "7.png", png())
    no, yes = candidates("FigureQA", tmp_path)
    assert (asked(no)[2], asked(yes)[2]) == ("No", "Yes")
    assert (no.answer_type, yes.answer_type) == (AnswerType.YES_NO,) * 2
    assert (yes.image, yes.load()) == ("train1/png/7.png", png())


def test_another_answer_is_malformed(tmp_path):
    write(tmp_path / "train1" / "qa_pairs.json", {"qa_pairs": [row(2), row(1)]})
    bad, good = read("FigureQA", tmp_path)
    assert rejection(bad)[1] == "malformed_row"
    assert "answer" in rejection(bad)[2]
    assert asked(good)[2] == "Yes"


def test_the_archive_is_read_as_it_is(tmp_path):
    pairs = json.dumps({"qa_pairs": [row(1, 3)]}).encode()
    with tarfile.open(tmp_path / "figureqa-train1-v1.tar.gz", "w:gz") as archive:
        for name, data in (("train1/qa_pairs.json", pairs), ("train1/png/3.png", png(3))):
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    (only,) = candidates("FigureQA", tmp_path)
    assert (only.image, only.row) == ("train1/png/3.png", "train1/qa_pairs.json: row 1")


def test_validation_is_validation1_and_there_is_no_test(tmp_path):
    write(tmp_path / "validation1" / "qa_pairs.json", {"qa_pairs": [row(1)]})
    for part in ("validation2", "no_annot_test1"):
        write(tmp_path / part / "qa_pairs.json", {"qa_pairs": [row(1)]})
    assert len(candidates("FigureQA", tmp_path, VALIDATION)) == 1
    with pytest.raises(SourceError, match=r"train1/qa_pairs\.json is not in"):
        read("FigureQA", tmp_path)
