"""Finds before a training run starts everything that would make it fail, or train the wrong thing."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from qilin.answer.markup import TAGS, MarkupError, parse
from qilin.llm.on_this_machine.checkpoint import ModelError, tensor_shapes
from qilin.llm.prompt import SYSTEM
from qilin.training.settings import read_settings, unknown_keys

STOP: Final = "<|im_end|>"
_MOST_RENDERED: Final = 2000  # rows put through the template
_MOST_PROBLEMS: Final = 20  # of one run; more rows are not looked at
_GIB: Final = 1 << 30


class Example(NamedTuple):
    """One row of a dataset file, its number counted from 1."""

    number: int
    question: str
    answer: str


class Findings(NamedTuple):
    """Results of the checks, in sentences: `problems` stop a run, `facts` are worth knowing."""

    problems: list[str]
    facts: list[str]


def check_run(config: Path, overrides: Sequence[str] = (), *, resume: bool = False, download: bool = False) -> Findings:
    """Check a configuration and everything it names; needs the extra, loads no weights.

    Args:
        overrides: `key=value` each, as for `read_settings`.
        resume: the run is to go on from its last checkpoint.
        download: a base that is not on this machine may be downloaded.

    Raises: TrainingError, where the configuration cannot be read at all.
    """
    settings = read_settings(config, overrides)
    findings = Findings([], [])
    findings.problems.extend(unknown_keys(settings, config))
    examples = _check_dataset(settings, config, findings)
    base = _check_base(settings, config, findings, download)
    if base is not None:
        _check_adapter(settings, config, base, findings)
    _check_precision(settings, config, findings)
    _check_output(settings, config, findings, base, resume)
    if base is not None and examples and not findings.problems:
        _check_rendering(settings, config, base, examples, findings)
    return findings


# ── dataset ──────────────────────────────────────────────────────────────────────────────────────


def _check_dataset(settings: Mapping[str, Any], config: Path, findings: Findings) -> list[Example]:
    folder = Path(str(settings.get("dataset_dir", "data")))
    index = folder / "dataset_info.json"
    if not index.is_file():
        findings.problems.append(
            f"{index}: there is no such file, and dataset_dir of {config} says it should be there. "
            f"Write the data first: qilin dataset {folder}"
        )
        return []
    try:
        known = json.loads(index.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        findings.problems.append(
            f"{index}: it cannot be read as JSON ({error}). Write it again: qilin dataset {folder}"
        )
        return []
    examples: list[Example] = []
    for key in ("dataset", "eval_dataset"):
        for name in _names(settings.get(key)):
            if name not in known:
                has = ", ".join(known) or "nothing"
                findings.problems.append(
                    f"{index}: {key} '{name}' of {config} is not in it; it has {has}. Correct the name."
                )
                continue
            examples += _examples(folder / known[name].get("file_name", f"{name}.json"), known[name], findings)
    if not _names(settings.get("dataset")):
        findings.problems.append(f"{config}: it names no dataset. Add `dataset: ner`.")
    elif examples:
        findings.facts.append(f"{len(examples)} rows")
    return examples


def _names(value: object) -> list[str]:
    if value is None:
        return []
    if isinstance(value, str):
        return [name.strip() for name in value.split(",") if name.strip()]
    return [str(name) for name in value] if isinstance(value, Sequence) else [str(value)]


def _examples(path: Path, entry: Mapping[str, Any], findings: Findings) -> list[Example]:
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(rows, list):
            raise ValueError("the top is no list")
    except (OSError, ValueError) as error:
        findings.problems.append(
            f"{path}: it cannot be read as a list of rows ({error}). Write it again: qilin dataset"
        )
        return []
    if not rows:
        findings.problems.append(f"{path}: it has no rows. Write it again: qilin dataset {path.parent} --size 10000")
    found = []
    for number, row in enumerate(rows, 1):
        problem = None
        try:
            question, answer = _turn(row, entry)
        except (KeyError, TypeError, ValueError, StopIteration):
            problem = "has not the columns that dataset_info.json gives it"
        else:
            if not question.strip() or not answer.strip():
                problem = "has an empty question or answer"
            else:
                problem = _malformed(answer)
        if problem:
            findings.problems.append(f"{path}, row {number}: it {problem}. Correct the row, or write the file again.")
            if len(findings.problems) > _MOST_PROBLEMS:
                break
        else:
            found.append(Example(number, question, answer))
    return found


def _turn(row: Mapping[str, Any], entry: Mapping[str, Any]) -> tuple[str, str]:
    columns = entry.get("columns", {})
    if entry.get("formatting") == "sharegpt":
        tags = entry.get("tags", {})
        role, content = tags.get("role_tag", "from"), tags.get("content_tag", "value")
        user, assistant = tags.get("user_tag", "human"), tags.get("assistant_tag", "gpt")
        turns = row[columns.get("messages", "conversations")]
        said = {turn[role]: turn[content] for turn in turns}
        question, answer = said[user], said[assistant]
    else:
        question = row[columns.get("prompt", "instruction")]
        more = row.get(columns.get("query", "input")) or ""
        question, answer = question + (f"\n{more}" if more else ""), row[columns.get("response", "output")]
    if not isinstance(question, str) or not isinstance(answer, str):
        raise TypeError
    return question, answer


def _malformed(answer: str) -> str | None:
    try:
        pieces = parse(answer)
    except MarkupError as error:
        return f"has an answer that is no tagged text: {error}"
    other = next((piece.tag for piece in pieces if piece.tag not in (None, *TAGS)), None)
    return f"uses the tag <{other}>, which is not among {', '.join(TAGS)}" if other else None


# ── base and adapter ─────────────────────────────────────────────────────────────────────────────


def _check_base(settings: Mapping[str, Any], config: Path, findings: Findings, download: bool) -> Path | None:
    """The folder that holds the base model; None where there is none."""
    name = settings.get("model_name_or_path")
    if not name:
        findings.problems.append(f"{config}: it has no model_name_or_path. Name a folder or a published model.")
        return None
    folder = Path(str(name)).expanduser()
    if not folder.is_dir():
        cached = _in_cache(str(name))
        if cached is None:
            if download and str(name).count("/") == 1 and not str(name).startswith((".", "/")):
                findings.facts.append(
                    f"{name} is not on this machine and will be downloaded; its rows are not rendered first"
                )
                return None
            findings.problems.append(
                f"{config}: the base model '{name}' is neither a folder nor in the download cache of this machine. "
                "Give the folder it lies in (model_name_or_path=…), or let it be downloaded: --download"
            )
            return None
        folder = cached
    scratch = settings.get("train_from_scratch")
    for wanted, patterns in (("configuration", ("config.json",)), ("weights", ("*.safetensors", "*.bin")),
                             ("tokenizer", ("tokenizer.json", "vocab.json", "tokenizer.model"))):  # fmt: skip
        if not (wanted == "weights" and scratch) and not any(any(folder.glob(pattern)) for pattern in patterns):
            findings.problems.append(
                f"{folder}: the base model has no {wanted} ({', '.join(patterns)}). Copy it there again."
            )
    return folder if (folder / "config.json").is_file() else None


def _in_cache(name: str) -> Path | None:
    try:
        from huggingface_hub import try_to_load_from_cache

        found = try_to_load_from_cache(name, "config.json")
    except Exception:  # no valid name of a published model
        return None
    return Path(found).parent if isinstance(found, str) else None


def _check_adapter(settings: Mapping[str, Any], config: Path, base: Path, findings: Findings) -> None:
    for name in _names(settings.get("adapter_name_or_path")):
        folder = Path(name)
        description = folder / "adapter_config.json"
        if not description.is_file():
            findings.problems.append(
                f"{folder}: adapter_name_or_path of {config} has no adapter_config.json. Name another."
            )
            continue
        try:
            shapes = tensor_shapes(folder / "adapter_model.safetensors")
        except ModelError as error:
            findings.problems.append(str(error))
            continue
        model = json.loads((base / "config.json").read_text(encoding="utf-8"))
        wide = {shape[1] for key, shape in shapes.items() if key.endswith("q_proj.lora_A.weight")}
        layers = 1 + max((int(p) for key in shapes for p in key.split(".") if p.isdigit()), default=-1)
        told = json.loads(description.read_text(encoding="utf-8")).get("base_model_name_or_path", "another base")
        if wide and wide != {model.get("hidden_size")}:
            findings.problems.append(
                f"{folder}: the adapter does not fit the base {base}: it was trained for a width of {min(wide)} "
                f"('{told}'), the base has {model.get('hidden_size')}. Give the base it was trained on."
            )
        elif shapes and layers > model.get("num_hidden_layers", layers):
            findings.problems.append(
                f"{folder}: the adapter does not fit the base {base}: it has {layers} layers ('{told}'), the base "
                f"{model['num_hidden_layers']}. Give the base it was trained on."
            )


# ── machine and output ───────────────────────────────────────────────────────────────────────────


def _check_precision(settings: Mapping[str, Any], config: Path, findings: Findings) -> None:
    import torch

    if torch.cuda.is_available() or settings.get("use_cpu"):
        return
    for key in ("fp16", "bf16"):
        if settings.get(key):
            findings.problems.append(
                f"{config}: {key} is set, and this machine has no GPU that torch can use. "
                f"Train on a GPU, or, for a small model, say use_cpu=true {key}=false."
            )


def _check_output(
    settings: Mapping[str, Any], config: Path, findings: Findings, base: Path | None, resume: bool
) -> None:
    out = settings.get("output_dir")
    if not out:
        findings.problems.append(f"{config}: it has no output_dir. Name the folder that the result goes to.")
        return
    folder = Path(str(out))
    if resume and last_checkpoint(folder) is None:
        findings.problems.append(f"{folder}: there is no checkpoint to resume from. Start without --resume.")
    if not resume and not settings.get("overwrite_output_dir") and folder.is_dir() and any(folder.iterdir()):
        findings.problems.append(
            f"{folder}: it is not empty, and LLaMA-Factory would silently go on from what lies there. "
            "Say --resume if that is meant, else overwrite_output_dir=true or another output_dir."
        )
    place = next(p for p in (folder, *folder.absolute().parents) if p.exists())
    if not os.access(place, os.W_OK):
        findings.problems.append(f"{place}: the folder cannot be written, and output_dir lies there. Name another.")
    wanted = _room(settings, base)
    free = shutil.disk_usage(place).free
    if wanted > free:
        findings.problems.append(
            f"{folder}: the checkpoints need about {wanted / _GIB:.1f} GiB and {free / _GIB:.1f} GiB are free. "
            "Free some, name another output_dir, or keep fewer (save_total_limit)."
        )
    findings.facts.append(f"about {max(wanted / _GIB, 0.1):.1f} GiB of checkpoints, {free / _GIB:.0f} GiB free")


def _room(settings: Mapping[str, Any], base: Path | None) -> int:
    """Bytes that the checkpoints of a run may take, roughly."""
    weights = sum(f.stat().st_size for f in base.glob("*.safetensors")) if base is not None else 0
    kept = int(settings.get("save_total_limit") or 5) + 1
    if settings.get("finetuning_type", "lora") == "lora":
        each = weights // 100 + (32 << 20)
    else:
        each = weights if settings.get("save_only_model") else weights * 3
    return each * kept


def last_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint of a run."""
    found = [p for p in folder.glob("checkpoint-*") if p.name.rpartition("-")[2].isdigit()]
    return max(found, key=lambda p: int(p.name.rpartition("-")[2]), default=None)


