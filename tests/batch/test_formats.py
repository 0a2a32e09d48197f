"""Files in and out: nothing but the added columns is new, whatever the format, the encoding and the types."""

from __future__ import annotations

import csv
import decimal
import io
import json
import os
import random
import subprocess
import sys
import threading
import uuid
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qilin import Engine
from qilin.batch import RESULT, ArrowResolver
from qilin.batch.counts import Counts
from qilin.batch.files import batches
from qilin.batch.files.csv_files import CsvSource
from qilin.batch.files.formats import Format, format_of
from qilin.batch.files.json_lines import JsonLinesSource
from qilin.batch.files.json_values import column_types, to_batch
from qilin.batch.files.parquet import ParquetSource
from qilin.batch.files.sinks import encoding_of, open_output
from qilin.batch.files.sources import local_file, open_source
from qilin.batch.input_columns import Columns
from qilin.names.compiled import Tables
from tests.batch.conftest import Run, read, rows, write
from tests.batch.expected import expected

ENDINGS = ("parquet", "csv", "jsonl")


def written(batch: pa.RecordBatch, kind: Format, *, mark: bool = False, cut: int = 1) -> bytes:
    """A batch as a file, encoded in pieces of `cut` rows."""
    out = io.BytesIO()
    encoding = encoding_of(kind)
    with open_output(out, encoding, batch.schema, mark=mark) as append:
        for start in range(0, batch.num_rows, cut):
            append(encoding.encode(batch.slice(start, cut)))
    return out.getvalue()


# ── every pair of formats ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("target", ENDINGS)
@pytest.mark.parametrize("source", ENDINGS)
def test_every_pair_of_formats(tmp_path: Path, run: Run, small: Tables, today: date, source: str, target: str) -> None:
    records = rows(23)
    into = write(tmp_path / f"in.{source}", records)
    out = tmp_path / f"out.{target}"
    counts = run(into, out)
    engine = Engine(small, gap_filler=None)
    want = [{**row, **expected(engine.resolve(row["query"], today=today))} for row in records]
    for row in want:
        row.update({name: value.isoformat() for name, value in row.items() if isinstance(value, date)})
    assert read(out) == want
    assert counts.failed == 0
    assert counts.rows == 23
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted({into.name, out.name})


@pytest.mark.parametrize("target", ENDINGS)
@pytest.mark.parametrize("source", ENDINGS)
def test_no_rows(tmp_path: Path, run: Run, source: str, target: str) -> None:
    into = tmp_path / f"in.{source}"
    if source == "parquet":
        pq.write_table(pa.table({"query": pa.array([], pa.string()), "n": pa.array([], pa.int8())}), into)
    else:
        into.write_text("query,n\n" if source == "csv" else "", encoding="utf-8")
    out = tmp_path / f"out.{target}"
    assert run(into, out) == Counts({})
    assert read(out) == []
    names = ["query", "n"] if source != "jsonl" else ["query"]
    if target == "parquet":
        assert pq.read_schema(out).names == [*names, *RESULT.names]
    elif target == "csv":
        assert out.read_text(encoding="utf-8") == ",".join(f'"{n}"' for n in [*names, *RESULT.names]) + "\n"
    else:
        assert out.read_bytes() == b""


@pytest.mark.parametrize(("ending", "reason"), [("parquet", "no readable Parquet"), ("csv", "the file is empty")])
def test_no_bytes(tmp_path: Path, run: Run, ending: str, reason: str) -> None:
    into = tmp_path / f"in.{ending}"
    into.touch()
    with pytest.raises(ValueError, match=reason):
        run(into, tmp_path / "out.csv")
    assert [p.name for p in tmp_path.iterdir()] == [into.name]


@pytest.mark.parametrize(
    ("path", "given_format", "found"),
    [
        ("a.parquet", None, Format.PARQUET),
        ("a.b.PQ", None, Format.PARQUET),
        ("a.TSV", None, Format.CSV),
        ("a.ndjson", None, Format.JSONL),
        ("-", None, Format.JSONL),
        ("a.csv", "jsonl", Format.JSONL),
    ],
)
def test_format_of(path: str, given_format: str | None, found: Format) -> None:
    assert format_of(path, given_format) is found


