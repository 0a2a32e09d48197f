"""A LLaMA-Factory configuration: found, read, completed from the command line, its keys checked."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from qilin.llm.extras import require
from qilin.training.launch import hide_broken

CONFIGS: Final = Path(__file__).resolve().parent / "configs"


class TrainingError(ValueError):
    """A reason to stop training: where, what, why, and the next step."""


def require_extra() -> None:
    """Make LLaMA-Factory importable.

    Raises: MissingExtra, with the command that installs it.
    """
    for name in ("torchvision", "torchaudio"):
        hide_broken(name)
    require("training", "train", "torch", "transformers", "omegaconf", "llamafactory")


def find_config(name: str) -> Path:
    """A configuration file, or a bundled one by its name.

    Raises: TrainingError, listing the bundled ones.
    """
    for path in (Path(name), CONFIGS / name, CONFIGS / f"{name}.yaml"):
        if path.is_file():
            return path
    known = ", ".join(sorted(path.stem for path in CONFIGS.glob("*.yaml")))
    raise TrainingError(
        f"{name}: there is no such configuration. Give a YAML file, or one of the bundled ones: {known}."
    )


def read_settings(config: Path, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """The settings of a YAML file, replaced by each `key=value` of the overrides.

    Raises: TrainingError, for a file or override that cannot be read.
    """
    from omegaconf import OmegaConf

    for word in overrides:
        if "=" not in word:
            raise TrainingError(f"'{word}': a setting is written key=value, as in learning_rate=1e-4.")
    try:
        merged = OmegaConf.merge(OmegaConf.load(config), OmegaConf.from_dotlist(list(overrides)))
        content = OmegaConf.to_container(merged, resolve=True)
    except Exception as error:  # omegaconf and yaml raise many kinds
        reason = " ".join(str(error).split())
        raise TrainingError(f"{config}: the configuration cannot be read: {reason}. Correct the YAML.") from error
    if not isinstance(content, dict):
        raise TrainingError(f"{config}: the configuration is no mapping. Write one `key: value` a line.")
    return {str(key): value for key, value in content.items()}


def known_keys() -> frozenset[str]:
    """Every key of a training configuration that LLaMA-Factory understands."""
    from llamafactory.hparams.parser import _TRAIN_ARGS

    return frozenset(field.name for arguments in _TRAIN_ARGS for field in fields(arguments) if field.init)


def unknown_keys(settings: Mapping[str, Any], config: Path) -> list[str]:
    """A message for each key that LLaMA-Factory does not understand."""
    known = known_keys()
    messages = []
    for key in settings:
        if key not in known:
            near = difflib.get_close_matches(key, sorted(known), 1)
            hint = f"Did you mean '{near[0]}'? " if near else ""
            messages.append(
                f"{config}: the key '{key}' is not known, and LLaMA-Factory refuses such keys. {hint}Correct or remove it."
            )
    return messages
