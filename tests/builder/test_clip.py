"""CLIP features: the same as the library's own, computed once per image, never half kept."""

from __future__ import annotations

import io
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from transformers import AutoModel, CLIPImageProcessorPil, SiglipImageProcessorPil

from mathv360k.builder.clip import Clip
from mathv360k.builder.features import FeatureCache, embed_images
from mathv360k.errors import FolderError, ModelError, UsageError
from tiny_models import write_bert, write_clip, write_siglip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="module")
def clip(folder: Path) -> Clip:
    return Clip(str(folder))


def picture(seed: int, size: tuple[int, int] = (60, 40)) -> tuple[str, bytes]:
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return sha256(buffer.getvalue()).hexdigest(), buffer.getvalue()


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_features_are_the_librarys_own_brought_to_length_1(kind: str, tmp_path: Path) -> None:
    write, processor_of = {
        "clip": (write_clip, CLIPImageProcessorPil),
        "siglip": (write_siglip, SiglipImageProcessorPil),
    }[kind]
    folder = write(tmp_path / "model")
    clip, cache = Clip(str(folder)), FeatureCache(tmp_path / "cache", "key")
    images = [picture(seed, size) for seed, size in enumerate([(60, 40), (33, 90), (32, 32)])]
    assert embed_images(clip, images, cache) == 3
    processor = processor_of.from_pretrained(folder)
    pixels = processor([Image.open(io.BytesIO(d)) for _, d in images], return_tensors="pt")
    with torch.inference_mode():
        said = AutoModel.from_pretrained(folder).get_image_features(**pixels).pooler_output
    expected = (said / said.norm(dim=-1, keepdim=True)).numpy()
    features = cache.read([image_id for image_id, _ in images])
    assert features.dtype == np.float16
    assert features.shape == (3, clip.dimension)
    np.testing.assert_allclose(features.astype(np.float32), expected, atol=2e-3)


def test_an_image_is_never_embedded_twice(clip: Clip, tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path, clip.key)
    first = [picture(seed) for seed in range(5)]
    assert embed_images(clip, [*first, *first], cache) == 5
    assert embed_images(clip, [*first, picture(9)], FeatureCache(tmp_path, clip.key)) == 1
    assert len(cache.known()) == 6


def test_what_was_computed_before_a_crash_is_kept(clip: Clip, tmp_path: Path) -> None:
    def broken() -> Iterator[tuple[str, bytes]]:
        yield from (picture(seed) for seed in range(30))
        raise KeyboardInterrupt

    cache = FeatureCache(tmp_path, clip.key)
    with pytest.raises(KeyboardInterrupt):
        embed_images(clip, broken(), cache, batch=4)
    kept = len(cache.known())
    assert 4 <= kept < 30
    everything = [picture(seed) for seed in range(30)]
    assert embed_images(clip, everything, cache, batch=4) == 30 - kept
    again = FeatureCache(tmp_path / "other", clip.key)
    embed_images(clip, everything, again, batch=30)
    ids = [image_id for image_id, _ in everything]
    np.testing.assert_allclose(cache.read(ids), again.read(ids), atol=1e-3)


def test_other_weights_or_another_image_processor_are_another_checkpoint(
    folder: Path, clip: Clip, tmp_path: Path
) -> None:
    same = write_clip(tmp_path / "same")
    assert Clip(str(same)).key == clip.key
    assert Clip(str(write_clip(tmp_path / "other", seed=1))).key != clip.key
    CLIPImageProcessorPil(size={"height": 32, "width": 32}, do_center_crop=False).save_pretrained(
        same
    )
    assert Clip(str(same)).key != clip.key


def test_a_folder_of_weights_in_half_precision_loads(clip: Clip, tmp_path: Path) -> None:
    model = AutoModel.from_pretrained(write_clip(tmp_path / "model"))
    model.half().save_pretrained(tmp_path / "model")
    image = Image.open(io.BytesIO(picture(1)[1]))
    half, full = (c.embed(c.pixels(image)[None]) for c in (Clip(str(tmp_path / "model")), clip))
    np.testing.assert_allclose(half, full, atol=5e-3)


def test_a_corrupt_image_is_named(clip: Clip, tmp_path: Path) -> None:
    image_id, data = picture(1)
    with pytest.raises(FolderError, match=f"The image {image_id} cannot be decoded .*build it"):
        embed_images(clip, [(image_id, data[:100])], FeatureCache(tmp_path, clip.key))


def test_features_that_are_not_numbers_are_refused_and_not_kept(tmp_path: Path) -> None:
    clip = Clip(str(write_clip(tmp_path / "model")))
    clip.model.visual_projection.weight.fill_(float("nan"))
    cache = FeatureCache(tmp_path, clip.key)
    with pytest.raises(ModelError, match=r"not finite numbers for the image [0-9a-f]{64}"):
        embed_images(clip, [picture(1)], cache)
    assert cache.known() == set()


def test_a_damaged_file_of_the_cache_is_named(clip: Clip, tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path, clip.key)
    embed_images(clip, [picture(1)], cache)
    (part,) = cache.folder.glob("*.parquet")
    part.write_bytes(part.read_bytes()[:50])
    with pytest.raises(FolderError, match=r"\.parquet is damaged .* delete it"):
        cache.known()


def test_what_is_no_clip_is_refused_in_one_sentence(tmp_path: Path) -> None:
    bert = write_bert(tmp_path / "bert")
    (tmp_path / "empty").mkdir()
    broken = write_clip(tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"no weights")
    for name, said in (
        (str(bert), "is no CLIP but a BertModel"),
        (str(tmp_path / "empty"), "cannot be loaded as a CLIP or SigLIP model"),
        (str(broken), "cannot be loaded as a CLIP or SigLIP model"),
        ("somebody/absent", "or its name on the Hub while there is a network"),
    ):
        with pytest.raises(ModelError, match=said) as caught:
            Clip(name)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("device", ["nonsense", "cuda:99", "meta"])
def test_a_device_that_is_not_there_is_named(folder: Path, device: str) -> None:
    with pytest.raises(UsageError, match=f"There is no device '{device}' here"):
        Clip(str(folder), device)


def test_pickled_weights_run_no_code(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "ran",)  # pyright: ignore[reportReturnType]

    folder = write_clip(tmp_path / "model")
    (folder / "model.safetensors").unlink()
    torch.save({"logit_scale": Evil()}, folder / "pytorch_model.bin")
    with pytest.raises(ModelError):
        Clip(str(folder))
    assert not (tmp_path / "ran").exists()
