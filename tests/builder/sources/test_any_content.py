"""Whatever stands in its files, a reader yields rows or says in one sentence why it cannot."""

from __future__ import annotations

import json
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mathv360k.builder.schema import Unusable
from mathv360k.builder.sources import SOURCES
from mathv360k.builder.sources.source import Candidate, Rejection
from mathv360k.errors import SourceError
from source_reading import asked, read, write

NUMBERED = ("ai2d_test_ids.csv", "7\n")
FILES = {
    "ChartQA": [("ChartQA Dataset/train/train_human.json", None)],
    "DVQA": [("train_qa.json", None)],
    "DocVQA": [("train/train_v1.0.json", "data")],
    "FigureQA": [("train1/qa_pairs.json", "qa_pairs")],
    "MapQA": [("MapQA_U/questions/train-QA.json", None)],
    "PlotQA": [("train/qa_pairs_V2.json", "qa_pairs")],
    "GEOS": [("aaai/000.json", "one")],
    "Geometry3K": [("geometry3k/train/0/data.json", "one")],
    "CLEVR-Math": [("clevr-math-train.json", "questions")],
    "IconQA": [("iconqa_data/iconqa/train/choose_txt/1/data.json", "one")],
    "TabMWP": [("problems_train.json", None)],
    "AI2D": [("ai2d/questions/0.png.json", "one")],
    "ScienceQA": [("data/scienceqa/problems.json", None)],
    "TQA": [("tqa_train_val_test/train/tqa_v1_train.json", None)],
    "A-OKVQA": [("aokvqa/aokvqa_v1p0_train.json", None)],
    "Super-CLEVR": [("superCLEVR_questions_30k.json", "questions")],
    "TextVQA": [("TextVQA_0.5.1_train.json", "data")],
    "VQA-RAD": [("VQA_RAD Dataset Public.json", None)],
    "VizWiz": [("Annotations/train.json", None)],
    "VQA2.0": [
        ("Questions/v2_OpenEnded_mscoco_train2014_questions.json", "questions"),
        ("Annotations/v2_mscoco_train2014_annotations.json", "annotations"),
    ],
    "VQA-AS": [
        ("Questions/OpenEnded_abstract_v002_train2015_questions.json", "questions"),
        ("Annotations/abstract_v002_train2015_annotations.json", "annotations"),
    ],
}
FIELDS = """imgname query label image question answer answers image_index question_string map_id
    text choices annotat_text data_type split image_filename ques_type unit hint questions abcLabel
    answerTexts correctAnswer lecture solution diagramQuestions image_id correct_choice_idx
    rationales set_name phrase_type image_name answerable answer_type question_id
    multiple_choice_answer""".split()  # noqa: SIM905

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=6)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=4) | st.sampled_from(FIELDS), inner, max_size=3)
    ),
    max_leaves=8,
)
ROWS = st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=len(FIELDS))


def test_every_source_is_here_or_has_a_test_of_its_own():
    assert set(SOURCES) - set(FILES) == {"GeoQA+", "UniGeo", "PMC-VQA"}


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(ROWS | VALUES, max_size=3),
    top=VALUES,
    wrapped=st.booleans(),
    cut=st.integers(0, 9),
)
def test_any_json(name, rows, top, wrapped, cut):
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder, NUMBERED[0]), NUMBERED[1])
        for file, key in FILES[name]:
            if not wrapped:
                content = top
            elif key == "one":
                content = rows[0] if rows else {}
            else:
                content = rows if key is None else {"info": top, key: rows}
            text = json.dumps(content)
            write(Path(folder, file), text[: len(text) - cut] if cut > 6 else text)
        found, sentence = [], "."
        try:
            found = read(name, Path(folder))
        except SourceError as error:
            sentence = str(error)
    assert sentence.endswith(".")
    for row in found:
        if isinstance(row, Candidate):
            with suppress(Unusable):
                asked(row)
        else:
            assert isinstance(row, Rejection)
            assert row.detail
