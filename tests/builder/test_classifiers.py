"""Classifiers on features: what they learn, how they are judged, how they are kept."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score, roc_auc_score

from mathv360k.builder.classifiers import Classifiers, fit, read_classifiers, save
from mathv360k.errors import FolderError, UsageError

SOURCES = np.array(["A", "B", "C", "D", "E", "F"])


def examples(count: int = 900, noise: float = 0.7, seed: int = 0) -> tuple[Any, Any, Any, Any]:
    """Features whose first number tells clarity and whose second tells complexity, with noise."""
    rng = np.random.default_rng(seed)
    clarity = rng.integers(0, 2, count).astype(float)
    complexity = rng.integers(0, 4, count).astype(float)
    features = rng.normal(0, 1, (count, 12))
    features[:, 0] = 2 * clarity + rng.normal(0, noise, count)
    features[:, 1] = complexity + rng.normal(0, noise, count)
    return features.astype(np.float16), clarity, complexity, SOURCES[rng.integers(0, 6, count)]


def fitted(*data: Any) -> Classifiers:
    return fit(*(data or examples()), clip="tiny", clip_key="key")


def test_both_scales_are_learned() -> None:
    judges = fitted()
    features, clarity, complexity, _ = examples(seed=1)
    said = judges.predict(features)
    assert roc_auc_score(clarity, said.clarity) > 0.96
    assert cohen_kappa_score(complexity, said.complexity, weights="quadratic") > 0.7
    assert set(said.complexity.tolist()) == {0, 1, 2, 3}
    assert np.corrcoef(said.expected_complexity, complexity)[0, 1] > 0.8
    assert np.abs(said.expected_complexity - said.complexity).max() < 1.5


def test_probabilities_are_calibrated() -> None:
    judges = fitted(*examples(6000, noise=1.5))
    features, clarity, _, _ = examples(6000, noise=1.5, seed=1)
    said = judges.predict(features).clarity
    for low in (0.1, 0.3, 0.5, 0.7):
        bucket = (said >= low) & (said < low + 0.2)
        assert clarity[bucket].mean() == pytest.approx(said[bucket].mean(), abs=0.06)


def test_the_report_is_of_sources_that_were_not_seen() -> None:
    # a feature that names the source gives everything away within it, and nothing elsewhere
    rng = np.random.default_rng(0)
    source = rng.integers(0, 6, 1200)
    clarity = ((source + rng.integers(0, 100, 1200)) % 2).astype(float)
    features = np.zeros((1200, 12))
    features[np.arange(1200), 2 * source + clarity.astype(int)] = 1
    _, _, complexity, _ = examples(1200)
    report = fitted(features, clarity, complexity, SOURCES[source]).report["clarity"]
    assert report["folds"] == "5 folds, every source in one of them"
    assert report["roc_auc"] < 0.6
    mixed = fitted(features, clarity, complexity, np.full(1200, "A")).report["clarity"]
    assert mixed["folds"].startswith("5 folds of images drawn by lot")
    assert mixed["roc_auc"] > 0.95


def test_the_figures_agree_with_each_other() -> None:
    for name, classes in (("clarity", 2), ("complexity", 4)):
        report = fitted().report[name]
        matrix = np.array(report["confusion_matrix"])
        assert matrix.shape == (classes, classes)
        assert matrix.sum() == report["images"] == 900
        assert report["accuracy"] == pytest.approx(np.trace(matrix) / 900, abs=1e-4)
        f1 = [2 * matrix[k, k] / (matrix[k].sum() + matrix[:, k].sum()) for k in range(classes)]
        assert report["macro_f1"] == pytest.approx(np.mean(f1), abs=1e-4)
        steps = np.subtract.outer(np.arange(classes), np.arange(classes)) ** 2
        chance = np.outer(matrix.sum(axis=1), matrix.sum(axis=0)) / 900
        kappa = 1 - (steps * matrix).sum() / (steps * chance).sum()
        assert report["quadratic_weighted_kappa"] == pytest.approx(kappa, abs=1e-4)
        assert sum(p["count"] for p in report["reliability"]) == 900 * (classes - 1)


def test_images_without_one_of_the_labels_serve_the_other() -> None:
    features, clarity, complexity, source = examples()
    clarity[:300] = np.nan
    complexity[500:] = np.nan
    report = fitted(features, clarity, complexity, source).report
    assert report["clarity"]["images"] == 600
    assert report["complexity"]["images"] == 500


def test_saved_classifiers_say_the_same_without_pickle(tmp_path: Path) -> None:
    judges = fitted()
    save(judges, tmp_path)
    assert {p.name for p in tmp_path.iterdir()} == {"classifiers.safetensors", "classifiers.json"}
    for path in tmp_path.iterdir():
        with pytest.raises(Exception):  # noqa: B017, PT011
            pickle.loads(path.read_bytes())
    again = read_classifiers(tmp_path)
    features = examples(seed=2)[0]
    for one, other in zip(
        (judges.predict(features).clarity, judges.predict(features).complexity),
        (again.predict(features).clarity, again.predict(features).complexity),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)
    assert (again.clip, again.clip_key, again.report) == ("tiny", "key", judges.report)


def test_fitting_twice_writes_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        save(fitted(), tmp_path / name)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


@pytest.mark.parametrize("damage", ["gone", "not json", "another format", "half the weights"])
def test_damaged_classifiers_are_named(tmp_path: Path, damage: str) -> None:
    save(fitted(), tmp_path)
    card, weights = tmp_path / "classifiers.json", tmp_path / "classifiers.safetensors"
    if damage == "gone":
        card.unlink()
    elif damage == "not json":
        card.write_text("{")
    elif damage == "another format":
        card.write_text(json.dumps(json.loads(card.read_text()) | {"format": 99}))
    else:
        weights.write_bytes(weights.read_bytes()[:200])
    with pytest.raises(FolderError, match=r"holds no classifiers .* `mathv360k fit`"):
        read_classifiers(tmp_path)


def test_labels_that_teach_nothing_are_refused() -> None:
    features, clarity, complexity, source = examples(60)
    with pytest.raises(UsageError, match="Only 0 of 60 labelled images have clarity 0"):
        fitted(features, np.ones(60), complexity, source)
    complexity[complexity == 2] = 1
    complexity[:4] = 2
    with pytest.raises(
        UsageError, match=r"Only 4 of 60 labelled images have complexity 2; .* at l"
    ):
        fitted(features, clarity, complexity, source)
    with pytest.raises(UsageError, match="Only 0 of 0 labelled images"):
        fitted(features, np.full(60, np.nan), complexity, source)


def test_features_that_are_not_numbers_or_of_another_model_are_refused() -> None:
    judges, features = fitted(), examples()[0]
    features[7, 3] = np.nan
    with pytest.raises(UsageError, match="features of image 7 are not finite"):
        judges.predict(features)
    with pytest.raises(UsageError, match="features of image 7 are not finite"):
        fitted(features, *examples()[1:])
    with pytest.raises(UsageError, match="read features of 12 numbers, these have 5"):
        judges.predict(np.zeros((3, 5)))
