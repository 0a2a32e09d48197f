"""Write data/lexicon/: the ordinary words of Chinese that an organisation name must not be taken for.

    pip install jieba==0.42.1
    python -m benchmarks.make_lexicon

The bulk comes from the word list of jieba (MIT): words of two to four characters that it counts at
least `MIN_COUNT` times and does not tag as the name of a place, person or organisation. Its tags are
often wrong (孝感 a noun, 和平 a place), so the lists below, made by reading every word that is also the
stem of an organisation somewhere in China, have the last word:

* `NAMES` are taken out: counties and cities that jieba calls nouns or verbs.
* `PLAINLY_WORDS` are put in: words that jieba calls names, or counts too low.
* `DOMAIN_WORDS` are put in: power supply and customer service, which jieba hardly knows.
* a word that would join the end of a name to the start of an indicator (中投 in 市中投诉) is left out.

The places come from the bundled table of China.

The output depends on nothing else, so a second run writes the same bytes.
"""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Final

from benchmarks.internals import FoldTable, names_of
from qilin.hierarchy import Hierarchy, Level

MIN_COUNT: Final = 120
"""Occurrences in jieba's corpus below which a word is too rare to explain an everyday sentence."""

NAME_TAGS: Final = frozenset({"ns", "nr", "nrt", "nrfg", "nt", "nz"})
WORD: Final = re.compile(r"[\u4e00-\u9fff]{2,4}")
INDICATOR_HEADS: Final = frozenset("投")
"""First characters of indicators; a two-character word that ends in one would cut the indicator."""

LONGEST_PLACE: Final = 8
"""Longer stems are looked for nowhere."""

PLACES_HEADER: Final = (
    "# Stems of the names of {}, all over China, sorted by code point.\n"
    "# Derived from data/hierarchy/china.csv (administrative divisions, 2021 edition) by benchmarks/make_lexicon.py.\n"
)

LEXICON: Final = Path(__file__).resolve().parent.parent / "data" / "lexicon"


def words_in(text: str) -> frozenset[str]:
    """The words of `text`, which blanks and line ends separate."""
    return frozenset(text.split())


NAMES: Final = words_in("""
石首 仙桃 孝感 恩施 开封 监利 大连 大理 赤壁 屈原 隆中 石门 保定 日照 烟台 大同 大冶 应城 金台 建平 团城
当阳 全州 合肥 海口 商丘 银川 太行 三门 月湖 车城 洞庭 文峰 保康 天府 武当 五峰 峰峰 方城 平遥 河间 永新
酒泉 河源 包头 宝鸡 定远 遵义 信阳 宣和 来宾 天水 常熟 上党 融水 嫘祖 大栅栏 外滩 莲花 芙蓉 名山 六合 三元
二七 大观 二道 民权 无为 高台 鼓楼 安居 太白 大兴 石棉 双桥 桃源 清流 海盐 麒麟 高密 新民 新野 水城 黑水
笔架山 走马岭 通衢 黄家 王家 余家 高家 白家 周家 岳家 董家 史家 金家 瓦屋 岭子 鲟鱼 首都机场 北京站 学院路
大红门 台前 同心 江岸 灵台 富民 镇远 紫金 南岸 丁卯 永年 文水 青城 门巴 大悲 玉带 月华 白花 南航 中行 北大
天坛 硅谷 琴台 义门 楠木 四方 土城子 大石头 新堤 西四 查理 前锋 光泽 洞口 民乐 都司 纸坊 九曲 文汇 三合 合兴
大义 玲珑 皇城 寨里 好生 北宋 南宋 西周 北魏 南唐 少林 户部 宫里 大黄
""")

