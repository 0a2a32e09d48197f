"""The pipeline: a query becomes tokens, tokens become readings, the best reading a resolution."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections.abc import Callable, Iterable
from datetime import date, datetime
from functools import lru_cache
from importlib.util import find_spec
from itertools import pairwise
from os import PathLike
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from qilin.answer.values import OrgPath, QueryTooLong, Resolution, Source
from qilin.dates.find import DateMention, find_dates
from qilin.hierarchy import Hierarchy, Level
from qilin.names.compiled import BREAKDOWN_BIT, DATE_BIT, EXCLUSION_BIT, GRID_BIT, Tables
from qilin.names.gazetteer import DATE, ORGANISATION, PHRASE, TAIL_BIT, Candidate, OrgName, Token
from qilin.names.nearest import stem_of
from qilin.names.rules import FULL
from qilin.operators.phrases import Phrase, find_breakdowns, find_exclusions, relative_phrases
from qilin.readings.lattice import Cover, Cut, Group, Reading, Segmentation, link, overlapped_bare, rank, segment, tears
from qilin.readings.typos import Stretch
from qilin.verdict.draft import Asked
from qilin.verdict.status import conclude

if TYPE_CHECKING:
    from qilin.llm.protocol import GapFiller
    from qilin.llm.record import GapRecord

_quickly = tuple.__new__  # a NamedTuple in a third of the time
_NEEDS_ALL = "上月除备备供电所外各县公司多少投拆"  # a date, an exclusion, a breakdown, an unknown name, leftovers
_MAX_ROUNDS = 16  # rounds of taking out accidental mentions; each round takes out at least one


class Considered(NamedTuple):
    """Everything that was thought of for a query: what explain shows, what conclude decides on.

    `readings` are equally good; `unused` mentions were dropped for want of support; `tried` are
    segmentations that lost, with the reason.
    """

    text: str
    tokens: list[Token]
    readings: list[Reading]
    unused: list[Token]
    complete: bool
    tried: list[tuple[Reading, str]]


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
            gap_filler = "local" if has_local_model() else None
        if isinstance(gap_filler, str):
            from qilin.llm.ask import LazyFiller

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
        """What the rules concluded, with the gaps filled where a gap filler is configured, and how.

        Args:
            cases: what `consider` gave for each query, and what `conclude` made of it.
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
        """Whether there is a gap filler, and something for it to fill in what the rules concluded."""
        return self._gap_filler is not None and (resolution.status != "resolved" or bool(resolution.unknown))

    def prepare(self) -> None:
        """Make now what is otherwise made when the first question needs it: typos, unknown names, dates."""
        conclude(*self.consider(_NEEDS_ALL[: self._max_length]))
        self._tables.typos.index.prepare()

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
        """What `resolve` weighs, before it concludes. See qilin.report.explain."""
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
        return _quickly(Asked, (query, folded, today, self._clock, node, context, self._default_date))


def consider(tables: Tables, asked: Asked) -> Considered:
    """Tokens, readings, and what is left when only the best readings stay."""
    text = asked.folded.text
    tokens, relatives, triggers, until = tables.gazetteer.scan(text)
    if triggers & ~TAIL_BIT:
        tokens = _with_phrases(tables, asked, text, tokens, triggers, until)
    if relatives:
        tokens = _with_relatives(tables, asked, text, tokens, relatives)
    if asked.folded.offsets is not None:
        tokens = [t for t in tokens if asked.folded.is_whole(t[0], t[1])]
    tried: list[tuple[Reading, str]] = []
    unused: list[Token] = []
    cut, readings = _read(tables, text, tokens, unused, tried, triggers & TAIL_BIT != 0)
    if readings[0].segmentation.content:
        corrected = _correct(tables, text, tokens, readings[0], tried)
        if corrected is not None:
            cut, readings, unused = corrected
    return _quickly(Considered, (text, tokens, readings, unused, cut.complete, tried))


def _with_phrases(
    tables: Tables, asked: Asked, text: str, tokens: list[Token], triggers: int, until: int
) -> list[Token]:
    phrases: list[Token] = []
    if triggers & DATE_BIT:
        phrases += _dates(text, asked.today(), tokens, until)
    if triggers & BREAKDOWN_BIT:
        names = Cover(tokens)
        phrases += [
            Token(p.start, p.end, PHRASE, p)
            for p in find_breakdowns(text)
            if (text[p.start] not in "分按逐各每" or _stands_alone(tables, text, p, tokens))
            and not names.covers(p.start - 1, p.end)  # 下各供电所 is a name
        ]
    if triggers & EXCLUSION_BIT:
        phrases += [Token(p.start, p.end, PHRASE, p) for p in find_exclusions(text)]
    if triggers & GRID_BIT:
        tokens = [_with_grid(text, t, tables.grid_prefixes) for t in tokens]
    if phrases and tokens and phrases[-1][1] <= tokens[0][0] and len(phrases) == 1:
        return phrases + tokens  # in order as they stand: nothing to sort
    return tokens + phrases


