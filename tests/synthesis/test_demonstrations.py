"""Demonstrations: of every sort of question, another choice each time, none that leaks."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from mathv360k.synthesis.demonstrations import Demonstrations, Example, cluster, demonstrations
from mathv360k.synthesis.ledger import Ledger

_SORTS = (
    "How many {} apples are in the basket?",
    "What is the area of triangle {} in square cm?",
    "Is the temperature in week {} above average?",
    "Which bar of group {} is the tallest?",
)


def example(number: int) -> tuple[str, Example]:
    sort = _SORTS[number % 4]
    case = chr(97 + number % 26) + chr(97 + number // 26)
    question = f"{sort.format(number)} Say it for case {case}."
    return "GPS", Example(f"{number:064x}", question, (), str(number))


def sort_of(question: str) -> int:
    return next(i for i, sort in enumerate(_SORTS) if question.startswith(sort.split("{")[0]))


def drawn_from(path: Path, count: int = 200, seed: int = 0) -> Demonstrations:
    with Ledger(path) as ledger:
        return demonstrations(map(example, range(count)), ledger, "x", seed)


def test_questions_of_a_sort_are_a_cluster() -> None:
    questions = [example(n)[1].question for n in range(80)]
    numbers = cluster(questions, 0)
    for number in set(numbers):
        sorts = {sort_of(q) for q, c in zip(questions, numbers, strict=True) if c == number}
        assert len(sorts) == 1


def test_one_of_each_of_several_clusters_is_shown_and_another_each_time(tmp_path: Path) -> None:
    shown = drawn_from(tmp_path / "ledger")
    sorts: Counter[int] = Counter()
    sets = set()
    for n in range(300):
        rows = shown.draw("GPS", 3, "f" * 64, f"slot {n}")
        assert len({row["question"] for row in rows}) == 3
        assert set(rows[0]) == {"question", "choices", "answer"}
        sorts.update(sort_of(row["question"]) for row in rows)
        sets.add(tuple(row["question"] for row in rows))
    assert len(sets) > 150
    assert min(sorts.values()) > 50  # each sort has its turns
    assert shown.draw("GPS", 3, "f" * 64, "slot 5") == shown.draw("GPS", 3, "f" * 64, "slot 5")


def test_an_images_own_question_is_never_shown(tmp_path: Path) -> None:
    shown = drawn_from(tmp_path / "ledger", count=24)
    for n in range(24):
        _, own = example(n)
        for slot in range(20):
            rows = shown.draw("GPS", 8, own.image_id, str(slot))
            assert own.question not in [row["question"] for row in rows]


def test_a_ledger_keeps_what_it_showed_when_the_pool_grows(tmp_path: Path) -> None:
    """Or all prompts would change, and what was paid for would be lost."""
    before = drawn_from(tmp_path / "ledger", 100)
    after = drawn_from(tmp_path / "ledger", 200)
    elsewhere = drawn_from(tmp_path / "other", 200)
    slots = [("GPS", 4, "f" * 64, str(n)) for n in range(20)]
    assert [before.draw(*s) for s in slots] == [after.draw(*s) for s in slots]
    assert [before.draw(*s) for s in slots] != [elsewhere.draw(*s) for s in slots]


def test_few_or_no_questions(tmp_path: Path) -> None:
    assert drawn_from(tmp_path / "none", 0).draw("GPS", 3, "f" * 64, "s") == []
    assert len(drawn_from(tmp_path / "one", 1).draw("GPS", 3, "f" * 64, "s")) == 1
    assert drawn_from(tmp_path / "one", 1).draw("FQA", 3, "f" * 64, "s") == []
    assert cluster(["!", "?", "…"], 0) == [0, 0, 0]
