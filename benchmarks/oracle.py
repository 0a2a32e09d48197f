"""What a run of names means by the contract alone: an oracle that shares no code with the resolver.

It is slow and narrow on purpose. It knows the name forms that the contract lists, finds every way to cover a
run of characters with them, keeps the assignments that lie on one path, and ranks them by the contract's
reading rules. Where two rules could be weighed against each other it says that it is not sure.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache, cached_property
from pathlib import Path
from typing import Final, Literal, NamedTuple

from pypinyin import Style, pinyin

OrgNames = tuple[str | None, str | None, str | None, str | None]
"""An organisation's path: province, city, company, substation; None below its level."""

PROVINCE, CITY, COMPANY, SUBSTATION = range(4)
LEVEL_NAMES: Final = ("Province", "City", "Company", "Substation")
COMPANY_ENDINGS: Final = ("供电公司", "供电中心")
SUBSTATION_ENDING: Final = "供电所"


class Fullness(IntEnum):
    """How much of its canonical name a form keeps; smaller is fuller."""

    FULL = 0
    SHORTENED = 1
    BARE = 2


class Slip(IntEnum):
    """What separates a misspelt stem from a name, lighter first."""

    HOMOPHONE = 0
    MERGED_SOUND = 1
    SWAP = 2
    OTHER = 3


class Form(NamedTuple):
    """One organisation that a form may stand for."""

    path: OrgNames
    fullness: Fullness


def level_of(path: OrgNames) -> int:
    """The level of the organisation at the end of `path`, 0 for a province."""
    return 3 - path[::-1].index(next(name for name in path[::-1] if name is not None))


def lies_on(upper: OrgNames, lower: OrgNames) -> bool:
    """Whether `upper` is `lower` or one of its ancestors."""
    depth = level_of(upper) + 1
    return upper[:depth] == lower[:depth]


def shared_depth(one: OrgNames, other: OrgNames) -> int:
    """How many levels the two paths have in common."""
    depth = 0
    while depth < 4 and one[depth] is not None and one[depth] == other[depth]:
        depth += 1
    return depth


def ancestor(path: OrgNames, level: int) -> OrgNames:
    """The organisation of `level` on `path`."""
    kept = [*path[: level + 1], None, None, None]
    return (kept[0], kept[1], kept[2], kept[3])


def without(name: str, *endings: str) -> str:
    """`name` without the first of `endings` that leaves two characters or more, else as it is."""
    for ending in endings:
        if name.endswith(ending) and len(name) - len(ending) >= 2:
            return name[: -len(ending)]
    return name


def stem_of(path: OrgNames) -> str:
    """The bare stem of an organisation: 麒麟 of 麒麟供电所, 巨野 of 巨野县供电公司, 曹县 of 曹县供电公司."""
    name = path[level_of(path)]
    assert name is not None
    match level_of(path):
        case 0:
            return without(name, "维吾尔自治区", "回族自治区", "壮族自治区", "自治区", "省", "市")
        case 1:
            return name
        case 2:
            body = without(name, *COMPANY_ENDINGS)
            return (
                body
                if any(word in body for word in ("自治", "开发区", "示范区", "园区", "族区"))
                else without(body, "县", "市", "区", "旗")
            )
    return without(name, SUBSTATION_ENDING)


def body_of(path: OrgNames) -> str:
    """The name before 供电公司, 供电中心 or 供电所, with its 县, 市 or 区."""
    name = path[level_of(path)]
    assert name is not None
    return without(name, *COMPANY_ENDINGS, SUBSTATION_ENDING)


