"""The peers' own virtual environment, and the worker that runs in it.

    python -m benchmarks peers          # makes the environment; the other sub-commands do so when they need it

It lies in the cache folder of the commands (`QILIN_CACHE_DIR`), or in a temporary one when caching is off. A peer that
cannot be installed is left out, with the command that would have installed it.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from benchmarks.internals import cache_folder

WORKER: Final = Path(__file__).with_name("peers.py")
_TIMEOUT_S: Final = 300


class Peer(NamedTuple):
    """How one peer is installed: what pip is given, and options."""

    requirements: tuple[str, ...]
    options: tuple[str, ...] = ()


PEERS: Final[Mapping[str, tuple[Peer, ...]]] = {
    "cpca": (Peer(("cpca==0.5.5",)),),
    "dateparser": (Peer(("dateparser==1.5.0",)),),
    # 1.5.31 raises on every bare month. Its dependency jiojio is under the GPL, and nothing asked here uses it.
    "jionlp": (Peer(("numpy", "requests")), Peer(("jionlp==1.5.29",), ("--no-deps",))),
}
"""Peers, each with its steps. The extra `peers` has the same pins, but for jionlp, which no extra can install so."""


@dataclass(frozen=True)
class Environment:
    """A Python with the peers that could be installed.

    Attributes:
        python: Its interpreter; None if there is none.
        missing: Peers that are not there: "not installed: " and the command.
    """

    python: Path | None
    missing: Mapping[str, str]


def command_of(name: str) -> str:
    """What a person types to install one peer."""
    return " && ".join(" ".join(("pip install", *step.options, *step.requirements)) for step in PEERS[name])


def not_installed(name: str) -> str:
    """What a report says of a peer that is not there."""
    return f"not installed: {command_of(name)}"


@contextmanager
def environment(peers: Iterable[str] = PEERS, *, install: bool = True) -> Iterator[Environment]:
    """The environment, made on first use.

    Args:
        peers: which are wanted.
        install: whether it may be made; without, only what is there is used.
    """
    wanted, cache = list(peers), cache_folder()
    with tempfile.TemporaryDirectory() as temporary:
        yield _prepare((cache or Path(temporary)) / "peers" / _key(), wanted, install)


def _key() -> str:
    """Another folder for other pins or another Python."""
    said = repr((sorted(PEERS.items()), sys.version_info[:2], sys.prefix == sys.base_prefix))
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def _prepare(folder: Path, wanted: Sequence[str], install: bool) -> Environment:
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    nothing = {name: not_installed(name) for name in wanted}
    if not python.exists() and (not install or not _run([sys.executable, "-m", "venv", str(folder)])):
        return Environment(None, nothing)
    missing = {}
    for name in wanted:
        done = folder / f"installed-{name}"
        if done.exists():
            continue
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        if install and all(_run([*pip, *step.options, *step.requirements]) for step in PEERS[name]):
            done.touch()
        else:
            missing[name] = nothing[name]
    return Environment(python, missing)


def _run(command: Sequence[str]) -> bool:
    """Whether a command succeeded."""
    try:
        return subprocess.run(command, capture_output=True, timeout=_TIMEOUT_S, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


class Reply(NamedTuple):
    """What a peer said to one question, how long it took, and what it raised."""

    answer: Any
    us: float
    error: str | None


@dataclass
class Worker:
    """The running worker; use it in a `with` statement.

    Attributes:
        versions: Peers that answer, with their versions.
        missing: Peers that do not, and why.
    """

    python: Path | None
    missing: dict[str, str]
    wanted: Sequence[str] = tuple(PEERS)
    versions: dict[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        asked = [name for name in self.wanted if name not in self.missing]
        if self.python is not None and asked:
            self._process = subprocess.Popen(
                [str(self.python), "-W", "ignore", str(WORKER), *asked],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                encoding="utf-8",
            )
            hello = self._read()
            self.versions = dict(hello.get("versions", {}))
            why = hello.get("missing", dict.fromkeys(asked, "the worker did not start"))
            self.missing |= {name: f"{not_installed(name)} ({reason})" for name, reason in why.items()}
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            if self._process.stdin is not None:
                self._process.stdin.close()
            self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()

    def _read(self) -> dict[str, Any]:
        assert self._process is not None and self._process.stdout is not None
        line = self._process.stdout.readline()
        return dict(json.loads(line)) if line else {}

    def ask(self, peer: str, part: str, **given: Any) -> Reply:
        """Ask one question.

        Raises: KeyError for a peer that is not there.
        """
        if peer not in self.versions:
            raise KeyError(peer)
        assert self._process is not None and self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"peer": peer, "part": part, **given}) + "\n")
            self._process.stdin.flush()
            said = self._read()
        except BrokenPipeError:
            said = {}
        if not said:
            return Reply(None, 0.0, "the worker died")
        return Reply(said["answer"], said["us"], said["error"])


@contextmanager
def worker(peers: Iterable[str] = PEERS, *, install: bool = True) -> Iterator[Worker]:
    """The worker in the peers' environment, made on first use."""
    wanted = tuple(peers)
    with (
        environment(wanted, install=install) as found,
        Worker(found.python, dict(found.missing), wanted) as running,
    ):
        yield running


def main() -> int:
    """Make the environment and say what is in it; 1 if a peer is missing."""
    with worker() as running:
        for name, said in running.versions.items():
            print(f"{name} {said}")
        for name, why in running.missing.items():
            print(f"{name} {why}")
        return int(bool(running.missing))
