"""A release reads the same whether it is unpacked or still in its archives."""

from __future__ import annotations

import io
import random
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mathv360k.builder.archives import open_archive
from mathv360k.builder.schema import Reason, Unusable
from mathv360k.builder.sources import SOURCES
from mathv360k.builder.sources.files import Files
from mathv360k.builder.sources.source import ReadOptions
from mathv360k.errors import SourceError
from source_reading import png, write

CONTENT = {
    "train/qa.json": b'{"qa_pairs": []}',
    "train/png/0.png": png(0),
    "train/png/1.png": png(1),
    "train/a b/ü.png": png(2),
    "note.txt": b"",
}
ODD = {"__MACOSX/train/._0.png": b"x", ".DS_Store": b"x", "train/.hidden": b"x"}
Pack = Callable[[Path, dict[str, bytes]], None]


def pack_zip(path: Path, content: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in content.items():
            archive.writestr(name, data)


def pack_tar(path: Path, content: dict[str, bytes], mode: str = "w") -> None:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, data in content.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))


PACKED: dict[str, Pack] = {
    "release.zip": pack_zip,
    "deflated.zip": lambda path, content: pack_zip(path, content, zipfile.ZIP_DEFLATED),
    "release.tar": pack_tar,
    "release.tar.gz": lambda path, content: pack_tar(path, content, "w:gz"),
    "release.tgz": lambda path, content: pack_tar(path, content, "w:gz"),
}


def unpack(folder: Path, content: dict[str, bytes]) -> None:
    for name, data in content.items():
        write(folder / name, data)


def seen(files: Files) -> dict[str, object]:
    """All that a reader can ask, of what is there and what is not."""
    asked = [*CONTENT, "train", "train/png", "train/png/2.png", "nothing", "train/q", "qa.json"]
    with files.open("train/qa.json") as opened:
        text = opened.read()
    return {
        "exists": [files.exists(name) for name in asked],
        "images": [files.image(name).exists() for name in CONTENT],
        "bytes": [files.image(name)() for name in CONTENT if name.endswith("png")],
        "names": [files.names(folder) for folder in ("train", "train/png", "train/a b")],
        "matches": [
            sorted(set(files.matches(pattern)))
            for pattern in ("train/png/*.png", "*/qa.json", "**/*.png", "*.png", "**/1.png")
        ],
        "inside": files.inside("train", "train", "png").names(),
        "path": files.inside("no", "train").path("qa.json"),
        "text": text,
    }


@pytest.mark.parametrize("archive", PACKED)
@pytest.mark.parametrize("folder", ["", "part/"])
def test_packed_or_not_it_is_the_same(tmp_path: Path, archive: str, folder: str) -> None:
    unpack(tmp_path / "unpacked" / folder, CONTENT)
    (tmp_path / "packed" / folder).mkdir(parents=True)
    PACKED[archive](tmp_path / "packed" / folder / archive, {**ODD, **CONTENT})
    with Files(tmp_path / "unpacked") as plain, Files(tmp_path / "packed") as packed:
        assert seen(packed.inside("part")) == seen(plain.inside("part"))


def test_what_is_unpacked_comes_first(tmp_path: Path) -> None:
    pack_zip(tmp_path / "a.zip", {"x.png": png(1), "y.png": png(1)})
    write(tmp_path / "x.png", png(2))
    with Files(tmp_path) as files:
        assert files.image("x.png")() == png(2)
        assert files.image("y.png")() == png(1)
        assert files.names() == ["a.zip", "x.png", "y.png"]


@pytest.mark.parametrize("name", ["big.tar", "big.tar.gz"])
def test_files_of_a_tar_may_be_asked_for_in_any_order_and_thread(tmp_path: Path, name: str) -> None:
    rng = random.Random(0)
    content = {f"png/{n}.png": rng.randbytes(20_000) for n in range(600)}  # 12 MB
    PACKED["release." + name.partition(".")[2]](tmp_path / name, content)
    wanted = list(content)
    rng.shuffle(wanted)
    with Files(tmp_path) as files, ThreadPoolExecutor(8) as threads:
        found = threads.map(lambda name: files.image(name)(), wanted)
        assert all(data == content[name] for name, data in zip(wanted, found, strict=True))
        assert not files.exists("png/600.png")


