"""The gap filler of an engine as plain values, for the command line and for other processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from qilin.llm.protocol import GapFiller


class GapOptions(NamedTuple):
    """As for `Engine`: `kind` is "auto", "local", "server:URL", or None for no gap filler.

    `model`, `adapter`: as for `qilin.llm.lazy.LazyFiller`; for kinds other than "auto" and None.
    """

    kind: str | None = "auto"
    model: str | None = None
    adapter: str | None = None
    timeout_s: float = 10.0
    threshold: float = 0.95
    settles: bool = False

    def filler(self) -> GapFiller | str | None:
        """The gap filler, or its kind where `Engine` is to decide; no model is loaded yet.

        Raises: ValueError, for an unknown kind; MissingExtra.
        """
        if self.kind is None or self.kind == "auto":
            return self.kind
        from qilin.llm.lazy import LazyFiller

        return LazyFiller(self.kind, model=self.model, adapter=self.adapter)

    def decided(self) -> GapOptions:
        """The same with "auto" decided by this machine, so that other processes decide alike.

        Raises: as `filler`.
        """
        from qilin.llm.extras import has_local_model

        kind = self.kind
        if kind == "auto":
            kind = "local" if has_local_model() else None
        decided = self._replace(kind=kind)
        decided.filler()
        return decided

    def engine_options(self) -> dict[str, Any]:
        """The keyword arguments of `Engine` for it."""
        return {
            "gap_filler": self.filler(),
            "gap_timeout_s": self.timeout_s,
            "gap_threshold": self.threshold,
            "gap_settles": self.settles,
        }