def test_format_unknown() -> None:
    with pytest.raises(ValueError, match=r"the ending does not say the format.*--from"):
        format_of("a.xlsx")
    with pytest.raises(ValueError, match=r"'xlsx' is no format.*parquet, csv, jsonl"):
        format_of("a.csv", "xlsx")


# ── CSV in ───────────────────────────────────────────────────────────────────────────────────────


def from_csv(path: Path, content: bytes, encoding: str | None = None, cut: int = 2) -> list[dict[str, str]]:
    path.write_bytes(content)
    source = CsvSource(str(path), encoding)
    batches = list(source.batches(cut))
    assert all(batch.schema == source.schema for batch in batches)
    assert [b.num_rows for b in batches[:-1]] == [cut] * (len(batches) - 1)
    return [row for batch in batches for row in batch.to_pylist()]


TEXT = "query,码\n菏泽投诉,007\n济南投诉,1.50\n青岛,NULL\n"
READ = [
    {"query": "菏泽投诉", "码": "007"},
    {"query": "济南投诉", "码": "1.50"},
    {"query": "青岛", "码": "NULL"},
]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_csv_encodings(tmp_path: Path, encoding: str, delimiter: str, newline: str) -> None:
    text = TEXT.replace(",", delimiter).replace("\n", newline)
    assert from_csv(tmp_path / "in.csv", text.encode(encoding)) == READ
    assert from_csv(tmp_path / "in.csv", text.rstrip().encode(encoding)) == READ
    assert from_csv(tmp_path / "in.csv", text.encode(encoding), encoding) == READ


def test_csv_encoding_given(tmp_path: Path) -> None:
    assert from_csv(tmp_path / "in.csv", "query\né\n".encode("latin-1"), "latin-1") == [{"query": "é"}]
    with pytest.raises(ValueError, match="'klingon' is no encoding"):
        from_csv(tmp_path / "in.csv", b"query\n", "klingon")
    with pytest.raises(ValueError, match=r"'ascii' codec can't decode.*--encoding"):
        from_csv(tmp_path / "in.csv", TEXT.encode(), "ascii")


def test_csv_with_a_broken_byte_is_not_taken_for_another_encoding(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"in\.csv:3: this line is not UTF-8, though most of the file is.*--encoding"):
        from_csv(tmp_path / "in.csv", "query,n\n菏泽供电低电,1\n".encode() + b"\xe4\xbd,2\n")


def test_csv_cells(tmp_path: Path) -> None:
    content = 'query,n,"a ""b"""\n"菏泽\n投诉","1,5",\n"","  ",""""\n\n"x\r\ny",,end'
    assert from_csv(tmp_path / "in.csv", content.encode()) == [
        {"query": "菏泽\n投诉", "n": "1,5", 'a "b"': ""},
        {"query": "", "n": "  ", 'a "b"': '"'},
        {"query": "x\r\ny", "n": "", 'a "b"': "end"},
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("query,n\na,1\nb\nc,3\n", "csv:3: this row has 1 cells, the header 2"),
        ("query,n\na,1\nb,2,3\nc,3\n", "csv:3: this row has 3 cells, the header 2"),
        ("query,query\na,1\n", "csv:1: the header names 'query' twice"),
        ("query\na\n" + '"b\nc\nd\n', "csv:3: the row that begins here .*unexpected end of data"),
        ('id,query\n1,"菏泽\n2,济南\n3,"曹县"\n4,潍坊\n', "csv:2: the row that begins here .*stray quote"),
        ('query,n\na,1\nb,"2\nc,3\nd,4\n', "csv:3: the row that begins here .*unexpected end of data"),
        ("query,n\n" + "x" * 17_000_000 + ",1\n", "csv:2: .*field larger than field limit"),
        ("\ufeff", "the file is empty"),
        ("\n\n", "the file is empty"),
    ],
)
def test_csv_that_cannot_be_read(tmp_path: Path, content: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        from_csv(tmp_path / "in.csv", content.encode())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "gb18030"])
def test_csv_whose_last_cell_is_quoted_and_has_lines(tmp_path: Path, encoding: str) -> None:
    for ending in ("", "\n", "\r\n", "\n\n"):
        content = f'query,n\na,"甲\n乙"{ending}'.encode(encoding)
        assert from_csv(tmp_path / "in.csv", content) == [{"query": "a", "n": "甲\n乙"}]


