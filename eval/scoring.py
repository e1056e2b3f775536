"""From a file of model outputs to its score, by the official rules and by sound ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import OutputError, UsageError
from . import mathverse, mathvision, mathvista, mmmu
from .extraction import extract
from .outputs import (
    DrawnOutput,
    MathVerseOutput,
    MathVisionOutput,
    MathVisionProblem,
    MathVistaOutput,
    MathVistaProblem,
    MMMUOutput,
    MMMUProOutput,
    answers_of,
    read_json,
    rows_of,
)
from .sound import is_right
from .uncertainty import accuracy_interval
from .verdicts import Verdict, add_up


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdicts on a file, and the sound ones on the same items."""

    official: list[Verdict]
    sound: list[Verdict]
    missing: list[str]
    """Items of the annotations that the file has no answer to; they are not counted."""
    extracted: bool = False
    """Whether short answers were extracted by rule, because the file had none."""
    notes: dict[str, list[str]] = field(default_factory=dict)
    """What is odd about the file, and the items that it is odd about."""
    guessing: float | None = None
    """The share that is right on average where choices, yes or no are drawn by lot."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A benchmark's rule sets, and how a file is judged by one of them."""

    rules: tuple[str, ...]
    judge: Callable[[Path, Path | None, str], Judged]
    annotations: tuple[str, ...] = ()
    """Names that its annotations have beside outputs."""


def score(
    file: Path, benchmark: str, rules: str | None = None, annotations: Path | None = None
) -> dict[str, Any]:
    """Score a file (MMMU: or a folder of subjects) of model outputs.

    Without `rules` by the first of the benchmark's rule sets. Raises `UsageError` for an unknown
    benchmark or rule set, `OutputError` where the file or its annotations cannot be used.
    """
    if benchmark not in BENCHMARKS:
        raise UsageError(f"There is no benchmark {benchmark!r}; there are {', '.join(BENCHMARKS)}.")
    known = BENCHMARKS[benchmark]
    rules = rules or known.rules[0]
    if rules not in known.rules:
        raise UsageError(f"{benchmark} has the rules {', '.join(known.rules)}, not {rules!r}.")
    if not file.exists():
        raise OutputError(f"{file} does not exist.")
    judged = known.judge(file, annotations or _beside(file, known.annotations), rules)
    verdicts = judged.sound if rules == "sound" else judged.official
    counts = add_up(verdicts)
    return {
        "benchmark": benchmark,
        "rules": rules,
        **counts,
        "interval": list(accuracy_interval(counts["correct"], counts["total"])),
        "fallbacks_credited": sum(v.correct for v in verdicts if v.fallback is not None),
        "guessing": judged.guessing,
        "missing": len(judged.missing),
        "notes": judged.notes,
        "extracted_by_rule": judged.extracted,
        "sound": sum(verdict.correct for verdict in judged.sound),
        "differences": list(_differences(judged)) if rules != "sound" else [],
        "items": [
            {
                "id": verdict.item,
                "prediction": verdict.prediction,
                "correct": verdict.correct,
                "fallback": verdict.fallback,
            }
            for verdict in verdicts
        ],
    }


def _beside(file: Path, names: Sequence[str]) -> Path | None:
    folders = [file.parent, *(up / "annotations" for up in file.parents[:3])]
    folders += [up / "data" for up in file.parents[:3]]
    there = (folder / name for folder in folders for name in names)
    return next((path for path in there if path.is_file()), None)


def _differences(judged: Judged) -> Iterator[dict[str, Any]]:
    """Items on which official and sound rules differ, and why."""
    for one, other in zip(judged.official, judged.sound, strict=True):
        if one.correct != other.correct:
            reason = one.fallback or (
                "reads another answer" if other.correct else "gives credit for what it read"
            )
            yield {
                "id": one.item,
                "official": one.correct,
                "sound": other.correct,
                "prediction": one.prediction,
                "reason": reason,
            }


def _sound(
    official: Verdict, response: str, golds: Sequence[str], choices: Sequence[str] = (),
    unit: str | None = None,
) -> Verdict:  # fmt: skip
    right = is_right(response, golds, choices, unit)
    return Verdict(official.item, response[-200:], right, None, official.categories)


