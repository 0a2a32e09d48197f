"""The Arrow function says of every row what the engine says of its question, however the rows are cut."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.oracle import Table
from benchmarks.questions import Question, questions
from qilin import Engine
from qilin.batch import RESULT, ArrowResolver
from qilin.batch.arrow import _SLICE, NO_ROW
from qilin.hierarchy import Hierarchy
from qilin.llm.protocol import GapAnswer, GapRequest
from qilin.llm.scripted import ScriptedGapFiller
from tests.batch.expected import expected

ROOT = Path(__file__).parents[2]
TODAY = date(2024, 5, 13)
AMBIGUOUS = "城关供电所投诉百万户量个数"
CLEAR = "菏泽投诉"
WORDS = pa.array([CLEAR, "济南投诉"])


@pytest.fixture(scope="module")
def asked() -> list[Question]:
    """Questions of every kind about the bundled table."""
    return questions(Table.read(ROOT / "data/hierarchy/china.csv", "山东省"), per_kind=40, seed=4)


def batch(queries: Iterable[str | None], **columns: Any) -> pa.RecordBatch:
    return pa.record_batch({"query": pa.array(queries, pa.string()), **columns})


def added(resolved: Any) -> list[dict[str, Any]]:
    return resolved.select(RESULT.names).to_pylist()  # type: ignore[no-any-return]


class Counting:
    """An engine that counts what it is asked, and how often its gap filler is."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.considered: list[str] = []
        self.filled: list[list[str]] = []

    def consider(self, query: str, **options: Any) -> Any:
        self.considered.append(query)
        return self._engine.consider(query, **options)

    def fill_gaps(self, cases: list[Any]) -> Any:
        self.filled.append([asked.query for _, asked, _, _ in cases])
        return self._engine.fill_gaps(cases)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)


def resolver(engine: Any, **options: Any) -> ArrowResolver:
    return ArrowResolver(engine, **{"today": TODAY, **options})


# ── what is said ─────────────────────────────────────────────────────────────────────────────────


def test_every_question_field_by_field(engine: Engine, asked: Sequence[Question]) -> None:
    scopes = pa.array([q.scope for q in asked], pa.string())
    found = added(resolver(engine, scope_column="scope")(batch([q.query for q in asked], scope=scopes)))
    want = [expected(engine.resolve(q.query, today=TODAY, scope=q.scope)) for q in asked]
    assert found == want
    assert {row["status"] for row in found} == {"resolved", "ambiguous", "conflict", "unresolved"}
    assert all(any(row[name] for row in found) for name in RESULT.names if name not in ("degraded", "error"))


def test_nothing_looks_like_less_than_it_is(engine: Engine, asked: Sequence[Question]) -> None:
    names = ("province", "city", "company", "substation")
    found = [row for row in added(resolver(engine)(batch([q.query for q in asked]))) if row["targets"]]
    for row in found:
        path = "/".join(row[name] for name in names if row[name])
        if len(row["targets"]) == 1:
            assert row["targets"] == [path]
        else:  # the four names say what the targets share, and no more
            assert all(target.startswith(path) for target in row["targets"])
            assert path not in row["targets"] or len(set(row["targets"])) > 1
    for row in found:
        assert (row["date_start"] is None) == (len(row["dates"]) != 1)
    several = [row for row in found if len(row["targets"]) > 1]
    assert {row["province"] for row in several} == {"山东省"}  # one province, and yet not all of it
    assert any(row["city"] is None for row in several)
    assert any(row["excluded"] for row in found)
    assert any(len(row["dates"]) > 1 for row in added(resolver(engine)(batch(["菏泽5月1日和5月3日投诉"]))))


def test_schema_is_what_was_promised(engine: Engine) -> None:
    resolve = resolver(engine)
    rows = pa.record_batch({"编号": pa.array([7], pa.int8()), "query": [CLEAR]}).replace_schema_metadata({"a": "b"})
    found = resolve(rows)
    assert found.schema.equals(resolve.output_schema(rows.schema), check_metadata=True)
    assert found.schema.metadata == {b"a": b"b"}
    assert found.schema.names == ["编号", "query", *RESULT.names]
    assert [found.schema.field(f.name).type for f in RESULT] == [f.type for f in RESULT]
    found.validate(full=True)


