from __future__ import annotations

from typing import Any, ClassVar

import pytest

from mathv360k.builder.schema import AnswerType, Reason
from mathv360k.builder.sources.source import Candidate
from mathv360k.errors import SourceError
from source_reading import VALIDATION, asked, candidates, read, rejection, write


class TestTabMWPSample:
    """Expectations read from the raw `problems_dev1k.json`."""

    @pytest.fixture
    def problems(self, shared_sources) -> dict[str, Candidate]:
        rows = candidates("TabMWP", shared_sources / "TabMWP", VALIDATION)
        return {row.row.rpartition(": ")[2]: row for row in rows}

    def test_all_problems_in_the_order_of_the_file(self, problems):
        assert len(problems) == 1000
        assert list(problems)[:6] == ["33", "117", "147", "162", "172", "239"]
        assert sum(bool(p.choices) for p in problems.values()) == 275
        assert sum(p.unit is not None for p in problems.values()) == 436
        assert all(p.answer in p.choices for p in problems.values() if p.choices)

    @pytest.mark.parametrize(
        ("pid", "start", "answer", "answer_type", "precision", "unit"),
        [
            ("117", "As part of a statistics", "10", AnswerType.INTEGER, None, "pounds"),
            ("2201", "How much money does", "6,830", AnswerType.INTEGER, None, "$"),
            ("10131", "Look at Veronica's pay", "2,825.35", AnswerType.FLOAT, 2, "$"),
            ("925", "Adam purchased", "14.40", AnswerType.FLOAT, 2, "$"),
            ("533", "A health instructor", "1/12", AnswerType.TEXT, None, None),
        ],
    )
    def test_free_answers(self, problems, pid, start, answer, answer_type, precision, unit):
        problem = problems[pid]
        assert problem.question.startswith(start)
        assert (problem.answer, problem.choices, problem.unit) == (answer, (), unit)
        assert (problem.answer_type, problem.precision) == (answer_type, precision)
        assert problem.image == f"tables/{pid}.png"

    def test_multiple_choice(self, problems):
        problem = problems["33"]
        assert asked(problem)[1:] == (["linear", "nonlinear"], "nonlinear", "B")
        assert (problem.answer, problem.answer_type) == ("nonlinear", None)
        assert problem.rationale is not None
        assert problem.rationale.endswith("The function is nonlinear.")

    def test_images_load_and_the_table_is_not_in_the_question(self, problems):
        assert problems["33"].load().startswith(b"\x89PNG")
        assert not any(" | " in p.question for p in problems.values())

    def test_the_train_split_is_not_in_the_sample(self, shared_sources):
        folder = shared_sources / "TabMWP"
        with pytest.raises(SourceError) as caught:
            read("TabMWP", folder)
        assert str(caught.value) == (
            f"TabMWP: problems_train.json is not in {folder}; download it from "
            "https://github.com/lupantech/PromptPG, or read the validation split with "
            "`splits: [validation]` in the recipe."
        )


class TestTabMWP:
    ROW: ClassVar[dict[str, Any]] = {
        "question": "How many? ",
        "choices": None,
        "answer": "3",
        "unit": None,
        "table": "a | b",
        "solution": "Count \u00d7.",
        "ques_type": "free_text",
        "ans_type": "integer_number",
    }

    def test_splits_are_read_in_the_wanted_order_from_their_files(self, tmp_path):
        write(tmp_path / "problems_train.json", {"2": self.ROW, "1": self.ROW})
        write(tmp_path / "problems_dev.json", {"3": self.ROW})
        write(tmp_path / "problems_dev1k.json", {"4": self.ROW})
        write(tmp_path / "problems_test.json", {"5": self.ROW})
        rows = candidates("TabMWP", tmp_path, ("train", "validation"))
        assert [row.row for row in rows] == [
            "problems_train.json: 2",
            "problems_train.json: 1",
            "problems_dev.json: 3",
        ]
        assert (asked(rows[0])[0], rows[0].rationale) == ("How many?", "Count \u00d7.")

    def test_a_missing_split_is_said(self, tmp_path):
        write(tmp_path / "problems_train.json", {"1": self.ROW})
        with pytest.raises(SourceError, match=r"problems_dev\.json or .*`splits: \[train\]`"):
            read("TabMWP", tmp_path, ("train", "validation"))

    def test_nothing_there_names_no_other_split(self, tmp_path):
        with pytest.raises(SourceError, match=r"from https://github.com/lupantech/PromptPG\.$"):
            read("TabMWP", tmp_path / "none")

    @pytest.mark.parametrize(
        ("answer", "declared", "answer_type", "precision"),
        [
            ("-12", "integer_number", AnswerType.INTEGER, None),
            ("12", "decimal_number", AnswerType.INTEGER, None),
            ("0.5", "decimal_number", AnswerType.FLOAT, 1),
            ("1,23", "integer_number", AnswerType.TEXT, None),
            ("12", "extractive_text", AnswerType.TEXT, None),
            ("12", "other_text", AnswerType.TEXT, None),
            ("yes", "boolean_text", None, None),
            ("12", None, None, None),
        ],
    )
    def test_answer_types(self, tmp_path, answer, declared, answer_type, precision):
        row = {**self.ROW, "answer": answer, "ans_type": declared}
        write(tmp_path / "problems_train.json", {"1": row})
        (problem,) = candidates("TabMWP", tmp_path)
        assert (problem.answer_type, problem.precision) == (answer_type, precision)

    def test_malformed_rows(self, tmp_path):
        rows = {
            "1": {**self.ROW, "ques_type": "multi_choice"},
            "../x": self.ROW,
            "\ud800": self.ROW,
            "2": {key: value for key, value in self.ROW.items() if key != "answer"},
            "3": None,
            "4": {**self.ROW, "answer": 3},
        }
        write(tmp_path / "problems_train.json", rows)
        got = [rejection(row) for row in read("TabMWP", tmp_path)]
        assert all(reason is Reason.MALFORMED_ROW for _, reason, _ in got)
        assert [(row.removeprefix("problems_train.json: "), detail) for row, _, detail in got] == [
            ("1", "choices: none for a multiple-choice question"),
            ("../x", "the key is not a problem number"),
            ("\ud800", "the key is not a problem number"),
            ("2", "object missing required field answer"),
            ("3", "expected object, got null"),
            ("4", "answer: expected str, got int"),
        ]

    def test_a_broken_file_is_refused_as_a_whole(self, tmp_path):
        write(tmp_path / "problems_train.json", '{"1": {}\n "2": {}}')
        with pytest.raises(SourceError, match=r"problems_train\.json, line 2, column 2: Expecting"):
            read("TabMWP", tmp_path)
