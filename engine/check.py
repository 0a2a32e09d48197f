"""Tagged text, or a path, held against the hierarchy."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

from qilin.answer.markup import TAGS, MarkupError, Piece, parse
from qilin.answer.values import LEVEL_NAMES, Conflict, Entity, OrgPath, org_path
from qilin.hierarchy import Hierarchy, Level
from qilin.names.nearest import nearest_nodes
from qilin.resolver import Engine
from qilin.verdict import sentences
from qilin.verdict.repairs import order_repairs


def check(
    tagged: str | Path | OrgPath | Sequence[str | None] | Mapping[str, str | None],
    hierarchy: Hierarchy | None = None,
    query: str | None = None,
) -> list[Conflict]:
    """Hold tagged text, or a path, against the hierarchy.

    Args:
        tagged: tagged text; a file of it (`Path`, one text a line); an `OrgPath`; names from the
            province down (None for a level left out); or a mapping with keys province … substation.
            A `str` without any tag is read as names joined by `/`.
        hierarchy: the table; None for the bundled one of Shandong.
        query: what the tagged text should say outside and inside its tags; None: not compared.

    Returns: what is wrong, in text order; empty when all is well.
    """
    table = hierarchy if hierarchy is not None else Hierarchy.bundled()
    if isinstance(tagged, Path):
        return [c for line in tagged.read_text(encoding="utf-8-sig").splitlines() for c in check(line, table)]
    if isinstance(tagged, OrgPath):
        return _check_names(table, [tagged.province, tagged.city, tagged.company, tagged.substation])
    if isinstance(tagged, Mapping):
        return _check_names(table, [tagged.get(level.column) for level in Level])
    if not isinstance(tagged, str):
        return _check_names(table, list(tagged))
    if "<" not in tagged:
        names = [name.strip() for name in tagged.replace("→", "/").split("/")]
        return _check_loose(table, [name for name in names if name])
    try:
        pieces = parse(tagged)
    except MarkupError as error:
        return [Conflict(kind="malformed", message=f"标注文本不完整：{error}。")]
    return [*_check_tags(table, pieces), *_check_text(table, pieces, query)]


def _check_names(table: Hierarchy, names: list[str | None]) -> list[Conflict]:
    chain = [(Level(i), name) for i, name in enumerate(names[: len(Level)]) if name]
    return _check_chain(table, chain)


def _check_loose(table: Hierarchy, names: list[str]) -> list[Conflict]:
    """Names from the top down, whose levels only the table can tell."""
    chain: list[tuple[Level, str]] = []
    conflicts = []
    floor = -1
    for name in names:
        levels = sorted({table.levels[i] for i in table.find(name) if table.levels[i] > floor})
        if not levels:
            known = table.find(name)
            if known:
                floor_name = chain[-1][1] if chain else ""
                conflicts.append(_order_conflict(table, name, known, floor_name))
            else:
                conflicts.append(_unknown_conflict(table, None, name, chain))
            continue
        floor = levels[0]
        chain.append((Level(floor), name))
    return conflicts or _check_chain(table, chain)


def _nodes(table: Hierarchy, level: Level, name: str) -> tuple[int, ...]:
    return tuple(i for i in table.find(name) if table.levels[i] == level and table.names[i] == name)


def _entity(level: Level, name: str) -> Entity:
    return Entity(type=LEVEL_NAMES[level], name=name, source="pattern")


def _order_conflict(table: Hierarchy, name: str, nodes: Sequence[int], above: str) -> Conflict:
    level = Level(table.levels[nodes[0]])
    return Conflict(
        kind="level-order",
        message=f"“{name}”是{level.chinese}级，不能写在“{above}”之下。",
        entities=(_entity(level, name),),
        repairs=tuple(org_path(table, i) for i in nodes),
    )


def _unknown_conflict(table: Hierarchy, level: Level | None, name: str, chain: Sequence[tuple[Level, str]]) -> Conflict:
    parents = [i for lvl, parent in chain[-1:] for i in _nodes(table, lvl, parent)]
    nearest = parents and nearest_nodes(table, name, level, parents)
    nearest = nearest or nearest_nodes(table, name, level, cutoff=50.0)  # 荷泽 is half of 菏泽
    hint = f"，最接近的是 {sentences.listed([org_path(table, i) for i in nearest])}" if nearest else ""
    label = f"{level.chinese}“{name}”" if level is not None else f"“{name}”"
    other = [i for i in table.find(name) if level is None or table.levels[i] != level]
    where = ""
    if level is not None and other:
        real = Level(table.levels[other[0]])
        where = f"（“{name}”在表中是{real.chinese}级的 {org_path(table, other[0])}）"
        nearest = [*other, *nearest]
    return Conflict(
        kind="unknown-organisation",
        message=f"组织表中没有{label}{where}{hint}。",
        entities=(_entity(level, name),) if level is not None else (),
        repairs=tuple(org_path(table, i) for i in nearest),
    )


def _check_chain(table: Hierarchy, chain: Sequence[tuple[Level, str]]) -> list[Conflict]:
    """One organisation path, top down: does each stand under the one above it?"""
    conflicts: list[Conflict] = []
    above: list[tuple[Level, str, tuple[int, ...]]] = []
    possible: tuple[int, ...] | None = None
    for level, name in chain:
        nodes = _nodes(table, level, name)
        if not nodes:
            conflicts.append(_unknown_conflict(table, level, name, [(lv, n) for lv, n, _ in above]))
            continue
        below = (
            nodes if possible is None else tuple(i for i in nodes if any(table.is_ancestor(top, i) for top in possible))
        )
        if not below:
            upper_level, upper_name, upper_nodes = above[-1]
            for candidate in reversed(above):
                if not any(table.is_ancestor(top, i) for top in candidate[2] for i in nodes):
                    upper_level, upper_name, upper_nodes = candidate
                    break
            repairs = order_repairs(table, upper_nodes, nodes)
            conflicts.append(
                Conflict(
                    kind="wrong-parent",
                    message=sentences.clash(
                        upper_name,
                        [org_path(table, i) for i in upper_nodes],
                        name,
                        [org_path(table, i) for i in repairs if i in nodes],
                    ),
                    entities=(_entity(upper_level, upper_name), _entity(level, name)),
                    repairs=tuple(org_path(table, i) for i in repairs),
                )
            )
            below = nodes
        above.append((level, name, nodes))
        possible = below
    if not conflicts and possible and chain:
        named = {level for level, _ in chain}
        missing = [level for level in Level if level < chain[-1][0] and level not in named]
        if missing and len(possible) > 1:
            name = chain[-1][1]
            conflicts.append(
                Conflict(
                    kind="missing-parent",
                    message=f"“{name}”缺少{missing[-1].chinese}，不能确定是 "
                    f"{sentences.listed([org_path(table, i) for i in possible])} 中的哪一个。",
                    entities=(_entity(chain[-1][0], name),),
                    repairs=tuple(org_path(table, i) for i in possible),
                )
            )
    return conflicts


def _check_tags(table: Hierarchy, pieces: Sequence[Piece]) -> list[Conflict]:
    conflicts: list[Conflict] = []
    chain: list[tuple[Level, str]] = []

    def close() -> None:
        conflicts.extend(_check_chain(table, chain))
        chain.clear()

    for piece in pieces:
        if piece.tag is None:
            if piece.text.strip():
                close()
            continue
        if piece.tag not in TAGS:
            close()
            conflicts.append(
                Conflict(
                    kind="unknown-tag",
                    message=f"未知标签 <{piece.tag}>（内容“{piece.text}”）；可用的标签是 {'、'.join(TAGS)}。",
                )
            )
            continue
        if piece.tag not in LEVEL_NAMES:
            close()
            continue
        level = Level(LEVEL_NAMES.index(piece.tag))
        if chain and level <= chain[-1][0]:
            upper_level, upper_name = chain[-1]
            if level > Level.PROVINCE and (len(chain) == 1 or level == upper_level or chain[0][0] != level):
                nodes = _nodes(table, level, piece.text)
                conflicts.append(
                    Conflict(
                        kind="level-order",
                        message=f"<{piece.tag}>“{piece.text}”写在 <{LEVEL_NAMES[upper_level]}>“{upper_name}”之后，"
                        "层级应当从省到供电所依次写出。",
                        entities=(_entity(upper_level, upper_name), _entity(level, piece.text)),
                        repairs=tuple(org_path(table, i) for i in nodes),
                    )
                )
            close()
        chain.append((level, piece.text))
    close()
    return conflicts


def _check_text(table: Hierarchy, pieces: Sequence[Piece], query: str | None) -> list[Conflict]:
    """Does the tagged text say what the query says, but for the names of its organisations?"""
    if query is None:
        return []
    position = 0
    left_out: list[tuple[int, int]] = []
    for piece in pieces:
        if piece.tag in LEVEL_NAMES:
            continue
        at = query.find(piece.text, position)
        if at < 0:
            return [_differs(f"标注后的文字“{piece.text}”不在原问题“{query}”中，或者次序不同。")]
        left_out.append((position, at))
        position = at + len(piece.text)
    left_out.append((position, len(query)))
    if not any(query[a:b].strip() for a, b in left_out):
        return []
    mentions = [
        range(e.start, e.end)
        for e in _engine(table).resolve(query).entities
        if e.group is not None and e.start is not None and e.end is not None
    ]
    for a, b in left_out:
        lost = [i for i in range(a, b) if query[i].isalnum() and not any(i in m for m in mentions)]
        lost = [i for i in lost if query[i] not in "和与及跟"]
        if lost:
            return [_differs(f"标注丢掉了原问题“{query}”中的“{query[lost[0] : lost[-1] + 1]}”。")]
    return []


def _differs(message: str) -> Conflict:
    return Conflict(kind="text-differs", message=message)


@lru_cache(maxsize=4)
def _engine(table: Hierarchy) -> Engine:
    return Engine(table, max_length=sys.maxsize)
