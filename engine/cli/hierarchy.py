"""`qilin hierarchy …`: look at an organisation table, hold it against another, write it out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qilin.cli.terminal import BAD_INPUT, NOT_RESOLVED, complain, prepare_streams, reporting, show, show_json
from qilin.report.text import Line, Styled, Tree, line, tree_lines

if TYPE_CHECKING:
    from qilin.hierarchy import Change, Finding, Hierarchy
    from qilin.names.compiled import Tables

app = typer.Typer(
    help="组织表：检查、浏览、查找、比较、导出。 The organisation table: lint, show, find, compare, export.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

TableOption = Annotated[
    str | None,
    typer.Option(
        "--table", "-t", metavar="TABLE",
        help="组织表：CSV、XLSX、数据库 URL，或自带的 shandong、china。 Organisation table: a CSV or XLSX file, "
        "a database URL (sqlite:///org.db#table), or a bundled one.",
        show_default="shandong",
    ),
]  # fmt: skip
SheetOption = Annotated[
    str | None, typer.Option("--sheet", help="XLSX 工作表，或数据库中的表。 Worksheet, or table of the database.")
]
AliasesOption = Annotated[
    str | None, typer.Option("--aliases", metavar="FILE", help="别名表（CSV）。 Alias file, a CSV.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="每行一个 JSON 对象。 One JSON object a line.")]
TableArgument = Annotated[str, typer.Argument(metavar="TABLE", help="同 --table。 As for --table.")]


class Shape(StrEnum):
    """What `export` writes."""

    PATH = "path"
    PARENT = "parent"
    ALIASES = "aliases"


class LevelName(StrEnum):
    """A level, as an option says it."""

    PROVINCE = "province"
    CITY = "city"
    COMPANY = "company"
    SUBSTATION = "substation"


# ── loading ──────────────────────────────────────────────────────────────────────────────────────


def is_bundled(table: str) -> bool:
    """Whether a table is named like a bundled one: a bare word that is no file."""
    return "://" not in table and not Path(table).suffix and Path(table).name == table and not Path(table).exists()


def load_table(table: str | None, sheet: str | None = None, aliases: str | None = None) -> Hierarchy:
    """Load the table of a `--table` option, and say on stderr what had to be left out.

    Raises: HierarchyError.
    """
    from qilin.hierarchy import Hierarchy, load_aliases

    name = table if table is not None else "shandong"
    if not is_bundled(name):
        return _told(Hierarchy.load(name, sheet, aliases=aliases))
    hierarchy = Hierarchy.bundled(name)
    if aliases is None:
        return hierarchy
    return _told(hierarchy.with_aliases(*load_aliases(aliases, hierarchy)))


def load_compiled(
    table: str | None, sheet: str | None = None, aliases: str | None = None, indicators: str | None = None
) -> Tables:
    """As `load_table`, compiled for queries; a CSV file comes from the cache where it can.

    Raises: HierarchyError.
    """
    from qilin.names.cache import load_tables

    name = table if table is not None else "shandong"
    if is_bundled(name):
        files = _bundled_files(name)
        if aliases is None:
            return load_tables(*files, indicators)
    elif sheet is None and Path(name).suffix.lower() == ".csv" and "://" not in name:
        tables = load_tables(name, aliases, indicators)
        _told(tables.hierarchy)
        return tables
    from qilin.names.compiled import Tables

    return Tables.build(load_table(table, sheet, aliases), indicators)


def _bundled_files(name: str) -> tuple[Path, Path | None]:
    """A bundled table and its alias file, if it has one.

    Raises: HierarchyError, saying which there are.
    """
    from qilin.hierarchy import Hierarchy, HierarchyError, bundled_path

    try:
        path = bundled_path(f"hierarchy/{name}.csv")
    except HierarchyError:
        Hierarchy.bundled(name)  # says it better
        raise
    aliases = path.with_name(f"{name}_aliases.csv")
    return path, aliases if aliases.exists() else None


def _told(hierarchy: Hierarchy) -> Hierarchy:
    """The same tree, once stderr says what is not in it."""
    left_out = [finding for finding in hierarchy.findings if finding.severity == "error"]
    if left_out:
        more = f" ({len(left_out) - 1} more)" if len(left_out) > 1 else ""
        complain(f"left out: {left_out[0]}{more}; `qilin hierarchy lint` lists everything.")
    return hierarchy


# ── commands ─────────────────────────────────────────────────────────────────────────────────────


@app.command(short_help="检查组织表。 Find what is wrong.")
def lint(
    table: TableArgument, sheet: SheetOption = None, aliases: AliasesOption = None, as_json: JsonOption = False
) -> None:
    """检查组织表，列出问题；有错误或警告时退出码为 1。 What is wrong with a table; exit code 1 on errors or warnings."""
    from qilin.hierarchy import lint as find_problems

    prepare_streams(data=as_json)
    with reporting():
        source: str | Path = table
        alias_file: str | Path | None = aliases
        if is_bundled(table):
            source, own_aliases = _bundled_files(table)
            alias_file = aliases or own_aliases
        findings = find_problems(source, sheet, aliases=alias_file)
        if as_json:
            for finding in findings:
                _show_object(finding._asdict())
        else:
            show(_finding_lines(findings))
        if any(finding.severity != "info" for finding in findings):
            raise typer.Exit(NOT_RESOLVED)


@app.command("show", short_help="画出单位以下的树。 Draw the tree.")
def show_tree(
    name: Annotated[str | None, typer.Argument(help="单位名称或路径。 Name or path of an organisation.")] = None,
    depth: Annotated[int, typer.Option(min=0, help="向下几级。 Levels below it.")] = 1,
    table: TableOption = None,
    sheet: SheetOption = None,
    aliases: AliasesOption = None,
) -> None:
    """画出一个单位（默认整张表）以下的树。 The tree below an organisation, or of the whole table."""
    prepare_streams()
    with reporting():
        if name is None:
            hierarchy = load_table(table, sheet, aliases)
            nodes: Sequence[int] = hierarchy.provinces
        else:
            tables = load_compiled(table, sheet, aliases)
            hierarchy, nodes = tables.hierarchy, _named(tables, name)
        for node in nodes:
            show(tree_lines(_subtree(hierarchy, node, depth, whole_path=True)))


@app.command(short_help="一个名称可能指谁。 Whom a name means.")
def find(
    name: Annotated[str, typer.Argument(help="名称、简称或路径。 Name, short form or path.")],
    table: TableOption = None,
    sheet: SheetOption = None,
    aliases: AliasesOption = None,
    as_json: JsonOption = False,
) -> None:
    """一个名称可能指的所有单位。 Every organisation that a name, a short form or a path could be."""
    from qilin.names.find import find_names

    prepare_streams(data=as_json)
    with reporting():
        tables = load_compiled(table, sheet, aliases)
        hierarchy = tables.hierarchy
        found = find_names(tables, name)
        if not found:
            _complain_of_unknown(hierarchy, name)
            raise typer.Exit(NOT_RESOLVED)
        if as_json:
            for node, form in found:
                _show_object({"path": _path(hierarchy, node), "level": _level(hierarchy, node), "form": form})
        else:
            show(line(_arrows(_path(hierarchy, node)), Styled(f"  {form}", "dim")) for node, form in found)


@app.command(short_help="共用的名称。 Names owned by several.")
def ambiguous(
    level: Annotated[LevelName | None, typer.Option(help="只看这一级。 This level only.")] = None,
    limit: Annotated[int, typer.Option(min=0, help="最多几个名称，0 为全部。 Most names shown; 0: all.")] = 20,
    table: TableOption = None,
    sheet: SheetOption = None,
    aliases: AliasesOption = None,
    as_json: JsonOption = False,
) -> None:
    """由多个单位共用的名称，多者在前。 Names owned by several organisations, most owners first."""
    prepare_streams(data=as_json)
    with reporting():
        hierarchy = load_table(table, sheet, aliases)
        shared = list(_shared_names(hierarchy, level))
        shown = shared[: limit or None]
        if as_json:
            for name, nodes in shown:
                _show_object({"name": name, "owners": [_path(hierarchy, node) for node in nodes]})
        else:
            show(_shared_lines(hierarchy, shown, len(shared)))


@app.command(short_help="比较两个版本。 Compare two versions.")
def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="旧表。 The old table.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="新表。 The new table.")],
    old_aliases: Annotated[str | None, typer.Option("--old-aliases", metavar="FILE", help="旧别名表。")] = None,
    new_aliases: Annotated[
        str | None,
        typer.Option("--new-aliases", metavar="FILE", help="新别名表；旧名称列为别名的算改名。 Tells renames apart."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """两个版本之间新增、撤销、移动和改名的单位。 What was added, removed, moved and renamed between two versions."""
    from qilin.hierarchy import diff as find_changes

    prepare_streams(data=as_json)
    with reporting():
        changes = find_changes(load_table(old, None, old_aliases), load_table(new, None, new_aliases))
        if as_json:
            for change in changes:
                _show_object({**change._asdict(), "level": change.level.column})
        else:
            show(_change_lines(changes))


@app.command(short_help="导出 CSV、JSON。 Write CSV or JSON.")
def export(
    table: TableArgument,
    out: Annotated[
        str, typer.Argument(metavar="OUT", help=".csv 或 .json 文件，- 为标准输出。 File, or - for stdout.")
    ],
    shape: Annotated[
        Shape,
        typer.Option(
            help="CSV 的形状：一行一条路径，一行一个单位和上级，或别名表。 Rows are paths, or name their parents; or the aliases."
        ),
    ] = Shape.PATH,
    sheet: SheetOption = None,
    aliases: AliasesOption = None,
) -> None:
    """把组织表写成 CSV 或 JSON（按扩展名）。 Write a table as CSV or JSON, by extension."""
    from qilin.hierarchy.export import to_alias_csv, to_csv, to_json, to_parent_csv

    prepare_streams(data=True)
    with reporting():
        ending = Path(out).suffix.lower() if out != "-" else ".csv"
        if ending not in (".csv", ".json"):
            complain(f"{out}: no format is known to end in '{ending}'. Use .csv or .json.")
            raise typer.Exit(BAD_INPUT)
        if Path(out).exists() and Path(table).exists() and Path(out).samefile(table):
            complain(f"{out}: this is the table itself, and rows that were left out would be lost. Name another file.")
            raise typer.Exit(BAD_INPUT)
        hierarchy = load_table(table, sheet, aliases)
        writers = {Shape.PATH: to_csv, Shape.PARENT: to_parent_csv, Shape.ALIASES: to_alias_csv}
        text = to_json(hierarchy) if ending == ".json" else writers[shape](hierarchy)
        if out == "-":
            print(text, end="", flush=True)
        else:
            Path(out).write_text(text, encoding="utf-8", newline="")
        if ending == ".csv" and shape is not Shape.ALIASES and hierarchy.aliases:
            complain(f"{len(hierarchy.aliases)} aliases are not part of this file; --shape aliases writes them.")


# ── lines ────────────────────────────────────────────────────────────────────────────────────────

_SEVERITY = {"error": ("错误", "red"), "warning": ("警告", "yellow"), "info": ("提示", "cyan")}
_CHANGE = {
    "added": ("新增", "green"),
    "removed": ("撤销", "red"),
    "moved": ("移动", "yellow"),
    "renamed": ("改名", "cyan"),
}
_MOST_OWNERS = 5


def _finding_lines(findings: Sequence[Finding]) -> Iterator[Line]:
    for finding in findings:
        word, style = _SEVERITY[finding.severity]
        yield line(Styled(word, style), f"  {finding}", Styled(f"  [{finding.code}]", "dim"))
    counts = [
        f"{sum(finding.severity == severity for finding in findings)} 个{word}"
        for severity, (word, _) in _SEVERITY.items()
    ]
    yield line("、".join(counts) if findings else Styled("✓ 没有发现问题", "green"))


def _change_lines(changes: Sequence[Change]) -> Iterator[Line]:
    for change in changes:
        word, style = _CHANGE[change.kind]
        paths = " ⇒ ".join(_arrows(path) for path in (change.old, change.new) if path)
        yield line(Styled(word, style), f"  {change.level.chinese}  {paths}")
    yield line(f"{len(changes)} 处变化" if changes else "两个版本相同")


def _shared_names(hierarchy: Hierarchy, level: LevelName | None) -> Iterator[tuple[str, list[int]]]:
    names = {*hierarchy.names, *(alias.name for alias in hierarchy.aliases)}
    owners = {
        name: [node for node in hierarchy.find(name) if level is None or _level(hierarchy, node) == level.value]
        for name in names
    }
    for name, nodes in sorted(owners.items(), key=lambda item: (-len(item[1]), item[0])):
        if len(nodes) > 1:
            yield name, nodes


def _shared_lines(hierarchy: Hierarchy, shown: Sequence[tuple[str, list[int]]], total: int) -> Iterator[Line]:
    for name, nodes in shown:
        yield line(Styled(f"{len(nodes):>5}", "yellow"), "  ", Styled(name, "bold"))
        for node in nodes[:_MOST_OWNERS]:
            yield line(" " * 9, _arrows(_path(hierarchy, node)))
        if len(nodes) > _MOST_OWNERS:
            yield line(" " * 9, Styled(f"… 共 {len(nodes)} 个", "dim"))
    rest = f"，这里列出 {len(shown)} 个（--limit 0 列出全部）" if len(shown) < total else ""
    yield line(f"{total} 个名称由多个单位共用{rest}")


def _named(tables: Tables, name: str) -> Sequence[int]:
    """The nodes a name could be, by the names of the table first.

    Raises: typer.Exit, when there is none.
    """
    from qilin.names.find import find_names

    nodes = tables.hierarchy.find(name) or [form.node for form in find_names(tables, name)]
    if not nodes:
        _complain_of_unknown(tables.hierarchy, name)
        raise typer.Exit(NOT_RESOLVED)
    return nodes


def _complain_of_unknown(hierarchy: Hierarchy, name: str) -> None:
    from qilin.names.nearest import nearest_nodes

    nearest = [_arrows(_path(hierarchy, node)) for node in nearest_nodes(hierarchy, name)]
    hint = f" The nearest: {'; '.join(nearest)}." if nearest else ""
    complain(f"{hierarchy.source}: no organisation is named '{name}'.{hint}")


def _subtree(hierarchy: Hierarchy, node: int, depth: int, whole_path: bool = False) -> Tree:
    name = _arrows(_path(hierarchy, node)) if whole_path else hierarchy.names[node]
    below = hierarchy.last[node] - node
    if depth and below:
        return Tree(line(name), [_subtree(hierarchy, child, depth - 1) for child in hierarchy.children(node)])
    return Tree(line(name, Styled(f"（下辖 {below} 个单位）" if below else "", "dim")))


def _path(hierarchy: Hierarchy, node: int) -> list[str]:
    return [hierarchy.names[i] for i in hierarchy.paths[node]]


def _level(hierarchy: Hierarchy, node: int) -> str:
    from qilin.hierarchy import Level

    return Level(hierarchy.levels[node]).column


def _arrows(path: Sequence[str]) -> str:
    return " → ".join(path)


def _show_object(content: dict[str, object]) -> None:
    import json

    show_json(json.dumps(content, ensure_ascii=False))
