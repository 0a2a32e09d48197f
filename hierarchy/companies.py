"""Companies of one city that are most likely one, misspelt: 巨野供电公司 beside 巨野县供电公司."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence

from .did_you_mean import did_you_mean
from .levels import Level
from .organisations import Path
from .suffixes import division_words, one_of, registered_words, single_characters

CompanyPath = tuple[str, str, str]

# A 供电部 or 营业部 may stand beside the company of the place; so a table may have both.
_OFFICES = frozenset(registered_words(Level.SUBSTATION))
_SUFFIX = one_of(word for word in registered_words(Level.COMPANY) if word not in _OFFICES)
_DIVISION = f"[{single_characters(division_words(Level.COMPANY))}]"
_COMPANY = re.compile(f"^(?:国网)?(?P<stem>.+?)(?P<division>{_DIVISION}?)(?P<suffix>{_SUFFIX})$")


def resembles(company: str, other: str) -> bool:
    """Whether the two differ only in a 县, 市, 区 or 旗 that one lacks: 巨野供电公司, 巨野县供电公司."""
    a, b = _COMPANY.match(company), _COMPANY.match(other)
    if a is None or b is None or bool(a["division"]) == bool(b["division"]):
        return False
    return a["stem"] == b["stem"] and a["suffix"] == b["suffix"]


def look_alikes(companies: Sequence[str]) -> dict[str, str]:
    """Each company of one city that `resembles` another, with that other."""
    by_stem: dict[str, list[str]] = {}
    for company in companies:
        if match := _COMPANY.match(company):
            by_stem.setdefault(match["stem"], []).append(company)
    return {
        company: other
        for group in by_stem.values()
        if len(group) > 1
        for company in group
        for other in group
        if resembles(company, other)
    }


def misspelt_companies(paths: Iterable[Path]) -> dict[CompanyPath, str]:
    """The companies most likely misspelt, each with a hint at the one that is meant ("" if none is near).

    A substation's row declares its company too, with two exceptions, both judged within the one city and both
    settled by a row of the company's own: it looks like a misspelling of a neighbour, or the city evidently
    lists its companies and this is not among them.
    """
    cities: dict[tuple[str, str], dict[str, int]] = {}  # how many substations each company has
    own: dict[tuple[str, str], set[str]] = {}  # companies with a row of their own
    for province, city, company, substation in paths:
        if company:
            counts = cities.setdefault((province, city), {})
            counts[company] = counts.get(company, 0) + bool(substation)
            if not substation:
                own.setdefault((province, city), set()).add(company)
    hints: dict[CompanyPath, str] = {}
    for above, counts in cities.items():
        alike = look_alikes(list(counts))
        declared = own.get(above, set())
        staffed = {company for company, count in counts.items() if count}
        listing = len(declared & staffed)
        lists_companies = listing >= _LISTED and 4 * listing >= 3 * len(staffed)
        for company in staffed - declared:
            other = alike.get(company)
            if other is not None and _outranks(other, company, counts, declared):
                hints[(*above, company)] = f"Did you mean '{other}'? "
            elif lists_companies:
                hints[(*above, company)] = did_you_mean(company, declared)
    return hints


_LISTED = 3
"""With fewer companies on rows of their own, a city does not count as listing them."""


def _outranks(other: str, company: str, counts: Mapping[str, int], declared: Container[str]) -> bool:
    """Whether of two look-alikes the undeclared `company` is the misspelt one.

    A look-alike declared on a row of its own, with substations, does not count against a neighbour of the same
    size or larger: whoever adds that row to settle one finding must not get another.
    """
    if counts[other] != counts[company]:
        return counts[other] > counts[company] or (counts[other] == 0 and other in declared)
    return other not in declared and other > company
