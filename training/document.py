"""Tables and plots of a report: Markdown, and HTML with inline SVG and no other files."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

COLOURS: Final = ("#1f6feb", "#d9480f", "#2b8a3e", "#868e96")
STYLE: Final = """
body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}
table{border-collapse:collapse;margin:.7rem 0}th,td{border:1px solid #d0d7de;padding:.25rem .6rem;text-align:right}
th:first-child,td:first-child{text-align:left}th{background:#f6f8fa}code{background:#f6f8fa;padding:0 .2rem}
.plots{display:flex;flex-wrap:wrap;gap:1.5rem}figure{margin:0}figcaption{color:#57606a;font-size:.9em}
td.t{text-align:left;word-break:break-all}
"""


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The lines of a table, then an empty line."""
    yield f"| {' | '.join(head)} |"
    yield f"| {' | '.join('---' for _ in head)} |"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
    yield ""


def page(title: str, sections: Iterable[str]) -> str:
    """A whole HTML page with its style."""
    body = "\n".join(sections)
    head = f'<html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title><style>{STYLE}</style>'
    return f"<!doctype html>\n{head}\n<body>{body}</body></html>\n"


def html_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; long cells break anywhere."""
    top = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
    text = "".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{text}</table>"


def _cell(text: str) -> str:
    return f"<td{' class=t' if len(text) > 40 else ''}>{html.escape(text)}</td>"


def svg(width: int, height: int, body: Iterable[str]) -> str:
    """A drawing; its size in pixels."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="system-ui,sans-serif" font-size="12" role="img">{"".join(body)}</svg>'
    )


def label(x: float, y: float, text: str, *, anchor: str = "start", fill: str = "#1b1f24") -> str:
    """Text in a drawing, its base line at `y`."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}">{html.escape(text)}</text>'
