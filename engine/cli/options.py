"""Options of every command that resolves questions, and what their values mean."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from qilin.llm.options import GapOptions

IndicatorsOption = Annotated[
    str | None, typer.Option("--indicators", metavar="FILE", help="指标表（CSV）。 Indicator file, a CSV.")
]
TodayOption = Annotated[
    datetime | None,
    typer.Option("--today", formats=["%Y-%m-%d"], metavar="YYYY-MM-DD", help="相对日期从这一天算。 The day that relative dates count from.",
                 show_default="上海时间的今天 today in Shanghai"),
]  # fmt: skip
ScopeOption = Annotated[
    str | None,
    typer.Option(
        "--scope",
        metavar="ORG",
        help="提问者所在单位，名称或路径（菏泽/巨野县供电公司）。 The caller's own organisation.",
    ),
]
DefaultDateOption = Annotated[
    str | None,
    typer.Option(
        "--default-date", metavar="DATE", help="问题没有日期时用它，例如 本月。 For questions without a date."
    ),
]
MaxLengthOption = Annotated[
    int, typer.Option("--max-length", min=1, help="问题最长几个字。 Longest question, in characters.")
]
GapFillerOption = Annotated[
    str | None,
    typer.Option(
        "--gap-filler",
        metavar="auto|local|server:URL|none",
        help="规则没有定论的部分问语言模型。 Ask a language model about what the rules leave open.",
    ),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="PATH",
        help="模型的路径或名称；默认是自带的小模型。 The model; default: the bundled small one.",
    ),
]
AdapterOption = Annotated[
    str | None, typer.Option("--adapter", metavar="PATH", help="LoRA 适配器。 A LoRA adapter for the model.")
]
ServerOption = Annotated[
    str | None,
    typer.Option(
        "--server",
        metavar="URL",
        help="OpenAI 兼容的服务；密钥取自 QILIN_API_KEY。 An OpenAI-compatible server; its key is taken from QILIN_API_KEY.",
    ),
]
GapThresholdOption = Annotated[
    float,
    typer.Option(
        "--gap-threshold", min=0.0, max=1.0, help="采用模型说法所需的可信度。 Score at which what it says is taken."
    ),
]
GapSettlesOption = Annotated[
    bool,
    typer.Option("--gap-settles", help="允许模型在候选单位中选定。 Let its choice among candidates settle."),
]
GapTimeoutOption = Annotated[
    float, typer.Option("--gap-timeout", min=0.0, help="等模型几秒。 How long to wait for it, in seconds.")
]


def day(today: datetime | None) -> date | None:
    """What --today gives."""
    return None if today is None else today.date()


def gap_options(
    kind: str | None,
    model: str | None,
    adapter: str | None,
    server: str | None,
    threshold: float,
    settles: bool,
    timeout_s: float,
) -> GapOptions:
    """The gap filler that the options name.

    Raises: typer.BadParameter, where two options contradict each other.
    """
    from qilin.llm.options import GapOptions

    if server is not None:
        if kind is not None:
            raise typer.BadParameter("give --gap-filler or --server, not both.")
        kind = f"server:{server}"
    if kind is None:
        kind = "auto" if model is None and adapter is None else "local"
    return GapOptions(None if kind == "none" else kind, model, adapter, timeout_s, threshold, settles)