def test_empty_batch(engine: Engine) -> None:
    found = resolver(engine)(batch([]))
    assert found.num_rows == 0
    assert found.schema.names == ["query", *RESULT.names]


def test_tables_and_batches(engine: Engine) -> None:
    chunks = pa.chunked_array([WORDS.slice(0, 1), WORDS.slice(1, 1), WORDS.slice(0, 0)])
    found = resolver(engine)(pa.table({"query": chunks}))
    assert isinstance(found, pa.Table)
    assert added(found) == added(resolver(engine)(pa.record_batch({"query": WORDS})))


@pytest.mark.parametrize(
    "column",
    [
        WORDS.dictionary_encode(),
        WORDS.cast(pa.large_string()),
        WORDS.cast(pa.string_view()),
        WORDS.cast(pa.large_string()).dictionary_encode(),
        pa.concat_arrays([pa.array(["x", None]), WORDS, pa.array(["y"])]).slice(2, 2),
        pa.concat_arrays([pa.array(["x", None]), WORDS]).dictionary_encode().slice(2, 2),
    ],
    ids=["dictionary", "large", "view", "large dictionary", "slice", "dictionary slice"],
)
def test_kinds_of_text(engine: Engine, column: pa.Array) -> None:
    found = resolver(engine)(pa.record_batch({"query": column}))
    assert found.column("query").equals(column)
    assert added(found) == [expected(engine.resolve(text, today=TODAY)) for text in WORDS.to_pylist()]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_bytes_that_are_not_utf8(engine: Engine, kind: pa.DataType) -> None:
    raw = [CLEAR.encode(), "菏泽".encode()[:-1], None]
    column = pa.array(raw, pa.large_binary() if kind == pa.large_string() else pa.binary()).view(kind)
    found = resolver(engine)(pa.record_batch({"query": column}))
    assert (
        found.column("query").view(pa.large_binary() if kind == pa.large_string() else pa.binary()).to_pylist() == raw
    )
    assert [row["status"] for row in added(found)] == ["resolved", "unresolved", "failed"]
    assert added(found)[1]["unknown"] == [engine.resolve("菏\ufffd", today=TODAY).unknown[0].text]


# ── rows that fail ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("query", "day", "scope", "reason"),
    [
        (None, "2024-05-13", "菏泽", "no question"),
        ("投" * 51, "2024-05-13", "菏泽", "51 characters, the limit is 50"),
        (CLEAR, "gestern", "菏泽", "'gestern' in column 'day' is no date"),
        (CLEAR, "2024-02-30", "菏泽", "'2024-02-30' in column 'day' is no date"),
        (CLEAR, "2024-05-131", "菏泽", "'2024-05-131' in column 'day' is no date"),
        (CLEAR, "2024-05-13", "无此单位", "无此单位"),
        (CLEAR, "2024-05-13", "城关供电所", "城关供电所"),
    ],
)
def test_a_row_fails_alone_with_its_reason(
    engine: Engine, query: str | None, day: str, scope: str, reason: str
) -> None:
    short = Engine(engine._tables, gap_filler=None, max_length=50)
    rows = batch([CLEAR, query, CLEAR], day=["2024-05-13", day, None], scope=["菏泽", scope, ""])
    first, failed, last = added(resolver(short, today_column="day", scope_column="scope")(rows))
    assert first == last == expected(engine.resolve(CLEAR, today=TODAY))
    assert failed["status"] == "failed"
    assert reason in failed["error"]
    assert all(not value for name, value in failed.items() if name not in ("status", "error"))


def test_a_fault_of_ours_costs_one_row(engine: Engine) -> None:
    class Faulty(Counting):
        def consider(self, query: str, **options: Any) -> Any:
            if query == "x":
                raise KeyError("oops")
            return super().consider(query, **options)

    good, bad = added(resolver(Faulty(engine))(batch([CLEAR, "x"])))
    assert good["status"] == "resolved"
    assert "KeyError: 'oops'" in bad["error"]


