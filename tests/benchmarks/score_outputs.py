"""Scoring released outputs by the official rules, and the reward, per item.

    python tests/benchmarks/score_outputs.py PACK

PACK has released outputs in `mathvista/*.json`, `mathv/*.jsonl` and `annotations/`. The baseline is
what the official functions took on the same files on two cores (MathVista: normalise and compare,
1.4 ms per 1,000 items; MATH-V: 0.59 to 4.26 s per 1,000, by file): they cannot be installed here.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from mathv360k.eval import mathvision, mathvista
from mathv360k.eval.latex_value import latex_value
from mathv360k.eval.outputs import MathVisionProblem, rows_of
from mathv360k.eval.reward import reward
from mathv360k.eval.scoring import score

OFFICIAL_MATHVISTA = 1.4e-6
OFFICIAL_MATHVISION = {
    "Random-Chance": 4.26e-3, "ChatGPT3.5-CoT_Text_Image_Caption": 3.57e-3,
    "Gemini-Pro-CoT": 1.68e-3, "Gemini-Pro": 0.59e-3, "LLaVA-v1.5-13B": 0.88e-3,
    "LLaVA-v1.5-7B": 1.44e-3, "SPHINX-MoE": 0.75e-3, "SPHINX-v2": 0.85e-3,
}  # fmt: skip


def seconds(judge: Callable[[Any], object], items: Sequence[Any]) -> float:
    """Per item, the best of three passes with nothing remembered."""
    best = float("inf")
    for _ in range(3):
        latex_value.cache_clear()
        started = time.perf_counter()
        for item in items:
            judge(item)
        best = min(best, (time.perf_counter() - started) / len(items))
    return best


def normalise_and_compare(record: dict[str, Any]) -> bool:
    names = ("choices", "question_type", "answer_type", "precision")
    said, _ = mathvista.normalize(record.get("extraction", ""), *(record[n] for n in names))
    return said == record["answer"]


def agreement(path: Path, folder: Path) -> float:
    """Share of items whose verdict by rule-based extraction is that by the released extraction."""
    items = json.loads((path.parents[1] / f"items/mathvista__{path.name}").read_bytes())
    records = json.loads(path.read_bytes())
    for record in records.values():
        record.pop("extraction", None)
    bare = folder / path.name
    bare.write_text(json.dumps(records))
    told = score(bare, "mathvista")
    return sum(item["correct"] == items[item["id"]][1] for item in told["items"]) / len(items)


def main(pack: Path) -> None:
    for path in sorted(pack.glob("mathvista/*.json")):
        records = list(json.loads(path.read_bytes()).values())
        took = seconds(normalise_and_compare, records)
        said = f"{took * 1e6:6.2f} µs, {OFFICIAL_MATHVISTA / took:5.1f} times the official speed"
        print(f"mathvista {path.stem:42} {said}")
        with tempfile.TemporaryDirectory() as folder:
            same = agreement(path, Path(folder))
        print(f"extraction by rule: {same:.3f} of verdicts are those of the released extraction")
    problems = {
        p.id: p.model_dump()
        for p in rows_of(pack / "annotations/mathv_test.jsonl", MathVisionProblem, "id")
    }
    for path in sorted(pack.glob("mathv/*.jsonl")):
        rows = [json.loads(line) for line in path.open()]
        took = seconds(lambda row: mathvision.judge(row, problems[row["id"]]), rows)
        ratio = OFFICIAL_MATHVISION[path.stem] / took
        print(f"mathvision {path.stem:41} {took * 1e6:6.2f} µs, {ratio:5.0f} times")
    chats = [f"<think>step {n}</think> \\boxed{{{n}}}" for n in range(2_000)]
    choices = [[str(n), str(n + 1), f"{n}.5", "none"] for n in range(2_000)]
    answers = [str(n) for n in range(2_000)]
    for name, offered in (("numbers", None), ("choices", choices)):
        started = time.perf_counter()
        values = reward(chats, answers, ["integer"] * 2_000, offered)
        took = (time.perf_counter() - started) / len(values)
        print(f"reward, {name:44} {took * 1e6:6.2f} µs per completion, each another")
    started = time.perf_counter()
    jobs = [
        *((path, "mathvision") for path in sorted(pack.glob("mathv/*.jsonl"))),
        *((path, "mathvista") for path in sorted(pack.glob("mathvista/*.json"))),
        *((path, "mmmu") for path in sorted(pack.glob("mmmu/*/"))),
        *((path, "mmmu-pro") for path in sorted(pack.glob("mmmu_pro/*.jsonl"))),
        *((path, "mathverse") for path in sorted(pack.glob("mathverse/*.json"))),
    ]
    with ProcessPoolExecutor(2, get_context("spawn")) as processes:
        done = [processes.submit(score, *job) for job in jobs]
        items = sum(job.result()["total"] for job in done)
    took = time.perf_counter() - started
    print(f"official and sound verdicts of {items:,} items, two processes: {took:.1f} s with start")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
