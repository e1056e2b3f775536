"""How well a model answers: the benchmarks' own rules, and sound ones beside them."""
