"""The benchmarks' own machinery: scores of parts, comparison, reports, inputs, growth. Nothing here is timed."""

from __future__ import annotations

import json
import re
import tomllib
import zipfile
from collections import Counter
from dataclasses import replace
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from benchmarks import __main__ as command
from benchmarks import against, compare, machine, peer_env, peers, scale
from benchmarks.against_peers import OURS, OURS_CHINA, Asked, score_parts
from benchmarks.batch_input import ASKS, distinct_questions, name_texts, repeated_questions, write_parquet
from benchmarks.growth import exponent, per_doubling
from benchmarks.oracle import Table
from benchmarks.parts import (
    BY_CALENDAR,
    BY_RULE,
    NO_DATE,
    NO_PLACE,
    NO_SUCH_DATE,
    UNCERTAIN,
    Places,
    date_score,
    place_score,
    wanted_date,
    wanted_place,
)
from benchmarks.peer_env import Reply
from benchmarks.questions import (
    AMBIGUOUS,
    CONFLICT,
    HEZE_PATH,
    JUYE,
    QILIN,
    RESOLVED,
    UNRESOLVED,
    Question,
    questions,
)
from benchmarks.report import Curves, Parts, Ratio, Report, Rows, Section, Text, number
from benchmarks.synthetic import CHINA
from benchmarks.timing import percentile

CAO = ("山东省", "菏泽", "曹县供电公司", None)
LIXIA = ("山东省", "济南", "历下供电中心", None)
HAIDIAN = ("北京市", "北京", "海淀区供电公司", None)
ZONE = ("河南省", "三门峡", "河南三门峡经济开发区供电公司", None)


@pytest.fixture(scope="module")
def shandong() -> Table:
    return Table.read(CHINA, "山东省")


@pytest.fixture(scope="module")
def places() -> Places:
    return Places(Table.read(CHINA))


# ── the place part ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "place", "said"),
    [
        (QILIN, ("山东", "菏泽", "巨野"), ("山东省", "菏泽市", "巨野县")),
        (JUYE, ("山东", "菏泽", "巨野"), ("山东省", "菏泽市", "巨野县")),
        (CAO, ("山东", "菏泽", "曹县"), ("山东省", "菏泽市", "曹县")),
        (LIXIA, ("山东", "济南", "历下"), ("山东省", "济南市", "历下区")),
        (HEZE_PATH, ("山东", "菏泽"), ("山东省", "菏泽市", None)),
        (HAIDIAN, ("北京", "海淀"), ("北京市", "市辖区", "海淀区")),
        (HAIDIAN, ("北京", "海淀"), ("北京市", "北京市", "海淀区")),
        (
            ("湖北省", "恩施", "利川市供电公司", None),
            ("湖北", "恩施", "利川"),
            ("湖北省", "恩施土家族苗族自治州", "利川市"),
        ),
        (ZONE, ("河南", "三门峡"), ("河南省", "三门峡市", None)),
    ],
)
def test_a_library_can_say_where_a_company_is(places: Places, path: Any, place: Any, said: Any) -> None:
    assert places.of(path) == place == places.said(*said)


def test_nothing_said_is_no_place(places: Places) -> None:
    assert places.said(None, None, None) == ()


CERTAIN = Question("full path", "菏泽巨野县供电公司麒麟供电所投诉", RESOLVED, (QILIN,))


