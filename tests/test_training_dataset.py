"""`qilin dataset` and `qilin train`, as far as they go without torch."""

from __future__ import annotations

import builtins
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from qilin.answer.markup import parse
from qilin.cli.app import app
from qilin.llm import extras
from qilin.llm.prompt import full_prompt
from qilin.training.settings import CONFIGS, TrainingError, find_config

RIGHT = {
    "query": "菏泽聚野投诉数量",
    "tagged": "<Province>山东省</Province><City>菏泽</City><Company>巨野县供电公司</Company><Indicator>投诉</Indicator>数量",
}


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def rows_of(path: Path) -> list[dict[str, Any]]:
    content = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(content, list)
    return content


def test_the_seed_interface(tmp_path: Path) -> None:
    result = run("dataset", tmp_path, "--size", "60")
    assert result.exit_code == 0, result.output
    rows = rows_of(tmp_path / "ner.json")
    assert len(rows) == 60
    for row in rows:
        assert list(row) == ["instruction", "input", "output"] and row["input"] == ""
        assert row["instruction"].startswith(full_prompt("")) and parse(row["output"])
    info = json.loads((tmp_path / "dataset_info.json").read_text(encoding="utf-8"))
    assert info["ner"] == {
        "file_name": "ner.json",
        "columns": {"prompt": "instruction", "query": "input", "response": "output"},
    }
    assert set(info) == {"ner", "ner_valid", "ner_test"}


def test_two_runs_write_the_same_bytes(tmp_path: Path) -> None:
    arguments = ("--size", "80", "--prompt", "choices", "--made-up", "0.3", "--seed", "4")
    for name in ("one", "two"):
        assert run("dataset", tmp_path / name, *arguments).exit_code == 0
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
    assert run("dataset", tmp_path / "three", *arguments[:-1], "5").exit_code == 0
    assert (tmp_path / "one" / "ner.json").read_bytes() != (tmp_path / "three" / "ner.json").read_bytes()


def test_sharegpt(tmp_path: Path) -> None:
    assert run("dataset", tmp_path, "--size", "20", "--form", "sharegpt", "--prompt", "bare").exit_code == 0
    first = rows_of(tmp_path / "ner.json")[0]["conversations"]
    assert [turn["from"] for turn in first] == ["human", "gpt"]
    assert json.loads((tmp_path / "dataset_info.json").read_text(encoding="utf-8"))["ner"]["formatting"] == "sharegpt"


def test_a_table_of_ones_own(tmp_path: Path) -> None:
    table = tmp_path / "org.csv"
    table.write_text(
        "province,city,company,substation\n"
        "江苏省,南京,江宁区供电公司,汤山供电所\n江苏省,苏州,昆山市供电公司,周庄供电所\n江苏省,苏州,昆山市供电公司,淀山湖供电所\n",
        encoding="utf-8",
    )
    assert run("dataset", tmp_path / "data", "--table", table, "--size", "50").exit_code == 0
    text = (tmp_path / "data" / "ner.json").read_text(encoding="utf-8")
    assert "山东省</Province>" not in text and "江苏省</Province>" in text


# ── corrections ──────────────────────────────────────────────────────────────────────────────────


def corrected(tmp_path: Path, *rows: object) -> Result:
    file = tmp_path / "corrections.jsonl"
    file.write_text("\n".join(r if isinstance(r, str) else json.dumps(r) for r in rows), encoding="utf-8")
    return run("train", "--export-corrections", file, "--out", tmp_path / "data")


def test_corrections_become_rows_beside_the_data(tmp_path: Path) -> None:
    assert run("dataset", tmp_path / "data", "--size", "10").exit_code == 0
    result = corrected(tmp_path, RIGHT, "", {**RIGHT, "reviewer": "甲"})
    assert result.exit_code == 0, result.output
    (row,) = rows_of(tmp_path / "data" / "ner_corrections.json")
    assert row["instruction"] == full_prompt(RIGHT["query"]) and row["output"] == RIGHT["tagged"]
    info = json.loads((tmp_path / "data" / "dataset_info.json").read_text(encoding="utf-8"))
    assert info["ner_corrections"]["file_name"] == "ner_corrections.json" and "ner" in info


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("{", "no JSON object"),
        ({"query": "菏泽投诉"}, "no JSON object"),
        ({"query": "", "tagged": ""}, "not empty"),
        ({**RIGHT, "tagged": RIGHT["tagged"].replace("菏泽", "济南")}, "巨野县供电公司"),
        ({**RIGHT, "tagged": RIGHT["tagged"].replace("数量", "总数")}, "总数"),
        ({**RIGHT, "tagged": RIGHT["tagged"].replace("</City>", "")}, "City"),
        ({**RIGHT, "tagged": RIGHT["tagged"].replace("Indicator", "County")}, "County"),
    ],
)
def test_a_wrong_correction_writes_nothing(tmp_path: Path, row: object, reason: str) -> None:
    result = corrected(tmp_path, RIGHT, row)
    assert result.exit_code == 2
    assert "corrections.jsonl:2: " in result.stderr and reason in result.stderr
    assert not (tmp_path / "data").exists()


