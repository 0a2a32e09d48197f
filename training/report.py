"""An evaluation as Markdown, as JSON, and as one HTML page without other files."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from qilin.answer.markup import TAGS
from qilin.answer.values import LEVEL_NAMES
from qilin.training import document
from qilin.training.document import COLOURS, html_table, label, markdown_table, svg
from qilin.training.evaluate import Evaluation, as_json
from qilin.training.measure import Interval
from qilin.training.scoring import Point, Score

_SETS: Final = {
    "seed": "the task's own questions",
    "hold-out": "organisations never trained on",
    "gaps": "gap questions: the rules leave something open",
}
_SAID: Final = ("none", *LEVEL_NAMES, "other")


def write_report(report: Evaluation, folder: Path) -> list[Path]:
    """Write `evaluation.md`, `evaluation.json` and `evaluation.html` to a folder, made if there is none."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = {
        "evaluation.md": markdown(report),
        "evaluation.json": json.dumps(as_json(report), ensure_ascii=False, indent=1) + "\n",
        "evaluation.html": page(report),
    }
    for name, content in contents.items():
        (folder / name).write_text(content, encoding="utf-8", newline="\n")
    return [folder / name for name in contents]


# ── figures as text ──────────────────────────────────────────────────────────────────────────────


def share(interval: Interval, *, ends: bool = True) -> str:
    """A share as 93.1 % (91.0–94.9); without `ends` only the value."""
    value = f"{100 * interval.value:.1f} %"
    return f"{value} ({100 * interval.low:.1f}–{100 * interval.high:.1f})" if ends else value


def points(gain: Interval) -> str:
    """A difference of shares, in percentage points."""
    return f"{100 * gain.value:+.1f} points ({100 * gain.low:+.1f} to {100 * gain.high:+.1f})"


def verdict(report: Evaluation) -> str:
    """Whether the model earns its place, in a sentence."""
    if not report.gain:
        return "No model was evaluated."
    said = (
        f"On the gap questions, rules and model are right {points(report.gain['all'])} more often than the rules alone, "
        f"and silently wrong {points(report.more_errors)} more often"
    )
    if report.earns_its_place:
        return f"{said}: the model earns its place."
    return f"{said}: the model does not earn its place."


def _main_table(scores: dict[str, Score]) -> tuple[list[str], list[list[str]]]:
    head = ["", "questions", "exact", "tags right", "silently wrong", "breaks the hierarchy", "resolved"]
    head += ["asked", "passes", "p50, p95, p99 ms"]
    rows = []
    for system, s in scores.items():
        times = ", ".join(f"{t:.2f}" if t < 10 else f"{t:.0f}" for t in s.latency_ms.values())
        certain = "–" if system.startswith("model") else share(s.resolved, ends=False)
        figures = [share(s.exact), share(s.tags_right), share(s.silently_wrong), share(s.breaks_hierarchy), certain]
        rows.append(
            [system, str(s.questions), *figures, share(s.reached, ends=False), f"{s.forward_passes:.2f}", times]
        )
    return head, rows


def _f1_table(scores: dict[str, Score]) -> tuple[list[str], list[list[str]]]:
    return ["F1", *TAGS], [[system, *(f"{s.f1[tag]:.3f}" for tag in TAGS)] for system, s in scores.items()]


def _kind_table(scores: dict[str, Score], gain: dict[str, Interval]) -> tuple[list[str], list[list[str]]]:
    kinds = list(scores["rules"].by_kind)
    head = ["exact, by kind", *scores, *(["rules → both"] if gain else [])]
    rows = []
    for kind in kinds:
        found = [share(s.by_kind[kind], ends=False) if kind in s.by_kind else "–" for s in scores.values()]
        rows.append([kind, *found, *([points(gain[kind])] if gain else [])])
    return head, rows


def _level_table(score: Score) -> tuple[list[str], list[list[str]]]:
    rows = [
        [level, *(str(score.levels[level].get(said, 0)) for said in _SAID)]
        for level in ("none", *LEVEL_NAMES)
        if level in score.levels
    ]
    return ["right level ↓, said →", *_SAID[:-1], "another of the level"], rows