def _dates(text: str, today: date, tokens: list[Token], until: int) -> list[Token]:
    """Dates, and what they are beside a name: 月初至今|天津 as well as 月初至今天|津, 汕头|3月 as well as 汕|头3月."""
    names = [t for t in tokens if t[2] == ORGANISATION]
    found: list[Token] = []
    mentions = find_dates(text, today, until)
    if mentions:
        full = [t for t in names if not t[3].bare]
        named = Cover(full) if len(full) > _FEW else None
        for m in mentions:  # 五一所|有多少 is no holiday
            start, end = m[0], m[1]
            if named is not None:
                part_of_name = named.covers(start, end + 1)
            else:
                part_of_name = any(t[0] <= start and end < t[1] for t in full)
            if not part_of_name:
                found.append(_quickly(Token, (start, end, DATE, m)))
    torn: dict[tuple[int, int], None] = {}  # dates that a name begins in
    for begin, end, _, _ in found:
        for token in tokens:
            start = token[0]
            if begin < start < end < token[1] and not text[start - 1].isdigit():  # 5月1|日照常 is torn, not cut short
                torn[begin, start] = None
    ends = {t[1]: None for t in names if text[t[1] : t[1] + 1] in _DATE_STARTS}
    if torn or ends:
        known = {(t[0], t[1]) for t in found}
        for begin, start in torn:
            found += _date_at(text[begin:start], begin, today, known, whole=True)
        begins = {t[0] for t in found}
        for end in ends:
            if end not in begins:
                found += _date_at(text[end : end + _LONGEST_DATE], end, today, known, whole=False)
    return found


_FEW = 16  # names that are looked at one by one
_DATE_STARTS = frozenset("0123456789一二三四五六七八九十今昨明前去上本当近最这下春国元中端清")
_LONGEST_DATE = 40


def _date_at(text: str, offset: int, today: date, known: set[tuple[int, int]], whole: bool) -> list[Token]:
    """The date that a piece of the text begins with (`whole`: and consists of), if it is not known."""
    for m in find_dates(text, today):
        span = (m.start + offset, m.end + offset)
        understood = m.first is not None or not whole
        if m.start == 0 and understood and span not in known and (not whole or m.end == len(text)):
            known.add(span)
            return [Token(*span, DATE, DateMention(*span, m.first, m.last))]
        break
    return []


def _with_relatives(
    tables: Tables, asked: Asked, text: str, tokens: list[Token], found: list[tuple[int, int, Level]]
) -> list[Token]:
    """Add the relative names that stand on their own and are not part of a longer mention."""
    taken = Cover(tokens)
    free = [f for f in found if not taken.covers(f[0], f[1])]
    if not free:
        return tokens
    return tokens + [
        _relative(tables, asked, phrase, tokens)
        for phrase in relative_phrases(text, free)
        if _stands_alone(tables, text, phrase, tokens)
    ]


def _with_grid(text: str, token: Token, prefixes: tuple[str, ...]) -> Token:
    """国网菏泽供电公司: the prefix is part of the mention."""
    if token.kind == ORGANISATION:
        for prefix in prefixes:
            if text.endswith(prefix, 0, token.start):
                return token._replace(start=token.start - len(prefix))
    return token


def _relative(tables: Tables, asked: Asked, phrase: Phrase, tokens: list[Token]) -> Token:
    """全市, 本县: an organisation on the path of the scope or the context; or an echo of the name before."""
    level = phrase.level
    assert level is not None
    paths, levels = tables.hierarchy.paths, tables.hierarchy.levels
    for token in tokens:
        if token.kind == ORGANISATION and token.end == phrase.start:
            name = token.ref
            assert isinstance(name, OrgName)
            if any(levels[node] >= level for node in name.nodes):
                return Token(phrase.start, phrase.end, PHRASE, phrase._replace(kind="echo"))
    word = asked.folded.text[phrase.start : phrase.end]
    own = word[0] in "我咱本" and word.endswith(("公司", "单位"))
    meant: dict[Source, set[int]] = {}
    for node, source in asked.whereabouts(tables):
        path = paths[node]
        if level < len(path) or own:  # the city company's 我们公司 is itself
            meant.setdefault(source, set()).add(path[level] if level < len(path) else node)
    for whence, nodes in meant.items():
        if len(nodes) == 1:
            return _settled(tables, phrase, nodes.pop(), whence)
        break
    provinces = tables.hierarchy.provinces
    if level == Level.PROVINCE and len(provinces) == 1:
        return _settled(tables, phrase, provinces[0], "pattern")
    return Token(phrase.start, phrase.end, PHRASE, phrase)


