"""`qilin train --export-corrections`: reviewed corrections become training data."""

from __future__ import annotations

from pathlib import Path

import typer

from qilin.cli.dataset import FormName, PromptName
from qilin.cli.tables import load_table
from qilin.cli.terminal import BAD_INPUT, complain, show
from qilin.report.text import line


def export_corrections(
    file: Path, out: Path, table: str | None, aliases: str | None, form: FormName, prompt: PromptName
) -> None:
    """Write the corrections of a file as a dataset, all of them or none.

    Raises: typer.Exit, when a line is refused or there is none; HierarchyError; OSError.
    """
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
