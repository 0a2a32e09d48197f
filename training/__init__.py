"""Training data, LLaMA-Factory runs, evaluation and the small model. Only the command line imports this package."""