def _curve_table(curve: Sequence[Point]) -> tuple[list[str], list[list[str]]]:
    head = ["threshold", "resolved", "of these right", "all right", "silently wrong"]
    return head, [[f"{p.threshold:g}", *(f"{100 * value:.1f} %" for value in p[1:])] for p in curve]


# ── Markdown ─────────────────────────────────────────────────────────────────────────────────────


def markdown(report: Evaluation) -> str:
    """The report as Markdown."""
    return "\n".join(_markdown(report)) + "\n"


def _markdown(report: Evaluation) -> Iterator[str]:
    yield "# Evaluation\n"
    yield _about(report, "`{}`") + "\n"
    yield verdict(report) + "\n"
    for name, scores in report.scores.items():
        yield f"## {name}: {_SETS[name]}\n"
        yield from markdown_table(*_main_table(scores))
        yield from markdown_table(*_f1_table(scores))
        if name != "seed":
            yield from markdown_table(*_kind_table(scores, report.gain if name == "gaps" else {}))
        for system, s in scores.items():
            yield f"Levels, {system}:\n"
            yield from markdown_table(*_level_table(s))
    if report.curve:
        yield "## Coverage and accuracy as the threshold moves (gap questions, both)\n"
        yield from markdown_table(*_curve_table(report.curve))
    if report.examples:
        yield "## Where the model changed the outcome\n"
        head = ["", "kind", "question", "right", "rules", "both"]
        rows = [[e["outcome"], e["kind"], e["query"], e["right"], e["rules"], e["both"]] for e in report.examples]
        yield from markdown_table(head, [[*row[:2], *(f"`{cell}`" for cell in row[2:])] for row in rows])


def _about(report: Evaluation, code: str) -> str:
    facts = [f"Model: {code.format(report.model)}" if report.model else "No model"]
    facts.append(f"table: {code.format(Path(report.table).name)} ({report.organisations} organisations)")
    facts.append(f"seed {report.seed}")
    if report.model:
        facts.append(
            f"threshold {report.threshold:g}, {'chosen on the split `valid`' if report.threshold_chosen else 'given'}"
        )
    text = "; ".join(facts) + ". Figures are with 95 % confidence intervals: Wilson for shares, bootstrap for gains."
    if report.ordinary:
        text += f" Ordinary questions that reach the model: {share(report.ordinary)}."
    return text


# ── HTML ─────────────────────────────────────────────────────────────────────────────────────────


def page(report: Evaluation) -> str:
    """The report as one HTML page, plots included."""
    sections = [
        f"<h1>Evaluation</h1><p>{_about(report, '<code>{}</code>').replace('`valid`', '<code>valid</code>')}</p>"
    ]
    sections.append(f"<p><strong>{html.escape(verdict(report))}</strong></p>")
    for name, scores in report.scores.items():
        sections.append(f"<h2>{name}: {html.escape(_SETS[name])}</h2>")
        sections.append(_bars(scores))
        sections.append(html_table(*_main_table(scores)))
        sections.append(html_table(*_f1_table(scores)))
        if name != "seed":
            sections.append(html_table(*_kind_table(scores, report.gain if name == "gaps" else {})))
        grids = "".join(
            f"<figure>{_grid(s)}<figcaption>{html.escape(system)}</figcaption></figure>" for system, s in scores.items()
        )
        sections.append(f"<h3>Confusion by level</h3><div class=plots>{grids}</div>")
    if report.curve:
        sections.append("<h2>Coverage and accuracy as the threshold moves</h2>")
        sections.append(f"<div class=plots>{_lines(report)}{html_table(*_curve_table(report.curve))}</div>")
    if report.examples:
        head = ["", "kind", "question", "right", "rules", "both"]
        rows = [[e["outcome"], e["kind"], e["query"], e["right"], e["rules"], e["both"]] for e in report.examples]
        sections.append(f"<h2>Where the model changed the outcome</h2>{html_table(head, rows)}")
    return document.page("Evaluation", sections)


