"""The words of questions, but for names and dates; some of them are held out of training."""

from __future__ import annotations

import random
from functools import cache
from typing import Final

from qilin.names.indicators import load_indicators
from qilin.training.split import Split, split_of

TOTALS: Final = ("数量", "个数", "总数", "总量", "数量是多少", "个数是多少", "总数量", "数目")
TAILS: Final = (
    "", "", "", "是多少", "有多少", "情况", "怎么样", "多少", "排名", "统计", "是多少？", "有多少？", "如何", "情况怎么样", "？", "汇总",
)  # fmt: skip
OPENINGS: Final = (
    "请问", "查一下", "帮我查一下", "查询", "统计", "看看", "我想知道", "帮我看看", "想了解", "麻烦查下", "统计一下", "告诉我", "列出",
    "你好，", "您好，请问", "请问一下", "汇总",
)  # fmt: skip


def listed(words: str) -> tuple[str, ...]:
    """The words of a text, separated by blanks."""
    return tuple(words.split())


# ── indicators that no file lists ────────────────────────────────────────────────────────────────
_KINDS: Final = listed(
    "低电压 重过载 三相不平衡 老旧 轻载 空载 公用 专用 农网 城网 高压 低压 居民 工商业 光伏 分布式 煤改电 重载 过载 频停 高损 负损 "
    "零度 异常 敏感 重要 临时 新装 双电源 停运 退役 智能 临停 超容 长期 在运 备用 无人机 带电 偏远 春灌 排灌 抄表 缺陷 隐患"
)
_THINGS: Final = listed(
    "台区 配变 线路 用户 电表 表计 开关 电缆 变压器 终端 集中器 充电桩 杆塔 电容器 客户 专变 公变 主变 采集器 环网柜 分支箱 互感器 "
    "避雷器 断路器 配电箱 营业厅 变电站 馈线 台架 计量箱 应急车 班组 光伏户 高压户 发电户 村庄 小区 机井 工单"
)
_COUNTS: Final = ("数", "占比", "比例", "数", "率", "容量", "台数", "增长率", "户数")
_DOINGS: Final = listed(
    "抢修 故障 跳闸 计划停电 故障停电 临时停电 换表 消缺 巡视 催费 抄表 派单 接单 到场 送电 复电 停电 检修 试验 核查 验收 勘查 报装 "
    "用电检查 反窃电 并网 充电 缴费 退费 开票 签约 过户 销户 增容 移表 校表 采集 通信 遥控 遥信 倒闸 带电作业 回访 催办 督办 申诉 "
    "转派 退单 预警 响应 调度 上门 保供电 红外测温 砍树 清障 巡检 接电"
)
_MEASURES: Final = listed(
    "次数 率 时长 平均时长 及时率 完成率 成功率 合格率 工单数 件数 总时长 覆盖率 准确率 超时率 平均用时 失败率 金额 人次 超期数 达标率 "
    "异常率 恢复时长 满意率 正确率"
)
_OWNERS: Final = ("户均", "台均", "单线", "人均", "百户", "万户", "平均", "月均", "日均", "")
_LOOSE: Final = listed(
    "电费差错率 户均容量 电费余额 应收电费 实收电费 预收电费 欠费金额 违约金 平均电价 市场化电量 代理购电量 光伏上网电量 弃光率 "
    "网供负荷 峰谷差 同期线损 分线线损 分压线损 台区线损 功率因数 不平衡度 电压偏差 谐波畸变率 电能质量 安全天数 违章次数 "
    "缺员率 人员到岗率 票面合格率 物资到货率 工程完工率 投资完成额 项目结算率 备品库存 车辆里程 碳排放量 绿电占比 用能总量 "
    "充电电量 报表及时率 线上办电率 办电时长 一次办结率 首问解决率 接通率 弃话率 话务量 平均话长 差评数 好评率 舆情件数 信访量 "
    "诉求量 热线转派量 三零服务户数 全程时长 停电户次 停电范围 复电时间 抢修到场时间 故障研判正确率"
)


@cache
def listed_indicators() -> tuple[str, ...]:
    """Every surface form of the bundled indicator file."""
    return tuple(sorted(load_indicators()))


@cache
def _in_split(words: tuple[str, ...], split: Split) -> tuple[str, ...]:
    return tuple(word for word in words if split_of(word) == split)


