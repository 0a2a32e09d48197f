"""The sets of questions that an evaluation asks: the task's own, a hold-out, and gap questions."""

from __future__ import annotations

from datetime import date
from typing import Final

from qilin.dates import find_dates
from qilin.training import words
from qilin.training.maker import Row
from qilin.training.measure import tag_counts

TODAY: Final = date(2024, 5, 13)
HOLD_OUT: Final = ("template", "plain", "reordered", "several", "no organisation", "ordinary")
GAPS: Final = ("unlisted indicator", "odd date", "garbled", "unknown name", "ambiguous")
LEFT_OPEN: Final = ("unknown name", "ambiguous")  # no organisation is settled by these
_QILIN: Final = (
    "<Province>山东省</Province><City>菏泽</City><Company>巨野县供电公司</Company><Substation>麒麟供电所</Substation>"
)
_JUYE: Final = _QILIN.partition("<Substation>")[0]
_HEZE: Final = _QILIN.partition("<Company>")[0]
SEED: Final = tuple(
    Row(question, tagged, "seed")
    for question, tagged in (
        ("菏泽巨野县供电公司麒麟供电所投诉个数", f"{_QILIN}<Indicator>投诉</Indicator>个数"),
        ("菏泽市意见百万户量总数", f"{_HEZE}<Indicator>意见百万户量</Indicator>总数"),
        ("巨野县供电公司投诉总数", f"{_JUYE}<Indicator>投诉</Indicator>总数"),
        ("菏泽巨野县供电公司意见百万户量总数", f"{_JUYE}<Indicator>意见百万户量</Indicator>总数"),
        ("菏泽麒麟供电所意见个数", f"{_QILIN}<Indicator>意见</Indicator>个数"),
        ("麒麟供电所投诉百万户量个数", f"{_QILIN}<Indicator>投诉百万户量</Indicator>个数"),
        ("本月菏泽市巨野县供电公司麒麟供电所投诉个数", f"<Date>本月</Date>{_QILIN}<Indicator>投诉</Indicator>个数"),
        ("4月菏泽市意见百万户量总数", f"<Date>4月</Date>{_HEZE}<Indicator>意见百万户量</Indicator>总数"),
        ("三季度巨野县供电公司意见数量", f"<Date>三季度</Date>{_JUYE}<Indicator>意见</Indicator>数量"),
        ("12月菏泽市巨野县供电公司意见总数", f"<Date>12月</Date>{_JUYE}<Indicator>意见</Indicator>总数"),
        (
            "2020年04月28号菏泽麒麟意见个数",
            f"<Date>2020年04月28号</Date>{_QILIN}<Indicator>意见</Indicator>个数",
        ),
        ("9月麒麟供电所意见百万户量总数", f"<Date>9月</Date>{_QILIN}<Indicator>意见百万户量</Indicator>总数"),
    )
)


def is_ordinary(row: Row) -> bool:
    """Whether a question has only listed indicators and dates that the rules understand."""
    if row.kind not in HOLD_OUT or row.kind == "ordinary":
        return False
    listed = set(words.listed_indicators())
    for tag, text in tag_counts(row.tagged):
        if tag == "Indicator" and text not in listed:
            return False
        if tag == "Date" and not any((m.start, m.end) == (0, len(text)) and m.first for m in find_dates(text, TODAY)):
            return False
    return True
