"""Why a query resolves as it does: each part kept or dropped, each reading and its cost, the paths drawn.

`explain` gives values; `report.lines` turns them into text.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from qilin.answer.resolution import Resolution
from qilin.answer.values import OrgPath
from qilin.dates import DateMention
from qilin.names.find import FORM, form_text
from qilin.names.mention import EDITED, HOMOPHONE, MERGED_SOUND, SWAPPED, Candidate, IndicatorMention, OrgMention, Part
from qilin.readings.cost import Cost, deciding
from qilin.readings.lattice import with_shorter
from qilin.readings.reading import Group, Reading
from qilin.readings.search import costed
from qilin.report.case import Case, best_states
from qilin.report.explanation import Explanation, MentionKind, MentionNote, Naming, ReadingNote, Verdict
from qilin.report.reasons import fault, why_dropped, why_first, why_not_named
from qilin.report.tree import draw
from qilin.verdict.status import conclude

if TYPE_CHECKING:
    from qilin.resolver import Engine

_TYPO = {HOMOPHONE: "同音字", MERGED_SOUND: "近音字", SWAPPED: "相邻两字颠倒", EDITED: "一字之差"}


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
    considered = costed(considered)
    rules = conclude(tables, asked, considered)
    resolution, gap = engine.fill_gaps([(tables, asked, considered, rules)])[0]
    case = Case(tables, asked, considered, resolution)
    chosen = list(dict.fromkeys(part for reading in considered.readings for part in reading.segmentation.parts))
    kept = [part for part in chosen if not case.swallowed_by(part)]
    accidents = [each.mention for each in considered.dropped]
    used = [part for part in considered.parts if part not in accidents]
    weighed = [*used, *_shorter(used), *considered.refused, *accidents, *chosen]
    same = {_content(part) for part in kept}
    dropped = [part for content, part in {_content(p): p for p in reversed(weighed)}.items() if content not in same]
    return Explanation(
        query=query,
        kept=tuple(_kept_note(case, p) for p in sorted(kept, key=_place)),
        dropped=tuple(_dropped_note(case, p, kept) for p in sorted(dropped, key=_place)),
        readings=tuple(_reading_notes(case)),
        tree=draw(case),
        resolution=resolution,
        gap=gap,
    )


def _place(part: Part) -> tuple[int, int]:
    return part.start, part.end


def _content(part: Part) -> tuple[object, ...]:
    """What a part says: 浦东|新区 and 浦东新|区 are two mentions with the same candidates."""
    return (type(part), *part[:2], part.name.candidates if isinstance(part, OrgMention) else part[2:])


def _shorter(parts: Sequence[Part]) -> list[Part]:
    """Mentions with less of a suffix, where that names other organisations: 利津 of 利津供电所."""
    known = {(p.start, node) for p in parts if isinstance(p, OrgMention) for node in p.name.nodes}
    return [
        m
        for m in with_shorter((), parts)
        if isinstance(m, OrgMention) and any((m.start, node) not in known for node in m.name.nodes)
    ]


# ── mentions ─────────────────────────────────────────────────────────────────────────────────────


def _note(case: Case, part: Part) -> MentionNote:
    start, end = case.asked.folded.span(part.start, part.end)
    kind: MentionKind
    meaning = ""
    if isinstance(part, OrgMention):
        kind = "organisation"
    elif isinstance(part, IndicatorMention):
        kind, meaning = "indicator", part.indicator
    elif isinstance(part, DateMention):
        kind, meaning = "date", f"{part.first} 至 {part.last}" if part.first is not None else "不能理解的日期"
    else:
        kind, meaning = part.kind, part.level.chinese if part.level is not None else ""
    return MentionNote(text=case.asked.query[start:end], start=start, end=end, kind=kind, meaning=meaning)


def _kept_note(case: Case, part: Part) -> MentionNote:
    note = _note(case, part)
    source = next((e.source for e in case.resolution.entities if (e.start, e.end) == (note.start, note.end)), None)
    namings: tuple[Naming, ...] = ()
    if isinstance(part, OrgMention):
        groups = [g for r in case.considered.readings for g in r.groups if part in g.mentions]
        found = [_naming(case, part, c, groups) for c in part.name.candidates]
        namings = tuple(sorted(found, key=lambda n: not n.chosen))
    return note.model_copy(update={"namings": namings, "source": source})


def _dropped_note(case: Case, part: Part, kept: Sequence[Part]) -> MentionNote:
    namings: tuple[Naming, ...] = ()
    if isinstance(part, OrgMention):
        namings = tuple(_naming(case, part, c, ()) for c in part.name.candidates)
    return _note(case, part).model_copy(update={"namings": namings, "reason": why_dropped(case, part, kept)})


def _naming(case: Case, mention: OrgMention, candidate: Candidate, groups: Sequence[Group]) -> Naming:
    node = candidate.node
    chosen = any(node == state.nodes[g.mentions.index(mention)] for g in groups for state in best_states(g))
    return Naming(
        path=case.path(node),
        form=form_text(candidate),
        typo=_TYPO.get(candidate.typo),
        chosen=chosen,
        why="" if chosen or not groups else why_not_named(case, mention, candidate, groups[0]),
    )


# ── readings ─────────────────────────────────────────────────────────────────────────────────────


def _reading_notes(case: Case) -> list[ReadingNote]:
    """The readings that are equally good, then those that lost, the best first."""
    considered = case.considered
    first, *others = considered.readings
    assert first.cost is not None
    clashes = first.clashes and case.resolution.status == "conflict"
    verdict: Verdict = "clashes" if clashes else "tied" if others else "wins"
    notes = [_reading_note(case, first, first.cost, verdict, None, why_first(case, first, others))]
    for reading in others:
        notes.append(
            _reading_note(case, reading, reading.cost or first.cost, "tied", None, "与上一种同样好，不能靠猜测选择")
        )
    lost = [(reading.cost, reading) for reading in considered.lost if reading.cost is not None]
    for cost, reading in sorted(lost, key=lambda pair: pair[0]):
        decided = deciding(first.cost, cost)
        note = _reading_note(case, reading, cost, "lost", decided, fault(first.cost, cost))
        if note not in notes:
            notes.append(note)
    return notes


def _reading_note(
    case: Case, reading: Reading, cost: Cost, verdict: Verdict, decided: str | None, why: str
) -> ReadingNote:
    segmentation = reading.segmentation
    forms = [mention.name.form for group in reading.groups for mention in group.mentions]
    return ReadingNote(
        verdict=verdict,
        mentions=tuple(map(case.text, segmentation.parts)),
        organisations=tuple(_group_text(case, g) for g in reading.groups),
        clashes=tuple(f"{case.text(c.upper)} ✗ {case.text(c.lower)}" for c in reading.clashes),
        unexplained=tuple(case.asked.written(a, b) for a, b in segmentation.runs),
        content=segmentation.leftover,
        typos=sum(group.via.typos for group in reading.groups),
        form=FORM[max(forms)] if forms else "无单位",
        cost={name: value for name, value in cost._asdict().items() if value},
        decided=decided,
        why=why,
    )


def _group_text(case: Case, group: Group) -> str:
    shown = "、".join(str(case.path(node)) for node in group.options[:3])
    more = f" 等 {len(group.options)} 个" if len(group.options) > 3 else ""
    return ("除去 " if group.excluded else "") + shown + more
