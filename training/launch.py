"""Starts LLaMA-Factory without a working torchvision or torchaudio.

    python -m qilin.training.launch train CONFIG.yaml

LLaMA-Factory always imports torchaudio, and transformers imports torchvision where it is installed.
Their builds for CUDA do not load beside a CPU-only torch; tagging text needs neither.
"""

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType


def hide_broken(name: str) -> str | None:
    """Put a stub in place of a torchaudio or torchvision that is absent or does not load.

    Returns: the problem with it; None where it works.
    """
    if name in sys.modules:
        return None
    try:
        __import__(name)
    except Exception as error:
        for loaded in [m for m in sys.modules if m == name or m.startswith(name + ".")]:
            del sys.modules[loaded]
        problem = f"{type(error).__name__}: {error}".splitlines()[0]
    else:
        return None
    if name == "torchvision":
        _hide_from_find_spec(name)  # transformers asks whether it is there at all
    else:
        stub = ModuleType(name)
        stub.__spec__ = ModuleSpec(name, None)
        stub.__version__ = "0"  # type: ignore[attr-defined]
        sys.modules[name] = stub
    return problem


def _hide_from_find_spec(name: str) -> None:
    find_spec = importlib.util.find_spec

    def found(wanted: str, package: str | None = None) -> ModuleSpec | None:
        return None if wanted == name or wanted.startswith(name + ".") else find_spec(wanted, package)

    setattr(importlib.util, "find_spec", found)  # noqa: B010 — mypy minds the assignment


def main() -> None:
    """Run `llamafactory-cli` with the arguments given."""
    for name in ("torchvision", "torchaudio"):
        hide_broken(name)
    if sys.argv[1:2] == ["train"]:
        from llamafactory.train.tuner import run_exp

        run_exp(_arguments(sys.argv[2:]))
        return
    from llamafactory.cli import main as llamafactory

    llamafactory()


def _arguments(words: list[str]) -> dict[str, object]:
    """The settings of a YAML file, as LLaMA-Factory reads them."""
    from omegaconf import OmegaConf

    config = OmegaConf.merge(OmegaConf.load(words[0]), OmegaConf.from_cli(words[1:]))
    content = OmegaConf.to_container(config)
    assert isinstance(content, dict)
    return {str(key): value for key, value in content.items()}


if __name__ == "__main__":
    main()
