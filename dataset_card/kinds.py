"""What the kinds of questions are, for readers (Math-LLaVA, arXiv 2406.17294, section 3.2)."""

from __future__ import annotations

from ..builder.schema import Kind

MEANING: dict[str, str] = {
    Kind.ORIGINAL: "As its source asks it.",
    Kind.ASK_IMAGE: "A new question about the image, written by the teacher.",
    Kind.COMPLEX: "Written from an original: more steps to the answer.",
    Kind.REPHRASE: "An original in other words, with the same answer.",
    Kind.SIMPLIFY: "An original that leaves unsaid what the image shows, with the same answer.",
    Kind.SYNTHETIC: "Written by the paper's teacher; the release does not say as which kind.",
}
