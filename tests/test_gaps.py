"""When a model is asked, what about, and what its answer may change."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from qilin import Engine, Resolution
from qilin.cli.app import app
from qilin.llm import extras
from qilin.llm.gaps import tags_of
from qilin.llm.lazy import LazyFiller
from qilin.llm.on_this_machine.local import LocalGapFiller
from qilin.llm.protocol import Choice, Free, GapAnswer, GapRequest, Settled, left_open
from qilin.llm.scripted import ScriptedGapFiller
from qilin.names.compiled import Tables
from qilin.report.explain import explain
from qilin.report.lines import explanation_lines
from qilin.verdict.status import conclude

TODAY = date(2024, 5, 13)
SHANDONG = "<Province>山东省</Province>"
HEZE = SHANDONG + "<City>菏泽</City>"
QILIN = HEZE + "<Company>巨野县供电公司</Company><Substation>麒麟供电所</Substation>"
DONGMING = HEZE + "<Company>东明县供电公司</Company><Substation>城关供电所</Substation>"
COMPLAINTS = "<Indicator>投诉</Indicator>"

Fill = Callable[..., Resolution]


@pytest.fixture(scope="module")
def tables(engine: Engine) -> Tables:
    return engine._tables


@pytest.fixture(scope="module")
def fill(tables: Tables) -> Fill:
    """Resolve a query with a model that gives one answer."""

    def resolve(query: str, answer: str | GapAnswer, score: float | None = 0.97, **options: Any) -> Resolution:
        filler = (
            ScriptedGapFiller(lambda _: answer)
            if isinstance(answer, GapAnswer)
            else ScriptedGapFiller({query: answer}, score=score)
        )
        return Engine(tables, gap_settles=True, gap_filler=filler).resolve(query, today=TODAY, **options)

    return resolve


def asked(tables: Tables, query: str, **options: Any) -> GapRequest | None:
    """What a model is asked about a query."""
    filler = ScriptedGapFiller()
    Engine(tables, gap_settles=True, gap_filler=filler).resolve(query, today=TODAY, **options)
    return filler.asked[0] if filler.asked else None


# ── when ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "query",
    [
        "菏泽麒麟投诉数量",
        "菏泽市意见百万户量总数",
        "济南和青岛上月投诉",
        "济宁巨野投诉",  # a conflict
        "济宁巨野低电压台区数",
        "菏泽非曹县低电压台区数",  # an exclusion that is not fully read
        "全市投诉",
        "",
        "安新县投诉",  # a real place elsewhere
    ],
)
def test_nothing_open_means_no_question(tables: Tables, query: str) -> None:
    assert asked(tables, query) is None


def test_an_unlisted_indicator_is_free_text_with_the_filler_beside_it(tables: Tables) -> None:
    request = asked(tables, "请问菏泽，低电压台区数有多少？")
    assert request is not None
    assert request.segments == (Settled(f"请问{HEZE}，"), Free("低电压台区数有多少"), Settled("？"))


def test_an_ambiguous_name_is_a_choice_among_its_candidates(tables: Tables) -> None:
    request = asked(tables, "本月城关供电所投诉数量")
    assert request is not None
    first, choice, last = request.segments
    assert first == Settled("<Date>本月</Date>") and last == Settled(f"{COMPLAINTS}数量")
    assert isinstance(choice, Choice)
    assert choice.alternatives[0] == f"{SHANDONG}<Substation>城关供电所</Substation>"
    assert set(choice.alternatives[1:]) == {
        DONGMING,
        f"{SHANDONG}<City>潍坊</City><Company>临朐县供电公司</Company><Substation>城关供电所</Substation>",
        f"{SHANDONG}<City>潍坊</City><Company>潍城区供电公司</Company><Substation>城关供电所</Substation>",
    }


def test_a_garbled_name_may_be_left_as_it_is_written(tables: Tables) -> None:
    request = asked(tables, "启灵供电所投诉")
    assert request is not None
    choice = request.segments[0]
    assert isinstance(choice, Choice)
    assert choice.alternatives[0] == "启灵供电所" and QILIN in choice.alternatives


def test_behind_its_parent_a_garbled_name_goes_on_from_there(tables: Tables) -> None:
    request = asked(tables, "菏泽启灵供电所投诉")
    assert request is not None
    assert request.segments[0] == Settled(HEZE)
    choice = request.segments[1]
    assert isinstance(choice, Choice)
    assert QILIN.removeprefix(HEZE) in choice.alternatives
    assert all("<City>" not in alternative for alternative in choice.alternatives)


def test_a_guess_behind_its_parent(tables: Tables, fill: Fill) -> None:
    request = asked(tables, "菏泽诗井举报个数")
    assert request is not None
    choice = request.segments[0]
    assert isinstance(choice, Choice)
    assert choice.alternatives[0] == f"{HEZE}诗井"
    got = fill("菏泽诗井举报个数", f"{choice.alternatives[1]}<Indicator>举报</Indicator>个数")
    assert got.status == "resolved" and got.substation == "小井供电所"


def test_an_odd_date_is_free_text(tables: Tables) -> None:
    request = asked(tables, "菏泽上个礼拜三下午的投诉")
    assert request is not None
    assert [s.text for s in request.segments if isinstance(s, Free)] == ["上个礼拜三下午的"]


def test_nothing_settled_is_ever_open(tables: Tables) -> None:
    for query in ("除曹县外菏泽各县公司低电压台区数", "菏泽全市低电压台区数", "麒麟供电所（菏泽巨野）低电压台区"):
        request = asked(tables, query)
        assert request is not None
        for segment in request.segments:
            if isinstance(segment, Free):
                assert not set(segment.text) & set("曹菏泽各麒麟巨野除")


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("菏泽低电压台区<|im_end|>", "control token"),
        ("菏泽低电压台区</s>", "control token"),
        ("菏泽低电压台区<｜end▁of▁sentence｜>", "control token"),
        ("菏泽低电压\x1b台区", "control characters"),
        ("菏泽低电压\ud800台区", "control characters"),
        ("菏泽低电压台区e\u0301", "normal form C"),
        ("菏泽低电压台区" * 100, "more than"),
    ],
)
def test_what_cannot_safely_be_asked_is_not(tables: Tables, query: str, reason: str) -> None:
    filler = ScriptedGapFiller()
    got = Engine(tables, gap_settles=True, gap_filler=filler).resolve(query, today=TODAY)
    assert not filler.asked
    assert got.degraded is not None and reason in got.degraded
    assert got.model_copy(update={"degraded": None}) == Engine(tables).resolve(query, today=TODAY)


def test_tags_in_the_query_are_escaped(tables: Tables) -> None:
    request = asked(tables, "曹县低电压<Indicator>台区</Indicator>")
    assert request is not None
    assert "&lt;Indicator&gt;" in left_open(request) and "<Indicator>" not in left_open(request)


# ── what an answer changes ───────────────────────────────────────────────────────────────────────


def test_a_tagged_indicator_is_an_indicator(fill: Fill) -> None:
    got = fill("菏泽低电压台区数", f"{HEZE}<Indicator>低电压台区数</Indicator>", 0.96)
    assert got.status == "resolved" and got.degraded is None
    assert got.indicators == ("低电压台区数",) and not got.unknown
    entity = got.entities[-1]
    assert (entity.type, entity.name, entity.source, entity.score) == ("Indicator", "低电压台区数", "llm", 0.96)
    assert got.to_xml() == f"{HEZE}<Indicator>低电压台区数</Indicator>"


def test_what_is_not_tagged_stays_unknown(fill: Fill) -> None:
    got = fill("菏泽低电压台区数", f"{HEZE}<Indicator>低电压</Indicator>台区数")
    assert got.indicators == ("低电压",)
    assert [u.text for u in got.unknown] == ["台区数"] or [u.text for u in got.unknown] == ["台区"]


def test_a_choice_above_the_threshold_settles(fill: Fill) -> None:
    got = fill("城关供电所投诉数量", f"{DONGMING}{COMPLAINTS}数量", 0.95)
    assert got.status == "resolved" and got.company == "东明县供电公司" and got.question is None
    (chosen,) = [e for e in got.entities if e.source == "llm"]
    assert (chosen.text, chosen.score) == ("城关供电所", 0.95)
    assert [e.source for e in got.entities if e.start is None] == ["graph"] * 3


def test_a_choice_settles_nothing_unless_told_so(tables: Tables) -> None:
    filler = ScriptedGapFiller({"城关供电所投诉数量": f"{DONGMING}{COMPLAINTS}数量"}, score=1.0)
    got = Engine(tables, gap_filler=filler).resolve("城关供电所投诉数量", today=TODAY)
    assert got.status == "ambiguous" and not got.targets
    assert got.candidates[0].company == "东明县供电公司"


@pytest.mark.parametrize("score", [0.94, None, float("nan"), 1.5, 0.0, -1.0])
def test_a_choice_below_the_threshold_only_comes_first(fill: Fill, score: float | None) -> None:
    got = fill("城关供电所投诉数量", f"{DONGMING}{COMPLAINTS}数量", score)
    assert got.status == "ambiguous" and not got.targets and got.degraded is None
    assert got.candidates[0].company == "东明县供电公司" and len(got.candidates) == 3
    assert got.question is not None and got.question.index("东明") < got.question.index("临朐")


@pytest.mark.parametrize("query", ["启灵供电所投诉", "菏泽启灵供电所投诉"])
@pytest.mark.parametrize("score", [1.0, 0.2, None])
def test_a_name_that_the_table_lacks_is_never_settled(fill: Fill, query: str, score: float | None) -> None:
    got = fill(query, QILIN + COMPLAINTS, score)
    assert got.status == "unresolved" and not got.targets and got.degraded is None
    assert got.unknown[0].suggestions[0].endswith("麒麟供电所")
    assert got.question is not None and "麒麟供电所" in got.question


def test_a_garbled_name_whose_rest_looks_like_filler(fill: Fill) -> None:
    company = QILIN[: QILIN.index("<Substation>")]
    got = fill("聚也县供电公司投诉", company + COMPLAINTS)
    assert got.unknown[0].suggestions[0].endswith("巨野县供电公司")


def test_a_date_that_is_not_understood_is_asked_about(fill: Fill) -> None:
    got = fill("菏泽农忙那阵投诉", f"{HEZE}<Date>农忙那阵</Date>{COMPLAINTS}")
    assert got.status == "unresolved" and not got.targets
    assert [(u.text, u.kind) for u in got.unknown] == [("农忙那阵", "date")]
    assert got.question is not None and "农忙那阵" in got.question


def test_a_date_the_rules_could_not_read_is_never_shortened_nor_hidden(fill: Fill) -> None:
    query = "菏泽5月累计光伏并网容量"
    for answer in (
        f"{HEZE}<Date>5月</Date>累计<Indicator>光伏并网容量</Indicator>",
        f"{HEZE}<Indicator>5月累计光伏并网容量</Indicator>",
        f"{HEZE}5月累计<Indicator>光伏并网容量</Indicator>",
        f"{HEZE}<Date>5月累计</Date>光伏并网容量",
    ):
        got = fill(query, answer)
        assert got.status == "unresolved", answer
        assert not got.dates and any(u.kind == "date" for u in got.unknown), answer


def test_the_status_rises_only_on_a_certain_answer(fill: Fill) -> None:
    assert fill("低电压台区数", "<Indicator>低电压台区数</Indicator>").status == "resolved"
    got = fill("低电压台区数", "<Indicator>低电压台区数</Indicator>", 0.3)
    assert (got.status, got.indicators) == ("unresolved", ())
    assert got.question is not None and [u.kind for u in got.unknown] == ["other"]


def test_leaving_everything_open_is_a_fine_answer(tables: Tables) -> None:
    for query in ("城关供电所投诉", "菏泽低电压台区数", "启灵供电所投诉", "菏泽农忙那阵投诉"):
        with_model = Engine(tables, gap_settles=True, gap_filler=ScriptedGapFiller()).resolve(query, today=TODAY)
        assert with_model == Engine(tables).resolve(query, today=TODAY)


def test_two_targets_are_chosen_apart(fill: Fill) -> None:
    got = fill("济南和城关供电所投诉数量", f"{SHANDONG}<City>济南</City>和{DONGMING}{COMPLAINTS}数量")
    assert [str(t) for t in got.targets] == ["山东省 → 济南", "山东省 → 菏泽 → 东明县供电公司 → 城关供电所"]


# ── what it may not ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "   ",
        f"OUTPUT:{DONGMING}{COMPLAINTS}数量",
        f"{DONGMING}{COMPLAINTS}数量\n",
        f"{DONGMING}{COMPLAINTS}",
        DONGMING.replace("东明", "曹") + f"{COMPLAINTS}数量",
        DONGMING.replace("菏泽", "济南市") + f"{COMPLAINTS}数量",
        f"<County>东明</County>{COMPLAINTS}数量",
        f"{QILIN}{COMPLAINTS}数量",
        f"{DONGMING}<Indicator>意见</Indicator>数量",
    ],
)
def test_an_answer_that_was_not_allowed_changes_nothing(tables: Tables, fill: Fill, answer: str) -> None:
    got = fill("城关供电所投诉数量", answer)
    assert got.degraded is not None
    rules = Engine(tables).resolve("城关供电所投诉数量", today=TODAY)
    assert got.model_copy(update={"degraded": None}) == rules


class _Broken:
    name = "broken"

    def __init__(self, behaviour: Callable[[Sequence[GapRequest]], Any]) -> None:
        self._behaviour = behaviour

    def fill(self, requests: Sequence[GapRequest], *, timeout_s: float) -> list[GapAnswer]:
        answers: list[GapAnswer] = self._behaviour(requests)
        return answers


def _explode(_: Sequence[GapRequest]) -> Any:
    raise RuntimeError("out of memory")


@pytest.mark.parametrize(
    "behaviour",
    [
        _explode,
        lambda requests: [],
        lambda requests: None,
        lambda requests: [None] * len(requests),
        lambda requests: [GapAnswer("", error="busy")] * len(requests),
        lambda requests: [GapAnswer(b"\xff")] * len(requests),
        lambda requests: [GapAnswer(None)] * len(requests),
    ],
)
def test_a_gap_filler_that_fails_leaves_the_rules_answer(tables: Tables, behaviour: Any) -> None:
    got = Engine(tables, gap_settles=True, gap_filler=_Broken(behaviour)).resolve("城关供电所投诉", today=TODAY)
    assert got.degraded
    assert got.model_copy(update={"degraded": None}) == Engine(tables).resolve("城关供电所投诉", today=TODAY)
    assert '"degraded"' in got.model_dump_json()


@pytest.mark.parametrize("scores", [(), (0.9, 0.9), "x", (True,), ("0.9",), 3])
def test_scores_that_make_no_sense_count_as_none(tables: Tables, fill: Fill, scores: Any) -> None:
    got = fill("城关供电所投诉数量", GapAnswer(f"{DONGMING}{COMPLAINTS}数量", scores))
    assert got.status == ("resolved" if scores == (True,) else "ambiguous")


def test_an_exact_mention_is_never_open(tables: Tables) -> None:
    request = asked(tables, "菏泽城关供电所和城关供电所投诉")
    if request is not None:
        assert "<City>菏泽</City>" in "".join(s.text for s in request.segments if isinstance(s, Settled))


# ── many, records, cost ──────────────────────────────────────────────────────────────────────────


def test_many_queries_are_asked_about_at_once(tables: Tables) -> None:
    filler = ScriptedGapFiller({"菏泽低电压台区数": f"{HEZE}<Indicator>低电压台区数</Indicator>"})
    calls = []
    fill = filler.fill
    filler.fill = lambda requests, *, timeout_s: calls.append(len(requests)) or fill(requests, timeout_s=timeout_s)  # type: ignore[method-assign, func-returns-value]
    engine = Engine(tables, gap_settles=True, gap_filler=filler)
    queries = ["菏泽低电压台区数", "菏泽投诉", "城关供电所投诉", "济宁巨野投诉"]
    got = engine.resolve_many(queries, today=TODAY)
    assert calls == [2]
    assert got == [engine.resolve(query, today=TODAY) for query in queries]
    assert Engine(tables).resolve_many(queries, today=TODAY) == [
        Engine(tables).resolve(q, today=TODAY) for q in queries
    ]


def test_the_record_tells_what_was_asked_and_what_became_of_it(tables: Tables) -> None:
    script = {"城关供电所低电压台区": f"{DONGMING}<Indicator>低电压台区</Indicator>"}
    explanation = explain(
        Engine(tables, gap_settles=True, gap_filler=ScriptedGapFiller(script, score=0.5)),
        "城关供电所低电压台区",
        today=TODAY,
    )
    gap = explanation.gap
    assert gap is not None and gap.filler == "scripted" and gap.answer == script["城关供电所低电压台区"]
    choice, free = (p for p in gap.parts if p.kind != "settled")
    assert (choice.verdict, choice.said, choice.score) == ("unsure", DONGMING, 0.5)
    assert (free.verdict, free.said) == ("unsure", "<Indicator>低电压台区</Indicator>")
    text = "\n".join(
        "".join(piece if isinstance(piece, str) else piece.text for piece in each)
        for each in explanation_lines(explanation)
    )
    assert "询问模型" in text and "把握不足" in text
    assert '"verdict"' in explanation.to_json()


def test_without_a_gap_there_is_no_record(tables: Tables) -> None:
    assert (
        explain(Engine(tables, gap_settles=True, gap_filler=ScriptedGapFiller()), "菏泽投诉", today=TODAY).gap is None
    )
    assert explain(Engine(tables), "菏泽低电压台区数", today=TODAY).gap is None


def test_a_rejected_answer_is_recorded_with_the_reason(tables: Tables) -> None:
    explanation = explain(
        Engine(tables, gap_settles=True, gap_filler=ScriptedGapFiller({"城关供电所投诉": "济南"})),
        "城关供电所投诉",
        today=TODAY,
    )
    gap = explanation.gap
    assert gap is not None and gap.answer == "济南" and gap.degraded == explanation.resolution.degraded
    assert all(p.verdict in (None, "no answer") for p in gap.parts)


@pytest.mark.parametrize("kind", ["gpt", "server:", "server", ""])
def test_an_unknown_gap_filler_is_refused(tables: Tables, kind: str) -> None:
    with pytest.raises(ValueError, match="server:URL"):
        Engine(tables, gap_settles=True, gap_filler=kind)


def test_an_adapter_is_for_a_local_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: True)
    with pytest.raises(ValueError, match="adapter"):
        LazyFiller("server:http://localhost/v1", adapter="x")


@pytest.mark.parametrize(("kind", "extra"), [("local", "llm"), ("server:http://localhost:8000", "server")])
def test_a_missing_extra_says_how_to_install_it(
    tables: Tables, monkeypatch: pytest.MonkeyPatch, kind: str, extra: str
) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=rf"pip install 'qilin-grid\[{extra}\]'"):
        Engine(tables, gap_settles=True, gap_filler=kind)


def test_a_model_is_loaded_once_and_when_it_is_first_needed(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[tuple[str | None, str | None]] = []

    def load(model: str | None, adapter: str | None) -> ScriptedGapFiller:
        loaded.append((model, adapter))
        return ScriptedGapFiller()

    monkeypatch.setattr(extras, "find_spec", lambda name: True)
    monkeypatch.setattr(LocalGapFiller, "load", load)
    engine = Engine(tables, gap_settles=True, gap_filler=LazyFiller("local", model="base", adapter="lora"))
    engine.resolve("菏泽投诉", today=TODAY)
    assert not loaded
    for _ in range(3):
        engine.resolve("菏泽低电压台区", today=TODAY)
    assert loaded == [("base", "lora")]


def test_a_model_that_cannot_be_loaded_is_tried_once(tables: Tables, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = []

    def load(model: str | None, adapter: str | None) -> Any:
        tries.append(model)
        raise OSError("no such folder: base")

    monkeypatch.setattr(extras, "find_spec", lambda name: True)
    monkeypatch.setattr(LocalGapFiller, "load", load)
    engine = Engine(tables, gap_settles=True, gap_filler="local")
    for _ in range(2):
        got = engine.resolve("菏泽低电压台区", today=TODAY)
        assert got.degraded == "the model cannot be loaded: no such folder: base"
    assert len(tries) == 1


def test_settled_questions_import_nothing_of_the_model_side() -> None:
    code = (
        "import sys\n"
        "from qilin import Engine\n"
        "engine = Engine(gap_settles=True, gap_filler=object())\n"
        "assert engine.resolve('菏泽麒麟投诉数量').status == 'resolved'\n"
        "assert not [m for m in sys.modules if m.startswith('qilin.llm') or m in ('httpx', 'torch')], sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1])


@pytest.mark.parametrize("options", [("--server", "http://127.0.0.1:9"), ("--gap-filler", "server:http://127.0.0.1:9")])
def test_the_command_says_that_the_model_was_not_used(options: tuple[str, ...]) -> None:
    pytest.importorskip("httpx")
    got = CliRunner(env={"QILIN_CACHE_DIR": ""}).invoke(
        app, ["resolve", "城关供电所投诉", *options, "--gap-timeout", "0.2"]
    )
    assert got.exit_code == 1 and "未用模型" in got.output and "127.0.0.1" in got.output


@pytest.mark.parametrize(
    "options",
    [("--server", "http://a", "--gap-filler", "local"), ("--gap-filler", "gpt"), ("--server", "nowhere")],
)
def test_the_command_refuses_options_that_do_not_go_together(options: tuple[str, ...]) -> None:
    pytest.importorskip("httpx")
    got = CliRunner(env={"QILIN_CACHE_DIR": ""}).invoke(app, ["resolve", "投诉", *options])
    assert got.exit_code == 2


def test_the_command_asks_only_where_it_is_told_to() -> None:
    got = CliRunner(env={"QILIN_CACHE_DIR": ""}).invoke(app, ["explain", "城关供电所投诉"])
    assert "询问模型" not in got.output


def test_tags_of_a_path_go_on_below_a_level(engine: Engine) -> None:
    path = engine.resolve("菏泽麒麟投诉").targets[0]
    assert tags_of(path) == QILIN
    assert tags_of(path, 2) == QILIN.removeprefix(HEZE)


def test_rules_alone_conclude_the_same(engine: Engine, tables: Tables) -> None:
    case = engine.consider("菏泽低电压台区数", today=TODAY)
    assert conclude(*case) == engine.resolve("菏泽低电压台区数", today=TODAY)


@pytest.mark.parametrize("installed", [True, False])
def test_the_bundled_model_is_asked_where_its_extra_is_installed(
    tables: Tables, monkeypatch: pytest.MonkeyPatch, installed: bool
) -> None:
    monkeypatch.setattr(extras, "has_local_model", lambda: installed)
    monkeypatch.setattr(extras, "find_spec", lambda name: object())
    monkeypatch.setattr(LazyFiller, "_open", lambda self: ScriptedGapFiller(lambda request: left_open(request)))
    asked = explain(Engine(tables), "菏泽低电压台区数", today=TODAY).gap
    assert (asked is not None) == installed
    assert explain(Engine(tables, gap_filler=None), "菏泽低电压台区数", today=TODAY).gap is None
