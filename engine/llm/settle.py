"""From an answer back to a resolution: what was said becomes mentions, and the rules read again.

So the hierarchy has the last word: an organisation is chosen by its place in the table, never by the
words of the model, and nothing that the rules were sure of may change.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from qilin.answer.resolution import Resolution
from qilin.answer.values import Entity, OrgPath, Unknown
from qilin.dates import DateMention, find_dates
from qilin.llm.gaps import Gaps, Organisations, folded_span
from qilin.llm.legal import Said, Tagged, read_answer
from qilin.llm.protocol import Choice, Free, GapAnswer, Settled
from qilin.llm.record import GapRecord, RecordedSegment, Verdict
from qilin.names.compiled import Tables
from qilin.names.mention import IndicatorMention, OrgMention, OrgName, Part, Sense
from qilin.readings.asked import Asked
from qilin.readings.cost import cheapest
from qilin.readings.lattice import lay_out
from qilin.readings.link import link
from qilin.readings.reading import Group, Reading
from qilin.readings.search import Considered
from qilin.readings.whereabouts import nearest
from qilin.verdict import sentences
from qilin.verdict.status import conclude

_UNSCORED = 0.5  # score of an indicator or a date whose backend tells none


class Answered(NamedTuple):
    """The resolution in the end, and how it came about."""

    resolution: Resolution
    record: GapRecord


class _Note(NamedTuple):
    """What became of one thing that was said."""

    verdict: Verdict
    why: str = ""


class _Change(NamedTuple):
    """A part that the answer adds or narrows: those in `gone` give way to it."""

    part: Part
    gone: tuple[Part, ...]
    opening: int
    score: float
    certain: bool  # its score reaches the threshold


def settle(
    tables: Tables,
    asked: Asked,
    considered: Considered,
    resolution: Resolution,
    gaps: Gaps,
    answer: GapAnswer,
    *,
    filler: str,
    threshold: float,
    settles: bool,
) -> Answered:
    """The rules' answer with what a model said of its gaps; or as it was, and why.

    Args:
        resolution: the rules' answer.
        threshold: least score at which what is said is taken.
        settles: whether a choice may settle an organisation, or only puts it first.
    """
    case = _Case(tables, asked, considered, resolution, gaps, threshold, settles)
    said = None if answer.error else read_answer(answer.text, gaps.request)
    if said is None:
        reason = answer.error or _why_illegal(answer.text)
        return case.degraded(reason, answer, filler)
    scores = _sound(answer.scores, len(gaps.openings))
    changes, notes, preferred = case.weigh(said, scores)
    outcome: Resolution | str = case.read_again(changes) if changes else resolution
    if isinstance(outcome, str):
        refused = _Note("rejected", "与组织表或已经确定的内容不符，整个回答未采用")
        notes = {i: refused if note.verdict == "accepted" else note for i, note in notes.items()}
        return case.degraded(
            f"the hierarchy rejects the model's answer: {outcome}", answer, filler, said, scores, notes
        )
    for opening, node in preferred:
        outcome = _preferring(tables, outcome, opening, node)
    return Answered(outcome, case.record(answer, filler, said, scores, notes, None))


def _why_illegal(text: object) -> str:
    if not isinstance(text, str):
        return "the model's answer is no text"
    return "the model's answer is not one of those allowed" if text.strip() else "the model's answer is empty"


def _sound(scores: object, count: int) -> tuple[float | None, ...]:
    """The scores, None in the place of what is none: not in (0, 1], missing, too many."""
    if not isinstance(scores, Sequence) or isinstance(scores, str) or len(scores) != count:
        return (None,) * count
    return tuple(float(s) if isinstance(s, int | float) and math.isfinite(s) and 0 < s <= 1 else None for s in scores)


class _Case:
    """One query while its answer is being read."""

    def __init__(
        self,
        tables: Tables,
        asked: Asked,
        considered: Considered,
        resolution: Resolution,
        gaps: Gaps,
        threshold: float,
        settles: bool,
    ) -> None:
        self._tables = tables
        self._asked = asked
        self._considered = considered
        self._rules = resolution
        self._gaps = gaps
        self._threshold = threshold
        self._settles = settles

    # ── what was said ────────────────────────────────────────────────────────────────────────────

    def weigh(
        self, said: Sequence[Said], scores: Sequence[float | None]
    ) -> tuple[list[_Change], dict[int, _Note], list[tuple[Organisations, int]]]:
        """What to change, what becomes of each opening, and choices too unsure to settle."""
        changes: list[_Change] = []
        notes: dict[int, _Note] = {}
        preferred: list[tuple[Organisations, int]] = []
        for i, (opening, said_here, score) in enumerate(zip(self._gaps.openings, said, scores, strict=True)):
            if isinstance(opening, Organisations):
                if not said_here.choice:
                    notes[i] = _Note("left open")
                    continue
                node = opening.nodes[said_here.choice - 1]
                if opening.group is None or score is None or self._unsettled(score):
                    preferred.append((opening, node))
                    notes[i] = _Note("unsure", self._why_first(opening, score))
                elif change := self._narrowed(i, opening.group, node, score):
                    changes += change
                    notes[i] = _Note("accepted")
                else:
                    notes[i] = _Note("rejected", "与句子里的其他提及不符")
            else:
                found = [self._marked(i, opening.start, tag, score) for tag in said_here.tags]
                changes += [c for c in found if isinstance(c, _Change)]
                refused = [c for c in found if isinstance(c, _Note)]
                why = "；".join(note.why for note in refused)
                if not found:
                    notes[i] = _Note("left open")
                elif len(refused) == len(found):
                    notes[i] = _Note(refused[0].verdict, why)
                else:
                    notes[i] = _Note("accepted", why)
        return changes, notes, preferred

    def _unsettled(self, score: float) -> bool:
        return not self._settles or score < self._threshold

    def _why_first(self, opening: Organisations, score: float | None) -> str:
        """Why a choice settles nothing and only comes first."""
        if opening.group is None:
            return "组织表中没有这个名称，不能由模型代为确定，只排到建议的最前面"
        if not self._settles:
            return "由提问者确定单位，模型的选择只排到候选的最前面"
        reason = "没有可信度" if score is None else f"可信度 {score:.2f} 低于 {self._threshold:.2f}"
        return f"{reason}，只排到候选的最前面"

    def _narrowed(self, number: int, group: Group, node: int, score: float) -> list[_Change]:
        """The mentions of an ambiguous target, without the organisations that were not chosen."""
        states = [s for s in group.states if s.deepest == node]
        if not states:
            return []
        best = cheapest(states)
        changes = []
        for i, mention in enumerate(group.mentions):
            name = mention.name
            wanted = {s.nodes[i] for s in best}
            possible = {s.nodes[i] for s in group.states if s.deepest in group.options}
            if possible <= wanted and not wanted & name.guesses:
                continue  # exact, or not in doubt: the model had no say in it
            left = tuple(
                Sense((c.node,), c.form, c.depth, c.alias, False, c.typo) for c in name.candidates if c.node in wanted
            )
            narrower = OrgName(
                left, self._tables.hierarchy.levels, stem=name.stem, bare=name.bare, tail=name.tail, source=name.source
            )
            changes.append(_Change(mention._replace(name=narrower), (mention,), number, score, True))
        return changes

    def _marked(self, number: int, offset: int, tag: Tagged, score: float | None) -> _Change | _Note:
        """A tagged stretch as a part; or why it cannot be one."""
        asked, text = self._asked, self._considered.text
        first, last = offset + tag.start, offset + tag.end
        written = asked.query[first:last]
        if not any(u.start < last and first < u.end for u in self._rules.unknown):
            return _Note("rejected", f"“{written}”没有碰到未解释的文字")
        start, end = folded_span(asked, first, last)
        if start >= end or not asked.folded.is_whole(start, end):
            return _Note("rejected", f"“{written}”没有可以标注的文字")
        parts = {p for r in self._considered.readings for p in r.segmentation.parts}
        gone = tuple(p for p in parts if p.start < end and start < p.end)
        if any(p.start < start or end < p.end for p in gone):
            return _Note("rejected", f"“{written}”只是一个更长的日期的一部分")
        sure = score if score is not None else _UNSCORED
        certain = score is not None and score >= self._threshold
        if tag.tag == "Indicator":
            if gone:
                return _Note("rejected", f"“{written}”里有不能理解的日期，不能当作指标")
            if score is not None and not certain:
                return _Note("unsure", f"“{written}”的可信度 {score:.2f} 低于 {self._threshold:.2f}，仍算未解释的文字")
            return _Change(IndicatorMention(start, end, written), gone, number, sure, certain)
        mention = DateMention(start, end, None, None)
        today = asked.today()
        around = [m for m in find_dates(text, today) if m.start < end and start < m.end]
        if all(start <= m.start and m.end <= end for m in around):
            found = find_dates(text[start:end], today)
            if len(found) == 1 and (found[0].start, found[0].end) == (0, end - start):
                mention = DateMention(start, end, found[0].first, found[0].last)
        return _Change(mention, gone, number, sure, certain)

    # ── reading again ────────────────────────────────────────────────────────────────────────────

    def read_again(self, changes: Sequence[_Change]) -> Resolution | str:
        """The rules' answer to the query with these mentions; or why they cannot be."""
        tables, asked, considered = self._tables, self._asked, self._considered
        gone = {p for c in changes for p in c.gone}
        added = [c.part for c in changes]
        readings = []
        for reading in considered.readings:
            kept = [p for p in reading.segmentation.parts if p not in gone]
            if any(p.start < a.end and a.start < p.end for p in kept for a in added):
                return "what it says overlaps a mention that is certain"
            parts = tuple(sorted([*kept, *added], key=lambda p: p.start))
            segmentation = lay_out(considered.text, parts, tables.filler)
            readings.append(link(considered.text, segmentation, tables.hierarchy, tables.filler))
        if any(r.clashes for r in readings):
            return "no path joins the chosen organisation with the others"
        readings = nearest(tables, asked, readings).readings
        again = considered._replace(parts=[*considered.parts, *added], readings=readings)
        outcome = conclude(tables, asked, again)
        outcome = outcome.model_copy(update={"entities": tuple(self._signed(outcome, changes))})
        return self._objection(outcome, changes, readings) or self._cautious(outcome, changes)

    def _signed(self, outcome: Resolution, changes: Sequence[_Change]) -> Iterator[Entity]:
        """The entities, those that the model told marked as its own."""
        scores = {self._asked.folded.span(c.part.start, c.part.end): c.score for c in changes}
        for entity in outcome.entities:
            score = scores.get((entity.start, entity.end)) if entity.start is not None else None  # type: ignore[arg-type]
            yield entity if score is None else entity.model_copy(update={"source": "llm", "score": score})

    def _objection(self, outcome: Resolution, changes: Sequence[_Change], readings: Sequence[Reading]) -> str:
        """What the answer would change though the rules were sure of it; "" for nothing."""
        if outcome.status == "conflict":
            return "it would make a conflict"
        spans = {self._asked.folded.span(c.part.start, c.part.end) for c in changes}
        known = {_content(e) for e in outcome.entities}
        for entity in self._rules.entities:
            if entity.start is not None and (entity.start, entity.end) not in spans and _content(entity) not in known:
                return f"it would change {entity.text!r}, which is certain"
        lost = set(self._rules.targets) - set(outcome.targets)
        if (lost and outcome.status != "unresolved") or set(self._rules.excluded) - set(outcome.excluded):
            return "it would change an organisation that is certain"
        if self._rules.group_by != outcome.group_by:
            return "it would change the breakdown"
        for unknown in self._rules.unknown:
            if unknown.kind != "other" and not _still_open(unknown, outcome, spans):
                return f"it would hide {unknown.text!r}, which is not settled"
        for change in changes:
            opening = self._gaps.openings[change.opening]
            if isinstance(opening, Organisations) and isinstance(change.part, OrgMention):
                wanted = set(change.part.name.nodes)
                groups = [g for r in readings for g in r.groups if change.part in g.mentions]
                if not groups or not any(wanted & set(s.nodes) for g in groups for s in g.states):
                    return "the chosen organisation does not fit the rest"
        return ""

    def _cautious(self, outcome: Resolution, changes: Sequence[_Change]) -> Resolution:
        """The outcome; resolved only where what was said is certain enough for it."""
        rules = self._rules
        if outcome.status == "resolved" != rules.status and not all(c.certain for c in changes):
            kept = {"status": rules.status, "question": rules.question, "candidates": rules.candidates}
            return outcome.model_copy(update=kept)
        return outcome

    # ── the record ───────────────────────────────────────────────────────────────────────────────

    def degraded(
        self,
        reason: str,
        answer: GapAnswer,
        filler: str,
        said: Sequence[Said] = (),
        scores: Sequence[float | None] = (),
        notes: dict[int, _Note] | None = None,
    ) -> Answered:
        """The rules' answer, marked with why the model's is not used."""
        record = self.record(answer, filler, said, scores, notes or {}, reason)
        return Answered(self._rules.model_copy(update={"degraded": reason}), record)

    def record(
        self,
        answer: GapAnswer,
        filler: str,
        said: Sequence[Said],
        scores: Sequence[float | None],
        notes: dict[int, _Note],
        reason: str | None,
    ) -> GapRecord:
        parts: list[RecordedSegment] = []
        number = 0
        for segment in self._gaps.request.segments:
            if isinstance(segment, Settled):
                parts.append(RecordedSegment(kind="settled", text=segment.text))
                continue
            here = said[number] if said else None
            note = notes.get(number, _Note("no answer"))
            parts.append(
                RecordedSegment(
                    kind="choice" if isinstance(segment, Choice) else "free",
                    text=segment.text if isinstance(segment, Free) else segment.alternatives[0],
                    alternatives=segment.alternatives[1:] if isinstance(segment, Choice) else (),
                    said=answer.text[here.begin : here.end] if here else None,
                    score=scores[number] if said else None,
                    verdict=note.verdict,
                    why=note.why,
                )
            )
            number += 1
        text = answer.text if isinstance(answer.text, str) else repr(answer.text)
        return GapRecord(
            filler=filler,
            parts=tuple(parts),
            answer=text or None,
            degraded=reason,
            forward_passes=answer.forward_passes,
            latency_ms=answer.latency_ms,
        )


