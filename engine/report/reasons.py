"""Reasons, in Chinese: why a mention, an organisation or a reading was left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from qilin.names.mention import Candidate, OrgMention, Part
from qilin.readings.cost import Cost, cost_of_path, deciding, distance
from qilin.readings.reading import Group, Reading
from qilin.readings.search import best_with
from qilin.readings.support import Dropped
from qilin.report.case import Case

SOURCE = {
    "exact": "与表中名称相同", "alias": "别名或简称", "fuzzy": "错别字", "pattern": "句式", "scope": "提问者所在单位",
    "context": "上一个问题", "graph": "组织表", "default": "默认值", "llm": "模型",
}  # fmt: skip
_FURTHER = ("离上一个问题所问的单位更远", "不在提问者所在单位之内")
# Of each component of the cost: the fault of the loser, and the merit of the winner.
_FAULTS: dict[str, str] = {
    "torn": "拆开了一个更长的名称",
    "leftover": "留下更多没有解释的字",
    "clashes": "两个单位不在同一条路径上",
    "abrupt": "错字读法另起了一个单位",
    "steering": "作为日期、指标和句式解释的字更少",
    "named": "单位名称解释的字更少",
    "repeats": "会让同一单位被说两次",
    "typos": "错别字更重",
    "form": "写法不如选中的完整",
    "depth": "写法一样时取上级单位",
    "upward": "与语序相反",
    "distance": "离同一句话里的其他单位更远",
}
_MERITS: dict[str, str] = {
    "torn": "没有拆开更长的名称",
    "leftover": "留下的字更少",
    "clashes": "单位之间没有冲突",
    "abrupt": "没有另起单位",
    "distance": "更接近提问者所在单位，或上一个问题所问的单位",
    "steering": "日期、指标和句式解释的字更多",
    "named": "单位名称解释的字更多",
    "typos": "错别字更轻",
    "form": "写法更完整",
}
_UNSUPPORTED = {
    "tail": "只是名称略去上级后的尾部，紧靠前面没有它的上级",
    "word": "也是普通词；紧靠前面没有它的上级，后面没有后缀，不足以当作单位",
    "rest": "前面还有没有解释的字，可能是一个更长名称的后半段",
    "lonely": "这个错别字读法需要路径上的另一个提及支持，而这里没有",
}


def fault(winner: Cost, loser: Cost) -> str:
    """Why the loser lost: the first component in which it is worse; "" where none is."""
    component = deciding(winner, loser)
    if component == "leftover":
        return f"{_FAULTS[component]}（{loser.leftover} > {winner.leftover}）"
    return "" if component is None else _FAULTS[component]


def merit(winner: Cost, loser: Cost) -> str:
    """Why the winner won over this loser."""
    component = deciding(winner, loser)
    if component == "leftover":
        return f"{_MERITS[component]}（{winner.leftover} < {loser.leftover}）"
    return "" if component is None else _MERITS[component]


# ── readings ─────────────────────────────────────────────────────────────────────────────────────


def why_first(case: Case, first: Reading, others: Sequence[Reading]) -> str:
    """Why the first reading is the first, and what the answer still holds against it."""
    return "；".join(filter(None, (_why_best(case, first, others), *_reservations(case, first))))


def _why_best(case: Case, first: Reading, others: Sequence[Reading]) -> str:
    if first.clashes:
        return "留下字最少的读法里，没有一种能让所有单位在同一条路径上"
    if others:
        return f"有 {len(others) + 1} 种同样好的读法，不能靠猜测选择"
    group = next((g for g in first.groups if len(g.options) > 1), None)
    if group is not None:
        text = "、".join(map(case.text, group.mentions))
        costs = [min(_costs(case, group, option)) for option in group.options]
        equal = "条件完全相同" if len(set(costs)) == 1 else "写法更合适的离前面的单位更远，不能靠猜测选择"
        return f"“{text}”对应 {len(group.options)} 个单位，{equal}"
    chosen = next((g for g in first.groups if g.source in ("scope", "context")), None)
    if chosen is not None:
        near = "在提问者所在单位之内的" if chosen.source == "scope" else "离上一个问题所问单位最近的"
        return f"同样好的单位里，取{near}"
    merits = [merit(first.cost, r.cost) for r in case.considered.lost if first.cost is not None and r.cost is not None]
    return "；".join(dict.fromkeys(filter(None, merits))) or "没有别的读法代价这样小"


def _reservations(case: Case, first: Reading) -> Iterator[str]:
    """What keeps the answer from being that of the first reading."""
    for part in first.segmentation.parts:
        if unknown := case.swallowed_by(part):
            yield f"但“{case.text(part)}”是组织表中没有的“{unknown}”的一部分"
    for group in first.groups:
        for mention, node in zip(group.mentions, group.via.nodes, strict=True):
            if node in mention.name.guesses:
                yield f"但“{case.text(mention)}”与表中名称相差较多，需要确认"
    if any(c.kind == "exclusion" for c in case.resolution.conflicts):
        yield "但要除去的单位不在所查询的单位之内"


def _costs(case: Case, group: Group, node: int, mention: int | None = None) -> list[Cost]:
    """The costs of the states of a group that end at a node, or in which one of its mentions is the node."""
    hierarchy = case.tables.hierarchy
    return [
        cost_of_path(s, distance(hierarchy, s.deepest, group.after))
        for s in group.states
        if (s.deepest if mention is None else s.nodes[mention]) == node
    ]


# ── organisations of a mention ───────────────────────────────────────────────────────────────────


def why_not_named(case: Case, mention: OrgMention, candidate: Candidate, group: Group) -> str:
    """Why a mention that was kept does not mean one of the organisations it could name."""
    hierarchy, node = case.tables.hierarchy, candidate.node
    costs = _costs(case, group, node, group.mentions.index(mention))
    if costs:
        asked = [o for g in case.considered.readings[0].groups if not g.excluded for o in g.options]
        if group.excluded and asked and not any(top < node <= hierarchy.last[top] for top in asked):
            return "不在所查询的单位之内"
        best = min(cost for option in group.options for cost in _costs(case, group, option))
        if deciding(best, min(costs)) == "form" and len(group.mentions) > 1:
            return "整条路径的写法不如选中的完整"
        return fault(best, min(costs)) or _FURTHER[group.source == "scope"]
    last = hierarchy.last
    apart = [
        case.text(m)
        for m in group.mentions
        if not any(n <= node <= last[n] or node <= n <= last[node] for n in m.name.nodes)
    ]
    return f"与“{apart[0] if apart else '其余提及'}”不在同一条路径上"


# ── parts that were dropped ──────────────────────────────────────────────────────────────────────


def why_dropped(case: Case, part: Part, kept: Sequence[Part]) -> str:
    """Why a part of the lattice is not in the winning readings: recorded, or by what it would cost to keep it."""
    considered = case.considered
    if (unknown := case.swallowed_by(part)) and part in considered.readings[0].segmentation.parts:
        return f"是组织表中没有的“{unknown}”的一部分"
    for each in considered.dropped:
        if each.mention == part:
            return _unsupported(case, each)
    if any(part in reading.segmentation.parts for reading in considered.readings):
        return "是另一种同样好的读法"
    winner, other = best_with(case.tables, considered, part)
    assert winner.cost is not None and other.cost is not None
    if part in considered.refused:
        if other.clashes:
            return "采用这个错字读法，仍有单位不在同一条路径上"
        if other.cost.leftover >= winner.cost.leftover:
            return "错别字读法没有让整句解释得更完整"
        return "和其他错字读法一起，没有让整句解释得更完整"
    reason = fault(winner.cost, other.cost)
    if deciding(winner.cost, other.cost) == "steering" and isinstance(part, OrgMention):
        reason = "日期、指标和句式优先于单位名"
    touching = [p for p in kept if p.start < part.end and part.start < p.end]
    longer = next((p for p in touching if p.start <= part.start and part.end <= p.end), None)
    if not reason:
        reason = _lattice_rule(part, longer, winner, other)
    if longer is None:
        return f"与“{case.text(touching[0])}”重叠；{reason}" if touching else reason
    if (longer.start, longer.end) == (part.start, part.end):
        return f"同一处取了另一种读法；{reason}"
    return f"包含在更长的“{case.text(longer)}”之内；{reason}"


def _lattice_rule(part: Part, longer: Part | None, winner: Reading, other: Reading) -> str:
    """Why the lattice leaves out a part that would cost no more: it prefers the longer of two names of one thing."""
    if (
        isinstance(part, OrgMention)
        and isinstance(longer, OrgMention)
        and set(part.name.nodes) & set(longer.name.nodes)
    ):
        return "是更长的同一单位名称的一部分"
    if len(other.segmentation.parts) > len(winner.segmentation.parts):
        return "解释同样多的字时取较长的一个"
    if winner.answer == other.answer:
        return "取它得到的是同样的答案"
    return "取它的读法没有更好"


def _unsupported(case: Case, dropped: Dropped) -> str:
    if dropped.across is not None:
        return f"是从“{case.asked.written(*dropped.across)}”一词中截出来的"
    return _UNSUPPORTED[dropped.reason]