def _mathvista(file: Path, annotations: Path | None, rules: str) -> Judged:
    outputs = rows_of(file, MathVistaOutput, "pid")
    extracted = all(output.extraction is None for output in outputs)
    records = []
    for output in outputs:
        record = output.model_dump()
        if extracted:
            said = output.response if output.execution is None else output.execution
            record["extraction"] = extract(said, record)
        records.append({**record, "extraction": record["extraction"] or ""})
    strict = "released" if rules == "released" else "head"
    official = [mathvista.judge(record, strict) for record in records]
    sound = [
        _sound(verdict, r["extraction"] or "", [r["answer"]], r["choices"] or (), r["unit"])
        for verdict, r in zip(official, records, strict=True)
    ]
    problems = rows_of(annotations, MathVistaProblem, "pid") if annotations else []
    known = {problem.pid: problem for problem in problems}
    missing = _missing(official, known, annotations)
    return Judged(official, sound, missing, extracted, _odd(outputs, known))


def _odd(
    outputs: Sequence[MathVistaOutput], known: Mapping[str, MathVistaProblem]
) -> dict[str, list[str]]:
    """Outputs that lack what is scored, or were made with other choices or tags than today's."""
    notes: dict[str, list[str]] = {
        "no extraction": [o.pid for o in outputs if o.extraction is None],
        "other choices shown than scored": [
            o.pid
            for o in outputs
            if o.choices
            and (shown := mathvista.choices_shown(o.query)) is not None
            and [text.strip() for text in shown] != [choice.strip() for choice in o.choices]
        ],
    }
    notes["other skill tags than in the annotations"] = [
        o.pid for o in outputs if o.pid in known and _skills(o) != _skills(known[o.pid])
    ]
    return {what: pids for what, pids in notes.items() if pids}


def _skills(problem: MathVistaProblem) -> set[str]:
    tags = problem.metadata.get("skills")
    return {str(tag) for tag in tags} if isinstance(tags, list) else set()


def _mmmu(file: Path, annotations: Path | None, rules: str) -> Judged:
    draw = mmmu.draws()
    official, sound = [], []
    for row, subject, parsed in _mmmu_rows(file, annotations):
        verdict = mmmu.judge(row, subject, None if rules == "no_fallback" else draw, parsed)
        golds = [row["answer"]] if isinstance(row["answer"], str) else row["answer"]
        choices = [row["index2ans"].get(c, c) for c in row["all_choices"]]
        official.append(verdict)
        sound.append(_sound(verdict, row["response"], golds, choices))
    return Judged(official, sound, [])


def _mmmu_rows(file: Path, annotations: Path | None) -> Iterator[tuple[dict[str, Any], str, bool]]:
    """Rows with their subjects in the official order, and whether they are parsed already."""
    if file.is_dir():
        paths = {s: file / s / "output.json" for s in mmmu.SUBJECTS}
        there = {subject: path for subject, path in paths.items() if path.is_file()}
        if not there:
            raise OutputError(f"{file} has no <subject>/output.json.")
        for subject, path in there.items():
            for row in rows_of(path, MMMUOutput, "id"):
                yield row.model_dump(), subject, False
        return
    said = [] if file.suffix == ".jsonl" else read_json(file)
    if isinstance(said, list):
        for row in rows_of(file, MMMUOutput, "id"):
            yield row.model_dump(), mmmu.subject_of(row.id), False
        return
    if annotations is None:
        raise OutputError(
            f"{file} has answers only; name the file of gold answers with --annotations."
        )
    answers, golds = answers_of(file), read_json(annotations)
    for identity in sorted(answers, key=mmmu.subject_of):
        gold = golds.get(identity) if isinstance(golds, dict) else None
        if not isinstance(gold, dict) or "ground_truth" not in gold:
            raise OutputError(f"{file}: {annotations} has no item {identity!r}.")
        choice = gold.get("question_type") == "multiple-choice"
        row = {
            "id": identity,
            "question_type": "multiple-choice" if choice else "open",
            "answer": gold["ground_truth"],
            "all_choices": list("ABCDEFGHI") if choice else [],
            "index2ans": {},
            "response": answers[identity],
        }
        yield row, mmmu.subject_of(identity), True


