"""Rows set aside on disk by image_id, to be taken up again one range of image_ids at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

COUNT = 128
_BATCH = 256  # rows of a bucket that wait in memory


class Buckets:
    """Writes rows of one schema into `folder`; iterating yields them bucket by bucket.

    All rows about an image are in one bucket, in the order they came, and the image_ids of a
    bucket are all smaller than those of the next.
    """

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        self._folder = folder
        self._schema = schema
        self._waiting: list[list[dict[str, Any]]] = [[] for _ in range(COUNT)]
        self._writers: dict[int, pa.ipc.RecordBatchStreamWriter] = {}
        folder.mkdir()

    def add(self, image_id: str, row: dict[str, Any]) -> None:
        number = int(image_id[:2], 16) * COUNT // 256
        waiting = self._waiting[number]
        waiting.append(row)
        if len(waiting) >= _BATCH:
            self._write(number)

    def __iter__(self) -> Iterator[pa.Table]:
        """The buckets in order, each deleted as soon as it was read; nothing can be added then."""
        for number, waiting in enumerate(self._waiting):
            if number in self._writers:
                if waiting:
                    self._write(number)
                self._writers[number].close()
                path = self._folder / str(number)
                with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as stream:
                    table = stream.read_all()
                path.unlink()
                yield table
            elif waiting:
                yield pa.Table.from_pylist(waiting, self._schema)
            self._waiting[number] = []
        self._folder.rmdir()

    def _write(self, number: int) -> None:
        if number not in self._writers:
            self._writers[number] = pa.ipc.new_stream(str(self._folder / str(number)), self._schema)
        batch = pa.RecordBatch.from_pylist(self._waiting[number], self._schema)
        self._writers[number].write_batch(batch)
        self._waiting[number] = []
