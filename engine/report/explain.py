"""Why: each mention kept or dropped, each reading and its cost, the path with the conflict marked.

`explain` gives values; `explanation_lines` at the end turns them into text, and decides nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING, Literal, NamedTuple, cast

from qilin.answer.values import LEVEL_NAMES, Frozen, LevelName, OrgPath, Resolution, encodable
from qilin.dates.find import DateMention
from qilin.llm.record import GapRecord
from qilin.names.gazetteer import DATE, INDICATOR, ORGANISATION, Candidate, OrgName, State, Token
from qilin.names.rules import BARE, CUT, FULL, SHORT, TAIL
from qilin.operators.phrases import Phrase
from qilin.readings.lattice import Group, Reading, rank
from qilin.readings.typos import EDITED, HOMOPHONE, MERGED_SOUND, SWAPPED
from qilin.report.terminal import Line, Styled, Tree, labelled, line, resolution_lines, tree_lines
from qilin.verdict.draft import Asked
from qilin.verdict.status import conclude

if TYPE_CHECKING:
    from qilin.names.compiled import Tables
    from qilin.resolver import Considered, Engine

FORM = {FULL: "全称", SHORT: "简称", BARE: "词干", CUT: "词干的一部分", TAIL: "略去上级名的尾部"}
TYPO = {HOMOPHONE: "同音字", MERGED_SOUND: "近音字", SWAPPED: "相邻两字颠倒", EDITED: "一字之差"}
SOURCE = {
    "exact": "与表中名称相同", "alias": "别名或简称", "fuzzy": "错别字", "pattern": "句式", "scope": "提问者所在单位",
    "context": "上一个问题", "graph": "组织表", "default": "默认值", "llm": "模型",
}  # fmt: skip
_KINDS = {ORGANISATION: "organisation", INDICATOR: "indicator", DATE: "date"}
_VERDICT = {"wins": "胜出", "tied": "并列", "lost": "落选", "clashes": "冲突"}

MentionKind = Literal["organisation", "indicator", "date", "breakdown", "exclusion", "relative", "echo"]
Verdict = Literal["wins", "tied", "lost", "clashes"]
Mark = Literal["named", "target", "candidate", "excluded", "actual", "missing", "outside"]


class Naming(Frozen):
    """One organisation that a mention could name, and why it does or does not."""

    path: OrgPath
    form: str
    typo: str | None = None
    chosen: bool
    why: str = ""


class MentionNote(Frozen):
    """A mention that was kept, or one that was dropped with its reason.

    Offsets are code points of the query as given. `meaning`: the indicator, dates or level of one
    that is no organisation. `source`: as in `Entity`.
    """

    text: str
    start: int
    end: int
    kind: MentionKind
    meaning: str = ""
    namings: tuple[Naming, ...] = ()
    source: str | None = None
    reason: str | None = None


class ReadingNote(Frozen):
    """One reading and its cost, in the order in which costs count.

    `unexplained`: stretches of the query that it leaves over, `content` their characters; `typos`:
    weight of its typos; `form`: its least full form; `clashes`: pairs that no path joins.
    """

    verdict: Verdict
    mentions: tuple[str, ...]
    organisations: tuple[str, ...]
    clashes: tuple[str, ...]
    unexplained: tuple[str, ...]
    content: int
    typos: int
    form: str
    why: str


class Branch(Frozen):
    """A node of the drawn tree; `missing` ones are where the query puts them, but not in the table."""

    name: str
    level: LevelName | None
    mark: Mark | None = None
    note: str = ""
    children: tuple[Branch, ...] = ()


class Explanation(Frozen):
    """Why a query resolved as it did. Readings: the best first; `gap`: what a model was asked, if it was."""

    query: str
    kept: tuple[MentionNote, ...]
    dropped: tuple[MentionNote, ...]
    readings: tuple[ReadingNote, ...]
    tree: tuple[Branch, ...]
    resolution: Resolution
    gap: GapRecord | None = None

    def to_json(self) -> str:
        """One line of JSON; a lone surrogate is written as U+FFFD."""
        return encodable(json.dumps(self.model_dump(), ensure_ascii=False, default=str))


class _Case(NamedTuple):
    """All that is known of one query."""

    tables: Tables
    asked: Asked
    considered: Considered
    resolution: Resolution

    def slice(self, start: int, end: int) -> str:
        first, last = self.asked.folded.span(start, end)
        return self.asked.query[first:last]

    def text(self, token: Token) -> str:
        return self.slice(token.start, token.end)

    def path(self, node: int) -> OrgPath:
        path: OrgPath = self.tables.org_path(node)
        return path


def explain(
    engine: Engine,
    query: str,
    *,
    today: date | None = None,
    scope: str | OrgPath | None = None,
    context: Resolution | None = None,
) -> Explanation:
    """Resolve a query and say why; arguments and errors as for `Engine.resolve`."""
    tables, asked, considered = engine.consider(query, today=today, scope=scope, context=context)
    typos = _typos(tables, considered)
    # Costs first: concluding lets the caller's whereabouts choose among what is left.
    readings = _reading_notes(tables, asked, considered)
    rules = conclude(tables, asked, considered)
    resolution, gap = engine.fill_gaps([(tables, asked, considered, rules)])[0]
    case = _Case(tables, asked, considered, resolution)
    swallowed = [t for t in considered.readings[0].segmentation.tokens if _swallowed_by(case, t)]
    kept = [t for t in considered.readings[0].segmentation.tokens if t not in swallowed]
    for reading in considered.readings[1:]:
        kept += [t for t in reading.segmentation.tokens if t not in kept and t not in swallowed]
    thought_of = dict.fromkeys(
        [*considered.tokens, *_shorter(considered.tokens), *considered.unused, *typos, *swallowed]
    )
    same = {_content(t) for t in kept}
    dropped = [t for t in thought_of if _content(t) not in same]
    return Explanation(
        query=query,
        kept=tuple(_kept_note(case, t) for t in sorted(kept, key=_place)),
        dropped=tuple(_dropped_note(case, t, kept, typos) for t in sorted(dropped, key=_place)),
        readings=readings,
        tree=_tree(case),
        resolution=case.resolution,
        gap=gap,
    )


def _place(token: Token) -> tuple[int, int]:
    return token.start, token.end


def _name(token: Token) -> OrgName:
    name = token.ref
    assert isinstance(name, OrgName)
    return name


def _content(token: Token) -> tuple[object, ...]:
    """What a token says; typos are looked for twice and made anew each time."""
    ref = token.ref
    return (token.start, token.end, token.kind, ref.candidates if isinstance(ref, OrgName) else ref)


def _shorter(tokens: Iterable[Token]) -> list[Token]:
    """Mentions with less of a suffix, where that names other organisations: 利津 of 利津供电所."""
    found = []
    for token in tokens:
        if isinstance(token.ref, OrgName):
            nodes = {c.node for c in token.ref.candidates}
            for less, name in token.ref.shorter:
                if not nodes.issuperset(c.node for c in name.candidates):
                    found.append(Token(token.start, token.end - less, ORGANISATION, name))
    return found


def _is_typo(token: Token) -> bool:
    return token.kind == ORGANISATION and any(c.typo for c in _name(token).candidates)


def _typos(tables: Tables, considered: Considered) -> list[Token]:
    """The misspelt names that were thought of, those that were taken included."""
    first = considered.readings[0]
    corrected = any(map(_is_typo, first.segmentation.tokens))
    before = considered.tried[-1][0] if corrected and considered.tried else first
    if not before.segmentation.content:
        return []
    stretches = tables.typos.stretches(considered.text, before, True)
    return tables.typos.find(considered.text, before, stretches)


# ── mentions ─────────────────────────────────────────────────────────────────────────────────────


def _note(case: _Case, token: Token) -> MentionNote:
    start, end = case.asked.folded.span(token.start, token.end)
    ref = token.ref
    kind = cast(MentionKind, ref.kind if isinstance(ref, Phrase) else _KINDS[token.kind])
    return MentionNote(text=case.asked.query[start:end], start=start, end=end, kind=kind, meaning=_meaning(ref))


def _meaning(ref: object) -> str:
    if isinstance(ref, str):
        return ref
    if isinstance(ref, DateMention):
        return f"{ref.first} 至 {ref.last}" if ref.first is not None else "不能理解的日期"
    if isinstance(ref, Phrase):
        return ref.level.chinese if ref.level is not None else ""
    return ""


def _kept_note(case: _Case, token: Token) -> MentionNote:
    note = _note(case, token)
    source = next((e.source for e in case.resolution.entities if (e.start, e.end) == (note.start, note.end)), None)
    namings = _namings(case, token) if token.kind == ORGANISATION else ()
    return note.model_copy(update={"namings": namings, "source": source})


def _namings(case: _Case, token: Token) -> tuple[Naming, ...]:
    """What a kept mention could name, the chosen first."""
    groups = [g for r in case.considered.readings for g in r.groups if token in g.mentions]
    namings = [_naming(case, token, c, groups) for c in _name(token).candidates]
    return tuple(sorted(namings, key=lambda n: not n.chosen))


def _naming(case: _Case, token: Token, candidate: Candidate, groups: Sequence[Group]) -> Naming:
    chosen = any(candidate.node == state.nodes[g.mentions.index(token)] for g in groups for state in _best_states(g))
    return Naming(
        path=case.path(candidate.node),
        form=_form(candidate),
        typo=TYPO.get(candidate.typo),
        chosen=chosen,
        why="" if chosen or not groups else _why_not_named(case, token, candidate, groups[0]),
    )


def _form(candidate: Candidate) -> str:
    if candidate.alias is None:
        return FORM[candidate.form]
    return "别名" if candidate.alias.valid_to is None else f"{candidate.alias.valid_to}年以前的名称"


def _best_states(group: Group) -> list[State]:
    """The cheapest states of each organisation that is still possible."""
    best: list[State] = []
    for option in group.options:
        states = [s for s in group.states if s.deepest == option]
        lowest = min(s.cost for s in states)
        best += [s for s in states if s.cost == lowest]
    return best


_COSTS = (
    "会让同一单位被说两次",
    "错别字更重",
    "写法不如选中的完整",
    "写法一样时取上级单位",
    "与语序相反",
)


def _why_not_named(case: _Case, token: Token, candidate: Candidate, group: Group) -> str:
    at = group.mentions.index(token)
    states = [s for s in group.states if s.nodes[at] == candidate.node]
    if states:
        best, cost = min(s.cost for s in _best_states(group)), min(s.cost for s in states)
        for reason, a, b in zip(_COSTS, best, cost, strict=True):
            if a < b:
                return reason
        if group.source in ("scope", "context"):
            return f"不在{SOURCE[group.source]}之内"
        return "离同一句话里的其他单位更远"
    last, node = case.tables.hierarchy.last, candidate.node
    apart = [
        case.text(m)
        for m in group.mentions
        if not any(c.node <= node <= last[c.node] or node <= c.node <= last[node] for c in _name(m).candidates)
    ]
    return f"与“{apart[0] if apart else '其余提及'}”不在同一条路径上"


def _swallowed_by(case: _Case, token: Token) -> str:
    """The unknown name that a mention turned out to be part of; "" for none."""
    if token.kind != ORGANISATION:
        return ""
    start, end = case.asked.folded.span(token.start, token.end)
    entities = {(e.start, e.end) for e in case.resolution.entities}
    for unknown in case.resolution.unknown:
        if (
            unknown.kind == "organisation"
            and unknown.start <= start
            and end <= unknown.end
            and (start, end) not in entities
        ):
            return unknown.text
    return ""


def _dropped_note(case: _Case, token: Token, kept: Sequence[Token], typos: Sequence[Token]) -> MentionNote:
    note = _note(case, token)
    namings: tuple[Naming, ...] = ()
    if token.kind == ORGANISATION:
        namings = tuple(_naming(case, token, c, ()) for c in _name(token).candidates)
    return note.model_copy(update={"namings": namings, "reason": _why_dropped(case, token, kept, typos)})


def _why_dropped(case: _Case, token: Token, kept: Sequence[Token], typos: Sequence[Token]) -> str:
    considered = case.considered
    touching = [t for t in kept if t.start < token.end and token.start < t.end]
    unknown = _swallowed_by(case, token)
    if unknown and token in considered.readings[0].segmentation.tokens:
        return f"是组织表中没有的“{unknown}”的一部分"
    if token in considered.unused:
        return _why_unused(case, token)
    lost = next((why for reading, why in considered.tried if token in reading.segmentation.tokens), None)
    for other in touching:
        if _place(token) == _place(other):
            if token.kind != other.kind:
                return "同一处是日期、指标或句式，这些优先于单位名"
            return f"同一处取了另一种读法；这一种：{lost}" if lost else "同一处取了写法更完整的读法"
    for other in touching:
        if other.start <= token.start and token.end <= other.end:
            return f"包含在更长的“{case.text(other)}”之内"
    if token in typos:
        return "另一处读法更轻或解释得更完整" if touching else "错别字读法没有让整句解释得更完整"
    if lost:
        return f"所在的读法落选：{lost}"
    if not touching:
        return "所在的读法留下更多没有解释的字"
    across = [t for t in touching if not (token.start <= t.start and t.end <= token.end)]
    other = (across or touching)[0]
    if other.kind != ORGANISATION and token.kind == ORGANISATION:
        return f"与“{case.text(other)}”重叠；日期、指标和句式优先于单位名"
    return f"与“{case.text(other)}”重叠，只能取一个；取它的读法更好"


def _why_unused(case: _Case, token: Token) -> str:
    name = _name(token)
    if name.weak and name.form == TAIL:
        return "只是名称略去上级后的尾部，前面没有上级，后面没有后缀"
    if name.weak:
        return "也是普通词；前面没有上级，后面没有后缀，不足以当作单位"
    word = _word_across(case, token.start) or _word_across(case, token.end)
    return f"是从“{word}”一词中截出来的" if word else "与旁边的字合成一个普通词"


def _word_across(case: _Case, edge: int) -> str:
    """The ordinary word that lies across a place of the text; "" for none."""
    text = case.considered.text
    if not case.tables.crosses_a_word(text, edge):
        return ""
    across = ((a, b) for a in range(max(edge - 3, 0), edge) for b in range(edge + 1, min(a + 4, len(text)) + 1))
    return next((case.slice(a, b) for a, b in across if case.tables.is_ordinary(text[a:b])), "")


# ── readings ─────────────────────────────────────────────────────────────────────────────────────


def _reading_notes(tables: Tables, asked: Asked, considered: Considered) -> tuple[ReadingNote, ...]:
    case = _Case(tables, asked, considered, Resolution(query=asked.query, status="unresolved"))
    first, *others = considered.readings
    losers = [reading for reading, _ in considered.tried]
    verdict: Verdict = "clashes" if first.clashes else "tied" if others else "wins"
    notes = [_reading_note(case, first, verdict, _why_first(case, first, others, losers))]
    notes += [_reading_note(case, r, "tied", "与上一种同样好，不能靠猜测选择") for r in others]
    notes += [_reading_note(case, r, "lost", why) for r, why in considered.tried]
    return tuple(notes)


def _reading_note(case: _Case, reading: Reading, verdict: Verdict, why: str) -> ReadingNote:
    segmentation = reading.segmentation
    typos, _ = rank(reading)
    return ReadingNote(
        verdict=verdict,
        mentions=tuple(map(case.text, segmentation.tokens)),
        organisations=tuple(_group_text(case, g) for g in reading.groups),
        clashes=tuple(f"{case.text(c.upper)} ✗ {case.text(c.lower)}" for c in reading.clashes),
        unexplained=tuple(case.slice(a, b) for a, b in segmentation.runs),
        content=segmentation.content,
        typos=typos,
        form=_least_full(reading),
        why=why,
    )


def _group_text(case: _Case, group: Group) -> str:
    shown = "、".join(str(case.path(node)) for node in group.options[:3])
    more = f" 等 {len(group.options)} 个" if len(group.options) > 3 else ""
    return ("除去 " if group.excluded else "") + shown + more


def _least_full(reading: Reading) -> str:
    forms = [_name(m).form for g in reading.groups for m in g.mentions]
    return FORM[max(forms)] if forms else "无单位"


def _why_first(case: _Case, first: Reading, others: Sequence[Reading], losers: Sequence[Reading]) -> str:
    """What the first reading has that the losing ones have not."""
    if first.clashes:
        return "没有一种读法能让所有单位在同一条路径上；这一种留下的字最少，所以报告冲突"
    if others:
        return f"有 {len(others) + 1} 种同样好的读法，不能靠猜测选择"
    open_groups = [g for g in first.groups if len(g.options) > 1]
    if open_groups:
        text = "、".join(case.text(m) for m in open_groups[0].mentions)
        return f"“{text}”对应 {len(open_groups[0].options)} 个单位，条件完全相同"
    if not losers:
        return "只有这一种读法留下的字最少"
    better: list[str] = []
    mine = rank(first)
    for loser in losers:
        theirs = rank(loser)
        if loser.clashes:
            better.append("所有单位在同一条路径上")
        elif first.segmentation.content < loser.segmentation.content:
            better.append(f"留下的字更少（{first.segmentation.content} < {loser.segmentation.content}）")
        elif mine[0] < theirs[0]:
            better.append("错别字更轻")
        else:
            better.append("写法更完整")
    return "；".join(dict.fromkeys(better))


# ── the tree ─────────────────────────────────────────────────────────────────────────────────────

_MOST_BRANCHES = 12  # organisations drawn of each kind; a tree of fifty 城关 explains nothing


class _Drawing:
    """Nodes to draw with their marks, and children that the table does not have."""

    def __init__(self, case: _Case) -> None:
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


def _tree(case: _Case) -> tuple[Branch, ...]:
    """The paths of what was decided; where there is a conflict, both branches."""
    drawing = _Drawing(case)
    reading = case.considered.readings[0]
    if reading.clashes:
        _draw_clashes(case, drawing, reading)
    else:
        _draw_groups(case, drawing)
        _draw_unknown(case, drawing)
    return drawing.branches()


def _draw_clashes(case: _Case, drawing: _Drawing, reading: Reading) -> None:
    for clash in reading.clashes:
        upper, lower = case.text(clash.upper), case.text(clash.lower)
        uppers, lowers = _name(clash.upper).best, _name(clash.lower).best
        name = case.path(lowers[0]).name
        drawing.add_some(uppers, "named", f"←“{upper}”")
        for node in uppers[:_MOST_BRANCHES]:
            drawing.miss(node, name, f"“{lower}”不在这里")
        drawing.add_some(lowers, "actual", f"←“{lower}”实际在这里")
    clashing = {t for clash in reading.clashes for t in clash}
    for group in reading.groups:
        for mention in group.mentions:
            if mention not in clashing:
                drawing.add_some(_name(mention).best, "named", f"←“{case.text(mention)}”")


def _draw_groups(case: _Case, drawing: _Drawing) -> None:
    resolution = case.resolution
    targets = _nodes(case, resolution.targets)
    candidates = _nodes(case, resolution.candidates)
    excluded = _nodes(case, resolution.excluded)
    outside = any(c.kind == "exclusion" for c in resolution.conflicts)
    for group in (g for r in case.considered.readings for g in r.groups):
        if any(_swallowed_by(case, m) for m in group.mentions):
            continue
        for state in _best_states(group)[:_MOST_BRANCHES]:
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


def _draw_unknown(case: _Case, drawing: _Drawing) -> None:
    """Names that the table lacks, below the mention they follow."""
    for unknown in case.resolution.unknown:
        if unknown.kind != "organisation":
            continue
        for group in case.considered.readings[0].groups:
            for mention in group.mentions:
                end = case.asked.folded.span(mention.start, mention.end)[1]
                if end == unknown.start and len(group.options) == 1:
                    drawing.miss(group.options[0], unknown.text, "组织表中没有")


def _nodes(case: _Case, paths: Iterable[OrgPath]) -> list[int]:
    nodes = (case.tables.node_of(path) for path in paths)
    return [node for node in nodes if node is not None]


# ── names by themselves ──────────────────────────────────────────────────────────────────────────


class NameForm(NamedTuple):
    """A node that a text names by itself, and how."""

    node: int
    form: str


def find_names(tables: Tables, text: str) -> list[NameForm]:
    """Every organisation that a name, a short form or a path of them could be, fullest forms first.

    >>> [tables.hierarchy.names[f.node] for f in find_names(tables, "菏泽/麒麟")]
    ['麒麟供电所']
    """
    *above, name = [part.strip() for part in text.replace("→", "/").replace(">", "/").split("/")]
    found = _whole_names(tables, name)
    paths = tables.hierarchy.paths
    parents = [set(_whole_names(tables, part)) for part in above if part]
    kept = [(order, node, form) for node, (order, form) in found.items() if _in_order(paths[node][:-1], parents)]
    return [NameForm(node, form) for _, node, form in sorted(kept)]


def _in_order(ancestors: Sequence[int], wanted: Sequence[set[int]]) -> bool:
    """Whether the ancestors go through each of the sets, top down."""
    remaining: Iterator[int] = iter(ancestors)
    return all(any(node in nodes for node in remaining) for nodes in wanted)


def _whole_names(tables: Tables, name: str) -> dict[int, tuple[int, str]]:
    """Node → (rank of the form, the form) for a text that is one name from end to end."""
    hierarchy = tables.hierarchy
    folded = tables.folds.fold_name(name)
    found: dict[int, tuple[int, str]] = {}
    for token in tables.gazetteer.scan(folded).tokens:
        if token.kind == ORGANISATION and (token.start, token.end) == (0, len(folded)):
            for candidate in _name(token).candidates:
                here = (candidate.form, _form(candidate))
                found[candidate.node] = min(found.get(candidate.node, here), here)
    for node in hierarchy.find(name):  # names of one character, and whatever the automaton leaves out
        found[node] = (FULL, "全称" if hierarchy.names[node] == name else "别名")
    return found


# ── text ─────────────────────────────────────────────────────────────────────────────────────────

_KIND_WORD = {
    "organisation": "单位", "indicator": "指标", "date": "日期", "breakdown": "细分", "exclusion": "排除",
    "relative": "相对称呼", "echo": "重复前面的单位",
}  # fmt: skip
_MARK_SIGN: dict[Mark | None, tuple[str, str]] = {
    None: ("", ""), "named": ("", ""), "target": ("✓ ", "green"), "candidate": ("? ", "yellow"),
    "excluded": ("− ", "magenta"), "actual": ("✓ ", "green"), "missing": ("✗ ", "red"), "outside": ("✗ ", "red"),
}  # fmt: skip
_VERDICT_STYLE = {"wins": "green", "tied": "yellow", "lost": "dim", "clashes": "red"}
_MOST_NAMINGS = 6


def explanation_lines(explanation: Explanation) -> Iterator[Line]:
    """An explanation for reading, from the mentions down to the conclusion."""
    yield line(_title("问题"), "  ", explanation.query)
    for heading, notes in (("采用的提及", explanation.kept), ("未采用的提及", explanation.dropped)):
        yield line()
        yield line(_title(heading), "" if notes else "：无")
        for note in notes:
            yield from _mention_lines(note)
    yield line()
    yield line(_title("读法"), "（优者在前）")
    for number, reading in enumerate(explanation.readings, 1):
        yield from _reading_lines(number, reading)
    yield line()
    yield line(_title("路径"), "" if explanation.tree else "：无")
    for branch in explanation.tree:
        yield from tree_lines(_drawn(branch), "  ", "  ")
    if explanation.gap is not None:
        yield line()
        yield from _gap_lines(explanation.gap)
    yield line()
    yield line(_title("结论"))
    yield from resolution_lines(explanation.resolution)


def _title(text: str) -> Styled:
    return Styled(text, "bold underline")


def _mention_lines(note: MentionNote) -> Iterator[Line]:
    meaning = f"：{note.meaning}" if note.meaning else ""
    source = f"，来源：{SOURCE[note.source]}" if note.source else ""
    yield line(
        "  ", Styled(f"“{note.text}”", "bold"), f" [{note.start}, {note.end})  {_KIND_WORD[note.kind]}{meaning}{source}"
    )
    if note.reason:
        yield line("      ", Styled(f"未采用：{note.reason}", "yellow"))
    for naming in note.namings[:_MOST_NAMINGS]:
        form = "、".join(filter(None, (naming.form, naming.typo)))
        sign = Styled("✓ ", "green") if naming.chosen else Styled("· ", "dim")
        why = Styled(f"  未选：{naming.why}" if naming.why else "", "yellow")
        yield line("      ", sign, f"{naming.path}（{form}）", why)
    if len(note.namings) > _MOST_NAMINGS:
        yield line("      ", Styled(f"… 共 {len(note.namings)} 个单位可以这样称呼", "dim"))


def _reading_lines(number: int, reading: ReadingNote) -> Iterator[Line]:
    verdict = Styled(_VERDICT[reading.verdict], _VERDICT_STYLE[reading.verdict])
    yield line(f"  {number}. ", verdict, "  ", " + ".join(reading.mentions) or "（没有提及）")
    unexplained = "、".join(f"“{text}”" for text in reading.unexplained)
    left = f"未解释 {reading.content} 字{unexplained}"
    yield labelled("   代价", f"{left}；错别字 {reading.typos}；最不完整的写法：{reading.form}")
    for clash in reading.clashes:
        yield labelled("   冲突", Styled(clash, "red"))
    for organisation in reading.organisations:
        yield labelled("   单位", organisation)
    yield labelled("   理由", reading.why)


_GAP_VERDICT = {
    "accepted": ("采用", "green"), "left open": ("没有选定", "dim"), "unsure": ("把握不足", "yellow"),
    "rejected": ("未采用", "red"), "no answer": ("没有可用的回答", "red"),
}  # fmt: skip


def _gap_lines(gap: GapRecord) -> Iterator[Line]:
    """What a model was asked, and what became of its answer."""
    spent = (
        f"（{gap.filler}，{gap.latency_ms:.0f} ms，前向 {gap.forward_passes} 次）" if gap.parts else f"（{gap.filler}）"
    )
    yield line(_title("询问模型"), spent)
    for part in gap.parts:
        if part.verdict is None:
            continue
        choices = f"，{len(part.alternatives)} 个单位可选" if part.alternatives else ""
        yield line("  ", Styled(f"“{part.text}”", "bold"), choices)
        for alternative in part.alternatives[:_MOST_NAMINGS]:
            yield line("      ", Styled("· ", "dim"), alternative)
        word, style = _GAP_VERDICT[part.verdict]
        score = f"（可信度 {part.score:.2f}）" if part.score is not None else ""
        if part.said is not None:
            yield labelled("   回答", f"{part.said}{score}")
        yield labelled("   结果", Styled(word, style), f"：{part.why}" if part.why else "")
    if gap.degraded:
        yield labelled("   退回规则", Styled(gap.degraded, "red"))


def _drawn(branch: Branch) -> Tree:
    sign, style = _MARK_SIGN[branch.mark]
    note = Styled(f"  {branch.note}" if branch.note else "", style or "dim")
    return Tree(line(Styled(sign + branch.name, style), note), [_drawn(child) for child in branch.children])
