"""The tables of the size curve: the bundled rows first, then invented ones that look and repeat like them."""

from __future__ import annotations

import re
from collections import Counter

from benchmarks.synthetic import synthetic_hierarchy, synthetic_rows, write_csv
from qilin.hierarchy import Hierarchy

CHINA = 40_562


def test_a_small_table_is_the_bundled_one():
    """The first rows are Shandong's, and the whole of China is China's table."""
    shandong = Hierarchy.bundled("china").subset("山东省")
    count = sum(level == 3 for level in shandong.levels)
    assert synthetic_hierarchy(count).version == shandong.version
    assert synthetic_hierarchy(CHINA) == Hierarchy.bundled("china")


def test_rows_are_the_same_every_time_and_a_beginning_of_more():
    rows = [tuple(row.values()) for row in synthetic_rows(45_000, seed=3)]
    assert len(rows) == len(set(rows)) == 45_000
    assert rows[:42_000] == [tuple(row.values()) for row in synthetic_rows(42_000, seed=3)]
    assert rows != [tuple(row.values()) for row in synthetic_rows(45_000, seed=4)]


def test_invented_names_look_and_repeat_like_real_ones():
    invented = [row for i, row in enumerate(synthetic_rows(80_000)) if i >= CHINA]
    real = [row for i, row in enumerate(synthetic_rows(80_000)) if i < CHINA]
    for row in invented:
        assert re.fullmatch(r"\S{2,4}供电所", row["substation"])
        assert re.fullmatch(r"\S{2,4}省", row["province"])
    # Twice the rows have fewer than twice the names, and the most frequent name has a like share of them.
    names = Counter(row["substation"] for row in real)
    more = Counter(row["substation"] for row in (*real, *invented))
    assert 1.4 < len(more) / len(names) < 1.8
    (name, count), *_ = more.most_common(1)
    assert name == names.most_common(1)[0][0]
    assert 1.5 < count / names[name] < 2.5


def test_the_file_loads_without_a_complaint(tmp_path):
    """Written as CSV and loaded with every check, it is the same table."""
    path = tmp_path / "org.csv"
    write_csv(path, 43_000)
    loaded = Hierarchy.from_csv(path)
    assert not loaded.findings
    assert loaded == synthetic_hierarchy(43_000)
