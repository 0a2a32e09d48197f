"""The paths of the decided organisations as a tree, with both branches of a conflict."""

from __future__ import annotations

from collections.abc import Sequence

from qilin.answer.values import LEVEL_NAMES
from qilin.readings.reading import Reading
from qilin.report.case import Case, best_states
from qilin.report.explanation import Branch, Mark

_MOST_BRANCHES = 12  # organisations drawn of each kind; a tree of fifty 城关 explains nothing


class _Drawing:
    """Nodes to draw with their marks, and children that the table does not have."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.marks: dict[int, Mark | None] = {}
        self.notes: dict[int, list[str]] = {}
        self.missing: dict[int, list[Branch]] = {}

    def add(self, node: int, mark: Mark | None, note: str = "") -> None:
        """Draw a node with its ancestors; a later mark wins over `named`, notes add up."""
        for ancestor in self.case.tables.hierarchy.paths[node]:
            self.marks.setdefault(ancestor, None)
        if self.marks[node] in (None, "named"):
            self.marks[node] = mark
        notes = self.notes.setdefault(node, [])
        if note and note not in notes:
            notes.append(note)

    def add_some(self, nodes: Sequence[int], mark: Mark | None, note: str = "") -> None:
        """Draw the first few; the last one says how many are left out."""
        for node in nodes[:_MOST_BRANCHES]:
            self.add(node, mark, note)
        if len(nodes) > _MOST_BRANCHES:
            self.add(nodes[_MOST_BRANCHES - 1], mark, f"另有 {len(nodes) - _MOST_BRANCHES} 个没有画出")

    def miss(self, parent: int, name: str, note: str) -> None:
        """Draw what the query puts below a node, and the table does not."""
        children = self.missing.setdefault(parent, [])
        if all(child.name != name for child in children):
            children.append(Branch(name=name, level=None, mark="missing", note=note))

    def branches(self) -> tuple[Branch, ...]:
        return tuple(self._branch(i) for i in self.case.tables.hierarchy.provinces if i in self.marks)

    def _branch(self, node: int) -> Branch:
        hierarchy = self.case.tables.hierarchy
        below = [self._branch(i) for i in hierarchy.children(node) if i in self.marks]
        return Branch(
            name=hierarchy.names[node],
            level=LEVEL_NAMES[hierarchy.levels[node]],
            mark=self.marks[node],
            note="；".join(self.notes.get(node, ())),
            children=(*self.missing.get(node, ()), *below),
        )


def draw(case: Case) -> tuple[Branch, ...]:
    """The paths of what was decided; where there is a conflict, both branches."""
    drawing = _Drawing(case)
    reading = case.considered.readings[0]
    if reading.clashes:
        _draw_clashes(case, drawing, reading)
    else:
        _draw_groups(case, drawing)
        _draw_unknown(case, drawing)
    return drawing.branches()


def _draw_clashes(case: Case, drawing: _Drawing, reading: Reading) -> None:
    for clash in reading.clashes:
        upper, lower = case.text(clash.upper), case.text(clash.lower)
        uppers, lowers = clash.upper.name.best, clash.lower.name.best
        name = case.path(lowers[0]).name
        drawing.add_some(uppers, "named", f"←“{upper}”")
        for node in uppers[:_MOST_BRANCHES]:
            drawing.miss(node, name, f"“{lower}”不在这里")
        drawing.add_some(lowers, "actual", f"←“{lower}”实际在这里")
    clashing = {t for clash in reading.clashes for t in clash}
    for group in reading.groups:
        for mention in group.mentions:
            if mention not in clashing:
                drawing.add_some(mention.name.best, "named", f"←“{case.text(mention)}”")


def _draw_groups(case: Case, drawing: _Drawing) -> None:
    resolution = case.resolution
    targets = case.nodes(resolution.targets)
    candidates = case.nodes(resolution.candidates)
    excluded = case.nodes(resolution.excluded)
    outside = any(c.kind == "exclusion" for c in resolution.conflicts)
    for group in (g for r in case.considered.readings for g in r.groups):
        if any(case.swallowed_by(m) for m in group.mentions):
            continue
        for state in best_states(group)[:_MOST_BRANCHES]:
            for mention, node in zip(group.mentions, state.nodes, strict=True):
                if outside and group.excluded:
                    drawing.add(node, "outside", f"←“{case.text(mention)}”要除去，却不在所查询的范围内")
                else:
                    drawing.add(node, "named", f"←“{case.text(mention)}”")
    for node in targets:
        drawing.add(node, "target")
    drawing.add_some(candidates, None if outside else "candidate")
    for node in excluded:
        drawing.add(node, "excluded", "除去")


def _draw_unknown(case: Case, drawing: _Drawing) -> None:
    """Names that the table lacks, below the mention they follow."""
    for unknown in case.resolution.unknown:
        if unknown.kind != "organisation":
            continue
        for group in case.considered.readings[0].groups:
            for mention in group.mentions:
                end = case.asked.folded.span(mention.start, mention.end)[1]
                if end == unknown.start and len(group.options) == 1:
                    drawing.miss(group.options[0], unknown.text, "组织表中没有")
