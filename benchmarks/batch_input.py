"""Questions for `qilin batch`, as many as are wanted: distinct ones, or with repeats as a log has them.

    python -m benchmarks.batch_input 10000000 questions.parquet
    python -m benchmarks.batch_input 10000000 log.parquet --repeats

Columns: `id` (0, 1, 2 …) and `query`. The same table, size and seed always give the same file, and memory does not
grow with the size. Needs pyarrow.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import accumulate, islice
from pathlib import Path
from typing import Final

from benchmarks.oracle import COMPANY, SUBSTATION, OrgNames, Table, level_of
from benchmarks.questions import DATES, INDICATORS, TOTALS, plain_bare, text_of
from benchmarks.synthetic import CHINA

PHRASINGS: Final = {
    1: ("C", "PC"),
    COMPANY: ("O", "CO", "Co", "o", "PCO"),
    SUBSTATION: ("S", "OS", "CS", "COS", "oS", "CoS", "os", "Cs", "PCOS"),
}
"""How an organisation of each level is named, as `questions.text_of` reads it; a small letter is a bare stem."""

ASKS: Final = tuple(dict.fromkeys(surface + total for surface, _ in INDICATORS for total in TOTALS))
_CHUNK: Final = 65_536
_DISTINCT_OF_A_LOG: Final = 200_000
_ZIPF: Final = 1.1
_GOLDEN: Final = (math.sqrt(5) - 1) / 2


def _absolute_dates() -> Iterator[str]:
    for year in range(2019, 2025):
        yield from (f"{year}年{month}月" for month in range(1, 13))
    first = date(2023, 1, 1)
    for days in range(730):
        day = first + timedelta(days=days)
        yield f"{day.year}年{day.month}月{day.day}日"


DATE_TEXTS: Final = tuple(dict.fromkeys([*(entry[0] for entry in DATES), *_absolute_dates()]))


def name_texts(paths: Iterable[OrgNames]) -> list[str]:
    """Every phrasing of every organisation, each text once: a name that several own is one text."""
    found: dict[str, None] = {}
    for path in paths:
        for levels in PHRASINGS.get(level_of(path), ()):
            if plain_bare(path) or levels.isupper():
                found[text_of(path, levels)] = None
    return list(found)


def distinct_questions(names: Sequence[str], seed: int = 1) -> Iterator[str]:
    """Different questions without end, or until all are asked: names, an ask, and in two of three a date.

    The order is a walk over all combinations that comes to each of them once, so nothing need be remembered.
    """
    plain = _walk(len(names) * len(ASKS), seed)
    dated = _walk(len(names) * len(ASKS) * len(DATE_TEXTS), seed + 1)
    number = 0
    while True:
        number += 1
        index = next(plain, None) if number % 3 == 0 else None
        if index is not None:
            name, ask = divmod(index, len(ASKS))
            yield names[name] + ASKS[ask]
            continue
        index = next(dated, None)
        if index is None:
            break
        rest, when = divmod(index, len(DATE_TEXTS))
        name, ask = divmod(rest, len(ASKS))
        yield DATE_TEXTS[when] + names[name] + ASKS[ask]
    for index in plain:
        name, ask = divmod(index, len(ASKS))
        yield names[name] + ASKS[ask]


def _walk(size: int, seed: int) -> Iterator[int]:
    """Every number below `size` once, far from the one before."""
    if size < 1:
        return
    step = max(int(size * _GOLDEN), 1)
    while math.gcd(step, size) != 1:
        step += 1
    at = random.Random(seed).randrange(size)
    for _ in range(size):
        yield at
        at = (at + step) % size


def repeated_questions(names: Sequence[str], count: int, seed: int = 1) -> Iterator[str]:
    """`count` questions as a log has them: a few very often, most of them once (Zipf, exponent 1.1)."""
    pool = list(islice(distinct_questions(names, seed), min(count, _DISTINCT_OF_A_LOG)))
    rng = random.Random(seed)
    weights = list(accumulate(1 / rank**_ZIPF for rank in range(1, len(pool) + 1)))
    left = count
    while left > 0:
        yield from rng.choices(pool, cum_weights=weights, k=min(left, _CHUNK))
        left -= _CHUNK


def write_parquet(file: Path, count: int, *, repeats: bool = False, seed: int = 1, table: Path | None = None) -> None:
    """Write `count` questions about a table, the bundled one of Shandong by default.

    Raises: ValueError, if the table has not so many different questions; ImportError without pyarrow.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = name_texts((Table.read(table) if table else Table.read(CHINA, "山东省")).nodes)
    made = repeated_questions(names, count, seed) if repeats else islice(distinct_questions(names, seed), count)
    schema = pa.schema([("id", pa.int64()), ("query", pa.string())])
    written = 0
    with pq.ParquetWriter(file, schema) as writer:
        while chunk := list(islice(made, _CHUNK)):
            ids = pa.array(range(written, written + len(chunk)), pa.int64())
            writer.write_table(pa.table({"id": ids, "query": pa.array(chunk, pa.string())}, schema=schema))
            written += len(chunk)
    if written < count:
        raise ValueError(
            f"this table has {written:,} different questions, not {count:,}; take a larger one, or --repeats"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a file."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.batch_input",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("rows", type=int)
    parser.add_argument("file", type=Path)
    parser.add_argument("--repeats", action="store_true", help="as a log has them, instead of distinct")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--table", type=Path, help="CSV with province,city,company,substation")
    options = parser.parse_args(arguments)
    try:
        write_parquet(options.file, options.rows, repeats=options.repeats, seed=options.seed, table=options.table)
    except (ImportError, ValueError) as error:
        print(f"{error}" if isinstance(error, ValueError) else f"{error}; pip install pyarrow", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
