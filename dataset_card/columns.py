"""What the columns of a dataset mean, for its card and its Croissant metadata."""

from __future__ import annotations

COLUMNS: dict[str, str] = {
    "id": "Name of the question, stable over versions: `<source>/<image>#<kind>-<n>`.",
    "image": "The picture's own file; null where it may not be published again.",
    "image_id": "sha256 of the picture's file, 64 hex digits.",
    "source": "The dataset that the picture comes from.",
    "task": "Task of MathVista: FQA, GPS, MWP, TQA or VQA.",
    "context": "What sort of picture it is, as MathVista names it.",
    "kind": "Where the question comes from: original, ask_image, complex, rephrase, simplify …",
    "parent_id": "The question that this one was written from; null for others.",
    "question": "What is asked.",
    "choices": "What there is to choose from; empty for free answers.",
    "answer": "The answer in words; of a choice its text.",
    "answer_letter": "The letter of the right choice; null for free answers.",
    "answer_type": "text, integer, float, list or yes_no.",
    "question_type": "multi_choice or free_form.",
    "unit": "Unit of the answer; null where it has none.",
    "precision": "Decimal places of a float answer.",
    "rationale": "The way to the answer, where source or teacher gives one.",
    "teacher": "The model that wrote the question; null for originals.",
    "agreement": "Share of the answers to the question, asked again, that agree; null: not asked.",
    "contamination": "Items of benchmarks that the row shares, with the evidence; null: none.",
    "license": "Licence of the row's source.",
    "clarity": "Probability that the picture is clear, 0 to 1.",
    "complexity": "How much there is to take in, from 0, simple, to 3.",
    "row_sha256": "sha256 of what the row says, 64 hex digits.",
    "format": "Format of the picture's file: PNG, JPEG …",
    "width": "Width of the picture in pixels.",
    "height": "Height of the picture in pixels.",
    "questions": "All questions about the picture.",
    "reason": "Why the question was not kept.",
    "detail": "What exactly was wrong with it.",
    "reply": "What the teacher said, where no question could be read from it.",
}
"""One sentence for each column of every config."""
