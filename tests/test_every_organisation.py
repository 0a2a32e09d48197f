"""Every organisation of the table, by every form of its name, under its ancestors' forms.

The forms come from benchmarks.oracle, which shares no code with the engine, and from the alias file.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest

from benchmarks.oracle import Fullness, OrgNames, Table, ancestor, forms_of, level_of, stem_of, without
from benchmarks.questions import names_of
from qilin import Engine, Resolution

DATA = Path(__file__).resolve().parent.parent / "data" / "hierarchy"
TOWNSHIPS = ("镇", "乡", "街道")
TABLES = ("山东省", "河南省", "青海省", "内蒙古自治区")
ABOVE = 4  # combinations of ancestor forms that each form is asked under, beside none


@pytest.fixture(scope="module", params=TABLES)
def province(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def table(province: str) -> Table:
    return Table.read(DATA / "china.csv", province)


def forms(path: OrgNames) -> Iterator[tuple[str, Fullness]]:
    """The forms that make sense: not 嘉祥镇镇供电所, nor a suffix behind the one-character stem of 孔供电所."""
    name = str(path[level_of(path)])
    stem = name.removesuffix("供电所")
    for text, fullness in forms_of(path).items():
        if level_of(path) == 3 and text != name:
            ending = text.removeprefix(stem)
            if len(stem) < 2 or (stem.endswith(TOWNSHIPS) and ending.startswith(TOWNSHIPS)):
                continue
        yield text, fullness


def is_right(path: OrgNames, text: str, fullness: Fullness, found: Resolution) -> bool:
    """Itself, an ambiguity that contains it, or what goes by the text in full or, where that is less, is higher."""
    if found.status not in ("resolved", "ambiguous"):
        return False
    answers = names_of(found.targets if found.status == "resolved" else found.candidates)
    if path in answers:
        return found.status == "ambiguous" or len(answers) == 1
    if fullness is Fullness.FULL or not answers:
        return False
    return all(
        text == answer[level_of(answer)] or (level_of(answer) < level_of(path) and goes_by(answer, text))
        for answer in answers
    )


def goes_by(path: OrgNames, text: str) -> bool:
    """Whether a company or city has that shortened form: one of the oracle's, and those it leaves to companies."""
    name = str(path[level_of(path)])
    endings = {"供电公司", "公司", "供电局", "供电中心", "供电部", "营业部"}
    return (
        text in forms_of(path)
        or text in former_stems()
        or text.removeprefix(stem_of(path)).removeprefix("市") in endings
        or ("自治" in name and name.startswith(text))
    )


@cache
def former_stems() -> frozenset[str]:
    """What is left of the declared former names of companies: 苍山 of 苍山县供电公司."""
    with (DATA / "shandong_aliases.csv").open(encoding="utf-8") as file:
        names = [row["alias"] for row in csv.DictReader(file) if row["kind"] == "former"]
    return frozenset(without(without(name, "供电公司"), "县", "市", "区") for name in names)


def has_other_meaning(text: str, found: Resolution) -> bool:
    """Whether a date or an indicator, which beat names, was found in the form: 五一, 三号, 万户."""
    return any(e.type in ("Date", "Indicator") and e.start is not None and e.start < len(text) for e in found.entities)


def test_every_form_of_every_organisation(province: str, table: Table, engine_of: Callable[[str], Engine]) -> None:
    """Each name, full, shortened or bare, comes back as the organisation or as a question that offers it."""
    engine = engine_of(province)
    wrong = []
    asked = 0
    for path in table.nodes:
        for text, fullness in forms(path):
            found = engine.resolve(text + "投诉数量")
            asked += 1
            if not is_right(path, text, fullness, found) and not has_other_meaning(text, found):
                wrong.append((text, path, found.status, list(map(str, found.targets))))
    assert asked > 4 * len(table.nodes)
    assert wrong == []


def test_every_form_under_its_ancestors(province: str, table: Table, engine_of: Callable[[str], Engine]) -> None:
    """菏泽市 + 巨野供电局 + 麒麟所: any form under any forms of what is above it."""
    engine = engine_of(province)
    rng = random.Random(province)
    wrong = []
    for path in table.nodes:
        uppers = [[text for text, _ in forms(ancestor(path, level))] for level in range(level_of(path))]
        for text, fullness in forms(path):
            for _ in range(ABOVE if uppers else 0):
                above = "".join(rng.choice(upper) for upper in uppers if rng.random() < 0.6)
                found = engine.resolve(above + text + "投诉数量")
                if is_right(path, text, fullness, found) or has_other_meaning(above + text, found):
                    continue
                verdict = table.verdict(above + text)  # slow; two cuts of one run may mean two things
                answers = set(names_of(found.targets if found.status == "resolved" else found.candidates))
                if not answers or found.status not in ("resolved", "ambiguous") or not answers <= set(verdict.best):
                    wrong.append((above, text, path, found.status, list(map(str, found.targets))))
    assert wrong == []


def test_every_declared_alias(engine: Engine) -> None:
    """A former name, a variant or a nickname is its organisation, or an ambiguity that contains it."""
    with (DATA / "shandong_aliases.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 20
    for row in rows:
        for above in ("", "山东省", row["city"] if row["level"] == "company" else ""):
            found = engine.resolve(f"{above}{row['alias']}投诉数量")
            answers = found.targets if found.status == "resolved" else found.candidates
            assert row["canonical"] in {path.name for path in answers}, (above, row, found.status)
            assert found.status == "ambiguous" or len(answers) == 1
