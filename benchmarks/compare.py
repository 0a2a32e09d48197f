"""Two reports side by side: what got worse, as a ratio, as far as the two runs can be compared.

Times of two machines, or of two hours on one machine, say nothing. A ratio says more, but not always enough: the bare
pieces are foreign code, and where another processor runs that code a third faster, the ratio to it gets a third worse
without any change of ours. So each ratio says what it hangs on (`Ratio.hangs_on`), each report holds a profile of its
machine (`timing.profile`), and between machines that are not alike

- ratios that hang on nothing are compared as ever,
- ratios that hang on the machine with more tolerance,
- ratios to foreign code not at all. `python -m benchmarks --against` measures those, both sides in one run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from benchmarks.report import FORMAT, number

TOLERANCE: Final = 0.10
TOLERANCE_ELSEWHERE: Final = 0.25
"""For ratios that hang on the machine, between two that are not alike."""
_PROFILE_TOLERANCE: Final = 0.08
_UNITS: Final = ("pyahocorasick", "pydantic")
"""The libraries that the bare pieces are made of."""


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
    """What two reports say together.

    Attributes:
        compared: How many ratios were.
        worse: Those that got worse.
        missing: The name of every ratio of the old report whose section ran again, and that this run lacks.
        unlike: How the machines differ; None where they are alike.
        left_out: Ratios that cannot be compared because of that.
    """

    compared: int
    worse: tuple[Worse, ...]
    missing: tuple[str, ...]
    unlike: str | None
    left_out: tuple[str, ...]


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


def difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str | None:
    """How two machines differ in what makes ratios to foreign code worth comparing; None where they are alike."""
    for key in ("cpu", "python"):
        if old.get(key) != new.get(key):
            return f"{key} {old.get(key, 'not told')}, now {new.get(key, 'not told')}"
    libraries = [machine.get("libraries", {}) for machine in (old, new)]
    for name in _UNITS:
        if libraries[0].get(name) != libraries[1].get(name):
            return f"{name} {libraries[0].get(name, 'not told')}, now {libraries[1].get(name, 'not told')}"
    was, now = old.get("profile", {}), new.get("profile", {})
    if was.keys() != now.keys() or not was:
        return "one of the reports does not tell how long bare work takes"
    for name, value in was.items():
        if abs(now[name] - value) > _PROFILE_TOLERANCE * value:
            return f"bare work of the kind '{name}' took {number(value)} of the interpreter's, now {number(now[name])}"
    return None


def compare(old: Mapping[str, Any], new: Mapping[str, Any], tolerance: float = TOLERANCE) -> Comparison:
    """What got worse by more than `tolerance` of its old value, among what can be compared.

    A ratio that was 0 and may only stay or fall is worse as soon as it is more.

    Raises: NotComparable, where nothing can be compared, or one engine is compiled and the other is not.
    """
    forms = old["machine"].get("engine"), new["machine"].get("engine")
    if forms[0] != forms[1]:
        raise NotComparable(
            f"the old report is of an engine in {forms[0]}, this one of {forms[1]}; compare like with like."
        )
    unlike = difference(old["machine"], new["machine"])
    worse, missing, left_out, compared = [], [], [], 0
    for section, ratios in old["ratios"].items():
        if section not in new["ratios"]:
            continue
        for name, was in ratios.items():
            now = new["ratios"][section].get(name)
            if now is None:
                missing.append(f"{section}: {name}")
                continue
            if unlike and was["hangs_on"] == "unit":
                left_out.append(f"{section}: {name}")
                continue
            compared += 1
            allowed = max(tolerance, TOLERANCE_ELSEWHERE) if unlike and was["hangs_on"] == "machine" else tolerance
            change = now["value"] - was["value"]
            if was["better"] == "higher":
                change = -change
            if change > allowed * abs(was["value"]) + 1e-9:
                worse.append(Worse(f"{section}: {name}", was["value"], now["value"]))
    if not compared:
        if left_out:
            raise NotComparable(f"all ratios are to foreign code, and the machines are not alike: {unlike}.")
        raise NotComparable("the two reports have no ratio in common; run the same sub-commands with the same options.")
    return Comparison(compared, tuple(worse), tuple(missing), unlike, tuple(left_out))
