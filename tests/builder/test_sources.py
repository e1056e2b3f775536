from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, ClassVar

import pytest

from mathv360k.builder import sources
from mathv360k.builder.schema import AnswerType, Reason, Unusable
from mathv360k.builder.sources import SOURCES, missing_files
from mathv360k.builder.sources.source import Candidate, ReadOptions, Rejection, Split
from mathv360k.errors import SourceError, UsageError

REPOSITORY = Path(__file__).resolve().parents[2]
VALIDATION: tuple[Split, ...] = ("validation",)


@pytest.fixture
def shared_sources() -> Path:
    folder = REPOSITORY.parent / "shared" / "data" / "sources"
    if not folder.is_dir():
        pytest.skip(f"the samples of the source datasets are not at {folder}")
    return folder


def read(
    name: str, folder: Path, splits: tuple[Split, ...] = ("train",)
) -> list[Candidate | Rejection]:
    reader = SOURCES[name].read
    assert reader is not None
    return list(reader(folder, ReadOptions(splits=splits)))


def candidates(name: str, folder: Path, splits: tuple[Split, ...] = ("train",)) -> list[Candidate]:
    rows = read(name, folder, splits)
    assert not [row for row in rows if isinstance(row, Rejection)]
    return [row for row in rows if isinstance(row, Candidate)]


def rejection(row: Candidate | Rejection) -> tuple[str, Reason, str]:
    assert isinstance(row, Rejection)
    return row.row, row.reason, row.detail


def write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")


class TestRegistry:
    def test_names_stand_in_the_order_of_the_tasks(self):
        assert list(SOURCES) == [
            *["ChartQA", "DVQA", "DocVQA", "FigureQA", "MapQA", "PlotQA"],
            *["GEOS", "GeoQA+", "Geometry3K", "UniGeo"],
            *["CLEVR-Math", "IconQA", "TabMWP"],
            *["AI2D", "ScienceQA", "TQA"],
            *["A-OKVQA", "PMC-VQA", "Super-CLEVR", "TextVQA"],
            *["VQA-AS", "VQA-RAD", "VQA2.0", "VizWiz"],
        ]

    def test_tasks(self):
        tasks = Counter(str(source.task) for source in SOURCES.values())
        assert tasks == {"FQA": 6, "GPS": 4, "MWP": 3, "TQA": 3, "VQA": 8}

    def test_which_images_may_be_published_again(self):
        def with_rehost(value: str) -> set[str]:
            return {name for name, source in SOURCES.items() if source.rehost == value}

        assert with_rehost("no") == {"DocVQA", "FigureQA", "GEOS", "GeoQA+", "UniGeo"}
        assert with_rehost("unclear") == {
            *["ChartQA", "Geometry3K", "AI2D", "A-OKVQA", "PMC-VQA", "VQA-AS", "VQA2.0", "VizWiz"]
        }
        assert len(with_rehost("yes")) == 11

    @pytest.mark.parametrize("name", SOURCES)
    def test_declarations_are_complete(self, name):
        source = SOURCES[name]
        assert source.name == name
        assert source.license
        assert source.files
        assert source.homepage.startswith("https://")
        assert source.obtain.endswith(".")
        assert any(year in source.citation for year in map(str, range(2015, 2025)))
        assert not any(pattern.startswith(("/", "..")) for pattern in source.files)

    def test_contexts_are_words_of_mathvista(self):
        contexts = {source.context for source in SOURCES.values()}
        assert contexts == {
            *[None, "bar chart", "document image", "map chart", "geometry diagram", "table"],
            *["natural image", "abstract scene", "synthetic scene", "medical image"],
            "scientific figure",
        }

    def test_four_sources_can_be_read(self):
        readable = {name for name, source in SOURCES.items() if source.read}
        assert readable == {"ChartQA", "Geometry3K", "TabMWP", "VQA-RAD"}

    def test_a_source_is_found_by_its_name(self):
        assert sources.source("GeoQA+") is SOURCES["GeoQA+"]

    @pytest.mark.parametrize(
        ("wrong", "right"),
        [("tabmwp", "TabMWP"), ("VQA2", "VQA2.0"), ("GeoQA", "GeoQA+"), ("Geometry", "Geometry3K")],
    )
    def test_a_wrong_name_is_answered_with_the_nearest(self, wrong, right):
        with pytest.raises(UsageError, match=rf"no source '{wrong}'; did you mean "):
            sources.source(wrong)
        with pytest.raises(UsageError) as caught:
            sources.source(wrong)
        assert str(caught.value).endswith(f"did you mean {right}?")

    def test_a_name_like_no_other_is_answered_with_all(self):
        with pytest.raises(UsageError, match=r"there are ChartQA, DVQA, .*VizWiz"):
            sources.source("0123456789")

    def test_missing_files_are_the_patterns_without_a_match(self, tmp_path):
        source = SOURCES["TabMWP"]
        assert missing_files(source, tmp_path) == ["problems_train.json", "tables/*.png"]
        write(tmp_path / "TabMWP" / "tables" / "1.png", "")
        assert missing_files(source, tmp_path) == ["problems_train.json"]
        write(tmp_path / "TabMWP" / "problems_train.json", "")
        assert missing_files(source, tmp_path) == []

    @pytest.mark.parametrize("name", ["ChartQA", "GEOS", "Geometry3K", "VQA-RAD", "VQA2.0"])
    def test_samples_in_native_layout_have_all_files(self, shared_sources, name):
        assert missing_files(SOURCES[name], shared_sources) == []


