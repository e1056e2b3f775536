from __future__ import annotations

from typing import Any, ClassVar

import pytest

from mathv360k.builder.schema import AnswerType, Reason
from mathv360k.builder.sources.source import Candidate
from mathv360k.errors import SourceError
from source_reading import VALIDATION, candidates, read, rejection, write


class TestVQARADSample:
    """Expectations read from the raw `VQA_RAD Dataset Public.json`."""

    @pytest.fixture
    def train(self, shared_sources) -> list[Candidate]:
        return candidates("VQA-RAD", shared_sources / "VQA-RAD")

    def test_train_rows_only(self, train):
        assert len(train) == 1797
        assert len({row.image for row in train}) == 313
        assert sum(row.answer_type is AnswerType.YES_NO for row in train) == 942
        assert {row.answer for row in train if row.answer_type} == {"Yes", "No"}

    @pytest.mark.parametrize(
        ("image", "start", "answer", "answer_type"),
        [
            ("synpic54610.jpg", "Are regions of the brain", "Yes", AnswerType.YES_NO),
            ("synpic21604.jpg", "Are there any other organs", "Yes", AnswerType.YES_NO),
            ("synpic45162.jpg", "How many gallstones", "4", None),
            ("synpic53228.jpg", "How many ribs are superimposed", "12", None),
            ("synpic26764.jpg", "Is the opacity", "superficial to the patient's skin", None),
            ("synpic34449.jpg", "What are the two major", "Heart, lungs", None),
        ],
    )
    def test_row(self, train, image, start, answer, answer_type):
        found = [row for row in train if row.image == image and row.question.startswith(start)]
        assert (answer, answer_type) in {(row.answer, row.answer_type) for row in found}

    def test_images_load(self, train):
        assert train[0].load().startswith(b"\xff\xd8")


class TestVQARAD:
    FILE = "VQA_RAD Dataset Public.json"
    ROW: ClassVar[dict[str, Any]] = {
        "phrase_type": "freeform",
        "image_name": "synpic1.jpg",
        "question": "Is it?",
        "answer": "no ",
    }

    def test_rows(self, tmp_path):
        changes = [
            {},
            {"phrase_type": "test_para "},
            {"phrase_type": " para", "answer": 4},
            {"phrase_type": "other"},
            {"answer": "NULL"},
            {"question": " "},
            {"answer": True},
        ]
        write(tmp_path / self.FILE, [{**self.ROW, **change} for change in changes])
        first, four, *bad = read("VQA-RAD", tmp_path)
        assert isinstance(first, Candidate)
        assert isinstance(four, Candidate)
        assert (first.answer, first.answer_type) == ("No", AnswerType.YES_NO)
        assert (four.answer, four.row) == ("4", f"{self.FILE}: row 3")
        assert [rejection(row)[1:] for row in bad] == [
            (
                Reason.MALFORMED_ROW,
                "phrase_type 'other' is not one of freeform, para, test_freeform, test_para",
            ),
            (Reason.NO_ANSWER, "answer is 'NULL'"),
            (Reason.NO_QUESTION, "question is ''"),
            (Reason.MALFORMED_ROW, "answer: expected int | str, got bool"),
        ]

    def test_there_is_no_validation_part(self, tmp_path):
        write(tmp_path / self.FILE, [self.ROW])
        assert len(candidates("VQA-RAD", tmp_path, ("train", "validation"))) == 1
        with pytest.raises(SourceError, match=r"no validation part; .*`splits: \[train\]`"):
            read("VQA-RAD", tmp_path, VALIDATION)
