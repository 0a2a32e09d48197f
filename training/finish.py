"""A finished run of the small model to the folder that is shipped: half the bytes, and its prompt format.

python -m qilin.training.finish saves/small/sft3 data/model saves/small/start
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Final

from qilin.llm.on_this_machine.checkpoint import FORMAT_FILE, PromptFormat
from qilin.training.json_files import write_json
from qilin.training.settings import require_extra

_FORMAT: Final = PromptFormat(prompt="choices", system="", template="qwen")


def finish(run: Path, out: Path, tokenizer: Path | None = None) -> int:
    """Write weights in bfloat16, configuration, tokenizer and `qilin.json`; needs torch and transformers.

    Args:
        run: output folder of the run.
        tokenizer: the folder that the run started from; its tokenizer is copied. None: that of the run.

    Returns: the size of the weights in bytes.
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
    source = tokenizer or run
    for name, indent in (("tokenizer.json", None), ("tokenizer_config.json", 1)):
        write_json(out / name, json.loads((source / name).read_text(encoding="utf-8")), indent=indent)
    write_json(out / FORMAT_FILE, _FORMAT._asdict())
    for path in out.iterdir():
        path.chmod(0o644)
    return (out / "model.safetensors").stat().st_size


if __name__ == "__main__":
    print(finish(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else None), "bytes")
