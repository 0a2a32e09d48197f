"""Other people's libraries, asked one question a line: a program for an environment of their own.

It imports nothing of this project, and peers only when they are asked. From standard input it takes JSON lines

    {"peer": "cpca", "part": "place", "query": "菏泽巨野县投诉", "today": "2024-05-13"}
    {"peer": "cpca", "part": "batch", "queries": ["…", …]}

and answers each with a line: `answer`, process-CPU `us` of the call, and `error` where the peer raised. Before that
it writes one line with the `versions` of what could be imported and why the rest could not. A place is a list of
province, city, county, null where the peer says nothing; dates are a list of first and last days.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from datetime import date, datetime, timedelta
from importlib import import_module
from importlib.metadata import version
from types import ModuleType
from typing import Any

PARTS = {"cpca": ("place", "batch"), "jionlp": ("place", "date"), "dateparser": ("date",)}
"""What each peer is asked for."""


def cpca_place(query: str, _today: date) -> list[str | None]:
    """One call for one question."""
    return _row(import_module("cpca").transform([query]))


def cpca_batch(queries: list[str]) -> None:
    """One call for many."""
    import_module("cpca").transform(queries)


def _row(frame: Any) -> list[str | None]:
    row = frame.iloc[0]
    return [row["省"] or None, row["市"] or None, row["区"] or None]


def jionlp_place(query: str, _today: date) -> list[str | None]:
    """The location parser, as its manual calls it."""
    found = import_module("jionlp").parse_location(query)
    return [found["province"], found["city"], found["county"]]


def jionlp_date(query: str, today: date) -> list[list[str]]:
    """Every point or span of time in the question; durations and repetitions are none."""
    base = datetime(today.year, today.month, today.day)
    found = import_module("jionlp").ner.extract_time(query, time_base=base, with_parsing=True)
    dates = []
    for each in found:
        times = each["detail"]["time"]
        if isinstance(times, list):
            dates.append([str(times[0])[:10], str(times[1])[:10]])
    return dates


def dateparser_date(query: str, today: date) -> list[list[str]]:
    """Every date in the question, each with the days of the period that the library says it is."""
    base = datetime(today.year, today.month, today.day)
    settings = {"RELATIVE_BASE": base, "PREFER_DATES_FROM": "past"}
    search = import_module("dateparser.search").search_dates
    found = search(query, languages=["zh"], settings=settings, add_period=True) or ()
    return [_period(moment.date(), period) for _, moment, period in found]


def _period(day: date, period: str | None) -> list[str]:
    """First and last day of the week, month or year around a day; the day itself for anything else."""
    first = last = day
    if period == "week":
        first = day - timedelta(days=day.weekday())
        last = first + timedelta(days=6)
    elif period == "month":
        first = day.replace(day=1)
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    elif period == "year":
        first, last = day.replace(month=1, day=1), day.replace(month=12, day=31)
    return [first.isoformat(), last.isoformat()]


CALLS: dict[tuple[str, str], Callable[[str, date], Any]] = {
    ("cpca", "place"): cpca_place,
    ("jionlp", "place"): jionlp_place,
    ("jionlp", "date"): jionlp_date,
    ("dateparser", "date"): dateparser_date,
}


def answer(line: dict[str, Any]) -> dict[str, Any]:
    """The reply to one line; whatever a peer raises is an answer too."""
    today = date.fromisoformat(line.get("today", "2024-05-13"))
    said = error = None
    begin = time.process_time_ns()
    try:
        if line["part"] == "batch":
            cpca_batch(line["queries"])
        else:
            said = CALLS[line["peer"], line["part"]](line["query"], today)
    except Exception as raised:
        error = f"{type(raised).__name__}: {raised}"
    return {"answer": said, "us": (time.process_time_ns() - begin) / 1000, "error": error}


def load(wanted: list[str]) -> dict[str, dict[str, str]]:
    """Import each peer; versions of those that are there, and why the others are not."""
    # jionlp imports jiojio for functions that are not asked here; that package is under the GPL and not installed.
    sys.modules.setdefault("jiojio", ModuleType("jiojio"))
    versions, missing = {}, {}
    for name in wanted:
        try:
            import_module(name)
            versions[name] = version(name)
        except Exception as error:
            missing[name] = f"{type(error).__name__}: {error}"
    return {"versions": versions, "missing": missing}


def main() -> None:
    """Answer until standard input ends."""
    warnings.simplefilter("ignore")
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")  # peers greet on standard output: keep it to ourselves
    os.dup2(2, 1)
    replies.write(json.dumps(load(sys.argv[1:] or list(PARTS))) + "\n")
    replies.flush()
    for line in sys.stdin.buffer:
        replies.write(json.dumps(answer(json.loads(line))) + "\n")
        replies.flush()


if __name__ == "__main__":
    main()
