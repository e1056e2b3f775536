"""An export holds the dataset, row by row, in the form that its trainer reads."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import datasets
import pyarrow.parquet as pq
import pytest
import transformers
from PIL import Image

import mathv360k
from mathv360k import UsageError, load, read_recipe, train_cli
from mathv360k.builder.images import open_rgb
from mathv360k.builder.recipe import Recipe
from mathv360k.eval.prompts.mathv360k import hint_first, plain
from mathv360k.pipeline import write_dataset
from mathv360k.train import export as module
from mathv360k.train.export import TRAINERS, export
from mathv360k.train.questions import answer_of
from pools import diagram, encoded, pool_of, question
from tiny_models import write_llava

datasets.disable_progress_bars()

Said = tuple[str, str, bytes]
"""What the user says, what the assistant says, and the image's bytes."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo") / "mathv360k"
    mathv360k.build(read_recipe("demo").limited(85), out)
    return out


@pytest.fixture(scope="module")
def exports(built: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("exports")
    for trainer in TRAINERS:
        export(str(built), trainer, folder / trainer)
    return {trainer: folder / trainer for trainer in TRAINERS}


def rows_of(built: Path, **filters: Any) -> list[dict[str, Any]]:
    """The questions of the training split with their images, in the order of the dataset."""
    rows = load(built, split="train", **filters)
    return list(rows.cast_column("image", datasets.Image(decode=False)))


def read_llava(out: Path) -> Iterator[Said]:
    for row in json.loads((out / "annotations.json").read_text()):
        human, gpt = row["conversations"]
        assert (human["from"], gpt["from"]) == ("human", "gpt")
        assert human["value"].startswith("<image>\n")
        text = human["value"].removeprefix("<image>\n")
        yield text, gpt["value"], (out / row["image"]).read_bytes()


def read_lines(out: Path) -> Iterator[Said]:
    for line in (out / "mathv360k.jsonl").read_text().splitlines():
        row = json.loads(line)
        user, assistant = row["messages"]
        assert (user["role"], assistant["role"]) == ("user", "assistant")
        assert user["content"].startswith("<image>") and len(row["images"]) == 1
        text = user["content"].removeprefix("<image>")
        yield text, assistant["content"], (out / row["images"][0]).read_bytes()


def read_trl(out: Path) -> Iterator[Said]:
    rows = datasets.load_dataset(str(out), split="train")
    for row in rows.cast_column("images", [datasets.Image(decode=False)]):
        user, assistant = row["messages"]
        assert (user["role"], assistant["role"]) == ("user", "assistant")
        yield user["content"], assistant["content"], row["images"][0]["bytes"]


def read_nanovlm(out: Path) -> Iterator[Said]:
    rows = datasets.load_dataset(str(out), "default")["train"]
    for row in rows.cast_column("images", [datasets.Image(decode=False)]):
        for text in row["texts"]:
            yield text["user"], text["assistant"], row["images"][0]["bytes"]


READ: dict[str, Callable[[Path], Iterator[Said]]] = {
    "llava": read_llava,
    "llama-factory": read_lines,
    "ms-swift": read_lines,
    "trl": read_trl,
    "nanovlm": read_nanovlm,
}


@pytest.mark.parametrize("trainer", TRAINERS)
def test_an_export_holds_every_question_with_its_image(
    trainer: str, built: Path, exports: dict[str, Path]
) -> None:
    rows = rows_of(built)
    expected = [(hint_first(row), answer_of(row), row["image"]["bytes"]) for row in rows]
    assert list(READ[trainer](exports[trainer])) == expected
    for (text, said, _), row in zip(expected, rows, strict=True):
        assert row["question"] in text and all(choice in text for choice in row["choices"])
        assert said.removeprefix("The answer is ") == (row["answer_letter"] or row["answer"])


@pytest.mark.parametrize("trainer", TRAINERS)
def test_the_plain_prompt_wants_the_bare_answer(trainer: str, built: Path, tmp_path: Path) -> None:
    export(str(built), trainer, tmp_path / "out", prompt="plain", kind="original")
    said = [(text, answer) for text, answer, _ in READ[trainer](tmp_path / "out")]
    rows = rows_of(built, kind="original")
    assert said == [(plain(row), row["answer_letter"] or row["answer"]) for row in rows]


@pytest.mark.parametrize("trainer", ["llava", "llama-factory", "ms-swift"])
def test_a_picture_is_one_file_called_by_its_content(
    trainer: str, built: Path, exports: dict[str, Path]
) -> None:
    files = list((exports[trainer] / "images").iterdir())
    assert {file.stem for file in files} == {row["image_id"] for row in rows_of(built)}
    assert all(hashlib.sha256(file.read_bytes()).hexdigest() == file.stem for file in files)


@pytest.mark.parametrize("trainer", ["trl", "nanovlm"])
def test_a_picture_is_stored_once_in_parquet(
    trainer: str, built: Path, exports: dict[str, Path]
) -> None:
    images = {row["image_id"]: len(row["image"]["bytes"]) for row in rows_of(built)}
    (file,) = (exports[trainer] / "data").iterdir()
    groups = pq.ParquetFile(file).metadata
    column = groups.row_group(0).column(groups.schema.names.index("bytes"))
    assert column.path_in_schema == "images.list.element.bytes"
    assert column.total_uncompressed_size < 1.2 * sum(images.values())


def test_ids_and_sources_are_kept(built: Path, exports: dict[str, Path]) -> None:
    ids = [row["id"] for row in rows_of(built)]
    rows = json.loads((exports["llava"] / "annotations.json").read_text())
    assert [row["id"] for row in rows] == ids
    lines = (exports["ms-swift"] / "mathv360k.jsonl").read_text().splitlines()
    assert [json.loads(line)["id"] for line in lines] == ids
    assert datasets.load_dataset(str(exports["trl"]), split="train")["id"][:] == ids
    sources = datasets.load_dataset(str(exports["nanovlm"]), split="train")["source"]
    assert set(sources) == {"drawn"}


def test_parquet_forms_show_pictures(exports: dict[str, Path]) -> None:
    for trainer in ("trl", "nanovlm"):
        row = datasets.load_dataset(str(exports[trainer]), split="train", streaming=True)
        (image,) = next(iter(row.take(1)))["images"]
        assert isinstance(image, Image.Image)


@pytest.mark.parametrize(
    "filters",
    [
        {"task": "GPS"},
        {"task": iter(["FQA", "MWP"]), "complexity": [2, 3]},
        {"min_clarity": 0.5, "kind": ["rephrase", "simplify"]},
        {"source": "drawn", "kind": "original", "complexity": 0},
        {"min_agreement": 0.7},
        {"min_agreement": 0},
        {"exclude_contaminated": True, "kind": None},
    ],
)
def test_filters_keep_what_load_keeps(filters: dict[str, Any], built: Path, tmp_path: Path) -> None:
    filters = {n: list(v) if isinstance(v, Iterator) else v for n, v in filters.items()}
    given = {n: iter(v) if isinstance(v, list) else v for n, v in filters.items()}
    done = export(str(built), "llava", tmp_path / "out", **given)
    rows = rows_of(built, **filters)
    saved = json.loads((tmp_path / "out" / "annotations.json").read_text())
    assert [row["id"] for row in saved] == [row["id"] for row in rows]
    images = {row["image_id"] for row in rows}
    assert done == {
        "folder": str(tmp_path / "out"), "trainer": "llava", "images": len(images),
        "questions": len(rows), "without_image": 0,
    }  # fmt: skip
    assert {file.stem for file in (tmp_path / "out" / "images").iterdir()} == images


@pytest.mark.parametrize("split", ["validation", "train[:5]", "validation+test"])
def test_other_splits_and_slices(split: str, built: Path, tmp_path: Path) -> None:
    done = export(str(built), "trl", tmp_path / "out", split=split)
    images = load(built, "images", split=split)
    assert done["images"] == len(images)
    rows = datasets.load_dataset(str(tmp_path / "out"), split="train")
    assert rows["id"][:] == [one["id"] for asked in images["questions"] for one in asked]


@pytest.mark.parametrize("trainer", TRAINERS)
def test_the_same_dataset_gives_the_same_bytes(
    trainer: str, built: Path, exports: dict[str, Path], tmp_path: Path
) -> None:
    moved = shutil.copytree(built, tmp_path / "moved")
    export(str(moved), trainer, tmp_path / "again")
    assert contents(tmp_path / "again") == contents(exports[trainer])


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_an_earlier_export_is_replaced(built: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    for trainer in TRAINERS:
        export(str(built), trainer, out, task="GPS")
    assert {path.name for path in out.iterdir()} == {"data", "export.json"}
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("name", ["thesis.txt", "images/cat.png", "data/other.parquet"])
def test_a_foreign_file_is_not_lost(name: str, built: Path, tmp_path: Path) -> None:
    export(str(built), "llava", tmp_path / "out", task="GPS")
    (tmp_path / "out" / name).parent.mkdir(exist_ok=True)
    (tmp_path / "out" / name).write_text("mine")
    with pytest.raises(UsageError, match="is not of an export"):
        export(str(built), "llava", tmp_path / "out")
    assert (tmp_path / "out" / name).read_text() == "mine"
    assert (tmp_path / "out" / "annotations.json").exists()


def test_other_folders_and_files_are_refused(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / f"{64 * '0'}.png").write_text("")
    for out in (built, tmp_path / "file", tmp_path):
        with pytest.raises(UsageError, match="is not of an export"):
            export(str(built), "llava", out)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(UsageError, match="holds the current directory"):
        export(str(built), "llava", Path())


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"trainer": "axolotl"}, "Unknown trainer 'axolotl'; choose llava, llama-factory"),
        ({"prompt": "cot"}, "Unknown prompt 'cot'"),
        ({"verified": True}, "Unknown filter 'verified'; choose source"),
        ({"kind": "orginal"}, "Unknown kind 'orginal'; did you mean original"),
        ({"task": "GSP"}, "Unknown task 'GSP'"),
        ({"split": "trian"}, "Unknown split 'trian'; did you mean train"),
        ({"min_agreement": "much"}, "min_agreement is a number"),
        ({"dataset": "nowhere"}, "neither a dataset folder here nor a Hub repository"),
        ({"kind": "synthetic"}, "has no such questions with an image in 'train'"),
    ],
)
def test_wrong_names_leave_nothing(
    wrong: dict[str, Any], said: str, built: Path, tmp_path: Path
) -> None:
    asked = {"dataset": str(built), "trainer": "llava", "out": tmp_path / "out"}
    with pytest.raises(UsageError, match=said):
        export(**{**asked, **wrong})
    assert list(tmp_path.iterdir()) == []


