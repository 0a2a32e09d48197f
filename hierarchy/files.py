"""Files and databases to a header and numbered rows of text. Nothing here knows what a row means."""

from __future__ import annotations

import codecs
import csv
import io
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from .findings import HierarchyError, did_you_mean, listed

if TYPE_CHECKING:
    from sqlalchemy.engine.reflection import Inspector

StrPath = str | PathLike[str]

_DAMAGED_SHARE = 0.1
"""With less undecodable non-ASCII than this, a file is damaged UTF-8; GB18030 would read it as nonsense."""

_ASCII = bytes(range(128))
_USUAL_SHARE = 0.6
"""Chinese place names lie mostly within GB2312; Big5 or Latin-1 bytes read as GB18030 do not."""


@dataclass(frozen=True)
class Table:
    """Rows as text, not yet interpreted. `numbers[k]` is the line (or record) number of `rows[k]`."""

    source: str
    encoding: str | None
    header: tuple[str, ...]
    header_row: int | None
    rows: Sequence[Sequence[str]]
    numbers: Sequence[int]


def read_csv(path: StrPath, encoding: str | None = None) -> Table:
    """Read a comma-, tab- or semicolon-separated file; the header says which.

    Raises: HierarchyError, for a file that is missing, undecodable, empty, or broken by a stray quote.
    """
    source = str(path)
    text, used = _decode(_read_bytes(path), source, encoding)
    first_line = text[: text.find("\n")] if "\n" in text else text
    delimiter = max(",\t;", key=first_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    numbers: list[int] = []
    try:
        if '"' not in text:
            rows = list(reader)
            numbers = list(range(1, len(rows) + 1))
        else:
            start = 1
            for row in reader:
                rows.append(row)
                numbers.append(start)
                start = reader.line_num + 1
    except csv.Error as error:
        raise HierarchyError(
            f"the row that begins here cannot be read ({error}).",
            "Close or remove its stray quotation mark.",
            source,
            numbers[-1] + 1 if numbers else 1,
        ) from None
    return _with_header(source, used, rows, numbers)


def read_xlsx(path: StrPath, sheet: str | None = None) -> Table:
    """Read one worksheet: the one named, else the first.

    Raises: HierarchyError, as `read_csv`, and when openpyxl or the sheet is missing.
    """
    source = str(path)
    content = _read_bytes(path)
    try:
        from openpyxl import load_workbook
    except ImportError:
        raise HierarchyError(
            "reading XLSX needs openpyxl.", "Run pip install 'qilin-grid[xlsx]', or save the sheet as CSV.", source
        ) from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl warns of styles and validations, which do not concern us
            book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
            names = [worksheet.title for worksheet in book.worksheets]
            if sheet is not None and sheet not in names:
                raise HierarchyError(
                    f"no worksheet '{sheet}'; the workbook has {listed(names)}.",
                    f"{did_you_mean(sheet, names)}Name one of them.",
                    source,
                )
            worksheet = book[sheet] if sheet is not None else book.worksheets[0]
            rows = [[_as_text(cell) for cell in row] for row in worksheet.iter_rows(values_only=True)]
            book.close()
    except HierarchyError:
        raise
    except Exception as error:  # openpyxl raises whatever its zip and XML readers raise
        raise HierarchyError(
            f"this is no readable XLSX workbook ({type(error).__name__}: {error}).",
            "Open it in a spreadsheet program and save it as .xlsx or .csv.",
            source,
        ) from None
    return _with_header(source, None, rows, list(range(1, len(rows) + 1)))


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
            rows = [[_as_text(cell) for cell in row] for row in result]
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


def read_rows(rows: Iterable[Mapping[str, object]], source: str = "rows") -> Table:
    """Rows in memory; the header is every key any row has, in order of appearance."""
    mappings = list(rows)
    header = tuple(dict.fromkeys(key for row in mappings for key in row))
    texts = [[_as_text(row.get(key)) for key in header] for row in mappings]
    return Table(source, None, header, None, texts, range(1, len(texts) + 1))


def hide_password(url: str) -> str:
    """The URL with its password replaced, for messages."""
    return re.sub(r"(://[^:/@]*):.*@", r"\1:***@", url)


def _as_text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))  # a spreadsheet's id 12 may arrive as 12.0
    return str(cell)