def test_a_tar_is_read_no_further_than_needed(tmp_path: Path) -> None:
    pack_tar(tmp_path / "a.tar", {"one": b"1", "two": b"2"})
    with (tmp_path / "a.tar").open("r+b") as file:
        file.seek(1024)
        file.write(b"\0" * 400 + b"broken" * 20)  # the second member's header
    with Files(tmp_path) as files:
        with files.open("one") as opened:
            assert opened.read() == b"1"
        with pytest.raises(SourceError, match=r"a\.tar is not a readable tar"):
            files.exists("two")


@pytest.mark.parametrize("pack", [pack_zip, pack_tar])
def test_names_that_lead_out_are_never_found(tmp_path: Path, pack: Pack) -> None:
    odd = {"../out.png": b"1", "/abs.png": b"2", "a/../../b.png": b"3", "good.png": b"4"}
    suffix = "zip" if pack is pack_zip else "tar"
    pack(tmp_path / f"a.{suffix}", odd)
    archive = open_archive(tmp_path / f"a.{suffix}")
    assert list(archive.names()) == ["good.png"]
    archive.close()
    with Files(tmp_path) as files:
        for name in ("../out.png", "/abs.png"):
            assert not files.image(name).exists()
            with pytest.raises(Unusable) as caught:
                files.image(name)()
            assert caught.value.reason == Reason.UNSAFE_PATH


def test_links_and_devices_in_a_tar_are_no_files(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for kind, name in ((tarfile.SYMTYPE, "link.png"), (tarfile.FIFOTYPE, "pipe.png")):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
    with Files(tmp_path) as files:
        assert not files.exists("link.png")
        with pytest.raises(Unusable, match="does not exist"):
            files.image("pipe.png")()


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path / "secret.png", png())
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "x.png").symlink_to(tmp_path / "secret.png")
    with Files(tmp_path / "source") as files, pytest.raises(Unusable) as caught:
        files.image("x.png")()
    assert caught.value.reason == Reason.UNSAFE_PATH


def test_an_encrypted_member_is_unreadable(tmp_path: Path) -> None:
    pack_zip(tmp_path / "a.zip", {"x.png": png()})
    data = bytearray((tmp_path / "a.zip").read_bytes())
    data[6] |= 1  # the flag, in the member's header and in the directory
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "a.zip").write_bytes(data)
    with Files(tmp_path) as files:
        with pytest.raises(Unusable, match="encrypted"):
            files.image("x.png")()
        with pytest.raises(SourceError, match="encrypted"):
            files.open("x.png")


@pytest.mark.parametrize("archive", PACKED)
@given(data=st.data())
def test_a_damaged_archive_is_one_sentence(archive: str, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / archive
        PACKED[archive](path, {"a.png": png(1), "b/c.json": b"[]" * 500})
        damaged = bytearray(path.read_bytes())
        for place in data.draw(st.lists(st.integers(0, len(damaged) - 1), min_size=1, max_size=3)):
            damaged[place] ^= data.draw(st.integers(1, 255))
        path.write_bytes(damaged[: data.draw(st.integers(0, len(damaged)))])
        with Files(Path(folder)) as files:
            for ask in (
                lambda: files.image("a.png")(),
                lambda: files.names("b"),
                lambda: list(files.matches("**/*.json")),
                lambda: files.open("b/c.json").close(),
            ):
                try:
                    ask()
                except (SourceError, Unusable) as error:
                    assert str(error)  # noqa: PT017


def test_a_large_archive_is_not_read_to_its_end_for_what_lies_beside_it(tmp_path: Path) -> None:
    """The second member's header is broken, so whoever reads that far fails."""
    (tmp_path / "train").mkdir()
    pack_tar(tmp_path / "train" / "png.tar", {"png/0.png": png(0), "png/1.png": png(1)})
    with (tmp_path / "train" / "png.tar").open("r+b") as file:
        file.seek(512 + 512)
        file.write(b"broken" * 50)
    write(tmp_path / "train" / "qa_pairs_V2.json", [])
    with Files(tmp_path) as files:
        assert list(SOURCES["PlotQA"].read(files, ReadOptions())) == []
        assert files.image("train/png/0.png")() == png(0)
