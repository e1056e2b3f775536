"""Clarity and complexity of images from their CLIP features: fit, cross-validate, save, predict.

Both are linear (scikit-learn's logistic regression on standardised features). Complexity is
ordinal: one classifier for each of "above 0", "above 1", "above 2" (Frank and Hall 2001,
doi:10.1007/3-540-44795-4_13). Scores are calibrated by Platt's method on predictions for sources
that the classifier had not seen.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    brier_score_loss,
    cohen_kappa_score,
    confusion_matrix,
    f1_score,
    mean_absolute_error,
    roc_auc_score,
)
from sklearn.model_selection import GroupKFold, StratifiedKFold
from sklearn.preprocessing import StandardScaler

from ..errors import FolderError, UsageError

FOLDS = 5
MIN_PER_CLASS = 5
_REGULARISATION = 0.01  # C of the logistic regressions: features are many, labels few
_NO_WARNING: dict[str, Any] = {"zero_division": 0}  # a class that is never predicted scores 0
_WEIGHTS, _CARD, _FORMAT = "classifiers.safetensors", "classifiers.json", 1

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Linear:
    """Calibrated binary classifiers side by side: `k` thresholds of one scale, `d` features."""

    weights: Floats  # (k, d), for raw features
    bias: Floats  # (k,)
    slope: Floats  # (k,), Platt's scaling of the scores
    offset: Floats  # (k,)

    def probabilities(self, features: npt.NDArray[Any]) -> Floats:
        """P(label > threshold) for each threshold, `(n, k)`, never growing along a row."""
        scores = features.astype(np.float64) @ self.weights.T + self.bias
        above = 1 / (1 + np.exp(-np.clip(scores * self.slope + self.offset, -60, 60)))
        return np.minimum.accumulate(above, axis=1)


@dataclass(frozen=True, slots=True)
class Scores:
    """What the classifiers say of `n` images."""

    clarity: npt.NDArray[np.float32]  # probability that the image is clear
    complexity: npt.NDArray[np.int8]  # 0..3, the median of the predicted distribution
    expected_complexity: npt.NDArray[np.float32]  # its mean


@dataclass(frozen=True, slots=True)
class Classifiers:
    """Both classifiers, the checkpoint whose features they read, and how good they are."""

    clip: str  # name of the checkpoint, for people
    clip_key: str  # its content
    clarity: Linear
    complexity: Linear
    report: dict[str, Any]

    def predict(self, features: npt.NDArray[Any]) -> Scores:
        """Scores of `(n, d)` features; raises `UsageError` where they are not this checkpoint's."""
        check_features(features, self.clarity.weights.shape[1])
        above = self.complexity.probabilities(features)
        # four decimals: the last bits depend on the machine that computed the features
        return Scores(
            self.clarity.probabilities(features)[:, 0].round(4).astype(np.float32),
            (above > 0.5).sum(axis=1).astype(np.int8),
            above.sum(axis=1).round(4).astype(np.float32),
        )


def check_features(features: npt.NDArray[Any], dimension: int | None = None) -> None:
    """Raise `UsageError` for features with NaN, infinities or another dimension."""
    if dimension is not None and features.shape[1] != dimension:
        raise UsageError(
            f"The classifiers read features of {dimension} numbers, these have "
            f"{features.shape[1]}; use the checkpoint that they were fitted on."
        )
    finite = np.isfinite(features).all(axis=1)
    if not finite.all():
        row = int(np.flatnonzero(~finite)[0])
        raise UsageError(
            f"The features of image {row} are not finite numbers; empty the cache of features and "
            "compute them again, in float32 if it was a GPU."
        )


def fit(
    features: npt.NDArray[Any],
    clarity: npt.NDArray[Any],
    complexity: npt.NDArray[Any],
    groups: npt.NDArray[Any],
    *,
    clip: str,
    clip_key: str,
    seed: int = 0,
) -> Classifiers:
    """Classifiers of `(n, d)` features, cross-validated over `groups` (the images' sources).

    Labels are floats, NaN where an image has none: clarity 0 or 1, complexity 0..3. With a single
    group the folds are drawn by lot, and the report says so. Raises `UsageError` for too few labels
    or one class only.
    """
    check_features(features)
    if len({len(features), len(clarity), len(complexity), len(groups)}) != 1:
        raise UsageError("Features, labels and groups are not of the same images.")
    binary, clear = _fit_scale("clarity", features, clarity, (0,), groups, seed)
    ordinal, levels = _fit_scale("complexity", features, complexity, (0, 1, 2), groups, seed)
    report = {"clarity": clear, "complexity": levels}
    return Classifiers(clip, clip_key, binary, ordinal, report)


def _fit_scale(
    name: str,
    features: npt.NDArray[Any],
    labels: npt.NDArray[Any],
    thresholds: tuple[int, ...],
    groups: npt.NDArray[Any],
    seed: int,
) -> tuple[Linear, dict[str, Any]]:
    """The classifiers of one scale, and how good they are on what they had not seen."""
    known = ~np.isnan(labels.astype(np.float64))
    x, y, g = features[known].astype(np.float64), labels[known].astype(np.int64), groups[known]
    folds, how = _folds(name, x, y, g, thresholds, seed)
    above = y[:, None] > np.array(thresholds)
    scores = np.zeros(above.shape)
    for train, test in folds:
        for k in range(len(thresholds)):
            weights, bias = _logistic(x[train], above[train, k], seed)
            scores[test, k] = x[test] @ weights + bias
    parts = []
    for k in range(len(thresholds)):
        weights, bias = _logistic(x, above[:, k], seed)
        platt = LogisticRegression(C=1e6).fit(scores[:, [k]], above[:, k])
        parts.append((weights, bias, platt.coef_[0, 0], platt.intercept_[0]))
    linear = Linear(*(np.array(values, np.float64) for values in zip(*parts, strict=True)))
    # What is reported of a fold was calibrated on the others
    probability = np.zeros(above.shape)
    for train, test in folds:
        for k in range(len(thresholds)):
            platt = LogisticRegression(C=1e6).fit(scores[train][:, [k]], above[train, k])
            probability[test, k] = platt.predict_proba(scores[test][:, [k]])[:, 1]
    probability = np.minimum.accumulate(probability, axis=1)
    return linear, {"folds": how, **_quality(y, probability, thresholds)}


