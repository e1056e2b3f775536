from __future__ import annotations

import pytest

from mathv360k.builder.schema import Reason, Unusable
from mathv360k.builder.sources.source import Candidate
from mathv360k.errors import SourceError
from source_reading import VALIDATION, asked, candidates, read, rejection, write


class TestChartQASample:
    """Expectations read from the raw `*_human.json` and `*_augmented.json`."""

    @pytest.fixture
    def train(self, shared_sources) -> list[Candidate]:
        return candidates("ChartQA", shared_sources / "ChartQA")

    def test_questions_of_people_come_first(self, train):
        assert len(train) == 1004
        assert all("_human" in row.row for row in train[:4])
        assert all("_augmented" in row.row for row in train[4:])

    @pytest.mark.parametrize(
        ("index", "row", "image", "start", "answer"),
        [
            (0, "human.json: row 1", "10095.png", "Is the value of Favorable", "Yes"),
            (3, "human.json: row 4", "10149.png", "What is the sum favourable", "95"),
            (4, "augmented.json: row 1", "two_col_22290.png", "How much was", "19.5"),
            (5, "augmented.json: row 2", "two_col_104268.png", "What was the", "4608848"),
            (1003, "augmented.json: row 1000", "two_col_2364.png", "Which", "Lombardy"),
        ],
    )
    def test_row(self, train, index, row, image, start, answer):
        chart = train[index]
        assert chart.row == f"ChartQA Dataset/train/train_{row}"
        assert chart.image == f"train/png/{image}"
        assert chart.question.startswith(start)
        assert asked(chart)[1:] == ([], answer, None)

    def test_validation_has_only_the_augmented_file(self, shared_sources):
        rows = candidates("ChartQA", shared_sources / "ChartQA", VALIDATION)
        assert len(rows) == 195
        assert (rows[0].answer, rows[-1].answer) == ("Daifuku", "9.2")
        assert rows[-1].image == "val/png/two_col_81264.png"

    def test_every_image_is_there(self, train):
        assert train[0].load().startswith(b"\x89PNG")


class TestChartQA:
    def test_rows(self, tmp_path):
        rows = [
            {"imgname": "a.png", "query": "Which?", "label": "[63, 26]"},
            {"imgname": "a.png", "query": "How much?", "label": 0.39},
            {"imgname": "../../../a.png", "query": "Where?", "label": "there"},
            "row",
        ]
        write(tmp_path / "ChartQA Dataset" / "train" / "train_human.json", rows)
        good, number, outside, text = read("ChartQA", tmp_path)
        assert isinstance(good, Candidate)
        assert good.answer == "[63, 26]"
        assert rejection(number) == (
            *("ChartQA Dataset/train/train_human.json: row 2", Reason.MALFORMED_ROW),
            "label: expected str, got float",
        )
        assert isinstance(outside, Candidate)
        with pytest.raises(Unusable) as caught:
            outside.load()
        assert caught.value.reason is Reason.UNSAFE_PATH
        assert rejection(text)[2] == "expected object, got str"

    def test_one_of_the_two_files_is_enough_but_needed(self, tmp_path):
        write(tmp_path / "ChartQA Dataset" / "val" / "val_human.json", [])
        assert read("ChartQA", tmp_path, VALIDATION) == []
        with pytest.raises(SourceError, match=r"train_human\.json or .*train_augmented\.json is"):
            read("ChartQA", tmp_path)
