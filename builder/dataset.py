"""The built dataset as `datasets` sees it: the builder class `MathV360K`, and `load`."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from functools import reduce
from operator import and_
from pathlib import Path
from typing import Any, cast

import datasets
import pyarrow as pa
import pyarrow.compute as pc
from datasets.packaged_modules.parquet.parquet import Parquet, ParquetConfig

from ..errors import UsageError
from .location import locate
from .schema import (
    ALL_CONFIGS,
    BATCH_ROWS,
    CONFIGS,
    AnswerType,
    Kind,
    QuestionType,
    Task,
    parquet_features,
)
from .sources import EMBEDDED, SOURCES

Loaded = (
    datasets.Dataset
    | datasets.DatasetDict
    | datasets.IterableDataset
    | datasets.IterableDatasetDict
)
Names = str | Iterable[str] | None


class MathV360K(Parquet):
    """The `datasets` builder of a dataset folder or Hub version.

    Example:

    ```python
    builder = MathV360K("mathv360k", "images")
    builder.download_and_prepare()
    images = builder.as_dataset(split="train")
    stream = builder.as_streaming_dataset(split="train")
    ```

    Args:
        path: a dataset folder, or a Hub repository `namespace/name`.
        config_name: `default` (a question with its image per row), `images` (an image with its
            questions), `questions` (no images) or `rejected` (written, but not kept).
        revision: a tag, branch or commit of the Hub; for a folder, the version it must be.
        filters: a pyarrow expression over the columns, pushed down to the Parquet reader.
        columns: only these columns.

    Raises:
        UsageError: unknown config, or no such version.
        FolderError: `path` is not a finished dataset.
    """

    BUILDER_CONFIGS = [ParquetConfig(name=name) for name in ALL_CONFIGS]  # noqa: RUF012
    DEFAULT_CONFIG_NAME = "default"

    def __init__(
        self,
        path: str | Path = "mathv360k",
        config_name: str = "default",
        *,
        revision: str | None = None,
        filters: pc.Expression | None = None,
        columns: list[str] | None = None,
        **kwargs: Any,
    ) -> None:
        if config_name not in ALL_CONFIGS:
            raise UsageError(f"Unknown config {config_name!r}; choose {', '.join(ALL_CONFIGS)}.")
        place = locate(path, revision)
        root, manifest = place.root, place.manifest
        self.manifest: dict[str, Any] = manifest
        data_files = {
            split: [
                f"{root}/{name}"
                for name in manifest["files"]
                if name.startswith(f"data/{config_name}/{split}-")
            ]
            for split in manifest["splits"]
        }
        data_files = {split: files for split, files in data_files.items() if files}
        if not data_files:
            raise UsageError(f"{path} has nothing in config {config_name!r}: all was kept.")
        features = datasets.Features.from_dict(parquet_features(ALL_CONFIGS[config_name]))
        if columns is not None:
            unknown = [name for name in columns if name not in features]
            if unknown:
                raise UsageError(f"Config {config_name!r} has no column {unknown[0]!r}.")
            features = datasets.Features({name: features[name] for name in columns})
        super().__init__(
            dataset_name="mathv360k",
            config_name=config_name,
            version=manifest["version"],
            description=f"sha256:{manifest['digest']}",
            data_files=data_files,
            features=features,
            filters=filters,
            columns=columns,
            **{"batch_size": BATCH_ROWS.get(config_name), **kwargs},
        )


def load(
    path: str | Path = "mathv360k",
    config: str = "default",
    *,
    split: str | None = None,
    revision: str | None = None,
    source: Names = None,
    task: Names = None,
    kind: Names = None,
    complexity: int | Iterable[int] | None = None,
    min_clarity: float | None = None,
    min_agreement: float | None = None,
    exclude_contaminated: bool = False,
    verifiable: bool = False,
    columns: list[str] | None = None,
    streaming: bool = False,
) -> Loaded:
    """Load the questions or images one wants; filters are pushed down to the Parquet reader.

    Example: `load("mathv360k", "questions", source=["TabMWP", "ChartQA"], kind="original")`.

    Args:
        path: a dataset folder, or a Hub repository `namespace/name`.
        config: `default`, `images`, `questions` or `rejected`.
        split: a split or a slice of one (`train[:10%]`); all splits without.
        revision: a tag, branch or commit of the Hub; for a folder, the version it must be.
        source: keep these sources; `task`, `kind` and `complexity` (0..3) likewise.
        min_clarity: keep images whose clarity is known and at least this; `min_agreement` likewise.
        exclude_contaminated: leave out rows that a benchmark shares.
        verifiable: keep rows whose answers `mathv360k.reward` can check: choices, numbers, lists,
            yes or no.
        columns: only these columns.
        streaming: read on the fly instead of preparing a local copy.

    Returns:
        A `Dataset` or, with `streaming`, an `IterableDataset`; a dict of them without `split`.

    Raises:
        UsageError: an unknown config, split, name or version, or a filter that the config has no
            column for.
        FolderError: `path` is not a finished dataset.
    """
    wanted: dict[str, list[Any] | None] = {
        "source": _known("source", _listed(source), [*SOURCES, EMBEDDED.name]),
        "task": _known("task", _listed(task), Task),
        "kind": None if kind is None else [str(name) for name in _listed(kind) or []],
        "complexity": _listed(complexity),
    }
    minima = {"clarity": min_clarity, "agreement": min_agreement}
    tests = {n: _among(n, values) for n, values in wanted.items() if values is not None}
    for name, least in minima.items():
        if least is not None and not isinstance(least, (int, float)):
            raise UsageError(f"min_{name} is a number, which {least!r} is not.")
    tests |= {n: pc.field(n) >= least for n, least in minima.items() if least is not None}
    if exclude_contaminated:
        tests["contamination"] = pc.field("contamination").is_null()
    if verifiable:
        choices = pc.field("question_type") == QuestionType.MULTI_CHOICE
        tests["answer_type"] = choices | (pc.field("answer_type") != AnswerType.TEXT)
    for name in tests:
        if config in ALL_CONFIGS and name not in ALL_CONFIGS[config].names:
            raise UsageError(f"Config {config!r} has no column {name!r}; filter another config.")
    filters = reduce(and_, tests.values()) if tests else None
    builder = MathV360K(path, config, revision=revision, filters=filters, columns=columns)
    written = {k for entry in builder.manifest["sources"].values() for k in entry["questions"]}
    _known("kind", wanted["kind"], [*Kind, *sorted(written)])
    if split is not None:
        _known("split", _splits_of(split), builder.manifest["splits"])
    if streaming:
        return cast(Loaded, builder.as_streaming_dataset(split=split))
    builder.download_and_prepare()
    if split is not None:
        return _prepared(builder, split)
    names = builder.manifest["splits"]
    return datasets.DatasetDict({name: _prepared(builder, name) for name in names})


def _prepared(builder: MathV360K, split: str) -> datasets.Dataset:
    """A split, or a slice or sum of splits; also where the filters left nothing of it."""
    infos = builder.info.splits or {}
    if any(infos[name].num_examples for name in _splits_of(split) if name in infos):
        return cast(datasets.Dataset, builder.as_dataset(split=split))
    features = builder.info.features
    assert features is not None
    return datasets.Dataset.from_dict({name: [] for name in features}, features=features)


def _splits_of(split: str) -> list[str]:
    """The splits that a text like `train[:10%]+test` is about."""
    return [part.partition("[")[0].strip() for part in split.split("+")]


def _among(column: str, values: list[Any]) -> pc.Expression:
    kind = CONFIGS["default"].field(column).type
    try:
        return pc.field(column).isin(pa.array(values, kind))
    except pa.ArrowException:
        raise UsageError(f"{column} is {kind}, which {values!r} is not.") from None


def _listed(values: Any) -> list[Any] | None:
    if values is None:
        return None
    return [values] if isinstance(values, (str, int)) else list(values)


def _known(what: str, values: list[Any] | None, known: Iterable[str]) -> list[Any] | None:
    """`values`, all of which are in `known`; raises `UsageError` naming the nearest."""
    names = list(dict.fromkeys(map(str, known)))
    for value in values or []:
        if value not in names:
            near = get_close_matches(str(value), names, 1) or [", ".join(names)]
            raise UsageError(f"Unknown {what} {value!r}; did you mean {near[0]}?")
    return None if values is None else [str(value) for value in values]