def _bars(scores: dict[str, Score]) -> str:
    """Exact, silently wrong and hierarchy-breaking answers of each system, with their intervals."""
    left, wide, high = 150, 420, 15
    body: list[str] = []
    y = 18
    for system, s in scores.items():
        body.append(label(left - 8, y + 1.6 * high, system, anchor="end"))
        for (name, value), colour in zip(
            (("exact", s.exact), ("silently wrong", s.silently_wrong), ("breaks the hierarchy", s.breaks_hierarchy)),
            (COLOURS[2], COLOURS[1], COLOURS[3]),
            strict=True,
        ):
            body.append(
                f'<rect x="{left}" y="{y}" width="{max(wide * value.value, 1):.1f}" height="{high - 3}" fill="{colour}"/>'
                f'<path d="M{left + wide * value.low:.1f} {y + 6}H{left + wide * value.high:.1f}" stroke="#1b1f24"/>'
            )
            body.append(label(left + wide + 10, y + 10, f"{100 * value.value:.1f} % {name}"))
            y += high
        y += 10
    return svg(left + wide + 190, y, body)


def _grid(score: Score) -> str:
    """A heat map of levels: a row for each right level, a column for each answered one."""
    cell, left, top = 46, 76, 30
    levels = [level for level in ("none", *LEVEL_NAMES) if level in score.levels]
    body = []
    for j, said in enumerate(_SAID):
        body.append(label(left + (j + 0.5) * cell, top - 8, said[:7], anchor="middle"))
    for i, level in enumerate(levels):
        found = score.levels[level]
        total = sum(found.values())
        body.append(label(left - 6, top + (i + 0.6) * cell, level, anchor="end"))
        for j, said in enumerate(_SAID):
            count = found.get(said, 0)
            colour = "47,158,68" if said == level else "217,72,15"
            strength = count / total if total else 0.0
            body.append(
                f'<rect x="{left + j * cell}" y="{top + i * cell}" width="{cell - 2}" height="{cell - 2}" '
                f'fill="rgba({colour},{strength:.2f})" stroke="#d0d7de"/>'
            )
            if count:
                body.append(label(left + (j + 0.5) * cell, top + (i + 0.6) * cell, str(count), anchor="middle"))
    return svg(left + len(_SAID) * cell + 4, top + len(levels) * cell + 4, body)


def _lines(report: Evaluation) -> str:
    """Accuracy of resolved questions against their share, a point for each threshold; the chosen one is marked."""
    wide, high, left, top = 420, 280, 52, 16
    curve = report.curve
    low = min(0.95, *(p.accuracy for p in curve), *(p.coverage for p in curve))
    low = int(low * 20) / 20

    def x(value: float) -> float:
        return left + wide * (value - low) / (1 - low)

    def y(value: float) -> float:
        return top + high * (1 - (value - low) / (1 - low))

    body = [f'<rect x="{left}" y="{top}" width="{wide}" height="{high}" fill="none" stroke="#d0d7de"/>']
    for i in range(6):
        value = low + (1 - low) * i / 5
        body.append(label(x(value), top + high + 16, f"{100 * value:.0f} %", anchor="middle"))
        body.append(label(left - 6, y(value) + 4, f"{100 * value:.0f} %", anchor="end"))
    body.append(label(left + wide / 2, top + high + 34, "coverage: questions resolved", anchor="middle"))
    body.append(label(left + 8, top + 16, "accuracy of these"))
    path = " ".join(f"{x(p.coverage):.1f},{y(p.accuracy):.1f}" for p in curve)
    body.append(f'<polyline points="{path}" fill="none" stroke="{COLOURS[0]}" stroke-width="2"/>')
    for p in curve:
        chosen = p.threshold == report.threshold
        body.append(
            f'<circle cx="{x(p.coverage):.1f}" cy="{y(p.accuracy):.1f}" r="{6 if chosen else 3}" '
            f'fill="{COLOURS[1] if chosen else COLOURS[0]}"><title>threshold {p.threshold:g}</title></circle>'
        )
        if chosen:
            body.append(label(x(p.coverage) + 9, y(p.accuracy) + 14, f"threshold {p.threshold:g}", fill=COLOURS[1]))
    return f"<figure>{svg(left + wide + 90, top + high + 44, body)}</figure>"
