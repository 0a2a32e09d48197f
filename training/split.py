"""Which part of the data a name belongs to: train, valid or test.

The part depends on the name's stem alone. So all substations of one stem, in whatever company, city
or table, are in the same part, and nothing that is asked about in the test part was ever written
in training.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Final, Literal

Part = Literal["train", "valid", "test"]
PARTS: Final[tuple[Part, ...]] = ("train", "valid", "test")


@cache
def part_of(stem: str) -> Part:
    """Train for 80 % of all stems, valid and test for 10 % each."""
    slot = int.from_bytes(hashlib.sha256(stem.encode("utf-8", "replace")).digest()[:4], "big") % 10
    return "test" if slot == 0 else "valid" if slot == 1 else "train"
