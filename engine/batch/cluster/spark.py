"""Questions in a Spark DataFrame: the Arrow function of every batch, for `DataFrame.mapInArrow`. Needs the extra `spark`.

The tables are compiled once, on the driver, and broadcast; each Python worker makes its engine once and keeps it
as long as it lives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pyarrow as pa

from qilin.batch.result_columns import RESULT

if TYPE_CHECKING:
    from qilin.batch.arrow import ArrowResolver
    from qilin.batch.input_columns import Columns
    from qilin.batch.recipe import Recipe

Resolve = Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]

_READ = {  # Spark's types that can be read, as Arrow types; the others only need to differ from these
    "string": pa.string(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", "UTC"),
    "timestamp_ntz": pa.timestamp("us"),
    "integer": pa.int32(),
    "long": pa.int64(),
}

_kept: dict[str, ArrowResolver] = {}  # the resolver of this process, by the name of its recipe


def resolve_frame(frame: Any, recipe: Recipe) -> Any:
    """The rows of a DataFrame with their resolutions; lazy, as every transformation in Spark.

    Args:
        frame: with the columns that the recipe names.
        recipe: which tables, columns and options; its tables must be bytes, as `qilin.names.cache.packed` gives them.

    Returns: a DataFrame with the columns of `frame`, then those of `RESULT`.
    Raises: ValueError, as `Columns.output_schema`; TypeError, as `resolve_in_arrow`.
    """
    return frame.mapInArrow(resolve_in_arrow(frame.sparkSession, recipe), output_type(frame.schema, recipe.columns))


def resolve_in_arrow(session: Any, recipe: Recipe) -> Resolve:
    """The function for `mapInArrow`, with the recipe broadcast by the session; `output_type` is its schema.

    Raises: TypeError, for a recipe whose tables are a file.
    """
    if not isinstance(recipe.tables, bytes):
        raise TypeError("the tables of a recipe for Spark must be bytes: qilin.names.cache.packed(tables).")
    sent = session.sparkContext.broadcast(recipe.pinned())
    name = uuid4().hex

    def resolve(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        return map(_resolver(name, sent), batches)

    return resolve


def _resolver(name: str, sent: Any) -> ArrowResolver:
    """The resolver of this process. At module level, since Spark copies all that a nested function refers to."""
    if name not in _kept:
        _kept.clear()  # one at a time: tables can be large
        _kept[name] = sent.value.make()
    return _kept[name]


def output_type(frame_type: Any, columns: Columns) -> Any:
    """The StructType of the rows with their resolutions; `frame_type`: of the rows without.

    Raises: ValueError, as `Columns.output_schema`.
    """
    from pyspark.sql.types import ArrayType, DateType, StringType, StructField, StructType

    known = [(field.name, _READ.get(field.dataType.typeName(), pa.null())) for field in frame_type.fields]
    columns.output_schema(pa.schema(known))  # raises
    types = {pa.string(): StringType(), pa.date32(): DateType(), pa.list_(pa.string()): ArrayType(StringType())}
    added = [StructField(name, types[field.type]) for name, field in zip(columns.added, RESULT, strict=True)]
    return StructType([*frame_type.fields, *added])