class TestGeometry3KSample:
    """Expectations read from the raw `data.json` files."""

    @pytest.fixture
    def problems(self, shared_sources) -> list[Candidate]:
        return candidates("Geometry3K", shared_sources / "Geometry3K")

    def test_all_train_problems_in_the_order_of_their_ids(self, problems):
        assert len(problems) == 2101
        assert [p.row for p in problems] == [f"train/{n}/data.json" for n in range(2101)]
        letters = Counter("ABCD"[p.answer_index or 0] for p in problems)
        assert letters == {"A": 471, "B": 660, "C": 591, "D": 379}
        assert sum(p.unit is not None for p in problems) == 233
        assert not any("\r" in p.question for p in problems)

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
        assert (problem.choices, problem.answer) == (choices, answer)
        assert (problem.answer_index, problem.unit) == (index, unit)
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
        assert (first.row, second.row) == ("train/9/data.json", "train/10/data.json")
        assert first.question == "Find $x$.\nRound."
        assert (first.answer, first.answer_index, first.unit) == ("2", 2, None)
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
            ({"answer": 2}, Reason.MALFORMED_ROW, "answer is an integer, not a text"),
            ({"choices": "1234"}, Reason.MALFORMED_ROW, "choices is a text, not a list"),
            ({"choices": ["1", None]}, Reason.MALFORMED_ROW, "choices[1] is null, not a text"),
            ({"annotat_text": None}, Reason.MALFORMED_ROW, "annotat_text is null, not a text"),
            ({"unit": {}}, Reason.MALFORMED_ROW, "unit is an object, not a text"),
            ({"annotat_text": "\ud800"}, Reason.MALFORMED_ROW, "holds half a character"),
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
        assert broken.startswith("train/1/data.json, line 2, column 1: the file ends too early")
        assert listed == "the row is a list, not an object"
        assert absent.startswith("train/3/data.json: No such file")


class TestTabMWPSample:
    """Expectations read from the raw `problems_dev1k.json`."""

    @pytest.fixture
    def problems(self, shared_sources) -> dict[str, Candidate]:
        rows = candidates("TabMWP", shared_sources / "TabMWP", VALIDATION)
        return {row.row.rpartition(", ")[2]: row for row in rows}

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
        assert problem.choices == ("linear", "nonlinear")
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
            "problems_train.json: line 1, 2",
            "problems_train.json: line 1, 1",
            "problems_dev.json: line 1, 3",
        ]
        assert (rows[0].question, rows[0].rationale) == ("How many?", "Count \u00d7.")

    def test_a_missing_split_is_said_before_any_row(self, tmp_path):
        write(tmp_path / "problems_train.json", {"1": self.ROW})
        reader = SOURCES["TabMWP"].read
        assert reader is not None
        with pytest.raises(SourceError, match=r"problems_dev\.json or .*`splits: \[train\]`"):
            next(reader(tmp_path, ReadOptions(splits=("train", "validation"))))

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
        assert [(row.partition(", ")[2], detail) for row, _, detail in got] == [
            ("1", "choices is null, not a list"),
            ("../x", "the key is not a problem number"),
            ("\\ud800", "the key is not a problem number"),
            ("2", "answer is missing"),
            ("3", "the row is null, not an object"),
            ("4", "answer is an integer, not a text"),
        ]

    def test_a_broken_file_is_refused_as_a_whole(self, tmp_path):
        write(tmp_path / "problems_train.json", '{"1": {}\n "2": {}}')
        with pytest.raises(SourceError, match=r"problems_train\.json, line 2, column 2: Expecting"):
            read("TabMWP", tmp_path)


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
            (0, "human.json: line 1, row 1", "10095.png", "Is the value of Favorable", "Yes"),
            (3, "human.json: line 1, row 4", "10149.png", "What is the sum favourable", "95"),
            (4, "augmented.json: line 2, row 1", "two_col_22290.png", "How much was", "19.5"),
            (5, "augmented.json: line 7, row 2", "two_col_104268.png", "What was the", "4608848"),
            (1003, "augmented.json: line 4997, row 1000", "two_col_2364.png", "Which", "Lombardy"),
        ],
    )
    def test_row(self, train, index, row, image, start, answer):
        chart = train[index]
        assert chart.row == f"train/train_{row}"
        assert chart.image == f"train/png/{image}"
        assert chart.question.startswith(start)
        assert (chart.answer, chart.choices) == (answer, ())

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
            *("train/train_human.json: line 1, row 2", Reason.MALFORMED_ROW),
            "label is a number, not a text",
        )
        assert rejection(outside)[1] == Reason.UNSAFE_PATH
        assert rejection(text)[2] == "the row is a text, not an object"

    def test_one_of_the_two_files_is_enough_but_needed(self, tmp_path):
        write(tmp_path / "ChartQA Dataset" / "val" / "val_human.json", [])
        assert read("ChartQA", tmp_path, VALIDATION) == []
        with pytest.raises(SourceError, match=r"train_human\.json or .*train_augmented\.json is"):
            read("ChartQA", tmp_path)


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
        assert (four.answer, four.row) == ("4", f"{self.FILE}: line 1, row 3")
        assert [rejection(row)[1:] for row in bad] == [
            (
                Reason.MALFORMED_ROW,
                "phrase_type 'other' is not one of freeform, para, test_freeform, test_para",
            ),
            (Reason.NO_ANSWER, "answer is 'NULL'"),
            (Reason.NO_QUESTION, "question is ''"),
            (Reason.MALFORMED_ROW, "answer is true or false, not a text"),
        ]

    def test_there_is_no_validation_part(self, tmp_path):
        write(tmp_path / self.FILE, [self.ROW])
        assert len(candidates("VQA-RAD", tmp_path, ("train", "validation"))) == 1
        with pytest.raises(SourceError, match=r"no validation part; .*`splits: \[train\]`"):
            read("VQA-RAD", tmp_path, VALIDATION)