def test_two_answers_to_one_query_are_refused(tmp_path: Path) -> None:
    other = {**RIGHT, "tagged": RIGHT["tagged"].replace("<Indicator>投诉</Indicator>", "投诉")}
    result = corrected(tmp_path, RIGHT, other)
    assert result.exit_code == 2 and "line 1 has another answer" in result.stderr


# ── wrong use ────────────────────────────────────────────────────────────────────────────────────


def test_without_the_extra_a_plain_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    find_spec, load = extras.find_spec, builtins.__import__

    def absent(name: str, package: str | None = None) -> object:
        return None if name == "llamafactory" else find_spec(name, package)

    def no_sound(name: str, *rest: Any) -> Any:
        if name in ("torchaudio", "torchvision"):
            raise ImportError(name)
        return load(name, *rest)

    monkeypatch.setattr(builtins, "__import__", no_sound)
    monkeypatch.setattr(extras, "find_spec", absent)
    real = sys.modules.pop("torchaudio", None)
    result = run("train", "qwen1_5_4b_chat_lora_sft", "--check")
    sys.modules.pop("torchaudio", None)  # the stub
    if real is not None:
        sys.modules["torchaudio"] = real
    assert result.exit_code == 2
    assert "pip install 'qilin-grid[train]'" in result.stderr and "llamafactory" in result.stderr


def test_wrong_use() -> None:
    assert run("train").exit_code == 2
    result = run("train", "no_such_config")
    assert result.exit_code == 2 and "small_from_scratch" in result.stderr
    with pytest.raises(TrainingError, match="qwen3_4b_lora_sft"):
        find_config("nothing.yaml")


def test_the_published_settings() -> None:
    """The settings of the published adapters, each as the task gives it."""
    text = find_config("qwen1_5_4b_chat_lora_sft").read_text(encoding="utf-8")
    settings = dict(
        line.split(" #")[0].split(": ", 1) for line in text.splitlines() if ": " in line and not line.startswith("#")
    )
    wanted = {
        "stage": "sft", "model_name_or_path": "qwen/Qwen1.5-4B-Chat", "template": "qwen", "dataset_dir": "data",
        "dataset": "ner", "cutoff_len": "1024", "learning_rate": "5.0e-5", "num_train_epochs": "2.0",
        "max_samples": "100000", "per_device_train_batch_size": "2", "gradient_accumulation_steps": "8",
        "lr_scheduler_type": "cosine", "max_grad_norm": "1.0", "logging_steps": "5", "save_steps": "100",
        "warmup_steps": "0", "optim": "adamw_torch", "packing": "false", "report_to": "none",
        "output_dir": "ner/saves/Qwen1.5-4B-Chat/lora/sft", "fp16": "true", "lora_rank": "8", "lora_alpha": "16",
        "lora_dropout": "0.0", "lora_target": "q_proj,v_proj", "flash_attn": "auto", "plot_loss": "true",
        "default_system": "You are a helpful assistant.",
    }  # fmt: skip
    assert {key: settings.get(key) for key in wanted} == wanted
    assert len(list(CONFIGS.glob("*.yaml"))) == 4


def test_only_some_kinds(tmp_path: Path) -> None:
    arguments = ("--size", "30", "--prompt", "bare", "--kind", "ordinary")
    assert run("dataset", tmp_path, *arguments).exit_code == 0
    rows = rows_of(tmp_path / "ner.json")
    assert rows and all("</City>" not in row["output"] for row in rows)
    wrong = run("dataset", tmp_path, "--kind", "nonsense")
    assert wrong.exit_code == 2 and "garbled" in wrong.output
