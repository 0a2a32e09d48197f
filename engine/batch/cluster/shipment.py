"""A recipe on its way to another machine, which must have the same rules as this one."""

from __future__ import annotations

import platform
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from qilin.batch.files.manifest import rules_hash

if TYPE_CHECKING:
    from qilin.batch.arrow import ArrowResolver
    from qilin.batch.workers.worker import Maker


class Shipment(NamedTuple):
    """A `Maker` that makes nothing where the rules are others than where it was packed.

    Half of the rows answered by one version and half by another would be an answer that nobody can repeat.
    """

    maker: Maker
    rules: str

    @classmethod
    def of(cls, maker: Maker) -> Shipment:
        """What is to be sent."""
        return cls(maker, rules_hash())

    def make(self, mark: Callable[[int], None] | None = None) -> ArrowResolver:
        """As `Maker.make`.

        Raises: ValueError, where this machine has other rules.
        """
        if rules_hash() != self.rules:
            raise ValueError(
                f"{platform.node()} has another version of qilin, or of a library that decides answers, than the "
                "machine that began the job. Install the same everywhere."
            )
        return self.maker.make(mark)