def test_csv_gb18030_far_into_the_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"the text after line \d+ is not utf-8.*--encoding"):
        from_csv(tmp_path / "in.csv", b"query,n\n" + b"a,1\n" * 300_000 + "菏泽,2\n".encode("gb18030"), cut=100_000)


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6) | st.sampled_from(
    ["007", "1.50", "", "NULL", '"', '"a', ",", "\r\n", "\n", " ", "\ufeff", "-", "é"]
)


@given(records=st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=8), cut=st.integers(1, 4))
@settings(max_examples=80)
def test_csv_there_and_back(records: list[tuple[str, str, str]], cut: int, tmp_path_factory: Any) -> None:
    batch = pa.RecordBatch.from_pylist([dict(zip("abc", record, strict=True)) for record in records])
    path = tmp_path_factory.getbasetemp() / "there.csv"
    assert from_csv(path, written(batch, Format.CSV, cut=cut)) == batch.to_pylist()


def test_csv_keeps_the_mark_and_the_delimiter(tmp_path: Path, run: Run) -> None:
    into = tmp_path / "in.csv"
    into.write_bytes("query\t数\n乙市,投诉\t007\n".encode("utf-8-sig"))
    run(into, tmp_path / "out.csv")
    start = '\ufeff"query"\t"数"\t"status"'.encode()
    assert (tmp_path / "out.csv").read_bytes().startswith(start)
    assert '"乙市,投诉"\t"007"\t"resolved"'.encode() in (tmp_path / "out.csv").read_bytes()


@pytest.mark.parametrize(("source", "target", "comma"), [("in.csv", "out.tsv", "\t"), ("in.tsv", "out.csv", ",")])
def test_the_ending_tsv_means_tabs(source: str, target: str, comma: str, tmp_path: Path, run: Run) -> None:
    (tmp_path / source).write_text("query\t数\n乙市投诉\t007\n" if source == "in.tsv" else "query,数\n乙市投诉,007\n")
    run(tmp_path / source, tmp_path / target)
    assert f'"乙市投诉"{comma}"007"{comma}"resolved"' in (tmp_path / target).read_text()


def test_empty_lines_are_rows_where_there_is_one_column(tmp_path: Path) -> None:
    """So that the rows of the output stand where those of the input do; at the end they are none."""
    found = from_csv(tmp_path / "in.csv", "query\n菏泽\n\n\n济南\n\n\n".encode())
    assert [row["query"] for row in found] == ["菏泽", "", "", "济南"]


def test_the_field_limit_of_the_process_stays(tmp_path: Path) -> None:
    """Between batches, behind an error and in a pass that is broken off, as any other user of the module left it."""
    before = csv.field_size_limit(1000)
    try:
        path = tmp_path / "in.csv"
        path.write_text("query\n" + ("x" * 200_000 + "\n") * 3 + '"stray', encoding="utf-8")
        batches_ = CsvSource(str(path)).batches(2)
        assert [len(cell) for cell in next(batches_).column(0).to_pylist()] == [200_000] * 2
        assert csv.field_size_limit() == 1000
        with pytest.raises(ValueError, match="csv:5: the row that begins here"):
            next(batches_)
        assert csv.field_size_limit() == 1000
        broken_off = CsvSource(str(path)).batches(1)
        next(broken_off)
        broken_off.close()
        assert csv.field_size_limit() == 1000
    finally:
        csv.field_size_limit(before)


def test_csv_null_and_empty_text_differ() -> None:
    batch = pa.RecordBatch.from_pylist([{"a": None, "b": ""}])
    assert written(batch, Format.CSV) == b'"a","b"\n,""\n'


# ── JSON lines in ────────────────────────────────────────────────────────────────────────────────


def from_lines(path: Path, content: str | bytes, texts: Sequence[str] = ("query",)) -> list[dict[str, Any]]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return [row for batch in JsonLinesSource(str(path), texts, None).batches(2) for row in batch.to_pylist()]


