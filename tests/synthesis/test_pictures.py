"""Images as a teacher is shown them: their own bytes, or smaller."""

from __future__ import annotations

import base64
import io

import pytest
from PIL import Image

from mathv360k.synthesis.pictures import data_url
from mathv360k.synthesis.request import Picture
from pools import diagram, encoded


def sent(data: bytes, form: str, size: tuple[int, int], max_side: int) -> tuple[str, bytes]:
    """Media type and bytes of a data URL."""
    picture = Picture("ab" * 32, "One/a", 0, len(data), form, *size)
    head, _, text = data_url(data, picture, max_side).partition(";base64,")
    return head.removeprefix("data:"), base64.b64decode(text)


@pytest.mark.parametrize(
    ("form", "media"), [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp")]
)
def test_what_servers_take_is_sent_byte_for_byte(form: str, media: str) -> None:
    data = encoded(diagram(1), form)
    assert sent(data, form, (300, 300), 300) == (media, data)


@pytest.mark.parametrize(
    ("form", "as_form"), [("PNG", "PNG"), ("JPEG", "JPEG"), ("WEBP", "PNG"), ("BMP", "PNG")]
)
def test_what_is_too_large_is_scaled_and_keeps_its_shape(form: str, as_form: str) -> None:
    data = encoded(diagram(1).resize((400, 200)), form)
    media, made = sent(data, form, (400, 200), 100)
    image = Image.open(io.BytesIO(made))
    assert (image.size, image.format) == ((100, 50), as_form)
    assert media == f"image/{as_form.lower()}"


@pytest.mark.parametrize("form", ["BMP", "GIF"])
def test_other_formats_become_png_whatever_their_size(form: str) -> None:
    media, made = sent(encoded(diagram(1), form), form, (300, 300), 1024)
    image = Image.open(io.BytesIO(made))
    assert (media, image.format, image.size) == ("image/png", "PNG", (300, 300))


def test_transparency_is_scaled_on_white() -> None:
    clear = Image.new("RGBA", (200, 200), (0, 0, 0, 0))
    _, made = sent(encoded(clear), "PNG", (200, 200), 50)
    assert Image.open(io.BytesIO(made)).convert("RGB").getpixel((25, 25)) == (255, 255, 255)
