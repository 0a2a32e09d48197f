"""The prompts of tagging models: an interface with published adapters, kept character for character.

Training and inference both take them from here, so a model is asked exactly as it was taught.
"""

from __future__ import annotations

from collections.abc import Sequence

from qilin.llm.protocol import TAG

SYSTEM = "You are a helpful assistant."  # Qwen1.5's own; newer Qwen templates insert another one

_BEFORE = """\
你将获得一个可能包含电力领域的用户消息。你还将获得一个电力领域实体类型列表。你的任务是检测并识别用户消息中提供的所有电力领域实体类型的实例。
## 要求
- 输出必须与输入内容相同。
- 只有在实体列表中匹配电力领域实体的标记应该被包含在XML标签内。
- XML标签来自下面列出的电力领域实体类型列表。
- 确保所有实体都被识别出来。
- 不要进行错误的识别。
- 只输出实体标注的结果，不需要对实体的标注进行解释。

## 电力领域实体类型列表
- Province: 省份。例如：山东省。
- City: 城市。例如：济南市、济南。
- Company: 供电公司。例如：长清区供电公司、市中供电中心。
- Substation: 供电所。例如：崮山供电所。
- Indicator: 指标。例如：投诉、意见。
- Date: 日期。例如：今天、昨天、今年、去年、本周、上周、本月、上月、3月、本季度、上季度、一季度、今年第一季度、2022年、2024年5月。

## 请你对下面的文本进行电力领域命名实体识别标注
"""


def full_prompt(question: str) -> str:
    """The user turn for models tuned on the full prompt."""
    return _BEFORE + question


def bare_prompt(question: str) -> str:
    """The user turn for models trained to tag and nothing else."""
    return question


PROMPTS = {"full": full_prompt, "bare": bare_prompt}


def choices_prompt(question: str, alternatives: Sequence[str] = ()) -> str:
    """The question, and below it the organisations to choose among, one path a line.

    Args:
        question: the query.
        alternatives: tagged forms of the organisations; none gives the bare prompt.
    """
    paths = ["/".join(name for name in TAG.split(tagged) if name) for tagged in alternatives]
    return "\n".join([question, *paths])


def chatml(user: str, system: str = SYSTEM) -> str:
    """Qwen's chat template written out, up to where the answer begins; no system turn for an empty `system`."""
    head = f"<|im_start|>system\n{system}<|im_end|>\n" if system else ""
    return f"{head}<|im_start|>user\n{user}<|im_end|>\n<|im_start|>assistant\n"
