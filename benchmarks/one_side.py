"""One of two versions that are held against each other: a process that answers orders on stdin, a line of JSON each.

benchmarks/against.py starts it, as a file: it imports the version that its search path finds, and nothing of the benchmarks.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

_REPEATS = 3


def main(package: str, tables: str) -> None:
    """Make an engine for each table that is asked for; time questions; tell answers.

    Args:
        package: What has `Engine`.
        tables: What has `Hierarchy`.
    """
    engine = import_module(package)
    hierarchy = import_module(tables).Hierarchy
    engines: dict[str, Any] = {}
    for line in sys.stdin:
        order = json.loads(line)
        table, queries = order["table"], order["queries"]
        today = date.fromisoformat(order["today"])
        if table not in engines:
            engines[table] = engine.Engine(hierarchy.bundled(table), gap_filler=None)
        resolve = engines[table].resolve
        if order["what"] == "answers":
            answers = [resolve(query, today=today) for query in queries]
            said: Any = {
                "file": str(engine.__file__),
                "answers": [f"{each.status} {each.to_xml()}" for each in answers],
            }
        else:
            said = []
            for query in queries:
                begin = time.process_time_ns()
                for _ in range(_REPEATS):
                    resolve(query, today=today)
                said.append((time.process_time_ns() - begin) / 1000 / _REPEATS)
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parent]
    main(*sys.argv[1:])
