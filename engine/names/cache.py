"""Compiled tables on disk, so that a second start with a large table is quick.

A cache entry is named by a hash of everything it depends on: the table and alias files, the bundled
lists, the version of this package and of Python. An entry that is stale, damaged or not ours is never
used, and a folder that cannot be written is no error.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import sys
import tempfile
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from os import PathLike
from pathlib import Path

from qilin.hierarchy import Hierarchy, bundled_path, suffixes
from qilin.names import gazetteer
from qilin.names.compiled import Tables

_LAYOUT = 3  # raise when the pickled classes change shape
_CODE = ("dates", "names", "operators", "text")  # rooms whose code decides what is pickled, as that of hierarchy does
_KEPT = 16  # entries kept; the oldest go first


def cache_folder() -> Path | None:
    """Where entries are kept; None when caching is off.

    `QILIN_CACHE_DIR` names another folder, and switches caching off when it is empty.
    """
    chosen = os.environ.get("QILIN_CACHE_DIR")
    if chosen is not None:
        return Path(chosen) if chosen else None
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "qilin"


def load_tables(
    table: str | PathLike[str],
    aliases: str | PathLike[str] | None = None,
    indicators: str | PathLike[str] | None = None,
) -> Tables:
    """The compiled tables of a CSV file, from the cache if it has them.

    Args:
        table: a CSV file of organisations.
        aliases: a CSV file of aliases.
        indicators: a CSV file of indicators; None for the bundled one.

    Raises: HierarchyError, if a table cannot be used.
    """
    folder = cache_folder()
    if folder is None:
        return _build(table, aliases, indicators)
    entry = folder / f"{_key(table, aliases, indicators)}.pickle"
    tables = _read(entry)
    if tables is None:
        tables = _build(table, aliases, indicators)
        _write(entry, tables)
    return tables


def packed(tables: Tables) -> bytes:
    """Compiled tables as a pickle, for a cache entry or another process."""
    return pickle.dumps((tables.hierarchy, tables.folds, tables.gazetteer), protocol=5)


def unpacked(content: bytes) -> Tables:
    """The tables that `packed` made a pickle of. Never of bytes from elsewhere: reading a pickle can run code."""
    return Tables(*pickle.loads(content))


def _build(
    table: str | PathLike[str], aliases: str | PathLike[str] | None, indicators: str | PathLike[str] | None
) -> Tables:
    return Tables.build(Hierarchy.from_csv(table, aliases=aliases), indicators)


def _key(*files: str | PathLike[str] | None) -> str:
    compiled = not gazetteer.__file__.endswith(".py")  # one form of the package does not read what the other wrote
    digest = hashlib.sha256(f"{_LAYOUT} {sys.version} {_package_version()} {compiled}".encode())
    lists = ("indicators.csv", "lexicon/ordinary_words.txt", "lexicon/function_words.txt")
    package = Path(__file__).parent.parent
    rooms = [Path(suffixes.__file__).parent, *(package / room for room in _CODE)]
    code = [path for room in rooms for path in sorted(room.glob("*.py"))]
    sources = [*files, *map(bundled_path, lists), *code]
    for source in sources:
        digest.update(b"\0")
        if source is not None:
            digest.update(os.fsencode(source))  # findings name the file
            with suppress(OSError):  # loading will say what is wrong
                digest.update(Path(source).read_bytes())
    return digest.hexdigest()[:32]


def _package_version() -> str:
    try:
        return version("qilin-grid")
    except PackageNotFoundError:
        return "source"


def _read(entry: Path) -> Tables | None:
    try:
        status = entry.stat()
        if hasattr(os, "getuid") and status.st_uid != os.getuid():
            return None  # a pickle can run code: only what this user wrote is read
        return unpacked(entry.read_bytes())
    except Exception:  # whatever is wrong with it, it can be made again
        return None


def _write(entry: Path, tables: Tables) -> None:
    with suppress(OSError):
        entry.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        content = packed(tables)
        with tempfile.NamedTemporaryFile(dir=entry.parent, delete=False) as file:
            file.write(content)
        os.replace(file.name, entry)
        entries = sorted(entry.parent.glob("*.pickle"), key=lambda e: e.stat().st_mtime)
        for old in entries[:-_KEPT]:
            old.unlink()
