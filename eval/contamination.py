"""What a model was trained on that a benchmark asks about.

Training leaves a list of its images beside the model, `training_images.parquet` with a column
`image_id` (sha256 of the image's bytes).
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from huggingface_hub import hf_hub_download
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, HFValidationError

from ..builder.schema import Unusable
from ..errors import FolderError
from .problems import Problem

TRAINING_IMAGES = "training_images.parquet"


def write_training_images(image_ids: Sequence[str], folder: Path) -> None:
    """Write the list of the images that a model in `folder` was trained on."""
    table = pa.table({"image_id": pa.array(sorted(set(image_ids)), pa.string())})
    pq.write_table(table, folder / TRAINING_IMAGES, compression="zstd")


def seen_in_training(model: str, problems: Sequence[Problem]) -> list[str] | None:
    """Ids of the problems whose very image the model was trained on; None where nothing is told.

    `model` is a folder or a repository of the Hub. Copies that are not the same to the byte are
    found in the dataset itself, by `mathv360k decontaminate`.
    """
    listed = _training_images(model)
    if listed is None:
        return None
    try:
        trained = set(pq.read_table(listed, columns=["image_id"])["image_id"].to_pylist())
    except (pa.ArrowException, OSError, KeyError) as error:
        raise FolderError(f"{listed} is no list of images ({error}).") from None
    return [problem.id for problem in problems if _image_id(problem) in trained]


def _image_id(problem: Problem) -> str | None:
    try:
        return sha256(problem.load()).hexdigest() if problem.load else None
    except Unusable:
        return None


def _training_images(model: str) -> Path | None:
    folder = Path(model)
    if folder.is_dir():
        path = folder / TRAINING_IMAGES
        return path if path.is_file() else None
    try:
        return Path(hf_hub_download(model, TRAINING_IMAGES))
    except (EntryNotFoundError, HfHubHTTPError, HFValidationError, OSError):
        return None
