"""A finished run of the small model to the folder that is shipped: half the bytes, and how it wants to be asked.

python -m training.finish saves/small/sft3 data/model saves/small/start
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from qilin.training.settings import require_extra

MANNER: Final = {"prompt": "choices", "system": "", "template": "qwen"}
_FILES: Final = ("tokenizer.json", "tokenizer_config.json")


def finish(run: Path, out: Path, tokenizer: Path | None = None) -> int:
    """Write weights in bfloat16, configuration, tokenizer and `qilin.json`; needs torch and transformers.

    Args:
        tokenizer: the folder the run began with, whose tokenizer is taken as it was.

    Returns: bytes of the weights.
    """
    require_extra()
    import torch
    from transformers import AutoModelForCausalLM

    out.mkdir(parents=True, exist_ok=True)
    model: Any = AutoModelForCausalLM.from_pretrained(str(run), dtype=torch.float32)
    model.generation_config = type(model.generation_config)(
        eos_token_id=model.config.eos_token_id, pad_token_id=model.config.pad_token_id
    )
    model.config.use_cache = True
    model.to(torch.bfloat16).save_pretrained(out)
    for name in _FILES:
        content = json.loads(((tokenizer or run) / name).read_text(encoding="utf-8"))
        indent = None if name == "tokenizer.json" else 1
        text = json.dumps(content, ensure_ascii=False, indent=indent)
        (out / name).write_text(text + "\n", encoding="utf-8", newline="\n")
    (out / "qilin.json").write_text(json.dumps(MANNER, indent=1) + "\n", encoding="utf-8", newline="\n")
    for path in out.iterdir():
        path.chmod(0o644)
    return (out / "model.safetensors").stat().st_size


if __name__ == "__main__":
    print(finish(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else None), "bytes")
