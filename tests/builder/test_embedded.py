"""The small CLIP that ships: arithmetic and training that can be checked, and how good it is."""

from __future__ import annotations

import io
import json
import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.stats import rankdata
from sklearn.metrics import roc_auc_score
from transformers import AutoModel, AutoTokenizer, CLIPModel

from clarity_on_real_images import SPOILED, clarity, real_images
from mathv360k.builder.classifiers import Classifiers, read_classifiers
from mathv360k.builder.clip import Clip
from mathv360k.builder.embedded.fit import CLASSIFIERS
from mathv360k.builder.embedded.front import EDGES, RANGES, WAVES
from mathv360k.builder.embedded.pictures import SIDE, views
from mathv360k.builder.embedded.train import FOLDER, embed_tokens, new_model, new_tokenizer, train
from mathv360k.builder.sources.drawn import draw, invent


@pytest.fixture(scope="module")
def clip() -> Clip:
    return Clip("embedded")


@pytest.fixture(scope="module")
def judges() -> Classifiers:
    return read_classifiers(CLASSIFIERS)


@pytest.fixture(scope="module")
def untrained() -> CLIPModel:
    torch.manual_seed(0)
    captions = [view.caption for number in range(20) for view in views(1, number)]
    return new_model(new_tokenizer(iter(captions))).eval()


@pytest.fixture(scope="module")
def pixels() -> torch.Tensor:
    pair = [np.asarray(view.image) for number in range(3) for view in views(2, number)]
    return torch.from_numpy(np.stack(pair)).permute(0, 3, 1, 2).float() / 127.5 - 1


def test_the_front_averages_how_often_responses_are_in_each_range(
    untrained: CLIPModel, pixels: torch.Tensor
) -> None:
    filters = untrained.vision_model.embeddings.patch_embedding.weight[:WAVES]
    lengths = filters.flatten(1).norm(dim=1)
    assert ((lengths - 1).abs() < 0.01).all()
    assert (filters.sum((2, 3)).abs() < 1e-3).all()
    with torch.inference_mode():
        states = untrained.vision_model(pixel_values=pixels, output_hidden_states=True)
    patches = pixels.unfold(2, 24, 24).unfold(3, 24, 24)  # n, colours, 14, 14, 24, 24
    responses = torch.einsum("ncijyx,kcyx->nijk", patches, filters).flatten(1, 2).abs()
    parts = [((responses - low) / (high - low)).clamp(0, 1) for low, high in pairwise(EDGES)]
    means = torch.cat(parts, -1).sum(1) / (1 + 14 * 14)  # the first token sees none
    expected = ((means + 0.001).log() + 3.5) / 2
    found = states.hidden_states[2][:, 0, : WAVES * RANGES]
    assert (found - expected).abs().mean() < 0.1
    assert np.corrcoef(found.flatten(), expected.flatten())[0, 1] > 0.99


def test_training_computes_features_as_the_library_does(
    untrained: CLIPModel, pixels: torch.Tensor
) -> None:
    with torch.inference_mode():
        states = untrained.vision_model(pixel_values=pixels, output_hidden_states=True)
        library: Any = untrained.get_image_features(pixel_values=pixels)
        ours = embed_tokens(untrained, states.hidden_states[2])
    torch.testing.assert_close(ours, library.pooler_output, atol=1e-4, rtol=1e-4)


def test_training_from_scratch_gives_a_checkpoint_that_loads(tmp_path: Path) -> None:
    train(tmp_path, scenes=32, epochs=2, seed=0, workers=0)
    assert {"config.json", "model.safetensors", "tokenizer.json", "training.jsonl"} <= {
        path.name for path in tmp_path.iterdir()
    }
    clip = Clip(str(tmp_path))
    assert clip.dimension == 128
    before, after = (
        CLIPModel.from_pretrained(folder).vision_model.encoder.layers
        for folder in (tmp_path, FOLDER)
    )
    torch.testing.assert_close(before[1].mlp.fc1.weight, after[1].mlp.fc1.weight)  # the front stays


