"""Everything that the bytes of a batch's output depend on, as names and hashes."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.metadata import version
from os import PathLike
from pathlib import Path
from typing import Any

import qilin
from qilin import hierarchy
from qilin.hierarchy import bundled_path
from qilin.llm.options import GapOptions

# Libraries whose version can change an answer.
_DECISIVE = ("pyahocorasick", "opencc", "pypinyin", "rapidfuzz", "tyme4py", "pyarrow")
_OF_A_MODEL = ("torch", "transformers", "peft", "llguidance")
_LISTS = ("counties.txt", "townships.txt", "function_words.txt", "ordinary_words.txt", "suffix_words.txt")


def file_hash(path: str | PathLike[str]) -> str:
    """SHA-256 of a file's content.

    Raises: OSError.
    """
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@lru_cache(maxsize=1)
def rules_hash() -> str:
    """One hash of the sources, word lists and libraries that decide how a question is resolved."""
    digest = hashlib.sha256()
    for package in (qilin, hierarchy):
        folder = Path(str(package.__file__)).parent
        for path in sorted(folder.rglob("*.py")):
            if not path.name.startswith(("cli", "terminal", "explain")):
                _add(digest, str(path.relative_to(folder)).encode(), path.read_bytes())
    for name in _LISTS:
        _add(digest, name.encode(), bundled_path(f"lexicon/{name}").read_bytes())
    for library in _DECISIVE:
        _add(digest, library.encode(), version(library).encode())
    _add(digest, unicodedata.unidata_version.encode())
    return digest.hexdigest()


def gaps_of(options: GapOptions) -> str:
    """Which gap filler is asked, down to the weights where they lie here."""
    if options.kind is None:
        return "none"
    if options.kind == "local":
        model = _model_hash(options.model or bundled_path("model"))
        adapter = _model_hash(options.adapter) if options.adapter is not None else "none"
        name = f"local {model}, adapter {adapter}, " + " ".join(f"{name} {version(name)}" for name in _OF_A_MODEL)
    else:
        name = f"{options.kind} {options.model or ''}".strip()
    return f"{name}, from {options.threshold}" + (", may settle" if options.settles else "")


def indicators_hash(indicators: Mapping[str, str]) -> str:
    """One hash of the indicators that are known, with their aliases."""
    digest = hashlib.sha256()
    for surface, name in sorted(indicators.items()):
        _add(digest, surface.encode(), name.encode())
    return digest.hexdigest()


def short_name(manifest: Mapping[str, Any]) -> str:
    """Twelve characters that no other job has."""
    content = json.dumps(manifest, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def _model_hash(folder: str | PathLike[str]) -> str:
    """One hash of the files of a model or adapter; its name where it is no folder here."""
    path = Path(folder)
    if not path.is_dir():
        return str(folder)
    digest = hashlib.sha256()
    for file in sorted(p for p in path.rglob("*") if p.is_file()):
        _add(digest, str(file.relative_to(path)).encode(), file_hash(file).encode())
    return digest.hexdigest()


def _add(digest: Any, *pieces: bytes) -> None:
    for piece in _with_sizes(pieces):
        digest.update(piece)


def _with_sizes(pieces: Iterable[bytes]) -> Iterable[bytes]:
    for piece in pieces:
        yield b"%d:" % len(piece)
        yield piece
