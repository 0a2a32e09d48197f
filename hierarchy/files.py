"""CSV files and XLSX workbooks as tables of text."""

from __future__ import annotations

import codecs
import csv
import io
import warnings
from pathlib import Path

from .did_you_mean import did_you_mean
from .findings import HierarchyError, listed
from .table import StrPath, Table, as_text, with_header

_DAMAGED_SHARE = 0.1
"""With less undecodable non-ASCII than this, a file is damaged UTF-8; GB18030 would read it as nonsense."""

_ASCII = bytes(range(128))
_USUAL_SHARE = 0.6
"""Chinese place names lie mostly within GB2312; Big5 or Latin-1 bytes read as GB18030 do not."""


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
    return with_header(source, used, rows, numbers)


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
            rows = [[as_text(cell) for cell in row] for row in worksheet.iter_rows(values_only=True)]
            book.close()
    except HierarchyError:
        raise
    except Exception as error:  # openpyxl raises whatever its zip and XML readers raise
        raise HierarchyError(
            f"this is no readable XLSX workbook ({type(error).__name__}: {error}).",
            "Open it in a spreadsheet program and save it as .xlsx or .csv.",
            source,
        ) from None
    return with_header(source, None, rows, list(range(1, len(rows) + 1)))


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
