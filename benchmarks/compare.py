"""Two reports side by side: what got worse, as a ratio.

Only ratios are compared: to the bare pieces, to a peer, of one table to another, of one size to twice that size,
shares of right answers. Times of two machines, or of two hours on one machine, say nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks.report import FORMAT, number

TOLERANCE: Final = 0.10


class NotComparable(ValueError):
    """The two reports are of different kinds; the message says how, and what to do."""


class Worse(NamedTuple):
    """One ratio that got worse."""

    name: str
    old: float
    new: float

    def __str__(self) -> str:
        change = f"{100 * abs(self.new - self.old) / abs(self.old):.0f} %" if self.old else "from nothing"
        return f"{self.name}: {number(self.old)} → {number(self.new)} (worse by {change})"


class Comparison(NamedTuple):
    """What became of every ratio of the old report whose section ran again."""

    compared: int
    worse: tuple[Worse, ...]
    missing: tuple[str, ...]


def read(path: Path) -> dict[str, Any]:
    """A report from its JSON file.

    Raises: NotComparable, for a file that is no report.
    """
    try:
        old = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise NotComparable(f"{path} cannot be read: {error}") from None
    if not isinstance(old, dict) or old.get("format") != FORMAT or not isinstance(old.get("ratios"), dict):
        raise NotComparable(f"{path} is no report of this version. Give the benchmarks.json of an earlier run.")
    return old


def compare(old: Mapping[str, Any], new: Mapping[str, Any], tolerance: float = TOLERANCE) -> Comparison:
    """What got worse by more than `tolerance` of its old value.

    A ratio that was 0 and may only stay or fall is worse as soon as it is more.

    Raises: NotComparable, where nothing is in both, or one engine is compiled and the other is not.
    """
    forms = old["machine"].get("engine"), new["machine"].get("engine")
    if forms[0] != forms[1]:
        raise NotComparable(
            f"the old report is of an engine in {forms[0]}, this one of {forms[1]}; compare like with like."
        )
    worse, missing, compared = [], [], 0
    for section, ratios in old["ratios"].items():
        if section not in new["ratios"]:
            continue
        for name, was in ratios.items():
            now = new["ratios"][section].get(name)
            if now is None:
                missing.append(f"{section}: {name}")
                continue
            compared += 1
            change = now["value"] - was["value"]
            if was["better"] == "higher":
                change = -change
            if change > tolerance * abs(was["value"]) + 1e-9:
                worse.append(Worse(f"{section}: {name}", was["value"], now["value"]))
    if not compared:
        raise NotComparable("the two reports have no ratio in common; run the same sub-commands with the same options.")
    return Comparison(compared, tuple(worse), tuple(missing))
