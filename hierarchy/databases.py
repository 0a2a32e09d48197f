"""Databases that SQLAlchemy has a dialect for, as tables of text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from .did_you_mean import did_you_mean
from .findings import HierarchyError, listed
from .table import Table, as_text

if TYPE_CHECKING:
    from sqlalchemy.engine.reflection import Inspector


def read_sql(url: str, table_or_query: str | None = None) -> Table:
    """Read a table or a SELECT; the transaction is rolled back, so nothing can be changed.

    Raises: HierarchyError, when SQLAlchemy, the driver, the database or the table is missing. No message
        shows the password of the URL.
    """
    try:
        import sqlalchemy
        from sqlalchemy.exc import SQLAlchemyError
    except ImportError:
        raise HierarchyError(
            "reading a database needs SQLAlchemy.", "Run pip install 'qilin-grid[sql]'.", hide_password(url)
        ) from None
    try:
        parsed = sqlalchemy.make_url(url)
    except (SQLAlchemyError, ValueError):
        raise HierarchyError(
            "this is no database URL.", "Write it as dialect://user@host/database.", hide_password(url)
        ) from None
    source = parsed.set(query={}).render_as_string(hide_password=True)  # a query may hold a password too
    database = parsed.database
    if parsed.get_backend_name() == "sqlite" and database and not Path(database).is_file():
        advice = "Correct the path; three slashes are relative, four absolute."
        raise HierarchyError(f"there is no SQLite file '{database}'.", advice, source)  # SQLite would create it
    is_table = table_or_query is None or re.fullmatch(r"[\w$.]+", table_or_query) is not None
    if not is_table and not re.match(r"\s*(?:select|with|values)\b", str(table_or_query), re.IGNORECASE):
        raise HierarchyError("this is neither a table nor a query.", "Give a table name or a SELECT.", source)
    try:
        engine = sqlalchemy.create_engine(parsed)
    except ImportError as error:
        raise HierarchyError(
            f"the driver of {parsed.drivername} is not installed ({error}).",
            "For PostgreSQL run pip install 'psycopg[binary]' and write postgresql+psycopg://….",
            source,
        ) from None
    except SQLAlchemyError as error:
        raise HierarchyError(f"{_plain(error)}.", "Correct the dialect of the URL.", source) from None
    try:
        with engine.connect() as connection:
            if is_table:
                table = _existing_table(sqlalchemy.inspect(connection), table_or_query, source)
                source = f"{source}#{table}"
                schema, _, name = table.rpartition(".")
                everything = sqlalchemy.select(sqlalchemy.text("*"))
                result = connection.execute(everything.select_from(sqlalchemy.table(name, schema=schema or None)))
            else:
                literally = str(table_or_query).replace(":", r"\:")  # a query has no parameters to bind
                result = connection.execute(sqlalchemy.text(literally))
            header = tuple(map(str, result.keys()))
            rows = [[as_text(cell) for cell in row] for row in result]
            connection.rollback()
    except SQLAlchemyError as error:
        raise HierarchyError(
            f"the database says: {_plain(error)}.", "Correct the URL, the table or the query.", source
        ) from None
    finally:
        engine.dispose()
    return Table(source, None, header, None, rows, range(1, len(rows) + 1))


def _existing_table(inspector: Inspector, table: str | None, source: str) -> str:
    """The table asked for, or the only one; a table in a schema is taken as it is given."""
    tables = sorted([*inspector.get_table_names(), *inspector.get_view_names()])
    if table is None and len(tables) == 1:
        return tables[0]
    if table is None:
        advice = "Name one, or give a SELECT."
        raise HierarchyError(f"which table? The database has {listed(tables) or 'none'}.", advice, source)
    if "." not in table and table not in tables:
        advice = f"{did_you_mean(table, tables)}Name one of them, or give a SELECT."
        raise HierarchyError(f"no table '{table}'; the database has {listed(tables) or 'none'}.", advice, source)
    return table


def hide_password(url: str) -> str:
    """The URL with its password replaced, for messages."""
    return re.sub(r"(://[^:/@]*):.*@", r"\1:***@", url)


def _plain(error: Exception) -> str:
    """The first line of a driver's message; what follows repeats the statement, or gives hints of its own."""
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0].rstrip(". \t")