def test_pictures_are_decided_by_seed_and_number() -> None:
    for number in range(30):
        clear, spoiled = views(3, number)
        assert clear.clear and not spoiled.clear
        assert clear.image.size == spoiled.image.size == (SIDE, SIDE)
        assert clear.caption.startswith("a clear picture of ")
        assert clear.image.tobytes() != spoiled.image.tobytes()
        again = views(3, number)
        assert [v.image.tobytes() for v in again] == [
            clear.image.tobytes(),
            spoiled.image.tobytes(),
        ]


def test_what_ships_is_small_and_says_how_it_was_made(clip: Clip, judges: Classifiers) -> None:
    shipped = [path for folder in (FOLDER, CLASSIFIERS) for path in folder.iterdir()]
    assert sum(path.stat().st_size for path in shipped) < 12e6
    assert judges.clip_key == clip.key
    log = [json.loads(line) for line in (FOLDER / "training.jsonl").open()]
    assert log[-1]["clarity"] < log[0]["clarity"]
    assert {"loss", "contrastive", "clarity", "load", "step"} <= log[0].keys()


def test_captions_are_matched_with_their_pictures(clip: Clip) -> None:
    tokenizer = AutoTokenizer.from_pretrained(FOLDER)
    model = AutoModel.from_pretrained(FOLDER, dtype=torch.float32)
    pairs = [view for number in range(8) for view in views(10**6, number)]
    words = tokenizer(
        [v.caption for v in pairs], padding=True, truncation=True, return_tensors="pt"
    )
    with torch.inference_mode():
        texts = model.get_text_features(**words).pooler_output.numpy()
    images = np.concatenate([clip.embed(clip.pixels(v.image)[None]) for v in pairs])
    best = (images.astype(np.float32) @ texts.T / np.linalg.norm(texts, axis=1)).argmax(axis=1)
    assert (best == np.arange(16)).mean() > 0.25  # by chance 1 in 16


def test_clear_and_spoiled_drawings_are_told_apart(clip: Clip, judges: Classifiers) -> None:
    rng = random.Random(0)
    scenes = [invent(10**6, number) for number in range(60)]
    drawn = [Image.open(io.BytesIO(draw(s.name))).convert("RGB") for s in scenes if not s.flaw]
    square = [image.resize((SIDE, SIDE), Image.Resampling.BICUBIC) for image in drawn]
    good = clarity(clip, judges, square)
    for name, spoil in SPOILED.items():
        bad = clarity(clip, judges, [spoil(image, rng) for image in square])
        area = roc_auc_score([1] * len(good) + [0] * len(bad), [*good, *bad])
        assert area > 0.95, name


def test_complexity_follows_what_is_in_the_scene(clip: Clip, judges: Classifiers) -> None:
    scenes = [invent(10**6, number) for number in range(300)]
    whole = [scene for scene in scenes if scene.flaw is None]
    pictures = [Image.open(io.BytesIO(draw(scene.name))).convert("RGB") for scene in whole]
    features = np.concatenate([clip.embed(clip.pixels(picture)[None]) for picture in pictures])
    said = judges.predict(features).expected_complexity
    true = [scene.scene.objects + scene.scene.relations for scene in whole]
    assert np.corrcoef(rankdata(said), rankdata(true))[0, 1] > 0.85  # Spearman's


def test_clear_and_spoiled_real_images_are_told_apart(
    clip: Clip, judges: Classifiers, shared_sources: Path
) -> None:
    rng = random.Random(0)
    good: list[float] = []
    bad: list[float] = []
    for images in real_images(shared_sources, 8, square=True).values():
        good += clarity(clip, judges, images).tolist()
        for spoil in SPOILED.values():
            bad += clarity(clip, judges, [spoil(image, rng) for image in images]).tolist()
    assert roc_auc_score([1] * len(good) + [0] * len(bad), good + bad) > 0.94
