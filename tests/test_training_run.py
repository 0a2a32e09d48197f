"""Training for real, on a tiny checkpoint: checks, 26 LoRA steps through LLaMA-Factory, going on, what is refused.

Needs the extra `train`; each run is a process of its own, as it is for users.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("torch", "transformers", "llamafactory")),
    reason="the extra 'train' is not installed",
)
ROOT = Path(__file__).parents[1]
STEPS = 26


def python(*arguments: str | Path, timeout: int = 300) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=timeout)


def qilin(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return python("-m", "qilin", *arguments)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random checkpoint of Qwen2's shape, with the small model's tokenizer."""
    folder = tmp_path_factory.mktemp("base")
    script = (
        "import sys; from pathlib import Path; from qilin.hierarchy import Hierarchy; from qilin.training.start import write_start;"
        "print(write_start(Path(sys.argv[1]), [Hierarchy.bundled()], hidden=64, layers=2))"
    )
    result = python("-c", script, folder)
    assert result.returncode == 0, result.stderr
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    result = qilin("dataset", folder, "--size", "104", "--prompt", "full")
    assert result.returncode == 0, result.stderr
    return folder


@pytest.fixture(scope="module")
def settings(base: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What turns the published configuration into one of 26 steps on a CPU."""
    return [
        f"model_name_or_path={base}", f"dataset_dir={data}", f"output_dir={tmp_path_factory.mktemp('out')}",
        "fp16=false", "use_cpu=true", "learning_rate=1e-2", "gradient_accumulation_steps=2", "num_train_epochs=1", "save_steps=13",
    ]  # fmt: skip


def check(config: str | Path, *settings: str) -> subprocess.CompletedProcess[str]:
    return qilin("train", config, *settings, "--check")


def test_lora_steps_and_going_on(settings: list[str]) -> None:
    out = Path(next(s for s in settings if s.startswith("output_dir=")).partition("=")[2])
    first = qilin("train", "qwen1_5_4b_chat_lora_sft", *settings, f"max_steps={STEPS}")
    assert first.returncode == 0, first.stderr[-3000:]
    state: dict[str, Any] = json.loads((out / "trainer_state.json").read_text())
    assert state["global_step"] == STEPS
    losses = [entry["loss"] for entry in state["log_history"] if "loss" in entry]
    assert losses[-1] < losses[0]
    assert (out / "adapter_model.safetensors").is_file() and (out / "training_loss.png").is_file()
    assert (out / "checkpoint-26").is_dir()

    more = qilin("train", "qwen1_5_4b_chat_lora_sft", *settings, f"max_steps={STEPS + 2}", "--resume")
    assert more.returncode == 0, more.stderr[-3000:]
    state = json.loads((out / "trainer_state.json").read_text())
    assert state["global_step"] == STEPS + 2
    assert next(e["step"] for e in state["log_history"] if "loss" in e) == 5  # the history before it is kept

    silently = check("qwen1_5_4b_chat_lora_sft", *settings, "overwrite_output_dir=false")
    assert silently.returncode == 1 and "silently go on" in silently.stderr

    fits = check("qwen1_5_4b_chat_lora_sft", *settings, f"adapter_name_or_path={out}")
    assert fits.returncode == 0, fits.stderr
    wider = out / "wider"
    wider.mkdir()
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        (wider / name).write_bytes((out / name).read_bytes())
    weights = (wider / "adapter_model.safetensors").read_bytes()
    size = int.from_bytes(weights[:8], "little")
    header = re.sub(rb'("shape":\[8,)64\]', rb"\g<1>99]", weights[8 : 8 + size])
    (wider / "adapter_model.safetensors").write_bytes(len(header).to_bytes(8, "little") + header + weights[8 + size :])
    other = check("qwen1_5_4b_chat_lora_sft", *settings, f"adapter_name_or_path={wider}")
    assert other.returncode == 1 and "does not fit the base" in other.stderr


def test_check_says_that_all_is_well(settings: list[str]) -> None:
    result = check("qwen1_5_4b_chat_lora_sft", *settings)
    assert result.returncode == 0, result.stderr
    assert "104 rows" in result.stdout and "every answer ends in <|im_end|>" in result.stdout


# What is found together is told together; what is found in the rendered rows, each for itself.
@pytest.mark.parametrize(
    ("changed", "reasons"),
    [
        (
            "lerning_rate=1 dataset=nre model_name_or_path=/nowhere/model fp16=true use_cpu=false",
            ("Did you mean 'learning_rate'", "dataset 'nre'", "neither a folder nor in the download cache", "no GPU"),
        ),
        ("dataset_dir=/nowhere adapter_name_or_path=/nowhere", ("qilin dataset /nowhere", "no adapter_config.json")),
        ("cutoff_len=50", ("more than cutoff_len 50",)),
        ("default_system=null", ("system prompt of Qwen2.5",)),
        ("template=llama3", ("does not end in <|im_end|>",)),
        ("learning_rate", ("key=value",)),
    ],
)
def test_check_finds(settings: list[str], changed: str, reasons: tuple[str, ...]) -> None:
    result = check("qwen1_5_4b_chat_lora_sft", *settings, *changed.split())
    assert result.returncode in (1, 2) and all(reason in result.stderr for reason in reasons), result.stderr


def test_check_looks_into_the_rows(settings: list[str], tmp_path: Path, data: Path) -> None:
    rows = json.loads((data / "ner.json").read_text(encoding="utf-8"))[:5]
    rows[1]["output"] = "<City>菏泽"
    rows[2]["output"] = "<County>巨野</County>"
    rows[3]["output"] = ""
    (tmp_path / "ner.json").write_text(json.dumps(rows), encoding="utf-8")
    (tmp_path / "dataset_info.json").write_bytes((data / "dataset_info.json").read_bytes())
    result = check("qwen1_5_4b_chat_lora_sft", *settings, f"dataset_dir={tmp_path}")
    assert result.returncode == 1
    for number, reason in ((2, "no tagged text"), (3, "<County>"), (4, "empty")):
        assert f"row {number}: it" in result.stderr and reason in result.stderr


def test_every_character_is_one_token_and_comes_back(base: Path) -> None:
    script = (
        "import sys; from transformers import AutoTokenizer; t = AutoTokenizer.from_pretrained(sys.argv[1]);"
        "s = '<Province>山东省</Province><City>菏泽</City>鄄茌莒投诉数量，3月';"
        "i = t(s)['input_ids']; assert t.decode(i) == s; assert len(i) == 19, len(i);"
        "assert t.eos_token == '<|im_end|>' and t.pad_token == '<|endoftext|>'; print(type(t).__name__)"
    )
    result = python("-c", script, base)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip().startswith("Qwen2Tokenizer")
