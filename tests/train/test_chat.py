"""Chat templates as tokens: what the processor makes of the whole, and the loss on the answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tokenizers import AddedToken
from transformers import (
    AutoProcessor,
    Idefics3ImageProcessorPil,
    Idefics3Processor,
    LlavaNextImageProcessorPil,
    LlavaNextProcessor,
    Qwen2_5_VLProcessor,
    Qwen2VLImageProcessorPil,
)

from mathv360k.errors import ModelError
from mathv360k.train.chat import ChatFormat, Turn, cut
from mathv360k.train.tiny import write_tiny
from tiny_models import write_llava

TEXTS = ["What is the length of AB?", "How many are there?", "The answer is 12", "USER ASSISTANT"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = write_tiny(tmp_path_factory.mktemp("tiny") / "model", TEXTS)
    return AutoProcessor.from_pretrained(folder)


def llava(processor: Any) -> Any:
    """The tiny one has the form of LLaVA-1.5's own template."""
    return processor


def llava_next(processor: Any) -> Any:
    pictures = LlavaNextImageProcessorPil(
        size={"shortest_edge": 56}, crop_size={"height": 56, "width": 56},
        image_grid_pinpoints=[[56, 112], [112, 56], [112, 112]],
    )  # fmt: skip
    return LlavaNextProcessor(
        pictures, processor.tokenizer, patch_size=14, vision_feature_select_strategy="default",
        image_token="<image>", num_additional_image_tokens=1,
        chat_template=processor.chat_template,
    )  # fmt: skip


