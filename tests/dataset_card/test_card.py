"""The card says what the files hold, as people and `datasets` read it; a check finds lies."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml
from huggingface_hub import DatasetCard
from PIL import Image

import mathv360k
from mathv360k import publishing
from mathv360k.builder.folders import seal
from mathv360k.builder.manifest import read_manifest, write_manifest
from mathv360k.builder.recipe import Recipe
from mathv360k.builder.schema import Kind
from mathv360k.errors import FolderError
from mathv360k.pipeline import write_dataset
from pools import diagram, encoded, pool_of, question

CARD = {
    "README.md",
    "LICENSES.md",
    "croissant.json",
    *(
        f"figures/{name}.png"
        for name in ("overview", "composition", "lengths", "answers", "scores", "sizes")
    ),
}


@pytest.fixture
def folder(demo: Path, tmp_path: Path) -> Path:
    """A copy that may be changed."""
    return Path(shutil.copytree(demo, tmp_path / "mathv360k"))


def rows(folder: Path, config: str) -> pd.DataFrame:
    """All rows of a config, each with its split, without pictures."""
    parts = []
    for path in sorted((folder / "data" / config).glob("*.parquet")):
        columns = [name for name in pq.read_schema(path).names if name != "image"]
        part = pq.read_table(path, columns=columns).to_pandas()
        parts.append(part.assign(split=path.name.partition("-")[0]))
    return pd.concat(parts)


def table(folder: Path, section: str, name: str = "README.md") -> dict[str, list[str]]:
    """The rows of the tables of a section, by their first cell."""
    text = (folder / name).read_text(encoding="utf-8")
    text = text.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    lines = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return {cells[0].strip(): [cell.strip() for cell in cells[1:]] for cells in lines}


def number(cell: str) -> int:
    return int(cell.replace(",", ""))


def test_its_tables_are_counted_from_the_files(demo: Path) -> None:
    asked, images, rejected = (rows(demo, name) for name in ("questions", "images", "rejected"))
    there = table(demo, "What is in it")
    for kind, n in asked["kind"].value_counts().items():
        assert number(there[str(kind).replace("_", r"\_")][1]) == n
    for task, n in asked["task"].value_counts().items():
        assert number(there[str(task)][0]) == n
    assert number(there["`images`"][1]) == len(images)
    assert number(there["`rejected`"][1]) == len(rejected)
    splits = table(demo, "Splits")
    for split, part in asked.groupby("split"):
        told = [number(cell) for cell in splits[str(split)]]
        assert told == [(images["split"] == split).sum(), len(part)]
    original = asked["kind"] == "original"
    (drawn,) = (cells for name, cells in table(demo, "Sources").items() if name == "drawn")
    assert drawn[0].split() == ["FQA", "GPS", "MWP", "TQA", "VQA"]
    counts = [len(images), original.sum(), (~original).sum()]
    assert [number(cell) for cell in drawn[1:4]] == counts
    quality = table(demo, "Quality")
    assert number(quality["all"][0]) == (asked[~original]["agreement"] == 1).sum()
    assert number(quality["complex"][1]) == (asked["kind"] == "complex").sum()
    assert number(quality["complex"][2]) == (rejected["kind"] == "complex").sum()
    unclear = table(demo, "Known limits")["images that are not clear (`clarity` below 0.5)"]
    assert number(unclear[0]) == (images["clarity"] < 0.5).sum() > 0


def test_all_of_it_is_in_the_manifest(demo: Path) -> None:
    manifest = read_manifest(demo, "dataset")
    assert manifest is not None
    written = {name for name in manifest["files"] if not name.startswith("data/")}
    assert written == CARD | {"quarantine.parquet"}
    for name in CARD:
        assert seal(demo / name) == manifest["files"][name]


def test_its_metadata_is_what_the_hub_and_datasets_read(demo: Path) -> None:
    data = DatasetCard.load(demo / "README.md").data.to_dict()
    assert data["license"] == "cc0-1.0"
    assert data["task_categories"] == ["visual-question-answering", "image-text-to-text"]
    assert data["size_categories"] == ["1K<n<10K"]
    assert data["language"] == ["en"]
    assert data["annotations_creators"] == ["found", "machine-generated"]
    assert data["source_datasets"] == ["original"]
    for config in ("default", "images", "questions", "rejected"):
        info = datasets.load_dataset_builder(str(demo), config).info
        path = next((demo / "data" / config).glob("*.parquet"))
        stored = json.loads(pq.read_schema(path).metadata[b"huggingface"])["info"]["features"]
        assert info.features == datasets.Features.from_dict(stored)
        assert info.splits is not None
        counts = {name: split.num_examples for name, split in info.splits.items()}
        assert counts == rows(demo, config)["split"].value_counts().to_dict()


def test_its_examples_run(demo: Path, tmp_path: Path) -> None:
    text = (demo / "README.md").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```python\n(.*?)```", text, re.DOTALL))
    assert code.count("load_dataset(") == 4
    script = f"{code}\nprint(sorted(set(fqa['task'])))\n"
    done = subprocess.run(
        [sys.executable, "-P", "-c", script.replace("print(chat", "last = print(chat")],
        cwd=demo.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    first, *chats, tasks = done.stdout.splitlines()
    assert "PngImageFile" in first and len(chats) == 2 and tasks == "['FQA']"
    assert "'role': 'assistant'" in chats[0]


def test_a_card_just_written_agrees(demo: Path) -> None:
    assert publishing.card_problems(demo) == []
    assert publishing.verify_dataset(demo)["ok"]


def edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / name).read_text(encoding="utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new, 1), encoding="utf-8")

    return change


def drop_a_row(folder: Path) -> None:
    path = folder / "data/questions/test-00000-of-00001.parquet"
    whole = pq.read_table(path)
    pq.write_table(whole.slice(1), path)
    reseal(folder)


def miscount_a_split(folder: Path) -> None:
    edit("README.md", "num_examples: ", "num_examples: 9")(folder)


def add_a_column(folder: Path) -> None:
    path = folder / "data/rejected/train-00000-of-00001.parquet"
    whole = pq.read_table(path)
    pq.write_table(whole.append_column("more", whole["id"]), path)
    reseal(folder)


def paint(folder: Path) -> None:
    Image.new("RGB", (1200, 300), "white").save(folder / "figures/scores.png")


def reseal(folder: Path, **more: Any) -> None:
    """Have the manifest agree with the files that are there."""
    manifest = read_manifest(folder, "dataset")
    assert manifest is not None
    manifest["files"] = {name: seal(folder / name) for name in manifest["files"]}
    write_manifest(folder, "dataset", {**manifest, **more})


LIES: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "a number of a table": (
        edit("README.md", "| drawn | FQA GPS MWP TQA VQA | 120 |", "| drawn | FQA GPS | 41 |"),
        "README.md",
        r'Sources / drawn: \["FQA GPS", "41", .*the files have \["FQA GPS MWP TQA VQA", "120"',
    ),
    "a feature": (
        edit(
            "README.md", "  - name: precision\n    dtype: int8", "  - name: precision\n    dtype: x"
        ),
        "README.md",
        r'dataset_info\[0\]\.features\[\d+\]\.dtype is "x", the files have "int8"',
    ),
    "a split": (
        miscount_a_split,
        "README.md",
        r"splits\[0\]\.num_examples is 9\d+, the files have \d+",
    ),
    "no metadata": (edit("README.md", "---\n", "\n"), "README.md", "all is null"),
    "metadata that is no YAML": (
        edit("README.md", "language:", "? [:"),
        "README.md",
        "all is null",
    ),
    "prose": (
        edit("README.md", "Only what one wants", "All of it"),
        "README.md",
        r'line \d+ is "All of it',
    ),
    "a licence": (
        edit("LICENSES.md", "| drawn | CC0-1.0 | yes | yes |", "| drawn | MIT | yes | yes |"),
        "LICENSES.md",
        r"drawn: \[\"MIT\"",
    ),
    "croissant": (edit("croissant.json", '"1.0.0"', '"1.0.1"'), "croissant.json", "1.0.1"),
    "no licences": (lambda folder: (folder / "LICENSES.md").unlink(), "LICENSES.md", "is missing"),
    "another picture": (paint, "figures/scores.png", "of other rows"),
    "no picture": (lambda f: (f / "figures/sizes.png").unlink(), "figures/sizes.png", "read"),
    "fewer rows": (drop_a_row, "manifest.json", r"splits\.test\.questions is \d+, the files have"),
    "another column": (add_a_column, "data/rejected/train", "has not the columns"),
    "another digest": (
        lambda folder: reseal(folder, digest="0" * 64),
        "manifest.json",
        'digest is "0000',
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_disagrees_is_found_and_mended(folder: Path, lie: str) -> None:
    change, where, detail = LIES[lie]
    change(folder)
    found = publishing.card_problems(folder)
    assert any(p["where"].startswith(where) and re.search(detail, p["detail"]) for p in found), (
        found
    )
    run = [sys.executable, "-P", "-m", "mathv360k", "card", str(folder)]
    if lie == "prose":
        done = subprocess.run([*run, "--check"], capture_output=True, text=True, check=False)
        assert done.returncode == 1 and "All of it" in done.stdout
        assert subprocess.run([*run, "--quiet"], check=False).returncode == 0
        done = subprocess.run([*run, "--check", "--json"], capture_output=True, check=False)
        assert done.returncode == 0 and json.loads(done.stdout)["ok"]
    elif lie not in ("fewer rows", "another column", "another digest"):  # the data are as they were
        publishing.rewrite_card(folder)
        assert publishing.card_problems(folder) == []
        assert publishing.verify_dataset(folder, decode=False)["problems"] == []


def test_a_card_of_another_version_of_the_package_may_be_worded_otherwise(folder: Path) -> None:
    manifest = read_manifest(folder, "dataset")
    assert manifest is not None
    manifest["parameters"]["software"]["mathv360k"] = "0.0.1"
    reseal(folder, parameters=manifest["parameters"])
    edit("README.md", "`mathv360k` 0.1.0", "`mathv360k` 0.0.1")(folder)
    edit("README.md", "Only what one wants", "All of it")(folder)
    assert publishing.card_problems(folder) == []
    edit("README.md", "| train | ", "| train | 9")(folder)
    assert [p["where"] for p in publishing.card_problems(folder)] == ["README.md"]


def test_a_card_is_written_where_a_kill_left_half_of_one(folder: Path) -> None:
    (folder / "README.md").write_text("---\n")
    with pytest.raises(FolderError, match=r"run `mathv360k card .*mathv360k`"):
        publishing.push(folder, "somebody/mathv360k")
    publishing.rewrite_card(folder)
    assert publishing.verify_dataset(folder)["ok"]


def test_the_same_data_have_the_same_card(demo: Path, folder: Path) -> None:
    for name in CARD:
        (folder / name).unlink()
    publishing.rewrite_card(folder)
    for name in [*CARD, "manifest.json"]:
        assert (folder / name).read_bytes() == (demo / name).read_bytes(), name


def test_there_is_no_card_of_what_is_no_dataset(demo: Path, tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="is not a finished dataset"):
        publishing.rewrite_card(tmp_path)
    with pytest.raises(FolderError, match="is not a finished dataset"):
        publishing.card_problems(demo.with_name("mathv360k.pool"))


HOSTILE = "a | b\n## <script>x</script> $\\frac{"


def write(tmp_path: Path, **more: Any) -> Path:
    """Four images of three sources, two of which only the test knows."""
    picture = [encoded(diagram(n, size=60 + n)) for n in range(4)]
    asked = [
        ("GEOS", question("a.png", picture[0], "How long is AB?", "3")),
        ("GEOS", question("a.png", picture[0], "Is it right?", "No", kind=Kind.SYNTHETIC)),
        (HOSTILE, question("b.png", picture[1], "图中的角是多少度", "45", complexity=2)),
        (HOSTILE, question("c.png", picture[2], "Which?", "x", choices=["x", "y"])),
        ("VQA-RAD", question("d.png", picture[3], "Which organ?", "the liver", clarity=0.3)),
    ]
    recipe = Recipe(name="test", splits={"train": 1.0})
    write_dataset(recipe, pool_of(tmp_path / "pool", asked), tmp_path / "made", **more)
    return tmp_path / "made"


class TestOfManySources:
    def test_names_are_text_and_nothing_else(self, tmp_path: Path) -> None:
        folder = write(tmp_path)
        text = (folder / "README.md").read_text(encoding="utf-8")
        assert "<script>" not in text.partition("\n# ")[2]
        headings = [line for line in text.splitlines() if line.startswith("## ")]
        assert not any("script" in line for line in headings)
        assert publishing.card_problems(folder) == []

    def test_each_keeps_its_licence(self, tmp_path: Path) -> None:
        folder = write(tmp_path)
        data = yaml.safe_load((folder / "README.md").read_text(encoding="utf-8").split("---\n")[1])
        assert data["license"] == "other" and data["license_link"] == "LICENSES.md"
        assert "extended|other-vqa-rad" in data["source_datasets"]
        licences = (folder / "LICENSES.md").read_text(encoding="utf-8")
        for source in ("GEOS", "VQA-RAD"):
            declared = mathv360k.builder.sources.SOURCES[source]
            assert f"\n## {source}\n" in licences
            assert declared.homepage in licences
            assert declared.citation.split(",")[0] in (folder / "README.md").read_text("utf-8")

    def test_limits_are_told(self, tmp_path: Path) -> None:
        told = table(write(tmp_path), "Known limits")
        assert told["questions with Chinese characters"] == ["1"]
        assert told["written questions whose kind is not known"] == ["1"]
        assert told["written questions that were not answered again (`agreement` is null)"] == ["1"]
        assert told["images without clarity or complexity"] == ["4"]

    def test_chinese_is_a_language_of_it(self, tmp_path: Path) -> None:
        data = DatasetCard.load(write(tmp_path) / "README.md").data.to_dict()
        assert data["language"] == ["en", "zh"]

    def test_images_that_are_left_out_are_told(self, tmp_path: Path) -> None:
        folder = write(tmp_path, withheld=["GEOS", "VQA-RAD"])
        assert table(folder, "Sources")["GEOS"][1] == "1 (not included)"
        assert table(folder, "Known limits")["images that are not included (see below)"] == ["2"]
        licences = (folder / "LICENSES.md").read_text(encoding="utf-8")
        assert re.search(r"\| GEOS \| .* \| \w+ \| no \|", licences)
        assert publishing.card_problems(folder) == []

    def test_a_benchmark_in_it_is_told(self, tmp_path: Path) -> None:
        folder = write(tmp_path)
        path = folder / "data/questions/train-00000-of-00001.parquet"
        whole = pq.read_table(path)
        said = ["MathVista:7 (image); MMMU:1 (text)", "MathVista:8 (text)", None, None, None]
        place = whole.schema.get_field_index("contamination")
        pq.write_table(whole.set_column(place, "contamination", [said]), path)
        reseal(folder, compared={"MathVista": 1000, "MathVerse": 3940})
        publishing.rewrite_card(folder)
        told = table(folder, "Quality")
        assert told["MathVista"] == ["1,000", "2"]
        assert told["MMMU"] == ["", "1"]
        assert told["MathVerse"] == ["3,940", "0"]

    def test_its_history_is_told(self, tmp_path: Path) -> None:
        folder = write(tmp_path)
        counts = {"added": 1200, "removed": 1, "moved": 2, "changed": 30, "fields": {"answer": 30}}
        history = [
            {"version": "2.0.0", "level": "major", "since": "1.0.0", **counts},
            {"version": "1.0.0", "level": "first", "since": None},
        ]
        reseal(folder, history=history, version="2.0.0")
        publishing.rewrite_card(folder)
        told = table(folder, "Versions")
        wanted = ["major, since 1.0.0", "1,200", "1", "2", "30", "answer 30"]
        assert told["2.0.0"] == wanted
        assert told["1.0.0"][0] == "first"
