"""Opening images that nobody has vouched for: limits, true format, content and perceptual hash."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from .schema import Reason, Unusable

FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "BMP")
"""Formats kept byte for byte: every browser, Pillow and the Hub's viewer show them."""
MAX_BYTES = 32 * 2**20
MAX_PIXELS = 64_000_000
"""About 8,000 x 8,000; the largest image of the 24 sources has 3.2 million."""

_HASH_SIDE = 16


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What is known about an image after it was decoded once.

    `image_id` is the sha256 of its bytes (64 hex digits). `dhash` is a 256-bit difference hash of
    its grey picture on white (64 hex digits), or "" where the picture is one flat colour.
    """

    image_id: str
    format: str
    width: int
    height: int
    dhash: str


def safe_path(name: str) -> PurePosixPath:
    """`name` as a relative path that stays below its root; raises `Unusable` where it does not."""
    path = PurePosixPath(name.replace("\\", "/"))
    parts = path.parts
    if not parts or path.is_absolute() or ".." in parts or ":" in parts[0] or not _is_text(name):
        raise Unusable(Reason.UNSAFE_PATH, f"{name!r} is not a path below the image folder")
    return path


def _is_text(name: str) -> bool:
    """Whether a file may be called so: no NUL, no half of a surrogate pair."""
    try:
        return b"\0" not in name.encode()
    except UnicodeEncodeError:
        return False


def read_file(root: Path, name: str) -> bytes:
    """The bytes of image `name` below `root`; raises `Unusable`.

    A link is followed only where it ends below `root`.
    """
    path = root / safe_path(name)
    try:
        resolved = path.resolve()
        if not resolved.is_relative_to(root.resolve()):
            raise Unusable(Reason.UNSAFE_PATH, f"{name!r} links to a place outside its folder")
        if resolved.exists() and not resolved.is_file():  # a pipe would be waited for
            raise Unusable(Reason.IMAGE_UNREADABLE, f"{name!r} is not a file")
        with resolved.open("rb") as file:
            return read_limited(file, name)
    except (FileNotFoundError, NotADirectoryError):
        raise Unusable(Reason.IMAGE_MISSING, f"{name!r} does not exist") from None
    except OSError as error:
        raise Unusable(Reason.IMAGE_UNREADABLE, f"{name!r}: {error.strerror or error}") from None


def read_limited(file: IO[bytes], name: str) -> bytes:
    """All bytes of an open image file; raises `Unusable` when there are more than `MAX_BYTES`."""
    data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        limit = MAX_BYTES // 2**20
        raise Unusable(Reason.IMAGE_TOO_LARGE, f"{name!r} has more than {limit} MiB")
    return data


def inspect(data: bytes) -> ImageFacts:
    """Decode an image once, completely, and say what it is; raises `Unusable`.

    The format is read from the bytes, whatever the file's suffix says.
    """
    if not data:
        raise Unusable(Reason.IMAGE_EMPTY, "the file is empty")
    with _opened(data) as image:
        name = image.format or ""
        width, height = image.size
        dhash = _difference_hash(image)  # which reads a JPEG smaller than it is
    return ImageFacts(hashlib.sha256(data).hexdigest(), name, width, height, dhash)


def open_rgb(data: bytes) -> Image.Image:
    """The image as it is meant to look: upright, in RGB, transparency on white.

    `Image.convert("RGB")` alone shows whatever colour lies below transparent pixels, often grey
    or black (six diagrams of GEOS). Raises `Unusable`.
    """
    with _opened(data) as image:
        return _on_white(ImageOps.exif_transpose(image)).convert("RGB")


@contextmanager
def _opened(data: bytes) -> Iterator[Image.Image]:
    """The image, of a size that may be decoded; what goes wrong with it raises `Unusable`."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise Unusable(Reason.IMAGE_TOO_LARGE, f"{width} x {height} pixels")
            yield image
    except Unusable:
        raise
    except UnidentifiedImageError:
        raise Unusable(Reason.IMAGE_UNREADABLE, f"not one of {', '.join(FORMATS)}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Unusable(Reason.IMAGE_TOO_LARGE, str(error)) from None
    except Exception as error:  # Pillow's decoders raise whatever the broken bytes lead them to
        truncated = "truncated" in str(error) or isinstance(error, EOFError)
        reason = Reason.IMAGE_TRUNCATED if truncated else Reason.IMAGE_UNREADABLE
        raise Unusable(reason, f"{type(error).__name__}: {error}"[:200]) from None


def encode_png(image: Image.Image) -> bytes:
    """PNG bytes for pictures that have no file of their own (drawn ones, arrays)."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=9)
    return buffer.getvalue()


def _on_white(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (
        255,
        255,
    ):  # opaque, as most are
        return image
    image = image.convert("RGBA")
    page = Image.new("RGBA", image.size, "white")
    page.alpha_composite(image)
    return page


def _difference_hash(image: Image.Image) -> str:
    # Decoding a JPEG at a fraction of its size still reads, hence checks, all of its data.
    image.draft("L", (4 * _HASH_SIDE, 4 * _HASH_SIDE))
    image.load()
    grey = _on_white(image).convert("L")
    small = grey.resize((_HASH_SIDE + 1, _HASH_SIDE), Image.Resampling.BOX)
    pixels = np.asarray(small, dtype=np.int16)
    if int(pixels.max()) - int(pixels.min()) < 2:
        return ""
    return np.packbits(pixels[:, 1:] > pixels[:, :-1]).tobytes().hex()
