"""MathVerse (arXiv 2403.14624): its scorer's quick match, and what a model judged.

Rules are those of ZrrSkywalker/MathVerse at 937b090, `evaluation/score_answer_s2.py`. With
`--quick_match` the extraction is the gold answer, character by character; without it a model is
asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .extraction import extract
from .verdicts import Verdict

_CHOICE = re.compile(r"^\s*\(?([A-H])\)?\s*[:.]\s*(.+?)\s*$", re.MULTILINE)


def judge(record: Mapping[str, Any], judged: bool = False) -> Verdict:
    """The official verdict by the field `extraction`; a missing one is empty and wrong.

    With `judged` it is that of the field `judgement`, 0 or 1.
    """
    said = record.get("extraction") or ""
    about = record.get("metadata") or {}
    subject, subfield = about.get("subject", ""), about.get("subfield", "")
    categories = {
        "subject": subject,
        "subfield": f"{subject}/{subfield}",
        "version": record["problem_version"],
        "question_type": record["question_type"],
    }
    right = record["judgement"] == 1 if judged else said == record["answer"]
    return Verdict(record["sample_index"], said, right, None, categories)


def choices_of(question: str) -> list[str]:
    """The texts of the choices that a question lists under `Choices:`, none where it lists none."""
    _, listed, rest = question.rpartition("Choices:")
    found = _CHOICE.findall(rest) if listed else []
    letters = [letter for letter, _ in found]
    return [text for _, text in found] if letters == sorted(set(letters)) else []


def extract_answer(response: str, choices: Sequence[str]) -> str:
    """The answer in a response, without a model: a letter where there are choices."""
    if not choices:
        return extract(response, {"question_type": "free_form", "answer_type": "float"})
    said = extract(response, {"question_type": "multi_choice", "choices": choices})
    return chr(ord("A") + choices.index(said)) if said in choices else said
