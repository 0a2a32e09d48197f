"""The kinds of questions in the data, and how each is made; those with misspelt names are in `misspelt`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from qilin.answer.markup import escape
from qilin.answer.values import LEVEL_NAMES
from qilin.hierarchy import Level
from qilin.training import words
from qilin.training.date_phrases import date_phrase
from qilin.training.maker import NOTHING, Fragment, Maker, Row, tag
from qilin.training.misspelt import garbled, unknown


def _template(make: Maker) -> Row | None:
    """The twelve templates of the task, in full or shortened forms."""
    rng = make.rng
    levels = rng.choice(((1, 2, 3), (1,), (2,), (1, 2), (1, 3), (3,)))
    node = make.some_node((Level(levels[-1]),))
    path = make.hierarchy.paths[node]
    texts = [make.form(path[level]) for level in levels]
    if not make.means(texts, node):
        return None
    date = make.date(odd=0.05) if rng.random() < 0.5 else NOTHING
    made = make.sentence(date, Fragment("".join(texts), make.tags(node)), make.indicator(0.1))
    return made and make.row("template", made, make.offered(node))


def _plain(make: Maker) -> Row | None:
    """Any names of one organisation, the date before or behind them."""
    node = make.some_node()
    name = make.organisation(node)
    if name is None:
        return None
    date, indicator = make.maybe_date(), make.indicator()
    if make.rng.random() < 0.6:
        made = make.sentence(date, name, make.de(), indicator)
    else:
        made = make.sentence(name, make.de(), date, indicator)
    return made and make.row("plain", made, make.offered(node))


def _reordered(make: Maker) -> Row | None:
    """The lower name before the upper, brackets, or the indicator in front."""
    rng = make.rng
    node = make.some_node((Level.COMPANY, Level.SUBSTATION))
    above = rng.choice(make.hierarchy.paths[node][1:-1] or (0,))
    texts = [make.form(node, 0.7), make.form(above)]
    if not make.means(texts, node) or not make.means(texts[::-1], node):
        return None
    shape = rng.choice(("{}{}", "{}（{}）", "{}({})", "{}，{}"))
    name = Fragment(shape.format(*texts), make.tags(node))
    if shape == "{}，{}" and not make.means(texts[:1], node):
        return None
    indicator = make.indicator()
    made = make.sentence(*((name, indicator) if rng.random() < 0.7 else (indicator, name)))
    if made and made[0].endswith(texts[1]) and shape == "{}，{}":
        return None
    return made and make.row("reordered", made)


def _several(make: Maker) -> Row | None:
    """Two or three organisations, each with its own path."""
    rng = make.rng
    names: list[Fragment] = []
    nodes: list[int] = []
    for _ in range(2 if rng.random() < 0.8 else 3):
        node = make.some_node((Level.CITY, Level.COMPANY, Level.SUBSTATION))
        name = make.organisation(node)
        if name is None or any(make.on_one_path(node, other) for other in nodes):
            return None
        separator = rng.choice("和与及跟")
        names += [Fragment(separator, separator), name] if nodes else [name]
        nodes.append(node)
    made = make.sentence(make.maybe_date(), *names, make.de(), make.indicator())
    return made and make.row("several", made)


def _no_organisation(make: Maker) -> Row | None:
    """An indicator, a date, or both."""
    made = make.sentence(make.maybe_date(0.6), make.de(), make.indicator(0.5))
    return made and make.row("no organisation", made)


def _unlisted(make: Maker) -> Row | None:
    """An indicator that no file lists."""
    name = make.organisation() if make.rng.random() < 0.85 else NOTHING
    if name is None:
        return None
    made = make.sentence(make.maybe_date(0.3), name, make.de(), make.indicator(1.0))
    return made and make.row("unlisted indicator", made)


def _odd_date(make: Maker) -> Row | None:
    """A date that the rules do not understand."""
    name = make.organisation() if make.rng.random() < 0.85 else NOTHING
    if name is None:
        return None
    date = make.date(odd=1.0)
    first, second = (date, name) if make.rng.random() < 0.5 else (name, date)
    made = make.sentence(first, second, make.de(), make.indicator(0.2))
    return made and make.row("odd date", made)


def _ordinary(make: Maker) -> Row | None:
    """A sentence that names nothing."""
    sentence = words.everyday_sentence(make.rng, make.split)
    if not words.is_plain(sentence) or make.index.holds_a_stem(sentence):
        return None
    date = date_phrase(make.rng) if make.rng.random() < 0.15 else ""
    return make.row("ordinary", (date + sentence, (tag("Date", date) if date else "") + escape(sentence)))


def _ambiguous(make: Maker) -> Row | None:
    """A name that several organisations go by, left open."""
    rng, hierarchy = make.rng, make.hierarchy
    node = make.some_node((Level.SUBSTATION, Level.SUBSTATION, Level.COMPANY))
    text = make.form(node, 0.6)
    above = rng.choice(hierarchy.paths[node][:-1])
    named = rng.random() < 0.4
    owners = {n: f for n, f in make.index.owners(text).items() if not named or hierarchy.is_ancestor(above, n)}
    if not 2 <= len(owners) <= 12 or len(set(owners.values())) > 1:
        return None
    if len({hierarchy.levels[n] for n in owners}) > 1 or not all(make.index.usable(n, make.split) for n in owners):
        return None
    parent = make.form(above) if named else ""
    if named and (not make.means([parent], above) or make.index.crosses([parent, text])):
        return None
    shared = make.shared_ancestor(list(owners))
    names = {hierarchy.names[n] for n in owners}
    head = make.tags(shared) if shared is not None else ""
    left_open = head + tag(LEVEL_NAMES[hierarchy.levels[node]], names.pop() if len(names) == 1 else text)
    name = Fragment(parent + text, left_open)
    made = make.sentence(make.maybe_date(0.3), name, make.de(), make.indicator(0.2))
    return made and make.row("ambiguous", made, tuple(make.tags(n) for n in sorted(owners)))


KINDS: Final[dict[str, tuple[Callable[[Maker], Row | None], int]]] = {
    "template": (_template, 18),
    "plain": (_plain, 14),
    "reordered": (_reordered, 5),
    "several": (_several, 5),
    "no organisation": (_no_organisation, 6),
    "unlisted indicator": (_unlisted, 12),
    "odd date": (_odd_date, 8),
    "ordinary": (_ordinary, 7),
    "garbled": (garbled, 18),
    "unknown name": (unknown, 8),
    "ambiguous": (_ambiguous, 6),
}
"""Each kind of question: how it is made, and its weight in the data."""
