"""Rows `id,parent_id,name[,level]`, as real registers have them: each names its parent by id."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from .cells import problem_of, read_cell, shown
from .findings import Finding, Severity, listed
from .levels import Level, parse_level
from .organisations import Organisations, Path, joined
from .suffixes import named_like
from .table import Table

PARENT_COLUMNS = ("id", "parent_id", "name", "level")
_NO_PARENT = frozenset(("", "0", "-1", "null", "none", "nan"))
_HEAD_OFFICE = re.compile(r"^(?:国网|南网|国家电网.*|(?:中国)?南方电网.*|国网公司|.*总部)$")
_PROVINCE = re.compile(
    r"省|自治区|特别行政区|北京|天津|上海|重庆|河北|山西|内蒙古|冀北|蒙东|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南"
    r"|广东|广西|海南|四川|贵州|云南|西藏|陕西|甘肃|青海|宁夏|新疆|香港|澳门|台湾"
)


class _Row(NamedTuple):
    number: int
    id: str
    parent: str
    """"" for a row without a parent."""
    name: str
    level: str


def read_parent_rows(table: Table, indices: Sequence[int], level_index: int | None) -> Organisations:
    """The paths of all rows that hang together.

    The level of a row is what its `level` column says, else one below its parent. A row may stand above the
    provinces, and is left out of the tree: one without parent that no level word describes while all its
    children are provinces; or, without a level column, the only row without parent, if it is named as a head
    office (国家电网, …总部), or if the tree is five deep and its name is no province's.

    Args:
        indices: Where the header has id, parent_id and name.
        level_index: Where it has level, if it does.
    """
    reading = _Reading(table.source)
    by_id = reading.rows_by_id(_text_rows(table, (*indices, level_index)))
    children: dict[str, list[_Row]] = {}
    for row in by_id.values():
        children.setdefault(row.parent, []).append(row)
    roots = children.get("", [])
    reading.refuse_unconnected(by_id, children)
    above = _rows_above_provinces(roots, children)
    for root in above:
        message = f"{shown(root.name)} stands above the provinces and is left out of the tree."
        reading.tell("extra-root", "info", root.number, message, "Give it the level province if it is one.")
        roots = [row for row in roots if row is not root] + children.get(root.id, [])
    reading.place(roots, children)
    return Organisations(reading.rows, reading.findings)


def _text_rows(table: Table, indices: Sequence[int | None]) -> Iterable[tuple[int, list[str]]]:
    for number, row in zip(table.numbers, table.rows, strict=True):
        if any(cell.strip() for cell in row):
            yield number, ["" if index is None or index >= len(row) else row[index] for index in indices]


def _rows_above_provinces(roots: Sequence[_Row], children: Mapping[str, Sequence[_Row]]) -> list[_Row]:
    if any(row.level for rows in children.values() for row in rows):
        return [
            root
            for root in roots
            if parse_level(root.level) is None
            and (below := children.get(root.id))
            and all(parse_level(row.level) == Level.PROVINCE for row in below)
        ]
    if len(roots) != 1:
        return []
    depth, reached = 0, list(roots)
    while reached:
        depth, reached = depth + 1, [child for row in reached for child in children.get(row.id, ())]
    named = _PROVINCE.search(roots[0].name) is None and _HEAD_OFFICE.match(roots[0].name) is not None
    if depth > 1 and (named or (depth == len(Level) + 1 and not _PROVINCE.search(roots[0].name))):
        return [roots[0]]
    return []


class _Reading:
    """The paths and findings of one table so far, and its refused rows, which the findings of their children name."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.rows: dict[Path, int] = {}
        self.findings: list[Finding] = []
        self.refused: dict[str, int] = {}

    def tell(self, code: str, severity: Severity, number: int, message: str, advice: str) -> None:
        self.findings.append(Finding(code, severity, self.source, number, message, advice))

    def refuse(self, code: str, row: _Row, message: str, advice: str) -> None:
        self.refused[row.id] = row.number
        self.tell(code, "error", row.number, message, advice)

    def rows_by_id(self, texts: Iterable[tuple[int, list[str]]]) -> dict[str, _Row]:
        """The rows without a fault of their own, by id."""
        groups: dict[str, list[_Row]] = {}
        for number, (id_, parent, name, level) in texts:
            cell = read_cell(name)
            row = _Row(number, id_.strip(), parent.strip(), cell.name, level.strip())
            problem = problem_of("name", cell)
            if not row.id:
                self.tell("bad-row", "error", number, f"{shown(row.name)} has no id.", "Give the row an id.")
            elif not row.name:
                self.refuse("bad-row", row, f"id '{row.id}' has no name.", "Fill in the name, or remove the row.")
            elif problem and problem.severity == "error":
                self.refuse(problem.code, row, problem.message, problem.advice)
            else:
                if problem:
                    self.tell(problem.code, problem.severity, number, problem.message, problem.advice)
                groups.setdefault(row.id, []).append(row)
        no_parent = {word for word in _NO_PARENT if word not in groups and word not in self.refused}
        by_id: dict[str, _Row] = {}
        for id_, group in groups.items():
            first, *others = [row._replace(parent="") if row.parent.lower() in no_parent else row for row in group]
            if any(row[1:] != first[1:] for row in others):
                numbers = listed(row.number for row in group)
                where = f"id '{id_}' is given to different organisations in rows {numbers}."
                for row in group:
                    self.refuse("duplicate", row, f"{shown(row.name)}: {where}", "Give each an id of its own.")
                continue
            by_id[id_] = first
            for row in others:
                message = f"id '{id_}' was declared in row {first.number} already, with the same content."
                self.tell("duplicate", "warning", row.number, message, "Remove one of the rows.")
        return by_id

    def refuse_unconnected(self, by_id: Mapping[str, _Row], children: Mapping[str, Sequence[_Row]]) -> None:
        """Refuse the rows that no root leads to, each with its reason."""
        reached: set[str] = set()
        front = list(children.get("", ()))
        while front:
            reached.update(row.id for row in front)
            front = [child for row in front for child in children.get(row.id, ())]
        lost = {id_: row for id_, row in by_id.items() if id_ not in reached}
        if not lost:
            return
        in_cycle = self._refuse_cycles(lost)
        front = []
        shortened = {id_.lstrip("0"): id_ for id_ in by_id}  # a spreadsheet turns 037 into 37
        for row in lost.values():
            if row.parent in self.refused and row.parent not in lost:
                self._refuse_child(row)
                front.append(row)
            elif row.parent not in by_id:
                meant = shortened.get(row.parent.lstrip("0"))
                hint = f"Did you mean '{meant}'? " if meant else ""
                message = f"{shown(row.name)} has parent_id '{row.parent}', which is no row's id."
                self.refuse("missing-parent", row, message, f"{hint}Correct it, or add the parent's row.")
                front.append(row)
        front += in_cycle
        self.refuse_below(front, children, {row.id for row in in_cycle})

    def _refuse_cycles(self, lost: Mapping[str, _Row]) -> list[_Row]:
        import networkx  # slow to import, and only damaged tables need it

        graph: networkx.DiGraph[str] = networkx.DiGraph(
            (id_, row.parent) for id_, row in lost.items() if row.parent in lost
        )
        members: list[_Row] = []
        for component in networkx.strongly_connected_components(graph):
            first = min((lost[id_] for id_ in component), key=lambda row: row.number)
            cycle, row = [first], lost.get(first.parent)
            while row is not None and row is not first and row.id in component:
                cycle.append(row)
                row = lost[row.parent]
            if row is not first:
                continue  # a single row that leads into a cycle, or out of the table
            ring = " → ".join(f"{row.name} (id {row.id}, row {row.number})" for row in [*cycle[:12], first])
            if len(cycle) > 12:
                ring = f"{ring} ({len(cycle) - 12} members between the last two left out)"
            for row in cycle:
                message = f"{shown(row.name)} is its own ancestor: {ring}."
                self.refuse("cycle", row, message, "Correct the parent_id of one of them.")
            members += cycle
        return members

    def _refuse_child(self, row: _Row) -> None:
        message = f"{shown(row.name)} stands below row {self.refused[row.parent]}, which is refused."
        self.refuse("orphan", row, message, "Correct that row, or give this one another parent.")

    def refuse_below(
        self, front: Sequence[_Row], children: Mapping[str, Sequence[_Row]], done: Iterable[str] = ()
    ) -> None:
        """Refuse every descendant of the refused rows in `front`, except the ids in `done`."""
        done = set(done)
        while front:
            below = [child for row in front for child in children.get(row.id, ()) if child.id not in done]
            for child in below:
                self._refuse_child(child)
            front = below

    def place(self, roots: Iterable[_Row], children: Mapping[str, Sequence[_Row]]) -> None:
        """Give each connected row its path, top down."""
        names: tuple[str, ...] = ()
        front: list[tuple[tuple[str, ...], _Row]] = [(names, row) for row in roots]
        while front:
            below: list[tuple[tuple[str, ...], _Row]] = []
            for above, row in front:
                if self._misplaced(above, row):
                    self.refuse_below([row], children)
                    continue
                names = (*above, row.name)
                padded = (*names, "", "", "")
                path: Path = (padded[0], padded[1], padded[2], padded[3])
                if path in self.rows:
                    message = f"'{joined(path)}' was declared in row {self.rows[path]} already, with another id."
                    advice = "The two are read as one organisation; remove one, or give it its own name."
                    self.tell("duplicate", "warning", row.number, message, advice)
                else:
                    self.rows[path] = row.number
                below += [(names, child) for child in children.get(row.id, ())]
            front = below

    def _misplaced(self, above: tuple[str, ...], row: _Row) -> bool:
        level = parse_level(row.level)
        if row.level and level is None:
            words = ", ".join(f"{word.column} ({word.chinese})" for word in Level)
            message = f"{shown(row.name)} has level {shown(row.level)}, which is none of {words}."
            self.refuse("level-order", row, message, "Correct it, or leave it empty: depth decides then.")
        elif len(above) >= len(Level):
            message = f"{shown(row.name)} stands below substation '{above[-1]}'; the tree has four levels."
            self.refuse("level-order", row, message, "Remove the row, or correct its parent_id.")
        elif level is not None and level != len(above):
            parent = f"below {Level(len(above) - 1).column} '{above[-1]}'" if above else "without a parent"
            belongs = Level(len(above)).column
            message = f"{level.column} {shown(row.name)} stands {parent}, where a {belongs} belongs."
            self.refuse("level-order", row, message, "Correct its level or its parent_id.")
        elif level is None and (meant := named_like(row.name, Level(len(above)))) is not None:
            belongs = Level(len(above)).column
            message = f"{shown(row.name)} stands where a {belongs} belongs, but is named like a {meant.column}."
            self.refuse("level-order", row, message, "Correct its parent_id, or add a level column.")
        else:
            return False
        return True