@pytest.mark.parametrize(
    ("question", "said", "score"),
    [
        (CERTAIN, [("山东", "菏泽", "巨野")], "right"),
        (CERTAIN, [("山东", "菏泽")], "partly"),
        (CERTAIN, [()], "flagged"),
        (CERTAIN, [("云南", "曲靖", "麒麟")], "silently_wrong"),
        (CERTAIN, [("山东", "菏泽", "曹县")], "silently_wrong"),
        (replace(CERTAIN, want_targets=(HEZE_PATH,)), [("山东", "菏泽", "曹县")], "silently_wrong"),
        (replace(CERTAIN, want_targets=(JUYE, CAO)), [("山东", "菏泽", "巨野")], "partly"),
        (replace(CERTAIN, want_targets=(JUYE, CAO)), [("山东", "菏泽", "巨野"), ("山东", "菏泽", "曹县")], "right"),
        (replace(CERTAIN, want_targets=()), [()], "right"),
        (replace(CERTAIN, want_targets=()), [("山东",)], "silently_wrong"),
        (Question("ambiguous", "", AMBIGUOUS, contains=(QILIN, CAO)), [()], "flagged"),
        (Question("ambiguous", "", AMBIGUOUS, contains=(QILIN, CAO)), [("山东", "菏泽")], "partly"),
        (Question("ambiguous", "", AMBIGUOUS, contains=(QILIN, CAO)), [("山东", "菏泽", "曹县")], "silently_wrong"),
        (Question("ambiguous", "", AMBIGUOUS, contains=(QILIN, JUYE)), [("山东", "菏泽", "巨野")], "right"),
        (Question("conflict", "", CONFLICT, contains=(QILIN,), named=(LIXIA,)), [("山东", "济南")], "silently_wrong"),
        (Question("conflict", "", CONFLICT, contains=(QILIN,), named=(LIXIA,)), [("山东",)], "partly"),
        (Question("unknown name", "", UNRESOLVED, named=(HEZE_PATH,)), [("山东", "菏泽")], "partly"),
        (Question("unknown name", "", UNRESOLVED), [("山东", "菏泽")], "silently_wrong"),
        (Question("unknown name", "", UNRESOLVED), [()], "flagged"),
    ],
)
def test_scores_of_places(places: Places, question: Question, said: Any, score: str) -> None:
    want = wanted_place(question, places)
    assert want is not None
    assert place_score(want, said) == score


def test_a_question_that_needs_a_scope_is_not_put_to_peers(places: Places) -> None:
    assert wanted_place(replace(CERTAIN, scope="菏泽"), places) is None


# ── the date part ────────────────────────────────────────────────────────────────────────────────

MAY = (date(2024, 5, 1), date(2024, 5, 31))
DECEMBER = (date(2023, 12, 1), date(2023, 12, 31))


def test_a_date_that_needs_a_rule_counts_apart() -> None:
    by_calendar = wanted_date(Question("dates", "2024年5月菏泽投诉", RESOLVED, (HEZE_PATH,), want_dates=(MAY,)))
    by_rule = wanted_date(Question("dates", "12月菏泽投诉", RESOLVED, (HEZE_PATH,), want_dates=(DECEMBER,)))
    none = wanted_date(Question("dates", "菏泽投诉", RESOLVED, (HEZE_PATH,), want_dates=()))
    impossible = wanted_date(Question("dates", "13月菏泽投诉", UNRESOLVED))
    assert [w and w.group for w in (by_calendar, by_rule, none, impossible)] == [
        BY_CALENDAR,
        BY_RULE,
        NO_DATE,
        NO_SUCH_DATE,
    ]
    assert wanted_date(Question("conflict", "济宁巨野投诉", CONFLICT)) is None


@pytest.mark.parametrize(
    ("want", "said", "score"),
    [
        ((MAY,), (MAY,), "right"),
        ((MAY,), (), "flagged"),
        ((MAY,), (DECEMBER,), "silently_wrong"),
        ((MAY, DECEMBER), (MAY,), "partly"),
        ((), (), "right"),
        ((), (MAY,), "silently_wrong"),
        (None, (), "flagged"),
        (None, (MAY,), "silently_wrong"),
    ],
)
def test_scores_of_dates(want: Any, said: Any, score: str) -> None:
    question = wanted_date(replace(CERTAIN, want_dates=()))
    assert question is not None
    assert date_score(question._replace(dates=want), said) == score


# ── peers ────────────────────────────────────────────────────────────────────────────────────────


class _Path:
    province, city, company, substation = QILIN


class _Date:
    start, end = MAY


class _Answer:
    """Our answer: 麒麟供电所 in May 2024."""

    status, targets, excluded, candidates, group_by, indicators = "resolved", (_Path(),), (), (), None, ("投诉",)
    dates = (_Date(),)


class _Silent(_Answer):
    status, targets, dates = "ambiguous", (), ()  # type: ignore[assignment]


