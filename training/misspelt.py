"""Questions with a name that is not quite one of the table."""

from __future__ import annotations

from collections.abc import Sequence

from qilin.answer.markup import escape
from qilin.answer.values import LEVEL_NAMES
from qilin.hierarchy import Level
from qilin.hierarchy.suffixes import SUBSTATION_ENDS
from qilin.text.sounds import merged_readings
from qilin.training import garble
from qilin.training.made_up import made_up_stem
from qilin.training.maker import Fragment, Maker, Row, tag

_MOST_ALTERNATIVES = 8


def garbled(make: Maker) -> Row | None:
    """A name with a slip in it, to be chosen among similar ones."""
    rng = make.rng
    node = make.some_node((Level.CITY, Level.COMPANY, Level.COMPANY, Level.SUBSTATION, Level.SUBSTATION))
    stem, name = make.index.stems[node], make.hierarchy.names[node]
    if len(stem) < 2:
        return None
    written = garble.garble(stem, rng.choice(garble.SLIPS), rng)
    if written is None or written == stem or not garble.is_plausible(written, stem):
        return None
    above = _named_above(make, make.hierarchy.paths[node][:-1])
    return _misspelt(make, "garbled", written, _suffix(make, name, stem), above, node)


def unknown(make: Maker) -> Row | None:
    """A name that the table lacks, offered with some that look a little like it; it stays as it is."""
    rng = make.rng
    level = rng.choice((Level.COMPANY, Level.SUBSTATION))
    near = make.some_node((level,))
    if rng.random() < 0.6:  # half of a name of the table, and half of another
        stem, other = make.index.stems[near], make.index.stems[make.some_node((level,))]
        cut = rng.randint(1, max(len(stem) - 1, 1))
        written = stem[:cut] + other[cut:] if rng.random() < 0.5 else other[:cut] + stem[cut:]
    else:
        written = made_up_stem(rng, make.split)
    if len(written) < 2:
        return None
    suffix = _suffix(make, make.hierarchy.names[near], make.index.stems[near]) or "供电公司"
    above = _named_above(make, make.hierarchy.paths[near][:-1])
    return _misspelt(make, "unknown name", written, suffix, above, None)


def _suffix(make: Maker, name: str, stem: str) -> str:
    """The text behind a stem: all of the name's rest, or a shorter suffix."""
    rest = name[len(stem) :] if name.startswith(stem) else ""
    if rest.endswith("供电所"):
        return make.rng.choice((rest, rest, rest, "所"))
    if rest.endswith("供电公司"):
        return make.rng.choice((rest, rest, rest.removesuffix("供电公司") or rest, "供电公司"))
    return rest


def _named_above(make: Maker, above: Sequence[int]) -> int | None:
    """The organisation that is named before a misspelt name, if any."""
    if make.offer_all:  # its own ancestors could not be known
        above = [i for i in above if make.hierarchy.levels[i] == Level.PROVINCE]
    return make.rng.choice(above) if above and make.rng.random() < 0.5 else None


def _misspelt(make: Maker, kind: str, written: str, suffix: str, above: int | None, node: int | None) -> Row | None:
    """A question with a misspelt name.

    Args:
        written, suffix: the name.
        above: the organisation named before it.
        node: the organisation that is meant; None for an unknown name.
    """
    rng, index, hierarchy = make.rng, make.index, make.hierarchy
    parent = make.form(above) if above is not None else ""
    if above is not None and not make.means([parent], above):
        return None
    text = written + suffix
    if index.owners(text) or index.holds_a_stem(written) or index.crosses([parent, text]):
        return None
    nearest = _nearest(make, written, suffix, above)
    meant = _meant(make, written, suffix, nearest, node)
    if meant is None or not all(index.usable(n, make.split) for n in meant):
        return None
    others = [n for _, n in nearest[: rng.randint(2, 7)] if n not in meant and index.usable(n, make.split)]
    if len(others) < 2 and rng.random() < 0.5:
        level = Level.SUBSTATION if suffix.endswith("所") else Level.COMPANY
        others += [make.some_node((level,)) for _ in range(rng.randint(1, 3))]
    nodes = list(dict.fromkeys([*meant, *others]))[:_MOST_ALTERNATIVES]
    if above is not None:
        nodes = [n for n in nodes if n != above and hierarchy.is_ancestor(above, n)]
    if not nodes or len(meant) > _MOST_ALTERNATIVES:
        return None
    rng.shuffle(nodes)
    depth = 0 if above is None else hierarchy.levels[above] + 1  # the parent is settled; paths go on from it
    head = make.tags(above) if above is not None else ""
    if len(meant) > 1:
        shared = make.shared_ancestor(meant)
        head = make.tags(shared) if shared is not None else ""
        kind, answer, depth = "ambiguous", head + tag(LEVEL_NAMES[hierarchy.levels[meant[0]]], text), 0
    else:
        answer = make.tags(meant[0]) if meant else head + escape(text)
    name = Fragment(parent + text, answer)
    made = make.sentence(make.maybe_date(0.25), name, make.de(), make.indicator(0.2))
    return made and make.row(kind, made, tuple(make.tags(n, depth) for n in nodes))


def _meant(
    make: Maker, written: str, suffix: str, nearest: Sequence[tuple[float, int]], node: int | None
) -> list[int] | None:
    """The organisations that are as near as the one that is meant; [] for an unknown name; None where it is unclear."""
    stems, levels = make.index.stems, make.hierarchy.levels
    if node is None:
        near = [stems[n] for _, n in _nearest(make, written, suffix, None)]
        unclear = any(garble.is_plausible(written, stem) or garble.is_one_change(written, stem) for stem in near)
        return None if unclear else []
    one_change = garble.is_one_change(written, stems[node])
    if not one_change and any(garble.is_one_change(written, stems[n]) for _, n in nearest):
        return None  # the rules would take that one
    far = garble.distance(written, stems[node])
    rivals = [distance for distance, n in nearest if n != node]
    if not rivals or min(rivals) >= far + 1:
        return [node]
    ties = [n for distance, n in nearest if distance == far]
    tied = min(rivals) == far and node in ties and one_change and len({levels[n] for n in ties}) == 1
    return ties if tied else None


def _nearest(make: Maker, written: str, suffix: str, above: int | None) -> list[tuple[float, int]]:
    """Organisations by the distance of their stems from the written one, nearest first."""
    found: set[int] = set()
    size = len(written)
    for i, c in enumerate(written):
        for sound in {c, *merged_readings(c)}:
            for shift in (-1, 0, 1):
                found.update(make.index.near.get(f"{size + shift} {i} {sound}", ()))
                if shift:
                    found.update(make.index.near.get(f"{size + shift} {i + shift} {sound}", ()))
    substation = suffix.endswith(SUBSTATION_ENDS)
    scored = []
    for node in found:
        if suffix and (make.hierarchy.levels[node] == Level.SUBSTATION) != substation:
            continue
        if above is not None and not make.hierarchy.is_ancestor(above, node):
            continue
        scored.append((garble.distance(written, make.index.stems[node]), node))
    return sorted(scored)