PLAINLY_WORDS: Final = words_in("""
和平 友谊 红旗 新建 古城 平原 温泉 威信 安宁 上街 大关 同仁 高明 城东 城西 城南 城北 城中 新城 城关 湖里 河里
文明 爱国 东北 西北 东南 西南 南北 英雄 太阳 海洋 大桥 石桥 小桥 建国 卫星 江湖 大街 中华 城镇 明星 光荣 治安 高峰 冰川
文武 洪水 公正 光辉 高山 安静 大海 山坡 上马 福利 云集 山河 西门 南门 北门 东门 梅花 沙滩 天文 吉祥 大王
山洞 都城 雪山 海湾 下山 宝库 山寨 丛林 双喜 金牙 金星 明珠 黎明 重阳 乌云 蓝天 山口 大山 宝石 江河 泉水
大河 大湖 大江 中和 东升 天鹅 黄沙 海滨 桂花 保安 乔木 沿河 曙光 源泉 银杏 迎宾 英俊 燕子 林子 杨柳
杜鹃 梅子 兴盛 红宝石 山川 新村 田园 孔雀 桃园 天明 吉利 龙王 四海 古文 国宝 兴旺 井口 李子 山门 庄园 竹林
仁义 海岛 红海 河畔 高坡 常青 夕阳 恐龙 宝藏 凯旋 港湾 新春 小山 祥和 汪洋 山庄 旧城 太极 新桥 北斗 广度
玛瑙 小河 彩虹 千秋 柳树 丹青 五星 雷锋 大发 松林 海浪 沙洲 香水 孝顺 后山 马鞍 河滩 迎春 大坝 长发 朝霞
木耳 黑马 十字 小溪 中庸 旭日 和睦 采石 开山 南风 协和 共青团 下海 新区 洪峰 松柏 清泉 安乐 花香 丁香 灵芝
碧波 栗子 半山 长街 凉亭 常胜 碧玉 巨龙 梅雨 飞龙 春联 赛马 满堂 蛟龙 昌盛 山岩 滑石 河渠 苗圃 雨露 拱桥
林荫 高塔 山泉 春雷 牛郎 荣华 江堤 花红 海星 大寒 大市 新店 老街 旧街 老城 南街 北街 东街 西街 东关 西关
新华书店 新华社 蓝天白云 健康长寿 惠民政策 惠民工程 便民惠民 老城区 旧城区 老旧小区
跃进 良田 菜园 火红 晨光 金鱼 海角 财源 村头 奋进 桃子 地瓜 木瓜 柳条 沟里 街口 道口 岔路 分界 合流 汽车站
火车站 火车头 泥巴 水沟 竖井 铁人 菜市 菜市场 田头 桥上 桥边 桥头 塘边 河上 楼底 沟口 岭上 岭下 门坎 小街 店门
库区 纸厂 瓦房 板房 守望 新房子 鱼市 体育中心 保税区 林业站 科技园 十字街 十字路 十字路口 水泥路 大坑 火场 桃花源
矿泉水 打滚 抽水 横渡 摆渡 灌水 倒水 赶场 春晓 回春 利民 红心 远大 至诚 正路 工区 民生 水磨 大队
八一 五一 七一 三八 国庆 国庆节 劳动节 教师节 元旦 春节 中秋 中秋节 端午 清明 重阳节 建军节 妇女节
向阳花 朝阳产业 阳光 南面 北面 东面 西面 东边 西边 南边 北边 东侧 西侧 南侧 北侧 东头 西头 南头 北头 路东 路西 路南 路北
团结 胜利 光明 东风 前进 幸福 公园 码头 工业 中心 安全 附近 地方 恢复 建设 文化 高新 东方 解放 发展 合作 资源
比如 南部 北部 东部 西部 中部 港口 公安 友好 平安 延长 新兴 运河 富裕 清水 复兴 清新 平定 振兴 大方 平和 丰满
小店 平房 灯塔 回民 工农 水龙头 成了 下雨天 新开 通通 统统 宏伟 永久 永远
""")

