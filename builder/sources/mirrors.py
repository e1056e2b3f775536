"""Copies of sources on the Hub, as Parquet that `datasets` streams, in the place of a download."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import datasets
import msgspec
from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

from ...errors import SourceError, UsageError
from ..json_rows import convert_value
from ..schema import Reason, Unusable
from .rows import convert
from .source import Candidate, Mirror, ReadOptions, Rejection, Source, Split


@dataclass(frozen=True, slots=True)
class MirrorAddress:
    """A repository of the Hub at one commit."""

    repository: str
    commit: str


def resolve(address: str) -> MirrorAddress:
    """The commit that `repository@revision` means now; raises `SourceError`."""
    repository, _, revision = address.partition("@")
    try:
        info = HfApi().dataset_info(repository, revision=revision)
    except (HfHubHTTPError, HFValidationError, OfflineModeIsEnabled, OSError) as error:
        reason = str(error).strip().splitlines()[0].rstrip(".")
        raise SourceError(f"{address} cannot be found on the Hub: {reason}.") from None
    if info.sha is None:
        raise SourceError(f"{address}: the Hub names no commit; give a tag or a commit.")
    return MirrorAddress(repository, info.sha)


def read_mirror(
    source: Source, address: MirrorAddress, options: ReadOptions
) -> Iterator[Candidate | Rejection]:
    """The questions of a source from a copy on the Hub, as its reader yields them.

    The copy is read as the first of the source's `mirrors` whose columns it has. Raises
    `UsageError` where it has the columns of none, and `SourceError` where it cannot be read.
    """
    if not source.mirrors:
        raise UsageError(f"{source.name} cannot be read from the Hub; leave `hub` out.")
    for split in options.splits:
        mirror, stream = _open(source, address, split)
        image = mirror.image
        rows = _rows(stream, image, mirror, f"{address.repository}, {split}")

        def make(
            where: str,
            index: int | str,
            row: tuple[Any, Any],
            mirror: Mirror[Any] = mirror,
            split: Split = split,
        ) -> Candidate | None:
            data, value = row
            if data is None:  # ScienceQA has questions without a picture
                return None
            # The file's name is not taken: many copies call all of their images alike.
            name = f"{split}/{int(index):07d}"
            return mirror.make(where, name, _Bytes(data), value)

        yield from convert(rows, make)


def _open(
    source: Source, address: MirrorAddress, split: Split
) -> tuple[Mirror[Any], datasets.IterableDataset]:
    lacking: Sequence[str] = ()
    for mirror in source.mirrors:
        name = mirror.splits.get(split)
        if name is None:
            raise SourceError(f"Copies of {source.name} on the Hub have no {split} part.")
        try:
            stream = datasets.load_dataset(
                address.repository,
                mirror.config,
                split=name,
                revision=address.commit,
                streaming=True,
            )
            assert isinstance(stream, datasets.IterableDataset)
            features = stream.features
            if features is None:
                stream = stream._resolve_features()
                features = stream.features or {}
        except Exception as error:  # whatever the libraries meet in files of others
            if mirror is not source.mirrors[-1]:
                continue
            raise _unreadable(address, error) from None
        wanted = [
            mirror.image,
            *(field.encode_name for field in msgspec.structs.fields(mirror.row_type)),
        ]
        required = {f.encode_name for f in msgspec.structs.fields(mirror.row_type) if f.required}
        lacking = [c for c in (mirror.image, *sorted(required)) if c not in features]
        if not lacking:
            stream = stream.select_columns([column for column in wanted if column in features])
            kept = {column: features[column] for column in wanted if column in features}
            plain = datasets.Features({n: _undecoded(f) for n, f in kept.items()})
            return mirror, stream.cast(plain)
    raise UsageError(
        f"{address.repository} lacks the columns {', '.join(lacking)} of a copy of {source.name}; "
        f"such a copy is {source.mirrors[0].repository}."
    )


def _undecoded(feature: Any) -> Any:
    """The same feature with images as their bytes."""
    if isinstance(feature, datasets.Image):
        return datasets.Image(decode=False)
    if isinstance(feature, datasets.List):
        return datasets.List(_undecoded(feature.feature))
    return feature


def _rows(
    stream: datasets.IterableDataset, image: str, mirror: Mirror[Any], place: str
) -> Iterator[tuple[str, int, tuple[Any, Any] | Unusable]]:
    rows = iter(stream)
    index = 0
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except Exception as error:  # whatever the libraries meet in files of others
            raise SourceError(f"{place}, row {index + 1}: {_sentence(error)}.") from None
        cell = row.pop(image)
        value: Any = convert_value(row, mirror.row_type)
        if not isinstance(value, Unusable):
            try:
                value = _bytes(cell), value
            except Unusable as bad:
                value = bad
        yield f"{place}: row {index + 1}", index, value
        index += 1


def _bytes(cell: Any) -> bytes | None:
    """The bytes of an image cell, or of the only image in a list."""
    if isinstance(cell, list):
        if len(cell) != 1:
            raise Unusable(Reason.NOT_ONE_IMAGE, f"{len(cell)} images")
        cell = cell[0]
    if cell is None:
        return None
    if cell.get("bytes") is None:
        raise Unusable(Reason.IMAGE_MISSING, f"no bytes for {cell.get('path')!r}")
    return cell["bytes"]


class _Bytes(msgspec.Struct, frozen=True, gc=False):
    """An image that is in memory."""

    data: bytes

    def __call__(self) -> bytes:
        return self.data


def _unreadable(address: MirrorAddress, error: Exception) -> SourceError:
    return SourceError(f"{address.repository} cannot be read from the Hub: {_sentence(error)}.")


def _sentence(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