def _stands_alone(tables: Tables, text: str, phrase: Phrase, tokens: list[Token]) -> bool:
    """Whether 县公司 is said by itself or of the name before it, not as the end of an unknown name."""
    if text[phrase.start] in "全本我咱" or any(t.end == phrase.start for t in tokens):
        return True
    before = text[max(phrase.start - 8, 0) : phrase.start]
    gap = tables.filler.gap(before)
    if text[phrase.start] in "各每":
        return not gap.runs or gap.runs[-1] != (len(before) - 1, len(before))  # 朱|各供电所 lacks its 庄
    if text[phrase.start] in "分按逐" and gap.words and gap.words[-1] == (len(before) - 1, len(before)):
        return before[-1] in "请要想看查再并且都需就给我"  # 中|分供电所 is a name
    return not gap.runs or gap.runs[-1][1] < len(before)


def _settled(tables: Tables, phrase: Phrase, node: int, source: str) -> Token:
    name = OrgName((Candidate(node, FULL, tables.hierarchy.levels[node]),), tables.hierarchy.levels, source=source)
    return Token(phrase.start, phrase.end, ORGANISATION, name)


def _read(
    tables: Tables, text: str, tokens: list[Token], unused: list[Token], tried: list[tuple[Reading, str]], tails: bool
) -> tuple[Cut, list[Reading]]:
    """The best consistent readings; when there is none, the one that leaves least unexplained."""
    for _ in range(_MAX_ROUNDS):
        cut = segment(text, tokens, tables.filler)
        if not (tails or cut.segmentations[0].content):
            break
        dropped = _accidental(tables, text, cut.segmentations[0])
        if not dropped:
            break
        unused += dropped
        gone = set(dropped)
        tokens = [t for t in tokens if t not in gone]
    readings = [link(text, s, tables.hierarchy, tables.filler) for s in cut.segmentations]
    if len(readings) == 1 and not readings[0].clashes:
        if readings[0].apart is None:
            return cut, readings
        return cut, _or_apart(tables, text, readings)
    names = Cover(t for t in tokens if t.kind == ORGANISATION)
    consistent = [r for r in readings if not r.clashes and not tears(r, names)]
    if not consistent:
        overlapped = overlapped_bare(tokens)
        if overlapped:
            again = segment(text, [t for t in tokens if t not in overlapped], tables.filler)
            others = [link(text, s, tables.hierarchy, tables.filler) for s in again.segmentations]
            consistent = [r for r in others if not r.clashes and not tears(r, names)]
            if consistent:
                cut = again
                tried += [(r, "两个单位不在同一条路径上") for r in readings]
    if not consistent:
        clashing = [r for r in readings if r.clashes]
        return cut, clashing[:1] or readings[:1]
    shared = frozenset.intersection(*(frozenset(r.segmentation.tokens) for r in consistent))
    ranks = [rank(r, shared) for r in consistent]
    best = min(ranks)
    tried += [(r, "两个单位不在同一条路径上") for r in readings if r.clashes]
    tried += [(r, "写法不如胜出者完整，或有更重的错字") for r, k in zip(consistent, ranks, strict=True) if k > best]
    return cut, _distinct(_or_apart(tables, text, [r for r, k in zip(consistent, ranks, strict=True) if k == best]))


def _or_apart(tables: Tables, text: str, readings: list[Reading]) -> list[Reading]:
    """With the other way to take a list whose later mention may be a target of its own."""
    others = [link(text, r.segmentation, tables.hierarchy, tables.filler, r.apart) for r in readings if r.apart]
    return readings + [r for r in others if not r.clashes] if others else readings


def _distinct(readings: list[Reading]) -> list[Reading]:
    """One reading for each different answer."""
    answers: dict[tuple[tuple[bool, tuple[int, ...]], ...], Reading] = {}
    for reading in readings:
        answers.setdefault(tuple((g.excluded, g.options) for g in reading.groups), reading)
    return list(answers.values())