QWEN = (
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n{% for message in messages %}"
    "<|im_start|>{{ message['role'] }}\n{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% else %}{{ part['text'] }}{% endif %}{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def with_tokens(processor: Any, *tokens: str, eos: str) -> Any:
    from copy import deepcopy

    tokenizer = deepcopy(processor.tokenizer)
    tokenizer.add_tokens([AddedToken(token, special=True) for token in tokens], special_tokens=True)
    tokenizer.eos_token = eos
    return tokenizer


def qwen(processor: Any) -> Any:
    pytest.importorskip("torchvision", reason="its video processor needs torchvision")
    names = ("<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|image_pad|>", "<|vision_end|>",
             "<|video_pad|>")  # fmt: skip
    tokenizer = with_tokens(processor, *names, eos="<|im_end|>")
    pictures = Qwen2VLImageProcessorPil(min_pixels=28 * 28, max_pixels=28 * 28 * 16)
    return Qwen2_5_VLProcessor(pictures, tokenizer, None, chat_template=QWEN)


SMOLVLM = (
    "<|im_start|>{% for message in messages %}{{ message['role'] | capitalize }}"
    "{% if message['content'][0]['type'] == 'image' %}{{ ':' }}{% else %}{{ ': ' }}{% endif %}"
    "{% for part in message['content'] %}{% if part['type'] == 'text' %}{{ part['text'] }}"
    "{% elif part['type'] == 'image' %}{{ '<image>' }}{% endif %}{% endfor %}"
    "<end_of_utterance>\n{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)


def smolvlm(processor: Any) -> Any:
    names = ("<|im_start|>", "<end_of_utterance>", "<fake_token_around_image>", "<global-img>")
    grid = [f"<row_{r}_col_{c}>" for r in range(1, 7) for c in range(1, 7)]
    tokenizer = with_tokens(processor, *names, *grid, eos="<end_of_utterance>")
    pictures = Idefics3ImageProcessorPil(
        size={"longest_edge": 128}, max_image_size={"longest_edge": 64}
    )
    return Idefics3Processor(pictures, tokenizer, image_seq_len=4, chat_template=SMOLVLM)


FAMILIES = [llava, llava_next, qwen, smolvlm]


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("size", [(64, 48), (100, 210)])
def test_beginning_and_turn_are_the_tokens_of_the_whole_conversation(
    tiny: Any, family: Any, size: tuple[int, int]
) -> None:
    processor = family(tiny)
    chat = ChatFormat(processor)
    image = Image.new("RGB", size, "blue")
    question, answer = "How many are there?\nChoices:\n(A) 1", "The answer is A"
    (turn,) = chat.turns([(question, answer)])
    (prefix,), _ = chat.prefixes([image])
    user = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": question}]}
    said = {"role": "assistant", "content": [{"type": "text", "text": answer}]}
    text = processor.apply_chat_template([user, said])
    if not text.rstrip().endswith(processor.tokenizer.eos_token):
        text = text.rstrip() + processor.tokenizer.eos_token
    made = processor(text=[text.rstrip()], images=[[image]], return_tensors="pt")
    assert prefix + turn.ids == made["input_ids"][0].tolist()
    assert chat.prefix_length(*size) == len(prefix)
    trained = [token for token, on in zip(turn.ids, turn.trained, strict=True) if on]
    end = processor.tokenizer.eos_token
    assert processor.tokenizer.decode(trained).strip() == f"The answer is A{end}"
    assert not any(turn.trained[: turn.text[1]])
    cue = processor.apply_chat_template([user], add_generation_prompt=True).rpartition(question)[2]
    untrained = [token for token, on in zip(turn.ids, turn.trained, strict=True) if not on]
    assert processor.tokenizer.decode(untrained).strip().endswith(f"{question}{cue}".strip())


@given(st.text(max_size=60), st.text(max_size=20))
def test_whatever_the_texts_say_the_loss_is_on_the_answer(
    tiny: Any, question: str, answer: str
) -> None:
    chat = ChatFormat(tiny)
    (turn,) = chat.turns([(question, answer)])
    assert turn.ids[-1] == tiny.tokenizer.eos_token_id and turn.trained[-1]
    assert not turn.trained[0]
    first = turn.trained.index(True)
    assert all(turn.trained[first:])
    assert chat.image_token_id not in turn.ids


def test_a_question_cannot_pretend_to_be_an_image_or_an_end(tiny: Any) -> None:
    chat = ChatFormat(tiny)
    (turn,) = chat.turns([("What is <image> and </s> here?", "</s>12<image>")])
    assert tiny.tokenizer.decode(turn.ids) == "\nWhat is  and  here? ASSISTANT: 12</s>"


def test_what_is_too_long_loses_the_first_words_of_the_question(tiny: Any) -> None:
    chat = ChatFormat(tiny)
    (turn,) = chat.turns([("one two three four five What is it?", "12")])
    shorter = cut(turn, len(turn.ids) - 6)
    assert shorter is not None and len(shorter.ids) == len(turn.ids) - 6
    text = tiny.tokenizer.decode(shorter.ids)
    assert text.startswith("\n") and text.endswith("What is it? ASSISTANT: 12</s>")
    assert cut(turn, len(turn.ids)) is turn
    fixed = len(turn.ids) - (turn.text[1] - turn.text[0])
    assert cut(turn, fixed) is None


def test_a_turn_without_text_cannot_be_cut() -> None:
    assert cut(Turn([1, 2, 3], [False, False, True], (0, 0)), 2) is None


def test_a_processor_that_cannot_be_asked_is_named(tiny: Any, tmp_path: Path) -> None:
    mute = AutoProcessor.from_pretrained(write_llava(tmp_path / "llava"))
    mute.chat_template = None
    with pytest.raises(ModelError, match="has no chat template"):
        ChatFormat(mute)
    last = AutoProcessor.from_pretrained(tmp_path / "llava")
    last.chat_template = (
        "{% for m in messages %}{% for c in m.content %}{% if c.type == 'text' %}{{ c.text }}"
        "{% endif %}{% endfor %}<image>{% endfor %}"
    )
    with pytest.raises(ModelError, match="does not have the image first"):
        ChatFormat(last)
    blind = AutoProcessor.from_pretrained(tmp_path / "llava")
    del blind.image_token
    with pytest.raises(ModelError, match="has no image token"):
        ChatFormat(blind)
