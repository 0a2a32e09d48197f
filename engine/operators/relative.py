"""Relative names: 全市, 本县, 我们公司. Who asks, or what was asked before, says which organisation they are."""

from __future__ import annotations

from collections.abc import Iterator

from qilin.hierarchy import Level
from qilin.hierarchy.suffixes import organisation_words
from qilin.operators.phrase import Phrase

_OWN = ("我们", "咱们", "本", "我", "咱")
RELATIVES: dict[str, Level] = {
    **dict.fromkeys(("全省", "本省", "我省", "咱省", "我们省", "省电力公司", "省公司", "省里"), Level.PROVINCE),
    **dict.fromkeys(
        ("全市", "本市", "我市", "咱市", "我们市", "地市公司", "市供电公司", "市公司", "市局", "市里"), Level.CITY
    ),
    **dict.fromkeys(("全县", "本县", "我县", "咱县", "我们县", "县供电公司", "县公司", "县局", "县里"), Level.COMPANY),
    **dict.fromkeys(("全区", "本区", "我区", "我们区", "区公司"), Level.COMPANY),
    **{own + noun: Level.COMPANY for own in _OWN for noun in ("公司", "供电公司", "单位")},
    **dict.fromkeys(("本所", "我所", "我们所", "咱们所", "咱所", "全所"), Level.SUBSTATION),
    **{own + word: Level.SUBSTATION for own in _OWN for word in organisation_words(Level.SUBSTATION) if len(word) > 1},
}


def relative_phrases(text: str, found: list[tuple[int, int, Level]]) -> Iterator[Phrase]:
    """全市, 本县, 我们公司: an organisation on the path of who asks. The longest word at each place."""
    end = -1
    for start, stop, level in sorted(found, key=lambda f: (f[0], -f[1])):
        if start >= end and not (text[stop - 1] == "所" and text[stop : stop + 1] in tuple("有辖属在")):
            yield Phrase(start, stop, "relative", level)
            end = stop
