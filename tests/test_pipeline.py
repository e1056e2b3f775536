"""From a recipe to a folder that stock `load_dataset` reads; interrupted, repeated, refused."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import datasets
import pandas as pd
import pytest
from pydantic import ValidationError

import mathv360k.pipeline
from mathv360k import FolderError, Recipe, SourceError, UsageError, read_recipe
from mathv360k.builder.images import inspect
from mathv360k.builder.manifest import is_intact, read_manifest
from mathv360k.builder.shards import write_shards
from release_file import small_pictures, write_release

datasets.disable_progress_bars()

FOUR = Recipe.model_validate(
    {
        "name": "four",
        "sources": {
            "Geometry3K": {"limit": 30},
            "TabMWP": {"limit": 30, "splits": ["validation"]},
            "ChartQA": {"limit": 30},
            "VQA-RAD": {"limit": 30},
        },
        "splits": {"train": 0.8, "validation": 0.1, "test": 0.1},
    }
)


def demo(images: int = 34, **changes: Any) -> Recipe:
    """The demo without what its teacher writes (see tests/synthesis)."""
    return read_recipe("demo").limited(images).model_copy(update={"synthesize": None, **changes})


def contents(folder: Path) -> dict[str, str]:
    """The sha256 of every file."""
    return {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo") / "mathv360k"
    mathv360k.build(demo(), out)
    return out


class TestStockLoading:
    """What plain `datasets` makes of the folder."""

    @pytest.fixture(autouse=True)
    def _beside(self, built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(built.parent)

    def test_default_config(self) -> None:
        dataset = datasets.load_dataset("mathv360k")
        assert set(dataset) == {"train", "validation", "test"}
        assert sum(len(split) for split in dataset.values()) == 34 * 3
        row = dataset["train"][0]
        assert row["image"].size[0] > 100
        assert row["answer"]
        assert row["kind"] == "original"

    def test_images_config_has_one_row_per_image(self) -> None:
        images = datasets.load_dataset("mathv360k", "images", split="train+validation+test")
        assert len(images) == 34
        assert sum(len(row["questions"]) for row in images) == 34 * 3
        assert images[0]["image"].size == (images[0]["width"], images[0]["height"])

    def test_questions_config_has_the_same_rows_without_images(self) -> None:
        questions = datasets.load_dataset("mathv360k", "questions", split="train")
        default = datasets.load_dataset("mathv360k", split="train")
        assert "image" not in questions.column_names
        assert questions["row_sha256"][:] == default["row_sha256"][:]

    def test_streaming_and_slices(self) -> None:
        stream = datasets.load_dataset("mathv360k", split="train", streaming=True)
        (first,) = stream.take(1)
        rows = datasets.load_dataset("mathv360k", split="train[:10%]")
        assert first["id"] == rows[0]["id"]
        assert first["image"].tobytes() == rows[0]["image"].tobytes()

    def test_features_of_the_card_are_those_of_the_files(self) -> None:
        for config in ("default", "images", "questions"):
            said = datasets.load_dataset_builder("mathv360k", config).info
            assert said.splits is not None
            loaded = datasets.load_dataset("mathv360k", config, split="train")
            assert said.features == loaded.features
            assert said.splits["train"].num_examples == len(loaded)

    def test_pandas_reads_a_shard(self) -> None:
        frame = pd.read_parquet(next(Path("mathv360k/data/default").glob("train-*")))
        assert frame["image"][0]["bytes"].startswith(b"\x89PNG")


def test_no_image_look_or_problem_is_in_two_splits(shared_sources: Path, tmp_path: Path) -> None:
    recipe = FOUR.model_copy(update={"splits": {"train": 0.5, "test": 0.5}})
    mathv360k.build(recipe, tmp_path / "out", source_root=shared_sources)
    seen: dict[str, set[str]] = {}
    for split in ("train", "test"):
        rows = pd.concat(
            pd.read_parquet(path)
            for path in (tmp_path / "out" / "data" / "images").glob(f"{split}-*.parquet")
        )
        looks = {inspect(row["bytes"]).dhash for row in rows["image"]}
        seen[split] = looks | set(rows["image_id"])
    assert len(seen["train"]) > 50
    assert len(seen["test"]) > 50
    assert not seen["train"] & seen["test"] - {""}


def test_four_real_sources(shared_sources: Path, tmp_path: Path) -> None:
    manifest = mathv360k.build(FOUR, tmp_path / "mathv360k", source_root=shared_sources)
    assert {name: entry["images"] for name, entry in manifest["sources"].items()} == dict.fromkeys(
        FOUR.sources, 30
    )
    rows = mathv360k.load(tmp_path / "mathv360k", source="Geometry3K", split="train")
    assert isinstance(rows, datasets.Dataset)
    row = rows[0]
    name = row["id"].split("#")[0].removeprefix("Geometry3K/")
    original = shared_sources / "Geometry3K" / "geometry3k" / name
    assert sha256(original.read_bytes()).hexdigest() == row["image_id"]


def test_the_same_recipe_gives_the_same_bytes(built: Path, tmp_path: Path) -> None:
    mathv360k.build(demo(), tmp_path / "again")
    assert contents(tmp_path / "again") == contents(built)


def test_a_finished_build_is_not_repeated(tmp_path: Path) -> None:
    out = tmp_path / "out"
    mathv360k.build(demo(), out)
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    mathv360k.build(demo(), out)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == times


def test_a_changed_recipe_builds_anew_and_is_loaded_anew(tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = mathv360k.build(demo(), out)
    before = datasets.load_dataset(str(out), "questions", split="train")["id"][:]
    second = mathv360k.build(demo(seed=1), out)
    after = datasets.load_dataset(str(out), "questions", split="train")["id"][:]
    assert first["digest"] != second["digest"]
    assert before != after
    assert all("/1-" in row for row in after)


def test_a_damaged_folder_is_built_again(tmp_path: Path) -> None:
    out = tmp_path / "out"
    mathv360k.build(demo(), out)
    expected = contents(out)
    shard = next((out / "data" / "default").iterdir())
    shard.write_bytes(shard.read_bytes()[:-100])
    mathv360k.build(demo(), out)
    assert contents(out) == expected


def test_a_pool_can_be_used_for_another_dataset(built: Path, tmp_path: Path) -> None:
    recipe = demo(splits={"train": 1.0}, name="all")
    pool = built.with_name("mathv360k.pool")
    manifest = mathv360k.build(recipe, tmp_path / "out", pool=pool)
    assert list(manifest["splits"]) == ["train"]
    assert manifest["splits"]["train"]["questions"] == 34 * 3


def test_a_damaged_pool_is_said(built: Path, tmp_path: Path) -> None:
    pool = shutil.copytree(built.with_name("mathv360k.pool"), tmp_path / "pool")
    for name in ("images.parquet", "questions.arrow"):
        whole = (pool / name).read_bytes()
        (pool / name).write_bytes(bytes(len(whole)))
        with pytest.raises(FolderError, match=r"is damaged .*delete it and build again"):
            mathv360k.build(demo(), tmp_path / "out", pool=pool)
        (pool / name).write_bytes(whole)
    assert mathv360k.build(demo(), tmp_path / "out", pool=pool)["splits"]


def test_a_pool_that_changes_while_it_is_read_is_noticed(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = shutil.copytree(built.with_name("mathv360k.pool"), tmp_path / "pool")

    def meanwhile(*given: Any) -> Any:
        shutil.rmtree(pool)
        mathv360k.pipeline.read_sources(demo(3), pool)
        return write_shards(*given)

    monkeypatch.setattr("mathv360k.pipeline.write_shards", meanwhile)
    with pytest.raises(FolderError, match="was changed by another process"):
        mathv360k.build(demo(), tmp_path / "out", pool=pool)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [{"notes.txt": "mine"}, {"manifest.json": '{"mine": 1}'}])
def test_a_folder_of_somebody_else_is_not_touched(content: dict[str, str], tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for name, text in content.items():
        (out / name).write_text(text)
    with pytest.raises(FolderError, match="choose another output folder"):
        mathv360k.build(demo(2), out)
    assert {path.name: path.read_text() for path in out.iterdir()} == content
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_files_added_to_a_dataset_are_not_lost(tmp_path: Path) -> None:
    out = tmp_path / "out"
    mathv360k.build(demo(2), out)
    (out / "data" / "mine").mkdir()
    with pytest.raises(FolderError, match=r"data/mine is not a file that mathv360k wrote"):
        mathv360k.build(demo(3), out)
    assert (out / "data" / "mine").is_dir()


def test_a_link_to_a_version_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "mathv360k").symlink_to(tmp_path / "mathv360k.v1")
    for images in (2, 3):
        manifest = mathv360k.build(demo(images), tmp_path / "mathv360k")
        assert manifest["splits"]
    assert (tmp_path / "mathv360k").is_symlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "mathv360k",
        "mathv360k.pool",
        "mathv360k.v1",
    ]


def test_an_empty_folder_may_be_filled_and_a_file_not(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert mathv360k.build(demo(2), tmp_path / "empty")["splits"]
    (tmp_path / "file").write_text("mine")
    with pytest.raises(FolderError, match="is a file"):
        mathv360k.build(demo(2), tmp_path / "file")


def test_a_manifest_of_another_format_or_broken(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "manifest.json").write_text('{"mathv360k": 99, "step": "dataset"}')
    with pytest.raises(FolderError, match="format 99"):
        mathv360k.build(demo(2), out)
    (out / "manifest.json").write_text('{"mathv360k": 1, "step": "dataset"}')
    with pytest.raises(FolderError, match="is damaged"):
        mathv360k.build(demo(2), out)
    (out / "manifest.json").write_text("{")
    with pytest.raises(FolderError, match="cannot be read"):
        mathv360k.build(demo(2), out)


def test_what_a_recipe_gets_wrong(tmp_path: Path, shared_sources: Path) -> None:
    def build(**recipe: Any) -> None:
        chosen = Recipe.model_validate({"name": "x", **recipe})
        mathv360k.build(chosen, tmp_path / "out", source_root=shared_sources)

    with pytest.raises(UsageError, match="did you mean TabMWP"):
        build(sources={"TabMPW": {}})
    with pytest.raises(SourceError, match=r"problems_train\.json .*splits: \[validation\]"):
        build(sources={"TabMWP": {}})
    with pytest.raises(SourceError, match=r"DVQA does not exist; Download the images"):
        build(sources={"DVQA": {}})
    with pytest.raises(UsageError, match="PlotQA cannot be read from the Hub"):
        build(sources={"PlotQA": {"hub": "somebody/plotqa@main"}})
    with pytest.raises(ValidationError, match="should match pattern"):
        build(sources={"ChartQA": {"hub": "somebody/chartqa"}})
    with pytest.raises(UsageError, match="names no sources"):
        build()
    with pytest.raises(UsageError, match="--source-root"):
        mathv360k.build(FOUR, tmp_path / "out")
    with pytest.raises(SourceError, match="does not exist"):
        mathv360k.build(FOUR, tmp_path / "out", source_root=tmp_path)
    with pytest.raises(UsageError, match="is not a folder"):
        mathv360k.build(FOUR, tmp_path / "out", source_root=tmp_path / "nowhere")
    with pytest.raises(FolderError, match="is not a finished pool"):
        mathv360k.build(FOUR, tmp_path / "out", pool=tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: x\nseed: [", "line 2 is not YAML"),
        ("- a", "not a mapping of settings"),
        ("name: x\nsources: {TabMWP: {limit: 0}}", "sources.TabMWP.limit"),
        ("name: x\nsources: {TabMWP: {splits: [test]}}", "sources.TabMWP.splits"),
        ("name: x\nversion: 1.0", "version"),
        ("name: x\nversion: 1.0.0-rc1", "version"),
        ("name: x\nsplits: {train: 0.5}", "splits: the shares of splits add up to 0.5, not 1"),
        ("name: x\nshuffle: true", "shuffle is not a setting"),
    ],
)
def test_a_recipe_file_that_is_wrong(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text(text)
    with pytest.raises(UsageError, match=said):
        read_recipe(str(tmp_path / "my.yaml"))


def test_import_into_a_dataset(tmp_path: Path) -> None:
    made = write_release(tmp_path, small_pictures(30), 1200)
    out = tmp_path / "mathv360k"
    manifest = mathv360k.import_release(read_recipe("release"), made.annotations, made.images, out)
    assert manifest["splits"]["train"]["questions"] == sum(made.accepted.values())
    quarantine = pd.read_parquet(out / "quarantine.parquet")
    assert quarantine["reason"].value_counts().to_dict() == dict(made.rejected)
    counted = sum(n for reasons in manifest["quarantine"].values() for n in reasons.values())
    assert counted == len(quarantine)
    rows = mathv360k.load(out, source="GeoQA+", kind="original", split="train")
    assert isinstance(rows, datasets.Dataset)
    assert set(rows["source"]) == {"GeoQA+"}
    assert len(rows) == made.accepted["GeoQA+", "original"]


BUILD = (sys.executable, "-m", "mathv360k", "build", "--limit", "120", "--out", "out", "--quiet")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], float]:
    """The content of an undisturbed build, and the seconds that it took."""
    folder = tmp_path_factory.mktemp("undisturbed")
    start = time.monotonic()
    subprocess.run(BUILD, cwd=folder, check=True)
    return contents(folder / "out"), time.monotonic() - start


@pytest.mark.parametrize("moment", [0.6])  # tests/faults has many
def test_a_killed_build_ends_in_the_same_bytes(
    moment: float, undisturbed: tuple[dict[str, str], float], tmp_path: Path
) -> None:
    expected, seconds = undisturbed
    with subprocess.Popen(BUILD, cwd=tmp_path) as process:
        time.sleep(moment * seconds)
        process.send_signal(signal.SIGKILL)
    subprocess.run(BUILD, cwd=tmp_path, check=True)
    assert contents(tmp_path / "out") == expected
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == [
        "out",
        "out.pool",
        "out.synthesis",
        "out.verified",
    ]


def test_ctrl_c_is_one_sentence_and_leaves_nothing_half_done(
    undisturbed: tuple[dict[str, str], float], tmp_path: Path
) -> None:
    with subprocess.Popen(BUILD, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        while not (tmp_path / ".out.pool.partial" / "images.bin").exists():
            time.sleep(0.01)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
    assert process.returncode == 1
    assert said.startswith("error: Interrupted;")
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
    subprocess.run(BUILD, cwd=tmp_path, check=True)
    assert contents(tmp_path / "out") == undisturbed[0]


def test_two_builds_at_once_do_not_meet(tmp_path: Path) -> None:
    with subprocess.Popen(BUILD, cwd=tmp_path) as first:
        while not (tmp_path / ".out.pool.partial" / "images.bin").exists():
            time.sleep(0.01)
        second = subprocess.run(BUILD, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert second.returncode == 1
    assert "Another process is writing" in second.stderr
    assert first.returncode == 0
    manifest = read_manifest(tmp_path / "out", "dataset")
    assert manifest is not None
    assert is_intact(tmp_path / "out", manifest)


def test_a_full_disk_is_one_sentence(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)]
    if os.name != "posix" or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting a small file system needs to be allowed")
    try:
        run = subprocess.run(BUILD, cwd=small, capture_output=True, text=True, check=False)
        assert (run.returncode, list(small.iterdir())) == (1, [])
        assert run.stderr.startswith("error: The disk is full;")
        assert run.stderr.count("\n") == 1
    finally:
        subprocess.run(["umount", str(small)], check=True)


class TestPublic:
    """Images that may not be published again are left out, their questions are not."""

    RECIPE = Recipe.model_validate(
        {"name": "two", "sources": {"GEOS": {"limit": 3}, "VQA-RAD": {"limit": 2}}}
    )

    def build(self, shared_sources: Path, out: Path, **options: Any) -> dict[str, Any]:
        return mathv360k.build(self.RECIPE, out, source_root=shared_sources, **options)

    def test_what_is_left_out_and_what_stays(self, shared_sources: Path, tmp_path: Path) -> None:
        whole = self.build(shared_sources, tmp_path / "whole")
        public = self.build(shared_sources, tmp_path / "public", public=True)
        assert (whole["withheld"], public["withheld"]) == ([], ["GEOS"])
        assert whole["digest"] != public["digest"]
        rows = {
            name: datasets.load_dataset(str(tmp_path / name), split="train").to_list()
            for name in ("whole", "public")
        }
        for one, other in zip(rows["whole"], rows["public"], strict=True):
            assert {**one, "image": None} == {**other, "image": None}
            assert one["image"]["bytes"]
            if other["source"] == "GEOS":
                assert other["image"] is None
                assert sha256(one["image"]["bytes"]).hexdigest() == other["image_id"]
                assert other["id"].startswith("GEOS/aaai/0")
            else:
                assert other["image"] == one["image"]
        images = datasets.load_dataset(str(tmp_path / "public"), "images", split="train")
        shown = {row["source"]: row["image"] is not None for row in images}
        assert shown == {"GEOS": False, "VQA-RAD": True}
        stored = b"".join(p.read_bytes() for p in (tmp_path / "public").rglob("*.parquet"))
        hidden = next(r for r in rows["whole"] if r["source"] == "GEOS")["image"]["bytes"]
        assert hidden not in stored

    def test_the_card_says_how_to_get_them(self, shared_sources: Path, tmp_path: Path) -> None:
        self.build(shared_sources, tmp_path / "public", public=True)
        card = (tmp_path / "public" / "README.md").read_text(encoding="utf-8")
        assert "The images of GEOS may not be published again" in card
        assert "mathv360k build two.yaml --source-root SOURCES" in card
        told = card.partition("```yaml\n")[2].partition("```")[0]
        (tmp_path / "two.yaml").write_text(told)
        again = mathv360k.read_recipe(str(tmp_path / "two.yaml"))
        assert again == self.RECIPE

    def test_the_user_may_know_better(self, shared_sources: Path, tmp_path: Path) -> None:
        built = self.build(shared_sources, tmp_path / "public", public=True, rehost=["GEOS"])
        assert built["withheld"] == []
        assert built["digest"] == self.build(shared_sources, tmp_path / "whole")["digest"]
        with pytest.raises(UsageError, match="did you mean GEOS"):
            self.build(shared_sources, tmp_path / "x", public=True, rehost=["GEO"])
        with pytest.raises(UsageError, match="give --public too"):
            self.build(shared_sources, tmp_path / "x", rehost=["GEOS"])

    def test_it_is_built_again_when_that_changes(
        self, shared_sources: Path, tmp_path: Path
    ) -> None:
        self.build(shared_sources, tmp_path / "out", public=True)
        assert self.build(shared_sources, tmp_path / "out")["withheld"] == []
        assert self.build(shared_sources, tmp_path / "out", public=True)["withheld"] == ["GEOS"]
