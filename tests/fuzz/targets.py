"""What reads bytes that nobody vouches for, each as a function of such bytes.

A target returns, or raises what it is documented to raise; anything else is a finding.
"""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mathv360k.builder import pickles
from mathv360k.builder.archives import open_archive
from mathv360k.builder.images import inspect, open_rgb
from mathv360k.builder.labels import read_labels
from mathv360k.builder.manifest import (
    MANIFEST,
    data_files,
    is_intact,
    is_sealed,
    read_manifest,
    write_manifest,
)
from mathv360k.builder.recipe import read_recipe
from mathv360k.builder.release import open_release
from mathv360k.builder.schema import Unusable
from mathv360k.builder.sources.source import Candidate
from mathv360k.dataset_card import check
from mathv360k.errors import MathV360KError
from mathv360k.eval import extraction, mathverse, mathvision, mathvista, mmmu
from mathv360k.eval.latex_value import Undecided
from mathv360k.eval.reward import reward_function
from mathv360k.eval.scoring import score
from mathv360k.eval.sound import is_right
from mathv360k.synthesis.forms import (
    Answered,
    InvalidAnswer,
    Judged,
    Reworded,
    Written,
    WrittenSeveral,
    read_form,
)
from native_releases import RELEASES
from pools import diagram
from release_file import write_release
from source_reading import asked, read, write


@dataclass(frozen=True)
class Target:
    """How to make valid inputs, and how to read any. Both get an empty folder of their own."""

    seeds: Callable[[Path], Sequence[bytes]]
    read: Callable[[bytes, Path], Any]
    refuses: tuple[type[Exception], ...] = (MathV360KError,)
    slow: bool = False
    """Takes many milliseconds: a tenth as many in the short form."""


# sources: the first byte says which file of which source the rest is

_FILES = [(name, file) for name, make in RELEASES.items() for file, _ in make(40)]


def _source_seeds(folder: Path) -> list[bytes]:
    seeds = []
    for name, make in RELEASES.items():
        for file, content in make(40):
            path = write(folder / name / file, content)
            seeds.append(bytes([_FILES.index((name, file))]) + path.read_bytes())
    return seeds


def _read_source(data: bytes, folder: Path) -> None:
    name, file = _FILES[(data[0] if data else 0) % len(_FILES)]
    path = folder / name / file
    before = path.read_bytes()
    path.write_bytes(data[1:])
    try:
        for row in read(name, folder / name):
            if isinstance(row, Candidate):
                with suppress(Unusable):
                    asked(row)
            else:
                assert row.detail
    finally:
        path.write_bytes(before)


def _release_seeds(folder: Path) -> list[bytes]:
    pictures = [("TabMWP", f"{n}.png", _encoded("PNG")) for n in range(3)]
    made = write_release(folder, pictures, 30)
    return [made.annotations.read_bytes()]


def _read_release(data: bytes, folder: Path) -> None:
    path = folder / "train_samples_all_tuning.json"
    path.write_bytes(data)
    with open_release(path, folder / "data_images.zip") as feed:
        for _, row in feed.rows:
            if isinstance(row, Candidate):
                with suppress(Unusable):
                    asked(row)


# images, pickles, archives


