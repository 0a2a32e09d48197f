"""The questions put back to the person and the messages of conflicts, in Chinese."""

from __future__ import annotations

from collections.abc import Sequence

from qilin.answer.values import OrgPath, Unknown
from qilin.hierarchy import Level

_SHOWN = 5  # choices named in a question; more would not be read


def listed(paths: Sequence[OrgPath]) -> str:
    """A few organisations for a question: 菏泽 → 巨野县供电公司、… 等 7 个."""
    names = "、".join(map(str, paths[:_SHOWN]))
    return f"{names} 等 {len(paths)} 个" if len(paths) > _SHOWN else names


def which(text: str, paths: Sequence[OrgPath]) -> str:
    """Ask which of several organisations is meant."""
    return f"“{text}”对应多个单位：{listed(paths)}。请问指的是哪一个？"


def is_it(text: str, paths: Sequence[OrgPath]) -> str:
    """Ask whether a misspelt name means one of these."""
    return f"组织表中没有“{text}”，是否指 {listed(paths)}？"


def clash(upper: str, upper_paths: Sequence[OrgPath], lower: str, lower_paths: Sequence[OrgPath]) -> str:
    """Say that one is not part of the other, and where each really is."""
    return f"“{lower}”不属于“{upper}”：{upper} 是 {listed(upper_paths)}；{lower} 是 {listed(lower_paths)}。"


def repair(repairs: Sequence[OrgPath]) -> str:
    """Ask which repair of a conflict is meant."""
    return f"请问您要查询的是 {listed(repairs)} 中的哪一个？" if repairs else "请核对单位名称后再查询。"


def outside(excluded: str, targets: Sequence[OrgPath]) -> str:
    """Say that what is taken out is not part of what is asked about."""
    return f"要排除的“{excluded}”不在所查询的 {listed(targets)} 之内。"


def no_such(unknown: Unknown) -> str:
    """Say that the table has no such name, and offer the nearest."""
    if unknown.kind == "date":
        return f"无法理解日期“{unknown.text}”，请换一种写法（例如 2024年5月、本月、近7天）。"
    if unknown.suggestions:
        return f"组织表中没有“{unknown.text}”，是否指 {'、'.join(unknown.suggestions)}？"
    return f"组织表中没有“{unknown.text}”，请核对单位名称。"


def relative(text: str, level: Level) -> str:
    """Ask whose 本县 this is."""
    return f"“{text}”指的是哪个{level.chinese}？请写出单位名称。"


def exclusion(text: str) -> str:
    """Say that what is to be taken out is not certain."""
    return f"不能确定“{text}”要排除哪些单位，请写成“除某某外”，并写出单位的完整名称。"


NOTHING = "没有识别出单位或指标，请问要查询哪个单位的什么指标？"
TOO_MANY = "这句话有太多种理解方式，请把单位名称写完整，或者分开提问。"
