"""Organisation tables of any size, for curves of time and memory over the size of the table.

    python -m benchmarks.synthetic 2000 > org.csv

Up to the size of the bundled table of China its own rows are used, Shandong first. Beyond that provinces are
invented, each of the shape of a real one: as many cities, companies and substations. Characters are drawn by their
place in real names of the same level, and names come again as often as real ones do: how fast new names stop coming
is a Pitman–Yor process fitted to the table of China (28,000 names for 40,000 substations). The same size and
seed always give the same rows; a smaller table is the beginning of a larger one.
"""

from __future__ import annotations

import csv
import random
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from qilin.hierarchy import Hierarchy

CHINA: Final = Path(__file__).resolve().parent.parent / "data" / "hierarchy" / "china.csv"
COLUMNS: Final = ("province", "city", "company", "substation")
_COMPANY: Final = re.compile(r"(.+?)((?:[县市区旗]|自治[县旗])?供电(?:公司|中心|部|局))$")
_LONGEST_STEM: Final = 4
Row = tuple[str, str, str, str]
# (concentration, discount), fitted to how many different names the first n of China's, shuffled, have.
_SUBSTATIONS: Final = (13_000.0, 0.55)
_COMPANIES: Final = (60_000.0, 0.5)
_ALL_DIFFERENT: Final = (float("inf"), 0.0)


class _Names:
    """Stems of one level: new ones of characters as real stems have them, or one that was there before."""

    def __init__(self, rng: random.Random, real: Iterable[str], growth: tuple[float, float]) -> None:
        self._rng = rng
        self._drawn = [stem for stem in real if 2 <= len(stem) <= _LONGEST_STEM]
        self._count = Counter(self._drawn)
        self._concentration, self._discount = growth
        self._lengths = [len(stem) for stem in self._drawn]
        self._firsts = [stem[0] for stem in self._drawn]
        self._middles = [c for stem in self._drawn for c in stem[1:-1]] or self._firsts
        self._lasts = [stem[-1] for stem in self._drawn]

    def draw(self, taken: set[str]) -> str:
        """A stem that is not among `taken`, which it joins."""
        while True:
            stem = self._new() if self._comes_new() else self._again()
            if stem not in taken:
                taken.add(stem)
                self._drawn.append(stem)
                self._count[stem] += 1
                return stem

    def _comes_new(self) -> bool:
        if self._concentration == float("inf"):
            return True
        weight = self._concentration + self._discount * len(self._count)
        return self._rng.random() * (self._concentration + len(self._drawn)) < weight

    def _new(self) -> str:
        while True:
            choice = self._rng.choice
            middle = "".join(choice(self._middles) for _ in range(choice(self._lengths) - 2))
            stem = f"{choice(self._firsts)}{middle}{choice(self._lasts)}"
            if stem not in self._count:
                return stem

    def _again(self) -> str:
        while True:
            stem = self._rng.choice(self._drawn)
            if self._rng.random() > self._discount / self._count[stem]:
                return stem


def synthetic_rows(substations: int, seed: int = 1) -> Iterator[dict[str, str]]:
    """Rows of a table, one for each substation.

    Args:
        substations: how many rows; the last province may be cut off.
        seed: of the invented part.

    Yields: values of province, city, company, substation.
    """
    for row in islice(_rows(seed), substations):
        yield dict(zip(COLUMNS, row, strict=True))


def synthetic_hierarchy(substations: int, seed: int = 1) -> Hierarchy:
    """The same table, loaded; made without the checks of a file, which `Hierarchy.from_csv` would go through."""
    return Hierarchy.of_paths(islice(_rows(seed), substations), source=f"synthetic-{substations}-{seed}")


def write_csv(path: Path, substations: int, seed: int = 1) -> None:
    """The same table as a file that `Hierarchy.from_csv` reads."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(islice(_rows(seed), substations))


def _china() -> list[Row]:
    with CHINA.open(encoding="utf-8", newline="") as file:
        rows: list[Row] = [(r["province"], r["city"], r["company"], r["substation"]) for r in csv.DictReader(file)]
    return rows


def _rows(seed: int) -> Iterator[Row]:
    real = _china()
    yield from real
    yield from _invented(real, random.Random(seed))


def _invented(real: list[Row], rng: random.Random) -> Iterator[Row]:
    """Provinces without end, each of the shape of a real one."""
    shapes: dict[str, dict[str, dict[str, int]]] = {}
    for province, city, company, _ in real:
        companies = shapes.setdefault(province, {}).setdefault(city, {})
        companies[company] = companies.get(company, 0) + 1
    real_cities = list(dict.fromkeys(row[1] for row in real))
    real_companies = dict.fromkeys(row[:3] for row in real)
    company_stems = [_split(company)[0] for *_, company in real_companies]
    provinces = _Names(rng, real_cities, _ALL_DIFFERENT)
    cities = _Names(rng, real_cities, _ALL_DIFFERENT)
    companies_of = _Names(rng, company_stems, _COMPANIES)
    substations = _Names(rng, (row[3].removesuffix("供电所") for row in real), _SUBSTATIONS)
    province_names = {province[:2] for province in shapes}
    city_names = set(real_cities)
    while True:
        for shape in rng.sample(list(shapes.values()), len(shapes)):
            province = provinces.draw(province_names) + "省"
            for companies in shape.values():
                city = cities.draw(city_names)
                company_names: set[str] = set()
                for company, size in companies.items():
                    name = companies_of.draw(company_names) + _split(company)[1]
                    substation_names: set[str] = set()
                    for _ in range(size):
                        yield province, city, name, substations.draw(substation_names) + "供电所"


def _split(company: str) -> tuple[str, str]:
    """A company's name as stem and suffix: 巨野, 县供电公司."""
    match = _COMPANY.match(company)
    return (match[1], match[2]) if match else (company, "供电公司")


def main() -> int:
    """Write a table to standard output."""
    size = int(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    writer = csv.writer(sys.stdout)
    writer.writerow(COLUMNS)
    writer.writerows(islice(_rows(seed), size))
    return 0


if __name__ == "__main__":
    sys.exit(main())
