"""What the contract promises of the call and of its answer, field by field."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

import qilin as package
from qilin import Conflict, DateRange, Engine, Entity, OrgPath, QueryTooLong, Resolution, Unknown, resolve

Ask = Callable[..., Resolution]
SHANDONG, HEZE, JUYE, QILIN = "山东省", "菏泽", "巨野县供电公司", "麒麟供电所"


def rows(found: Resolution) -> list[tuple[str, ...]]:
    return [(entity.type, entity.name, str(entity.text), entity.source) for entity in found.entities]


# The call ------------------------------------------------------------------------------------------------


def test_the_public_names() -> None:
    """The names the contract fixes can be imported from the package."""
    assert {"Engine", "Resolution", "check", "resolve"} <= set(package.__all__)
    assert all(hasattr(package, name) for name in package.__all__)


def test_resolve_uses_the_bundled_table(engine: Engine, today: date) -> None:
    assert resolve("菏泽麒麟投诉数量", today=today) == engine.resolve("菏泽麒麟投诉数量", today=today)
    assert resolve("城关供电所", today=today, scope=HEZE).company == "东明县供电公司"


def test_an_engine_takes_any_table(engine_with: Callable[..., Engine]) -> None:
    found = engine_with("河北省,保定,涞水县供电公司,龙门供电所").resolve("龙门所投诉")
    assert str(found.targets[0]) == "河北省 → 保定 → 涞水县供电公司 → 龙门供电所"


def test_the_clock_is_asked_when_no_day_is_given(engine_with: Callable[..., Engine]) -> None:
    """`today` of the call wins over the clock; the clock is not needed where nothing is relative."""
    days = [date(2023, 1, 31)]
    engine = engine_with("山东省,菏泽,巨野县供电公司,麒麟供电所", clock=lambda: days[0])
    assert engine.resolve("昨天菏泽投诉").dates[0].start == date(2023, 1, 30)
    assert engine.resolve("昨天菏泽投诉", today=date(2024, 3, 1)).dates[0].start == date(2024, 2, 29)
    assert resolve("今天菏泽投诉").dates[0].start >= date(2024, 5, 13)


@pytest.mark.parametrize("query", [None, 1, b"\xe8\x8f\x8f", ["菏泽"], object()])
def test_a_query_that_is_no_str_is_a_type_error(engine: Engine, query: Any) -> None:
    with pytest.raises(TypeError, match="str"):
        engine.resolve(query)


def test_a_query_past_the_limit_is_refused(engine: Engine, engine_with: Callable[..., Engine]) -> None:
    """2,000 characters unless told otherwise; one at the limit is answered."""
    assert issubclass(QueryTooLong, ValueError)
    assert engine.resolve("菏泽" * 1000).status == "resolved"
    with pytest.raises(QueryTooLong, match=r"2001.*2000"):
        engine.resolve("菏" * 2001)
    small = engine_with("山东省,菏泽,巨野县供电公司,麒麟供电所", max_length=4)
    assert small.resolve("菏泽投诉").status == "resolved"
    with pytest.raises(QueryTooLong):
        small.resolve("菏泽市投诉")


@pytest.mark.parametrize("query", ["\ud800", "菏泽\udfff投诉", "\ud83d\ude00菏泽", "\x00\x01", "<\ud800>菏泽&"])
def test_awkward_characters_can_be_encoded(ask: Ask, query: str) -> None:
    """A lone surrogate is written as U+FFFD in the wire format and the tagged form; the query stays as given."""
    found = ask(query)
    assert found.query == query
    text = found.model_dump_json()
    assert "\\ud" not in text.lower() and "\ud800" not in text
    assert json.loads(text.encode("utf-8"))["query"] == query.encode("utf-16-le", "surrogatepass").decode(
        "utf-16-le", "replace"
    )
    found.to_xml().encode("utf-8")


# The answer ----------------------------------------------------------------------------------------------


def test_every_field_of_a_full_answer(ask: Ask) -> None:
    found = ask("2020年04月28号菏泽麒麟意见个数")
    target = OrgPath(province=SHANDONG, city=HEZE, company=JUYE, substation=QILIN, level="Substation", name=QILIN)
    day = date(2020, 4, 28)
    assert found.query == "2020年04月28号菏泽麒麟意见个数"
    assert (found.status, found.targets, found.excluded, found.group_by) == ("resolved", (target,), (), None)
    assert (found.province, found.city, found.company, found.substation) == (SHANDONG, HEZE, JUYE, QILIN)
    assert found.indicators == ("意见",)
    assert found.dates == (DateRange(text="2020年04月28号", start=day, end=day),)
    assert (found.candidates, found.conflicts, found.unknown, found.question) == ((), (), (), None)
    assert sorted(rows(found)) == sorted([
        ("Date", "2020年04月28号", "2020年04月28号", "pattern"),
        ("Province", SHANDONG, "None", "graph"),
        ("City", HEZE, "菏泽", "exact"),
        ("Company", JUYE, "None", "graph"),
        ("Substation", QILIN, "麒麟", "alias"),
        ("Indicator", "意见", "意见", "exact"),
    ])  # fmt: skip
    assert [entity.text for entity in found.entities if entity.text] == ["2020年04月28号", "菏泽", "麒麟", "意见"]
    (group,) = {entity.group for entity in found.entities if entity.group is not None}
    assert [entity.type for entity in found.entities if entity.group == group].count("Substation") == 1


@pytest.mark.parametrize(
    ("query", "text", "source"),
    [
        ("巨野县供电公司投诉", "巨野县供电公司", "exact"),
        ("巨野县投诉", "巨野县", "alias"),
        ("菏泽聚野投诉", "聚野", "fuzzy"),
        ("菏泽市投诉", "菏泽市", "alias"),
        ("定陶县供电公司投诉", "定陶县供电公司", "alias"),
        ("菏澤投诉", "菏澤", "alias"),
    ],
)
def test_source_says_how_a_mention_was_recognised(ask: Ask, query: str, text: str, source: str) -> None:
    (named,) = [entity for entity in ask(query).entities if entity.text == text]
    assert named.source == source


def test_scores_fall_with_what_is_left_out_or_misspelt(ask: Ask) -> None:
    """Full form, shortened, bare, homophone, merged sound, swapped, edited: each less certain than the one before."""
    queries = ["菏泽巨野县供电公司", "菏泽巨野县", "菏泽巨野", "菏泽聚野县", "平应县", "菏泽野巨县", "菏泽巨大野县"]
    scores = [min(e.score for e in ask(query + "投诉").entities if e.type == "Company") for query in queries]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == len(scores)
    assert all(0 < score <= 1 for score in scores)


def test_fields_of_several_targets_hold_what_they_share(ask: Ask) -> None:
    found = ask("菏泽巨野和曹县投诉")
    assert (found.province, found.city, found.company, found.substation) == (SHANDONG, HEZE, None, None)
    found = ask("菏泽和济南投诉")
    assert (found.province, found.city) == (SHANDONG, None)


def test_values_cannot_be_edited(ask: Ask) -> None:
    """A resolution and all that it holds are frozen, and hash by content."""
    found = ask("曹县供电公司麒麟供电所本月投诉")
    held: list[Any] = [found, found.conflicts[0], found.entities[0], found.dates[0], found.candidates[0]]
    for value in held:
        with pytest.raises(ValidationError, match="frozen"):
            setattr(value, next(iter(type(value).model_fields)), None)
    assert hash(found) == hash(ask("曹县供电公司麒麟供电所本月投诉"))


def test_values_are_checked_when_made_from_outside() -> None:
    """An unknown field, source or status is refused, so that the wire format cannot drift."""
    with pytest.raises(ValidationError):
        Entity(type="City", name="菏泽", source="guess")  # type: ignore[arg-type]
    with pytest.raises(ValidationError):
        Resolution(query="", status="maybe")  # type: ignore[arg-type]
    with pytest.raises(ValidationError):
        OrgPath(level="City", name="菏泽", county="曹县")  # type: ignore[call-arg]
    with pytest.raises(ValidationError):
        Unknown(text="x", start=0, end=1, kind="city")  # type: ignore[arg-type]
    with pytest.raises(ValidationError):
        Conflict(kind="odd", message="")  # type: ignore[arg-type]


def test_the_wire_format_is_plain_json(ask: Ask) -> None:
    """Dates as ISO strings, tuples as lists, and every field present."""
    wire = json.loads(ask("昨天菏泽投诉").model_dump_json())
    assert set(wire) == set(Resolution.model_fields)
    assert wire["dates"] == [{"text": "昨天", "start": "2024-05-12", "end": "2024-05-12"}]
    assert wire["targets"][0] == {
        "province": SHANDONG, "city": HEZE, "company": None, "substation": None, "level": "City", "name": HEZE,
    }  # fmt: skip


# Unknown content -----------------------------------------------------------------------------------------


def test_an_unused_ordinary_word_stays_with_its_organisation_as_suggestion(ask: Ask) -> None:
    """文化 in 文化广场 names nothing for certain; it is told what it could have been."""
    (unknown,) = ask("济南文化广场投诉").unknown
    assert "文化" in unknown.text and unknown.kind == "other"
    assert any("文化供电所" in suggestion for suggestion in unknown.suggestions)


def test_the_known_parent_of_an_unknown_name_is_a_suggestion(ask: Ask) -> None:
    found = ask("菏泽火星供电所投诉")
    assert found.targets == () and found.province is None
    assert [(unknown.text, unknown.kind) for unknown in found.unknown] == [("火星供电所", "organisation")]
    assert "山东省 → 菏泽" in found.unknown[0].suggestions
    assert "菏泽" in {entity.text for entity in found.entities}
    assert found.question is not None and "火星供电所" in found.question


def test_the_nearest_names_are_suggested(ask: Ask) -> None:
    (unknown,) = ask("荷泽投诉").unknown
    assert unknown.suggestions[0] == "山东省 → 菏泽"
    (unknown,) = ask("千佛供电所投诉").unknown
    assert any("千佛山供电所" in suggestion for suggestion in unknown.suggestions)


def test_an_unknown_indicator_does_not_change_the_status(ask: Ask) -> None:
    found = ask("菏泽飞线充电数量")
    assert found.status == "resolved" and found.city == HEZE and found.question is None
    assert [unknown.kind for unknown in found.unknown] == ["other"]


# Precedence ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("曹县供电公司麒麟供电所2月30日投诉", "conflict"),
        ("曹县供电公司麒麟供电所和城关供电所投诉", "conflict"),
        ("城关供电所2月30日投诉", "ambiguous"),
        ("城关供电所和火星供电所投诉", "ambiguous"),
        ("菏泽2月30日", "unresolved"),
        ("菏泽", "resolved"),
    ],
)
def test_conflict_before_ambiguous_before_unresolved(ask: Ask, query: str, status: str) -> None:
    found = ask(query)
    assert found.status == status
    assert status == "resolved" or found.question


def test_a_question_names_what_it_is_about(ask: Ask) -> None:
    """The one question to put back says which words are in doubt and what they could be."""
    for query, words in [
        ("城关供电所投诉", ["城关供电所", "东明县供电公司", "临朐县供电公司"]),
        ("曹县供电公司麒麟供电所投诉", ["曹县供电公司", "麒麟供电所", "巨野县供电公司"]),
        ("河北省投诉", ["河北省"]),
        ("13月投诉", ["13月"]),
        ("本县投诉", ["本县"]),
        ("你好", ["单位"]),
    ]:
        question = ask(query).question
        assert question is not None and all(word in question for word in words), query
    assert ask("菏泽投诉").question is None
