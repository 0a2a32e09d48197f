"""What a benchmark found, and how it is written: JSON for programs, Markdown and one HTML page for people.

A sub-command gives a `Section`: figures, the ratios that may be compared with those of another machine, and blocks
to read. The page holds its plots and its style itself; it loads nothing.
"""

from __future__ import annotations

import html
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from benchmarks.internals import COLOURS, html_table, label, markdown_table, page, svg

FORMAT: Final = 2
_MORE_COLOURS: Final = (*COLOURS, "#9c36b5", "#0b7285", "#e67700", "#5c940d")


class Ratio(NamedTuple):
    """A figure that does not depend on how fast the machine is, and which way is better.

    Attributes:
        hangs_on: What else the value depends on. "nothing": counts, shares, bytes, growth. "machine": our own code on other data
            or more cores, so its caches and cores. "unit": foreign code that ours is held against, so how well the machine and
            its libraries run the one and the other.
    """

    value: float
    better: Literal["lower", "higher"]
    hangs_on: Literal["nothing", "machine", "unit"] = "nothing"


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Rows:
    """A table; its first column names the row."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Curves:
    """Points over a size, both axes logarithmic; all above 0."""

    title: str
    x: str
    y: str
    curves: Mapping[str, Sequence[tuple[float, float]]]


@dataclass(frozen=True)
class Parts:
    """One bar a row, divided into parts; a row's parts are counts."""

    title: str
    parts: Sequence[str]
    rows: Mapping[str, Sequence[int]]


Block = Text | Rows | Curves | Parts


@dataclass
class Section:
    """What one sub-command found.

    Attributes:
        name: The sub-command.
        figures: Everything measured, as JSON values.
        ratios: What `--compare` looks at.
        blocks: The same to read.
    """

    name: str
    figures: dict[str, Any] = field(default_factory=dict)
    ratios: dict[str, Ratio] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)


@dataclass
class Report:
    """A whole run: the machine, the command, and what each sub-command found."""

    machine: dict[str, Any]
    command: str
    sections: list[Section] = field(default_factory=list)
    wall_s: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {
            "format": FORMAT,
            "command": self.command,
            "machine": self.machine,
            "wall_s": round(self.wall_s, 1),
            "figures": {section.name: section.figures for section in self.sections},
            "ratios": {
                section.name: {name: ratio._asdict() for name, ratio in section.ratios.items()}
                for section in self.sections
            },
        }

    def markdown(self) -> str:
        """The report as Markdown; plots are left to the page."""
        return "\n".join(self._markdown()) + "\n"

    def _markdown(self) -> Iterator[str]:
        yield "# Benchmarks of qilin\n"
        yield f"`{self.command}`, {self.wall_s:.0f} s.\n"
        yield from markdown_table(("", "this run"), _machine_rows(self.machine))
        for section in self.sections:
            yield f"## {section.name}\n"
            for block in section.blocks:
                if isinstance(block, Text):
                    yield f"{block.text}\n"
                elif isinstance(block, Rows):
                    yield f"{block.title}\n"
                    yield from markdown_table(block.head, block.rows)
            if section.ratios:
                yield "Ratios, as `--compare` sees them\n"
                yield from markdown_table(*_ratio_table(section))

    def html(self) -> str:
        """The report as one page."""
        parts = [
            "<h1>Benchmarks of qilin</h1>",
            f"<p><code>{html.escape(self.command)}</code>, {self.wall_s:.0f} s.</p>",
        ]
        parts.append(html_table(("", "this run"), _machine_rows(self.machine)))
        for section in self.sections:
            parts.append(f"<h2>{html.escape(section.name)}</h2>")
            for block in section.blocks:
                match block:
                    case Text(text):
                        parts.append(f"<p>{html.escape(text)}</p>")
                    case Rows(title, head, rows):
                        parts.append(f"<h3>{html.escape(title)}</h3>{html_table(head, rows)}")
                    case Curves():
                        parts.append(f"<h3>{html.escape(block.title)}</h3><figure>{_plot(block)}</figure>")
                    case Parts():
                        parts.append(f"<h3>{html.escape(block.title)}</h3><figure>{_bars(block)}</figure>")
            if section.ratios:
                parts.append(f"<h3>Ratios, as --compare sees them</h3>{html_table(*_ratio_table(section))}")
        return page("Benchmarks of qilin", parts)

    def write(self, folder: Path) -> list[Path]:
        """Write `benchmarks.json`, `.md` and `.html`; the folder is made if there is none."""
        folder.mkdir(parents=True, exist_ok=True)
        contents = {
            "benchmarks.json": json.dumps(self.as_json(), ensure_ascii=False, indent=1) + "\n",
            "benchmarks.md": self.markdown(),
            "benchmarks.html": self.html(),
        }
        for name, content in contents.items():
            (folder / name).write_text(content, encoding="utf-8", newline="\n")
        return [folder / name for name in contents]