def test_want_of_memory_is_no_fault_of_the_row(engine: Engine) -> None:
    class Starved(Counting):
        def consider(self, query: str, **options: Any) -> Any:
            raise MemoryError

    with pytest.raises(MemoryError):
        resolver(Starved(engine))(batch([CLEAR]))


def test_another_table_answers_anew(engine: Engine) -> None:
    moving = Engine(engine._tables, gap_filler=None)
    resolve = resolver(moving)
    assert added(resolve(batch([CLEAR])))[0]["status"] == "resolved"
    moving.reload(
        Hierarchy.from_rows([{"province": "河南省", "city": "新乡", "company": "滑县供电公司", "substation": ""}])
    )
    assert added(resolve(batch([CLEAR])))[0]["status"] == "unresolved"


def test_a_failure_of_the_gap_filler_is_not_remembered(engine: Engine) -> None:
    def script(request: GapRequest) -> GapAnswer | str:
        return GapAnswer("", error="away")

    counting = Counting(Engine(engine._tables, gap_filler=ScriptedGapFiller(script)))
    resolve = resolver(counting)
    for _ in range(2):
        assert added(resolve(batch([AMBIGUOUS, AMBIGUOUS])))[0]["degraded"]
    assert counting.filled == [[AMBIGUOUS], [AMBIGUOUS]]


def test_a_scope_for_all_rows_must_be_in_the_table(engine: Engine) -> None:
    with pytest.raises(ValueError, match="无此单位"):
        resolver(engine, scope="无此单位")


def test_questions_known_to_kill_are_not_tried(engine: Engine) -> None:
    counting = Counting(engine)
    resolve = resolver(counting)
    rows = batch([CLEAR, "x", CLEAR, "x"])
    found = added(resolve(rows, frozenset(resolve.keys(rows.slice(1, 1)))))
    assert [row["status"] for row in found] == ["resolved", "failed", "resolved", "failed"]
    assert "x" not in counting.considered


# ── the day, who asked, names ────────────────────────────────────────────────────────────────────

EARLY = datetime(2023, 1, 5, 1, 30)
LATE_UTC = datetime(2023, 1, 4, 20, 0)  # the 5th in Shanghai


@pytest.mark.parametrize(
    "column",
    [
        pa.array([date(2023, 1, 5)]),
        pa.array([date(2023, 1, 5)], pa.date64()),
        *(pa.array([EARLY], pa.timestamp(unit)) for unit in ("s", "ms", "us", "ns")),
        pa.array([LATE_UTC], pa.timestamp("us", "UTC")),
        pa.array([LATE_UTC], pa.timestamp("ns", "UTC")),
        pa.array([LATE_UTC.replace(tzinfo=UTC)], pa.timestamp("us", "America/New_York")),
        *(
            pa.array([text])
            for text in (
                "2023-01-05",
                " 2023-01-05\n",
                "20230105",
                "2023-01-05T01:30:00",
                "2023-01-05 23:59:59.999",
                "2023-01-04T20:00:00Z",
                "2023-01-05T01:30:00+08:00",
            )
        ),
        pa.array(["2023-01-05"]).dictionary_encode(),
    ],
    ids=lambda column: f"{column.type} {column[0]}",
)
def test_the_day_of_a_row(engine: Engine, column: pa.Array) -> None:
    rows = batch(["菏泽昨日投诉"], day=column)
    (row,) = added(resolver(engine, today_column="day")(rows))
    assert (row["error"], row["date_start"]) == (None, date(2023, 1, 4))


@pytest.mark.parametrize("empty", [pa.array([None], pa.date32()), pa.array([None], pa.string()), pa.array([""])])
def test_a_row_without_a_day_counts_from_today(engine: Engine, empty: pa.Array) -> None:
    (row,) = added(resolver(engine, today_column="day")(batch(["菏泽昨日投诉"], day=empty)))
    assert row["date_start"] == date(2024, 5, 12)