def test_lines_stay_as_they_were_byte_for_byte(tmp_path: Path, run: Run) -> None:
    lines = [
        '{"n":1.50,"query":"\\u4e59市投诉" , "深":{"b":[1,  2],"a":null}  }',
        f'{{ "query" : "庚市投诉","大":{10**30},"e":1E5,"nan":NaN}}',
        '{"query":"乙市投诉\u2028","status":"x","dup":1,"dup":2}',
        "{}",
        '  {"k":"}"}\t',
    ]
    content = "\ufeff" + "\n\n".join(lines[:3]) + "\r\n" + "\n".join(lines[3:])
    (tmp_path / "in.jsonl").write_bytes(content.encode())
    run(tmp_path / "in.jsonl", tmp_path / "out.jsonl", columns=Columns(prefix="r_"))
    found = (tmp_path / "out.jsonl").read_bytes().decode().split("\n")
    assert found.pop() == ""
    assert len(found) == 5
    for line, now in zip(lines, found, strict=True):
        kept = line.strip().removesuffix("}").rstrip()
        assert now.startswith(kept + (", " if kept != "{" else "") + '"r_status": ')
        keys = [key for key, _ in json.loads(now, object_pairs_hook=list)]
        assert keys[-len(RESULT) :] == [f"r_{name}" for name in RESULT.names]
    assert [json.loads(line)["r_status"] for line in found] == ["resolved"] * 3 + ["failed"] * 2


def test_lines_to_columns(tmp_path: Path) -> None:
    found = from_lines(
        tmp_path / "in.jsonl",
        '\ufeff{"query":"a","i":1,"f":1,"b":true,"big":9007199254740993,"m":"007","deep":{"x":[1]}}\n'
        '\n{"b":null,"f":2.5,"late":"x","huge":1180591620717411303424,"m":7,"query":null}\n',
    )
    assert found == [
        {
            "query": "a",
            "i": 1,
            "f": 1.0,
            "b": True,
            "big": 9007199254740993,
            "m": '"007"',
            "deep": '{"x": [1]}',
            "late": None,
            "huge": None,
        },
        {
            "query": None,
            "i": None,
            "f": 2.5,
            "b": None,
            "big": None,
            "m": "7",
            "deep": None,
            "late": "x",
            "huge": "1180591620717411303424",
        },
    ]
    assert list(found[0]) == ["query", "i", "f", "b", "big", "m", "deep", "late", "huge"]


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=5,
)


