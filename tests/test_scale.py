"""What keeps large tables quick must change no answer, and what is remembered must stay within bounds."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

import pytest

from qilin import Engine, Resolution
from qilin.answer.markup import tagged_fragments
from qilin.hierarchy import Hierarchy
from qilin.names.gazetteer import Gazetteer
from qilin.names.mention import Candidate, OrgMention
from qilin.names.suffixes import suffix_at

Ask = Callable[..., Resolution]


@pytest.fixture(scope="module")
def large(china: Hierarchy) -> Engine:
    return Engine(china, gap_filler=None)


@pytest.fixture(scope="module")
def gazetteer(large: Engine) -> Gazetteer:
    return large._tables.gazetteer


def frequent(gazetteer: Gazetteer, least: int = 13) -> list[str]:
    """Stems that many organisations go by."""
    return [stem for stem in gazetteer.stems if len(gazetteer.entries(stem)) >= least]


def test_a_name_of_many_is_what_its_parts_say(gazetteer: Gazetteer) -> None:
    """Every organisation whose stem and suffix make the text, each by its fullest form, and no other."""
    quick = 0
    for stem in frequent(gazetteer):
        for ending in ("", "供电所", "所", "镇", "供电公司", "县"):
            text = stem + ending
            want: dict[int, int] = {}
            for cut in range(2, len(text) + 1):
                for node, suffixes, _ in gazetteer.entries(text[:cut]):
                    form = suffixes.forms.get(text[cut:])
                    if form is not None:
                        want[node] = min(form, want.get(node, form))
            name = gazetteer.name(stem, ending)
            if name is None:
                assert not want
                continue
            assert name.nodes == tuple(sorted(want)) == tuple(c.node for c in name.candidates)
            quick += len(set(want.values())) == 1
            levels = {gazetteer.levels[node] for node in want}
            if levels == {3}:  # no level to choose by: the form alone decides
                assert {c.node: c.form for c in name.candidates} == want
                assert name.form == min(want.values())
                assert name.best == tuple(sorted(node for node in want if want[node] == name.form))
                assert name.bare == (not ending)
            for node in islice(name.nodes, 5):
                assert name.candidate(node) == next(c for c in name.candidates if c.node == node)
    assert quick > 500


def test_a_slice_of_a_name_of_many_makes_no_more_than_it_is(gazetteer: Gazetteer) -> None:
    stem = max(frequent(gazetteer), key=lambda stem: len(gazetteer.entries(stem)))
    first, second = (gazetteer.name(stem, "供电所") for _ in range(2))
    assert first is not None and second is not None
    part = list(first.slice(3, 6))
    assert part == list(second.candidates[3:6]) and all(isinstance(c, Candidate) for c in part)
    assert [s.deepest for s in first.states] == list(first.nodes)


def test_what_is_remembered_stays_within_bounds(china: Hierarchy) -> None:
    """Past the bound the memo of names begins anew, and answers stay the same."""
    engine = Engine(china.subset("山东省"), gap_filler=None)
    gazetteer = engine._tables.gazetteer
    queries = [f"{name}投诉数量" for name in engine.hierarchy.names[:400]]
    before = [engine.resolve(query).model_dump_json() for query in queries]
    assert gazetteer._strings > 100
    gazetteer._held = 1 << 30
    assert [engine.resolve(query).model_dump_json() for query in queries] == before
    engine.resolve("没见过的大明湖供电所")
    assert gazetteer._held < 1 << 20


@pytest.mark.parametrize(
    "text", ["县供电公司麒麟", "供电所有投诉", "镇供电所", "街道办事处供电所", "土家族自治县", "电"]
)
def test_the_longest_name_is_the_last_of_all_forms(gazetteer: Gazetteer, text: str) -> None:
    """`shorter` lists what less of the suffix names, shortest first, as it is asked for."""
    suffix = suffix_at(text, 0)
    for stem in ("巨野", "城关", "麒麟", "长阳", "太平"):
        for mention in gazetteer.scan(stem + text).mentions:
            if isinstance(mention, OrgMention) and mention.start == 0 and mention.name.stem == stem:
                lengths = [less for less, _ in mention.name.shorter]
                assert lengths == sorted(lengths, reverse=True)
                assert all(0 < less <= len(suffix) for less in lengths)
                for less, name in mention.name.shorter:
                    written = (stem + text)[: mention.end - less]
                    again = gazetteer.name(stem, written[len(stem) :], written[len(stem) :])
                    if again is not None:
                        assert again.nodes == name.nodes


@pytest.mark.parametrize(
    "query",
    [
        "麒麟供电所（菏泽巨野）投诉",
        "菏泽（巨野县供电公司、麒麟供电所）投诉",
        "菏泽\x0b麒麟",
        "麒麟(菏泽<&>",
        "菏泽和巨野、曹县",
    ],
)
def test_both_ways_to_the_tagged_form_agree(ask: Ask, query: str) -> None:
    found = ask(query)
    assert found.to_xml() == "".join(part.text for part in tagged_fragments(found.query, found.entities))


def test_repairs_of_an_exclusion_are_named_once(ask: Ask) -> None:
    """A target that the question names twice is one repair."""
    found = ask("除山东省\ud800麒麟城关供电所麒麟")
    assert found.status == "conflict"
    assert len(set(found.candidates)) == len(found.candidates) == 2
