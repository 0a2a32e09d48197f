"""The grammar of a whole tagged question, for a model that is asked without the rules.

At each place of the question the answer may copy a character, open an Indicator or Date tag, or put an
organisation with its whole path for the next few characters. Only paths of the table are legal; which
of them, and where, is up to the model. That constrains a model less than the rules do
(`qilin.llm.constraint`), but as much as is possible without them.
"""

from __future__ import annotations

import json
from functools import lru_cache

from qilin.answer.markup import escape
from qilin.answer.values import LEVEL_NAMES
from qilin.hierarchy import Hierarchy

_LONGEST_MENTION = 16  # characters


def whole_question_grammar(query: str, hierarchy: Hierarchy) -> str:
    """The legal answers to a question, in the Lark dialect of llguidance; its size is linear in that of the question."""
    units = [escape(character) for character in query]
    size = len(units)
    rules = ["start: s0"]
    for i, unit in enumerate(units):
        ways = [f"{_quoted(unit)} s{i + 1}", f"org j{i}"]
        if unit.strip():
            ways += [f'"<Indicator>" {_quoted(unit)} i{i + 1}', f'"<Date>" {_quoted(unit)} d{i + 1}']
        rules.append(f"s{i}: {' | '.join(ways)}")
        rules.append(f"j{i}: {' | '.join(f's{j}' for j in range(i + 1, min(size, i + _LONGEST_MENTION) + 1))}")
    rules.append(f's{size}: ""')
    for tag, name in (("Indicator", "i"), ("Date", "d")):
        for i in range(1, size + 1):
            ways = [f'"</{tag}>" s{i}']
            if i < size:
                ways.append(f"{_quoted(units[i])} {name}{i + 1}")
            rules.append(f"{name}{i}: {' | '.join(ways)}")
    return "\n".join([*rules, _paths(hierarchy)])


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


@lru_cache(maxsize=4)
def _paths(hierarchy: Hierarchy) -> str:
    """A rule for each organisation with others below it: its tag, alone or with one of theirs."""
    rules: list[str] = []
    roots = [node for node, path in enumerate(hierarchy.paths) if len(path) == 1]

    def said(node: int) -> str:
        level = LEVEL_NAMES[hierarchy.levels[node]]
        tag = _quoted(f"<{level}>{escape(hierarchy.names[node])}</{level}>")
        below = [said(child) for child in hierarchy.children(node)]
        if not below:
            return tag
        rules.append(f"n{node}: {tag} b{node}")
        ways = " | ".join(['""', *below])
        rules.append(f"b{node}: {ways}")
        return f"n{node}"

    rules.append(f"org: {' | '.join([said(root) for root in roots])}")
    return "\n".join(rules) + "\n"