def test_everyone_is_scored_by_the_same_rule(places: Places) -> None:
    question = replace(CERTAIN, query="2024年5月菏泽巨野县供电公司麒麟供电所投诉", want_dates=(MAY,))
    replies = {
        ("cpca", "place"): Reply(["山东省", "菏泽市", None], 1.0, None),
        ("jionlp", "place"): Reply(None, 1.0, "KeyError: 'x'"),
        ("jionlp", "date"): Reply([["2024-05-01", "2024-05-31"]], 1.0, None),
        ("dateparser", "date"): Reply([["2024-05-13", "2024-05-13"]], 1.0, None),
    }
    asked = [Asked(question, _Answer(), _Silent())] * 2
    found = score_parts(asked, places, ["cpca", "jionlp", "dateparser"], lambda peer, part, _: replies[peer, part])
    assert {system: dict(groups["full path"]) for system, groups in found.places.items()} == {
        OURS: {"right": 2},
        OURS_CHINA: {"flagged": 2},
        "cpca": {"partly": 2},
        "jionlp": {"flagged": 2},
    }
    assert {system: dict(groups[BY_CALENDAR]) for system, groups in found.dates.items()} == {
        OURS: {"right": 2},
        "jionlp": {"right": 2},
        "dateparser": {"silently_wrong": 2},
    }
    assert found.raised["jionlp place"] == 1, "the same question is asked once"


def test_groups_of_places(places: Places) -> None:
    asked = [
        Asked(replace(CERTAIN, want_targets=()), _Silent(), _Silent()),
        Asked(Question("ambiguous", "", AMBIGUOUS, contains=(QILIN, CAO)), _Silent(), _Answer()),
    ]
    found = score_parts(asked, places, [], lambda *_: Reply(None, 0.0, None))
    assert found.places[OURS] == {NO_PLACE: Counter({"right": 1}), f"{UNCERTAIN}: ambiguous": Counter({"flagged": 1})}
    assert found.places[OURS_CHINA][f"{UNCERTAIN}: ambiguous"] == {"silently_wrong": 1}


def test_the_worker_answers_whatever_a_peer_does(monkeypatch: pytest.MonkeyPatch) -> None:
    def raises(_query: str, _today: date) -> None:
        raise KeyError("x")

    monkeypatch.setitem(peers.CALLS, ("cpca", "place"), lambda query, _today: [query, None, None])
    monkeypatch.setitem(peers.CALLS, ("jionlp", "place"), raises)
    assert peers.answer({"peer": "cpca", "part": "place", "query": "菏泽"})["answer"] == ["菏泽", None, None]
    failed = peers.answer({"peer": "jionlp", "part": "place", "query": "菏泽"})
    assert failed["answer"] is None and failed["error"] == "KeyError: 'x'"


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        ("day", "2024-02-14", "2024-02-14"),
        ("week", "2024-02-12", "2024-02-18"),
        ("month", "2024-02-01", "2024-02-29"),
        ("year", "2024-01-01", "2024-12-31"),
        (None, "2024-02-14", "2024-02-14"),
    ],
)
def test_a_moment_with_a_period_is_all_of_it(period: str | None, first: str, last: str) -> None:
    assert peers._period(date(2024, 2, 14), period) == [first, last]


def test_a_peer_that_cannot_be_installed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QILIN_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(peer_env, "_run", lambda _command: False)
    with peer_env.worker() as running:
        assert running.versions == {}
        assert running.missing["cpca"] == "not installed: pip install cpca==0.5.5"
        assert "--no-deps jionlp==1.5.29" in running.missing["jionlp"]
        with pytest.raises(KeyError):
            running.ask("cpca", "place", query="菏泽")


def test_the_extra_has_the_pins_of_the_environment() -> None:
    project = tomllib.loads((CHINA.parent.parent.parent / "pyproject.toml").read_text(encoding="utf-8"))
    pins = {r for name in ("cpca", "dateparser") for step in peer_env.PEERS[name] for r in step.requirements}
    assert set(project["project"]["optional-dependencies"]["peers"]) == pins