def forms_of(path: OrgNames) -> dict[str, Fullness]:
    """Every form of one organisation that the contract lists, with the fullest reading of each."""
    level = level_of(path)
    name, stem, body = path[level], stem_of(path), body_of(path)
    assert name is not None
    forms: dict[str, Fullness] = {}

    def add(fullness: Fullness, *texts: str) -> None:
        for text in texts:
            if len(text) >= 2:
                forms[text] = min(fullness, forms.get(text, Fullness.BARE))

    add(Fullness.FULL, name)
    if level == PROVINCE:
        add(Fullness.BARE, stem)
    elif level == CITY:
        add(Fullness.SHORTENED, *(stem + end for end in ("供电公司", "公司", "供电局")), "国网" + stem + "供电公司")
        if stem[-1] not in "州盟区" or len(stem) == 2:
            add(Fullness.SHORTENED, *(stem + end for end in ("市", "市供电公司", "市公司", "市供电局")))
    elif level == COMPANY:
        if body == stem and name.endswith("供电中心"):
            body = stem + "区"
        add(
            Fullness.SHORTENED,
            "国网" + name,
            *(
                part + end
                for part in (stem, body)
                for end in ("供电公司", "公司", "供电局", "供电中心", "供电部", "营业部")
            ),
        )
        add(Fullness.SHORTENED, body)
        add(Fullness.BARE, stem)
    else:
        add(
            Fullness.SHORTENED,
            *(stem + end for end in ("所", "供电站", "供电服务站", "镇供电所", "乡供电所", "街道供电所")),
        )
        add(Fullness.BARE, stem)
    return forms


class Reading(NamedTuple):
    """One way to read a run: what each mention stands for and where the path ends."""

    target: OrgNames
    spans: tuple[tuple[int, int], ...]
    fullness: tuple[Fullness, ...]
    levels: tuple[int, ...]


@dataclass(frozen=True)
class Verdict:
    """What a run of names must resolve to.

    `sure` is False where the answer rests on weighing one reading rule against another: then an ambiguity
    that contains every organisation of `best` is as right as `best` itself.
    """

    kind: Literal["one", "several", "none"]
    best: tuple[OrgNames, ...]
    sure: bool