@pytest.mark.parametrize(
    "day", [pa.array([5_000_000], pa.int32()).cast(pa.date32()), pa.array([10**15], pa.timestamp("ms"))]
)
def test_a_day_that_no_calendar_has_fails_its_row_only(engine: Engine, day: pa.Array) -> None:
    days = pa.concat_arrays([day, pa.array([None], day.type)])
    found = added(resolver(engine, today_column="day")(batch([CLEAR, CLEAR], day=days)))
    assert [row["status"] for row in found] == ["failed", "resolved"]


def test_the_same_question_on_two_days_and_of_two_callers(engine: Engine) -> None:
    rows = batch(
        ["城关供电所昨日投诉"] * 3, day=["2024-05-13", "2024-05-14", None], who=["潍坊/临朐县供电公司", "", None]
    )
    found = added(resolver(engine, today_column="day", scope_column="who", scope="潍坊")(rows))
    want = [("2024-05-13", "潍坊/临朐县供电公司"), ("2024-05-14", "潍坊"), ("2024-05-13", "潍坊")]
    for row, (day, scope) in zip(found, want, strict=True):
        today = date.fromisoformat(day)
        assert row == expected(engine.resolve("城关供电所昨日投诉", today=today, scope=scope))
    assert [row["status"] for row in found] == ["resolved", "ambiguous", "ambiguous"]
    assert found[0]["company"] == "临朐县供电公司"


def test_a_day_with_no_clock(engine: Engine) -> None:
    still = Engine(engine._tables, gap_filler=None, clock=lambda: date(2020, 2, 2))
    (row,) = added(ArrowResolver(still)(batch(["菏泽昨日投诉"])))
    assert row["date_start"] == date(2020, 2, 1)


@pytest.mark.parametrize(
    ("columns", "options", "reason"),
    [
        (["text"], {}, "no column 'query'; its columns are text"),
        (["query", "query"], {}, "more than one column 'query'"),
        (["query", "xml"], {}, "already has 'xml'.*--prefix"),
        (["query", "r_xml"], {"prefix": "r_"}, "already has 'r_xml'"),
        (["query"], {"today_column": "day"}, "no column 'day'"),
        (["query"], {"scope_column": "who"}, "no column 'who'"),
    ],
)
def test_columns_that_do_not_fit(engine: Engine, columns: list[str], options: dict[str, Any], reason: str) -> None:
    rows = pa.RecordBatch.from_arrays([WORDS] * len(columns), names=columns)
    with pytest.raises(ValueError, match=reason):
        resolver(engine, **options)(rows)


@pytest.mark.parametrize("kind", [pa.int64(), pa.null(), pa.binary(), pa.list_(pa.string()), pa.date32()])
def test_a_column_that_is_no_text(engine: Engine, kind: pa.DataType) -> None:
    with pytest.raises(ValueError, match="column 'query' holds"):
        resolver(engine)(pa.record_batch({"query": pa.nulls(1, kind)}))


def test_prefix(engine: Engine) -> None:
    rows = pa.record_batch({"query": WORDS, "status": WORDS})
    found = resolver(engine, prefix="r_")(rows)
    assert found.schema.names == ["query", "status", *(f"r_{name}" for name in RESULT.names)]
    assert found.column("status").equals(WORDS)


# ── once each, however the rows are cut ──────────────────────────────────────────────────────────


def test_a_question_is_resolved_once(engine: Engine) -> None:
    counting = Counting(engine)
    marked: list[int] = []
    resolve = resolver(counting, mark=marked.append)
    resolve(batch(["a", "b", "a", None, "b", "c"]))
    resolve(batch(["c", "d", "a"]))
    assert counting.considered == ["a", "b", "c", "d"]
    assert marked == [0, 1, 3, 5, 1]