# ── growth, numbers ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("power", [0.0, 0.5, 1.0, 2.0])
def test_the_exponent_of_a_power_law(power: float) -> None:
    assert exponent((x, 7 * x**power) for x in (10, 30, 1000)) == pytest.approx(power)


@pytest.mark.parametrize("points", [[], [(1, 1)], [(1, 1), (1, 2)], [(1, 0), (2, 1)], [(0, 1), (2, 1)]])
def test_no_exponent_without_two_sizes(points: list[tuple[float, float]]) -> None:
    with pytest.raises(ValueError, match="two sizes"):
        exponent(points)


def test_twice_the_size() -> None:
    assert per_doubling(1.0) == 2.0 and per_doubling(0.0) == 1.0


def test_numbers_have_three_figures() -> None:
    assert [number(x) for x in (0, 0.01234, 4.561, 789.4, 12345.0)] == ["0", "0.0123", "4.56", "789", "12,345"]


def test_percentiles() -> None:
    assert percentile(range(100), 0.99) == 99 and percentile([3.0], 0.5) == 3.0


# ── comparison ───────────────────────────────────────────────────────────────────────────────────


MACHINE = {
    "engine": "pure Python",
    "cpu": "one",
    "python": "CPython 3.11.7",
    "libraries": {"pyahocorasick": "2.3.1", "pydantic": "2.14.4"},
    "profile": {"interpreter": 1.0, "scan": 1.5, "model": 1.4},
}


def _result(form: str = "pure Python", machine: dict[str, Any] | None = None, **ratios: Ratio) -> dict[str, Any]:
    return Report(
        {**MACHINE, "engine": form, **(machine or {})}, "x", [Section("speed", ratios=dict(ratios))]
    ).as_json()


def test_what_got_worse_is_named() -> None:
    old = _result(
        bare=Ratio(10.0, "lower"), times=Ratio(10.0, "higher"), wrong=Ratio(0.0, "lower"), gone=Ratio(1, "lower")
    )
    same = compare.compare(
        old, _result(bare=Ratio(10.9, "lower"), times=Ratio(9.1, "higher"), wrong=Ratio(0.0, "lower"))
    )
    assert (same.compared, same.worse, same.missing) == (3, (), ("speed: gone",))
    worse = compare.compare(
        old, _result(bare=Ratio(11.2, "lower"), times=Ratio(8.9, "higher"), wrong=Ratio(0.01, "lower"))
    )
    assert [w.name for w in worse.worse] == ["speed: bare", "speed: times", "speed: wrong"]
    assert str(worse.worse[0]) == "speed: bare: 10.0 → 11.2 (worse by 12 %)"
    better = compare.compare(
        old, _result(bare=Ratio(1.0, "lower"), times=Ratio(99.0, "higher"), wrong=Ratio(0.0, "lower"))
    )
    assert better.worse == ()


def test_only_sections_that_ran_are_compared() -> None:
    old = _result(bare=Ratio(10.0, "lower"))
    old["ratios"]["model"] = {"tokens": {"value": 1.0, "better": "lower"}}
    assert compare.compare(old, _result(bare=Ratio(10.0, "lower"))).missing == ()


def test_unlike_runs_are_not_compared() -> None:
    old = _result(bare=Ratio(10.0, "lower"))
    with pytest.raises(compare.NotComparable, match="like with like"):
        compare.compare(old, _result("compiled", bare=Ratio(5.0, "lower")))
    with pytest.raises(compare.NotComparable, match="no ratio in common"):
        compare.compare(old, _result(other=Ratio(5.0, "lower")))


