"""Statistics of answers: shares and gains with their confidence intervals, and counts of tags."""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from qilin.answer.markup import TAGS
from qilin.answer.values import LEVEL_NAMES
from qilin.check import check
from qilin.hierarchy import Hierarchy

Names = tuple[str | None, str | None, str | None, str | None]
_TAGGED: Final = re.compile(r"<(\w+)>([^<]*)</\1>")
_VIOLATIONS: Final = {"unknown-organisation", "wrong-parent", "level-order", "malformed", "unknown-tag"}


class Interval(NamedTuple):
    """A figure with its 95 % confidence interval."""

    value: float
    low: float
    high: float


def wilson(hits: int, total: int) -> Interval:
    """A share with Wilson's score interval."""
    if not total:
        return Interval(0.0, 0.0, 1.0)
    z = 1.959964
    share = hits / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    return Interval(share, max(0.0, middle - half) if hits else 0.0, min(1.0, middle + half) if hits < total else 1.0)


def paired_gain(before: Sequence[bool], after: Sequence[bool], *, resamples: int = 4000, seed: int = 0) -> Interval:
    """The gain in the share of True on the same questions; its interval by bootstrap over them."""
    differences = [int(b) - int(a) for a, b in zip(before, after, strict=True)]
    size = len(differences)
    if not size:
        return Interval(0.0, 0.0, 0.0)
    rng = random.Random(seed)
    counts = Counter(differences)
    values, weights = list(counts), list(counts.values())
    means = sorted(sum(rng.choices(values, weights, k=size)) / size for _ in range(resamples))
    return Interval(sum(differences) / size, means[int(0.025 * resamples)], means[int(0.975 * resamples) - 1])


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of all values does not exceed; 0.0 for no values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


# ── tagged text ──────────────────────────────────────────────────────────────────────────────────


def tag_counts(tagged: str) -> Counter[tuple[str, str]]:
    """Each tag with its text, and how often; nested, unknown and unclosed tags do not count."""
    return Counter((tag, text) for tag, text in _TAGGED.findall(tagged) if tag in TAGS)


def organisation_tags(tagged: str) -> Counter[tuple[str, str]]:
    """As `tag_counts`, of organisations only."""
    return Counter({key: n for key, n in tag_counts(tagged).items() if key[0] in LEVEL_NAMES})


def paths_in(tagged: str) -> list[Names]:
    """The organisations of tagged text; adjacent tags of descending levels are one path."""
    found: list[list[str | None]] = []
    last, end = len(LEVEL_NAMES), -1
    for match in _TAGGED.finditer(tagged):
        if match[1] not in LEVEL_NAMES:
            continue
        level = LEVEL_NAMES.index(match[1])
        if match.start() != end or level <= last:
            found.append([None] * len(LEVEL_NAMES))
        found[-1][level] = match[2]
        last, end = level, match.end()
    return [(p[0], p[1], p[2], p[3]) for p in found]


def deepest_level(paths: Iterable[Names]) -> str:
    """The level of the first organisation; "none" where there is none."""
    for path in paths:
        return next((name for name, said in zip(LEVEL_NAMES[::-1], path[::-1], strict=True) if said), "none")
    return "none"


def breaks_hierarchy(tagged: str, hierarchy: Hierarchy) -> bool:
    """Whether tagged text is malformed, or names an organisation that the table lacks or has under another parent."""
    return "<" in tagged and any(conflict.kind in _VIOLATIONS for conflict in check(tagged, hierarchy))


def is_in_table(path: Names, hierarchy: Hierarchy) -> bool:
    """Whether the table has an organisation with this path."""
    return not check(list(path), hierarchy)


class TagCount(NamedTuple):
    """How often one tag was given rightly, given wrongly, and left out."""

    right: int = 0
    wrong: int = 0
    missing: int = 0

    @property
    def f1(self) -> float:
        """The F1 measure; 1.0 where the tag neither should occur nor does."""
        total = 2 * self.right + self.wrong + self.missing
        return 2 * self.right / total if total else 1.0


def count_tags(pairs: Iterable[tuple[str, str]]) -> dict[str, TagCount]:
    """The counts of each tag over pairs of an answer and its right form."""
    right: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    missing: Counter[str] = Counter()
    for said, wanted in pairs:
        a, b = tag_counts(said), tag_counts(wanted)
        for counter, found in ((right, a & b), (wrong, a - b), (missing, b - a)):
            for (tag, _), n in found.items():
                counter[tag] += n
    return {tag: TagCount(right[tag], wrong[tag], missing[tag]) for tag in TAGS}