def unlisted_indicator(rng: random.Random, split: Split) -> tuple[str, str]:
    """An indicator that no file lists, and the words behind it.

    In the valid and test splits at least one of its words was held out of training.
    """
    train = split == "train"
    while True:
        match rng.randrange(5):
            case 0:
                name = _pick(_KINDS, rng, split) + rng.choice(_in_split(_THINGS, "train"))
                tail = rng.choice(TOTALS) if rng.random() < 0.35 else ""
                name += "" if tail else rng.choice(_COUNTS)
            case 1:
                name, tail = rng.choice(_in_split(_KINDS, "train")) + _pick(_THINGS, rng, split), ""
                name += rng.choice(_COUNTS)
            case 2:
                name, tail = _pick(_DOINGS, rng, split) + rng.choice(_MEASURES), ""
            case 3:
                name = rng.choice(_OWNERS) + _pick(_DOINGS, rng, split) + rng.choice(_MEASURES)
                tail = ""
            case _:
                name, tail = _pick(_LOOSE, rng, split), ""
        if name in listed_indicators() or (train and split_of(name) != "train" and name in _LOOSE):
            continue
        return name, tail or rng.choice(TAILS)


def _pick(words: tuple[str, ...], rng: random.Random, split: Split) -> str:
    return rng.choice(_in_split(words, split) or words)


# ── sentences that name nothing ──────────────────────────────────────────────────────────────────
_WHO: Final = listed(
    "我家 我们小区 隔壁 楼下 邻居家 店里 厂里 学校 村里 楼上 单元楼 院子里 仓库 地下室 我妈家 我们单位 商铺 大棚 养殖场 饭店 出租屋 "
    "老房子 新房 办公室 机房 车库 广场 公园旁边 码头那边 工业园 中心花园 医院"
)
_WHAT: Final = listed(
    "没电了 跳闸了 电压不稳 灯一闪一闪的 空气开关推不上去 电表不走字 插座冒火花 线被树枝压着 电线垂下来了 变压器嗡嗡响 一直停电 "
    "还没有来电 电表箱坏了 空调带不起来 冰箱不制冷 总闸烧了 电费突然变多了 收不到短信 缴不上费 电杆歪了 路灯不亮 有焦味 水泵抽不上水 "
    "充电桩充不进去 没人来修 热线打不通 电线老化了"
)
_ASK: Final = listed(
    "什么时候能恢复 怎么办 找谁处理 能不能派人来看看 谁来赔偿 需要多久 是不是线路坏了 可以自己换吗 要交多少钱 麻烦尽快 谢谢 "
    "这正常吗 为什么没有通知 能解释一下吗 需要带什么材料 在哪里可以查 可以退吗 行不行"
)
_WHOLE: Final = listed(
    "你好 谢谢 天气不错 你是谁 能做什么 帮帮我 再见 阶梯电价怎么算 办理过户要什么材料 如何修改户名 怎样安装光伏 峰谷电价几点开始 "
    "电费发票怎么开 网上国网怎么登录 更新城网改造进度 建设新农村需要用电 文化活动中心几点开门 和平年代 胜利在望 安全第一 我要转人工 "
    "听不清楚 请稍等 工作人员态度很好 师傅很辛苦 欠了一点电费 忘记密码了 换个话题 讲个笑话 没有别的问题了 家里老人不会用手机 "
    "一户多人口怎么申请 电动车在哪里充电 充电桩安装要找谁 停电通知在哪里看 电表多久换一次 为什么晚上电压低 农业用电怎么收费"
)


def everyday_sentence(rng: random.Random, split: Split) -> str:
    """A customer's sentence that names no organisation, indicator or date."""
    if rng.random() < 0.3:
        return _pick(_WHOLE, rng, split) + rng.choice(("", "", "？", "。", "吗"))
    who, what = rng.choice(_WHO), _pick(_WHAT, rng, split)
    ask = rng.choice(_ASK) if rng.random() < 0.6 else ""
    comma = rng.choice(("，", ",", " ", "")) if ask else ""
    return who + what + comma + ask + rng.choice(("", "", "？", "。"))


def is_plain(sentence: str) -> bool:
    """Whether no listed indicator occurs in a sentence."""
    return not any(name in sentence for name in listed_indicators())
