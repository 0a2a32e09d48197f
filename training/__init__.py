"""Training data, LLaMA-Factory runs and the small model. Offline: `engine` never imports this package."""
