"""Sources read from copies on the Hub: the documented columns, served by a Hub on loopback."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from datasets import ClassLabel, Dataset, Features, Image, List, Value

from hub_server import Hub, hub
from mathv360k.builder.pool import read_questions
from source_reading import png

REPOSITORY = "somebody/copy"
TEXT, WHOLE = Value("string"), Value("int64")
FOUR = ["40°", "60°", "120°", "140°"]


def picture(number: int) -> dict[str, Any]:
    return {"bytes": png(number), "path": "image.png"}  # many copies call all images alike


COPIES: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {
    "ChartQA": (
        {
            "image": Image(),
            "query": TEXT,
            "label": List(TEXT),
            "human_or_machine": ClassLabel(names=["human", "machine"]),
        },
        [{"image": picture(1), "query": "How many?", "label": ["63"], "human_or_machine": 1}],
    ),
    "DocVQA": (
        {
            "questionId": TEXT,
            "question": TEXT,
            "question_types": List(TEXT),
            "image": Image(),
            "docId": WHOLE,
            "ucsf_document_id": TEXT,
            "ucsf_document_page_no": TEXT,
            "answers": List(TEXT),
        },
        [
            {
                "questionId": "1",
                "question": "How many?",
                "question_types": ["table"],
                "image": picture(1),
                "docId": 1,
                "ucsf_document_id": "f",
                "ucsf_document_page_no": "2",
                "answers": ["63", "$63"],
            }
        ],
    ),
    "GeoQA+": (
        {
            "id": WHOLE,
            "subject": TEXT,
            "choices": List(TEXT),
            "label": WHOLE,
            "formal_point": List(TEXT),
            "answer": TEXT,
            "image": Image(),
            "original_split": TEXT,
        },
        [
            {
                "id": n,
                "subject": "如图",
                "choices": FOUR,
                "label": 2,
                "formal_point": ["A"],
                "answer": "故选C",
                "image": picture(n),
                "original_split": split,
            }
            for n, split in enumerate(["test", "train", "val"])
        ],
    ),
    "Geometry3K": (
        {
            "images": List(Image()),
            "problem": TEXT,
            "answer": TEXT,
            "id": WHOLE,
            "choices": List(TEXT),
            "ground_truth": TEXT,
        },
        [
            {
                "images": [picture(1)],
                "problem": "<image>Find $x$.",
                "answer": "120°",
                "id": 0,
                "choices": FOUR,
                "ground_truth": "C",
            },
            {
                "images": [picture(1), picture(2)],
                "problem": "<image><image>Find $y$.",
                "answer": "1",
                "id": 1,
                "choices": FOUR,
                "ground_truth": "A",
            },
        ],
    ),
    "ScienceQA": (
        {
            "image": Image(),
            "question": TEXT,
            "choices": List(TEXT),
            "answer": Value("int8"),
            "hint": TEXT,
            "lecture": TEXT,
            "solution": TEXT,
        },
        [
            {
                "image": shown,
                "question": "Which?",
                "choices": FOUR,
                "answer": 2,
                "hint": "Look.",
                "lecture": "",
                "solution": "So.",
            }
            for shown in (None, picture(1))
        ],
    ),
    "A-OKVQA": (
        {
            "image": Image(),
            "question_id": TEXT,
            "question": TEXT,
            "choices": List(TEXT),
            "correct_choice_idx": Value("int8"),
            "direct_answers": TEXT,
            "difficult_direct_answer": Value("bool"),
            "rationales": List(TEXT),
        },
        [
            {
                "image": picture(1),
                "question_id": "2N5s",
                "question": "Which?",
                "choices": FOUR,
                "correct_choice_idx": 2,
                "direct_answers": "['a', 'b']",
                "difficult_direct_answer": False,
                "rationales": ["So."],
            }
        ],
    ),
    "VQA-RAD": (
        {"image": Image(), "question": TEXT, "answer": TEXT},
        [
            {"image": picture(1), "question": "Is it?", "answer": "yes"},
            {"image": picture(1), "question": "Is it not?", "answer": "no"},
        ],
    ),
}
EXPECTED = {
    "ChartQA": [("How many?", "63", None)],
    "DocVQA": [("How many?", "63", None)],
    "GeoQA+": [("如图", "120°", "C")],
    "Geometry3K": [("Find $x$.", "120°", "C")],
    "ScienceQA": [("Look.\nWhich?", "120°", "C")],
    "A-OKVQA": [("Which?", "120°", "C")],
    "VQA-RAD": [("Is it?", "Yes", None), ("Is it not?", "No", None)],
}
Build = Callable[..., Any]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Hub]:
    with hub(tmp_path / "hub") as running:
        yield running


@pytest.fixture
def build(served: Hub, tmp_path: Path) -> Build:
    """Builds a source from a copy that the Hub serves; what the process says."""
    copied = tmp_path / "copied"
    (copied / "data").mkdir(parents=True)

    def run(name: str, features: Any, rows: Any, revision: str = "v1.0.0") -> Any:
        copy = Dataset.from_list(rows, features=Features(features))
        copy.to_parquet(copied / "data" / "train-00000-of-00001.parquet")
        served.serve(copied, REPOSITORY, tag="v1.0.0")
        recipe = {"name": "copy", "sources": {name: {"hub": f"{REPOSITORY}@{revision}"}}}
        (tmp_path / "copy.yaml").write_text(json.dumps(recipe))
        return subprocess.run(
            [sys.executable, "-m", "mathv360k", "build", "copy.yaml", "--json"],
            capture_output=True,
            text=True,
            env=served.environment(tmp_path / "home"),
            check=False,
            cwd=tmp_path,
        )

    return run


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_with_the_documented_columns(
    name: str, build: Build, served: Hub, tmp_path: Path
) -> None:
    done = build(name, *COPIES[name])
    assert done.returncode == 0, done.stderr
    manifest = json.loads(done.stdout)
    told = read_questions(
        tmp_path / "mathv360k.pool", ["question", "answer", "answer_letter", "id"]
    ).to_pylist()
    assert [(q["question"], q["answer"], q["answer_letter"]) for q in told] == EXPECTED[name]
    images = pq.read_table(tmp_path / "mathv360k.pool" / "images.parquet")
    assert images["width"].to_pylist() == [8]
    head = served.commits(REPOSITORY)[0].oid
    pool = json.loads((tmp_path / "mathv360k.pool" / "manifest.json").read_text())
    assert pool["parameters"]["sources"][name]["files"] == head  # what the tag means now
    reasons = manifest["quarantine"].get(name, {})
    assert reasons == ({"not_one_image": 1} if name == "Geometry3K" else {})


def test_rows_are_named_by_their_place(build: Build, tmp_path: Path) -> None:
    features, rows = COPIES["ChartQA"]
    build("ChartQA", features, [{**rows[0], "image": picture(n)} for n in range(3)])
    ids = read_questions(tmp_path / "mathv360k.pool", ["id"])["id"].to_pylist()
    assert sorted(ids) == [f"ChartQA/train/{n:07d}#original-0" for n in range(3)]


def test_another_table_is_refused_with_what_it_lacks(build: Build) -> None:
    done = build("ChartQA", *COPIES["VQA-RAD"])
    assert done.returncode == 2
    assert f"{REPOSITORY} lacks the columns label, query of a copy of ChartQA" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_revision_is_one_sentence(build: Build) -> None:
    done = build("ChartQA", *COPIES["ChartQA"], revision="v9.9.9")
    assert done.returncode == 1
    assert f"error: {REPOSITORY}@v9.9.9 cannot be found on the Hub: " in done.stderr
    assert "Traceback" not in done.stderr
