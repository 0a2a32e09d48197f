"""`qilin evaluate`: rules, model and both on the same questions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qilin.cli.hierarchy import AliasesOption, SheetOption, TableOption, load_table
from qilin.cli.terminal import BAD_INPUT, complain, prepare_streams, reporting, show
from qilin.report.text import line

if TYPE_CHECKING:
    from qilin.training.evaluate import Progress, Report


def evaluate(
    model: Annotated[
        str | None,
        typer.Option("--model", metavar="MODEL", help="基座模型的目录或名称。 Folder or name of the base model.",
                     show_default="自带的小模型 the bundled small one"),
    ] = None,
    adapter: Annotated[
        str | None, typer.Option("--adapter", metavar="DIR", help="LoRA 适配器。 Folder of a LoRA adapter.")
    ] = None,
    rules_only: Annotated[bool, typer.Option("--rules-only", help="不用模型。 Without a model.")] = False,
    table: TableOption = None,
    sheet: SheetOption = None,
    aliases: AliasesOption = None,
    size: Annotated[int, typer.Option("--size", min=1, help="每组几个问题。 Questions of each set.")] = 600,
    alone: Annotated[
        int, typer.Option("--alone", min=1, help="单独问模型几个问题。 Questions of each set that the model alone is asked.")
    ] = 300,
    threshold: Annotated[
        float | None,
        typer.Option("--threshold", min=0.0, max=1.0, help="可信度阈值；不给则在 valid 部分上选。 Gap threshold; default: chosen on the part valid.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="随机种子。 Seed of the questions.")] = 0,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="写 Markdown、JSON 和 HTML 的目录。 Where the report goes.")
    ] = Path("evaluation"),
    device: Annotated[str, typer.Option("--device", help="cpu、cuda 或 auto。")] = "auto",
    dtype: Annotated[str, typer.Option("--dtype", help="float32、bfloat16 或 auto。")] = "auto",
) -> None:  # fmt: skip
    """比较规则、模型和两者一起的表现。 Compare the rules, the model and both; write a report."""
    prepare_streams()
    with reporting():
        try:
            from qilin.training.evaluate import evaluate as run
            from qilin.training.report import write_report
        except ImportError as error:
            complain(f"evaluation needs the package 'training' ({error}). Run it from a checkout.")
            raise typer.Exit(BAD_INPUT) from None
        filler = None
        if not rules_only:
            from qilin.llm.on_this_machine.local import LocalGapFiller

            try:
                filler = LocalGapFiller.load(model, adapter, device=device, dtype=dtype)
            except (ImportError, ValueError) as error:
                complain(str(error))
                raise typer.Exit(BAD_INPUT) from None
        hierarchy = load_table(table, sheet, aliases)
        with _bar() as progress:
            report = run(hierarchy, filler, size=size, alone=alone, threshold=threshold, seed=seed, progress=progress)
        _show(report)
        for path in write_report(report, out):
            show([line(str(path))])


class _bar:  # noqa: N801
    """A bar on stderr, one line a step; nothing where stderr is no terminal."""

    def __enter__(self) -> Progress:
        from rich.console import Console
        from rich.progress import Progress as Bar

        self._bar = Bar(console=Console(stderr=True), transient=True, disable=not Console(stderr=True).is_terminal)
        self._bar.start()
        self._tasks: dict[str, object] = {}
        return self._tell

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def _tell(self, what: str, done: int, total: int) -> None:
        task = self._tasks.get(what)
        if task is None:
            task = self._tasks[what] = self._bar.add_task(what, total=total)
        self._bar.update(task, completed=done)  # type: ignore[arg-type]


def _show(report: Report) -> None:
    from qilin.training.report import share, verdict

    for name, scores in report.scores.items():
        for system, score in scores.items():
            show([line(f"{name}  {system}  exact {share(score.exact)}  silently wrong {share(score.silently_wrong)}")])
    show([line(verdict(report))])