@given(records=st.lists(st.dictionaries(st.sampled_from("abc"), JSON_VALUES, max_size=3), max_size=6))
@settings(max_examples=150)
def test_no_json_value_is_lost(records: list[dict[str, Any]]) -> None:
    schema = column_types(records, ["query"])
    found = to_batch(records, schema).to_pylist()
    for record, row in zip(records, found, strict=True):
        for key in schema.names[:-1]:
            kept = row[key]
            if schema.field(key).metadata is not None and kept is not None:
                kept = json.loads(kept)
            value = record.get(key)
            clean = json.loads(json.dumps(value).encode("utf-8", "replace")) if value is not None else None
            assert kept == clean or json.dumps(value).count("\\ud")  # a lone surrogate is no text
            assert type(kept) is type(value) or (type(value) is int and kept == value and type(kept) is float)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('{"query":"a"}\n\n{"query":\n', r"in\.jsonl:3: this line is not JSON"),
        ('{"query":"a"}\n[1]\n', r"in\.jsonl:2: this line is no JSON object"),
        ('{"query":"a"}\r{"query":"b"}\r', r"in\.jsonl:1: this line is not JSON"),
        ('{"query":"菏"}\n'.encode("gb18030"), r"in\.jsonl:1: this line is not JSON \('utf-8'"),
        (b'{"query":' + b"[" * 100_000 + b"}", r"in\.jsonl:1: this line is not JSON"),
        ('{"q":"a"}\n{"frage":"a"}\n', r"no line has the key 'query'; the last one has 'frage'"),
    ],
)
def test_lines_that_cannot_be_read(tmp_path: Path, content: str | bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        from_lines(tmp_path / "in.jsonl", content)


def test_lines_that_have_an_added_key_already(tmp_path: Path, run: Run) -> None:
    write(tmp_path / "in.jsonl", [{"query": "乙市"}, {"query": "乙市", "xml": 1}])
    with pytest.raises(ValueError, match=r"in\.jsonl:2: the line already has 'xml'; give a --prefix"):
        run(tmp_path / "in.jsonl", tmp_path / "out.jsonl")
    with pytest.raises(ValueError, match="the input already has 'xml'; give a prefix"):
        run(tmp_path / "in.jsonl", tmp_path / "out.csv")


@pytest.mark.parametrize("target", ["jsonl", "csv"])
def test_a_number_as_day_or_scope_is_not_taken_for_none(tmp_path: Path, run: Run, target: str) -> None:
    """A day that cannot be read must not become today; a scope that cannot be read must not be left out."""
    records: list[dict[str, Any]] = [
        {"query": "乙市昨日投诉", "day": 1684000000, "who": "乙市"},
        {"query": "乙市昨日投诉", "day": "2023-01-05", "who": 5},
        {"query": 5, "day": None},
        {"query": "乙市昨日投诉", "day": "2023-01-05", "who": "乙市"},
    ]
    into = write(tmp_path / "in.jsonl", records)
    out = tmp_path / f"out.{target}"
    run(into, out, columns=Columns(today="day", scope="who"))
    found = read(out)
    assert [row["status"] for row in found] == ["failed", "failed", "unresolved", "resolved"]
    assert "'1684000000' in column 'day' is no date" in found[0]["error"]
    assert "5" in found[1]["error"]
    assert found[3]["date_start"] == "2023-01-04"
    assert [str(row["query"]) for row in found] == [str(record["query"]) for record in records]


# ── types of Parquet ─────────────────────────────────────────────────────────────────────────────

MOMENT = datetime(2024, 5, 13, 1, 2, 3, 4)
NANO = 1_715_562_123_000_000_004
COLUMNS: dict[str, tuple[pa.Array, list[str], list[Any]]] = {
    # name: the column, its cells in CSV, its values in JSON
    "int8": (pa.array([-1, None], pa.int8()), ["-1", ""], [-1, None]),
    "uint64": (pa.array([2**64 - 1, None], pa.uint64()), [str(2**64 - 1), ""], [2**64 - 1, None]),
    "float": (pa.array([1e300, -0.5]), ["1e+300", "-0.5"], [1e300, -0.5]),
    "nan": (pa.array([float("nan"), float("inf")]), ["nan", "inf"], [None, None]),
    "float16": (pa.array([1.5, None], pa.float16()), ["1.5", ""], [1.5, None]),
    "bool": (pa.array([True, None]), ["true", ""], [True, None]),
    "null": (pa.nulls(2), ["", ""], [None, None]),
    "decimal": (pa.array([decimal.Decimal("1.50"), None]), ["1.50", ""], ["1.50", None]),
    "decimal256": (
        pa.array([decimal.Decimal(10**45), None], pa.decimal256(50, 1)),
        [f"{10**45}.0", ""],
        [f"{10**45}.0", None],
    ),
    "date": (pa.array([date(2024, 1, 1), None]), ["2024-01-01", ""], ["2024-01-01", None]),
    "far date": (pa.array([5_000_000, None], pa.int32()).cast(pa.date32()), ["15659-07-15", ""], ["15659-07-15", None]),
    "timestamp": (
        pa.array([MOMENT, None]),
        ["2024-05-13 01:02:03.000004", ""],
        ["2024-05-13T01:02:03.000004", None],
    ),
    "nanoseconds": (
        pa.array([NANO, NANO - 4], pa.timestamp("ns")),
        ["2024-05-13 01:02:03.000000004", "2024-05-13 01:02:03.000000000"],
        ["2024-05-13T01:02:03.000000004", "2024-05-13T01:02:03"],
    ),
    "zoned": (
        pa.array([MOMENT, None], pa.timestamp("us", "Asia/Shanghai")),
        ["2024-05-13 09:02:03.000004+0800", ""],
        ["2024-05-13T09:02:03.000004+08:00", None],
    ),
    "time": (pa.array([time(1, 2, 3, 4), None]), ["01:02:03.000004", ""], ["01:02:03.000004", None]),
    "time ns": (pa.array([5, None], pa.time64("ns")), ["00:00:00.000000005", ""], ["00:00:00.000000005", None]),
    "duration": (pa.array([timedelta(1, 2), None]), ["86402000000", ""], ["1 day, 0:00:02", None]),
    "binary": (pa.array([b"a", b"a\xff"]), ['"a"', r'"a\\xff"'], ["a", r"a\xff"]),
    "large binary": (pa.array([b"a\xff", None], pa.large_binary()), [r'"a\\xff"', ""], [r"a\xff", None]),
    "fixed binary": (pa.array([b"a\xff", None], pa.binary(2)), [r'"a\\xff"', ""], [r"a\xff", None]),
    "binary view": (pa.array([b"a\xff", None], pa.binary_view()), [r'"a\\xff"', ""], [r"a\xff", None]),
    "no utf-8": (pa.array([b"a\xff", None]).view(pa.string()), [r"a\xff", ""], [r"a\xff", None]),
    "large text": (pa.array(["甲", None], pa.large_string()), ["甲", ""], ["甲", None]),
    "text view": (pa.array(["甲", None], pa.string_view()), ["甲", ""], ["甲", None]),
    "dictionary": (pa.array(["甲", None]).dictionary_encode(), ["甲", ""], ["甲", None]),
    "uuid": (
        pa.ExtensionArray.from_storage(pa.uuid(), pa.array([uuid.UUID(int=5).bytes, None], pa.binary(16))),
        [f'"{uuid.UUID(int=5)}"', ""],
        [str(uuid.UUID(int=5)), None],
    ),
    "list": (pa.array([[1, None], None]), ["[1, null]", ""], [[1, None], None]),
    "struct": (pa.array([{"a": 1, "b": "甲"}, None]), ['{"a": 1, "b": "甲"}', ""], [{"a": 1, "b": "甲"}, None]),
    "map": (pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64())), ['[["k", 1]]', ""], [[["k", 1]], None]),
    "list of time ns": (
        pa.array([[5, None, 1000], None], pa.list_(pa.time64("ns"))),
        ['["00:00:00.000000005", null, "00:00:00.000001"]', ""],
        [["00:00:00.000000005", None, "00:00:00.000001"], None],
    ),
    "list of nanoseconds": (
        pa.array([[NANO], None], pa.list_(pa.timestamp("ns"))),
        ['["2024-05-13T01:02:03.000000004"]', ""],
        [["2024-05-13T01:02:03.000000004"], None],
    ),
    "struct no utf-8": (
        pa.StructArray.from_arrays([pa.array([b"a\xff", b"b"]).view(pa.string())], ["x"]),
        [r'{"x": "a\\xff"}', '{"x": "b"}'],
        [{"x": r"a\xff"}, {"x": "b"}],
    ),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_types_of_parquet(name: str, engine: Engine, today: date, tmp_path: Path) -> None:
    column, cells, values = COLUMNS[name]
    pq.write_table(pa.table({"query": ["菏泽", "济南"], "值": column}), tmp_path / "in.parquet")
    source = ParquetSource(str(tmp_path / "in.parquet"))
    (batch,) = source.batches(10)
    assert batch.schema == source.schema
    found = ArrowResolver(engine, today=today)(batch)

    (tmp_path / "out.parquet").write_bytes(written(found, Format.PARQUET, cut=2))
    again = pq.read_table(tmp_path / "out.parquet")
    assert again.schema.field("值") == source.schema.field("值")
    assert again.column("值").combine_chunks() == batch.column("值") or name == "nan"

    (tmp_path / "out.csv").write_bytes(written(found, Format.CSV))
    assert [row["值"] for row in from_csv(tmp_path / "out.csv", (tmp_path / "out.csv").read_bytes())] == cells
    assert [json.loads(line)["值"] for line in written(found, Format.JSONL).splitlines()] == values


