"""Everything that the bytes of a batch's output depend on, as names and hashes."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from itertools import chain
from os import PathLike
from pathlib import Path

from qilin.hierarchy import bundled_path
from qilin.llm.options import GapOptions

# The modules of qilin that decide an answer, or the bytes of a batch. The rest draws, explains, teaches or serves.
_ROOMS = [
    "answer",
    "batch",
    "dates",
    "hierarchy",
    "llm",
    "names",
    "operators",
    "readings",
    "resolver",
    "text",
    "verdict",
]
_LIBRARIES = ("pyahocorasick", "opencc", "pypinyin", "rapidfuzz", "tyme4py", "pyarrow")
_LIBRARIES_OF_A_MODEL = ("torch", "transformers", "peft", "llguidance")
_LISTS = ("counties.txt", "townships.txt", "function_words.txt", "ordinary_words.txt", "suffix_words.txt")


def file_hash(path: str | PathLike[str]) -> str:
    """SHA-256 of a file's content."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@lru_cache(maxsize=1)
def rules_hash() -> str:
    """One hash of the sources, word lists and libraries that decide an answer, the same in a checkout and installed."""
    sources = ((name.encode(), path.read_bytes()) for name, path in deciding_sources())
    lists = ((name.encode(), bundled_path(f"lexicon/{name}").read_bytes()) for name in _LISTS)
    libraries = ((name.encode(), version(name).encode()) for name in _LIBRARIES)
    return _hash_of(chain(*sources, *lists, *libraries, [unicodedata.unidata_version.encode()]))


def deciding_sources() -> Iterator[tuple[str, Path]]:
    """The source files that decide an answer: name within the package, and path."""
    for room in _ROOMS:
        spec = find_spec(f"qilin.{room}")
        if spec is None or spec.origin is None:
            raise ImportError(f"qilin.{room} is missing. Install qilin-grid again.")
        if spec.submodule_search_locations is None:
            yield (
                f"{room}.py",
                Path(spec.origin).with_name(f"{room}.py"),
            )  # the origin of a compiled module is no source
            continue
        folder = Path(spec.origin).parent
        for path in sorted(folder.rglob("*.py")):
            yield f"{room}/{path.relative_to(folder).as_posix()}", path


def gaps_of(options: GapOptions) -> str:
    """Which gap filler is asked, down to the hash of weights that lie on this machine."""
    if options.kind is None:
        return "none"
    if options.kind == "local":
        model = _model_hash(options.model or bundled_path("model"))
        adapter = _model_hash(options.adapter) if options.adapter is not None else "none"
        libraries = " ".join(f"{name} {version(name)}" for name in _LIBRARIES_OF_A_MODEL)
        name = f"local {model}, adapter {adapter}, {libraries}"
    else:
        name = f"{options.kind} {options.model or ''}".strip()
    return f"{name}, from {options.threshold}" + (", may settle" if options.settles else "")


def indicators_hash(indicators: Mapping[str, str]) -> str:
    """One hash of the known indicators, with their aliases."""
    return _hash_of(text.encode() for pair in sorted(indicators.items()) for text in pair)


def short_name(manifest: Mapping[str, object]) -> str:
    """Twelve characters that no other job has."""
    content = json.dumps(manifest, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def _model_hash(folder: str | PathLike[str]) -> str:
    """One hash of the files of a model or adapter; its name where it is no folder on this machine."""
    path = Path(folder)
    if not path.is_dir():
        return str(folder)
    files = sorted(each for each in path.rglob("*") if each.is_file())
    return _hash_of(text.encode() for file in files for text in (str(file.relative_to(path)), file_hash(file)))


def _hash_of(items: Iterable[bytes]) -> str:
    """One hash of the items and of where each of them ends."""
    digest = hashlib.sha256()
    for item in items:
        digest.update(b"%d:" % len(item))
        digest.update(item)
    return digest.hexdigest()
