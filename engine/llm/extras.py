"""Optional extras: whether their packages are installed, and the message where they are not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from importlib.util import find_spec

LOCAL_MODEL = ("torch", "transformers", "peft", "llguidance")


class MissingExtra(ImportError):
    """An extra is not installed, or does not load; the message has the command that installs it."""


def install_message(problem: str, extra: str) -> str:
    """The problem in one clause, and the command that installs the extra."""
    return f"{problem}. Install the extra: pip install 'qilin-grid[{extra}]'"


def require(subject: str, extra: str, *packages: str) -> None:
    """Check that the packages an extra brings are installed, without importing them.

    Args:
        subject: what needs them; begins the message.

    Raises: MissingExtra.
    """
    missing = [package for package in packages if find_spec(package) is None]
    if missing:
        raise MissingExtra(install_message(f"{subject} needs {', '.join(missing)}", extra))


@contextmanager
def needing(subject: str, extra: str) -> Iterator[None]:
    """For imports of an extra's packages: an ImportError inside becomes MissingExtra."""
    try:
        yield
    except ImportError as error:
        raise MissingExtra(install_message(f"{subject} needs the extra '{extra}' ({error})", extra)) from error


@lru_cache(maxsize=1)
def has_local_model() -> bool:
    """Whether the packages of the extra `llm` are installed; none of them is imported to find out."""
    return all(find_spec(package) for package in LOCAL_MODEL)
