"""From a pool to a version by the commands: label, fit, score, select, decontaminate, build."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import Any

import datasets
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image

import mathv360k
from mathv360k import FolderError, Recipe, UsageError, read_recipe
from mathv360k.builder.intake import QUESTIONS
from mathv360k.builder.manifest import read_manifest
from mathv360k.builder.pool import read_questions
from mathv360k.builder.recipe import Scoring, Selection
from mathv360k.curation import plan_selection, select
from mathv360k.errors import require_extra
from mathv360k.pipeline import read_sources
from mathv360k.scoring import fit, sample_for_labels, score
from pools import diagram, encoded, pool_of, question
from test_cli import answer, run
from tiny_models import write_clip

datasets.disable_progress_bars()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_clip(tmp_path_factory.mktemp("model")))


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """170 drawn pictures, which come with their true scores."""
    folder = tmp_path_factory.mktemp("pool") / "demo.pool"
    read_sources(read_recipe("demo").limited(170), folder)
    return folder


@pytest.fixture(scope="module")
def labels(pool: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people label as the scenes are; one of them errs once in ten."""
    images = pq.read_table(pool / "images.parquet").to_pandas()
    one = images[["image_id", "clarity", "complexity"]].assign(labeller="ann")
    other = one.assign(labeller="bob")
    other.loc[::10, "clarity"] = 1 - other.loc[::10, "clarity"]
    path = tmp_path_factory.mktemp("labels") / "labels.csv"
    table = pd.concat([one, other]).astype({"clarity": "Int8", "complexity": "Int8"})
    table.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def judged(pool: Path, labels: Path, model: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fitted classifiers, and the scores they give."""
    folder = tmp_path_factory.mktemp("judged")
    fit(pool, [labels], folder / "classifiers", model)
    score(pool, Scoring(model=model, classifiers=str(folder / "classifiers")), folder / "scores")
    return folder


def test_images_to_label_come_as_a_table_and_as_pictures(pool: Path, tmp_path: Path) -> None:
    told = answer(f"label {pool} --count 20 --images shown", tmp_path)
    assert told == {"labels": "labels.csv", "images": 20}
    table = pd.read_csv(tmp_path / "labels.csv")
    assert list(table.columns) == [
        "image_id",
        "source",
        "name",
        "clarity",
        "complexity",
        "labeller",
    ]
    shown = {path.stem: path for path in (tmp_path / "shown").iterdir()}
    assert set(shown) == set(table["image_id"])
    for image_id, path in shown.items():
        assert sha256(path.read_bytes()).hexdigest() == image_id
    done = run(f"label {pool}", tmp_path)
    assert done.returncode == 2
    assert "exists and may hold labels" in done.stderr


def test_fitting_leaves_weights_figures_and_a_card(judged: Path) -> None:
    folder = judged / "classifiers"
    assert {path.name for path in folder.iterdir()} == {
        "README.md",
        "classifiers.json",
        "classifiers.safetensors",
        "confusion.png",
        "manifest.json",
        "reliability.png",
    }
    for name in ("confusion.png", "reliability.png"):
        assert min(Image.open(folder / name).size) > 400
    manifest = read_manifest(folder, "classifiers")
    assert manifest
    report = manifest["report"]
    assert report["labels"] == 340
    assert report["clarity"]["images"] == 170
    (agreement,) = report["agreement"]
    assert agreement["labellers"] == ["ann", "bob"]
    assert 0.3 < agreement["clarity_kappa"] < 0.9
    assert agreement["complexity_kappa"] == 1
    card = (folder / "README.md").read_text()
    assert str(report["complexity"]["quadratic_weighted_kappa"]) in card
    assert "| ann, bob |" in card


def test_fitting_again_writes_the_same_bytes(
    pool: Path, labels: Path, model: str, judged: Path, tmp_path: Path
) -> None:
    fit(pool, [labels], tmp_path / "classifiers", model)
    for path in (judged / "classifiers").iterdir():
        assert path.read_bytes() == (tmp_path / "classifiers" / path.name).read_bytes(), path.name


def test_scores_are_of_every_image_and_written_once(
    pool: Path, judged: Path, model: str, tmp_path: Path
) -> None:
    scores = pq.read_table(judged / "scores" / "scores.parquet").to_pandas()
    images = pq.read_table(pool / "images.parquet").to_pandas()
    assert scores["image_id"].tolist() == images["image_id"].tolist()
    assert scores["clarity"].between(0, 1).all()
    assert set(scores["complexity"]) <= {0, 1, 2, 3}
    scoring = Scoring(model=model, classifiers=str(judged / "classifiers"))
    before = (judged / "scores" / "manifest.json").stat().st_mtime_ns
    score(pool, scoring, judged / "scores")
    assert (judged / "scores" / "manifest.json").stat().st_mtime_ns == before
    score(pool, scoring, tmp_path / "again")
    for path in (judged / "scores").iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes(), path.name


def test_classifiers_of_another_checkpoint_are_refused(
    pool: Path, judged: Path, tmp_path: Path
) -> None:
    other = str(write_clip(tmp_path / "other", seed=5))
    scoring = Scoring(model=other, classifiers=str(judged / "classifiers"))
    with pytest.raises(UsageError, match=r"were fitted on .*, not on this version of"):
        score(pool, scoring, tmp_path / "scores")
    with pytest.raises(FolderError, match="holds no classifiers"):
        score(pool, Scoring(model=other, classifiers=str(tmp_path)), tmp_path / "scores")


def test_labels_for_images_that_are_not_there_are_refused(
    pool: Path, model: str, tmp_path: Path
) -> None:
    (tmp_path / "labels.csv").write_text(f"image_id,clarity,complexity\n{'0' * 64},1,2\n")
    with pytest.raises(UsageError, match=r"1 labelled images are not in .*, the first is 000"):
        fit(pool, [tmp_path / "labels.csv"], tmp_path / "out", model)


def test_a_plan_is_told_before_anything_is_written(pool: Path, tmp_path: Path) -> None:
    (tmp_path / "wish.yaml").write_text(
        "name: wish\nselect: {images: 40, complexity: [1, 1, 1, 1], near_duplicates: keep all}\n"
    )
    told = answer(f"select {pool} wish.yaml --dry-run --picture plan.png", tmp_path)
    assert told["images"] == 40
    assert told["sources"]["drawn"]["wanted"] == [10, 10, 10, 10]
    assert told["sources"]["drawn"]["taken"] == [10, 10, 10, 10]
    assert min(Image.open(tmp_path / "plan.png").size) > 100
    shown = run(f"select {pool} wish.yaml --dry-run", tmp_path).stdout
    assert "│ taken     │ 10 │ 10 │ 10 │ 10 │  40 │" in shown
    assert not pool.with_name(f"{pool.name}.selected").exists()


def test_the_papers_recipe_says_what_a_pool_of_one_source_lacks(pool: Path, tmp_path: Path) -> None:
    told = answer(f"select {pool} paper --dry-run", tmp_path)
    clear = (pq.read_table(pool / "images.parquet")["clarity"].to_numpy() > 0.5).sum()
    assert told["images"] == clear
    assert "FigureQA has no clear images, 1,955 are wanted." in told["notes"]
    wish = Selection(images=5, quotas={"Geometry4K": 5})
    with pytest.raises(UsageError, match="a quota for Geometry4K, which is no source"):
        plan_selection(pool, wish)


def test_a_selection_is_a_pool_of_clear_images(pool: Path, tmp_path: Path) -> None:
    recipe = Recipe(name="x", select=Selection(images=40, complexity=(1, 1, 1, 1)))
    manifest = select(pool, recipe, tmp_path / "selected")
    images = pq.read_table(tmp_path / "selected" / "images.parquet").to_pandas()
    assert manifest["images"] == len(images) == 40
    assert (images["clarity"] == 1).all()
    assert Counter(images["complexity"]) == {0: 10, 1: 10, 2: 10, 3: 10}
    questions = read_questions(tmp_path / "selected", QUESTIONS.names).to_pandas()
    assert set(questions["image"]) == set(range(40))
    assert len(questions) == manifest["questions"] == 120
    first = {p.name: p.read_bytes() for p in (tmp_path / "selected").iterdir()}
    select(pool, recipe, tmp_path / "again")
    assert first == {p.name: p.read_bytes() for p in (tmp_path / "again").iterdir()}


def test_selection_needs_scores(tmp_path: Path) -> None:
    pool = pool_of(tmp_path / "pool", [("One", question("a", encoded(diagram(1)), "Find x.", "1"))])
    with pytest.raises(UsageError, match="1 images have no scores; run `mathv360k score`"):
        plan_selection(pool, Selection())


def test_one_of_near_duplicates_stays_with_all_distinct_questions(tmp_path: Path) -> None:
    scored: Any = {"clarity": 1.0, "complexity": 1}
    large, small = encoded(diagram(1)), encoded(diagram(1).resize((200, 200)), "JPEG", quality=70)
    rows = [
        question("small", small, "Find x.", "4", row="r1", **scored),
        question("small", small, "Find y.", "5", row="r2", **scored),
        question("large", large, "Find x.", "4", row="r3", **scored),
        question("large", large, "Find z.", "6", row="r4", **scored),
        question("label", encoded(diagram(1, label="9")), "Find x.", "8", row="r5", **scored),
    ]
    pool = pool_of(tmp_path / "pool", (("One", row) for row in rows))
    manifest = select(pool, Recipe(name="x", select=Selection()), tmp_path / "selected")
    images = pq.read_table(tmp_path / "selected" / "images.parquet")["name"].to_pylist()
    assert sorted(images) == ["One/label", "One/large"]
    asked = read_questions(tmp_path / "selected", QUESTIONS.names).to_pylist()
    by_image = {
        name: sorted(q["question"] for q in asked if images[q["image"]] == name) for name in images
    }
    assert by_image == {"One/large": ["Find x.", "Find y.", "Find z."], "One/label": ["Find x."]}
    (repeated,) = pq.read_table(tmp_path / "selected" / "quarantine.parquet").to_pylist()
    assert (repeated["row"], repeated["reason"]) in {
        ("r1", "duplicate_question"),
        ("r3", "duplicate_question"),
    }
    assert manifest["reasons"] == {"One": {"duplicate_question": 1}}
    (pair,) = pq.read_table(tmp_path / "selected" / "near_duplicates.parquet").to_pylist()
    assert {pair["image_id"], pair["other"]} == {sha256(d).hexdigest() for d in (large, small)}
    assert pair["kept"] == sha256(large).hexdigest()


def test_decontamination_by_command(pool: Path, tmp_path: Path) -> None:
    images = pq.read_table(pool / "images.parquet").slice(0, 3).to_pylist()
    (tmp_path / "Bench").mkdir()
    with (pool / "images.bin").open("rb") as blob:
        for number, row in enumerate(images):
            blob.seek(row["offset"])
            (tmp_path / "Bench" / f"{number}.png").write_bytes(blob.read(row["size"]))
    words = f"decontaminate {pool} --against Bench --report hits.html --export hashes.parquet"
    hits = answer(words, tmp_path)["hits"]
    assert {hit["image_id"] for hit in hits} == {row["image_id"] for row in images}
    assert all(hit["evidence"] == "image_bytes" for hit in hits)
    assert set(hits[0]) == {"id", "image_id", "benchmark", "benchmark_id", "evidence", "detail"}
    page = (tmp_path / "hits.html").read_text()
    assert page.count("<article>") == len(hits)
    assert page.count("data:image/") == 2 * len(hits)
    assert 'src="http' not in page
    (tmp_path / "Bench" / "broken.png").write_bytes(b"no image")
    told = answer(f"decontaminate {pool} --against Bench", tmp_path)
    assert told["hits"] == hits
    assert [lost["benchmark_id"] for lost in told["unreadable"]] == ["broken.png"]
    shown = run(f"decontaminate {pool} --against Bench", tmp_path).stdout
    assert "1 images of benchmarks could not be read and were not compared" in shown
    again = answer(f"decontaminate {pool} --against hashes.parquet", tmp_path)["hits"]
    assert {hit["id"] for hit in again} == {hit["id"] for hit in hits}
    assert run(f"decontaminate {pool}", tmp_path).returncode == 2


def test_a_version_of_selected_marked_images(pool: Path, tmp_path: Path) -> None:
    recipe = Recipe(name="x", select=Selection(images=40, complexity=(1, 1, 1, 1)))
    select(pool, recipe, tmp_path / "selected")
    chosen = pq.read_table(tmp_path / "selected" / "images.parquet").slice(5, 1).to_pylist()[0]
    (tmp_path / "Bench").mkdir()
    with (tmp_path / "selected" / "images.bin").open("rb") as blob:
        blob.seek(chosen["offset"])
        (tmp_path / "Bench" / "it.png").write_bytes(blob.read(chosen["size"]))
    out = tmp_path / "version"
    (tmp_path / "Bench" / "broken.png").write_bytes(b"no image")
    manifest = mathv360k.build(recipe, out, pool=pool, against=[tmp_path / "Bench"])
    assert manifest["not_compared"] == 1
    rows = mathv360k.load(str(out), "questions", split="train").to_pandas()
    assert len(rows) == 120
    marked = rows[rows["contamination"].notna()]
    assert set(marked["image_id"]) == {chosen["image_id"]}
    assert set(marked["contamination"]) == {"Bench:it.png (image_bytes)"}
    rest = mathv360k.load(str(out), "questions", split="train", exclude_contaminated=True)
    assert len(rest) == 117
    hits = answer(f"decontaminate {out} --against Bench", tmp_path)["hits"]
    assert {hit["id"] for hit in hits} == set(marked["id"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("label POOL --out labels.parquet", "labels.parquet must end in .csv"),
        ("label POOL --out gone/labels.csv", "gone is not a folder; make it first"),
        ("label POOL --images file", "file is a file; name a folder for the pictures"),
        (
            "fit LABELS LABELS --pool POOL --model MODEL",
            "labels the same image for the second time",
        ),
        ("fit LABELS --pool POOL --model MODEL --out .", ". holds the current directory"),
        ("fit LABELS --pool POOL --model nobody/nothing", "nobody/nothing cannot be loaded"),
        ("score . --model MODEL", ". is not a finished pool"),
        ("score POOL --model MODEL --device meta", "There is no device 'meta' here"),
        ("select .", ". is not a finished pool"),
        ("select POOL --dry-run --against file", "--dry-run does not look at benchmarks"),
        ("select POOL --picture plan.xyz", "plan.xyz must end in .png"),
        ("select POOL --picture gone/plan.png", "gone is not a folder"),
        ("decontaminate POOL --against file --report hits.pdf", "hits.pdf must end in .html"),
        ("decontaminate POOL --against file", "file is no benchmark"),
        ("decontaminate . --against file", ". is neither a finished dataset nor a pool"),
    ],
)
def test_every_mistake_is_one_sentence(
    words: str, said: str, pool: Path, labels: Path, model: str, judged: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("theirs")
    (tmp_path / "classifiers").symlink_to(judged / "classifiers")
    for name, path in (("POOL", pool), ("LABELS", labels), ("MODEL", model)):
        words = words.replace(name, str(path))
    done = run(words, tmp_path)
    assert done.returncode in (1, 2)
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert said in done.stderr


def test_benchmarks_are_searched_with_the_model_of_the_scores(
    pool: Path, judged: Path, tmp_path: Path
) -> None:
    # the recipe's own model is on the Hub, out of reach here; what was scored counts
    (tmp_path / "Bench").mkdir()
    (tmp_path / "Bench" / "1.png").write_bytes(encoded(diagram(1)))
    recipe = Recipe(name="x", score=Scoring(), select=Selection(images=20, min_clarity=0))
    against = [tmp_path / "Bench"]
    made = select(pool, recipe, tmp_path / "out", scores=judged / "scores", against=against)
    assert (made["images"], made["contaminated"]) == (20, 0)


def test_scores_of_another_pool_are_refused(pool: Path, judged: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    read_sources(read_recipe("demo").limited(20), other)
    with pytest.raises(FolderError, match="are not the scores of"):
        plan_selection(other, Selection(), judged / "scores")
    with pytest.raises(FolderError, match="holds no scores"):
        plan_selection(pool, Selection(), tmp_path)


def test_the_sample_for_labels_needs_a_pool(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="is not a finished pool"):
        sample_for_labels(tmp_path, tmp_path / "labels.csv", 5)


def test_an_image_that_was_damaged_later_is_named(
    pool: Path, judged: Path, model: str, tmp_path: Path
) -> None:
    shutil.copytree(pool, tmp_path / "pool")
    row = pq.read_table(pool / "images.parquet").slice(3, 1).to_pylist()[0]
    with (tmp_path / "pool" / "images.bin").open("r+b") as blob:
        blob.seek(row["offset"])
        blob.write(bytes(row["size"]))
    scoring = Scoring(model=model, classifiers=str(judged / "classifiers"))
    # its features are in the cache by its content, so another cache is asked
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MATHV360K_CACHE", str(tmp_path / "cache"))
        with pytest.raises(FolderError, match=f"The image {row['image_id']} cannot be decoded"):
            score(tmp_path / "pool", scoring, tmp_path / "scores")


def test_what_an_extra_brings_is_asked_for_in_one_sentence() -> None:
    require_extra("score", "torch", "faiss")
    with pytest.raises(
        UsageError, match=r"needs no_such_module; .* pip install 'mathv360k\[score\]'"
    ):
        require_extra("score", "torch", "no_such_module")


def test_recipes_ship_with_selection_and_scores() -> None:
    paper = read_recipe("paper")
    assert paper.select is not None
    assert paper.select.images == 40_000
    assert paper.select.complexity == (2, 3, 4, 1)
    assert len(paper.sources) == 24
    assert read_recipe("demo-clip").score == Scoring(model="embedded", classifiers="embedded")
    assert json.loads(paper.model_dump_json())["score"]["model"].startswith("openai/clip")
