"""The start of the small Qwen2 model: its tokenizer, its configuration, its first weights.

    python -m qilin.training.start saves/small/start

Every character in common use is one token, and no merge crosses a character's boundary, so that an
answer can be constrained character by character. The tags are one token each. The embedding of a
character begins as a vector for each of its sounds plus noise: names that sound alike begin close
together, which a model of this size could not learn from its questions.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from qilin.answer.markup import TAGS
from qilin.hierarchy import Hierarchy
from qilin.text.sounds import merged, readings
from qilin.text.words import places
from qilin.training.byte_level import byte_letters
from qilin.training.garble import common_characters
from qilin.training.json_files import write_json
from qilin.training.settings import require_extra

SPLIT: Final = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
SPECIAL: Final = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
TAG_TOKENS: Final = tuple(f"<{slash}{tag}>" for tag in TAGS for slash in ("", "/"))
_WORDS: Final = ("user", "assistant", "system")
_PUNCTUATION: Final = "，。？！、；：（）《》“”‘’【】「」—…·％％０１２３４５６７８９～"
CHAT_TEMPLATE: Final = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def characters_of(hierarchies: Iterable[Hierarchy]) -> list[str]:
    """The characters with a token of their own: common ones, and those of the tables and word lists."""
    found = set(common_characters()) | set(_PUNCTUATION)
    for hierarchy in hierarchies:
        found.update(*hierarchy.names)
    found.update(*places())
    return sorted(c for c in found if ord(c) > 0x7F and c.isprintable())


def tokenizer_json(characters: Iterable[str]) -> dict[str, Any]:
    """A byte-level BPE whose merges make whole characters, in the format of `tokenizers`."""
    letter = byte_letters()
    vocabulary = {letter[b]: b for b in range(256)}
    merges: list[list[str]] = []
    seen: set[tuple[str, str]] = set()

    def join(left: str, right: str) -> str:
        if (left, right) not in seen:
            seen.add((left, right))
            merges.append([left, right])
            vocabulary.setdefault(left + right, len(vocabulary))
        return left + right

    spelt = [[letter[b] for b in text.encode()] for text in (*characters, *_WORDS)]
    for depth in range(1, max(map(len, spelt))):
        for pieces in spelt:
            if len(pieces) > depth:
                join("".join(pieces[:depth]), pieces[depth])
    first = len(vocabulary)
    added = [
        {"id": first + i, "content": text, "single_word": False, "lstrip": False, "rstrip": False,
         "normalized": False, "special": text in SPECIAL}
        for i, text in enumerate((*SPECIAL, *TAG_TOKENS))
    ]  # fmt: skip
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": {"type": "NFC"},
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": SPLIT}, "behavior": "Isolated", "invert": False},
                {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False},
            ],
        },
        "post_processor": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False},
        "decoder": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False},
        "model": {
            "type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": "", "end_of_word_suffix": "",
            "fuse_unk": False, "byte_fallback": False, "ignore_merges": False, "vocab": vocabulary, "merges": merges,
        },
    }  # fmt: skip


def write_start(
    folder: Path, hierarchies: Iterable[Hierarchy], *, hidden: int = 256, layers: int = 4, seed: int = 0
) -> int:
    """Write tokenizer, configuration and first weights of a small model; needs torch and transformers.

    Returns: the number of its parameters.
    """
    require_extra()
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    folder.mkdir(parents=True, exist_ok=True)
    characters = characters_of(hierarchies)
    content = tokenizer_json(characters)
    size = len(content["model"]["vocab"]) + len(content["added_tokens"])
    write_json(folder / "tokenizer.json", content)
    write_json(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "Qwen2Tokenizer", "add_prefix_space": False, "add_bos_token": False,
            "bos_token": None, "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "unk_token": None,
            "clean_up_tokenization_spaces": False, "errors": "replace", "split_special_tokens": False,
            "model_max_length": 1024, "chat_template": CHAT_TEMPLATE,
            "added_tokens_decoder": {
                str(t["id"]): {k: v for k, v in t.items() if k != "id"} for t in content["added_tokens"]
            },
        },
    )  # fmt: skip
    end = next(t["id"] for t in content["added_tokens"] if t["content"] == "<|im_end|>")
    pad = next(t["id"] for t in content["added_tokens"] if t["content"] == "<|endoftext|>")
    config = Qwen2Config(
        vocab_size=-(-size // 8) * 8,
        hidden_size=hidden,
        intermediate_size=hidden * 5 // 2,
        num_hidden_layers=layers,
        num_attention_heads=hidden // 32,
        num_key_value_heads=hidden // 32,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=end,
        pad_token_id=pad,
    )
    torch.manual_seed(seed)
    make: Any = Qwen2ForCausalLM  # its types are missing or wrong
    model = make(config)
    _sound_like_pinyin(model.get_input_embeddings().weight.data, content, characters, seed)
    model.to(torch.float32).save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    return sum(p.numel() for p in model.parameters())


def _sound_like_pinyin(weights: Any, content: dict[str, Any], characters: Iterable[str], seed: int) -> None:
    """Add to each character's embedding a vector for each of its sounds, and one for each merged sound."""
    import torch

    letter, vocabulary = byte_letters(), content["model"]["vocab"]
    width = weights.shape[1]
    scale = 1.2 * float(weights.std()) * math.sqrt(width)

    def vector(name: str) -> Any:
        generator = torch.Generator().manual_seed(random.Random(f"{seed} {name}").randrange(2**31))
        drawn = torch.randn(width, generator=generator)
        return drawn / drawn.norm() * scale

    for character in characters:
        sounds = sorted(readings(character))
        if sounds:
            own = sum((vector(s) * 0.6 + vector("merged " + merged(s)) * 0.8 for s in sounds), torch.zeros(width))
            weights[vocabulary["".join(letter[b] for b in character.encode())]] += own / math.sqrt(len(sounds))


if __name__ == "__main__":
    import sys

    print(write_start(Path(sys.argv[1]), [Hierarchy.bundled(), Hierarchy.bundled("china")]), "parameters")
