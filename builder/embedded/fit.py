"""Fit the classifiers that ship in this folder: `python -m mathv360k.builder.embedded.fit`.

On drawn scenes that the small CLIP was not trained on: as the drawn source draws them, and as
`pictures.py` varies and spoils them.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from .. import classifiers
from ..clip import Clip
from ..scenes.scene import Scene
from ..sources.drawn import draw, invent
from .pictures import views
from .train import FOLDER, SEED

CLASSIFIERS = Path(__file__).parent / "classifiers"
PICTURES = 2500
"""Scenes drawn plainly, and as many varied and spoiled."""

Example = tuple[np.ndarray, float, float, str]
"""Pixels, clarity, complexity (NaN where there is no scene), family."""


def _plain(number: int, *, seed: int) -> list[Example]:
    drawn = invent(seed, number)
    image = Image.open(io.BytesIO(draw(drawn.name))).convert("RGB")
    clear = 0.0 if drawn.flaw else 1.0
    return [(np.asarray(image), clear, float(drawn.scene.complexity), drawn.family.name)]


def _varied(number: int, *, seed: int) -> list[Example]:
    examples = []
    for view in views(seed, number):
        level = float("nan")
        if view.load is not None and view.clear:
            level = float(Scene({}, view.load, 0).complexity)
        family = view.caption.split(" picture of ")[1].split(" with ")[0].split(",")[0]
        examples.append((np.asarray(view.image), float(view.clear), level, family))
    return examples


def _examples(seed: int, count: int) -> Iterator[Example]:
    with ProcessPoolExecutor() as processes:
        for make in (_plain, _varied):
            for made in processes.map(partial(make, seed=seed), range(count), chunksize=25):
                yield from made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clip", type=Path, default=FOLDER)
    parser.add_argument("--out", type=Path, default=CLASSIFIERS)
    parser.add_argument("--count", type=int, default=PICTURES)
    options = parser.parse_args()
    from ...dataset_card.classifiers import write_model_card
    from ...dataset_card.curation_figures import draw_classifiers

    clip = Clip(str(options.clip))
    features, rows = [], []
    batch: list[np.ndarray] = []
    for pixels, *labels in _examples(SEED + 2, options.count):
        batch.append(clip.pixels(Image.fromarray(pixels)))
        rows.append(labels)
        if len(batch) == 64:
            features.append(clip.embed(np.stack(batch)))
            batch = []
    if batch:
        features.append(clip.embed(np.stack(batch)))
    clarity, complexity, family = zip(*rows, strict=True)
    fitted = classifiers.fit(
        np.concatenate(features),
        np.array(clarity),
        np.array(complexity),
        np.array(family),
        clip="embedded",
        clip_key=clip.key,
        seed=SEED,
    )
    options.out.mkdir(parents=True, exist_ok=True)
    classifiers.save(fitted, options.out)
    draw_classifiers(fitted.report, options.out)
    write_model_card(options.out, "embedded", fitted.report)


if __name__ == "__main__":
    main()