def _accidental(tables: Tables, text: str, segmentation: Segmentation) -> list[Token]:
    """Mentions that count for nothing here: words and tails without support, or cut out of a word."""
    dropped = []
    previous: Token | None = None
    content = segmentation.content
    starts = {t[0] for t in segmentation.tokens}
    ends = {t[1] for t in segmentation.tokens}
    for token in segmentation.tokens:
        if token[2] != ORGANISATION:
            continue
        name = token[3]
        assert isinstance(name, OrgName)
        in_doubt = name.tail or (content and name.bare and not name.source)
        if in_doubt and not (previous and previous.end == token.start and _parent_of(tables, previous, name)):
            accident = (
                name.tail
                or name.weak
                or _is_a_rest(text, token, segmentation.runs)
                or _cut_out(tables, text, token, starts, ends)
            )
        else:
            accident = False
        if accident:
            dropped.append(token)
        else:
            previous = token
    return dropped


def _is_a_rest(text: str, token: Token, runs: tuple[tuple[int, int], ...]) -> bool:
    """Whether a substation of one character stands right behind what nothing explains: 青|堡供电所.

    That is what the table has of a longer name, which it lacks. Counties are all known: 非|曹县 is no longer name.
    """
    if token[3].level != Level.SUBSTATION or len(stem_of(text[token.start : token.end])) != 1:
        return False
    return any(end == token.start for _, end in runs)


def _cut_out(tables: Tables, text: str, token: Token, starts: set[int], ends: set[int]) -> bool:
    """Whether an ordinary word begins outside the mention, where nothing else is, and ends in it; or so behind.

    A full name at the beginning of what is said is never taken for part of a word: 沧州|长丰.
    """
    name = token.ref
    assert isinstance(name, OrgName)
    begins = token.start == 0 or not text[token.start - 1].isalnum() or token.start in ends
    if begins and name.form == FULL:
        return False
    free_behind = token.end < len(text) and token.end not in starts
    return (not begins and tables.crosses_a_word(text, token.start)) or (
        free_behind and tables.crosses_a_word(text, token.end)
    )


def _parent_of(tables: Tables, upper: Token, name: OrgName) -> bool:
    hierarchy = tables.hierarchy
    last = hierarchy.last
    above = upper.ref
    assert isinstance(above, OrgName)
    tops, lows = above.nodes, name.nodes
    if len(tops) <= len(lows):
        return any(bisect_right(lows, top) < bisect_right(lows, last[top]) for top in tops)
    known = set(tops)
    return any(not known.isdisjoint(hierarchy.paths[low][:-1]) for low in lows)


def _correct(
    tables: Tables, text: str, tokens: list[Token], reading: Reading, tried: list[tuple[Reading, str]]
) -> tuple[Cut, list[Reading], list[Token]] | None:
    """Read the text again with misspelt names as further mentions; None when that explains no more."""
    found: tuple[Cut, list[Reading], list[Token]] | None = None
    least: tuple[int, int] = (reading.segmentation.content, 0)
    stretches: list[Stretch] = []
    for swallow in (False, True):  # an exact name is only swallowed where that explains still more, or joins more
        before, stretches = stretches, tables.typos.stretches(text, reading, swallow)
        if stretches == before:
            break  # nothing to swallow: the same again
        typos = tables.typos.find(text, reading, stretches)
        while typos:
            unused: list[Token] = []
            cut, readings = _read(tables, text, [*tokens, *typos], unused, [], True)
            first = readings[0]
            lonely = [g.mentions[0] for g in first.groups if _is_lonely(g)]
            if lonely:
                typos = [t for t in typos if t not in lonely]
                continue
            left = first.segmentation.content, _abrupt(first, typos)
            if left < least and not first.clashes and any(t in typos for t in first.segmentation.tokens):
                found = cut, readings, unused
                least = left
            break
        if least == (0, 0):
            break
    if found is not None:
        tried.append((reading, "留下的文字更多，错字读法解释得更完整"))
    return found


def _abrupt(reading: Reading, typos: list[Token]) -> int:
    """How many targets begin right behind another one where one of the two is misspelt: 唐闸|姿镇供电所."""
    count = 0
    for left, right in pairwise(reading.groups):
        a, b = left.mentions[-1], right.mentions[0]
        count += a.end == b.start and (a in typos or b in typos)
    return count


def _is_lonely(group: Group) -> bool:
    """Whether a misspelt name is all of a target, though only a mention on its path could support it."""
    name = group.mentions[0].ref
    assert isinstance(name, OrgName)
    return len(group.mentions) == 1 and not name.lonely.isdisjoint(group.options)


@lru_cache(maxsize=1)
def has_local_model() -> bool:
    """Whether the extra `llm` is installed; torch is not imported to find out."""
    return all(find_spec(module) for module in ("torch", "transformers", "peft", "llguidance"))


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
