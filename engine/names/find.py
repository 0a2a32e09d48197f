"""Names by themselves: every organisation that a name, a short form or a path of them could be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from qilin.names.compiled import Tables
from qilin.names.mention import Candidate, OrgMention
from qilin.names.rules import BARE, CUT, FULL, SHORT, TAIL

FORM = {FULL: "全称", SHORT: "简称", BARE: "词干", CUT: "词干的一部分", TAIL: "略去上级名的尾部"}


def form_text(candidate: Candidate) -> str:
    """How a name is said, in Chinese: 全称, 简称, 别名 …"""
    if candidate.alias is None:
        return FORM[candidate.form]
    return "别名" if candidate.alias.valid_to is None else f"{candidate.alias.valid_to}年以前的名称"


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
    for mention in tables.gazetteer.scan(folded).mentions:
        if isinstance(mention, OrgMention) and mention[:2] == (0, len(folded)):
            for candidate in mention.name.candidates:
                here = (candidate.form, form_text(candidate))
                found[candidate.node] = min(found.get(candidate.node, here), here)
    for node in hierarchy.find(name):  # names of one character, and whatever the automaton leaves out
        found[node] = (FULL, "全称" if hierarchy.names[node] == name else "别名")
    return found