DOMAIN_WORDS: Final = words_in("""
东部 南部 西部 北部 中部 东边 南边 西边 北边 东面 南面 西面 北面 东侧 南侧 西侧 北侧
停电 复电 停送电 送电 来电 断电 跳闸 合闸 拉闸 限电 错峰 避峰 用电 供电 发电 变电 配电 输电 电网 农网 城网 主网 配网
低电压 电压低 过电压 三相 单相 三相电 两相 零线 火线 地线 接地 短路 漏电 触电 窃电 偷电 违约用电 违章用电 超容 负荷 过负荷
重过载 过载 轻载 台区 高损 负损 线损 网损 损耗 无功 有功 功率 电流 电压 电能 电量 电价 电费 峰谷 峰谷电价 阶梯电价 分时电价
电表 表计 表箱 表位 表号 户号 户名 户数 抄表 抄表员 补抄 漏抄 估抄 换表 装表 拆表 验表 校表 轮换 智能电表 智能表 计量 计量箱
采集 采集器 集中器 互感器 变压器 配变 公变 专变 主变 箱变 环网柜 开闭所 配电室 配电房 配电箱 变电站 开关站 开关柜 断路器 熔断器
避雷器 刀闸 漏保 漏保器 空开 导线 电线 电缆 线缆 架空线 线路 支线 干线 分支线 低压 高压 中压 台架 电杆 杆塔 铁塔 拉线 电线杆
横担 瓷瓶 绝缘子 接户线 进户线 下户线 树障 清障 砍青 鸟窝 外破 外力破坏 巡线 巡视 巡检 检修 计划检修 计划停电 临时停电 故障停电
频繁停电 重复停电 欠费停电 欠费复电 抢修 抢修队 抢修班 抢修车 抢修员 故障 故障点 消缺 缺陷 隐患 排查 整改 消除 复核 督办 办结
工单 派单 接单 回单 退单 催办 转派 受理 归档 回访 满意 不满意 满意度 满意率 客户 用户 住户 业主 居民 村民 农户 商户 企业 大客户
专变客户 低压客户 高压客户 客服 客服中心 客户经理 台区经理 网格员 网格 网格化 营业厅 窗口 柜台 大厅 引导员 受理员 收费员 电工 农电工
班长 所长 班组 值班 值守 热线 来电人 致电 重复致电 重复来电 诉求 诉求人 投诉 投诉人 投诉件 意见 建议 举报 表扬 咨询 报修 业务申请 申请
敷衍 推诿 扯皮 拖延 态度 态度差 态度恶劣 不耐烦 爱答不理 冷漠 生硬 粗暴 辱骂 争执 纠纷 赔偿 补偿 道歉 解释 安抚 沟通 告知 通知 公示
未通知 提前通知 短信 微信 公众号 小程序 网上国网 扫码 充值 缴费 交费 预付费 预存 预存款 余额 欠费 滞纳金 违约金 发票 增值税 开票 账单
电费单 催费 催收 代扣 代收 银行代扣 费控 远程费控 复电慢 新装 增容 减容 过户 销户 暂停 更名 变更 业扩 业扩报装 报装 装表接电 接电
一户多人口 一户一表 合表 光伏 分布式光伏 并网 上网电费 余电上网 充电桩 充电站 电动车 电动汽车 储能 煤改电 电采暖 电锅炉 空调 热水器
冰箱 电视 洗衣机 电灯 路灯 照明 插座 开关 保险丝 烧坏 烧毁 烧了 冒烟 起火 打火 异响 噪音 噪声 辐射 赔付 家电 家用电器 保险 定损
迎峰度夏 度夏 度冬 保供 保供电 保电 应急 应急电源 发电车 备用电源 双电源 自备电源 不停电 不停电作业 带电作业 停电作业 施工 施工队 停工
复工 竣工 验收 改造 扩建 迁移 迁改 占地 青苗 青苗赔偿 立杆 放线 挖沟 开挖 回填 路面 围挡 材料 物资 库存 招标 中标 合同 协议
指标 统计 汇总 合计 总数 总量 数量 个数 件数 次数 户次 占比 比例 比率 同比 环比 排名 排序 趋势 走势 增幅 降幅 增长 下降 上升 平均 均值
最高 最低 最多 最少 前三 前五 前十 倒数 明细 清单 报表 日报 周报 月报 季报 年报 通报 简报 考核 绩效 评价 对标 达标 未达标 超标 超时 及时
及时率 完成率 合格率 可靠率 可靠性 电压合格率 百万户 万户 每百万户 户均 人均 时户数 停电时户数 年累计 月累计 累计 当月 当日 当年 当天
同期 上年 去年同期 上月同期 营销 运检 调度 调控 安监 财务 人资 党建 纪检 后勤 宣传 工会 供指 供服 供电服务 优质服务 服务质量 服务态度
服务投诉 营业投诉 业务办理 办电 办电业务 一次办结 一网通办 最多跑一次 容缺受理 证件 身份证 房产证 营业执照 委托书 用电地址 用电户
市民热线 便民服务 便民服务站 政务大厅 居委会 村委会 物业 物业公司 开发商 小区 楼栋 单元 楼道 电梯 地下室 车库 门口 路口 街边 村口
电工房 机井 灌溉 排灌 抽水机 水泵 大棚 养殖场 鱼塘 增氧机 厂房 车间 学校 医院 商场 市场 饭店 宾馆 网吧 工地 车站 机场
联系方式 联系电话 电话号码 打不通 无人接听 占线 没人管 没人接 没人来 迟迟 至今 一直 多次 反复 经常 时常 忽高忽低 时有时无 闪断 晃电 缺相
照常 如常 照旧 照样 照例
""")

