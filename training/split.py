"""Which split of the data a name belongs to: train, valid or test.

The split depends on the name's stem alone. So all substations of one stem, in whatever company, city
or table, are in the same split, and no name asked about in the test split was ever seen in training.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Final, Literal

Split = Literal["train", "valid", "test"]
SPLITS: Final[tuple[Split, ...]] = ("train", "valid", "test")


@cache
def split_of(stem: str) -> Split:
    """Train for 80 % of all stems, valid and test for 10 % each."""
    slot = int.from_bytes(hashlib.sha256(stem.encode("utf-8", "replace")).digest()[:4], "big") % 10
    return "test" if slot == 0 else "valid" if slot == 1 else "train"
