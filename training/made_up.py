"""Invented organisations, so that a model learns to copy names rather than to know them by heart."""

from __future__ import annotations

import random
from functools import cache
from typing import Final

from qilin.hierarchy import Hierarchy
from qilin.training.garble import common_characters
from qilin.training.split import Split, split_of

_ENDINGS: Final = tuple("山河湖城庄店集镇桥沟洼堡屯寨岭泉湾口塘川坡台岗坝洲港营坪湖原阳阴宁安平昌丰兴")
_BEGINNINGS: Final = tuple("大小东西南北上中下前后新老高长白黄青红石金银龙凤马牛张王李赵刘杨陈孙周吴郑冯朱")


@cache
def _plain_characters() -> tuple[str, ...]:
    """Common characters without those that dates, indicators and suffixes are made of."""
    taken = set(
        "年月日天周季旬号今昨明上下本去前后近投诉意见报修供电公司所站省市县区镇乡的和与及跟有在是查问看数率量总个共"
    )
    return tuple(c for c in common_characters() if c not in taken)


def made_up_stem(rng: random.Random, split: Split) -> str:
    """A name of two to four characters that sounds like a place, of one split."""
    while True:
        size = rng.choice((2, 2, 2, 3, 3, 4))
        letters = [rng.choice(_plain_characters()) for _ in range(size)]
        if rng.random() < 0.5:
            letters[-1] = rng.choice(_ENDINGS)
        if rng.random() < 0.25:
            letters[0] = rng.choice(_BEGINNINGS)
        stem = "".join(letters)
        if split_of(stem) == split:
            return stem


def made_up_table(rng: random.Random, split: Split) -> Hierarchy:
    """A province of invented names, shaped like a real one."""
    province = made_up_stem(rng, split)[:2] + "省"
    rows = []
    used: set[str] = set()

    def fresh() -> str:
        while (stem := made_up_stem(rng, split)) in used:
            pass
        used.add(stem)
        return stem

    for _ in range(rng.randint(4, 8)):
        city = fresh() + ("市" if rng.random() < 0.3 else "")
        for _ in range(rng.randint(3, 6)):
            company = fresh() + rng.choice(("县供电公司", "县供电公司", "区供电公司", "市供电公司", "供电中心"))
            for _ in range(rng.randint(4, 9)):
                stem = fresh() if rng.random() < 0.9 or not used else rng.choice(sorted(used))
                rows.append({"province": province, "city": city, "company": company, "substation": stem + "供电所"})
    return Hierarchy.from_rows(rows)