def _encoded(form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture = diagram(1).resize((40, 30))
    picture = picture.convert("P") if form == "GIF" else picture
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def _image_seeds(folder: Path) -> list[bytes]:
    exif = Image.Exif()
    exif[0x0112] = 6
    return [
        _encoded("PNG"), _encoded("JPEG"), _encoded("JPEG", progressive=True, exif=exif),
        _encoded("GIF"), _encoded("WEBP"), _encoded("BMP"),
    ]  # fmt: skip


def _open_image(data: bytes, folder: Path) -> None:
    with suppress(Unusable):
        inspect(data)
    open_rgb(data)


def _pickle_seeds(folder: Path) -> list[bytes]:
    rows = [
        {"id": n, "image": np.full((3, 4), n, np.uint8), "words": ["a", "b"], "x": 1.5, "y": None}
        for n in range(3)
    ]
    return [pickle.dumps(rows, protocol) for protocol in (0, 2, 4)]


def _archive_seeds(folder: Path) -> list[bytes]:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x/a.png", _encoded("PNG"))
        archive.writestr("x/b.txt", "text " * 50)
    return [buffer.getvalue()]


def _read_archive(data: bytes, folder: Path) -> None:
    path = folder / "a.zip"
    path.write_bytes(data)
    archive = open_archive(path)
    try:
        for name in archive.names():
            with suppress(Unusable):
                archive.read_image(name)
    finally:
        archive.close()


# tables and documents


def _label_seeds(folder: Path) -> list[bytes]:
    return [b"image_id,clarity,complexity,labeller\n" + b"".join(
        b"%064x,%d,%d,ann\n" % (n, n % 2, n % 4) for n in range(8)
    )]  # fmt: skip


def _read_labels(data: bytes, folder: Path) -> None:
    path = folder / "labels.csv"
    path.write_bytes(data)
    read_labels(path)


def _recipe_seeds(folder: Path) -> list[bytes]:
    recipes = files("mathv360k.builder") / "recipes"
    return [path.read_bytes() for path in recipes.iterdir()]


def _read_recipe(data: bytes, folder: Path) -> None:
    path = folder / "recipe.yaml"
    path.write_bytes(data)
    read_recipe(str(path))


def _manifest_seeds(folder: Path) -> list[bytes]:
    import mathv360k

    mathv360k.build(read_recipe("demo").limited(10), folder / "d")
    return [(folder / "d" / MANIFEST).read_bytes()]


def _read_manifest(data: bytes, folder: Path) -> None:
    """As it is, and with a true checksum: whoever changes a manifest can do that, too."""
    path = folder / "d" / MANIFEST
    before = path.read_bytes()
    try:
        is_sealed(data)
        path.write_bytes(data)
        _use_manifest(folder / "d")
        with suppress(ValueError, RecursionError):
            made = json.loads(data)
            if isinstance(made, dict):
                body = {k: v for k, v in made.items() if k not in ("mathv360k", "step")}
                write_manifest(folder / "d", "dataset", body)
                _use_manifest(folder / "d")
    finally:
        path.write_bytes(before)


def _use_manifest(folder: Path) -> None:
    with suppress(MathV360KError):
        manifest = read_manifest(folder, "dataset")
        if manifest is not None:
            is_intact(folder, manifest)
            data_files(manifest)


def _card_seeds(folder: Path) -> list[bytes]:
    _manifest_seeds(folder)
    return [(folder / "d" / "README.md").read_bytes()]


def _read_card(data: bytes, folder: Path) -> None:
    wanted = (folder / "d" / "README.md").read_text("utf-8")
    for said in check._differences("README.md", data.decode("utf-8", "replace"), wanted):
        assert said


# what models say

_FORMS = (Answered, Judged, Reworded, Written, WrittenSeveral)
_SAID = [
    b'{"reasoning": "It is drawn.", "answer": "7"}',
    b'```json\n{"question": "Is it $\\\\frac{1}{2}$?", "choices": ["a", "b"], "answer": "b"}\n```',
    b'{"questions": [{"question": "How many?", "choices": [], "answer": "3", "reasoning": "x"}]}',
    b'Here: {"clarity": 1, "complexity": 2}',
]


def _read_forms(data: bytes, folder: Path) -> None:
    for form in _FORMS:
        with suppress(InvalidAnswer):
            read_form(data.decode("utf-8", "replace"), form)


_RESPONSES = [
    b"The answer is (B).",
    b"<think>3+4</think> so \\boxed{\\frac{7}{2}}",
    b"<answer>1,234.5 cm</answer>",
    b"Therefore, x = 2\\sqrt{3} + 10^{3}, about 50%.",
    b"(A) red\n(B) blue\nIt is blue, \xe2\x89\x88 3\xc2\xb0.",
    b"[1, 2.50, 3/4]",
    b"<answer>12 {}cm</answer>",  # loads SymPy, which takes a second
    b"Yes, there are seven of them.",
    b"\\begin{pmatrix} 1 & 2 \\end{pmatrix}",
]
_REWARD = reward_function()


def _judge(data: bytes, folder: Path) -> None:
    said = data.decode("utf-8", "replace")
    for kind, answers, choices in (
        ("multi_choice", "blue", ["red", "blue", "34", "3.5"]),
        ("free_form", "3.5", None),
    ):
        vista = {
            "pid": "1", "response": said, "extraction": said[:200], "question_type": kind,
            "answer_type": "text" if choices else "float", "precision": 1, "choices": choices,
            "answer": answers, "question": "Which?", "query": "Which?\n(A) red (B) blue",
            "metadata": {"task": "t", "skills": ["s"]}, "unit": None,
        }  # fmt: skip
        mathvista.judge(vista)
        mathvista.judge(vista, "released")
        extraction.extract(said, vista)
    mmmu.open_answers(said)
    mmmu.choice(said, {"A": "red", "B": "blue", "C": "3.5"})
    mmmu.choice_pro(said, {"A": "red", "B": "blue", "C": "3.5"})
    mathvision.extract(said)
    with suppress(Undecided):
        mathvision.is_equal(said, "\\frac{7}{2}")
    mathverse.extract_answer(said, ["red", "blue"])
    is_right(said, ["7", "\\frac{7}{2}"])
    is_right(said, ["blue"], ["red", "blue", "3.5"], "cm")
    values = _REWARD([said], answer=["7"], answer_type=["integer"], choices=[None])
    assert len(values) == 1 and -1 <= values[0] <= 2


def _output_seeds(folder: Path) -> list[bytes]:
    rows = {
        str(n): {
            "pid": str(n), "question": "Which?", "response": _RESPONSES[n].decode(),
            "choices": None, "question_type": "free_form", "answer_type": "integer",
            "answer": "7", "precision": None,
            "unit": None, "query": "Which?", "image": "1.jpg",
            "metadata": {"task": "t", "skills": ["s"], "source": "x", "context": "c",
                         "category": "g", "grade": "g", "language": "english", "split": "testmini"},
        }
        for n in range(3)
    }  # fmt: skip
    return [json.dumps(rows).encode()]


def _score_outputs(data: bytes, folder: Path) -> None:
    score(write(folder / "o.json", data), "mathvista")


TARGETS: dict[str, Target] = {
    "sources": Target(_source_seeds, _read_source),
    "release": Target(_release_seeds, _read_release),
    "images": Target(_image_seeds, _open_image, (Unusable,)),
    "pickles": Target(_pickle_seeds, lambda data, _: pickles.load(io.BytesIO(data), "x.pk")),
    "archives": Target(_archive_seeds, _read_archive),
    "labels": Target(_label_seeds, _read_labels),
    "recipes": Target(_recipe_seeds, _read_recipe),
    "manifests": Target(_manifest_seeds, _read_manifest),
    "cards": Target(_card_seeds, _read_card, slow=True),
    "answers of teachers": Target(lambda _: _SAID, _read_forms),
    "responses": Target(lambda _: _RESPONSES, _judge),
    "outputs": Target(_output_seeds, _score_outputs, slow=True),
}
