"""Qwen's true vocabulary for tests and measurements, from the ranks that the dashscope package carries."""

from __future__ import annotations

import base64
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
SIZE = 151_936


def is_there() -> bool:
    """Whether llguidance and the ranks are installed."""
    return find_spec("llguidance") is not None and _ranks() is not None


def _ranks() -> Path | None:
    package = find_spec("dashscope")
    if package is None or package.origin is None:
        return None
    path = Path(package.origin).parent / "resources" / "qwen.tiktoken"
    return path if path.exists() else None


@lru_cache(maxsize=1)
def tokenizer() -> Any:
    """An `llguidance.LLTokenizer` of the vocabulary of Qwen 1.5, 2 and 3."""
    from llguidance import LLTokenizer

    path = _ranks()
    assert path is not None
    ranks = {base64.b64decode(token): int(rank) for token, rank in map(bytes.split, path.read_bytes().splitlines())}
    special = {name: len(ranks) + i for i, name in enumerate(("<|endoftext|>", "<|im_start|>", "<|im_end|>"))}
    tokenizers: Any = LLTokenizer  # its stub lacks this way in
    return tokenizers.from_tiktoken(
        encoder=ranks,
        special_tokens=special,
        pattern=_PATTERN,
        eos_token=special["<|im_end|>"],
        n_vocab=SIZE,
        slices=None,
    )