@pytest.mark.parametrize(
    ("machine", "why"),
    [
        ({"cpu": "another"}, "cpu one, now another"),
        ({"python": "CPython 3.12.1"}, "python CPython 3.11.7, now CPython 3.12.1"),
        ({"libraries": {"pyahocorasick": "2.4", "pydantic": "2.14.4"}}, "pyahocorasick 2.3.1, now 2.4"),
        ({"profile": {"interpreter": 1.0, "scan": 1.0, "model": 1.4}}, "kind 'scan' took 1.5"),
        ({"profile": {}}, "does not tell"),
    ],
)
def test_ratios_to_foreign_code_are_left_out_where_the_machines_are_not_alike(
    machine: dict[str, Any], why: str
) -> None:
    old = _result(unit=Ratio(6.0, "lower", "unit"), tables=Ratio(1.4, "lower", "machine"), right=Ratio(0.9, "higher"))
    new = {"unit": Ratio(8.0, "lower", "unit"), "tables": Ratio(1.7, "lower", "machine"), "right": Ratio(0.7, "higher")}
    alike = compare.compare(old, _result(**new))
    assert (alike.unlike, alike.left_out, [worse.name for worse in alike.worse]) == (
        None,
        (),
        ["speed: unit", "speed: tables", "speed: right"],
    )
    elsewhere = compare.compare(old, _result(machine=machine, **new))
    assert why in str(elsewhere.unlike) and elsewhere.left_out == ("speed: unit",)
    assert [worse.name for worse in elsewhere.worse] == ["speed: right"], "1.7 is within what another machine may do"
    with pytest.raises(compare.NotComparable, match="foreign code"):
        compare.compare(old, _result(machine=machine, unit=Ratio(8.0, "lower", "unit")))


def test_a_little_noise_is_no_other_machine() -> None:
    assert (
        compare.difference(MACHINE, {**MACHINE, "profile": {"interpreter": 1.0, "scan": 1.55, "model": 1.35}}) is None
    )


def test_a_file_that_is_no_report(tmp_path: Path) -> None:
    file = tmp_path / "old.json"
    with pytest.raises(compare.NotComparable, match="cannot be read"):
        compare.read(file)
    for text in ("[]", "{}", '{"format": 0, "ratios": {}}'):
        file.write_text(text)
        with pytest.raises(compare.NotComparable, match="no report"):
            compare.read(file)


@pytest.mark.parametrize(("value", "status"), [(10.0, 0), (12.0, 1)])
def test_the_command_fails_when_something_got_worse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], value: float, status: int
) -> None:
    monkeypatch.setattr(command, "describe", lambda: MACHINE)
    section = Section("speed", ratios={"bare": Ratio(value, "lower")})
    monkeypatch.setitem(command.SUB_COMMANDS, "speed", lambda _options: section)
    old = tmp_path / "old.json"
    old.write_text(json.dumps(_result(bare=Ratio(10.0, "lower"))), encoding="utf-8")
    assert command.main(["speed", "--quick", "--out", str(tmp_path / "out"), "--compare", str(old)]) == status
    assert ("WORSE speed: bare" in capsys.readouterr().err) == bool(status)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "benchmarks.json",
        "benchmarks.md",
        "benchmarks.html",
    }


def test_the_baseline_can_be_compared_with() -> None:
    found = compare.read(Path(command.__file__).with_name("baseline.json"))
    same = compare.compare(found, found)
    assert (same.worse, same.unlike, same.left_out) == ((), None, ())


# ── two versions in one run ──────────────────────────────────────────────────────────────────────


def test_a_checkout_a_wheel_and_packages_are_versions(tmp_path: Path) -> None:
    (tmp_path / "links").mkdir()
    checkout = against.lay_out(CHINA.parent.parent.parent, tmp_path / "links")
    assert (tmp_path / "links" / "qilin" / "hierarchy" / "__init__.py").is_file() and checkout.package == "qilin"
    assert against.lay_out(tmp_path / "links", tmp_path).folder == tmp_path / "links"
    wheel = tmp_path / "qilin_grid-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("qilin/__init__.py", "")
    (tmp_path / "wheel").mkdir()
    assert against.lay_out(wheel, tmp_path / "wheel").folder == tmp_path / "wheel"
    assert (tmp_path / "wheel" / "qilin" / "__init__.py").is_file()
    (tmp_path / "before" / "engine").mkdir(parents=True)
    (tmp_path / "before" / "engine" / "__init__.py").touch()
    assert against.lay_out(tmp_path / "before", tmp_path).package == "engine"
    with pytest.raises(against.Unusable, match="no wheel of qilin-grid and no checkout"):
        against.lay_out(tmp_path / "wheel" / "qilin", tmp_path)


