"""A base model and the adapter merged into it, from folders or names; a bad fit is reported before it is used."""

from __future__ import annotations

import json
import logging
import unicodedata
import warnings
from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from qilin.llm.extras import needing
from qilin.llm.prompt import PROMPTS, SYSTEM, chatml, choices_prompt

if TYPE_CHECKING:
    import torch

FORMAT_FILE = "qilin.json"  # beside a model: its prompt format
_BUNDLED = "model"
_MOST_CHOICES = 12  # as many as a question of the training data offers
_log = logging.getLogger(__name__)
_ENDINGS = {"qwen": "", "qwen3": "<think>\n\n</think>\n\n", "qwen3_nothink": ""}


class ModelError(ValueError):
    """A model or adapter that cannot be used: where, what, why, and the next step."""


class PromptFormat(NamedTuple):
    """How a model was trained to be asked.

    `prompt`: a key of `PROMPTS`, or "choices"; `template`: a chat template, as LLaMA-Factory calls it.
    """

    prompt: str = "full"
    system: str = SYSTEM
    template: str = "qwen"

    @classmethod
    def beside(cls, *folders: Path | None) -> PromptFormat:
        """From `qilin.json` of the first folder that has one; else the format of the published adapters.

        Raises: ModelError, for a file that cannot be used.
        """
        path = next((f / FORMAT_FILE for f in folders if f and (f / FORMAT_FILE).is_file()), None)
        if path is None:
            return cls()
        content = _json(path)
        found = cls(**{key: content[key] for key in cls._fields if key in content})
        for key, known in (("prompt", {*PROMPTS, "choices"}), ("template", {*_ENDINGS})):
            value = getattr(found, key)
            if value not in known:
                raise ModelError(f"{path}: {key} is {value!r}. Known: {', '.join(sorted(known))}. Correct the file.")
        return found

    def render(self, question: str, alternatives: Sequence[str] = ()) -> str:
        """The whole text in front of the answer.

        Args:
            alternatives: Tagged forms of the organisations to choose among; left out for a model that was not
                trained to read them, or not so many.
        """
        question = unicodedata.normalize("NFC", question)
        if self.prompt == "choices":
            user = choices_prompt(question, alternatives if len(alternatives) <= _MOST_CHOICES else ())
        else:
            user = PROMPTS[self.prompt](question)
        return chatml(user, self.system) + _ENDINGS[self.template]

    def beginning(self) -> str:
        """The text in front of every question."""
        mark = "\ue000"
        return self.render(mark).partition(mark)[0]


class Checkpoint(NamedTuple):
    """A model ready to be asked."""

    model: Any  # PreTrainedModel
    tokenizer: Any  # tokenizers.Tokenizer, without its normaliser
    prompt_format: PromptFormat
    end: int  # token that ends an answer
    ends: frozenset[int]  # tokens at which unconstrained text ends
    special: tuple[str, ...]  # control tokens, longest first
    name: str


def load_checkpoint(
    base: str | PathLike[str] | None,
    adapter: str | PathLike[str] | None,
    *,
    device: str,
    dtype: str | torch.dtype,
) -> Checkpoint:
    """Load, check and merge. None for the base: the adapter's own, or the bundled small model.

    Raises: MissingExtra; ModelError.
    """
    with needing("a local model", "llm"):
        import torch  # noqa: F401
        import transformers
        from transformers import AutoModelForCausalLM, AutoTokenizer
    folder = _folder(adapter, "adapter", "adapter_config.json") if adapter is not None else None
    recorded = _json(folder / "adapter_config.json") if folder else {}
    name = fspath(_base(base, recorded))
    local = Path(name) if Path(name).exists() else None
    if local:
        _folder(local, "base model", "config.json")
    elif _looks_like_path(name):
        raise ModelError(f"{name}: there is no such folder. Give the folder of a base model, or its name.")
    chosen = _device(device)
    kind = _dtype(dtype, chosen)
    key = "dtype" if tuple(map(int, transformers.__version__.split(".")[:2])) >= (4, 56) else "torch_dtype"
    transformers.utils.logging.disable_progress_bar()
    try:
        tokenizer = AutoTokenizer.from_pretrained(name)
        model = AutoModelForCausalLM.from_pretrained(name, attn_implementation="sdpa", **{key: kind})
    except Exception as error:
        raise ModelError(f"{name}: this model cannot be loaded: {error}") from error
    if folder:
        _check_adapter(folder, recorded, model, name)
        model = _merged(model, folder)
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ModelError(f"{name}: the tokenizer has no tokenizer.json. Convert it to a fast tokenizer.")
    model = model.to(chosen).eval()
    end = _end_of_turn(backend, tokenizer)
    plain = _plain(backend)
    return Checkpoint(
        model,
        plain,
        PromptFormat.beside(folder, local),
        end,
        frozenset({end, tokenizer.eos_token_id} - {None}),
        _special(plain, tokenizer),
        f"local:{(folder or Path(name)).name}",
    )


def _base(base: str | PathLike[str] | None, recorded: Mapping[str, Any]) -> str | PathLike[str]:
    if base is not None:
        return base
    named = recorded.get("base_model_name_or_path")
    if isinstance(named, str) and named:
        return named
    from qilin.hierarchy.bundled_data import ROOT, bundled_path
    from qilin.hierarchy.findings import HierarchyError

    try:
        return bundled_path(_BUNDLED)
    except HierarchyError:
        raise ModelError(
            f"no small model is bundled ({ROOT / _BUNDLED}). "
            "Train it with 'qilin train', or give the folder of a base model."
        ) from None


