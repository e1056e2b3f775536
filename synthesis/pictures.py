"""Images of a pool as a teacher is shown them."""

from __future__ import annotations

import base64
import io

from ..builder.images import encode_png, open_rgb
from .request import Picture

_SENT_AS_THEY_ARE = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
"""What every server of vision models takes; others are sent as PNG."""
_JPEG_QUALITY = 92


def is_sent_as_it_is(picture: Picture, max_side: int) -> bool:
    """Whether an image's own bytes are sent, so that nothing has to be decoded."""
    return picture.format in _SENT_AS_THEY_ARE and max(picture.width, picture.height) <= max_side


def data_url(data: bytes, picture: Picture, max_side: int) -> str:
    """An image's bytes as a data URL: as they are, or scaled down to `max_side` pixels.

    What is scaled stays JPEG where it was, and becomes PNG otherwise.
    """
    if is_sent_as_it_is(picture, max_side):
        media = _SENT_AS_THEY_ARE[picture.format]
    else:
        data, media = _scaled(data, picture.format, max_side)
    return f"data:{media};base64,{base64.b64encode(data).decode('ascii')}"


def _scaled(data: bytes, form: str, max_side: int) -> tuple[bytes, str]:
    image = open_rgb(data)
    image.thumbnail((max_side, max_side))
    if form != "JPEG":
        return encode_png(image), "image/png"
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_JPEG_QUALITY)
    return buffer.getvalue(), "image/jpeg"