SUFFIX_WORDS: Final = words_in("""
节省 全省 外省 本省 各省 该省 我省 贵省 邻省 跨省 出省 进省 返省 反省 发人深省 一省 两省 俭省 他省 异省 内省
城市 超市 夜市 门市 本市 全市 外市 各市 该市 我市 贵市 地市 县市 股市 楼市 车市 菜市 早市 集市 街市 鱼市 闹市 都市 大都市 上市
面市 入市 开市 收市 休市 救市 罢市 黑市 灯市 花市 书市 房市 债市 牛市 熊市 汇市 后市 省市 大城市 中小城市 小城市 直辖市 地级市 县级市
连锁超市 大超市 小超市 互市 跨市 邻市 两市 行市 智慧城市 文明城市 卫生城市 庙市 米市 年市 撤县设市
自治州 本州 各州 九州 神州 该州 我州
加盟 联盟 同盟 结盟 全盟 本盟 各盟 该盟 我盟 会盟 欧盟 东盟 产业联盟 战略联盟 入盟 退盟 招商加盟 海誓山盟
区县 市县 全县 本县 各县 该县 我县 贵县 外县 邻县 跨县 州县 郡县 知县 省市县 贫困县 示范县 试点县 农业县 百强县 几个县 每个县 两县 自治县 小县 大县 山区县
地区 小区 社区 片区 园区 台区 校区 景区 山区 市区 郊区 城区 辖区 县区 全区 本区 各区 该区 我区 贵区 邻区 跨区 厂区 矿区 库区 林区 牧区
灾区 战区 军区 特区 禁区 误区 盲区 时区 分区 专区 选区 商区 街区 住宅区 居民区 生活区 办公区 商业区 商务区 工业区 示范区 试验区 保护区
服务区 休息区 等候区 施工区 作业区 危险区 安全区 隔离区 封控区 管控区 展示区 体验区 自助区 停车区 吸烟区 候车区 营业区 老城区 旧城区 主城区 中心城区
城郊区 丘陵区 平原区 湖区 海区 雨区 震区 疫区 老区 革命老区 农区 教区 港区 院区 病区 馆区 营区 高损台区 负损台区 老旧小区 回迁小区
新小区 高档小区 棚户区 边远地区 偏远山区 农村地区 城乡地区 部分地区 个别地区 大部分地区 行政区 功能区 供区 停电区 网格区 责任区
管辖区 责任片区 管理区 自治区 直属区 雷区 低压区 覆盖区 多雷区 污秽区 重冰区 采空区 塌陷区 蓄洪区 风景区 旅游区 度假区 游览区 活动区 公共区 阅读区
红旗 锦旗 国旗 党旗 团旗 队旗 军旗 彩旗 校旗 升旗 降旗 挂旗 旌旗 战旗 令旗 小旗 大旗 流动红旗 五星红旗 全旗 本旗 各旗 该旗 白旗 送锦旗 一面锦旗 会旗 义旗 扛旗
场所 厕所 派出所 研究所 事务所 营业所 住所 诊所 公共场所 公共厕所 交易所 证券交易所 律师事务所 会计师事务所 卫生所 托儿所 收容所 看守所 拘留所 招待所
会所 哨所 寓所 居所 处所 经营场所 办公场所 营业场所 活动场所 娱乐场所 生产场所 施工场所 教学场所 工作场所 用电场所 本所 全所 各所 该所 我所 贵所
站所 厅所 院所 科研院所 基层站所 七站八所 财政所 司法所 税务所 工商所 交警所 管理所 检测所 检验所 培训所 托管所 疗养所 收费所 开闭所 变电所 配电所 换热所 指挥所 避难所
几个所 每个所 哪个所 这个所 那个所 上厕所 男厕所 女厕所
""")