def _folder(path: str | PathLike[str], what: str, needed: str) -> Path:
    folder = Path(fspath(path))
    if not (folder / needed).is_file():
        raise ModelError(f"{folder}: this is no {what}: it has no {needed}. Give the folder that holds one.")
    return folder


def _looks_like_path(name: str) -> bool:
    return name.startswith((".", "/", "~", "\\")) or name.count("/") > 1


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: this cannot be read: {error}. Copy the folder anew.") from error
    if not isinstance(content, dict):
        raise ModelError(f"{path}: this is no JSON object. Copy the folder anew.")
    return content


def _device(device: str) -> torch.device:
    import torch

    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    chosen = torch.device(device)
    if chosen.type == "cuda" and not torch.cuda.is_available():
        raise ModelError(f"device {device!r}: this installation of torch sees no GPU. Use device='cpu' or 'auto'.")
    return chosen


def _dtype(dtype: str | torch.dtype, device: torch.device) -> torch.dtype:
    import torch

    if isinstance(dtype, torch.dtype):
        return dtype
    if dtype == "auto":
        return torch.bfloat16 if device.type == "cuda" and torch.cuda.is_bf16_supported() else torch.float32
    known = {"float32": torch.float32, "fp32": torch.float32, "bfloat16": torch.bfloat16, "bf16": torch.bfloat16}
    if dtype not in known:
        raise ModelError(f"dtype {dtype!r}: this is not known. Use 'auto', 'float32' or 'bfloat16'.")
    return known[dtype]


# ── the adapter ──────────────────────────────────────────────────────────────────────────────────


def _check_adapter(folder: Path, recorded: Mapping[str, Any], model: Any, base: str) -> None:
    """Raises ModelError unless every matrix of the adapter has a layer of its size in the base."""
    named = str(recorded.get("base_model_name_or_path") or "")
    step = f"Use the base it was trained on{f', {named!r}' if named else ''}, or an adapter trained on {base!r}."
    layers = dict(model.named_modules())
    targets = recorded.get("target_modules") or []
    if isinstance(targets, list):
        missing = [t for t in targets if not any(name == t or name.endswith("." + t) for name in layers)]
        if missing:
            raise ModelError(f"{folder}: adapts the layers {missing}, which the base {base!r} does not have. {step}")
    for key, shape in tensor_shapes(folder / "adapter_model.safetensors").items():
        name, _, part = key.removeprefix("base_model.model.").rpartition(".lora_")
        if not name:
            continue
        layer = layers.get(name)
        if layer is None:
            raise ModelError(f"{folder}: adapts '{name}', a layer that the base {base!r} does not have. {step}")
        side, axis, own = ("in", 1, layer.in_features) if part.startswith("A") else ("out", 0, layer.out_features)
        if shape[axis] != own:
            raise ModelError(
                f"{folder}: its '{name}' takes {shape[axis]} {side}puts, that of the base {base!r} {own}. {step}"
            )
    if named and Path(named).name.casefold() != Path(base).name.casefold():
        _log.warning(
            "%s was trained on %s and is used on %s; the sizes fit, the weights may differ", folder, named, base
        )


def tensor_shapes(path: Path) -> dict[str, list[int]]:
    """The shape of each tensor, from the header of a safetensors file; {} without a file (peft has older formats).

    Raises: ModelError, for a damaged file.
    """
    if not path.is_file():
        return {}
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            if not 0 < size < path.stat().st_size:
                raise ValueError("it has no header")
            header = json.loads(file.read(size))
        return {name: entry["shape"] for name, entry in header.items() if name != "__metadata__"}
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise ModelError(f"{path}: this cannot be read: {error}. Copy the folder anew.") from error


def _merged(model: Any, folder: Path) -> Any:
    with needing("an adapter", "llm"):
        from peft import PeftModel
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # between peft and transformers, not for the caller
            return PeftModel.from_pretrained(model, str(folder)).merge_and_unload()
    except Exception as error:
        raise ModelError(f"{folder}: this adapter cannot be used: {error}") from error


# ── the tokenizer ────────────────────────────────────────────────────────────────────────────────


def _plain(backend: Any) -> Any:
    """A copy without normaliser, truncation, padding or added tokens: it encodes text exactly as given."""
    from tokenizers import Tokenizer

    content = json.loads(backend.to_str())
    content.update(normalizer=None, truncation=None, padding=None, post_processor=None)
    return Tokenizer.from_str(json.dumps(content))


def _special(plain: Any, tokenizer: Any) -> tuple[str, ...]:
    """The control tokens of the tokenizer, longest first."""
    added = json.loads(plain.to_str())["added_tokens"]
    found = {token["content"] for token in added if token["special"]} | {str(t) for t in tokenizer.all_special_tokens}
    return tuple(sorted(found, key=lambda token: (-len(token), token)))


def _end_of_turn(backend: Any, tokenizer: Any) -> int:
    end = backend.token_to_id("<|im_end|>")
    if end is None:
        end = tokenizer.eos_token_id
    if end is None:
        raise ModelError("the tokenizer has neither <|im_end|> nor an end token. Use a chat model of the Qwen family.")
    return int(end)
