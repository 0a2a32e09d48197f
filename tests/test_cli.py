"""The command: what it prints, its exit codes, pipes, and what it keeps away from the terminal."""

from __future__ import annotations

import inspect
import io
import json
import os
import runpy
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from types import MappingProxyType

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from qilin import resolve
from qilin.answer.resolution import Resolution
from qilin.answer.values import Entity, Unknown
from qilin.cli.app import app, main
from qilin.cli.lines_in import as_utf8
from qilin.cli.options import EngineOptions, TableOptions, with_options
from qilin.cli.terminal import prepare_streams, show_xml, silence
from qilin.hierarchy import Hierarchy
from qilin.report.text import labelled, line, resolution_lines, safe, safe_json, width

ROOT = Path(__file__).parents[1]
TODAY = ("--today", "2024-05-13")


@pytest.fixture(autouse=True)
def own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test reads or writes the cache of the person who runs it."""
    monkeypatch.setenv("QILIN_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "qilin-cache"))


@pytest.fixture
def org(tmp_path: Path) -> Path:
    """A small table."""
    path = tmp_path / "org.csv"
    rows = (
        "province,city,company,substation",
        "甲省,乙市,丙丁县供电公司,麒麟供电所",
        "甲省,乙市,丙丁县供电公司,城关供电所",
        "甲省,乙市,戊己县供电公司,城关供电所",
    )
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def run(*arguments: str, stdin: str | bytes | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=stdin)


def command(*arguments: str, env: Mapping[str, str] = MappingProxyType({})) -> subprocess.CompletedProcess[bytes]:
    """The command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "qilin", *arguments],
        cwd=ROOT,
        env={**os.environ, **env},
        capture_output=True,
        timeout=60,
    )


# ── resolve ──────────────────────────────────────────────────────────────────────────────────────


def test_a_resolved_query() -> None:
    result = run("resolve", "菏泽麒麟本月投诉数量", *TODAY)
    assert result.exit_code == 0
    assert result.stdout == (
        "✓ 已解析  山东省 → 菏泽 → 巨野县供电公司 → 麒麟供电所\n"
        "  指标    投诉\n"
        "  日期    本月 = 2024-05-01 至 2024-05-31\n"
    )


def test_an_ambiguous_query() -> None:
    result = run("resolve", "城关供电所")
    assert result.exit_code == 1
    assert result.stdout.startswith(
        "? 有歧义\n"
        "  候选    1. 山东省 → 潍坊 → 临朐县供电公司 → 城关供电所\n"
        "          2. 山东省 → 潍坊 → 潍城区供电公司 → 城关供电所\n"
        "          3. 山东省 → 菏泽 → 东明县供电公司 → 城关供电所\n"
        "  提问    “城关供电所”"
    )


def test_a_conflict_is_said_once() -> None:
    result = run("resolve", "曹县供电公司麒麟供电所")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[0] == "✗ 有冲突"
    assert result.stdout.count("“麒麟供电所”不属于“曹县供电公司”") == 1
    assert "  可改为  1. 山东省 → 菏泽 → 巨野县供电公司 → 麒麟供电所\n" in result.stdout


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("菏泽除曹县外各供电所投诉", ["  排除    山东省 → 菏泽 → 曹县供电公司", "  细分到  供电所"]),
        ("济南市中和历下", ["          山东省 → 济南 → 历下供电中心"]),
        ("菏泽剧野县投诉", ["  说明    “剧野县”按错别字读作“巨野县供电公司”"]),
        ("今日投诉", ["✓ 已解析  （没有指明单位）", "  日期    今日 = 2024-05-13"]),
    ],
)
def test_what_else_there_is_to_say(query: str, shown: list[str]) -> None:
    lines = run("resolve", query, *TODAY).stdout.splitlines()
    for each in shown:
        assert each in lines


