"""A tiny Qwen2 checkpoint with random weights, and LoRA adapters for it: for mechanics, no download."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

QWEN_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
FOLDERS = {"words": {"whole_words": True}, "tags": {"whole_words": False, "tags": True}}  # arguments of `write_base`
TEXTS = [
    "山东省菏泽巨野县供电公司麒麟供电所投诉数量",
    "济南市中供电中心意见百万户量总数",
    "<Province>山东省</Province><City>菏泽</City><Company>巨野县供电公司</Company>",
    "<Substation>麒麟供电所</Substation><Indicator>投诉</Indicator>数量<Date>本月</Date>低电压台区数",
]


def tiny_tokenizer(*, whole_words: bool, tags: bool) -> Any:
    """Byte-level BPE with Qwen's split; `whole_words`: merges reach over characters, as Qwen's do; `tags`: one token each."""
    from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    splits = [pre_tokenizers.Split(Regex(QWEN_SPLIT), "isolated")]
    if not whole_words:
        splits.append(pre_tokenizers.Split(Regex(r"[^\x00-\x7f]"), "isolated"))
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([*splits, byte_level])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=500, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False, min_frequency=1
    )
    tokenizer.train_from_iterator(TEXTS * 2, trainer)
    tokenizer.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    if tags:
        names = ("Province", "City", "Company", "Substation", "Indicator", "Date")
        tokenizer.add_tokens([AddedToken(f"<{s}{n}>", normalized=False) for n in names for s in ("", "/")])
    return tokenizer


def write_base(folder: Path, *, whole_words: bool = True, tags: bool = False, hidden: int = 32, seed: int = 0) -> Path:
    """A base model with random weights."""
    import torch
    from transformers import PreTrainedTokenizerFast, Qwen2Config, Qwen2ForCausalLM

    tokenizer = tiny_tokenizer(whole_words=whole_words, tags=tags)
    size = tokenizer.get_vocab_size() + 5  # a few entries that mean nothing, as Qwen has
    torch.manual_seed(seed)
    model = Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=size,
            hidden_size=hidden,
            intermediate_size=2 * hidden,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=2048,
            initializer_range=0.3,
        )
    )
    likes = [i for token, i in tokenizer.get_vocab().items() if "<" in token and "|" not in token]
    with torch.no_grad():
        model.lm_head.weight[likes] *= 8  # opinions on tags: strong ones, for and against
    model.generation_config.pad_token_id = tokenizer.token_to_id("<|endoftext|>")
    model.save_pretrained(folder)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>"
    ).save_pretrained(folder)
    path = folder / "tokenizer_config.json"
    content = json.loads(path.read_text("utf-8"))
    content["tokenizer_class"] = "Qwen2Tokenizer"
    path.write_text(json.dumps(content), "utf-8")
    return folder


def write_adapter(folder: Path, base: Path, *, seed: int = 1) -> Path:
    """A LoRA adapter with random weights that change what the base says."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_pretrained(base)
    adapted = get_peft_model(model, LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"]))
    for name, weight in adapted.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(weight, std=0.5)
    adapted.save_pretrained(folder)
    return folder
