"""A gap filler that is opened by its first request: loading a model takes seconds and gigabytes."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from qilin.llm.extras import LOCAL_MODEL, require
from qilin.llm.protocol import GapAnswer, GapFiller, GapRequest


class LazyFiller:
    """Stands for a gap filler until it is needed.

    Args:
        kind: "local", or "server:URL".
        model: local: a base model, by path or name; server: the model's name there.
        adapter: local: a LoRA adapter for the base model.

    Raises: ValueError, for another kind or a bad address; MissingExtra, where its packages are not installed.
    """

    def __init__(self, kind: str, *, model: str | None = None, adapter: str | None = None) -> None:
        backend, _, address = kind.partition(":")
        if backend == "server" and address:
            require("this gap filler", "server", "httpx")
            if adapter is not None:
                raise ValueError("an adapter is for a local model; a server serves it under a model's name.")
            from qilin.llm.on_a_server.transport import api_address

            api_address(address)
        elif kind == "local":
            require("this gap filler", "llm", *LOCAL_MODEL)
        else:
            raise ValueError(f"gap_filler {kind!r} is not known; give 'local', 'server:URL' or an object with fill().")
        self.name = kind
        self._address, self._model, self._adapter = address, model, adapter
        self._lock = threading.Lock()
        self._filler: GapFiller | None = None
        self._problem = ""

    def fill(self, requests: Sequence[GapRequest], *, timeout_s: float) -> list[GapAnswer]:
        """As `GapFiller.fill`; loading the model, in the first call, does not count against `timeout_s`."""
        filler = self._filler or self._opened()
        if filler is None:
            return [GapAnswer("", error=self._problem)] * len(requests)
        return filler.fill(requests, timeout_s=timeout_s)

    def prepare(self) -> None:
        """Load the model now; a failure is kept and told in the answers."""
        self._opened()

    def _opened(self) -> GapFiller | None:
        """The gap filler itself; None where it cannot be loaded, which is tried only once."""
        with self._lock:
            if self._filler is None and not self._problem:
                try:
                    self._filler = self._open()
                    self.name = self._filler.name
                except Exception as error:
                    self._problem = f"the model cannot be loaded: {error}"
        return self._filler

    def _open(self) -> GapFiller:
        if self._address:
            from qilin.llm.on_a_server.server import ServerGapFiller

            return ServerGapFiller(self._address, model=self._model)
        from qilin.llm.on_this_machine.local import LocalGapFiller

        return LocalGapFiller.load(self._model, self._adapter)