ORDINARY_HEADER: Final = """\
# Ordinary Chinese words, one a line, sorted by code point.
# Most are taken from the word list of jieba 0.42.1 (MIT licence, copyright 2013 Sun Junyi; the notice is in
# README.md beside this file), the rest were added by this project under its own licence.
# Written by benchmarks/make_lexicon.py: change the lists there, not this file.
"""
SUFFIX_HEADER: Final = """\
# Ordinary words that end in 省 市 州 盟 县 区 旗 所, one a line, sorted by code point.
# Collected by hand by this project, under its own licence.
# Written by benchmarks/make_lexicon.py: change the lists there, not this file.
"""


def jieba_words() -> dict[str, tuple[int, str]]:
    """Every word of jieba's list with its count and tag; jieba itself is not imported.

    Raises: SystemExit, with the command that installs it, when jieba is missing.
    """
    spec = importlib.util.find_spec("jieba")
    if spec is None or spec.origin is None:
        raise SystemExit("jieba is not installed. Run: pip install jieba==0.42.1")
    words = {}
    for line in (Path(spec.origin).parent / "dict.txt").read_text(encoding="utf-8").splitlines():
        word, count, tag = line.split()
        words[word] = (int(count), tag)
    return words


def ordinary_words() -> list[str]:
    """The words of ordinary_words.txt, sorted."""
    common = {
        word
        for word, (count, tag) in jieba_words().items()
        if WORD.fullmatch(word) and count >= MIN_COUNT and tag not in NAME_TAGS
    }
    common = {word for word in common if len(word) > 2 or word[-1] not in INDICATOR_HEADS}
    return sorted(common - NAMES | PLAINLY_WORDS | DOMAIN_WORDS)


def write_words(path: Path, header: str, words: list[str]) -> None:
    """Write `words` below `header`, one a line."""
    path.write_text(header + "\n".join(words) + "\n", encoding="utf-8")
    print(f"{path.name}: {len(words)} words, {path.stat().st_size // 1000} kB")


def places() -> tuple[list[str], list[str]]:
    """Stems of the names of china.csv: counties and above, townships; both sorted."""
    found: tuple[set[str], set[str]] = (set(), set())
    country = Hierarchy.bundled("china")
    fold = FoldTable.standard().fold_name
    for name, level in zip(country.names, country.levels, strict=True):
        stems = {known.stem for known in names_of(Level(level), fold(name))}
        found[level == Level.SUBSTATION].update(s for s in stems if 2 <= len(s) <= LONGEST_PLACE)
    return sorted(found[0]), sorted(found[1])


def main() -> None:
    """Write the lists."""
    counties, townships = places()
    write_words(LEXICON / "counties.txt", PLACES_HEADER.format("provinces, cities and counties"), counties)
    write_words(LEXICON / "townships.txt", PLACES_HEADER.format("townships"), townships)
    write_words(LEXICON / "ordinary_words.txt", ORDINARY_HEADER, ordinary_words())
    write_words(LEXICON / "suffix_words.txt", SUFFIX_HEADER, sorted(SUFFIX_WORDS))


if __name__ == "__main__":
    main()
