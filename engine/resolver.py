"""The pipeline: a query is folded, its parts are found, the best readings chosen, and a verdict given."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from datetime import date, datetime
from functools import lru_cache
from os import PathLike
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from qilin.answer.resolution import Resolution
from qilin.answer.values import OrgPath, QueryTooLong
from qilin.dates import find_dates
from qilin.hierarchy import Hierarchy
from qilin.names.compiled import Tables
from qilin.readings.asked import Asked
from qilin.readings.search import Considered, consider
from qilin.text.tuples import quickly
from qilin.verdict.status import conclude

if TYPE_CHECKING:
    from qilin.llm.protocol import GapFiller
    from qilin.llm.record import GapRecord

_NEEDS_ALL = "上月除备备供电所外各县公司多少投拆"  # a date, an exclusion, a breakdown, an unknown name, leftovers


class Engine:
    """Resolves queries against one organisation table. Safe to share between threads.

    Args:
        hierarchy: the table, or tables compiled before; None for the bundled table of Shandong.
        indicators: a CSV file with columns name and aliases; None for the bundled one.
        default_date: fills the date that a query leaves out (such as 本月); off unless given.
        max_length: longest query accepted, in characters.
        clock: gives today's date when a call does not; default: the clock in Asia/Shanghai.
        gap_filler: a language model that is asked about what the rules leave open: "local" (the
            bundled small model), "server:URL", or an object with `fill` (`qilin.llm.protocol`);
            None: none; "auto": "local" where the extra `llm` is installed. Loaded when it is first
            needed. See docs/models.md.
        gap_timeout_s: how long one call of it may take.
        gap_threshold: least score, 0 to 1, at which what it says is taken.
        gap_settles: whether its choice among candidates may settle an organisation. Unless told so it
            only puts that candidate first: several organisations of one name are the person's to tell apart.

    Raises: HierarchyError, if a table cannot be used; ValueError, for a gap filler that is not known;
        ImportError, with the command to install it, where its extra is missing.
    """

    def __init__(
        self,
        hierarchy: Hierarchy | Tables | None = None,
        *,
        indicators: str | PathLike[str] | None = None,
        default_date: str | None = None,
        max_length: int = 2000,
        clock: Callable[[], date] | None = None,
        gap_filler: str | GapFiller | None = "auto",
        gap_timeout_s: float = 10.0,
        gap_threshold: float = 0.95,
        gap_settles: bool = False,
    ) -> None:
        if gap_filler == "auto":
            from qilin.llm.extras import has_local_model

            gap_filler = "local" if has_local_model() else None
        if isinstance(gap_filler, str):
            from qilin.llm.lazy import LazyFiller

            gap_filler = LazyFiller(gap_filler)
        self._gap_filler = gap_filler
        self._gap_timeout_s = gap_timeout_s
        self._gap_threshold = gap_threshold
        self._gap_settles = gap_settles
        self._indicators = indicators
        if isinstance(hierarchy, Tables):
            self._tables = hierarchy
        else:
            self._tables = Tables.build(hierarchy if hierarchy is not None else Hierarchy.bundled(), indicators)
        self._clock = clock or today_in_shanghai
        self._max_length = max_length
        self._default_date = default_date
        if default_date is not None and not any(m.first for m in find_dates(default_date, self._clock())):
            raise ValueError(f"default_date {default_date!r} is no date that is understood; try '本月'.")

    @property
    def hierarchy(self) -> Hierarchy:
        """The table that queries are resolved against."""
        return self._tables.hierarchy

    def reload(self, source: str | PathLike[str] | Hierarchy, **options: Any) -> Hierarchy:
        """Swap the table: build the new one aside, then put it in place; calls go on meanwhile.

        Args:
            source: a file or URL for `Hierarchy.load`, or a hierarchy.
            options: for `Hierarchy.load`.

        Raises: HierarchyError, if the new table cannot be used; the old one goes on serving.
        """
        hierarchy = source if isinstance(source, Hierarchy) else Hierarchy.load(source, **options)
        self._tables = Tables.build(hierarchy, self._indicators)
        return hierarchy

    def resolve(
        self,
        query: str,
        *,
        today: date | None = None,
        scope: str | OrgPath | None = None,
        context: Resolution | None = None,
    ) -> Resolution:
        """Link every organisation, indicator and date that `query` names.

        Args:
            query: what the person wrote.
            today: the day that relative dates count from.
            scope: the caller's own organisation, by name, path (菏泽/巨野县供电公司) or OrgPath. It
                only chooses among readings that are otherwise equal.
            context: the resolution before this one; fills what this query leaves open.

        Raises: TypeError for a query that is no str; QueryTooLong; ValueError for a scope that the
            table does not have, or has more than once.
        """
        tables = self._tables
        asked = self._ask(tables, query, today, scope, context)
        considered = consider(tables, asked)
        resolution = conclude(tables, asked, considered)
        if not self.is_open(resolution):
            return resolution
        return self.fill_gaps([(tables, asked, considered, resolution)])[0][0]

    def resolve_many(
        self,
        queries: Iterable[str],
        *,
        today: date | None = None,
        scope: str | OrgPath | None = None,
        context: Resolution | None = None,
    ) -> list[Resolution]:
        """`resolve` for each of several queries; a gap filler is asked about all of them at once.

        Arguments and errors as for `resolve`; an error of one query is raised for all.
        """
        tables = self._tables
        cases = []
        for query in queries:
            asked = self._ask(tables, query, today, scope, context)
            considered = consider(tables, asked)
            cases.append((tables, asked, considered, conclude(tables, asked, considered)))
        return [resolution for resolution, _ in self.fill_gaps(cases)]

    def fill_gaps(
        self, cases: list[tuple[Tables, Asked, Considered, Resolution]]
    ) -> list[tuple[Resolution, GapRecord | None]]:
        """The rules' resolutions, gaps filled where a gap filler is configured, each with its record.

        Args:
            cases: the considered readings of each query, and the verdict on them.
        """
        done: list[tuple[Resolution, GapRecord | None]] = [(case[3], None) for case in cases]
        if self._gap_filler is None:
            return done
        wanted = [i for i, (resolution, _) in enumerate(done) if self.is_open(resolution)]
        if wanted:
            from qilin.llm.ask import OpenCase, fill_gaps

            filled = fill_gaps(
                self._gap_filler,
                [OpenCase(*cases[i]) for i in wanted],
                timeout_s=self._gap_timeout_s,
                threshold=self._gap_threshold,
                settles=self._gap_settles,
            )
            for i, outcome in zip(wanted, filled, strict=True):
                done[i] = outcome
        return done

    def is_open(self, resolution: Resolution) -> bool:
        """Whether there is a gap filler, and something for it to fill in the resolution of the rules."""
        return self._gap_filler is not None and (resolution.status != "resolved" or bool(resolution.unknown))

    def prepare(self) -> None:
        """Make now what is otherwise made when the first question needs it: typos, unknown names, dates."""
        conclude(*self.consider(_NEEDS_ALL[: self._max_length]))
        self._tables.typo_index.prepare()

    def prepare_gap_filler(self) -> None:
        """Load the model now, where there is one to be loaded."""
        prepare = getattr(self._gap_filler, "prepare", None)
        if prepare is not None:
            prepare()

    def today(self) -> date:
        """Today by the engine's clock."""
        return self._clock()

    def consider(
        self,
        query: str,
        *,
        today: date | None = None,
        scope: str | OrgPath | None = None,
        context: Resolution | None = None,
    ) -> tuple[Tables, Asked, Considered]:
        """The readings that `resolve` weighs, before the verdict. See qilin.report.explain."""
        tables = self._tables
        asked = self._ask(tables, query, today, scope, context)
        return tables, asked, consider(tables, asked)

    def _ask(
        self, tables: Tables, query: str, today: date | None, scope: str | OrgPath | None, context: Resolution | None
    ) -> Asked:
        if not isinstance(query, str):
            raise TypeError(f"the query must be a str, not {type(query).__name__}")
        if len(query) > self._max_length:
            raise QueryTooLong(
                f"the query has {len(query)} characters, the limit is {self._max_length}. "
                "Send one question, or raise Engine(max_length=…)."
            )
        node = None if scope is None else tables.scope_node(scope)
        folded = tables.folds.fold(query)
        return quickly(Asked, (query, folded, today, self._clock, node, context, self._default_date))


@lru_cache(maxsize=1)
def _shanghai() -> ZoneInfo:
    return ZoneInfo("Asia/Shanghai")


def today_in_shanghai() -> date:
    return datetime.now(_shanghai()).date()


_default: Engine | None = None
_default_lock = threading.Lock()


def default_engine() -> Engine:
    """The engine of the bundled Shandong table, made at first use."""
    global _default
    if _default is None:
        with _default_lock:
            if _default is None:
                _default = Engine()
    return _default


def resolve(
    query: str,
    *,
    today: date | None = None,
    scope: str | OrgPath | None = None,
    context: Resolution | None = None,
) -> Resolution:
    """`Engine.resolve` with the bundled Shandong table."""
    return default_engine().resolve(query, today=today, scope=scope, context=context)