class Table:
    """An organisation table and every form its names go by."""

    def __init__(self, rows: Iterable[Mapping[str, str]]) -> None:
        """Take rows with the columns province, city, company, substation; ancestors get paths of their own."""
        nodes: dict[OrgNames, None] = {}
        for row in rows:
            path = (row["province"], row["city"], row["company"], row["substation"])
            for level in range(4):
                if path[level]:
                    nodes[ancestor(path, level)] = None
        self.nodes: Final = tuple(sorted(nodes, key=lambda path: tuple(name or "" for name in path)))

    @classmethod
    def read(cls, path: Path, province: str | None = None) -> Table:
        """The rows of a CSV file, those of one province if it is named."""
        with path.open(encoding="utf-8-sig", newline="") as file:
            return cls([row for row in csv.DictReader(file) if province in (None, row["province"])])

    @cached_property
    def forms(self) -> dict[str, tuple[Form, ...]]:
        """Every form with what it may stand for."""
        found: dict[str, list[Form]] = defaultdict(list)
        for path in self.nodes:
            for text, fullness in forms_of(path).items():
                found[text].append(Form(path, fullness))
        return {text: tuple(forms) for text, forms in found.items()}

    @cached_property
    def by_level(self) -> tuple[tuple[OrgNames, ...], ...]:
        """The organisations of each level."""
        return tuple(tuple(path for path in self.nodes if level_of(path) == level) for level in range(4))

    @cached_property
    def below(self) -> dict[OrgNames, tuple[OrgNames, ...]]:
        """Everything under each organisation, not counting itself."""
        found: dict[OrgNames, list[OrgNames]] = defaultdict(list)
        for path in self.nodes:
            for level in range(level_of(path)):
                found[ancestor(path, level)].append(path)
        return {path: tuple(paths) for path, paths in found.items()}

    @cached_property
    def longest_form(self) -> int:
        """Length of the longest form."""
        return max(map(len, self.forms))

    def unique(self, text: str) -> OrgNames | None:
        """The one organisation that `text` may stand for, None where there are several or none."""
        found = self.forms.get(text, ())
        return found[0].path if len(found) == 1 else None

    def mentions_inside(self, text: str) -> Iterator[tuple[int, int]]:
        """Spans of every form within `text`."""
        for start in range(len(text)):
            for end in range(start + 2, min(len(text), start + self.longest_form) + 1):
                if text[start:end] in self.forms:
                    yield start, end

    def covers(self, text: str) -> Iterator[tuple[tuple[int, int], ...]]:
        """Every way to cut `text` into forms that leaves nothing over."""

        def cut(start: int) -> Iterator[tuple[tuple[int, int], ...]]:
            if start == len(text):
                yield ()
            for end in range(start + 2, min(len(text), start + self.longest_form) + 1):
                if text[start:end] in self.forms:
                    for rest in cut(end):
                        yield ((start, end), *rest)

        return cut(0)

    def readings(self, text: str) -> list[Reading]:
        """Every reading of `text` on one path with nothing left over; of different levels where possible."""
        found: list[Reading] = []
        for spans in self.covers(text):
            chains: list[tuple[Form, ...]] = [()]
            for start, end in spans:
                chains = [
                    (*chain, form)
                    for chain in chains
                    for form in self.forms[text[start:end]]
                    if all(lies_on(form.path, earlier.path) or lies_on(earlier.path, form.path) for earlier in chain)
                ]
            for chain in chains:
                levels = tuple(level_of(form.path) for form in chain)
                target = max((form.path for form in chain), key=level_of)
                found.append(Reading(target, spans, tuple(form.fullness for form in chain), levels))
        distinct = [reading for reading in found if len(set(reading.levels)) == len(reading.levels)]
        return distinct or found

    def verdict(self, text: str) -> Verdict:
        """What `text`, names and nothing else, must resolve to."""
        readings = self.readings(text)
        targets = tuple(dict.fromkeys(reading.target for reading in readings))
        if len(targets) < 2:
            return Verdict("one" if targets else "none", targets, True)
        fullest = min(sum(reading.fullness) for reading in readings)
        best = [reading for reading in readings if sum(reading.fullness) == fullest]
        by_level = min(reading.levels for reading in best)
        if len({reading.spans for reading in best}) == 1 and fullest > 0:
            highest = [reading for reading in best if sum(reading.levels) == min(sum(r.levels) for r in best)]
        else:
            highest = best
        winners = tuple(dict.fromkeys(reading.target for reading in highest))
        sure = len({reading.spans for reading in readings}) == 1
        sure = sure and all(self._rules_agree(reading, highest[0]) for reading in readings)
        sure = sure and (len(winners) > 1 or by_level == highest[0].levels)
        return Verdict("one" if len(winners) == 1 else "several", winners, sure)

    @staticmethod
    def _rules_agree(loser: Reading, winner: Reading) -> bool:
        """Whether no mention is fuller in `loser` than in `winner`."""
        return all(theirs >= ours for theirs, ours in zip(loser.fullness, winner.fullness, strict=True))


# Sounds --------------------------------------------------------------------------------------------------

READINGS: Final[Mapping[str, frozenset[str]]] = {
    "单": frozenset({"shan", "dan"}),
    "鄄": frozenset({"juan"}),
    "茌": frozenset({"chi"}),
    "莒": frozenset({"ju"}),
}


Hearing = Literal["first", "any", "wide"]
"""How sounds are compared: by the usual reading of a character, by any reading of it (the contract), or by any
reading with more sounds merged than the contract names."""

HEARINGS: Final[tuple[Hearing, ...]] = ("any", "first", "wide")


@cache
def sounds(character: str, hearing: Hearing = "any") -> frozenset[str]:
    """The toneless readings of one character."""
    if character in READINGS:
        return READINGS[character]
    found = pinyin(character, style=Style.NORMAL, heteronym=hearing != "first")
    return frozenset(found[0]) if found else frozenset()


