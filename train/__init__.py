"""Training: thin wiring of a dataset to `transformers.Trainer`, and exports for other trainers."""
