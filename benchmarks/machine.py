"""What a figure was measured on: the machine, Python, the libraries, the engine's own form."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

import qilin.resolver
from benchmarks.timing import profile

_PROFILE_ROUNDS = 25
_ROOT = Path(__file__).resolve().parent.parent


def cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def describe() -> dict[str, Any]:
    """Everything a reader needs to know of the machine, in words and numbers."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": _cpu(),
        "cores": cores(),
        "memory_gb": _memory_gb(),
        "os": f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "qilin": _own_version(),
        "engine": form(),
        "libraries": libraries(),
        "profile": profile(_PROFILE_ROUNDS),
    }


def form() -> str:
    """Whether the modules that a question runs through are compiled."""
    return "pure Python" if str(qilin.resolver.__file__).endswith(".py") else "compiled"


def versions(names: Iterable[str]) -> dict[str, str]:
    """The installed ones of some distributions, with their versions."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def libraries() -> dict[str, str]:
    """Every installed distribution that the package can use."""
    try:
        wanted = requires("qilin-grid") or []
    except PackageNotFoundError:  # run from a checkout that was never installed
        wanted = (_ROOT / "pyproject.toml").read_text(encoding="utf-8").split('"')
    names = (match[0] for text in wanted if (match := re.match(r"[A-Za-z][\w.-]*", text)))
    return versions(sorted(set(names)))


def _cpu() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1].strip() if found else platform.processor() or platform.machine()


def _memory_gb() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1)
    except (ValueError, OSError, AttributeError):
        return None


def _own_version() -> str:
    try:
        said = version("qilin-grid")
    except PackageNotFoundError:
        said = "not installed"
    commit = _git("rev-parse", "--short=12", "HEAD")
    if commit:
        said += f", commit {commit}{' with changes' if _git('status', '--porcelain', '-uno') else ''}"
    return said


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(_ROOT), *arguments], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def rss_bytes() -> int:
    """Resident memory of this process; where the system does not say, the most it has been."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        import resource

        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
    return pages * os.sysconf("SC_PAGE_SIZE")
