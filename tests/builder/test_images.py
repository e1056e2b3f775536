"""Images that nobody has vouched for."""

from __future__ import annotations

import io
import os
import struct
import warnings
import zlib
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from mathv360k.builder import images
from mathv360k.builder.images import inspect, open_rgb, read_file, safe_path
from mathv360k.builder.schema import Reason, Unusable


def drawing(size: tuple[int, int] = (120, 90), mode: str = "RGB") -> Image.Image:
    image = Image.new(mode, size, "white")
    pen = ImageDraw.Draw(image)
    pen.line((10, 80, 60, 10, 110, 80, 10, 80), fill="black", width=4)
    return image


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def reason(data: bytes) -> Reason:
    with pytest.raises(Unusable) as caught:
        inspect(data)
    return caught.value.reason


@pytest.mark.parametrize("form", images.FORMATS)
def test_the_format_is_read_from_the_bytes(form: str) -> None:
    data = encoded(drawing(), form)
    facts = inspect(data)
    assert (facts.format, facts.width, facts.height) == (form, 120, 90)
    assert facts.image_id == sha256(data).hexdigest()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP", "BMP"])
def test_a_picture_that_lost_pixels_is_refused(form: str) -> None:
    data = encoded(drawing(), form)
    whole = open_rgb(data).tobytes()
    for length in range(1, len(data), max(1, len(data) // 60)):
        try:
            inspect(data[:length])
        except Unusable:
            continue
        # What was lost lay behind the pixels.
        assert open_rgb(data[:length]).tobytes() == whole
    expected = Reason.IMAGE_UNREADABLE if form == "WEBP" else Reason.IMAGE_TRUNCATED
    assert reason(data[: len(data) // 2]) == expected


def test_what_is_no_picture_is_unreadable() -> None:
    assert reason(b"") == Reason.IMAGE_EMPTY
    assert reason(b"<html>404</html>") == Reason.IMAGE_UNREADABLE
    assert reason(b"%PDF-1.4 " + bytes(500)) == Reason.IMAGE_UNREADABLE


def test_a_bomb_is_refused_before_it_is_decoded() -> None:
    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    for side in (9_000, 10_000, 30_000, 60_000):
        header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
        bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
        bomb += chunk(b"IDAT", zlib.compress(bytes(10_000))) + chunk(b"IEND", b"")
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # as the command does
            assert reason(bomb) == Reason.IMAGE_TOO_LARGE


def test_too_many_bytes_are_not_read(tmp_path: Path) -> None:
    with (tmp_path / "big.png").open("wb") as file:
        file.truncate(images.MAX_BYTES + 1)
    with pytest.raises(Unusable) as caught:
        read_file(tmp_path, "big.png")
    assert caught.value.reason == Reason.IMAGE_TOO_LARGE


@pytest.mark.parametrize(
    "name",
    [
        ".",
        "./",
        "a\ud800.png",
        "../a.png",
        "a/../../b.png",
        "/etc/passwd",
        "C:\\a.png",
        "..\\a.png",
        "a\0.png",
        "",
        "\\\\x\\a",
    ],
)
def test_paths_out_of_the_folder_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(Unusable) as caught:
        read_file(tmp_path, name)
    assert caught.value.reason == Reason.UNSAFE_PATH


def test_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "a.png").symlink_to(tmp_path / "secret")
    with pytest.raises(Unusable) as caught:
        read_file(tmp_path / "root", "a.png")
    assert caught.value.reason == Reason.UNSAFE_PATH


def test_a_missing_image_and_what_stands_in_its_place(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")  # opening it would wait for ever
    (tmp_path / "folder.png").mkdir()
    for name, expected in {
        "gone.png": Reason.IMAGE_MISSING,
        "folder.png": Reason.IMAGE_UNREADABLE,
        "pipe.png": Reason.IMAGE_UNREADABLE,
        "n" * 300 + ".png": Reason.IMAGE_UNREADABLE,
    }.items():
        with pytest.raises(Unusable) as caught:
            read_file(tmp_path, name)
        assert caught.value.reason == expected


@given(st.text(max_size=40))
def test_a_safe_path_stays_below_its_root(name: str) -> None:
    root = Path("/srv/images")
    try:
        path = safe_path(name)
    except Unusable:
        return
    assert (root / path).resolve().is_relative_to(root)


@given(st.binary(max_size=400))
def test_arbitrary_bytes_are_refused_with_a_reason(data: bytes) -> None:
    assert reason(data) in Reason
    assert isinstance(reason(encoded(drawing(), "PNG")[:60] + data), Reason)


def test_transparency_is_shown_on_white() -> None:
    image = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    ImageDraw.Draw(image).rectangle((10, 10, 20, 20), fill=(255, 0, 0, 255))
    assert open_rgb(encoded(image, "PNG")).getpixel((1, 1)) == (255, 255, 255)
    assert open_rgb(encoded(image, "PNG")).getpixel((15, 15)) == (255, 0, 0)
    palette = Image.new("P", (40, 40), 0)
    palette.putpalette([128, 128, 128, 0, 0, 0])
    ImageDraw.Draw(palette).rectangle((10, 10, 20, 20), fill=1)
    gif = encoded(palette, "GIF", transparency=0)
    assert open_rgb(gif).getpixel((1, 1)) == (255, 255, 255)
    assert open_rgb(gif).getpixel((15, 15)) == (0, 0, 0)


def test_a_photo_is_shown_upright() -> None:
    turned = drawing((60, 30))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    assert open_rgb(encoded(turned, "JPEG", exif=exif)).size == (30, 60)


def test_the_perceptual_hash_sees_the_picture_not_the_file() -> None:
    picture = inspect(encoded(drawing(), "PNG")).dhash
    assert inspect(encoded(drawing(), "BMP")).dhash == picture
    assert inspect(encoded(drawing(mode="RGBA"), "PNG")).dhash == picture
    other = drawing()
    ImageDraw.Draw(other).ellipse((20, 5, 50, 40), fill="black")
    assert inspect(encoded(other, "PNG")).dhash != picture
    assert len(picture) == 64


def test_flat_pictures_have_no_hash_to_share() -> None:
    assert inspect(encoded(Image.new("RGB", (50, 50), "white"), "PNG")).dhash == ""