def test_rows_are_marked_by_their_place_in_the_batch(engine: Engine) -> None:
    marked: list[int] = []
    count = _SLICE + 2
    resolver(engine, mark=marked.append)(batch([f"第{i}个" for i in range(count)]))
    assert marked == list(range(count))


@given(data=st.data())
@settings(max_examples=40)
def test_however_the_rows_are_cut(data: st.DataObject, engine: Engine, asked: list[Question]) -> None:
    some = data.draw(st.lists(st.sampled_from(asked[::7]), min_size=1, max_size=8))
    picks = data.draw(st.lists(st.tuples(st.sampled_from(some), st.sampled_from([None, "2024-05-01"])), max_size=30))
    rows = batch([q.query for q, _ in picks], day=pa.array([d for _, d in picks], pa.string()))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(picks)), max_size=5)))
    one, other = (resolver(engine, today_column="day") for _ in range(2))
    pieces = [one(rows.slice(start, end - start)) for start, end in zip([0, *cuts], [*cuts, len(picks)], strict=True)]
    assert pa.Table.from_batches(pieces).combine_chunks() == pa.Table.from_batches([other(rows)]).combine_chunks()


# ── the gap filler ───────────────────────────────────────────────────────────────────────────────


def test_the_gap_filler_is_asked_in_one_go_about_what_needs_it_once(engine: Engine) -> None:
    filler = ScriptedGapFiller()
    counting = Counting(Engine(engine._tables, gap_filler=filler))
    resolve = resolver(counting)
    resolve(batch([CLEAR, AMBIGUOUS, "启灵供电所低电压台区数", AMBIGUOUS, None, CLEAR]))
    assert counting.filled == [[AMBIGUOUS, "启灵供电所低电压台区数"]]
    resolve(batch([AMBIGUOUS, CLEAR]))
    assert len(counting.filled) == 1
    assert len(counting.considered) == 3
    assert len(filler.asked) == len({request.query for request in filler.asked}) > 0


def test_careful_asks_one_by_one(engine: Engine) -> None:
    marked: list[int] = []
    counting = Counting(Engine(engine._tables, gap_filler=ScriptedGapFiller()))
    rows = batch([CLEAR, AMBIGUOUS, "启灵供电所低电压台区数", AMBIGUOUS])
    careful = resolver(counting, mark=marked.append)(rows, careful=True)
    assert counting.filled == [[AMBIGUOUS], ["启灵供电所低电压台区数"]]
    assert marked == [0, 1, 2, NO_ROW, 1, 2]
    assert careful == resolver(Engine(engine._tables, gap_filler=ScriptedGapFiller()))(rows)


def test_the_gap_filler_answers_the_row_it_was_asked_about(engine: Engine) -> None:
    """Every other question is answered, so that an answer that is one off would show."""

    def script(request: GapRequest) -> GapAnswer | str:
        return GapAnswer("", error=f"nothing about {request.query}")

    filling = Engine(engine._tables, gap_filler=ScriptedGapFiller(script))
    queries = [text for i in range(40) for text in (f"城关供电所第{i}季度投诉", f"菏泽第{i}次投诉", CLEAR)]
    found = added(resolver(filling)(batch(queries)))
    assert found == [expected(filling.resolve(query, today=TODAY)) for query in queries]
    told = {query: row["degraded"] for query, row in zip(queries, found, strict=True) if row["degraded"]}
    assert len(told) >= 40
    assert all(query in reason for query, reason in told.items())


def test_a_gap_filler_that_raises_leaves_the_answer_of_the_rules(engine: Engine) -> None:
    def broken(request: GapRequest) -> str:
        raise RuntimeError("no model today")

    found = added(resolver(Engine(engine._tables, gap_filler=ScriptedGapFiller(broken)))(batch([AMBIGUOUS, CLEAR])))
    rules = [expected(engine.resolve(text, today=TODAY)) for text in (AMBIGUOUS, CLEAR)]
    assert "no model today" in found[0]["degraded"]
    assert [{**row, "degraded": None} for row in found] == rules
    assert Counter(row["status"] for row in found) == {"ambiguous": 1, "resolved": 1}