def _content(entity: Entity) -> tuple[Any, ...]:
    """What an entity says; its group is only a number."""
    return (entity.type, entity.name, entity.text, entity.start, entity.end, entity.source, entity.score, entity.note)


def _still_open(unknown: Unknown, outcome: Resolution, spans: Iterable[tuple[int, int]]) -> bool:
    """Whether what the rules could not settle is still asked about, or was what the model was asked."""
    if (unknown.start, unknown.end) in spans and unknown.kind == "organisation":
        return True
    if any(u.start <= unknown.start and unknown.end <= u.end and u.kind == unknown.kind for u in outcome.unknown):
        return True
    return unknown.kind == "date" and any(a <= unknown.start and unknown.end <= b for a, b in spans)


def _preferring(tables: Tables, resolution: Resolution, opening: Organisations, node: int) -> Resolution:
    """The chosen organisation in front of the others, and nothing settled."""
    path: OrgPath = tables.org_path(node)
    if opening.group is not None:
        if path not in resolution.candidates:
            return resolution
        ordered = (path, *(c for c in resolution.candidates if c != path))
        question = resolution.question
        if question is not None:
            question = question.replace(sentences.listed(resolution.candidates), sentences.listed(ordered))
        return resolution.model_copy(update={"candidates": ordered, "question": question})
    unknown = next((u for u in resolution.unknown if u.start < opening.end and opening.start < u.end), None)
    if unknown is None:
        return resolution
    suggestions = (str(path), *(s for s in unknown.suggestions if s != str(path)))[: max(3, len(unknown.suggestions))]
    better = unknown.model_copy(update={"suggestions": suggestions})
    question = resolution.question
    if question == sentences.no_such(unknown):
        question = sentences.no_such(better)
    return resolution.model_copy(
        update={"unknown": tuple(better if u == unknown else u for u in resolution.unknown), "question": question}
    )
