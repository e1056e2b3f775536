"""The official prompts of the benchmarks, to the byte: a module each, made of a benchmark's row."""
