"""`qilin train`: a LLaMA-Factory run, checked first."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qilin.cli.corrections import export_corrections
from qilin.cli.dataset import FormName, FormOption, PromptName, PromptOption
from qilin.cli.options import AliasesOption, TableOption
from qilin.cli.terminal import NOT_RESOLVED, complain, reporting, show
from qilin.report.text import Styled, line


def train(
    config: Annotated[str | None, typer.Argument(metavar="CONFIG",
        help="LLaMA-Factory 的 YAML，或自带配置的名称。 A YAML file, or the name of a bundled one.")] = None,
    overrides: Annotated[list[str] | None, typer.Argument(metavar="KEY=VALUE",
        help="覆盖配置中的值。 Settings that replace those of the file.")] = None,
    only_check: Annotated[bool, typer.Option("--check", help="只检查，不训练。 Check, and do not train.")] = False,
    resume: Annotated[bool, typer.Option("--resume",
        help="从最后一个检查点继续。 Go on from the last checkpoint.")] = False,
    download: Annotated[bool, typer.Option("--download",
        help="允许下载基座模型。 Allow the base to be downloaded.")] = False,
    corrections: Annotated[Path | None, typer.Option("--export-corrections", metavar="FILE",
        help="把审核过的更正（JSONL）写成训练数据。 Reviewed corrections become rows.")] = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR",
        help="更正写到哪个数据目录。 Dataset folder for corrections.")] = Path("data"),
    table: TableOption = None,
    aliases: AliasesOption = None,
    form: FormOption = FormName.ALPACA,
    prompt: PromptOption = PromptName.FULL,
) -> None:  # fmt: skip
    """先检查，再用 LLaMA-Factory 训练。 Check everything, then train with LLaMA-Factory.

    退出码 Exit codes: 1 检查发现问题或训练失败 a check or the run failed; 2 用法有误或缺少依赖 wrong use, or the extra is missing.
    """
    with reporting():
        if corrections is not None:
            export_corrections(corrections, out, table, aliases, form, prompt)
            return
        if config is None:
            raise typer.BadParameter("give a CONFIG, or --export-corrections FILE.")
        from qilin.training.settings import find_config, require_extra

        path = find_config(config)
        require_extra()
        from qilin.training.checks import check_run
        from qilin.training.run import loss_plot
        from qilin.training.run import train as run

        report = check_run(path, overrides or (), resume=resume, download=download)
        for problem in report.problems:
            complain(problem)
        if report.problems:
            raise typer.Exit(NOT_RESOLVED)
        show([line(Styled("✓ ", "green"), "；".join(report.facts))])
        if only_check:
            return
        if run(path, overrides or (), resume=resume):
            complain(
                "LLaMA-Factory stopped with an error; what it said stands above. `qilin train … --resume` goes on."
            )
            raise typer.Exit(NOT_RESOLVED)
        plot = loss_plot(path, overrides or ())
        if plot is not None:
            show([line(f"损失曲线 loss plot: {plot}")])