def test_both_versions_answer_the_same_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(against, "TABLES", ("shandong",))
    found = against.measure(CHINA.parent.parent.parent, ["菏泽麒麟投诉数量", "城关供电所投诉数量"], 2)
    figures = found.figures["shandong"]
    assert figures["other_answers"] == 0 and figures["queries"] == 2
    assert figures["files"][0] != figures["files"][1]
    assert set(found.ratios) == {"median, shandong", "mean, shandong"}


def test_only_what_is_slower_is_told() -> None:
    section = Section("against", ratios={"a": Ratio(1.05, "lower"), "b": Ratio(1.2, "lower"), "c": Ratio(0.5, "lower")})
    assert against.slower(section) == ["b: 1.20 times the other's"]


@pytest.mark.parametrize(("ratio", "status"), [(1.0, 0), (1.2, 1)])
def test_the_command_fails_when_it_is_slower(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], ratio: float, status: int
) -> None:
    section = Section("against", ratios={"median": Ratio(ratio, "lower")})
    monkeypatch.setattr(command, "describe", lambda: MACHINE)
    monkeypatch.setattr(command, "_against", lambda *_args, **_options: section)
    assert command.main(["--against", str(tmp_path), "--out", str(tmp_path / "out")]) == status
    assert ("SLOWER median" in capsys.readouterr().err) == bool(status)


def test_nothing_to_be_held_against(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "describe", lambda: MACHINE)
    monkeypatch.setattr("benchmarks.speed.mix", lambda *_: {})
    assert command.main(["--against", str(tmp_path), "--quick", "--out", str(tmp_path / "out")]) == 2
    assert "no checkout of it" in capsys.readouterr().err


# ── reports ──────────────────────────────────────────────────────────────────────────────────────

SECTION = Section(
    "speed",
    {"median_us": 40.0},
    {"bare": Ratio(9.2, "lower")},
    [
        Text("a < b & c"),
        Rows("a table", ("", "µs"), [["one|two", "1"]]),
        Curves("a plot", "size", "µs", {"<plain>": [(10, 1.0), (2000, 300.0)], "flat": [(10, 2.0)]}),
        Curves("nothing", "size", "µs", {}),
        Parts("parts", ("right", "wrong"), {"qilin": (3, 1), "nobody": (0, 0)}),
    ],
)


def test_the_page_needs_nothing_else(tmp_path: Path) -> None:
    report = Report({"cpu": "a <cpu>", "libraries": {"pydantic": "2"}}, "python -m benchmarks", [SECTION], 12.0)
    for path in report.write(tmp_path):
        assert path.exists()
    page = (tmp_path / "benchmarks.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 3 and "<polyline" in page
    without_names = page.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"https?://|src=|href=|url\(|@import|<script|<link", without_names)
    assert "a &lt; b &amp; c" in page and "<plain>" not in page and "a <cpu>" not in page


def test_the_same_figures_in_markdown_and_json() -> None:
    report = Report({"cpu": "x", "engine": "pure Python"}, "python -m benchmarks", [SECTION], 12.0)
    text = report.markdown()
    assert "| one\\|two | 1 |" in text and "| bare | 9.20 | lower |" in text
    said = json.loads(json.dumps(report.as_json()))
    assert said["figures"] == {"speed": {"median_us": 40.0}}
    assert said["ratios"] == {"speed": {"bare": {"value": 9.2, "better": "lower", "hangs_on": "nothing"}}}


def test_the_machine_is_named() -> None:
    said = machine.describe()
    assert {"cpu", "cores", "memory_gb", "os", "python", "qilin", "engine", "libraries", "date", "profile"} == set(said)
    assert {"pydantic", "pyahocorasick"} <= set(said["libraries"])
    assert said["engine"] in ("pure Python", "compiled")


# ── inputs ───────────────────────────────────────────────────────────────────────────────────────


def test_questions_of_a_batch_are_distinct_and_the_same_each_time(shandong: Table) -> None:
    names = name_texts(shandong.nodes)
    made = list(islice(distinct_questions(names, 1), 50_000))
    assert len(set(made)) == len(made)
    assert made == list(islice(distinct_questions(names, 1), 50_000))
    assert made != list(islice(distinct_questions(names, 2), 50_000))
    assert max(map(len, made)) < 60


