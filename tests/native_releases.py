"""Sources of any size in their native layouts, filled with made-up rows."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

RNG = random.Random(0)
WORDS = """the number of people who voted for the highest and lowest value between
    countries in this year and the next""".split()  # noqa: SIM905


PROGRAM = [{"inputs": [k], "function": "filter_color", "value_inputs": []} for k in range(6)]


def words(count: int) -> str:
    return " ".join(RNG.choice(WORDS) for _ in range(count))


def box() -> dict[str, float]:
    return {name: round(RNG.random() * 600, 2) for name in "xywh"}


def dvqa(n: int) -> Iterator[tuple[str, Any]]:
    rows = [
        {
            "image": f"bar_train_{i // 11:08d}.png",
            "question": f"What is {words(7)}?",
            "answer": RNG.choice(["two", "17", "no", "beef"]),
            "question_type": "data",
            "bbox_answer": list(box().values()),
            "question_id": f"{i:010d}",
        }
        for i in range(n)
    ]
    yield "train_qa.json", rows


def plotqa(n: int) -> Iterator[tuple[str, Any]]:
    rows = [
        {
            "image_index": i // 180,
            "qid": i,
            "question_string": f"What is the difference between {words(12)} ?",
            "answer_bbox": box(),
            "template": "arithmetic",
            "answer": RNG.choice([RNG.random() * 1e5, "Yes", i]),
            "type": "vbar_categorical",
            "question_id": i % 74,
        }
        for i in range(n)
    ]
    yield "train/qa_pairs_V2.json", {"qa_pairs": rows}


def figureqa(n: int) -> Iterator[tuple[str, Any]]:
    rows = [
        {
            "question_string": f"Is {words(2)} less than {words(2)}?",
            "question_id": i % 15,
            "answer": i % 2,
            "color1_name": "Dark Salmon",
            "color1_id": 17,
            "color1_rgb": [233, 150, 122],
            "color2_name": "--None--",
            "color2_id": -1,
            "color2_rgb": [-1, -1, -1],
            "image_index": i // 13,
        }
        for i in range(n)
    ]
    yield "train1/qa_pairs.json", {"qa_pairs": rows}


def mapqa(n: int) -> Iterator[tuple[str, Any]]:
    for subset in "USV":
        rows = [
            {
                "map_id": f"map_{i // 13}.png",
                "question_type": "retrieval",
                "question_template_id": "retrieval_1",
                "question": f"Name the states {words(6)} ?",
                "oracle_delexicalized_question": f"Name the states {words(6)} ?",
                "tesseract_delexicalized_question": f"Name the states {words(6)} ?",
                "answer": ["California", "Florida"],
                "oracle_delexicalized_answer": ["California", "Florida"],
                "question_id": i,
            }
            for i in range(n // 3)
        ]
        yield f"MapQA_{subset}/questions/train-QA.json", rows


def chartqa(n: int) -> Iterator[tuple[str, Any]]:
    rows = [
        {"imgname": f"two_col_{i}.png", "query": f"How many {words(9)}?", "label": str(i)}
        for i in range(n)
    ]
    yield "ChartQA Dataset/train/train_augmented.json", rows


def super_clevr(n: int) -> Iterator[tuple[str, Any]]:
    rows = [
        {
            "split": "new",
            "image_filename": f"superCLEVR_new_{i // 10:06d}.png",
            "image_index": i // 10 % 20_000,
            "image": f"superCLEVR_new_{i // 10:06d}",
            "question": f"Is there a {words(10)}?",
            "program": PROGRAM,
            "answer": RNG.choice([True, 3, "red"]),
            "template_filename": "zero_hop.json",
            "question_family_index": 3,
            "question_index": i % 10,
        }
        for i in range(n)
    ]
    yield "superCLEVR_questions_30k.json", {"info": {}, "questions": rows}


def clevr_math(n: int) -> Iterator[tuple[str, Any]]:
    rows = [
        {
            "split": "train",
            "image_filename": f"CLEVR_train_{i // 8:06d}.png",
            "image_index": i // 8,
            "image": f"CLEVR_train_{i // 8:06d}",
            "question": f"Subtract all {words(8)}. How many objects are left?",
            "program": [
                {"inputs": [k], "function": "filter", "value_inputs": []} for k in range(5)
            ],
            "answer": i % 11,
            "template_filename": "subtraction.json",
            "question_family_index": 1,
            "question_index": i,
        }
        for i in range(n)
    ]
    yield "clevr-math-train.json", {"info": {}, "questions": rows}


def docvqa(n: int) -> Iterator[tuple[str, Any]]:
    rows = [
        {
            "questionId": i,
            "question": f"What is {words(6)}?",
            "image": f"documents/ffbg{i // 4:04d}_2.png",
            "docId": i,
            "ucsf_document_id": "ffbg0227",
            "ucsf_document_page_no": "2",
            "answers": ["10,596", "$10,596"],
            "data_split": "train",
        }
        for i in range(n)
    ]
    top = {"dataset_name": "docvqa", "dataset_version": "1.0", "dataset_split": "train"}
    yield "train/train_v1.0.json", {**top, "data": rows}


def vqa2(n: int) -> Iterator[tuple[str, Any]]:
    questions = [
        {"image_id": i // 5, "question": f"What is {words(4)}?", "question_id": i} for i in range(n)
    ]
    answers = [{"answer": "yes", "answer_confidence": "yes", "answer_id": k} for k in range(1, 11)]
    annotations = [
        {
            "question_type": "what is",
            "multiple_choice_answer": "yes",
            "answers": answers,
            "image_id": i // 5,
            "answer_type": "yes/no",
            "question_id": i,
        }
        for i in range(n)
    ]
    head = {"info": {}, "task_type": "Open-Ended", "data_type": "mscoco", "license": {}}
    head["data_subtype"] = "train2014"
    name = "v2_OpenEnded_mscoco_train2014_questions.json"
    yield f"Questions/{name}", {**head, "questions": questions}
    yield "Annotations/v2_mscoco_train2014_annotations.json", {**head, "annotations": annotations}


def aokvqa(n: int) -> Iterator[tuple[str, Any]]:
    rows = [
        {
            "split": "train",
            "image_id": i,
            "question_id": f"2N5sYXgyFqbDnuUhJ{i}",
            "question": f"What is {words(6)}?",
            "choices": ["barren", "crowded", "minimalist", "empty"],
            "correct_choice_idx": 1,
            "direct_answers": ["desk"] * 10,
            "difficult_direct_answer": False,
            "rationales": [words(20), words(12), words(9)],
        }
        for i in range(n)
    ]
    yield "aokvqa/aokvqa_v1p0_train.json", rows


def vizwiz(n: int) -> Iterator[tuple[str, Any]]:
    rows = [
        {
            "answerable": 1,
            "image": f"VizWiz_train_{i:08d}.jpg",
            "question": f"What is {words(5)}?",
            "answer_type": "other",
            "answers": [{"answer_confidence": "yes", "answer": words(1)} for _ in range(10)],
        }
        for i in range(n)
    ]
    yield "Annotations/train.json", rows


def textvqa(n: int) -> Iterator[tuple[str, Any]]:
    rows = [
        {
            "image_id": f"{i:016x}",
            "question_id": i,
            "question": f"what is {words(5)}?",
            "question_tokens": words(6).split(),
            "image_width": 1024,
            "image_height": 768,
            "flickr_original_url": "https://farm.example/0.jpg",
            "flickr_300k_url": "https://farm.example/1.jpg",
            "answers": [words(1) for _ in range(10)],
            "image_classes": ["Person", "Poster"],
            "set_name": "train",
        }
        for i in range(n)
    ]
    yield "TextVQA_0.5.1_train.json", {"dataset_type": "train", "data": rows}


def tabmwp(n: int) -> Iterator[tuple[str, Any]]:
    rows = {
        str(i): {
            "question": f"How many {words(20)}?",
            "choices": None,
            "answer": "1,234",
            "unit": "$",
            "table_title": words(3),
            "table": "\n".join(f"{words(1)} | {k}" for k in range(6)),
            "table_for_pd": {"a": [words(1)] * 5, "b": ["1"] * 5},
            "row_num": 6,
            "column_num": 2,
            "solution": words(60),
            "ques_type": "free_text",
            "ans_type": "integer_number",
            "grade": 4,
            "split": "train",
        }
        for i in range(n)
    }
    yield "problems_train.json", rows


def scienceqa(n: int) -> Iterator[tuple[str, Any]]:
    rows = {
        str(i): {
            "question": f"Which {words(8)}?",
            "choices": ["one", "two", "three"],
            "answer": 1,
            "hint": words(20),
            "image": "image.png",
            "task": "closed choice",
            "grade": "grade4",
            "subject": "natural science",
            "topic": "physics",
            "category": "Magnets",
            "skill": words(6),
            "lecture": words(120),
            "solution": words(60),
            "split": "train",
        }
        for i in range(n)
    }
    yield "data/scienceqa/problems.json", rows


def vqa_rad(n: int) -> Iterator[tuple[str, Any]]:
    rows = [
        {
            "qid": i,
            "phrase_type": "freeform",
            "qid_linked_id": "03f451ca-de62-4617-9679-e836026a7642",
            "image_case_url": "https://medpix.example/case/48e1dd0e-8552-46ad-a354-5eb55be86de6",
            "image_name": f"synpic{i // 6}.jpg",
            "image_organ": "HEAD",
            "evaluation": "not evaluated",
            "question": f"Are {words(5)}?",
            "question_rephrase": "NULL",
            "question_relation": "NULL",
            "question_frame": "NULL",
            "question_type": "PRES",
            "answer": "Yes",
            "answer_type": "CLOSED",
        }
        for i in range(n)
    ]
    yield "VQA_RAD Dataset Public.json", rows


def pmc_vqa(n: int) -> Iterator[tuple[str, Any]]:
    lines = ["index,Figure_path,Caption,Question,Choice A,Choice B,Choice C,Choice D,Answer,split"]
    for i in range(n):
        choices = ",".join(f" {letter}:{words(2)} " for letter in "ABCD")
        lines.append(f'{i},PMC{i}_fig.jpg,"{words(30)}",What {words(6)}?,{choices},B,train')
    yield "train_2.csv", "\n".join(lines) + "\n"


def unigeo(n: int) -> Iterator[tuple[str, Any]]:
    rows = [
        {
            "id": i,
            "image": np.full((108, 140), i % 256, np.uint8),
            "token_list": words(30).split(),
            "subject": words(20),
            "English_problem": f"As shown in the figure, {words(20)}",
            "choices": ["40°", "60°", "120°", "140°"],
            "label": i % 4,
            "answer": words(40),
            "numbers": [80.0, 60.0],
            "choice_nums": [40.0, 60.0, 120.0, 140.0],
            "manual_program": ["g_minus", "C_3", "N_0"],
            "formal_point": ["A", "B", "C"],
        }
        for i in range(n // 20)
    ]
    yield "datasets/UniGeo/calculation_train.pk", pickle.dumps(rows)


RELEASES: dict[str, Callable[[int], Iterator[tuple[str, Any]]]] = {
    "ChartQA": chartqa,
    "DVQA": dvqa,
    "DocVQA": docvqa,
    "FigureQA": figureqa,
    "MapQA": mapqa,
    "PlotQA": plotqa,
    "UniGeo": unigeo,
    "CLEVR-Math": clevr_math,
    "TabMWP": tabmwp,
    "ScienceQA": scienceqa,
    "A-OKVQA": aokvqa,
    "PMC-VQA": pmc_vqa,
    "Super-CLEVR": super_clevr,
    "TextVQA": textvqa,
    "VQA-RAD": vqa_rad,
    "VQA2.0": vqa2,
    "VizWiz": vizwiz,
}
"""The sources whose rows lie in few large files; the others have one small file per image."""
