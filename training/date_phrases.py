"""Date expressions: some that `qilin.dates.find` understands, and odd ones that it leaves to a model."""

from __future__ import annotations

import random
from typing import Final

from qilin.training.split import Split, split_of
from qilin.training.words import listed

_CN: Final = "零一二三四五六七八九十"
_RELATIVE: Final = listed(
    "今天 昨天 今年 去年 前年 本周 上周 本月 上月 上个月 这个月 本季度 上季度 今日 昨日 前天 本年 上半年 下半年 今年以来 月初至今 年初至今 "
    "前三季度 去年全年 上上周 上上个月 本年度 上年 当月 当天 上个季度 今年上半年 去年下半年 本周一 上周五 上周末"
)
_FESTIVALS: Final = ("春节", "国庆", "五一", "元旦", "中秋", "端午", "清明", "国庆期间", "春节期间", "迎峰度夏期间")
_ODD: Final = listed(
    "近期 最近 前段时间 前一阵子 这阵子 这几天 前几天 过去几个月 近几年 近两年来 往年 去年冬天 今年夏天 去年夏季 入夏以来 入冬以来 汛期 "
    "月底 年底前 年初 季初 季末 国庆前后 春节前 节前 节后 五一之后 元宵当晚 昨天晚上 昨晚 今早 今天上午 昨天下午 今天凌晨 周三晚上 "
    "上周前半周 本月中 五月中 去年同期 上年同期 同期 5月累计 1至5月累计 大年三十 除夕夜 腊月 正月里 三伏天 双十一前后 暑假期间 寒假 "
    "高温期间 台风期间 寒潮期间 大雪那几天 雷雨那天 麦收期间 春灌期间 秋收时节 供暖季 采暖期 开学季 两会期间 高考期间 中考那几天 "
    "这个夏天 上个冬天 夜间 凌晨 早高峰 晚高峰 用电高峰期 周末两天 工作日 节假日 每周一 每月初 历年 开年以来 换季的时候 "
    "上一轮降温时 最热那周 上次台风后 疫情那几年 十四五期间 十三五期间 新年第一周 半年来 大半年来 三天两头 前半个月 后半个月 头两个月"
)

_EVENTS: Final = listed(
    "台风 寒潮 高温 暴雨 雷雨 大雪 冰冻 春灌 秋灌 麦收 秋收 春耕 供暖 汛期 开学 毕业季 高考 中考 两会 双十一 双十二 六一八 国庆 春节 五一 "
    "元宵 中秋 端午 清明 元旦 暑假 寒假 疫情 展会 庙会 马拉松 运动会 检修 保电 大检查 停产 复工 旅游季 采摘季 梅雨 三伏 数九 小长假 年夜饭"
)
_AROUND: Final = listed(
    "期间 前后 前 后 那几天 那天 当晚 那周 时 以来 之前 之后 前一周 后三天 头一天 最后几天 那阵子 这段时间 前夕 当天晚上"
)
_DAYS: Final = listed("今天 昨天 前天 本周一 周二 上周三 周末 上周日 每天 当天 这两天 工作日 节假日 每周五")
_HOURS: Final = listed("上午 下午 晚上 凌晨 早上 夜间 中午 傍晚 白天 半夜 早高峰 晚高峰 8点到10点 18时 上半夜 天亮前")


def _composed(rng: random.Random, split: Split) -> str:
    """An event and the time around it, or a day and an hour; for valid and test, one of the two is held out."""
    if rng.random() < 0.5:
        firsts, lasts = _EVENTS, _AROUND
    else:
        firsts, lasts = (*_DAYS, f"{rng.randint(1, 12)}月{rng.randint(1, 28)}{rng.choice('日号')}"), _HOURS
    first = rng.choice([word for word in firsts if split_of(word) == split or word[0].isdigit()] or firsts)
    last = rng.choice([word for word in lasts if split_of(word) == split] or lasts)
    if split != "train" and rng.random() < 0.5:
        last = rng.choice([word for word in lasts if split_of(word) == "train"])
    when = rng.choice(("今年", "去年", "上次", "这次", "", "", "", ""))
    return (when if firsts is _EVENTS else "") + first + last


def date_phrase(rng: random.Random) -> str:
    """An expression that the rules understand."""
    year = rng.choice((f"{rng.randint(2017, 2026)}年", f"{rng.randint(17, 26)}年", "今年", "去年", "前年"))
    month = rng.randint(1, 12)
    day = rng.randint(1, 28)
    said = f"{month}月" if rng.random() < 0.8 else ("十" * (month > 10) + _CN[month - 10 * (month > 10)] + "月")
    match rng.randrange(13):
        case 0 | 1 | 2:
            return rng.choice(_RELATIVE)
        case 3:
            return said + rng.choice(("", "", "份"))
        case 4:
            return year + said
        case 5:
            return year + rng.choice(("", "度"))
        case 6:
            written = f"{month:02d}" if rng.random() < 0.4 else str(month)
            year = year if year[0].isdigit() else ""
            return f"{year}{written}月{day:02d}{rng.choice('日号')}"
        case 7:
            return (
                rng.choice(("", year)) + rng.choice(("第一", "第二", "第三", "第四", "一", "二", "三", "四")) + "季度"
            )
        case 8:
            span = rng.choice(("天", "周", "个月", "年"))
            number = rng.choice((str(rng.randint(2, 30)), rng.choice("两三四五六七")))
            return rng.choice(("近", "最近", "过去")) + number + span
        case 9:
            return f"{rng.randint(2017, 2026)}-{month:02d}" + (f"-{day:02d}" if rng.random() < 0.6 else "")
        case 10:
            last = rng.randint(month, 12)
            return rng.choice(("", year)) + f"{month}{rng.choice(('月至', '月到', '-', '至'))}{last}月"
        case 11:
            return rng.choice(("", "今年", "去年", "2023年")) + rng.choice(_FESTIVALS)
        case _:
            return said + rng.choice(("上旬", "中旬", "下旬", "上半月"))


def odd_date_phrase(rng: random.Random, split: Split) -> str:
    """An expression that the rules do not understand; those of valid and test are held out of training."""
    month, day = rng.randint(1, 12), rng.randint(1, 20)
    draw = rng.random()
    if draw < 0.5:
        return _composed(rng, split)
    if draw < 0.85:
        return rng.choice([word for word in _ODD if split_of(word) == split])
    shapes = {
        "train": ("{m}.{d}-{m}.{e}", "{m}月{d}号晚上", "{m}月底", "{m}、{n}月", "{y}年底"),
        "valid": ("{m}.{d}到{m}.{e}", "{m}月初", "{y}年初"),
        "test": ("{m}/{d}-{m}/{e}", "{m}月{d}号上午", "{y}年末"),
    }
    return rng.choice(shapes[split]).format(
        m=month, d=day, e=day + rng.randint(1, 8), n=min(month + 2, 12), y=rng.randint(19, 26)
    )
