"""The official prompts, to the byte: against the released ones, and against the templates."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from mathv360k.errors import OutputError
from mathv360k.eval.prompts import mathv360k, mathverse, mathvision, mathvista, mmmu

CHOICE = {
    "pid": "1",
    "question": "Which is it?",
    "choices": ["red", "blue"],
    "unit": None,
    "precision": None,
    "question_type": "multi_choice",
    "answer_type": "text",
}
NUMBER = {**CHOICE, "choices": None, "question_type": "free_form", "answer_type": "integer"}


def test_queries_are_those_of_query_json(pack: Path) -> None:
    queries = json.loads((pack / "annotations" / "mathvista_query.json").read_bytes())
    problems = json.loads((pack / "annotations" / "mathvista_testmini.json").read_bytes())
    assert len(queries) == 1000
    assert {pid: mathvista.query(problems[pid]) for pid in queries} == queries


@pytest.mark.parametrize("kind", ["code", "solution"])
def test_two_shot_queries_are_those_of_the_released_outputs(pack: Path, kind: Any) -> None:
    outputs = json.loads((pack / "mathvista" / f"output_chatgpt_2shot_{kind}.json").read_bytes())
    made = {p: mathvista.build_query(r, 2, kind, released=True) for p, r in outputs.items()}
    assert made == {pid: record["query"] for pid, record in outputs.items()}
    today = [mathvista.build_query(record, 2, kind) for record in outputs.values()]
    same = sum(a == b["query"] for a, b in zip(today, outputs.values(), strict=True))
    assert same == (1000 if kind == "code" else 0)  # a formatter took a blank from the repository


def test_extraction_prompts_have_the_official_hashes(pack: Path, expected: dict[str, Any]) -> None:
    for name, known in expected["mathvista"].items():
        if wanted := known["extraction_prompt_sha256"]:
            outputs = json.loads((pack / "mathvista" / name).read_bytes()).values()
            made = "\0".join(mathvista.extraction(o["query"], o["response"]) for o in outputs)
            assert sha256(made.encode()).hexdigest() == wanted


def test_the_demonstrations_of_extraction_are_the_official_ones() -> None:
    text = mathvista.extraction("", "").removesuffix("\n\n\n\n\n\nExtracted answer: ")
    assert len(text) == 1_696
    assert sha256(text.encode()).hexdigest() == (
        "2c251ab9e219c5d7db855ad5a9ef44d5bdb10639244b8d28e3ee66a5bda3f71c"
    )


def test_mathverse_prompts_are_the_official_ones(pack: Path, expected: dict[str, Any]) -> None:
    problems = json.loads((pack / "annotations" / "mathverse_testmini_text_only.json").read_bytes())
    assert len(problems) == 788
    for problem in problems:
        assert mathverse.query_wo(problem) == problem["query_wo"]
        assert mathverse.query_cot(problem) == problem["query_cot"]
    outputs = json.loads((pack / "mathverse" / "output_testmini.json").read_bytes())
    known = expected["mathverse"]["output_testmini.json"]["records"]
    for output, official in zip(outputs, known, strict=True):
        cut = mathverse.truncated(output["model_answer"], 30)
        assert cut == official["trunk_30"]
        assert mathverse.extraction(cut) == official["extract_prompt"]
        judged = mathverse.judgement(output["question"], output["answer"], output["answer"])
        assert judged == official["score_prompt_if_extraction_equals_answer"]


def test_a_query_is_hint_question_and_choices() -> None:
    assert mathvista.query(CHOICE) == (
        "Hint: Please answer the question and provide the correct option letter, e.g., A, B, C, D, "
        "at the end.\nQuestion: Which is it?\nChoices:\n(A) red\n(B) blue"
    )
    assert mathvista.query({**NUMBER, "unit": "cm"}).endswith("Question: Which is it? (Unit: cm)")
    floats = {**NUMBER, "answer_type": "float"}
    assert "with two decimal places" in mathvista.query({**floats, "precision": 2.0})
    assert "requiring a Python list" in mathvista.query({**NUMBER, "answer_type": "list"})
    with pytest.raises(OutputError, match=r"Item '1': MathVista has no hint .* precision 5"):
        mathvista.query({**floats, "precision": 5})


def test_build_query_has_the_hint_last_and_a_cue() -> None:
    made = mathvista.build_query(CHOICE, caption="A cat.", ocr="[([1, 2], 'x')]")
    assert made == (
        "Question: Which is it?\nChoices:\n(A) red\n(B) blue\nImage description: A cat.\n"
        "Image detected text: [([1, 2], 'x')]\nHint: Please answer the question and provide the "
        "correct option letter, e.g., A, B, C, D, at the end.\nSolution:"
    )
    code = mathvista.build_query(NUMBER, 3, "code", caption="x")
    assert code.count("Python code: ") == 3  # demonstrations; its own cue has lost its blank
    assert code.count("Image description: ") == 4
    assert code.endswith("Hint: Please generate a python code to solve the problem\nPython code:")


def test_mmmu_prompts_are_the_folded_templates() -> None:
    row = {"question": "Which?", "options": ["one", "two"]}
    assert mmmu.direct(row) == (
        "Which?\n(A) one\n(B) two\n\nAnswer with the option's letter from the given choices "
        "directly."
    )
    free = {"question": "How many?", "options": []}
    assert mmmu.direct(free) == ("How many?\nAnswer the question using a single word or phrase.")
    assert mmmu.math_llava(row) == (
        "Hint: Please answer the question and provide the correct option letter, e.g., A, B, C, D, "
        "at the end.\nWhich?\n(A) one\n(B) two\n"
    )
    assert mmmu.math_llava(free) == (
        "Hint: Please answer the question and provide the final answer at the end.\nHow many?"
    )


def test_mathvision_prompts_list_options_that_say_something() -> None:
    listed = {"question": "Which?\n<image1>", "options": ["1", "2", "3", "4", "5"]}
    bare = {"question": "Which?\n<image1>", "options": list("ABCDE")}
    options = "(A) 1\n(B) 2\n(C) 3\n(D) 4\n(E) 5\n"
    boxed = (
        'and put your answer in one "\\boxed{}". If it is a multiple choice question, only one '
        'letter is allowed in the "\\boxed{}".\nWhich?\n<image1>\n'
    )
    assert mathvision.cot(listed) == f"Please solve the problem step by step {boxed}{options}"
    assert mathvision.boxed(bare) == f"Please solve the problem {boxed}"
    assert mathvision.direct(listed) == (
        f"Which?\n<image1>\n{options}\nAnswer the question using a single word or phrase."
    )
    assert mathvision.gemini(bare) == (
        "Answer the question using a single letter or number or word. \nWhich?\n<image1>\n"
        "(A) A\n(B) B\n(C) C\n(D) D\n(E) E\n"
    )


def test_mathvision_has_384_problems_with_bare_options(pack: Path) -> None:
    lines = (pack / "annotations" / "mathv_test.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert len(rows) == 3040
    assert sum(bool(r["options"]) and "(A)" not in mathvision.cot(r) for r in rows) == 384


def test_the_training_format_has_the_hint_first() -> None:
    assert mathv360k.hint_first(CHOICE) == mathvista.query(CHOICE)
    assert mathv360k.hint_first({**NUMBER, "unit": "cm"}) == mathvista.query(
        {**NUMBER, "unit": "cm"}
    )
    said = {**NUMBER, "answer_type": "yes_no"}
    assert mathv360k.hint_first(said) == (
        "Hint: Please answer the question and provide the final answer at the end.\n"
        "Question: Which is it?"
    )
    assert mathv360k.plain(CHOICE) == "Question: Which is it?\nChoices:\n(A) red\n(B) blue"