def test_all_questions_of_a_small_table_are_asked_once() -> None:
    names = name_texts([JUYE])
    made = list(distinct_questions(names))
    assert len(made) == len(set(made)) and len(made) % (len(names) * len(ASKS)) == 0
    assert {name + ask for name in names for ask in ASKS} <= set(made)


def test_a_log_repeats_a_few_often(shandong: Table) -> None:
    made = list(repeated_questions(name_texts(shandong.nodes), 20_000))
    assert len(made) == 20_000 and made == list(repeated_questions(name_texts(shandong.nodes), 20_000))
    often = [count for _, count in Counter(made).most_common()]
    assert often[0] > 500 and often[-1] == 1 and len(often) < 15_000


def test_a_file_of_questions(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    table = tmp_path / "org.csv"
    table.write_text("province,city,company,substation\n山东省,菏泽,巨野县供电公司,麒麟供电所\n", encoding="utf-8")
    for name in ("one", "two"):
        write_parquet(tmp_path / name, 70_000, table=table)
    read = parquet.read_table(tmp_path / "one")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert read.column_names == ["id", "query"] and read["id"].to_pylist() == list(range(70_000))
    assert len(set(read["query"].to_pylist())) == 70_000
    with pytest.raises(ValueError, match="different questions"):
        write_parquet(tmp_path / "many", 10_000_000, table=table)


# ── a cluster on paper ───────────────────────────────────────────────────────────────────────────


def _run(rows: int, wall_s: float, cpu_s: float) -> scale.Run:
    return scale.Run(rows, wall_s, cpu_s, None, None, 0.0)


def test_a_rate_leaves_the_start_out() -> None:
    found = scale.rate(_run(10_000, 2.0, 1.5), _run(110_000, 7.0, 6.5))
    assert found.rows_per_s == pytest.approx(20_000) and found.cpu_s_per_million == pytest.approx(50)
    with pytest.raises(ValueError, match="no rate"):
        scale.rate(_run(10_000, 2.0, 1.5), _run(10_000, 7.0, 6.5))


def test_what_a_cluster_takes() -> None:
    one = scale.Rate(20_000, 36.0)
    found = scale.estimate(one, 0.5, scale.Cluster(2, 2), 0.1, rows=10**8)
    assert found.core_hours == pytest.approx(1.0) and found.money == pytest.approx(0.1)
    assert found.hours_least == pytest.approx(1.0 / (4 * 0.5)) and found.hours_most == pytest.approx(1.0 / (4 * 0.25))


def test_a_busy_machine_is_not_taken_for_bad_scaling() -> None:
    one, two = scale.Rate(10_000, 90.0), scale.Rate(11_000, 100.0)
    busy, free = scale.efficiency(one, two, 1.1), scale.efficiency(one, two, 2.0)
    assert not busy.is_by_wall and busy.value == pytest.approx(0.9)
    assert free.is_by_wall and free.value == pytest.approx(0.55)


@pytest.mark.parametrize("text", ["", "20", "x", "0x4", "2x0", "2x3x4", "-1x2"])
def test_no_cluster(text: str) -> None:
    with pytest.raises(ValueError, match="cluster"):
        scale.Cluster.parse(text)


@pytest.mark.parametrize(
    "wrong", [["--cluster", "many"], ["--rows", "10"], ["nothing"], ["--compare", "/no/such.json"]]
)
def test_wrong_use_is_told_before_anything_runs(wrong: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "SUB_COMMANDS", {})
    with pytest.raises(SystemExit) as stopped:
        command.main(wrong)
    assert stopped.value.code == 2


def test_a_cluster() -> None:
    assert scale.Cluster.parse("20x32") == scale.Cluster(20, 32)


# ── questions ────────────────────────────────────────────────────────────────────────────────────


def test_varieties_and_named_organisations(shandong: Table) -> None:
    made = questions(shandong, 40, 1, kinds=["other typo", "conflict"])
    assert {q.variety for q in made if q.kind == "other typo"} == {"swap", "wrong", "missing", "extra"}
    assert all(q.named for q in made if q.kind == "conflict")