def number(value: float) -> str:
    """Three figures: 0.0123, 4.56, 789, 12,300."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{digits}f}"


def _machine_rows(machine: Mapping[str, Any]) -> list[list[str]]:
    rows = []
    for name, value in machine.items():
        if isinstance(value, Mapping):
            value = ", ".join(f"{key} {inner}" for key, inner in value.items())
        rows.append([name.replace("_", " "), str(value)])
    return rows


def _ratio_table(section: Section) -> tuple[list[str], list[list[str]]]:
    rows = [[name, number(ratio.value), ratio.better, ratio.hangs_on] for name, ratio in section.ratios.items()]
    return ["", "ratio", "better", "hangs on"], rows


# ── plots ────────────────────────────────────────────────────────────────────────────────────────


def _decades(low: float, high: float) -> list[float]:
    return [10.0**k for k in range(math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9) + 1)]


def _tick(value: float) -> str:
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:g} {letter}"
    return f"{value:g}"


def _plot(block: Curves) -> str:
    """Lines over logarithmic axes, a decade a grid line."""
    wide, high, left, top = 460, 280, 64, 14
    points = [point for curve in block.curves.values() for point in curve]
    if not points:
        return svg(left + wide, 30, [label(left, 20, "nothing was measured")])
    xs, ys = (
        _decades(min(p[0] for p in points), max(p[0] for p in points)),
        _decades(min(p[1] for p in points), max(p[1] for p in points)),
    )

    def place(value: float, ticks: Sequence[float]) -> float:
        span = math.log10(ticks[-1] / ticks[0]) or 1.0
        return math.log10(value / ticks[0]) / span

    def x(value: float) -> float:
        return left + wide * place(value, xs)

    def y(value: float) -> float:
        return top + high * (1 - place(value, ys))

    body = []
    for value in xs:
        body.append(f'<path d="M{x(value):.1f} {top}V{top + high}" stroke="#eaeef2"/>')
        body.append(label(x(value), top + high + 16, _tick(value), anchor="middle"))
    for value in ys:
        body.append(f'<path d="M{left} {y(value):.1f}H{left + wide}" stroke="#eaeef2"/>')
        body.append(label(left - 6, y(value) + 4, _tick(value), anchor="end"))
    body.append(f'<rect x="{left}" y="{top}" width="{wide}" height="{high}" fill="none" stroke="#d0d7de"/>')
    body.append(label(left + wide / 2, top + high + 34, block.x, anchor="middle"))
    body.append(label(left + 8, top + 16, block.y))
    for i, (name, curve) in enumerate(block.curves.items()):
        colour = _MORE_COLOURS[i % len(_MORE_COLOURS)]
        path = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in curve)
        body.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for a, b in curve:
            title = html.escape(f"{name}: {number(a)}, {number(b)}")
            body.append(
                f'<circle cx="{x(a):.1f}" cy="{y(b):.1f}" r="3" fill="{colour}"><title>{title}</title></circle>'
            )
        body.append(f'<rect x="{left + wide + 14}" y="{top + 18 * i}" width="10" height="10" fill="{colour}"/>')
        body.append(label(left + wide + 30, top + 18 * i + 10, name))
    return svg(left + wide + 200, max(top + high + 44, top + 18 * len(block.curves)), body)


def _bars(block: Parts) -> str:
    """A bar a row, as wide as its share."""
    left, wide, high = 230, 460, 18
    colours = (COLOURS[2], "#94d8a2", COLOURS[3], COLOURS[1])
    body, y = [], 24
    for i, name in enumerate(block.parts):
        body.append(f'<rect x="{left + 120 * i}" y="4" width="10" height="10" fill="{colours[i % 4]}"/>')
        body.append(label(left + 120 * i + 15, 14, name))
    for name, counts in block.rows.items():
        total, start = sum(counts) or 1, float(left)
        body.append(label(left - 8, y + 13, name, anchor="end"))
        for i, count in enumerate(counts):
            width = wide * count / total
            title = html.escape(f"{block.parts[i]}: {count}")
            body.append(
                f'<rect x="{start:.1f}" y="{y}" width="{width:.1f}" height="{high - 4}" fill="{colours[i % 4]}">'
                f"<title>{title}</title></rect>"
            )
            start += width
        body.append(label(left + wide + 8, y + 12, str(sum(counts))))
        y += high
    return svg(left + wide + 60, y + 6, body)


def share(hits: int, total: int, low: float, high: float) -> str:
    """93.1 % (91.0–94.9), as people read a share with its interval."""
    return f"{100 * hits / total:.1f} % ({100 * low:.1f}–{100 * high:.1f})" if total else "–"
