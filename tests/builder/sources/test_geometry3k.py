from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar

import pytest

from mathv360k.builder.schema import Reason, Unusable
from mathv360k.builder.sources.source import Candidate
from mathv360k.errors import SourceError
from source_reading import VALIDATION, asked, candidates, read, rejection, write


class TestGeometry3KSample:
    """Expectations read from the raw `data.json` files."""

    @pytest.fixture
    def problems(self, shared_sources) -> list[Candidate]:
        return candidates("Geometry3K", shared_sources / "Geometry3K")

    def test_all_train_problems_in_the_order_of_their_ids(self, problems):
        assert len(problems) == 2101
        assert [p.row for p in problems] == [f"geometry3k/train/{n}/data.json" for n in range(2101)]
        letters = Counter("ABCD"[p.answer_index or 0] for p in problems)
        assert letters == {"A": 471, "B": 660, "C": 591, "D": 379}
        assert sum(bool(p.unit) for p in problems) == 233
        assert not any("\r" in asked(p)[0] for p in problems)

    @pytest.mark.parametrize(
        ("number", "start", "choices", "answer", "index", "unit"),
        [
            (0, "$\\triangle RST", ("5", "14", "15", "35"), "15", 2, None),
            (472, "The lengths of the bases", ("162", "270", "332.5", "342.25"), "162", 0, "m^2"),
            (1283, "Find $m\\angle D$", ("117", "117", "126", "127"), "117", 0, None),
            (451, "Find the perimeter", ("9.2", "12.8", "12.8", "17.3"), "9.2", 0, "in"),
            (1823, "Find $x$ if", ("2", "3", "4", "4"), "4", 2, None),
        ],
    )
    def test_problem(self, problems, number, start, choices, answer, index, unit):
        problem = problems[number]
        assert problem.question.startswith(start)
        assert (tuple(problem.choices), problem.answer) == (choices, answer)
        assert (problem.answer_index, problem.unit or None) == (index, unit)
        assert problem.image == f"train/{number}/img_diagram.png"

    def test_latex_choices_that_repeat_are_kept_word_for_word(self, problems):
        choices = problems[382].choices
        assert choices[2] == choices[3] == "16 \\sqrt { 3 }"
        assert (problems[382].answer, problems[382].answer_index) == ("16", 1)

    def test_images_load(self, problems):
        assert problems[0].load().startswith(b"\x89PNG")


class TestGeometry3K:
    ROW: ClassVar[dict[str, Any]] = {
        "annotat_text": " Find $x$.\r\nRound. ",
        "choices": ["1", "2", "2", "3"],
        "answer": "C",
        "unit": " ",
        "id": 7,
    }

    @pytest.mark.parametrize("outer", ["", "geometry3k"])
    def test_the_outer_folder_may_be_missing(self, tmp_path, outer):
        write(tmp_path / outer / "train" / "10" / "data.json", self.ROW)
        write(tmp_path / outer / "train" / "9" / "data.json", self.ROW)
        write(tmp_path / outer / "train" / ".DS_Store", "")
        write(tmp_path / outer / "train" / "9" / "img_diagram.png", "image")
        first, second = candidates("Geometry3K", tmp_path)
        folder = f"{outer}/train" if outer else "train"
        assert (first.row, second.row) == (f"{folder}/9/data.json", f"{folder}/10/data.json")
        assert (first.image, second.image) == (
            *("train/9/img_diagram.png", "train/10/img_diagram.png"),
        )
        assert asked(first)[0] == "Find $x$.\nRound."
        assert (first.answer, first.answer_index) == ("2", 2)
        assert first.load() == b"image"
        with pytest.raises(Unusable, match="does not exist"):
            second.load()

    def test_validation_is_the_folder_val(self, tmp_path):
        write(tmp_path / "geometry3k" / "val" / "2101" / "data.json", self.ROW)
        (problem,) = candidates("Geometry3K", tmp_path, VALIDATION)
        assert problem.image == "val/2101/img_diagram.png"
        with pytest.raises(SourceError, match=r"train is not in .*geometry3k; .*\[validation\]"):
            read("Geometry3K", tmp_path)

    @pytest.mark.parametrize(
        ("change", "reason", "detail"),
        [
            ({"answer": "E"}, Reason.ANSWER_NOT_AMONG_CHOICES, "one of 4 choices"),
            ({"answer": ""}, Reason.ANSWER_NOT_AMONG_CHOICES, "''"),
            ({"answer": "AB"}, Reason.ANSWER_NOT_AMONG_CHOICES, "'AB'"),
            ({"answer": 2}, Reason.MALFORMED_ROW, "answer: expected str, got int"),
            ({"choices": "1234"}, Reason.MALFORMED_ROW, "choices: expected array, got str"),
            ({"choices": ["1", None]}, Reason.MALFORMED_ROW, "choices[1]: expected str, got null"),
            ({"annotat_text": None}, Reason.MALFORMED_ROW, "annotat_text: expected str, got null"),
            ({"unit": {}}, Reason.MALFORMED_ROW, "unit: expected str | null, got object"),
            ({"annotat_text": "\ud800"}, Reason.MALFORMED_ROW, "not JSON: "),
        ],
    )
    def test_malformed_fields(self, tmp_path, change, reason, detail):
        write(tmp_path / "train" / "1" / "data.json", {**self.ROW, **change})
        (row,) = read("Geometry3K", tmp_path)
        assert rejection(row)[:2] == ("train/1/data.json", reason)
        assert detail in rejection(row)[2]

    def test_malformed_files_are_malformed_rows(self, tmp_path):
        write(tmp_path / "train" / "1" / "data.json", '{"id": 1,\n')
        write(tmp_path / "train" / "2" / "data.json", [1])
        write(tmp_path / "train" / "3" / "img_diagram.png", "")
        broken, listed, absent = (rejection(row)[2] for row in read("Geometry3K", tmp_path))
        assert broken == "not JSON: Input data was truncated"
        assert listed == "expected object, got array"
        assert absent.endswith("train/3/data.json does not exist; download it again.")
