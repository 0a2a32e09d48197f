"""`qilin evaluate`: rules, model and both on the same questions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qilin.cli.options import TableOptions, with_options
from qilin.cli.progress import step_bars
from qilin.cli.terminal import reporting, show
from qilin.report.text import line

if TYPE_CHECKING:
    from qilin.training.evaluate import Evaluation


@with_options
def evaluate(
    model: Annotated[str | None, typer.Option("--model", metavar="MODEL",
        help="基座模型的目录或名称。 Folder or name of the base model.",
        show_default="自带的小模型 the bundled small one")] = None,
    adapter: Annotated[str | None, typer.Option("--adapter", metavar="DIR",
        help="LoRA 适配器。 Folder of a LoRA adapter.")] = None,
    rules_only: Annotated[bool, typer.Option("--rules-only", help="不用模型。 Without a model.")] = False,
    *,
    options: TableOptions,
    size: Annotated[int, typer.Option("--size", min=1, help="每组几个问题。 Questions of each set.")] = 600,
    alone: Annotated[int, typer.Option("--alone", min=1,
        help="单独问模型几个问题。 Questions of each set that the model alone is asked.")] = 300,
    threshold: Annotated[float | None, typer.Option("--threshold", min=0.0, max=1.0,
        help="可信度阈值；不给则在 valid 部分上选。 Gap threshold; default: chosen on the part valid.")] = None,
    seed: Annotated[int, typer.Option("--seed", help="随机种子。 Seed of the questions.")] = 0,
    out: Annotated[Path, typer.Option("--out", metavar="DIR",
        help="写 Markdown、JSON 和 HTML 的目录。 Where the report goes.")] = Path("evaluation"),
    device: Annotated[str, typer.Option("--device", help="cpu、cuda 或 auto。")] = "auto",
    dtype: Annotated[str, typer.Option("--dtype", help="float32、bfloat16 或 auto。")] = "auto",
) -> None:  # fmt: skip
    """比较规则、模型和两者一起的表现。 Compare the rules, the model and both; write a report."""
    with reporting():
        from qilin.training.evaluate import evaluate as run
        from qilin.training.report import write_report

        filler = None
        if not rules_only:
            from qilin.llm.on_this_machine.local import LocalGapFiller
            from qilin.training.alone import ModelAlone

            filler = ModelAlone(LocalGapFiller.load(model, adapter, device=device, dtype=dtype))
        hierarchy = options.hierarchy()
        with step_bars() as progress:
            report = run(hierarchy, filler, size=size, alone=alone, threshold=threshold, seed=seed, progress=progress)
        _show(report)
        for path in write_report(report, out):
            show([line(str(path))])


def _show(report: Evaluation) -> None:
    from qilin.training.report import share, verdict

    for name, scores in report.scores.items():
        for system, score in scores.items():
            show([line(f"{name}  {system}  exact {share(score.exact)}  silently wrong {share(score.silently_wrong)}")])
    show([line(verdict(report))])
