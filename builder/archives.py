"""Archives read in place: zip, tar and tar.gz, as safe names of files and their bytes."""

from __future__ import annotations

import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from indexed_gzip import IndexedGzipFile, NotCoveredError, ZranError

from ..errors import SourceError
from .images import read_limited, safe_path
from .schema import Reason, Unusable

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz")

BROKEN = (
    OSError,
    ValueError,
    RuntimeError,  # a password is needed
    NotImplementedError,
    EOFError,
    LookupError,
    AssertionError,
    struct.error,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    tarfile.TarError,
    NotCoveredError,
    ZranError,
)
"""What the archive libraries raise, led by whatever the broken bytes are."""

_SEEK_POINTS = 4 * 2**20  # unpacked bytes between two places where unpacking can start


class Archive(ABC):
    """Files in one file, by safe names."""

    @abstractmethod
    def names(self) -> Iterator[str]:
        """The files' names, in the order of the archive."""

    @abstractmethod
    def __contains__(self, name: str) -> bool: ...

    @abstractmethod
    def open(self, name: str) -> BinaryIO:
        """One of the files, to be read once from its start; raises one of `BROKEN`."""

    @abstractmethod
    def close(self) -> None: ...

    def read_image(self, name: str) -> bytes:
        """The bytes of an image file; raises `Unusable`."""
        try:
            with self.open(name) as file:
                return read_limited(file, name)
        except BROKEN as error:
            detail = f"{name!r} in its archive: {error}"
            raise Unusable(Reason.IMAGE_UNREADABLE, detail) from None


class ZipArchive(Archive):
    """A zip file; `unsafe` has the names that lead out of it, which are left alone."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
        except BROKEN as error:
            raise _unreadable(path, "zip", error) from None
        self._members: dict[str, zipfile.ZipInfo] = {}
        self.unsafe: list[tuple[str, Unusable]] = []
        for member in self._zip.infolist():
            try:
                name = safe_path(member.filename).as_posix()
            except Unusable as bad:
                self.unsafe.append((member.filename, bad))
                continue
            if not member.is_dir():
                self._members.setdefault(name, member)

    def names(self) -> Iterator[str]:
        return iter(self._members)

    def __contains__(self, name: str) -> bool:
        return name in self._members

    def open(self, name: str) -> BinaryIO:
        return self._zip.open(self._members[name])  # type: ignore[return-value]

    def close(self) -> None:
        self._zip.close()


class TarArchive(Archive):
    """A tar file, gzipped or not, read no further than to the last name that was asked for.

    A gzipped one keeps a point every few MB where unpacking can start again, so that files may be
    asked for in any order, any number of them open at once, in any thread.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = Lock()
        self._places: dict[str, tuple[int, int]] = {}  # name -> offset and size in the tar
        self._names: list[str] = []
        self._ended = False
        try:
            self._file = (
                path.open("rb")
                if path.suffix == ".tar"
                else IndexedGzipFile(path, spacing=_SEEK_POINTS)
            )
            self._tar = tarfile.open(fileobj=self._file, mode="r:")  # noqa: SIM115
        except BROKEN as error:
            raise _unreadable(path, "tar", error) from None

    def names(self) -> Iterator[str]:
        done = 0
        while done < len(self._names) or not self._ended:
            if done < len(self._names):
                yield self._names[done]
                done += 1
            else:
                self._read_on()

    def __contains__(self, name: str) -> bool:
        while name not in self._places and not self._ended:
            self._read_on()
        return name in self._places

    def open(self, name: str) -> BinaryIO:
        offset, size = self._places[name]
        return io.BufferedReader(_Section(self._file, self._lock, offset, size), 2**20)

    def close(self) -> None:
        self._tar.close()
        self._file.close()

    def _read_on(self) -> None:
        """Note the next file of the archive, or its end."""
        with self._lock:
            try:
                member = self._tar.next()
                if member is None:  # so says tarfile of a broken header, too
                    self._file.seek(self._tar.offset)
                    if self._file.read(tarfile.BLOCKSIZE).strip(b"\0"):
                        raise tarfile.ReadError("a header in the middle is broken")
            except BROKEN as error:
                raise _unreadable(self._path, "tar", error) from None
            self._tar.members = []  # type: ignore[attr-defined]  # it would keep all of them
            if member is None:
                self._ended = True
            elif member.isreg():
                try:
                    name = safe_path(member.name).as_posix()
                except Unusable:  # a name that leads out of the archive can never be asked for
                    return
                if name not in self._places:
                    self._places[name] = member.offset_data, member.size
                    self._names.append(name)


class _Section(io.RawIOBase):
    """`size` bytes of a file from `offset` on, for reading beside other sections of it."""

    def __init__(self, file: BinaryIO, lock: Lock, offset: int, size: int) -> None:
        self._file, self._lock = file, lock
        self._position, self._end = offset, offset + size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        wanted = min(len(buffer), self._end - self._position)
        with self._lock:
            self._file.seek(self._position)
            data = self._file.read(wanted)
        if len(data) < wanted:
            raise EOFError("the archive is cut short")
        buffer[:wanted] = data
        self._position += wanted
        return wanted


def open_archive(path: Path) -> Archive:
    """The archive in this file; raises `SourceError` where it cannot be read."""
    return ZipArchive(path) if path.suffix == ".zip" else TarArchive(path)


def _unreadable(path: Path, kind: str, error: Exception) -> SourceError:
    return SourceError(f"{path} is not a readable {kind} ({error}); download it again.")
