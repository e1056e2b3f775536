"""The files of a release: in the source's folder, or in the archives that lie there."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import BinaryIO

import msgspec

from ...errors import SourceError
from ..archives import BROKEN, SUFFIXES, Archive, open_archive
from ..images import read_file, safe_path
from ..schema import Reason, Unusable

_HIDDEN = re.compile(r"(?:^|/)(?:\.|__MACOSX)")


class Files:
    """A folder as it would be if every zip, tar and tar.gz in it were unpacked where it lies.

    Names are relative to the folder, with `/`. A file that is there unpacked comes before one in
    an archive. To be used as a context manager, which closes the archives.
    """

    def __init__(self, folder: Path) -> None:
        self._disk = _Disk(folder)
        self._prefix = ""

    def __enter__(self) -> Files:
        return self

    def __exit__(self, *_: object) -> None:
        for _folder, archive in self._disk.opened:
            archive.close()

    def __str__(self) -> str:
        return str(self._disk.root / self._prefix)

    def inside(self, *folders: str) -> Files:
        """The same below the first of the nested folders, below the next, …: those that exist.

        Releases lie around with and without their outer folders.
        """
        view = Files.__new__(Files)
        view._disk, view._prefix = self._disk, self._prefix
        for folder in folders:
            if view.exists(folder):
                view._prefix += f"{folder}/"
        return view

    def exists(self, name: str) -> bool:
        """Whether there is a file or a folder of this name."""
        return self._disk.exists(self._prefix + name)

    def names(self, folder: str = "") -> list[str]:
        """The names of the files and folders directly in `folder`, sorted; hidden ones left out."""
        return self._disk.names(self._prefix + folder)

    def matches(self, pattern: str) -> Iterator[str]:
        """The names that match a glob pattern, in no particular order."""
        return self._disk.matches(self._prefix + pattern)

    def open(self, name: str) -> BinaryIO:
        """A file to be read once from its start; raises `SourceError` where it cannot be opened."""
        return self._disk.open(self._prefix + name)

    def image(self, name: str) -> ImageFile:
        """An image file, not opened yet."""
        return ImageFile(self._disk, self._prefix + name)

    def path(self, name: str) -> str:
        """The name as seen from the source's folder."""
        return self._prefix + name


class ImageFile(msgspec.Struct, frozen=True, gc=False):
    """The bytes of an image of a release, when called; raises `Unusable`."""

    disk: _Disk
    name: str

    def __call__(self) -> bytes:
        return self.disk.read(self.name)

    def exists(self) -> bool:
        try:
            return self.disk.exists(safe_path(self.name).as_posix())
        except Unusable:
            return False


class _Disk:
    """What `Files` and its views from inside share: the folder, and its archives when needed."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.opened: list[tuple[str, Archive]] = []
        self._looked = False
        self._lock = Lock()

    @property
    def _archives(self) -> list[tuple[str, Archive]]:
        """Each archive with the folder in which it lies ("" or ending in "/")."""
        with self._lock:
            if not self._looked:
                self._look()
                self._looked = True
        return self.opened

    def _look(self) -> None:
        for folder, _, files in sorted(os.walk(self.root)):
            below = Path(folder).relative_to(self.root).as_posix()
            for file in sorted(files):
                if file.endswith(SUFFIXES) and not file.startswith("."):
                    archive = open_archive(Path(folder) / file)
                    self.opened.append(("" if below == "." else f"{below}/", archive))

    @cached_property
    def _folders(self) -> dict[str, set[str]]:
        """The folders that archives make, each with the names directly in it."""
        folders: dict[str, set[str]] = {}
        for base, archive in self._archives:
            for member in archive.names():
                folder, _, file = f"{base}{member}".rpartition("/")
                known = folder in folders
                folders.setdefault(folder, set()).add(file)
                while folder and not known:
                    folder, _, file = folder.rpartition("/")
                    known = folder in folders
                    folders.setdefault(folder, set()).add(file)
        return folders

    def _find(self, name: str) -> tuple[Archive, str] | None:
        for base, archive in self._archives:
            member = name.removeprefix(base)
            if name.startswith(base) and member in archive:
                return archive, member
        return None

    def exists(self, name: str) -> bool:
        if (self.root / name).exists() or self._find(name) is not None:
            return True
        return bool(self._archives) and name.rstrip("/") in self._folders

    def names(self, folder: str) -> list[str]:
        folder = folder.rstrip("/")
        path = self.root / folder
        found = {p.name for p in path.iterdir()} if path.is_dir() else set()
        if self._archives:
            found |= self._folders.get(folder, set())
        return sorted(name for name in found if not _HIDDEN.match(name))

    def matches(self, pattern: str) -> Iterator[str]:
        for path in self.root.glob(pattern):
            yield path.relative_to(self.root).as_posix()
        words = re.escape(pattern).replace(r"\*\*/", "(?:[^/]+/)*").replace(r"\*", "[^/]*")
        expression = re.compile(words)
        for base, archive in self._archives:
            for member in archive.names():
                name = base + member
                if expression.fullmatch(name) and not _HIDDEN.search(name):
                    yield name

    def open(self, name: str) -> BinaryIO:
        path = self.root / name
        try:
            if path.is_file():
                return path.open("rb")
            place = self._find(name)
            if place is not None:
                return place[0].open(place[1])
        except BROKEN as error:
            what = error.strerror if isinstance(error, OSError) else error
            raise SourceError(f"{path}: {what or error}; download it again.") from None
        raise SourceError(f"{path} does not exist; download it again.")

    def read(self, name: str) -> bytes:
        try:
            return read_file(self.root, name)
        except Unusable as bad:
            if bad.reason is not Reason.IMAGE_MISSING:
                raise
            missing = bad
        safe = safe_path(name).as_posix()
        place = self._find(safe)
        if place is None:
            raise missing
        return place[0].read_image(place[1])