def test_how_rows_are_cut_does_not_show(engine: Engine, today: date) -> None:
    """A column with one odd value is written the same whether the other rows stand beside it or not."""
    columns = {name: column for name, (column, _, _) in COLUMNS.items()}
    found = ArrowResolver(engine, today=today)(pa.record_batch({"query": ["菏泽", "济南"], **columns}))
    for kind in (Format.CSV, Format.JSONL):
        assert written(found, kind, cut=1) == written(found, kind, cut=2)


def test_columns_of_one_name(tmp_path: Path, run: Run) -> None:
    """JSON would keep only the last of them; Parquet keeps both."""
    texts = pa.array(["乙市"])
    pq.write_table(pa.Table.from_arrays([texts, texts, pa.array([5])], ["query", "a", "a"]), tmp_path / "in.parquet")
    for target in ("out.jsonl", "out.csv"):
        with pytest.raises(ValueError, match="more than one column 'a'"):
            run(tmp_path / "in.parquet", tmp_path / target)
    run(tmp_path / "in.parquet", tmp_path / "out.parquet")
    assert pq.read_schema(tmp_path / "out.parquet").names[:4] == ["query", "a", "a", "status"]


@pytest.mark.parametrize("ending", ["parquet", "csv", "jsonl"])
def test_long_rows_make_short_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str) -> None:
    """Long rows, evenly spread and not encoded as repeats; the same batches come each time."""
    monkeypatch.setattr(batches, "BATCH_BYTES", 10_000)
    rows = [{"query": f"{i}", "note": "长" * (4_000 if i % 3 else 10)} for i in range(20)]
    path = tmp_path / f"in.{ending}"
    if ending == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path, use_dictionary=False)
    elif ending == "csv":
        path.write_text("query,note\n" + "".join(f"{r['query']},{r['note']}\n" for r in rows), encoding="utf-8")
    else:
        path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    source = open_source(str(path), Format(ending), ["query"], added=None, encoding=None)
    first, again = (list(source.batches(100)) for _ in range(2))
    assert [row for batch in first for row in batch.to_pylist()] == rows
    assert first == again and len(first) > 4
    assert all(batch.num_rows == 1 or batch.slice(1).nbytes < 40_000 for batch in first)