def _plain(error: Exception) -> str:
    """The first line of a driver's message; what follows repeats the statement, or gives hints of its own."""
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0].rstrip(". \t")


def _read_bytes(path: StrPath) -> bytes:
    source = str(path)
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        folder = Path(path).parent
        beside = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
        advice = f"{did_you_mean(Path(path).name, beside, 0.75)}Correct the path."
        raise HierarchyError("there is no such file.", advice, source) from None
    except IsADirectoryError:
        raise HierarchyError("this is a directory.", "Give a file inside it.", source) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise HierarchyError(
            f"the file cannot be read ({reason}).", "Check its path and permissions.", source
        ) from None


def _decode(content: bytes, source: str, encoding: str | None) -> tuple[str, str]:
    if encoding is not None:
        try:
            text, used = content.decode(codecs.lookup(encoding).name), encoding
        except LookupError:
            raise HierarchyError(f"'{encoding}' is no known encoding.", "Try utf-8 or gb18030.", source) from None
        except UnicodeDecodeError as error:
            row = content.count(b"\n", 0, error.start) + 1
            raise HierarchyError(
                f"byte 0x{content[error.start]:02x} is not {encoding}.",
                "Leave the encoding out to have UTF-8 and GB18030 tried, or name the right one.",
                source,
                row,
            ) from None
    elif content.startswith(codecs.BOM_UTF8):
        return _decode(content, source, "utf-8-sig")
    elif content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _decode(content, source, "utf-16")
    elif content.startswith(b"PK\x03\x04"):
        raise HierarchyError("this is an XLSX or ZIP file, not text.", "Load it as .xlsx.", source)
    else:
        text, used = _guess(content, source)
    if "\x00" in text:
        raise HierarchyError(
            "this is no text file: it holds NUL characters.",
            "Save it as CSV in UTF-8.",
            source,
            text.count("\n", 0, text.index("\x00")) + 1,
        )
    return text.removeprefix("\ufeff"), used


def _guess(content: bytes, source: str) -> tuple[str, str]:
    try:
        return content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        first_bad = error.start
    row = content.count(b"\n", 0, first_bad) + 1
    foreign_bytes = len(content.translate(None, _ASCII))
    if content.decode("utf-8", "replace").count("\ufffd") * 3 < _DAMAGED_SHARE * foreign_bytes:
        raise HierarchyError(
            f"this is UTF-8 but for byte 0x{content[first_bad]:02x}: the file is damaged here.",
            "Correct the row and save the file again.",
            source,
            row,
        )
    try:
        text = content.decode("gb18030")
        plain = len(text.encode("ascii", "ignore"))
        usual = (len(text.encode("gb2312", "ignore")) - plain) / 2
        if usual < _USUAL_SHARE * (len(text) - plain):
            foreign = "".join([character for character in text if character > "\x7f"][:8])
            raise HierarchyError(
                f"this is not UTF-8, and GB18030 reads it as '{foreign}…', which is unlikely.",
                "Save the file as UTF-8, or name its encoding.",
                source,
                row,
            )
        return text, "gb18030"
    except UnicodeDecodeError as error:
        gb_row = content.count(b"\n", 0, error.start) + 1
    raise HierarchyError(
        f"the bytes are neither UTF-8 (fails in line {row}) nor GB18030 (fails in line {gb_row}).",
        "Save the file as UTF-8, or name its encoding.",
        source,
        min(row, gb_row),
    )


def _with_header(source: str, encoding: str | None, rows: Sequence[Sequence[str]], numbers: Sequence[int]) -> Table:
    for index, row in enumerate(rows):
        if any(cell.strip() for cell in row):
            header = tuple(row)
            return Table(source, encoding, header, numbers[index], rows[index + 1 :], numbers[index + 1 :])
    raise HierarchyError("the table is empty.", "It needs a header and at least one organisation.", source)
