"""CLIP image features: any CLIP or SigLIP checkpoint, as it was trained to see pictures."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from transformers import AutoImageProcessor, AutoModel

from ..errors import ModelError
from .device import torch_device
from .pretrained import load_pretrained

EMBEDDED = "embedded"
"""The name of the small CLIP that ships with the package."""
DEFAULT = "openai/clip-vit-large-patch14-336"
_PROCESSING = (
    "do_resize",
    "size",
    "do_center_crop",
    "crop_size",
    "resample",
    "image_mean",
    "image_std",
)
"""What of an image processor decides the pixels."""

Features = npt.NDArray[np.float16]
"""Embeddings of length 1, `(images, dimension) float16`: their dot product is the cosine."""


class Clip:
    """A checkpoint ready to embed images.

    `key` names the weights and the image processor by their content, `dimension` is that of an
    embedding, `device` where it computes.
    """

    def __init__(self, name: str = DEFAULT, device: str | None = None) -> None:
        """Load a checkpoint by its name on the Hub or its folder.

        Raises `ModelError` where it is none, `UsageError` for a device that is not there.
        """
        self.name = name
        self.device = torch_device(device)
        # the embedded one does arithmetic (`embedded/front.py`) that bfloat16 is too coarse for
        coarse = self.device.type == "cuda" and name != EMBEDDED
        self.dtype = torch.bfloat16 if coarse else torch.float32
        where = str(Path(__file__).parent / "embedded" / "clip") if name == EMBEDDED else name
        processor, model = load_pretrained(
            name, "a CLIP or SigLIP model", lambda **options: _load(where, **options), where
        )
        if not hasattr(model, "get_image_features") or not hasattr(processor, "image_mean"):
            kind = type(model).__name__
            raise ModelError(f"{name} is no CLIP but a {kind}: it has no image features.")
        self.key = _fingerprint(model, processor)
        self.model = model.to(self.device, self.dtype).eval().requires_grad_(False)
        self.processor = processor
        self._mean = torch.tensor(processor.image_mean, device=self.device)[:, None, None] * 255
        self._scale = torch.tensor(processor.image_std, device=self.device)[:, None, None] * 255
        sides = processor.crop_size if getattr(processor, "do_center_crop", False) else None
        size = {**dict(sides or processor.size)}
        side = size.get("shortest_edge", 0)
        shape = size.get("height", side), size.get("width", side)
        blank = np.zeros((1, 3, *shape), np.uint8)
        self.dimension = self.embed(blank).shape[1]

    def pixels(self, image: Image.Image) -> npt.NDArray[np.uint8]:
        """The picture cut and scaled as the checkpoint wants it, `(3, height, width) uint8`."""
        # whole numbers: a quarter of the bytes to move, and the device scales them faster
        made = self.processor(
            images=image, do_rescale=False, do_normalize=False, return_tensors="np"
        )
        values = made["pixel_values"][0]
        return values if values.dtype == np.uint8 else np.rint(values).clip(0, 255).astype(np.uint8)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Embeddings of length 1 of `(n, 3, height, width) uint8` pixels on the device."""
        with torch.inference_mode():
            scaled = (pixels.float() - self._mean) / self._scale
            made = self.model.get_image_features(pixel_values=scaled.to(self.dtype))
            embeddings = getattr(made, "pooler_output", made)
            return torch.nn.functional.normalize(embeddings.float(), dim=-1)

    def start(self, pixels: npt.NDArray[np.uint8]) -> torch.Tensor:
        """The same for pixels in memory; a GPU goes on computing after this returns."""
        batch = torch.from_numpy(pixels)
        if self.device.type == "cuda":
            batch = batch.pin_memory()
        return self.forward(batch.to(self.device, non_blocking=True)).half()

    def embed(self, pixels: npt.NDArray[np.uint8]) -> Features:
        """Embeddings of `(n, 3, height, width) uint8` pixels in memory."""
        return self.start(pixels).cpu().numpy()


def _load(where: str, **options: Any) -> tuple[Any, Any]:
    processor = AutoImageProcessor.from_pretrained(where, backend="pil", **options)
    return processor, AutoModel.from_pretrained(where, dtype=torch.float32, **options)


def _fingerprint(model: torch.nn.Module, processor: Any) -> str:
    """The same for the same checkpoint, whatever its library's version calls its parts."""
    weights = sorted(
        hashlib.sha256(
            f"{tuple(values.shape)}".encode()
            + values.reshape(-1).contiguous().view(torch.uint8).numpy().tobytes()
        ).digest()
        for values in model.state_dict().values()
    )
    told = {name: getattr(processor, name, None) for name in _PROCESSING}
    if not told["do_center_crop"]:
        del told["crop_size"]
    for name in told.keys() & {"size", "crop_size"}:
        told[name] = {key: side for key, side in dict(told[name] or {}).items() if side}
    text = json.dumps(told, sort_keys=True, default=str)
    return hashlib.sha256(b"".join(weights) + text.encode()).hexdigest()
