"""Demonstrations: existing questions that show a teacher the style of a task in all its variety.

The questions of a task are clustered by their words (TF-IDF, k-means); each request is shown one of
each of several clusters, and another choice each time. So new questions follow the distribution of
the task and not one template.
"""

# pyright: reportArgumentType=false
# (the stubs of scikit-learn take a default's type for the only one)

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np

from .ledger import Ledger

CLUSTERS = 8
PER_CLUSTER = 64
"""Questions of a cluster that take turns."""
_CLUSTERED = 20_000
"""Questions of a task that are looked at, drawn by a hash."""
_LONGEST = 600
"""Characters; longer ones would cost more than they show."""
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


@dataclass(frozen=True, slots=True)
class Example:
    """A question that may be shown, and the image that it is about."""

    image_id: str
    question: str
    choices: tuple[str, ...]
    answer: str


class Demonstrations:
    """Clusters of questions per task, from which requests draw."""

    def __init__(self, clusters: dict[str, list[list[dict[str, Any]]]]) -> None:
        self._clusters = {task: [c for c in of if c] for task, of in clusters.items()}

    def draw(self, task: str, count: int, image_id: str, slot: str) -> list[dict[str, Any]]:
        """At most `count` questions of a task, none about the image itself, of as many clusters.

        Which ones is decided by a hash of `slot`: other requests change nothing.
        """
        clusters = self._clusters.get(task, [])
        if not clusters or not count:
            return []
        draws = sha256(slot.encode()).digest()
        first = draws[0] * 256 + draws[1]
        drawn: list[dict[str, Any]] = []
        for turn in range(min(count, len(clusters))):
            cluster = clusters[(first + turn) % len(clusters)]
            start = int.from_bytes(draws[2 + 2 * turn % 28 : 4 + 2 * turn % 28])
            for place in range(len(cluster)):
                example = cluster[(start + place) % len(cluster)]
                if example["image_id"] != image_id:
                    drawn.append({n: example[n] for n in ("question", "choices", "answer")})
                    break
        return drawn


def demonstrations(
    examples: Iterable[tuple[str, Example]], ledger: Ledger, name: str, seed: int
) -> Demonstrations:
    """The clusters of each task: those the ledger has under `name`, or new ones, kept there.

    Kept, because another machine, library or image would move a cluster's edge, and with it the
    prompts, so that answers already paid for would not be found again.
    """
    by_task: dict[str, list[Example]] = defaultdict(list)
    for task, example in examples:
        if len(example.question) <= _LONGEST:
            by_task[task].append(example)
    clusters = {}
    for task in sorted(by_task):
        slot = f"{name}/{task}/{seed}"
        rows = ledger.demonstrations(slot)
        if rows is None:
            ledger.keep_demonstrations(slot, _cluster_rows(by_task[task], seed))
            rows = ledger.demonstrations(slot) or []
        grouped: list[list[dict[str, Any]]] = [[] for _ in range(CLUSTERS)]
        for row in rows:
            grouped[row.pop("cluster") % CLUSTERS].append(row)
        clusters[task] = grouped
    return Demonstrations(clusters)


def _cluster_rows(examples: Sequence[Example], seed: int) -> list[dict[str, Any]]:
    chosen = _distinct(examples, seed)[:_CLUSTERED]
    numbers = cluster([example.question for example in chosen], seed)
    taken: dict[int, int] = defaultdict(int)
    rows = []
    for example, number in zip(chosen, numbers, strict=True):
        taken[number] += 1
        if taken[number] <= PER_CLUSTER:
            rows.append(
                {
                    "cluster": number,
                    "image_id": example.image_id,
                    "question": example.question,
                    "choices": list(example.choices),
                    "answer": example.answer,
                }
            )
    return rows


def _distinct(examples: Sequence[Example], seed: int) -> list[Example]:
    """One example of each wording, in an order decided by a hash."""
    by_words: dict[str, Example] = {}
    for example in examples:
        words = _NUMBER.sub("0", example.question.casefold())
        key = sha256(f"{seed}/{words}".encode()).hexdigest()
        other = by_words.setdefault(key, example)
        if (example.image_id, example.question) < (other.image_id, other.question):
            by_words[key] = example  # whatever the order of the pool
    return [by_words[key] for key in sorted(by_words)]


def cluster(questions: Sequence[str], seed: int) -> list[int]:
    """The cluster of each question, by its words and pairs of words; numbers count as equal."""
    from sklearn.cluster import KMeans
    from sklearn.feature_extraction.text import TfidfVectorizer

    count = min(CLUSTERS, len(questions))
    if count < 2:
        return [0] * len(questions)
    vectorizer = TfidfVectorizer(
        preprocessor=lambda text: _NUMBER.sub("0", text.casefold()),
        token_pattern=r"(?u)\w+",
        ngram_range=(1, 2),
        max_features=20_000,
        sublinear_tf=True,
        dtype=np.float32,
    )
    try:
        vectors = vectorizer.fit_transform(questions)
    except ValueError:  # not a single word
        return [0] * len(questions)
    means = KMeans(count, n_init=2, max_iter=50, random_state=seed % 2**32)
    return [int(number) for number in means.fit_predict(vectors)]