def test_several_queries_have_headings_and_the_worst_exit_code() -> None:
    result = run("resolve", "菏泽投诉", "城关供电所")
    assert result.exit_code == 1
    assert [x for x in result.stdout.splitlines() if x.startswith("»")] == ["» 菏泽投诉", "» 城关供电所"]


def test_json_lines_are_what_the_library_says() -> None:
    result = run("resolve", "--json", "菏泽麒麟", "济宁巨野")
    assert result.exit_code == 1
    assert [Resolution.model_validate_json(x) for x in result.stdout.splitlines()] == [
        resolve("菏泽麒麟"),
        resolve("济宁巨野"),
    ]


def test_xml_is_one_line_each_even_of_a_query_with_several() -> None:
    result = run("resolve", "--xml", "菏泽\r\n投诉", "菏泽")
    assert result.stdout.splitlines() == [
        "<Province>山东省</Province><City>菏泽</City>&#13;&#10;<Indicator>投诉</Indicator>",
        "<Province>山东省</Province><City>菏泽</City>",
    ]


def test_json_and_xml_exclude_each_other() -> None:
    result = run("resolve", "--json", "--xml", "菏泽")
    assert result.exit_code == 2
    assert "not both" in result.stderr


@pytest.mark.parametrize("arguments", [(), ("-",)])
def test_stdin_goes_on_after_bad_lines(arguments: tuple[str, ...]) -> None:
    lines = ["\ufeff菏泽".encode(), "菏".encode("gb18030"), ("长" * 30).encode(), b"", "巨野".encode() + b"\r"]
    result = run("resolve", "--json", "--max-length", "20", *arguments, stdin=b"\n".join(lines))
    assert result.exit_code == 2
    assert [json.loads(x)["query"] for x in result.stdout.splitlines()] == ["菏泽", "", "巨野"]
    first, second = result.stderr.splitlines()
    assert first.startswith("qilin: stdin:2: byte 0xba (byte 1 of the line) is not UTF-8.")
    assert second.startswith("qilin: stdin:3: the query has 30 characters, the limit is 20.")


def test_empty_stdin_is_nothing_to_do() -> None:
    result = run("resolve", stdin="")
    assert (result.exit_code, result.stdout) == (0, "")