def _mmmu_pro(file: Path, annotations: Path | None, rules: str) -> Judged:
    draw = None if rules == "no_fallback" else mmmu.draws()
    official, sound = [], []
    for row in rows_of(file, MMMUProOutput, "id"):
        verdict = mmmu.judge_pro(row.model_dump(), draw)
        official.append(verdict)
        sound.append(_sound(verdict, row.response, [row.answer], row.options))
    return Judged(official, sound, [])


def _mathvision(file: Path, annotations: Path | None, rules: str) -> Judged:
    rows = rows_of(file, MathVisionOutput, "id")
    complete = all(row.answer is not None for row in rows)  # as `eval run` writes them
    if annotations is None and not complete:
        raise OutputError(f"{file} needs MATH-V's test.jsonl; name it with --annotations.")
    source = annotations or file
    problems = {p.id: p for p in rows_of(source, MathVisionProblem, "id")}
    official, sound = [], []
    for row in rows:
        problem = problems.get(row.id)
        if problem is None:
            raise OutputError(f"{file}: {source} has no problem {row.id!r}.")
        verdict = mathvision.judge(row.model_dump(), problem.model_dump())
        official.append(verdict)
        sound.append(_sound(verdict, row.response, [problem.answer], problem.options))
    return Judged(official, sound, _missing(official, problems, annotations))


def _mathverse(file: Path, annotations: Path | None, rules: str) -> Judged:
    rows = rows_of(file, MathVerseOutput, "sample_index")
    extracted = all(row.extraction is None for row in rows)
    if rules == "judged" and (without := [r.sample_index for r in rows if r.judgement is None]):
        raise OutputError(
            f"{file}: item {without[0]!r} has no judgement; `mathv360k eval judge` asks for it."
        )
    official, sound = [], []
    for row in rows:
        choices = mathverse.choices_of(row.question_for_eval or row.question)
        record = row.model_dump()
        if extracted:
            record["extraction"] = mathverse.extract_answer(row.response, choices)
        verdict = mathverse.judge(record, judged=rules == "judged")
        official.append(verdict)
        sound.append(_sound(verdict, record["extraction"] or "", [row.answer], choices))
    return Judged(official, sound, [], extracted)


def _drawn(file: Path, annotations: Path | None, rules: str) -> Judged:
    sound, guessed = [], 0.0
    for row in rows_of(file, DrawnOutput, "id"):
        options = 2 if row.answer_type == "yes_no" else len(row.choices or ())
        guessed += 1 / options if options else 0
        categories = {"task": row.task, "level": str(row.level), "answer_type": row.answer_type}
        nothing = Verdict(row.id, "", False, None, categories)
        sound.append(_sound(nothing, row.response, [row.answer], row.choices, row.unit))
    return Judged(sound, sound, [], guessing=guessed / max(1, len(sound)))


def _missing(verdicts: Sequence[Verdict], known: Any, annotations: Path | None) -> list[str]:
    """Annotated items without a verdict; raises `OutputError` for verdicts without an item."""
    if annotations is None:
        return []
    asked = {verdict.item for verdict in verdicts}
    if strangers := sorted(asked - set(known)):
        raise OutputError(f"{annotations} has no item {strangers[0]!r}.")
    return sorted(set(known) - asked)


BENCHMARKS: dict[str, Benchmark] = {
    "mathvista": Benchmark(
        ("head", "released", "sound"), _mathvista, ("testmini.json", "mathvista_testmini.json")
    ),
    "mmmu": Benchmark(
        ("official", "no_fallback", "sound"),
        _mmmu,
        ("answer_dict_val.json", "mmmu_answer_dict_val.json"),
    ),
    "mmmu-pro": Benchmark(("official", "no_fallback", "sound"), _mmmu_pro),
    "mathvision": Benchmark(("official", "sound"), _mathvision, ("test.jsonl", "mathv_test.jsonl")),
    "mathverse": Benchmark(("official", "judged", "sound"), _mathverse),
    "drawn": Benchmark(("sound",), _drawn),
}
"""What `mathv360k eval score` knows."""
