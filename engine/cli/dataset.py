"""`qilin dataset`: training data from organisation tables."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from qilin.cli.options import AliasesOption, SheetOption
from qilin.cli.progress import step_bars
from qilin.cli.tables import load_table
from qilin.cli.terminal import complain, reporting, show
from qilin.report.text import line


class FormName(StrEnum):
    """How a row is laid out."""

    ALPACA = "alpaca"
    SHAREGPT = "sharegpt"


class PromptName(StrEnum):
    """What the user turn of a row says."""

    FULL = "full"
    BARE = "bare"
    CHOICES = "choices"


# fmt: off
FormOption = Annotated[FormName, typer.Option("--form", help="行的格式。 Layout of a row.")]
PromptOption = Annotated[PromptName, typer.Option("--prompt",
    help="提示词：完整，只有问题，或问题加候选单位。 "
         "The whole prompt, the question alone, or with the organisations to choose among.")]
# fmt: on


def dataset(
    out: Annotated[Path, typer.Argument(metavar="OUT_DIR", help="写到哪个目录。 Folder to write to.")],
    tables: Annotated[list[str] | None, typer.Option("--table", "-t", metavar="TABLE",
        help="组织表，可重复；第一张可以背下来，其余的给出候选。 Organisation table, may be repeated: the first may be "
             "learnt by heart, of the others the alternatives are offered.",
        show_default="shandong")] = None,
    sheet: SheetOption = None,
    aliases: AliasesOption = None,
    form: FormOption = FormName.ALPACA,
    prompt: PromptOption = PromptName.FULL,
    size: Annotated[int, typer.Option("--size", min=1, help="训练部分的行数。 Rows of the training part.")] = 20000,
    seed: Annotated[int, typer.Option("--seed",
        help="同样的种子写出同样的字节。 The same seed writes the same bytes.")] = 0,
    made_up: Annotated[float, typer.Option("--made-up", min=0.0, max=1.0,
        help="虚构单位所占的比例。 Share of rows about invented organisations.")] = 0.0,
    kinds: Annotated[list[str] | None, typer.Option("--kind",
        help="只要这一类问题，可重复。 Only this kind of question, may be repeated.", show_default="all")] = None,
) -> None:  # fmt: skip
    """从组织表生成训练、验证、测试数据，按单位划分。 Training, validation and test rows from a table, split by organisation."""
    with reporting():
        from qilin.training.export import write_dataset
        from qilin.training.kinds import KINDS

        for kind in kinds or ():
            if kind not in KINDS:
                raise typer.BadParameter(f"'{kind}' is no kind of question; there are {', '.join(KINDS)}.")
        loaded = [load_table(table, sheet, aliases) for table in tables or [None]]  # type: ignore[list-item]
        with step_bars(kept=True) as progress:
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
        show([line(f"{out}: ", "，".join(f"{words[split]} {count} 行" for split, count in written.items()))])
        if written["train"] < size:
            complain(f"the tables gave {written['train']} different rows of the {size} asked for.")