@pytest.mark.parametrize("arguments", [("resolve",), ("explain",), ("check",)])
def test_a_terminal_is_not_waited_for(arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qilin.cli.terminal._is_terminal", lambda stream: True)
    result = run(*arguments)
    assert result.exit_code == 2
    assert "pipe" in result.stderr


def test_options_reach_the_engine(org: Path, tmp_path: Path) -> None:
    indicators = tmp_path / "indicators.csv"
    indicators.write_text("name,aliases\n跳闸,\n", encoding="utf-8")
    aliases = tmp_path / "aliases.csv"
    aliases.write_text("alias,level,canonical\n祥瑞所,substation,麒麟供电所\n", encoding="utf-8")
    options = ("-t", str(org), "--aliases", str(aliases), "--indicators", str(indicators))
    result = run("resolve", "祥瑞所跳闸", *options, "--default-date", "本月", *TODAY)
    assert result.stdout == (
        "✓ 已解析  甲省 → 乙市 → 丙丁县供电公司 → 麒麟供电所\n"
        "  指标    跳闸\n"
        "  日期    本月 = 2024-05-01 至 2024-05-31\n"
        "  说明    “本月”是默认日期\n"
    )
    assert run("resolve", "城关供电所", "-t", str(org)).exit_code == 1
    assert run("resolve", "城关供电所", "-t", str(org), "--scope", "戊己县供电公司").exit_code == 0


def test_bundled_tables_take_further_aliases(tmp_path: Path) -> None:
    aliases = tmp_path / "aliases.csv"
    aliases.write_text("alias,level,canonical,city\n祥瑞所,substation,麒麟供电所,菏泽\n", encoding="utf-8")
    result = run("resolve", "祥瑞所投诉", "--aliases", str(aliases))
    assert (result.exit_code, "麒麟供电所" in result.stdout) == (0, True)


def test_other_formats_load(org: Path, tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    book.active.append(["nothing"])
    sheet = book.create_sheet("org")
    for row in org.read_text(encoding="utf-8").splitlines():
        sheet.append(row.split(","))
    book.save(tmp_path / "org.xlsx")
    result = run("resolve", "麒麟所", "-t", str(tmp_path / "org.xlsx"), "--sheet", "org")
    assert result.stdout.startswith("✓ 已解析  甲省 → 乙市 → 丙丁县供电公司 → 麒麟供电所")


def test_rows_that_are_left_out_are_told(org: Path) -> None:
    with org.open("a", encoding="utf-8") as file:
        file.write("甲省,,,坏供电所\n甲省,,,坏二供电所\n")
    for _ in range(2):  # the second time from the cache
        result = run("resolve", "麒麟所", "--table", str(org))
        assert result.exit_code == 0
        assert result.stderr.startswith(f"qilin: left out: {safe(str(org))}:5: ")
        assert "more); `qilin hierarchy lint` lists everything." in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--table", "nosuch.csv"), "nosuch.csv: there is no such file."),
        (("--table", "shandng"), "Did you mean 'shandong'?"),
        (("--scope", "火星"), "scope '火星' is not in the table"),
        (("--default-date", "胡说"), "is no date that is understood"),
        (("--indicators", "nosuch.csv"), "nosuch.csv: the indicators cannot be read"),
        (("--aliases", "nosuch.csv"), "nosuch.csv: there is no such file."),
        (("--today", "2024-13-01"), "does not match the format"),
        (("--max-length", "0"), "--max-length"),
    ],
)
def test_wrong_use_is_one_message(arguments: tuple[str, ...], message: str) -> None:
    result = run("resolve", "菏泽", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_version() -> None:
    result = run("--version")
    assert result.exit_code == 0
    assert f"table shandong {Hierarchy.bundled().version}" in result.stdout


@pytest.mark.parametrize("found", ["1.2.3", None])
def test_version_of_a_checkout(found: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    from importlib import metadata

    def version(name: str) -> str:
        if found is None:
            raise metadata.PackageNotFoundError(name)
        return found

    monkeypatch.setattr(metadata, "version", version)
    assert run("--version").stdout.startswith(f"qilin {found or '(checkout, not installed)'}, ")


def test_help_is_in_both_languages() -> None:
    for arguments in ((), ("resolve",), ("explain",), ("check",), ("hierarchy",)):
        text = run(*arguments, "--help").stdout
        assert any("一" <= c <= "鿿" for c in text)
        assert "Show this message" in text


def test_commands_that_resolve_have_the_same_options() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    names = [field.name for field in fields(EngineOptions)]
    described = []
    for command in ("resolve", "explain", "batch"):
        shared = [param for param in commands[command].params if param.name in names]
        assert [param.name for param in shared] == names
        described.append([(param.opts, param.help, param.default) for param in shared])
    assert described[0] == described[1] == described[2]


def test_options_arrive_as_one_value() -> None:
    seen = []

    @with_options
    def command(name: str, *, options: TableOptions, last: bool = False) -> None:
        seen.append((name, options, last))

    assert list(inspect.signature(command).parameters) == ["name", "table", "sheet", "aliases", "last"]
    command(name="a", table="t", sheet=None, aliases="x", last=True)
    assert seen == [("a", TableOptions("t", None, "x"), True)]


# ── explain ──────────────────────────────────────────────────────────────────────────────────────


def test_explain_prints_the_tree_of_a_conflict() -> None:
    result = run("explain", "曹县供电公司麒麟供电所")
    assert result.exit_code == 1
    assert "          └── ✗ 麒麟供电所  “麒麟供电所”不在这里\n" in result.stdout
    assert "      │   └── ✓ 麒麟供电所  ←“麒麟供电所”实际在这里\n" in result.stdout


def test_explain_takes_several_and_bad_ones() -> None:
    result = run("explain", "菏泽", "长" * 9, "--max-length", "5")
    assert result.exit_code == 2
    assert result.stdout.count("问题") == 1
    assert "argument:2" in result.stderr
    content = json.loads(run("explain", "菏泽", "--json").stdout)
    assert [mention["text"] for mention in content["kept"]] == ["菏泽"]
    assert content["resolution"]["status"] == "resolved"


# ── check ────────────────────────────────────────────────────────────────────────────────────────

TAGGED = """\
山东省/菏泽/巨野县供电公司

<City>济宁</City><Company>巨野县供电公司</Company>投诉
{"query": "菏泽投诉", "xml": "<City>菏泽</City>意见"}
{"xml": "<City>菏泽</City>意见"}
{"query": 1, "xml": "菏泽"}
{"query": "菏泽"}
{"xml"
"""


def test_check_reads_every_kind_of_line(tmp_path: Path) -> None:
    file = tmp_path / "tagged.txt"
    file.write_text(TAGGED, encoding="utf-8")
    result = run("check", str(file))
    assert result.exit_code == 2
    assert [x.split("  ")[:2] for x in result.stdout.splitlines() if x.startswith("第")] == [
        ["第 3 行", "上级不符"],
        ["第 4 行", "文字不符"],
    ]
    assert "  可改为  1. 山东省 → 菏泽 → 巨野县供电公司\n" in result.stdout
    assert result.stdout.endswith("核对了 5 行，2 处冲突\n")
    assert [x.split(":")[2] for x in result.stderr.splitlines()] == ["6", "7", "8"]


def test_check_json() -> None:
    result = run("check", "--json", stdin="<City>济宁</City><Company>巨野县供电公司</Company>\n")
    assert result.exit_code == 1
    content = json.loads(result.stdout)
    assert (content["line"], content["kind"], content["repairs"][0]["city"]) == (1, "wrong-parent", "菏泽")


def test_check_compares_with_the_query() -> None:
    tagged = "<City>菏泽</City>投诉\n"
    assert run("check", "--query", "菏泽投诉", stdin=tagged).exit_code == 0
    assert run("check", "--query", "菏泽意见", stdin=tagged).exit_code == 1


def test_check_says_when_all_is_well() -> None:
    result = run("check", "-", stdin="山东省/菏泽\n")
    assert (result.exit_code, result.stdout) == (0, "核对了 1 行，没有冲突\n")


def test_check_of_bad_input(tmp_path: Path) -> None:
    assert run("check", stdin=b"\xff\n").exit_code == 2
    missing = run("check", str(tmp_path / "missing"))
    assert missing.exit_code == 2
    assert missing.stderr.endswith("missing: No such file or directory. Check its path and permissions.\n")


def test_what_resolve_writes_is_what_check_accepts() -> None:
    queries = ["菏泽麒麟投诉数量", "济南市中和历下", "菏泽除曹县外各供电所投诉", "本月投诉"]
    tagged = run("resolve", "--xml", *queries).stdout
    assert run("check", stdin=tagged).exit_code == 0


# ── hierarchy ────────────────────────────────────────────────────────────────────────────────────


def test_lint(org: Path) -> None:
    clean = run("hierarchy", "lint", str(org))
    assert (clean.exit_code, clean.stdout) == (0, "✓ 没有发现问题\n")
    with org.open("a", encoding="utf-8") as file:
        file.write("甲省,,,坏供电所\n")
    bad = run("hierarchy", "lint", str(org))
    assert bad.exit_code == 1
    assert bad.stdout.startswith(f"错误  {safe(str(org))}:5: ")
    assert "个错误、0 个警告、0 个提示" in bad.stdout
    findings = [json.loads(x) for x in run("hierarchy", "lint", "--json", str(org)).stdout.splitlines()]
    assert {(f["severity"], f["row"]) for f in findings} == {("error", 5)}


def test_lint_of_bundled_tables() -> None:
    assert run("hierarchy", "lint", "shandong").exit_code == 0
    assert run("hierarchy", "lint", "shandng").exit_code == 2


def test_show(org: Path) -> None:
    whole = run("hierarchy", "show", "-t", str(org), "--depth", "2")
    assert whole.stdout == (
        "甲省\n└── 乙市\n    ├── 丙丁县供电公司（下辖 2 个单位）\n    └── 戊己县供电公司（下辖 1 个单位）\n"
    )
    one = run("hierarchy", "show", "丙丁", "-t", str(org))
    assert one.stdout == "甲省 → 乙市 → 丙丁县供电公司\n├── 城关供电所\n└── 麒麟供电所\n"
    assert run("hierarchy", "show", "城关供电所", "-t", str(org)).stdout.count("\n") == 2


def test_unknown_names_are_answered_with_the_nearest() -> None:
    for action in ("show", "find"):
        result = run("hierarchy", action, "巨野区供电公司")
        assert (result.exit_code, result.stdout) == (1, "")
        assert "巨野县供电公司" in result.stderr
    assert "nearest" not in run("hierarchy", "find", "Ω").stderr


def test_find(org: Path) -> None:
    result = run("hierarchy", "find", "乙/城关所", "-t", str(org))
    assert (
        result.stdout
        == ("甲省 → 乙市 → 丙丁县供电公司 → 城关供电所  简称\n甲省 → 乙市 → 戊己县供电公司 → 城关供电所  简称\n")
        or result.exit_code == 1
    )  # a one-character stem such as 乙 is no name
    content = json.loads(run("hierarchy", "find", "丙丁", "-t", str(org), "--json").stdout)
    assert content == {"path": ["甲省", "乙市", "丙丁县供电公司"], "level": "company", "form": "词干"}


def test_ambiguous(org: Path) -> None:
    result = run("hierarchy", "ambiguous", "-t", str(org))
    assert result.stdout == (
        "    2  城关供电所\n"
        "         甲省 → 乙市 → 丙丁县供电公司 → 城关供电所\n"
        "         甲省 → 乙市 → 戊己县供电公司 → 城关供电所\n"
        "1 个名称由多个单位共用\n"
    )
    assert run("hierarchy", "ambiguous", "-t", str(org), "--level", "city").stdout == "0 个名称由多个单位共用\n"
    content = json.loads(run("hierarchy", "ambiguous", "-t", str(org), "--json").stdout)
    assert (content["name"], len(content["owners"])) == ("城关供电所", 2)
    longer = run("hierarchy", "ambiguous", "--limit", "1").stdout
    assert "… 共 6 个" in longer
    assert "这里列出 1 个（--limit 0 列出全部）" in longer


def test_diff(org: Path, tmp_path: Path) -> None:
    new = tmp_path / "new.csv"
    new.write_text(org.read_text(encoding="utf-8").replace("麒麟供电所", "祥瑞供电所"), encoding="utf-8")
    same = run("hierarchy", "diff", str(org), str(org))
    assert (same.exit_code, same.stdout) == (0, "两个版本相同\n")
    changed = run("hierarchy", "diff", str(org), str(new))
    assert changed.stdout == (
        "新增  供电所  甲省 → 乙市 → 丙丁县供电公司 → 祥瑞供电所\n"
        "撤销  供电所  甲省 → 乙市 → 丙丁县供电公司 → 麒麟供电所\n"
        "2 处变化\n"
    )
    aliases = tmp_path / "aliases.csv"
    aliases.write_text("alias,level,canonical\n麒麟供电所,substation,祥瑞供电所\n", encoding="utf-8")
    renamed = run("hierarchy", "diff", str(org), str(new), "--new-aliases", str(aliases), "--json")
    assert [json.loads(x)["kind"] for x in renamed.stdout.splitlines()] == ["renamed"]


@pytest.mark.parametrize("shape", ["path", "parent"])
def test_export_loads_again(org: Path, tmp_path: Path, shape: str) -> None:
    out = tmp_path / "out.csv"
    assert run("hierarchy", "export", str(org), str(out), "--shape", shape).exit_code == 0
    assert Hierarchy.from_csv(out) == Hierarchy.from_csv(org)
    assert run("hierarchy", "export", str(org), "-", "--shape", shape).stdout == out.read_text(encoding="utf-8")


def test_export_of_json_and_aliases(org: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    assert run("hierarchy", "export", str(org), str(out)).exit_code == 0
    assert len(json.loads(out.read_text(encoding="utf-8"))["organisations"]) == len(Hierarchy.from_csv(org))
    bundled = run("hierarchy", "export", "shandong", str(tmp_path / "a.csv"))
    assert "aliases are not part of this file" in bundled.stderr
    assert run("hierarchy", "export", "shandong", "-", "--shape", "aliases").stdout.startswith("alias,level,")


def test_export_refuses_what_would_go_wrong(org: Path, tmp_path: Path) -> None:
    before = org.read_bytes()
    assert run("hierarchy", "export", str(org), str(org)).exit_code == 2
    assert org.read_bytes() == before
    assert run("hierarchy", "export", str(org), str(tmp_path / "out.xls")).exit_code == 2
    assert run("hierarchy", "export", str(org), str(tmp_path / "no" / "out.csv")).exit_code == 2


# ── what reaches the terminal ────────────────────────────────────────────────────────────────────

HOSTILE = "麒\u202e麟\x1b[31m\x9b[red]\u200b\u2066\u061c\ufeff\ud800\r\n\t\x07\u2028\u3164\ufe0f\U000e0041"


@pytest.mark.parametrize("character", HOSTILE.translate({ord(c): None for c in "麒麟[31mred]"}))
def test_hidden_characters_are_shown(character: str) -> None:
    assert safe(character).startswith("\\")
    assert safe(character).isprintable()
    assert json.loads(safe_json(json.dumps(character, ensure_ascii=False))) == character


@given(st.text())
def test_safe_text_is_printable_and_ordinary_text_unchanged(text: str) -> None:
    shown = safe(text)
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000 for c in shown)
    assert safe(shown) == shown
    content = json.dumps(text, ensure_ascii=False)
    assert json.loads(safe_json(content)) == text


@pytest.mark.parametrize("action", ["resolve", "explain"])
@pytest.mark.parametrize("several", [True, False])
def test_no_query_reaches_the_output_raw(action: str, several: bool) -> None:
    result = run(action, HOSTILE + "供电所", *(["菏泽"] if several else []))
    assert result.exit_code in (0, 1)
    assert not set(result.stdout) & set(HOSTILE.replace("\n", "")) - set("麒麟[31mred]")
    if several:  # the query stands above its answer
        assert "\\u3164" in result.stdout


def test_json_has_hidden_characters_escaped() -> None:
    text = run("resolve", "--json", HOSTILE).stdout
    assert text.count("\n") == 1
    assert not set(text) & set("\u202e\x1b\x9b\u200b\u2066\u061c\ufeff\u2028")
    assert json.loads(text)["query"] == HOSTILE.replace("\ud800", "\ufffd")


def test_errors_are_made_safe() -> None:
    result = run("resolve", "菏泽", "--scope", "\x1b[31m\u202e火")
    assert (result.exit_code, "\x1b" in result.stderr, "\u202e" in result.stderr) == (2, False, False)


def test_xml_is_safe_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    show_xml("a\u202eb")
    monkeypatch.setattr("qilin.cli.terminal._is_terminal", lambda stream: True)
    show_xml("a\u202eb")
    assert capsys.readouterr().out == "a\u202eb\na\\u202eb\n"


def test_markup_in_a_query_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qilin.cli.terminal._is_terminal", lambda stream: stream is not sys.stdin)
    result = run("explain", "[red]麒麟[/red]:smile:")
    assert "[red]麒麟[/red]:smile:" in result.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_gets_colours_and_nothing_of_the_query_raw() -> None:
    import pty

    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color"}
    environment.pop("NO_COLOR", None)
    with subprocess.Popen(
        [sys.executable, "-m", "qilin", "explain", "麒麟\x1b[5m\u202e投诉"],
        cwd=ROOT, stdout=theirs, stdin=subprocess.DEVNULL, env=environment,
    ):  # fmt: skip
        os.close(theirs)
        seen = b""
        while chunk := _read(ours):
            seen += chunk
    os.close(ours)
    assert b"\x1b[32m" in seen  # green
    assert b"\x1b[5m" not in seen
    assert "\u202e" not in seen.decode()
    assert b"\\x1b[5m" in seen


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # Linux says EIO when the other end is closed
        return b""


# ── the process ──────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    monkeypatch.setattr(sys, "argv", ["qilin", "resolve", "菏泽"])
    yield monkeypatch


def test_main_is_the_command(called: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main()
    assert (stop.value.code, capsys.readouterr().out) == (0, "✓ 已解析  山东省 → 菏泽\n")
    with pytest.raises(SystemExit) as stop:
        runpy.run_module("qilin", run_name="__main__")
    assert stop.value.code == 0
    runpy.run_module("qilin", run_name="qilin.__main__")  # importing it runs nothing


def test_main_makes_usage_errors_safe(called: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    called.setattr(sys, "argv", ["qilin", "res\u202e\x1b[31molve"])
    with pytest.raises(SystemExit) as stop:
        main()
    error = capsys.readouterr().err
    assert (stop.value.code, "\u202e" in error, "\x1b" in error) == (2, False, False)
    assert "No such command" in error


def test_main_without_arguments_helps(called: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    called.setattr(sys, "argv", ["qilin"])
    with pytest.raises(SystemExit) as stop:
        main()
    captured = capsys.readouterr()
    assert stop.value.code in (0, 2)  # by version of typer
    assert "resolve" in captured.out + captured.err


def test_an_interrupt_is_quiet(called: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    called.setattr("qilin.cli.resolve.resolution_lines", interrupt)
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 130


@pytest.mark.parametrize("raised", [typer.Abort, KeyboardInterrupt])
def test_an_interrupt_outside_a_command_is_quiet(called: pytest.MonkeyPatch, raised: type[BaseException]) -> None:
    def interrupt(**_: object) -> None:
        raise raised

    called.setattr("qilin.cli.app.app", interrupt)
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 130


def test_a_full_disk_is_a_message(called: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    called.setattr("qilin.cli.resolve.show", full)
    with pytest.raises(SystemExit) as stop:
        main()
    assert (stop.value.code, capsys.readouterr().err) == (2, "qilin: No space left on device.\n")


def test_a_closed_pipe_is_quiet_in_process(called: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def closed(*_: object) -> None:
        raise BrokenPipeError

    called.setattr("qilin.cli.resolve.show", closed)
    called.setattr("qilin.cli.terminal.silence", lambda stream: None)
    with pytest.raises(SystemExit) as stop:
        main()
    assert (stop.value.code, capsys.readouterr().err) == (141, "")


def test_silence(tmp_path: Path) -> None:
    silence(io.StringIO())  # has no descriptor
    file = tmp_path / "file"
    with file.open("w", encoding="utf-8") as stream:
        silence(stream)
        stream.write("gone")
    assert file.read_text(encoding="utf-8") == ""


def test_missing_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    prepare_streams()
    print("into nothing")
    assert isinstance(sys.stdout, io.StringIO)


@pytest.mark.skipif(sys.platform == "win32", reason="bytes of arguments")
def test_arguments_that_the_locale_could_not_decode() -> None:
    assert as_utf8("菏泽") == "菏泽"
    assert as_utf8("菏泽".encode().decode("ascii", "surrogateescape")) == "菏泽"
    broken = b"\xff\xfe".decode("ascii", "surrogateescape")
    assert as_utf8(broken) == broken


def test_python_m_qilin() -> None:
    done = command("resolve", "菏泽麒麟投诉", "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["substation"] == "麒麟供电所"


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX locales")
@pytest.mark.parametrize(
    "env",
    [
        {"LC_ALL": "C"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "gbk"},
    ],
)
def test_any_locale_will_do(env: dict[str, str]) -> None:
    people = command("resolve", "菏泽麒麟投诉", env=env)
    assert (people.returncode, people.stderr) == (0, b"")
    data = command("resolve", "菏泽麒麟投诉", "--json", env=env)
    assert json.loads(data.stdout.decode("utf-8"))["substation"] == "麒麟供电所"


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX pipes")
def test_a_closed_pipe_ends_quietly() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "qilin", "resolve"],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdin and process.stdout and process.stderr
        process.stdin.write("菏泽投诉\n".encode())
        process.stdin.flush()
        assert process.stdout.readline().startswith("»".encode())
        process.stdout.close()
        process.stdin.write("菏泽投诉\n".encode() * 1000)
        process.stdin.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=30) == 141


def test_nothing_heavy_is_loaded_for_one_answer() -> None:
    program = (
        "import sys; sys.argv = ['qilin', 'resolve', '菏泽麒麟投诉数量']\n"
        "from qilin.cli.app import main\n"
        "try: main()\n"
        "except SystemExit as stop: assert not stop.code\n"
        "heavy = {'networkx', 'rich', 'openpyxl', 'sqlalchemy', 'numpy', 'opencc'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr.decode()


# ── small parts ──────────────────────────────────────────────────────────────────────────────────


def test_labels_line_up() -> None:
    assert width("指标ab") == 6
    starts = {sum(width(p.text) for p in labelled(label, "x")[:-1]) for label in ("", "指标", "细分到")}
    assert starts == {10}
    assert line("a") == (("a", ""),)


def test_many_candidates_are_counted() -> None:
    (path,) = resolve("菏泽").targets
    resolution = Resolution(query="x", status="ambiguous", candidates=(path,) * 12)
    texts = ["".join(p.text for p in x) for x in resolution_lines(resolution)]
    assert texts[-1].strip() == "… 共 12 个（--json 列出全部）"


def test_what_is_not_understood_comes_with_suggestions() -> None:
    unknown = Unknown(text="南部", start=0, end=2, kind="other", suggestions=("山东省 → 青岛",))
    texts = [
        "".join(p.text for p in x)
        for x in resolution_lines(Resolution(query="x", status="resolved", unknown=(unknown,)))
    ]
    assert texts[-1] == "  未识别  “南部”（其他，是否指 山东省 → 青岛）"


def test_what_an_answer_rests_on_is_said_once() -> None:
    entities = (
        Entity(type="City", name="菏泽", source="scope"),
        Entity(type="City", name="菏泽", source="scope"),
        Entity(type="City", name="济宁", source="llm"),
        Entity(type="Company", name="章丘区供电公司", source="alias", note="章丘市是2016年以前的名称"),
        Entity(type="Province", name="山东省", source="graph"),
    )
    texts = [
        "".join(p.text for p in x)
        for x in resolution_lines(Resolution(query="x", status="resolved", entities=entities))
    ]
    assert texts[1:] == [
        "  说明    “菏泽”来自提问者所在单位",
        "  说明    “济宁”由模型选定",
        "  说明    章丘市是2016年以前的名称",
    ]