@pytest.mark.parametrize("long", [range(2000), range(1900, 2000), [7]], ids=["all", "the last", "one"])
def test_parquet_batches_are_small_however_the_file_is_encoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, long: Sequence[int]
) -> None:
    """Repeated cells are hardly to be seen in the file, and a few long rows hardly in the average."""
    monkeypatch.setattr(batches, "BATCH_BYTES", 1_000_000)
    notes = ["长" * 4_000 if i in long else "短" for i in range(2000)]  # 12 kB
    path = tmp_path / "in.parquet"
    pq.write_table(pa.table({"query": [str(i) for i in range(2000)], "note": notes}), path)
    first, again = (list(ParquetSource(str(path)).batches(1000)) for _ in range(2))
    assert [n for batch in first for n in batch.column(1).to_pylist()] == notes
    assert first == again
    assert all(batch.nbytes < 1_000_000 + 256 * 13_000 and batch.num_rows <= 1000 for batch in first)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere memory is counted in other units")
def test_of_a_large_file_little_is_held(tmp_path: Path) -> None:
    path = tmp_path / "in.parquet"
    chunk = pa.table({"query": [random.Random(i).randbytes(500).hex() for i in range(5_000)]})
    with pq.ParquetWriter(path, chunk.schema, compression="none", use_dictionary=False) as writer:
        for _ in range(24):
            writer.write_table(chunk)
    code = (
        "import resource, sys; from qilin.batch.files.parquet import ParquetSource; source = ParquetSource(sys.argv[1]);"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; before = peak();"
        "rows = sum(batch.num_rows for batch in source.batches(1000)); print(rows, peak() - before)"
    )
    said = subprocess.run([sys.executable, "-c", code, str(path)], check=True, stdout=subprocess.PIPE, text=True).stdout
    rows_read, grown_kb = map(int, said.split())
    assert rows_read == 120_000
    assert path.stat().st_size > 120_000_000
    assert grown_kb < 60_000


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_kept_so_that_it_can_be_read_twice(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"query\n" + b"a\n" * 100_000,))
    writer.start()
    with local_file(str(pipe)) as kept:
        source = CsvSource(kept)
        assert sum(batch.num_rows for batch in source.batches(1000)) == 100_000
    writer.join()
    assert not Path(kept).exists()
