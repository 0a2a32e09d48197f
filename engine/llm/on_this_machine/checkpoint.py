"""A base model, and an adapter that fits it, from folders or names; what does not fit is told before it runs."""

from __future__ import annotations

import json
import logging
import unicodedata
import warnings
from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from qilin.llm.extras import MissingExtra
from qilin.llm.prompt import PROMPTS, SYSTEM, choices_prompt

if TYPE_CHECKING:
    import torch

INSTALL = "pip install 'qilin-grid[llm]'"
OWN_FILE = "qilin.json"  # beside a model: how it was trained to be asked
BUNDLED = "model"
MOST_CHOICES = 12  # as many as a question of the training data offers
_log = logging.getLogger(__name__)
_ENDINGS = {"qwen": "", "qwen3": "<think>\n\n</think>\n\n", "qwen3_nothink": ""}


class ModelError(ValueError):
    """A model or adapter that cannot be used: where, what, why, and what to do."""


class Manner(NamedTuple):
    """How a model was trained to be asked."""

    prompt: str = "full"
    system: str = SYSTEM
    template: str = "qwen"

    @classmethod
    def beside(cls, *folders: Path | None) -> Manner:
        """What `qilin.json` says in the first folder that has one; else the prompt of the published adapters."""
        for folder in folders:
            path = folder and folder / OWN_FILE
            if path and path.is_file():
                return cls.from_file(path)
        return cls()

    @classmethod
    def from_file(cls, path: Path) -> Manner:
        content = _json(path)
        manner = cls(**{key: content[key] for key in cls._fields if key in content})
        for key, known in (("prompt", {*PROMPTS, "choices"}), ("template", {*_ENDINGS})):
            value = getattr(manner, key)
            if value not in known:
                raise ModelError(f"{path}: {key} is {value!r}. Known: {', '.join(sorted(known))}. Correct the file.")
        return manner

    def render(self, question: str, alternatives: Sequence[str] = ()) -> str:
        """The whole text that the model goes on from.

        Args:
            alternatives: Tagged forms of the organisations to choose among; a model that was not trained to
                read them, or not so many, is not told.
        """
        question = unicodedata.normalize("NFC", question)
        if self.prompt == "choices":
            said = choices_prompt(question, alternatives if len(alternatives) <= MOST_CHOICES else ())
        else:
            said = PROMPTS[self.prompt](question)
        head = f"<|im_start|>system\n{self.system}<|im_end|>\n" if self.system else ""
        turn = f"<|im_start|>user\n{said}<|im_end|>\n<|im_start|>assistant\n"
        return head + turn + _ENDINGS[self.template]

    def beginning(self) -> str:
        """What stands before every question."""
        mark = "\ue000"
        return self.render(mark).partition(mark)[0]


class Checkpoint(NamedTuple):
    model: Any  # PreTrainedModel
    tokenizer: Any  # tokenizers.Tokenizer, without its normaliser
    manner: Manner
    end: int  # ends an answer
    ends: frozenset[int]  # any of these ends what a model says by itself
    special: tuple[str, ...]
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
    try:
        import torch  # noqa: F401
        import transformers
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError as error:
        raise MissingExtra(f"a local model needs the extra 'llm' ({error}). Install it: {INSTALL}") from error
    folder = _folder(adapter, "adapter", "adapter_config.json") if adapter is not None else None
    recorded = _json(folder / "adapter_config.json") if folder else {}
    base = _base(base, recorded)
    place = Path(fspath(base))
    local = place if place.exists() else None
    if local:
        _folder(local, "base model", "config.json")
    elif _looks_like_path(fspath(base)):
        raise ModelError(f"{fspath(base)}: there is no such folder. Give the folder of a base model, or its name.")
    chosen = _device(device)
    kind = _dtype(dtype, chosen)
    key = "dtype" if tuple(map(int, transformers.__version__.split(".")[:2])) >= (4, 56) else "torch_dtype"
    transformers.utils.logging.disable_progress_bar()
    try:
        tokenizer = AutoTokenizer.from_pretrained(fspath(base))
        model = AutoModelForCausalLM.from_pretrained(fspath(base), attn_implementation="sdpa", **{key: kind})
    except Exception as error:
        raise ModelError(f"{fspath(base)}: this model cannot be loaded: {error}") from error
    if folder:
        _check_adapter(folder, recorded, model, fspath(base))
        model = _merged(model, folder)
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ModelError(f"{fspath(base)}: the tokenizer has no tokenizer.json. Convert it to a fast tokenizer.")
    model = model.to(chosen).eval()
    end = _end_of_turn(backend, tokenizer)
    plain = _plain(backend)
    return Checkpoint(
        model,
        plain,
        Manner.beside(folder, local),
        end,
        frozenset({end, tokenizer.eos_token_id} - {None}),
        _special(plain, tokenizer),
        f"local:{(folder or place).name}",
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
        return bundled_path(BUNDLED)
    except HierarchyError:
        raise ModelError(
            f"no small model is bundled ({ROOT / BUNDLED}). "
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
    """Every matrix of the adapter must have a layer of its size in the base.

    Raises: ModelError.
    """
    named = str(recorded.get("base_model_name_or_path") or "")
    step = f"Use the base it was trained on{f', {named!r}' if named else ''}, or an adapter trained on {base!r}."
    layers = dict(model.named_modules())
    targets = recorded.get("target_modules") or []
    if isinstance(targets, list):
        missing = [t for t in targets if not any(name == t or name.endswith("." + t) for name in layers)]
        if missing:
            raise ModelError(f"{folder}: adapts the layers {missing}, which the base {base!r} does not have. {step}")
    for key, shape in _shapes(folder / "adapter_model.safetensors"):
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


def _shapes(path: Path) -> list[tuple[str, list[int]]]:
    if not path.is_file():
        return []  # an older format; peft itself complains if it does not fit
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            return [(key, list(file.get_slice(key).get_shape())) for key in file.keys()]  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path}: this cannot be read: {error}. Copy the folder anew.") from error


def _merged(model: Any, folder: Path) -> Any:
    try:
        from peft import PeftModel
    except ImportError as error:
        raise MissingExtra(f"an adapter needs the extra 'llm' ({error}). Install it: {INSTALL}") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # between peft and transformers, of no use to the caller
            return PeftModel.from_pretrained(model, str(folder)).merge_and_unload()
    except Exception as error:
        raise ModelError(f"{folder}: this adapter cannot be used: {error}") from error


# ── the tokenizer ────────────────────────────────────────────────────────────────────────────────


def _plain(backend: Any) -> Any:
    """A copy that takes text as it stands: no normaliser, nothing cut off, filled up or put around it."""
    from tokenizers import Tokenizer

    content = json.loads(backend.to_str())
    content.update(normalizer=None, truncation=None, padding=None, post_processor=None)
    return Tokenizer.from_str(json.dumps(content))


def _special(plain: Any, tokenizer: Any) -> tuple[str, ...]:
    """The strings that steer the model, the longest first."""
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
