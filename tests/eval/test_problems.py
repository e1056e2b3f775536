"""The problems of a benchmark: from copies of the Hub, from its own files, and drawn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset, Features, Image, Sequence, Value

from mathv360k.builder.answers import same_answer
from mathv360k.builder.schema import Unusable
from mathv360k.errors import OutputError, UsageError
from mathv360k.eval.problems import HELD_OUT_SEED, SOURCES, prompt_named, read_problems
from pools import diagram, encoded

PICTURES = [encoded(diagram(seed)) for seed in range(3)]


def mathvista_row(number: int) -> dict[str, Any]:
    return {
        "pid": str(number),
        "question": f"What is {number}?",
        "image": f"images/{number}.jpg",
        "decoded_image": {"bytes": PICTURES[number], "path": f"{number}.png"},
        "choices": None,
        "unit": None,
        "precision": 1.0,
        "answer": f"{number}.5",
        "question_type": "free_form",
        "answer_type": "float",
        "metadata": {"task": "math word problem"},
    }


def mathvista_copy(folder: Path, rows: list[dict[str, Any]]) -> Path:
    """A copy of the benchmark's repository as the Hub has it: Parquet in `data`."""
    features = Features(
        {
            **dict.fromkeys(("pid", "question", "image", "unit", "answer"), Value("string")),
            "decoded_image": Image(),
            "choices": Sequence(Value("string")),
            "precision": Value("float64"),
            "question_type": Value("string"),
            "answer_type": Value("string"),
            "metadata": {"task": Value("string")},
        }
    )
    (folder / "data").mkdir(parents=True)
    table = Dataset.from_list(rows, features=features)
    table.to_parquet(folder / "data" / "testmini-00000-of-00001.parquet")
    return folder


def test_a_copy_of_the_hub_gives_rows_and_the_images_own_bytes(tmp_path: Path) -> None:
    folder = mathvista_copy(tmp_path / "mathvista", [mathvista_row(n) for n in range(3)])
    problems = read_problems("mathvista", str(folder))
    assert [problem.id for problem in problems] == ["0", "1", "2"]
    assert [p.load() for p in problems if p.load] == PICTURES
    assert problems[1].row["answer"] == "1.5"
    assert "decoded_image" not in problems[1].row
    assert len(read_problems("mathvista", str(folder), limit=2)) == 2
    _, prompt = prompt_named("mathvista", None)
    assert prompt(problems[2].row).endswith("at the end.\nQuestion: What is 2?")


def test_the_benchmarks_own_files_are_read_with_images_beside(tmp_path: Path) -> None:
    rows = {str(n): {**mathvista_row(n), "decoded_image": None} for n in range(3)}
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "testmini.json").write_text(json.dumps(rows))
    for place, folder in ((0, tmp_path / "data" / "images"), (1, tmp_path / "images")):
        folder.mkdir()
        (folder / f"{place}.jpg").write_bytes(PICTURES[place])
    first, second, third = read_problems("mathvista", str(tmp_path))
    assert first.load and second.load and third.load
    assert (first.load(), second.load()) == (PICTURES[0], PICTURES[1])
    with pytest.raises(Unusable, match="does not exist"):
        third.load()
    again = read_problems("mathvista", str(tmp_path / "data" / "testmini.json"))
    assert [problem.id for problem in again] == ["0", "1", "2"]


def test_an_image_outside_the_folder_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(PICTURES[0])
    (tmp_path / "in").mkdir()
    row = {**mathvista_row(1), "image": "../../secret.png", "decoded_image": None}
    (tmp_path / "in" / "testmini.json").write_text(json.dumps({"1": row}))
    (problem,) = read_problems("mathvista", str(tmp_path / "in"))
    assert problem.load
    with pytest.raises(Unusable, match="not a path below"):
        problem.load()


def test_lists_that_mmmu_spells_as_texts_are_read(tmp_path: Path) -> None:
    rows = [
        {"id": "validation_Math_1", "question": "Which?", "options": "['1', '2']", "answer": "B",
         "question_type": "multiple-choice"},
        {"id": "validation_Math_2", "question": "How?", "options": "[]", "answer": "['24/7', '3']",
         "question_type": "open"},
        {"id": "validation_Math_3", "question": "How?", "options": "[]", "answer": "3",
         "question_type": "open"},
    ]  # fmt: skip
    cells = [{**row, "image_1": {"bytes": PICTURES[0], "path": "a.png"}} for row in rows]
    names = ("id", "question", "options", "answer", "question_type")
    features = Features({**dict.fromkeys(names, Value("string")), "image_1": Image()})
    (tmp_path / "data").mkdir()
    table = Dataset.from_list(cells, features=features)
    table.to_parquet(tmp_path / "data" / "validation-00000-of-00001.parquet")
    choice, listed, free = read_problems("mmmu", str(tmp_path))
    assert choice.row["index2ans"] == {"A": "1", "B": "2"}
    assert choice.row["all_choices"] == ["A", "B"]
    assert listed.row["answer"] == ["24/7", "3"]
    assert free.row["answer"] == "3"


def test_drawn_problems_are_clear_true_and_the_same_each_time() -> None:
    problems = read_problems("drawn", limit=40)
    assert [p.row for p in problems] == [p.row for p in read_problems("drawn", limit=40)]
    assert len({problem.id for problem in problems}) == 40
    assert all(f"/{HELD_OUT_SEED}-" in problem.id for problem in problems)
    assert {problem.row["task"] for problem in problems} == {"FQA", "GPS", "MWP", "TQA", "VQA"}
    for problem in problems:
        assert problem.load and problem.load().startswith(b"\x89PNG")
        row = problem.row
        assert same_answer(row["answer"], row["answer"], row["choices"], row["unit"])
        for name in SOURCES["drawn"].prompts:
            assert row["question"] in prompt_named("drawn", name)[1](row)


def test_what_is_not_a_benchmark_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'mmmu-pro' cannot be run; there are mathvista, mmmu,"):
        read_problems("mmmu-pro")
    with pytest.raises(UsageError, match="drawn here; it has no other data"):
        read_problems("drawn", "x")
    with pytest.raises(UsageError, match=r"mathvista has the prompts query, .*, not 'x'"):
        prompt_named("mathvista", "x")
    with pytest.raises(UsageError, match=r"cannot be loaded: .*; name a folder with --data"):
        read_problems("mathvista", str(tmp_path))
    twice = mathvista_copy(tmp_path / "twice", [mathvista_row(1), mathvista_row(1)])
    with pytest.raises(OutputError, match="has a problem twice"):
        read_problems("mathvista", str(twice))
    with pytest.raises(OutputError, match="has no column 'image_1'; is it this benchmark"):
        read_problems("mmmu", str(twice), split="testmini")
    odd = mathvista_copy(tmp_path / "odd", [{**mathvista_row(1), "question_type": "essay"}])
    with pytest.raises(OutputError, match=r"odd, row 1: question_type: .*; is it this benchmark"):
        read_problems("mathvista", str(odd))
