"""The commands `qilin dataset` and `qilin train`: training data and LLaMA-Factory runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qilin.cli.hierarchy import AliasesOption, SheetOption, TableOption, load_table
from qilin.cli.terminal import BAD_INPUT, NOT_RESOLVED, complain, prepare_streams, reporting, show
from qilin.report.text import Styled, line

if TYPE_CHECKING:
    from qilin.training.split import Part


class FormName(StrEnum):
    """How a row is laid out."""

    ALPACA = "alpaca"
    SHAREGPT = "sharegpt"


class PromptName(StrEnum):
    """What the user turn of a row says."""

    FULL = "full"
    BARE = "bare"
    CHOICES = "choices"


FormOption = Annotated[FormName, typer.Option("--form", help="行的格式。 Layout of a row.")]
PromptOption = Annotated[
    PromptName,
    typer.Option(
        "--prompt",
        help="提示词：完整，只有问题，或问题加候选单位。 The whole prompt, the question alone, or with the organisations to choose among.",
    ),
]


def dataset(
    out: Annotated[Path, typer.Argument(metavar="OUT_DIR", help="写到哪个目录。 Folder to write to.")],
    tables: Annotated[
        list[str] | None,
        typer.Option(
            "--table",
            "-t",
            metavar="TABLE",
            help="组织表，可重复；第一张可以背下来，其余的给出候选。 Organisation table, may be repeated: the first may be "
            "learnt by heart, of the others the alternatives are offered.",
            show_default="shandong",
        ),
    ] = None,
    sheet: SheetOption = None,
    aliases: AliasesOption = None,
    form: FormOption = FormName.ALPACA,
    prompt: PromptOption = PromptName.FULL,
    size: Annotated[int, typer.Option("--size", min=1, help="训练部分的行数。 Rows of the training part.")] = 20000,
    seed: Annotated[
        int, typer.Option("--seed", help="同样的种子写出同样的字节。 The same seed writes the same bytes.")
    ] = 0,
    made_up: Annotated[
        float,
        typer.Option(
            "--made-up", min=0.0, max=1.0, help="虚构单位所占的比例。 Share of rows about invented organisations."
        ),
    ] = 0.0,
    kinds: Annotated[
        list[str] | None,
        typer.Option(
            "--kind", help="只要这一类问题，可重复。 Only this kind of question, may be repeated.", show_default="all"
        ),
    ] = None,
) -> None:
    """从组织表生成训练、验证、测试数据，按单位划分。 Training, validation and test rows from a table, split by organisation."""
    prepare_streams()
    with reporting():
        from qilin.training.examples import KINDS
        from qilin.training.export import write_dataset

        for kind in kinds or ():
            if kind not in KINDS:
                raise typer.BadParameter(f"'{kind}' is no kind of question; there are {', '.join(KINDS)}.")
        loaded = [load_table(table, sheet, aliases) for table in tables or [None]]  # type: ignore[list-item]
        with _progress() as progress:
            written = write_dataset(
                out,
                loaded,
                size=size,
                seed=seed,
                form=form.value,
                prompt=prompt.value,
                made_up=made_up,
                kinds=kinds,
                progress=progress,
            )
        words = {"train": "训练", "valid": "验证", "test": "测试"}
        show([line(f"{out}: ", "，".join(f"{words[part]} {count} 行" for part, count in written.items()))])
        if written["train"] < size:
            complain(f"the tables gave {written['train']} different rows of the {size} asked for.")


def train(
    config: Annotated[
        str | None,
        typer.Argument(
            metavar="CONFIG",
            help="LLaMA-Factory 的 YAML，或自带配置的名称。 A YAML file, or the name of a bundled one.",
        ),
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY=VALUE", help="覆盖配置中的值。 Settings that replace those of the file."),
    ] = None,
    only_check: Annotated[bool, typer.Option("--check", help="只检查，不训练。 Check, and do not train.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="从最后一个检查点继续。 Go on from the last checkpoint.")
    ] = False,
    download: Annotated[
        bool, typer.Option("--download", help="允许下载基座模型。 Allow the base to be downloaded.")
    ] = False,
    corrections: Annotated[
        Path | None,
        typer.Option(
            "--export-corrections",
            metavar="FILE",
            help="把审核过的更正（JSONL）写成训练数据。 Reviewed corrections become rows.",
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="更正写到哪个数据目录。 Dataset folder for corrections.")
    ] = Path("data"),
    table: TableOption = None,
    aliases: AliasesOption = None,
    form: FormOption = FormName.ALPACA,
    prompt: PromptOption = PromptName.FULL,
) -> None:
    """先检查，再用 LLaMA-Factory 训练。 Check everything, then train with LLaMA-Factory.

    退出码 Exit codes: 1 检查发现问题或训练失败 a check or the run failed; 2 用法有误或缺少依赖 wrong use, or the extra is missing.
    """
    prepare_streams()
    with reporting():
        if corrections is not None:
            _export_corrections(corrections, out, table, aliases, form, prompt)
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


def _export_corrections(
    file: Path, out: Path, table: str | None, aliases: str | None, form: FormName, prompt: PromptName
) -> None:
    from qilin.training.corrections import NAME, read_corrections, write_corrections

    if prompt is PromptName.CHOICES:
        raise typer.BadParameter("corrections have no alternatives; give --prompt full or bare.")
    hierarchy = load_table(table, None, aliases)
    lines = file.read_text(encoding="utf-8-sig").splitlines()
    found, refused = read_corrections(lines, hierarchy)
    for each in refused:
        complain(f"{file}:{each.line}: {each.problem}")
    if refused or not found:
        complain(f"{file}: nothing was written." + ("" if refused else " It has no corrections."))
        raise typer.Exit(BAD_INPUT)
    path = write_corrections(out, found, prompt=prompt.value, form=form.value)
    show([line(f"{path}: {len(found)} 行；训练时写 dataset: ner,{NAME}")])


@contextmanager
def _progress() -> Iterator[Callable[[Part, int, int], None]]:
    """A bar for each part on stderr, where it is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        tasks = {}

        def update(part: Part, done: int, wanted: int) -> None:
            if part not in tasks:
                tasks[part] = bars.add_task(part, total=wanted)
            bars.update(tasks[part], completed=done)

        yield update
