"""JSON files, written in one step and with the same bytes everywhere."""

from __future__ import annotations

import json
from pathlib import Path


def write_json(path: Path, content: object, *, indent: int | None = 1) -> None:
    """Write UTF-8 with a line end; an interrupted write leaves the old file."""
    temporary = path.with_name(path.name + ".part")
    text = json.dumps(content, ensure_ascii=False, indent=indent)
    temporary.write_text(text + "\n", encoding="utf-8", newline="\n")
    temporary.replace(path)