# ── rendering ────────────────────────────────────────────────────────────────────────────────────


def _check_rendering(
    settings: Mapping[str, Any], config: Path, base: Path, examples: Sequence[Example], findings: Findings
) -> None:
    """Check that the rows fit when put through the template, and that each answer ends in the stop token."""
    import logging

    from llamafactory.data import get_template_and_fix_tokenizer
    from llamafactory.hparams import DataArguments
    from transformers import AutoTokenizer

    logging.getLogger("llamafactory").setLevel(logging.WARNING)
    name, cutoff = settings.get("template"), int(settings.get("cutoff_len", 2048))
    if not name:
        findings.problems.append(f"{config}: it names no template. Add `template: qwen`.")
        return
    if name == "qwen" and settings.get("default_system") is None:
        findings.problems.append(
            f"{config}: without default_system the template 'qwen' inserts the system prompt of Qwen2.5. "
            f"Add `default_system: {SYSTEM}`, which is what models are asked with."
        )
        return
    tokenizer = AutoTokenizer.from_pretrained(str(base))
    try:
        template = get_template_and_fix_tokenizer(
            tokenizer, DataArguments(template=str(name), default_system=settings.get("default_system"))
        )
    except ValueError as error:
        findings.problems.append(f"{config}: the template '{name}' cannot be used: {error} Use qwen.")
        return
    (stop, *more) = tokenizer.encode(STOP, add_special_tokens=False)
    if more:
        findings.problems.append(f"{base}: '{STOP}' is {1 + len(more)} tokens there, not one. Use a Qwen tokenizer.")
        return
    longest = 0
    for example in _some(examples):
        messages = [{"role": "user", "content": example.question}, {"role": "assistant", "content": example.answer}]
        asked, answered = template.encode_oneturn(tokenizer, messages)
        longest = max(longest, len(asked) + len(answered))
        if stop not in answered[-2:]:  # a line end may follow it
            findings.problems.append(
                f"{config}: with the template '{name}', the answer of row {example.number} does not end in {STOP}, "
                "and a model would not learn to stop. Use the template qwen."
            )
            return
        if len(asked) + len(answered) > cutoff:
            findings.problems.append(
                f"{config}: row {example.number} has {len(asked) + len(answered)} tokens, more than cutoff_len {cutoff}; "
                "its end, the stop token with it, would be cut off. Raise cutoff_len, or leave the row out."
            )
            return
        said = tokenizer.decode(asked)
        if example.question not in said:
            findings.problems.append(
                f"{base}: the tokenizer changes the question of row {example.number}. Use Qwen's own."
            )
            return
    findings.facts.append(f"longest row {longest} of {cutoff} tokens; every answer ends in {STOP}")


def _some(examples: Sequence[Example]) -> Iterator[Example]:
    """All rows, or the longest ones and every n-th."""
    if len(examples) <= _MOST_RENDERED:
        yield from examples
        return
    yield from sorted(examples, key=lambda e: len(e.question) + len(e.answer), reverse=True)[: _MOST_RENDERED // 2]
    yield from examples[:: -(-len(examples) // (_MOST_RENDERED // 2))]
