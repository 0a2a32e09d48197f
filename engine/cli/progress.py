"""Progress bars on stderr; nothing where stderr is no terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn, TaskID

    from qilin.batch.job import Progress as RowProgress


def _bars(*columns: ProgressColumn | str, transient: bool = True) -> Progress:
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    return Progress(*columns, console=console, transient=transient, disable=not console.is_terminal)


@contextmanager
def step_bars(kept: bool = False) -> Iterator[Callable[[str, int, int], None]]:
    """A bar for each step, told by name with the parts done and wanted.

    Args:
        kept: the bars count the parts, and stay when all is done.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

    counted = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with _bars(*(counted if kept else ()), transient=not kept) as bars:
        tasks: dict[str, TaskID] = {}

        def update(step: str, done: int, wanted: int) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=wanted)
            bars.update(tasks[step], completed=done)

        yield update


@contextmanager
def row_bar() -> Iterator[Callable[[RowProgress], None]]:
    """A bar for the rows of a batch, with their rate and the time left."""
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    bars = _bars(
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[rows]:,} 行"),
        TextColumn("{task.fields[rate]:,.0f} 行/秒"),
        TimeElapsedColumn(),
        TextColumn("还要"),
        TimeRemainingColumn(),
    )
    task = bars.add_task("", total=1.0, rows=0, rate=0.0)

    def update(progress: RowProgress) -> None:
        elapsed = bars.tasks[0].elapsed or 0.0
        rate = (progress.rows - progress.earlier) / elapsed if elapsed else 0.0
        bars.update(task, completed=progress.share, rows=progress.rows, rate=rate)

    with bars:
        yield update