def test_what_fails_leaves_the_earlier_export(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(str(built), "llava", tmp_path / "out", task="GPS")
    before = contents(tmp_path / "out")

    def tired(_doing: str, done: int, _total: int | None) -> None:
        if done == 7:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export(str(built), "trl", tmp_path / "out", progress=tired)
    assert contents(tmp_path / "out") == before
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A dataset with a JPEG, a mark of an image in a text, and a source that is withheld."""
    page = encoded(diagram(1), "JPEG")
    rows = [
        ("Mine", question("a.jpg", page, "What is <image>, <im<image>age> and ü?", "<video>")),
        ("Mine", question("a.jpg", page, "Which?", "b", choices=("a", "b"), answer_index=1)),
        ("Theirs", question("b.png", encoded(diagram(2)), "How many?", "3")),
    ]
    pool = pool_of(tmp_path / "pool", rows)
    recipe = Recipe(name="odd", splits={"train": 1})
    write_dataset(recipe, pool, tmp_path / "odd", withheld=["Theirs"])
    return tmp_path / "odd"


@pytest.mark.parametrize("trainer", TRAINERS)
def test_marks_are_taken_out_and_what_is_withheld_is_counted(
    trainer: str, odd: Path, tmp_path: Path
) -> None:
    done = export(str(odd), trainer, tmp_path / "out", prompt="plain")
    assert (done["images"], done["questions"], done["without_image"]) == (1, 2, 1)
    said = {(text, answer) for text, answer, _ in READ[trainer](tmp_path / "out")}
    assert said == {
        ("Question: What is  , <im age> and ü?", " "),
        ("Question: Which?\nChoices:\n(A) a\n(B) b", "B"),
    }
    for _, _, data in READ[trainer](tmp_path / "out"):
        assert open_rgb(data).size == Image.open(io.BytesIO(data)).size == (300, 300)


def test_large_datasets_are_cut_into_row_groups_and_files(
    built: Path, exports: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ROW_GROUP_BYTES", 400_000)
    monkeypatch.setattr(module, "_ROW_GROUPS", 3)
    for trainer in ("trl", "nanovlm"):
        export(str(built), trainer, tmp_path / trainer)
        files = sorted((tmp_path / trainer / "data").iterdir())
        groups = [pq.ParquetFile(file).num_row_groups for file in files]
        assert len(files) > 1 and set(groups[:-1]) == {3}
        assert list(READ[trainer](tmp_path / trainer)) == list(READ[trainer](exports[trainer]))


def test_the_command(built: Path, exports: dict[str, Path], tmp_path: Path) -> None:
    assert tuple(TRAINERS) == train_cli.TRAINERS
    command = [sys.executable, "-P", "-m", "mathv360k", "export", str(built), "--for", "llava"]
    done = subprocess.run(
        [*command, "--json", "--out", "out"], cwd=tmp_path, capture_output=True, check=True
    )
    assert contents(tmp_path / "out") == contents(exports["llava"])
    assert json.loads(done.stdout)["questions"] == len(rows_of(built))
    done = subprocess.run(
        [*command[:-1], "axolotl"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2 and "Unknown trainer 'axolotl'" in done.stderr


def test_trl_trains_on_a_batch(built: Path, exports: dict[str, Path], tmp_path: Path) -> None:
    trl = pytest.importorskip("trl")
    folder = model_in(tmp_path)
    trainer = trl.SFTTrainer(
        model=transformers.AutoModelForImageTextToText.from_pretrained(folder),
        processing_class=transformers.AutoProcessor.from_pretrained(folder),
        args=trl.SFTConfig(str(tmp_path / "out"), max_length=None, use_cpu=True, bf16=False,
                           report_to="none", per_device_train_batch_size=4),
        train_dataset=datasets.load_dataset(str(exports["trl"]), split="train"),
    )  # fmt: skip
    batch = next(iter(trainer.get_train_dataloader()))
    assert batch["pixel_values"].shape == (4, 3, 32, 32)
    texts = trainer.processing_class.batch_decode(batch["input_ids"], skip_special_tokens=True)
    said = {told_by_letters(f"user: {text}\nassistant: {answer}") for text, answer in pairs(built)}
    assert {told_by_letters(text) for text in texts} <= said
    assert trainer.model(**batch).loss.isfinite()


def test_llama_factory_makes_a_batch(built: Path, exports: dict[str, Path], tmp_path: Path) -> None:
    hparams = pytest.importorskip("llamafactory.hparams")
    data = pytest.importorskip("llamafactory.data")
    folder = model_in(tmp_path)
    model, loading, training, _, _ = hparams.get_train_args({
        "model_name_or_path": str(folder), "template": "llava", "stage": "sft", "do_train": True,
        "finetuning_type": "full", "dataset_dir": str(exports["llama-factory"]), "bf16": False,
        "dataset": "mathv360k", "cutoff_len": 8192, "output_dir": str(tmp_path / "out"),
        "report_to": "none", "use_cpu": True, "overwrite_cache": True,
    })  # fmt: skip
    tools = pytest.importorskip("llamafactory.model").load_tokenizer(model)
    template = data.get_template_and_fix_tokenizer(tools["tokenizer"], loading)
    rows = data.get_dataset(template, model, loading, training, stage="sft", **tools)
    rows = rows["train_dataset"]
    expected = [told_by_letters(answer) for _, answer in pairs(built)]
    labels = [[token for token in row["labels"] if token >= 0] for row in rows]
    said = tools["tokenizer"].batch_decode(labels, skip_special_tokens=True)
    assert [told_by_letters(text) for text in said] == expected
    collator = data.SFTDataCollatorWith4DAttentionMask(
        template=template,
        label_pad_token_id=-100,
        block_diag_attn=False,
        compute_dtype=None,
        **tools,
    )
    assert collator([rows[n] for n in range(4)])["pixel_values"].shape == (4, 3, 32, 32)


def test_ms_swift_makes_a_batch(
    built: Path, exports: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELSCOPE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ROOT_IMAGE_DIR", str(exports["ms-swift"]))
    swift = pytest.importorskip("swift.dataset")
    rows, _ = swift.load_dataset([str(exports["ms-swift"] / "mathv360k.jsonl")])
    assert len(rows) == len(pairs(built))
    model = pytest.importorskip("swift.model")
    tools = model.get_processor(str(model_in(tmp_path)), model_type="llava1_5_hf", use_hf=True)
    form = pytest.importorskip("swift.template").get_template(tools, template_type="llava1_5_hf")
    form.set_mode("train")
    made = [form.encode(rows[n]) for n in range(4)]
    for row, (_, answer) in zip(made, pairs(built), strict=False):
        labels = [token for token in row["labels"] if token >= 0]
        text = tools.tokenizer.decode(labels, skip_special_tokens=True)
        assert told_by_letters(text) == told_by_letters(answer)
    assert form.data_collator(made)["pixel_values"].shape == (4, 3, 32, 32)


def model_in(folder: Path) -> Path:
    return write_llava(folder / "model")


def pairs(built: Path) -> list[tuple[str, str]]:
    return [(hint_first(row), answer_of(row)) for row in rows_of(built)]


def told_by_letters(text: str) -> str:
    """What is left of a text where the tiny model's tokenizer knows only ASCII and no breaks."""
    return "".join(letter for letter in text if " " < letter < "\x7f")


def test_what_a_killed_export_left_is_cleared(built: Path, tmp_path: Path) -> None:
    left = tmp_path / ".out.partial"
    left.mkdir()
    (left / "half.json").write_text("[")
    export(str(built), "llava", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert not (tmp_path / "out" / "half.json").exists()
