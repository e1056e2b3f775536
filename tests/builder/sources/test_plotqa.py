from __future__ import annotations

import io
import tarfile

import pytest

from mathv360k.builder.schema import Reason
from mathv360k.errors import SourceError
from source_reading import VALIDATION, asked, candidates, png, read, rejection, write


def row(answer, image=0, **more):
    return {
        "image_index": image,
        "qid": 7,
        "question_string": "What is the average ?",
        "answer_bbox": {},
        "template": "arithmetic",
        "answer": answer,
        "type": "line",
        "question_id": 12,
        **more,
    }


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("Yes", "Yes"),
        (18, "18"),
        (0.1 + 0.2, "0.30000000000000004"),
        (4.0, "4.0"),
        (["Chad", 1990, 2.5], "Chad, 1990, 2.5"),
    ],
)
def test_answers_keep_their_full_precision(tmp_path, answer, text):
    write(tmp_path / "train" / "qa_pairs_V2.json", {"qa_pairs": [row(answer)]})
    (only,) = candidates("PlotQA", tmp_path)
    assert asked(only) == ("What is the average?", [], text, None)


@pytest.mark.parametrize("box", [None, {}, [], {"x": 1}, [{"x": 1}, {"x": 2}]])
def test_boxes_of_any_form_are_passed_over(tmp_path, box):
    rows = [row("a", n, answer_bbox=box) for n in range(50)]
    write(tmp_path / "train" / "qa_pairs_V2.json", {"qa_pairs": rows})
    assert [c.image for c in candidates("PlotQA", tmp_path)] == [
        f"train/png/{n}.png" for n in range(50)
    ]


def test_version_2_is_read_where_both_are_there(tmp_path):
    write(tmp_path / "train" / "qa_pairs_V1.json", [row("one")])
    assert [asked(c)[2] for c in candidates("PlotQA", tmp_path)] == ["one"]
    write(tmp_path / "train" / "qa_pairs_V2.json", [row("two")])
    assert [asked(c)[2] for c in candidates("PlotQA", tmp_path)] == ["two"]


def test_pictures_stay_in_their_archive(tmp_path):
    write(tmp_path / "train" / "qa_pairs_V2.json", {"qa_pairs": [row("a", 9), row("b", 2)]})
    with tarfile.open(tmp_path / "train" / "png.tar.gz", "w:gz") as archive:
        for number in (2, 9):
            member = tarfile.TarInfo(f"png/{number}.png")
            member.size = len(png(number))
            archive.addfile(member, io.BytesIO(png(number)))
    rows = candidates("PlotQA", tmp_path)
    write(tmp_path / "elsewhere", b"")
    assert [c.image for c in rows] == ["train/png/9.png", "train/png/2.png"]


def test_an_empty_or_strange_answer(tmp_path):
    rows = [row(""), row(None), row({"a": 1})]
    write(tmp_path / "train" / "qa_pairs_V2.json", {"qa_pairs": rows})
    assert [rejection(r)[1] for r in read("PlotQA", tmp_path)] == [
        Reason.NO_ANSWER,
        Reason.MALFORMED_ROW,
        Reason.MALFORMED_ROW,
    ]


def test_the_test_part_cannot_be_read(tmp_path):
    write(tmp_path / "test" / "qa_pairs_V2.json", [row("a")])
    for splits in (("train",), VALIDATION):
        with pytest.raises(SourceError, match=r"qa_pairs_V2\.json or .* is not in"):
            read("PlotQA", tmp_path, splits)
