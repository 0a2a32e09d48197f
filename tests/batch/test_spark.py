"""The Arrow function in Spark, on two local cores. Needs Java."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("pyspark")
if shutil.which("java") is None:
    pytest.skip("Spark needs Java", allow_module_level=True)

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import SparkSession

from qilin import Engine
from qilin.batch import ArrowResolver
from qilin.batch.cluster.spark import output_type, resolve_frame, resolve_in_arrow
from qilin.batch.input_columns import Columns
from qilin.batch.recipe import Recipe
from qilin.hierarchy import Hierarchy
from qilin.names.cache import packed
from qilin.names.compiled import Tables

TODAY = date(2024, 5, 13)
ASKED = ["菏泽麒麟投诉数量", "城关供电所本月投诉数量", "曹县供电公司麒麟供电所投诉数量", "", None, "济南和青岛上月意见"]


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        patch.setenv("PYSPARK_PYTHON", sys.executable)
        builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
        builder = builder.config("spark.driver.bindAddress", "127.0.0.1").config("spark.sql.session.timeZone", "UTC")
        spark = builder.config("spark.log.level", "OFF").getOrCreate()
        yield spark
        spark.stop()


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return Recipe(packed(Tables.build(Hierarchy.bundled())), Columns(), TODAY)


def test_the_rows_are_those_of_the_arrow_function(session: Any, recipe: Recipe, engine: Engine, tmp_path: Path) -> None:
    questions = pa.table({"id": range(60), "query": ASKED * 10, "more": [[1, None]] * 60})
    pq.write_table(questions, tmp_path / "in.parquet")
    frame = session.read.parquet(str(tmp_path / "in.parquet")).repartition(4)
    resolve_frame(frame, recipe).write.parquet(str(tmp_path / "out"))
    found = pq.read_table(tmp_path / "out").sort_by("id")
    expected = ArrowResolver(engine, today=TODAY)(questions)
    assert found.column_names == expected.column_names
    assert found.to_pylist() == expected.to_pylist()
    assert {row["status"] for row in found.to_pylist()} >= {"resolved", "ambiguous", "conflict", "failed"}


def test_days_and_names_of_columns_are_kept_to(session: Any, recipe: Recipe) -> None:
    at = datetime(2023, 4, 30, 20)  # 1 May in Shanghai
    frame = session.createDataFrame([("菏泽本月投诉", at, date(2023, 3, 1), "x")], ["asked", "at", "day", "status"])
    for column, month in (("at", 5), ("day", 3)):
        found = resolve_frame(frame, recipe._replace(columns=Columns("asked", today=column, prefix="q_"))).collect()[0]
        assert found["q_date_start"] == date(2023, month, 1) and found["status"] == "x"


def test_one_engine_serves_a_process(session: Any, recipe: Recipe) -> None:
    frame = session.createDataFrame([(i, f"菏泽{i}") for i in range(40)], ["id", "query"]).repartition(8)
    resolve = resolve_in_arrow(session, recipe)

    def tell(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        from qilin.batch.cluster import spark

        for batch in resolve(batches):
            kept = [id(resolver) for resolver in spark._kept.values()]
            yield pa.record_batch({"process": [os.getpid()] * len(batch), "engine": kept * len(batch)})

    rows = frame.mapInArrow(tell, "process long, engine long").collect()
    pairs = {(row["process"], row["engine"]) for row in rows}
    assert len(rows) == 40 and len(pairs) == len({process for process, _ in pairs})


def test_what_does_not_fit_is_told_before_anything_runs(session: Any, recipe: Recipe, tmp_path: Path) -> None:
    frame = session.createDataFrame([(1, "x")], ["query", "status"])
    with pytest.raises(ValueError, match="column 'query' holds int64, not text"):
        resolve_frame(frame, recipe)
    with pytest.raises(ValueError, match="no column 'asked'"):
        output_type(frame.schema, Columns("asked"))
    with pytest.raises(ValueError, match="already has 'status'"):
        output_type(frame.schema, Columns("status"))
    with pytest.raises(TypeError, match="must be bytes"):
        resolve_frame(frame, recipe._replace(tables=tmp_path))


def test_workers_with_other_rules_are_refused(session: Any, recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = session.createDataFrame([("菏泽",)], ["query"])
    monkeypatch.setattr(Recipe, "pinned", lambda recipe: recipe._replace(rules="of another version"))
    with pytest.raises(Exception, match="another version of qilin"):
        resolve_frame(frame, recipe).collect()
