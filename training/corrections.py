"""Reviewed corrections to training rows.

A line of the file is a JSON object: `query`, the question as asked, and `tagged`, its right tagged form
according to a reviewer. Other keys (who, when, why) are ignored.

    {"query": "菏泽聚野投诉数量", "tagged": "<Province>山东省</Province><City>菏泽</City>…", "reviewer": "…"}
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from qilin.check import check
from qilin.hierarchy import Hierarchy
from qilin.llm.prompt import PROMPTS
from qilin.training.export import Form, as_record, dataset_info
from qilin.training.json_files import write_json

NAME: Final = "ner_corrections"
# In an ambiguous answer the open name follows a shared ancestor, without its own parent.
_MAY_STAND: Final = frozenset({"missing-parent"})


class Correction(NamedTuple):
    """A question and its right tagged form."""

    query: str
    tagged: str


class Refused(NamedTuple):
    """A line that cannot be used: its number, and the reason with the next step."""

    line: int
    problem: str


def read_corrections(lines: Sequence[str], hierarchy: Hierarchy) -> tuple[list[Correction], list[Refused]]:
    """The corrections of a file, and the lines that cannot be used; equal lines count once."""
    found: dict[str, Correction] = {}
    places: dict[str, int] = {}
    refused: list[Refused] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        for problem in _problems(line, hierarchy):
            refused.append(Refused(number, problem))
            break
        else:
            content = json.loads(line)
            correction = Correction(content["query"], content["tagged"])
            before = found.get(correction.query)
            if before is not None and before != correction:
                first = places[correction.query]
                refused.append(Refused(number, f"line {first} has another answer to the same query. Keep one of them."))
                continue
            places.setdefault(correction.query, number)
            found[correction.query] = correction
    return list(found.values()), refused


def _problems(line: str, hierarchy: Hierarchy) -> Iterator[str]:
    try:
        content = json.loads(line)
        query, tagged = content["query"], content["tagged"]
    except (ValueError, KeyError, TypeError, RecursionError):
        yield 'it is no JSON object {"query": "…", "tagged": "…"}. Correct the line.'
        return
    if not isinstance(query, str) or not isinstance(tagged, str) or not query.strip() or not tagged.strip():
        yield "query and tagged must be texts that are not empty. Correct the line."
        return
    for conflict in check(tagged if "<" in tagged else f"{tagged}<Date></Date>", hierarchy, query):
        if conflict.kind not in _MAY_STAND:
            yield f"{conflict.message} Correct the tagged form."


def write_corrections(
    folder: Path, corrections: Sequence[Correction], *, prompt: str = "full", form: Form = "alpaca"
) -> Path:
    """Write the rows, and add them to `dataset_info.json` as `ner_corrections`.

    Returns: the file of the rows.
    """
    folder.mkdir(parents=True, exist_ok=True)
    index = folder / "dataset_info.json"
    known = json.loads(index.read_text(encoding="utf-8")) if index.is_file() else {}
    path = folder / f"{NAME}.json"
    write_json(path, [as_record(PROMPTS[prompt](c.query), c.tagged, form) for c in corrections])
    entry = next(iter(dataset_info(["train"], form).values()))
    write_json(index, {**known, NAME: {**entry, "file_name": path.name}})  # type: ignore[dict-item]
    return path
