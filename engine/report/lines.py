"""An explanation as lines of text. Decides nothing."""

from __future__ import annotations

from collections.abc import Iterator

from qilin.llm.record import GapRecord
from qilin.report.explanation import Branch, Explanation, Mark, MentionNote, ReadingNote
from qilin.report.reasons import SOURCE
from qilin.report.text import Line, Styled, Tree, labelled, line, resolution_lines, tree_lines

_VERDICT = {"wins": "胜出", "tied": "并列", "lost": "落选", "clashes": "冲突"}
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