@cache
def merged_sounds(character: str, hearing: Hearing = "any") -> frozenset[str]:
    """Readings with the sounds that people mix up made one."""
    merged = set()
    for sound in sounds(character, hearing):
        for careful, careless in (("zh", "z"), ("ch", "c"), ("sh", "s")):
            if sound.startswith(careful):
                sound = careless + sound[2:]
        if sound.startswith("n"):
            sound = "l" + sound[1:]
        if sound.endswith(("ing", "eng")):
            sound = sound[:-1]
        if hearing == "wide":
            sound = "l" + sound[1:] if sound.startswith("r") else sound
            sound = "f" + sound[2:] if sound.startswith("hu") and len(sound) > 2 else sound
            sound = sound[:-1] if sound.endswith(("ang", "ong")) else sound
        merged.add(sound)
    return frozenset(merged)


def slip_between(typed: str, name: str, hearing: Hearing = "any") -> Slip | None:
    """The lightest single slip that turns `name` into `typed`; None where it takes more, or nothing changed."""
    if typed == name or abs(len(typed) - len(name)) > 1:
        return None
    if len(typed) != len(name):
        longer, shorter = sorted((typed, name), key=len, reverse=True)
        dropped = (longer[:i] + longer[i + 1 :] for i in range(len(longer)))
        return Slip.OTHER if len(shorter) >= 2 and shorter in dropped else None
    places = [i for i, (a, b) in enumerate(zip(typed, name, strict=True)) if a != b]
    if len(places) == 1:
        a, b = typed[places[0]], name[places[0]]
        if sounds(a, hearing) & sounds(b, hearing):
            return Slip.HOMOPHONE
        return Slip.MERGED_SOUND if merged_sounds(a, hearing) & merged_sounds(b, hearing) else Slip.OTHER
    if len(places) == 2 and places[1] == places[0] + 1 and typed[places[0]] == name[places[1]]:
        return Slip.SWAP if typed[places[1]] == name[places[0]] else None
    return None


def lightest(typed: str, names: Sequence[tuple[str, OrgNames]]) -> tuple[Slip | None, tuple[OrgNames, ...]]:
    """The organisations whose name is the lightest slip from `typed`, with that slip.

    No organisation is returned where another `Hearing` would change the answer: a rare reading (屯 as zhun) or a
    merger that the contract does not name must not decide what is expected.
    """
    answers: list[tuple[Slip, tuple[OrgNames, ...]]] = []
    for hearing in HEARINGS:
        found: dict[OrgNames, Slip] = {}
        for name, path in names:
            slip = slip_between(typed, name, hearing)
            if slip is not None:
                found[path] = min(slip, found.get(path, slip))
        if not found:
            return None, ()
        least = min(found.values())
        answers.append((least, tuple(path for path, slip in found.items() if slip == least)))
    return answers[0] if all(answer == answers[0] for answer in answers) else (None, ())


@cache
def common_characters() -> tuple[str, ...]:
    """The 3,755 characters of GB 2312 level 1, in its order."""
    found = []
    for row in range(0xB0, 0xD8):
        for cell in range(0xA1, 0xFF):
            try:
                found.append(bytes((row, cell)).decode("gb2312"))
            except UnicodeDecodeError:
                continue
    return tuple(found)


@cache
def homophones(character: str) -> tuple[str, ...]:
    """Other common characters that are usually read like `character`, tones aside."""
    return tuple(
        other
        for other in common_characters()
        if other != character and sounds(other, "first") & sounds(character, "first")
    )


@cache
def near_homophones(character: str) -> tuple[str, ...]:
    """Other common characters that sound alike only once zh/z, n/l, in/ing and the like are merged."""
    return tuple(
        other
        for other in common_characters()
        if not sounds(other) & sounds(character) and merged_sounds(other, "first") & merged_sounds(character, "first")
    )