def _folds(
    name: str, x: Floats, y: Ints, groups: npt.NDArray[Any], thresholds: tuple[int, ...], seed: int
) -> tuple[list[tuple[Ints, Ints]], str]:
    """Train and test rows of each fold, and how they were drawn."""
    counts = {level: int((y == level).sum()) for level in range(len(thresholds) + 1)}
    few = [level for level, count in counts.items() if count < MIN_PER_CLASS]
    if few:
        raise UsageError(
            f"Only {counts[few[0]]} of {len(y)} labelled images have {name} {few[0]}; each value "
            f"from 0 to {len(thresholds)} needs at least {MIN_PER_CLASS}, label more images."
        )
    kinds = len(np.unique(groups))
    if kinds > 1:
        folds = list(GroupKFold(min(FOLDS, kinds)).split(x, y, groups))
        if all(len(np.unique(y[train])) == len(counts) for train, _ in folds):
            return folds, f"{len(folds)} folds, every source in one of them"
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(x, y)
    return list(folds), f"{FOLDS} folds of images drawn by lot: the sources are too few to group by"


def _logistic(x: Floats, y: npt.NDArray[np.bool_], seed: int) -> tuple[Floats, float]:
    """Weights for raw features and bias of a logistic regression on standardised ones."""
    scaler = StandardScaler().fit(x)
    model = LogisticRegression(C=_REGULARISATION, max_iter=2000, random_state=seed)
    model.fit(scaler.transform(x), y)
    weights = np.asarray(model.coef_)[0] / np.asarray(scaler.scale_)
    bias = np.asarray(model.intercept_)[0] - weights @ np.asarray(scaler.mean_)
    return weights, float(bias)


def _quality(y: Ints, above: Floats, thresholds: tuple[int, ...]) -> dict[str, Any]:
    said = (above > 0.5).sum(axis=1)
    levels = list(range(len(thresholds) + 1))
    result: dict[str, Any] = {
        "images": len(y),
        "accuracy": accuracy_score(y, said),
        "macro_f1": f1_score(y, said, average="macro", labels=levels, **_NO_WARNING),
        "quadratic_weighted_kappa": cohen_kappa_score(y, said, weights="quadratic"),
        "roc_auc": float(
            np.mean([roc_auc_score(y > t, above[:, k]) for k, t in enumerate(thresholds)])
        ),
        "brier": float(
            np.mean([brier_score_loss(y > t, above[:, k]) for k, t in enumerate(thresholds)])
        ),
        "mean_absolute_error": mean_absolute_error(y, above.sum(axis=1)),
    }
    result = {k: v if isinstance(v, int) else round(float(v), 4) for k, v in result.items()}
    result["confusion_matrix"] = confusion_matrix(y, said, labels=levels).tolist()
    result["reliability"] = _reliability(above, y[:, None] > np.array(thresholds))
    return result


def _reliability(probability: Floats, truth: npt.NDArray[np.bool_]) -> list[dict[str, Any]]:
    """Predicted and true share by tenth of the predicted probability, over all thresholds."""
    p, t = probability.ravel(), truth.ravel()
    tenth = np.minimum((p * 10).astype(int), 9)
    return [
        {
            "predicted": round(float(p[tenth == i].mean()), 4),
            "true": round(float(t[tenth == i].mean()), 4),
            "count": int((tenth == i).sum()),
        }
        for i in range(10)
        if (tenth == i).any()
    ]


def save(classifiers: Classifiers, folder: Path) -> None:
    """Write weights (safetensors) and everything about them (JSON) into a folder that exists."""
    weights = {
        f"{name}.{part}": values
        for name in ("clarity", "complexity")
        for part, values in asdict(getattr(classifiers, name)).items()
    }
    save_file(weights, folder / _WEIGHTS)
    told = {
        "format": _FORMAT,
        "clip": classifiers.clip,
        "clip_key": classifiers.clip_key,
        "report": classifiers.report,
    }
    (folder / _CARD).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8", newline="\n")


def read_classifiers(folder: Path) -> Classifiers:
    """What `save` wrote; raises `FolderError`."""
    try:
        told = json.loads((folder / _CARD).read_bytes())
        weights = load_file(folder / _WEIGHTS)
        scales = {
            name: Linear(
                *(weights[f"{name}.{part}"] for part in ("weights", "bias", "slope", "offset"))
            )
            for name in ("clarity", "complexity")
        }
        if told["format"] != _FORMAT or any(s.weights.ndim != 2 for s in scales.values()):
            raise ValueError("another format")
        return Classifiers(
            told["clip"], told["clip_key"], scales["clarity"], scales["complexity"], told["report"]
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError, SafetensorError) as error:
        raise FolderError(
            f"{folder} holds no classifiers ({type(error).__name__}: {error}); make some with "
            "`mathv360k fit`."
        ) from None
