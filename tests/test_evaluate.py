"""The evaluation: its figures by hand, and a run with models whose answers are known."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest
from typer.testing import CliRunner

from benchmarks import qwen_vocabulary
from qilin import Engine
from qilin.cli.app import app
from qilin.llm.legal import is_legal
from qilin.llm.protocol import GapAnswer, GapRequest, left_open
from qilin.training.evaluate import CachedFiller, Evaluation, evaluate, with_odd_dates
from qilin.training.examples import generate
from qilin.training.maker import Row
from qilin.training.measure import (
    breaks_hierarchy,
    count_tags,
    deepest_level,
    paired_gain,
    paths_in,
    percentile,
    wilson,
)
from qilin.training.question_grammar import whole_question_grammar
from qilin.training.question_sets import GAPS, HOLD_OUT, SEED, TODAY, is_ordinary
from qilin.training.report import markdown, page, write_report
from qilin.training.scoring import Answer, Point, choose_threshold, is_silently_wrong, score

SHANDONG = "<Province>山东省</Province>"
HEZE = f"{SHANDONG}<City>菏泽</City>"
JUYE = f"{HEZE}<Company>巨野县供电公司</Company>"
ASKS = "<Indicator>投诉</Indicator>数量"


# ── figures ──────────────────────────────────────────────────────────────────────────────────────


def test_wilson():
    assert wilson(50, 100) == pytest.approx((0.5, 0.4038, 0.5962), abs=1e-4)
    assert wilson(0, 10).low == 0 and wilson(10, 10).high == 1
    assert wilson(0, 0) == (0, 0, 1)


def test_paired_gain():
    before, after = [False] * 100, [True] * 60 + [False] * 40
    gain = paired_gain(before, after)
    assert gain.value == 0.6 and 0.45 < gain.low < 0.6 < gain.high < 0.75
    assert paired_gain(before, before) == (0, 0, 0) == paired_gain([], [])
    assert paired_gain(before, after) == gain


def test_percentile():
    assert [percentile(range(1, 101), p) for p in (0.5, 0.95, 0.99, 1)] == [50, 95, 99, 100]
    assert percentile([], 0.5) == 0


def test_paths_in_tagged_text():
    assert paths_in(JUYE + "和" + HEZE + ASKS) == [
        ("山东省", "菏泽", "巨野县供电公司", None),
        ("山东省", "菏泽", None, None),
    ]
    assert paths_in(JUYE + SHANDONG) == [("山东省", "菏泽", "巨野县供电公司", None), ("山东省", None, None, None)]
    assert paths_in("<City>菏泽") == []
    assert [deepest_level(paths_in(text)) for text in (JUYE, HEZE, ASKS)] == ["Company", "City", "none"]


def test_counts_of_tags():
    counts = count_tags([(f"{HEZE}{ASKS}", f"{JUYE}{ASKS}"), ("<Date>本月</Date>", "<Indicator>本月</Indicator>")])
    assert counts["City"] == (1, 0, 0)
    assert counts["Company"] == (0, 0, 1) and counts["Company"].f1 == 0
    assert counts["Date"] == (0, 1, 0)
    assert counts["Indicator"] == (1, 0, 1) and counts["Indicator"].f1 == pytest.approx(2 / 3)
    assert counts["Substation"].f1 == 1


@pytest.mark.parametrize(
    ("tagged", "broken"),
    [
        (JUYE + ASKS, False),
        (SHANDONG + "<City>济南</City><Company>巨野县供电公司</Company>", True),
        (HEZE + "<Company>火星供电公司</Company>", True),
        ("<City>菏泽", True),
        ("没有单位", False),
    ],
)
def test_what_breaks_the_hierarchy(engine, tagged, broken):
    assert breaks_hierarchy(tagged, engine.hierarchy) is broken


@pytest.mark.parametrize(
    ("kind", "tagged", "answer", "wrong"),
    [
        ("plain", JUYE, Answer(JUYE, (("山东省", "菏泽", "巨野县供电公司", None),), "resolved", 0, 0, 1.0), False),
        ("plain", JUYE, Answer(HEZE, (("山东省", "菏泽", None, None),), "resolved", 0, 0, 1.0), True),
        ("plain", JUYE, Answer(HEZE, (), "unresolved", 0, 0, 1.0), False),
        ("plain", JUYE, Answer("", (), "resolved", 0, 0, 1.0), True),
        ("plain", JUYE, Answer("", (), "resolved", 0, 0, 1.0, True), False),
        ("plain", JUYE, Answer("", (("山东省", "菏泽", None, None),), "unresolved", 0, 0, 1.0), True),
        ("unknown name", HEZE + "火星所", Answer(HEZE + "火星所", (), "unresolved", 0, 0, 1.0), False),
        ("unknown name", HEZE, Answer(HEZE, (("山东省", "菏泽", None, None),), "resolved", 0, 0, 1.0), True),
        ("plain", JUYE, Answer(JUYE, (), None, 1, 9, 1.0), False),
        ("plain", JUYE, Answer(HEZE, (), None, 1, 9, 1.0), True),
    ],
)
def test_what_is_silently_wrong(kind, tagged, answer, wrong):
    assert is_silently_wrong(answer, Row("", tagged, kind)) is wrong


def test_the_threshold_is_the_least_one_without_more_silent_errors():
    points = [Point(0.0, 1.0, 0.8, 0.8, 0.2), Point(0.5, 0.9, 0.95, 0.9, 0.014), Point(0.9, 0.5, 1.0, 0.5, 0.01)]
    assert choose_threshold(points) == 0.5


def test_confusion_by_level(engine):
    rows = [Row("", JUYE, "plain")] * 3
    answers = [
        Answer(JUYE, tuple(paths_in(JUYE)), "resolved", 0, 0, 1.0),
        Answer(HEZE, tuple(paths_in(HEZE)), "resolved", 1, 2, 2.0),
        Answer("", (("山东省", "菏泽", "曹县供电公司", None),), "resolved", 0, 0, 3.0),
    ]
    found = score(answers, rows, engine.hierarchy)
    assert found.levels == {"Company": {"Company": 1, "City": 1, "other": 1}}
    assert (found.exact.value, found.silently_wrong.value) == (pytest.approx(1 / 3), pytest.approx(2 / 3))
    assert found.calls == pytest.approx(1 / 3) and found.forward_passes == pytest.approx(2 / 3)
    assert found.latency_ms["p50"] == 2


def test_equal_text_in_segments_of_other_kinds_is_another_request():
    from qilin.llm.protocol import Free, Settled

    class Echo:
        name = "echo"

        def fill(self, requests: Sequence[GapRequest], *, timeout_s: float) -> list[GapAnswer]:
            return [GapAnswer(type(r.segments[0]).__name__, forward_passes=1) for r in requests]

    filler = CachedFiller(Echo())
    asked = [GapRequest("a", (Free("a"),)), GapRequest("a", (Settled("a"),))]
    assert [a.text for a in filler.fill([*asked, asked[0]], timeout_s=1)] == ["Free", "Settled", "Free"]
    assert (filler.calls, filler.forward_passes) == (3, 3)


def test_a_date_that_is_not_understood_counts_as_tagged(ask):
    assert with_odd_dates(ask("2月30日菏泽投诉")) == f"<Date>2月30日</Date>{HEZE}<Indicator>投诉</Indicator>"
    assert with_odd_dates(ask("菏泽投诉")) == f"{HEZE}<Indicator>投诉</Indicator>"


# ── a run ────────────────────────────────────────────────────────────────────────────────────────


class Knows:
    """A model that knows every right answer, or claims that nothing is to be said."""

    def __init__(self, right: dict[str, str], *, score: float = 0.999) -> None:
        self.name = "knows"
        self.right = right
        self.score = score

    def fill(self, requests: Sequence[GapRequest], *, timeout_s: float) -> list[GapAnswer]:
        return [self._answer(request) for request in requests]

    def _answer(self, request: GapRequest) -> GapAnswer:
        said = self.right.get(request.query, "")
        openings = sum(type(s).__name__ != "Settled" for s in request.segments)
        text = said if is_legal(said, request) else left_open(request)
        return GapAnswer(text, (self.score,) * openings, forward_passes=2)

    def generate(
        self, queries: Sequence[str], *, grammar: Callable[[str], str] | None = None, timeout_s: float | None = None
    ) -> list[GapAnswer]:
        return [GapAnswer(self.right.get(q, q), forward_passes=30) for q in queries]


@pytest.fixture(scope="module")
def right(engine: Engine) -> dict[str, str]:
    rows = [
        *SEED,
        *(
            r
            for split in ("valid", "test")
            for k in (GAPS, HOLD_OUT)
            for r in generate(engine.hierarchy, 0, split, 60, k)
        ),
    ]
    return {row.query: row.tagged for row in rows}


@pytest.fixture(scope="module")
def report(engine: Engine, right: dict[str, str]) -> Evaluation:
    return evaluate(engine.hierarchy, Knows(right), size=60, alone=20)


def test_a_model_that_knows_earns_its_place(report):
    gaps = report.scores["gaps"]
    assert report.gain["all"].low > 0.05
    assert gaps["both"].exact.value > gaps["rules"].exact.value
    assert gaps["model, free"].exact.value == 1 and gaps["model, free"].questions == 20
    assert report.earns_its_place
    assert report.scores["seed"]["both"].exact.value == 1
    assert all(s["both"].breaks_hierarchy.value == 0 for s in report.scores.values())
    assert 0 < gaps["both"].calls <= 1 and gaps["both"].forward_passes == 2 * gaps["both"].calls
    assert report.ordinary is not None and report.ordinary.value <= 0.05


def test_a_model_that_says_nothing_does_not(engine):
    report = evaluate(engine.hierarchy, Knows({}), size=20, alone=5)
    assert report.gain["all"] == (0, 0, 0)
    assert not report.earns_its_place
    assert "does not earn its place" in markdown(report)


def test_rules_alone(engine):
    report = evaluate(engine.hierarchy, None, size=10)
    assert set(report.scores["gaps"]) == {"rules"}
    assert not report.earns_its_place
    assert "No model" in markdown(report) and "<svg" in page(report)


def test_the_report_is_written_three_times(report, tmp_path):
    paths = write_report(report, tmp_path / "a" / "b")
    assert [path.suffix for path in paths] == [".md", ".json", ".html"]
    content = json.loads(paths[1].read_text("utf-8"))
    assert content["scores"]["gaps"]["both"]["exact"]["value"] == report.scores["gaps"]["both"].exact.value
    assert content["earns_its_place"] is True
    written = paths[2].read_text("utf-8")
    assert written.count("<svg") == written.count("</svg>") >= 3 * 2
    assert "http" not in written.replace("http://www.w3.org/2000/svg", "")


def test_the_command(tmp_path):
    result = CliRunner().invoke(app, ["evaluate", "--rules-only", "--size", "5", "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "No model was evaluated." in result.output
    assert (tmp_path / "evaluation.html").exists()


def test_the_command_without_a_model(tmp_path):
    result = CliRunner().invoke(app, ["evaluate", "--model", str(tmp_path / "none"), "--out", str(tmp_path)])
    assert result.exit_code == 2


def test_ordinary_questions(engine):
    rows = [r for r in generate(engine.hierarchy, 0, "test", 100, HOLD_OUT) if is_ordinary(r)]
    assert len(rows) > 30
    plain = Engine(engine._tables)
    assert all(plain.resolve(r.query, today=TODAY).status == "resolved" for r in rows[:20])
    assert not is_ordinary(Row("", "<Indicator>低电压台区数</Indicator>", "plain"))
    assert not is_ordinary(Row("", "<Date>前一阵子</Date>", "plain"))


# ── the model alone, constrained ─────────────────────────────────────────────────────────────────


@pytest.mark.skipif(not qwen_vocabulary.is_there(), reason="needs llguidance and a vocabulary")
def test_the_grammar_of_a_whole_question(engine: Engine):
    import llguidance

    tokenizer = qwen_vocabulary.tokenizer()

    def allows(query: str, answer: str) -> bool:
        text = whole_question_grammar(query, engine.hierarchy)
        matcher = llguidance.LLMatcher(tokenizer, llguidance.LLMatcher.grammar_from_lark(text))
        assert not matcher.is_error(), matcher.get_error()
        tokens = tokenizer.tokenize_str(answer)
        return matcher.try_consume_tokens(tokens) == len(tokens) and matcher.is_accepting()

    for row in SEED:
        assert allows(row.query, row.tagged)
    wrong = SHANDONG + "<City>济南</City><Company>巨野县供电公司</Company>" + ASKS
    assert not allows("巨野投诉数量", wrong)
    assert allows("a<b", "a&lt;b")


def test_the_grammar_grows_linearly(engine: Engine):
    sizes = [len(whole_question_grammar("投" * n, engine.hierarchy)) for n in (100, 200, 300)]
    assert sizes[2] - sizes[1] < 1.2 * (sizes[1] - sizes[0])
