"""Real pictures in ChartQA's layout, repeated with small edits until there are enough.

    PYTHONPATH=tests python tests/benchmarks/edited_pictures.py SHARED OUT 10000

Every picture has a small mark painted in, each at another place: other pixels, but nearly the same
picture, so that curation has near-duplicates to find.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from PIL import Image, ImageDraw

from release_file import real_files


def write(samples: Path, out: Path, images: int) -> None:
    """`images` pictures with a question each, below `out`, as `--source-root` takes them."""
    folder = out / "ChartQA" / "ChartQA Dataset" / "train"
    (folder / "png").mkdir(parents=True, exist_ok=True)
    files = real_files(samples)
    rows = []
    for number in range(images):
        path = files[number % len(files)]
        name = f"{number}{path.suffix}"
        with Image.open(path) as opened:
            picture = opened if opened.mode == "RGB" else opened.convert("RGB")
            left, top = number * 7 % (picture.width - 4), number * 11 % (picture.height - 4)
            ImageDraw.Draw(picture).rectangle((left, top, left + 3, top + 3), "red")
            picture.save(folder / "png" / name, compress_level=1)
        rows.append(
            {"imgname": name, "query": f"What does picture {number} show?", "label": path.stem}
        )
    (folder / "train_human.json").write_text(json.dumps(rows))
    (folder / "train_augmented.json").write_text("[]")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("samples", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("images", type=int)
    given = parser.parse_args()
    write(given.samples, given.out, given.images)
