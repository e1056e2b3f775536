"""Every verdict and every count is that of the official scripts on real released outputs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mathv360k.eval.scoring import score

MATHVISTA = (
    "bard", "chatgpt", "chatgpt_2shot_code", "chatgpt_2shot_solution", "llava_llama_2_13b",
    "llavar", "mplugowl_7b_ft", "random_guess",
)  # fmt: skip
MATHVISION = (
    "ChatGPT3.5-CoT_Text_Image_Caption", "Gemini-Pro", "Gemini-Pro-CoT", "LLaVA-v1.5-13B",
    "LLaVA-v1.5-7B", "Random-Chance", "SPHINX-MoE", "SPHINX-v2",
)  # fmt: skip


def verdicts(pack: Path, name: str) -> dict[str, list[Any]]:
    return json.loads((pack / "items" / name).read_bytes())


def said(told: dict[str, Any]) -> dict[str, tuple[Any, bool, str | None]]:
    return {i["id"]: (i["prediction"], i["correct"], i["fallback"]) for i in told["items"]}


class TestMathVista:
    @pytest.mark.parametrize("model", MATHVISTA)
    def test_head(self, pack: Path, expected: dict[str, Any], model: str) -> None:
        name = f"output_{model}.json"
        told = score(pack / "mathvista" / name, "mathvista", "head")
        found = {item: list(rest[:2]) for item, rest in said(told).items()}
        assert found == verdicts(pack, f"mathvista__{name}")
        wanted = expected["mathvista"][name]
        categories = {**wanted["head"]}
        assert [told["correct"], told["total"]] == categories.pop("average")
        assert told["by"] == categories
        credited = sum(ok for _, ok, fallback in said(told).values() if fallback)
        used = wanted["mc_levenshtein_fallback"]
        assert {"used": told["fallbacks"], "credited": credited} == used

    @pytest.mark.parametrize("model", MATHVISTA)
    def test_released(self, pack: Path, expected: dict[str, Any], model: str) -> None:
        name = f"output_{model}.json"
        wanted = expected["mathvista"][name]
        told = score(pack / "mathvista" / name, "mathvista", "released")
        assert [told["correct"], told["total"]] == wanted["strict_int"]["average"]
        if wanted["released_counts_follow"] in ("strict_int", "either"):
            published = {**wanted["released"]}
            assert published.pop("average") == [told["correct"], told["total"]]
            assert {name: told["by"][name] for name in published} == published


@pytest.mark.parametrize("model", MATHVISION)
def test_mathvision(pack: Path, expected: dict[str, Any], model: str) -> None:
    name = f"{model}.jsonl"
    told = score(pack / "mathv" / name, "mathvision")
    found = {item: list(rest[:2]) for item, rest in said(told).items()}
    assert found == verdicts(pack, f"mathv__{name}.json")
    by = told["by"]
    flat = {"-all": [told["correct"], told["total"]], **by["subject"], **by["subject_level"]}
    flat |= {
        f"-{key}": pair for name in ("level", "level_subject") for key, pair in by[name].items()
    }
    assert flat == expected["mathv"][name]["head"] and len(flat) == 178
    assert told["fallbacks"] == told["missing"] == 0


class TestMMMU:
    def test_with_random_draws(self, pack: Path, expected: dict[str, Any]) -> None:
        told = score(pack / "mmmu" / "llava1.5_13b", "mmmu")
        wanted = expected["mmmu"]["llava1.5_13b"]["parse_and_eval_ALL_seed42"]
        assert [told["correct"], told["total"]] == wanted["overall"]
        assert told["by"] == {"domain": wanted["domains"], "subject": wanted["subjects"]}
        items = verdicts(pack, "mmmu__llava1.5_13b.json")
        for item, (prediction, correct, fallback) in said(told).items():
            parsed, right, drawn = items[item]
            if not isinstance(parsed, str):
                prediction, parsed = set(prediction), set(parsed)
            assert (prediction, correct, fallback is not None) == (parsed, right, drawn), item

    def test_without(self, pack: Path, expected: dict[str, Any]) -> None:
        told = score(pack / "mmmu" / "llava1.5_13b", "mmmu", "no_fallback")
        wanted = expected["mmmu"]["llava1.5_13b"]["without_fallback_correct"]
        assert (told["correct"], told["fallbacks"]) == (wanted, 0)

    @pytest.mark.parametrize(
        ("file", "block"),
        [
            ("llava1.5_13b/total_val_output.json", "eval_only_total_val_output"),
            ("llava1.5_13b_val.json", "eval_only_llava1.5_13b_val"),
        ],
    )
    def test_answers_only(
        self, pack: Path, expected: dict[str, Any], file: str, block: str
    ) -> None:
        told = score(pack / "mmmu" / file, "mmmu")
        wanted = expected["mmmu"]["llava1.5_13b"][block]
        assert [told["correct"], told["total"]] == wanted["overall"]
        assert told["by"]["subject"] == wanted["subjects"]


def test_mmmu_pro(pack: Path, expected: dict[str, Any]) -> None:
    name = "gpt-4o_vision_direct.jsonl"
    told = score(pack / "mmmu_pro" / name, "mmmu-pro", "no_fallback")
    wanted = expected["mmmu_pro"][name]
    assert told["correct"] == wanted["without_fallback_correct"]
    assert told["by"]["subject"] == wanted["by_subject_without_fallback"]
    drawn = said(score(pack / "mmmu_pro" / name, "mmmu-pro"))
    for item, (parsed, right, random) in verdicts(pack, f"mmmu_pro__{name}.json").items():
        prediction, correct, fallback = drawn[item]
        assert (fallback is not None) == random
        assert random or (prediction, correct) == (parsed, right)


def test_verdicts_in_the_file_are_not_read(pack: Path, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in (pack / "mathv/Gemini-Pro.jsonl").open()]
    for row in rows:
        row |= {"model_answer": "lie", "correct": True}
    path = tmp_path / "lies.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    told = score(path, "mathvision", annotations=pack / "annotations/mathv_test.jsonl")
    assert told["correct"] == 538
    records = json.loads((pack / "mathvista/output_bard.json").read_bytes())
    for record in records.values():
        record |= {"prediction": record["answer"], "true_false": True}
    path = tmp_path / "lies.json"
    path.write_text(json.dumps(records))
    assert score(path, "mathvista")["correct"] == 348


@pytest.mark.parametrize("name", ["bard", "chatgpt", "llavar", "chatgpt_2shot_code"])
def test_what_is_odd_about_an_output_is_noted(
    name: str, pack: Path, expected: dict[str, Any]
) -> None:
    file = f"output_{name}.json"
    known = expected["mathvista"][file]
    told = score(pack / "mathvista" / file, "mathvista")
    shown = known["choices_shown_in_query_differ_from_choices_scored"]["pids"]
    assert told["notes"].get("other choices shown than scored", []) == shown
    assert told["notes"].get("no extraction", []) == known["missing_extraction"]
    tagged = told["notes"].get("other skill tags than in the annotations", [])
    assert len(tagged) == known["items_whose_skill_tags_differ_from_current_annotation"]
    assert {"used": told["fallbacks"], "credited": told["fallbacks_credited"]} == known[
        "mc_levenshtein_fallback"
    ]
