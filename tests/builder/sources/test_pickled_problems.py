"""GeoQA+ and UniGeo: pickles in the native layout, made here."""

from __future__ import annotations

import io
import pickle

import numpy as np
import pytest
from PIL import Image

import mathv360k
from mathv360k.builder import pickles
from mathv360k.builder.pool import read_questions
from mathv360k.builder.schema import Reason
from mathv360k.errors import SourceError
from source_reading import VALIDATION, asked, candidates, read, rejection, write

RNG = np.random.default_rng(0)
PICTURE = RNG.integers(0, 255, (108, 140), dtype=np.uint8)


def problem(number=0, label=1, image=PICTURE, **more):
    return {
        "id": number,
        "image": image,
        "token_list": ["如图", "N_0"],
        "subject": "如图,AB∥CD,则∠2等于()",
        "English_problem": "As shown in the figure, AB parallel CD, then angle 2 equals ()",
        "choices": ["50°", "60°", "65°", "90°"],
        "label": label,
        "answer": "解:故选C",
        "numbers": [50.0],
        "choice_nums": [50.0, 60.0, 65.0, 90.0],
        "manual_program": ["g_half", "N_0"],
        "formal_point": ["A", "B"],
        **more,
    }


def unigeo(folder, *problems, split="train"):
    data = pickle.dumps(list(problems))
    return write(folder / "datasets" / "UniGeo" / f"calculation_{split}.pk", data)


def geoqa(folder, *problems, name="train"):
    return write(
        folder / "GeoQA+" / "data" / "GeoQA2.2" / f"{name}.pk", pickle.dumps(list(problems))
    )


def decoded(row):
    return np.asarray(Image.open(io.BytesIO(row.load())))


def test_the_label_counts_choices_from_0(tmp_path):
    unigeo(tmp_path, problem(5, 2), problem(6, np.int64(0)))
    first, second = candidates("UniGeo", tmp_path)
    question, choices, answer, letter = asked(first)
    assert question == "As shown in the figure, AB parallel CD, then angle 2 equals ()"
    assert (choices, answer, letter) == (["50°", "60°", "65°", "90°"], "65°", "C")
    assert asked(second)[2:] == ("50°", "A")
    assert (first.image, second.image) == ("5.png", "6.png")
    assert (decoded(first) == PICTURE).all()


def test_geoqa_plus_asks_in_chinese(tmp_path):
    write(tmp_path / "GeoQA3" / "train.pk", pickle.dumps([problem()]))
    (row,) = candidates("GeoQA+", tmp_path)
    assert asked(row)[0] == "如图,AB∥CD,则∠2等于()"


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (np.array([[0.0, 0.5], [0.25, 1.0]]), [[0, 128], [64, 255]]),
        (np.array([[-1, 1], [0, 1]], dtype=np.int32), [[0, 255], [128, 255]]),
        (np.array([[True, False], [False, True]]), [[255, 0], [0, 255]]),
        (np.array([[7.0, 7.0], [7.0, 7.0]]), [[0, 0], [0, 0]]),
        (np.array([[3, 200], [9, 4]], dtype=np.uint8), [[3, 200], [9, 4]]),
    ],
)
def test_arrays_of_other_ranges_are_stretched(tmp_path, image, expected):
    unigeo(tmp_path, problem(image=image))
    (row,) = candidates("UniGeo", tmp_path)
    assert decoded(row).tolist() == expected


def test_rewordings_share_their_picture_and_other_pictures_have_other_names(tmp_path):
    other = PICTURE.copy()
    other[0, 0] += 1
    unigeo(tmp_path, problem(5), problem(5, English_problem="Reworded"), problem(5, image=other))
    assert [row.image for row in candidates("UniGeo", tmp_path)] == ["5.png", "5.png", "5-2.png"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"label": 4}, Reason.ANSWER_NOT_AMONG_CHOICES),
        ({"label": "1"}, Reason.MALFORMED_ROW),
        ({"choices": None}, Reason.MALFORMED_ROW),
        ({"English_problem": 3}, Reason.MALFORMED_ROW),
        ({"image": [[1, 2]]}, Reason.IMAGE_UNREADABLE),
        ({"image": np.zeros((2, 2, 4), np.uint8)}, Reason.IMAGE_UNREADABLE),
        ({"image": np.zeros((0, 2), np.uint8)}, Reason.IMAGE_UNREADABLE),
        ({"image": np.array([[np.nan, 1.0]])}, Reason.IMAGE_UNREADABLE),
    ],
)
def test_a_bad_problem_does_not_spoil_the_others(tmp_path, change, reason):
    unigeo(tmp_path, problem(1, **change), problem(2))
    bad, good = read("UniGeo", tmp_path)
    assert rejection(bad)[:2] == ("datasets/UniGeo/calculation_train.pk: row 1", reason)
    assert asked(good)[2] == "60°"


def test_a_problem_that_is_no_dict_and_a_file_that_is_no_list(tmp_path):
    write(tmp_path / "calculation_train.pk", pickle.dumps([["x"], problem()]))
    bad, _ = read("UniGeo", tmp_path)
    assert rejection(bad)[1] == Reason.MALFORMED_ROW
    write(tmp_path / "calculation_train.pk", pickle.dumps({"a": 1}))
    with pytest.raises(SourceError, match="is not a list of problems"):
        read("UniGeo", tmp_path)


def test_proving_and_test_problems_are_not_read(tmp_path):
    for name in ("proving_train", "calculation_test"):
        write(tmp_path / f"{name}.pk", pickle.dumps([problem()]))
    for splits in (("train",), VALIDATION):
        with pytest.raises(SourceError, match=r"calculation_\w+\.pk is not in"):
            read("UniGeo", tmp_path, splits)
    for name in ("test", "new-test"):
        geoqa(tmp_path, problem(), name=name)
    with pytest.raises(SourceError, match=r"train\.pk or .* is not in"):
        read("GeoQA+", tmp_path)


def test_a_problem_of_both_sources_stays_once_with_one_image(tmp_path):
    new = problem(99, image=np.flipud(PICTURE))
    geoqa(tmp_path / "GeoQA+", problem(5), new)
    unigeo(tmp_path / "UniGeo", problem(5))
    chosen = {"name": "both", "sources": {"UniGeo": {}, "GeoQA+": {}}}
    recipe = mathv360k.Recipe.model_validate(chosen)
    manifest = mathv360k.build(recipe, tmp_path / "out", source_root=tmp_path)
    assert manifest["quarantine"] == {"GeoQA+": {"same_problem": 1}}
    kept = read_questions(tmp_path / "out.pool", ["id"])["id"].to_pylist()
    assert sorted(kept) == ["GeoQA+/99.png#original-0", "UniGeo/5.png#original-0"]


def test_a_real_pickle(shared_sources):
    """The sizes that the fact sheet counts."""
    file = shared_sources / "GeoQA+/GeoQA-Plus/GeoQA+/data/sub_dataset_dict.pk"
    with file.open("rb") as opened:
        kinds = pickles.load(opened, "sub_dataset_dict.pk")
    assert len(kinds) == 13_035
    counts = {kind: list(kinds.values()).count(kind) for kind in set(kinds.values())}
    assert sorted(counts.values()) == [510, 2373, 4639, 5513]
