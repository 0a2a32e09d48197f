"""All findings of a table: those of loading, and those that only the whole tree shows."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

from .aliases import load_aliases
from .findings import Finding, HierarchyError, Severity, listed
from .hierarchy import Hierarchy
from .levels import Level
from .read_table import read_table
from .shapes import read_organisations
from .suffixes import RARE, division_words, one_of, registered_words, single_characters
from .table import StrPath

Seen = tuple[str, Severity, int, str, str]
"""Code, severity, node, message, advice."""


def lint(
    source: StrPath | Hierarchy,
    table: str | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    aliases: StrPath | None = None,
    encoding: str | None = None,
) -> tuple[Finding, ...]:
    """All findings of a table by row, then those of its alias file; () for a table without fault.

    Args:
        source: A file or URL as for `Hierarchy.load`, or a loaded tree, which no longer knows the rows: its findings
            about the whole tree have none.

    Raises: HierarchyError, when there is no table to check (missing file, missing column, no rows).
    """
    if isinstance(source, Hierarchy):
        return (*source.findings, *whole_tree_findings(source, [None] * len(source)))
    raw = read_table(source, table, encoding)
    try:
        organisations = read_organisations(raw, columns)
    except HierarchyError as error:
        if error.findings:
            return error.findings  # every row is bad, and each says why
        raise
    hierarchy = Hierarchy.of_paths(organisations.rows, source=raw.source)
    rows: dict[tuple[str, ...], int] = {}
    for path, number in sorted(organisations.rows.items(), key=lambda item: item[1]):
        names = tuple(name for name in path if name)
        rows[names] = min(number, rows.get(names, number))
        for depth in range(1, len(names)):
            rows.setdefault(names[:depth], number)

    rows_of_nodes = [rows[tuple(hierarchy.names[i] for i in path)] for path in hierarchy.paths]
    found = [*organisations.findings, *whole_tree_findings(hierarchy, rows_of_nodes)]
    found.sort(key=lambda finding: finding.row or 0)
    if aliases is not None:
        found += load_aliases(aliases, hierarchy).findings
    return tuple(found)


def whole_tree_findings(hierarchy: Hierarchy, rows: Sequence[int | None]) -> Iterator[Finding]:
    """Findings that no single row shows: odd characters, look-alikes, companies declared twice, nested names.

    Args:
        rows: The row that first names each node; None where rows are not known.
    """
    nodes = sorted(range(len(hierarchy)), key=lambda node: rows[node] or 0)  # as the table has them
    for check in (_odd_characters, _look_alikes, _one_character_apart, _declared_twice, _nested_names):
        for code, severity, node, message, advice in check(hierarchy, nodes):
            yield Finding(code, severity, hierarchy.source, rows[node], message, advice)


# Characters -------------------------------------------------------------------------------------

_TRADITIONAL = (
    "縣區東電灣陽雲龍馬長廣興華開關鄉鎮莊潤鳳魯門連豐島嶺橋義漢鄭濟濰煙臺澤"
    "營萊蕪陝寧慶貴蘇黃鉅鄆單鄒滄瀋遼衛錦鐵銅銀陰雙韓順萬蓮葉薊貞賀贛趙農運遠"
)
_SIMPLIFIED = (
    "县区东电湾阳云龙马长广兴华开关乡镇庄润凤鲁门连丰岛岭桥义汉郑济潍烟台泽"
    "营莱芜陕宁庆贵苏黄巨郓单邹沧沈辽卫锦铁铜银阴双韩顺万莲叶蓟贞贺赣赵农运远"
)
_FOLD = str.maketrans(_TRADITIONAL, _SIMPLIFIED)
_BRACKETS = str.maketrans("()", "（）")


def fold(name: str) -> str:
    """The name with compatibility forms, traditional characters, brackets and blanks made alike."""
    simple = unicodedata.normalize("NFKC", name).translate(_FOLD).translate(_BRACKETS)
    return "".join(simple.split())


def _odd_characters(hierarchy: Hierarchy, nodes: Sequence[int]) -> Iterator[Seen]:
    seen: set[str] = set()
    for node in nodes:
        name = hierarchy.names[node]
        if name in seen or name.isascii():
            continue
        seen.add(name)
        odd = [
            character
            for character in name
            if character not in "（）"
            and (
                unicodedata.normalize("NFKC", character) != character
                or "\u2e80" <= character <= "\u2fdf"
                or unicodedata.combining(character)
            )
        ]
        if odd:
            codes = listed(f"'{character}' (U+{ord(character):04X})" for character in odd)
            message = f"{Level(hierarchy.levels[node]).column} '{name}' is written with {codes}."
            advice = "It only looks like the usual character, and the name is printed as it stands; retype it."
            yield "odd-character", "warning", node, message, advice


# Siblings that may be one organisation ----------------------------------------------------------

# Of 自治州 and 自治县 only the last character counts, as peoples stay with the stem.
_DIVISIONS: tuple[Iterable[str], ...] = (
    division_words(Level.PROVINCE),
    [word for word in division_words(Level.CITY) if not word.startswith("自治")],
    single_characters(division_words(Level.COMPANY)),
    [*(word for word in division_words(Level.SUBSTATION) if word not in RARE), "街"],
)
_STEM = tuple(
    re.compile(
        f"{'(?:国网)?' if level is Level.COMPANY else ''}(?P<stem>.+?)(?P<division>{one_of(divisions)})?"
        f"{one_of(registered_words(level))}?"
    )
    for level, divisions in zip(Level, _DIVISIONS, strict=True)
)


def _look_alikes(hierarchy: Hierarchy, nodes: Sequence[int]) -> Iterator[Seen]:
    siblings: dict[tuple[int, str], list[tuple[int, str]]] = {}
    for node in nodes:
        match = _STEM[hierarchy.levels[node]].fullmatch(fold(hierarchy.names[node]))
        if match:
            key = (hierarchy.parents[node], match["stem"])
            siblings.setdefault(key, []).append((node, match["division"] or ""))
    for group in siblings.values():
        alike = {
            node
            for (a, division_a), (b, division_b) in combinations(group, 2)
            if division_a == division_b or not division_a or not division_b
            for node in (a, b)
        }
        if alike:
            first, *others = (node for node, _ in group if node in alike)
            message = (
                f"{Level(hierarchy.levels[first]).column} '{hierarchy.names[first]}' stands beside "
                f"{listed(repr(hierarchy.names[i]) for i in others)} under the same parent."
            )
            advice = "If they are one organisation, keep one name and make the other an alias."
            yield "look-alike", "warning", first, message, advice


_LARGE = 3
"""A company with this many substations is no misspelling itself."""


def _one_character_apart(hierarchy: Hierarchy, nodes: Sequence[int]) -> Iterator[Seen]:
    """Companies with at most one substation, one character away from a large one of their city."""
    companies = [
        (node, match.group(), match["stem"])
        for node in nodes
        if hierarchy.levels[node] == Level.COMPANY
        and (match := _STEM[Level.COMPANY].fullmatch(hierarchy.names[node]))
        and len(match["stem"]) > 1
    ]
    large: dict[tuple[int, str], int] = {}
    for node, name, stem in companies:
        if len(hierarchy.children(node)) >= _LARGE:
            for pattern in _with_gap(name, len(stem)):
                large.setdefault((hierarchy.parents[node], pattern), node)
    for node, name, stem in companies:
        if len(hierarchy.children(node)) > 1:
            continue
        near = [large.get((hierarchy.parents[node], pattern)) for pattern in _with_gap(name, len(stem))]
        other = next((found for found in near if found is not None), None)
        if other is not None:
            message = f"company '{name}' is one character away from '{hierarchy.names[other]}' of the same city."
            advice = "If it is a misspelling, correct its rows."
            yield "look-alike", "warning", node, message, advice


def _with_gap(name: str, length: int) -> list[str]:
    return [f"{name[:i]}?{name[i + 1 :]}" for i in range(length)]


_COMPARED = 100
"""Organisations of one name that are compared with each other at most."""


def _declared_twice(hierarchy: Hierarchy, nodes: Sequence[int]) -> Iterator[Seen]:
    """Companies (and cities) of one name under two parents that share at least half of their children."""
    named: dict[tuple[int, str], list[int]] = {}
    for node in nodes:
        if hierarchy.levels[node] in (Level.CITY, Level.COMPANY):
            named.setdefault((hierarchy.levels[node], hierarchy.names[node]), []).append(node)
    for (level, name), alike in named.items():
        below = {node: {hierarchy.names[i] for i in hierarchy.children(node)} for node in alike[:_COMPARED]}
        for a, b in combinations(below, 2):
            common = below[a] & below[b]
            if common and 2 * len(common) >= max(len(below[a]), len(below[b])):
                first, second = (hierarchy.names[hierarchy.parents[node]] for node in (a, b))
                message = (
                    f"{Level(level).column} '{name}' is declared under {first} and under {second}, "
                    f"with {len(common)} {Level(level + 1).column} names alike ({listed(sorted(common), 4)})."
                )
                advice = "If it moved from one to the other, remove the rows of the old place."
                yield "declared-twice", "warning", b, message, advice


# Names inside names -----------------------------------------------------------------------------


def _nested_names(hierarchy: Hierarchy, nodes: Sequence[int]) -> Iterator[Seen]:
    for level in Level:
        first: dict[str, int] = {}
        for node in nodes:
            if hierarchy.levels[node] == level:
                first.setdefault(hierarchy.names[node], node)
        shortest = max(min(map(len, first), default=2), 2)
        around: dict[str, list[str]] = {}
        for name in first:
            length = len(name)
            inner = {name[i:j] for i in range(length) for j in range(i + shortest, length + 1)}
            for found in inner & first.keys():
                if found != name:
                    around.setdefault(found, []).append(name)
        for name, longer in around.items():
            message = f"{level.column} '{name}' is contained in {listed(sorted(longer), 3)}."
            advice = "Nothing to correct; the longer name wins where both fit."
            yield "nested-name", "info", first[name], message, advice
