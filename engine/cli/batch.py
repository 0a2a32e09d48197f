"""`qilin batch`: a file of questions to the same rows with their resolutions."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from qilin.cli.options import EngineOptions, with_options
from qilin.cli.progress import row_bar
from qilin.cli.terminal import BAD_INPUT, FINE, INTERRUPTED, NOT_RESOLVED, complain, reporting, show
from qilin.report.text import STATUS, line

if TYPE_CHECKING:
    from qilin.batch.counts import Counts

_FORMATS = "parquet|csv|jsonl"


@with_options
def batch(
    source: Annotated[str, typer.Argument(metavar="IN",
        help="Parquet、CSV 或 JSONL 文件；- 是标准输入。 The input; - for stdin.")],
    target: Annotated[str, typer.Argument(metavar="OUT",
        help="输出文件，格式同样由后缀决定；- 是标准输出。 The output; - for stdout.")],
    column: Annotated[str, typer.Option("--column", "-c", help="问题所在的列。 The column of the questions.")] = "query",
    workers: Annotated[int | None, typer.Option("--workers", "-w", min=1,
        help="几个进程。 How many processes.", show_default="CPU 核数 the CPU cores")] = None,
    ray: Annotated[str | None, typer.Option("--ray", metavar="auto|local|HOST:PORT",
        help="在 Ray 集群上做；OUT 是一个目录。 On a Ray cluster; OUT becomes a folder of Parquet files.")] = None,
    resume: Annotated[bool, typer.Option("--resume",
        help="接着上次没有做完的做。 Go on where an earlier run ended.")] = False,
    restart: Annotated[bool, typer.Option("--restart",
        help="丢掉上次没有做完的，从头做。 Throw away what an earlier run left.")] = False,
    today_column: Annotated[str | None, typer.Option("--today-column",
        help="每行提问日期所在的列，相对日期从它算起。 The column with the day on which each question was asked.")] = None,
    scope_column: Annotated[str | None, typer.Option("--scope-column",
        help="每行提问者所在单位的列。 The column with who asked.")] = None,
    prefix: Annotated[str, typer.Option("--prefix", help="新增各列名称的前缀。 Put before the added columns' names.")] = "",
    source_format: Annotated[str | None, typer.Option("--from", metavar=_FORMATS,
        help="输入格式。 Format of the input.", show_default="由后缀决定 by its ending; stdin: jsonl")] = None,
    target_format: Annotated[str | None, typer.Option("--to", metavar=_FORMATS,
        help="输出格式。 Format of the output.", show_default="由后缀决定 by its ending; stdout: jsonl")] = None,
    encoding: Annotated[str | None, typer.Option("--encoding",
        help="CSV 输入的编码。 Encoding of a CSV input.", show_default="自动识别 recognised")] = None,
    *,
    options: EngineOptions,
) -> None:  # fmt: skip
    """解析一个文件中的全部问题；每行一个结果，次序不变。 Resolve all questions of a file; one row out for each row in, in order."""
    with reporting(data=target == "-"):
        missing = [name for name in ("pyarrow", "filelock") if find_spec(name) is None]
        if missing:
            raise ImportError(
                f"batches need {' and '.join(missing)}. Install the extra: pip install 'qilin-grid[batch]'"
            )
        from qilin.batch.files.formats import format_of
        from qilin.batch.input_columns import Columns
        from qilin.batch.job import Job, parts_folder
        from qilin.batch.run import run_job
        from qilin.batch.workers.worker import WorkersFailed

        run: Callable[..., Counts] = run_job
        if ray is not None:
            if find_spec("ray") is None:
                raise ImportError("--ray needs ray. Install the extra: pip install 'qilin-grid[ray]'")
            if (
                target == "-"
                or format_of(target, target_format or (None if Path(target).suffix else "parquet")) != "parquet"
            ):
                raise typer.BadParameter("on Ray OUT is a folder of Parquet files; give the name of a folder.")
            from qilin.batch.cluster.ray_driver import run_on_ray

            run, target_format = partial(run_on_ray, address=ray), "parquet"
        if resume and restart:
            raise typer.BadParameter("give --resume or --restart, not both.")
        if target == "-" and (resume or restart):
            raise typer.BadParameter(
                "what goes to standard output is not kept, so --resume and --restart need a file OUT."
            )
        if encoding is not None and format_of(source, source_format) != "csv":
            raise typer.BadParameter("--encoding is for CSV; Parquet and JSON lines are UTF-8 always.")
        if source != "-" and target != "-" and os.path.exists(target) and os.path.samefile(source, target):
            raise typer.BadParameter("IN and OUT are the same file; name another OUT.")
        job = Job(
            source,
            target,
            format_of(source, source_format),
            format_of(target, target_format),
            options.tables(),
            Columns(column, today_column, scope_column, prefix),
            options.day,
            options.caller,
            options.default_date,
            options.max_length,
            options.gaps().decided(),
            workers or (_cores() if ray is None else 0),
            encoding,
            resume=resume,
            restart=restart,
        )
        try:
            with row_bar() as watch:
                counts = run(job, watch=watch)
        except KeyboardInterrupt:
            kept = f" What is finished lies in {parts_folder(target)}; --resume goes on." if target != "-" else ""
            complain(f"interrupted.{kept}")
            raise typer.Exit(INTERRUPTED) from None
        except WorkersFailed as error:
            complain(str(error))
            raise typer.Exit(BAD_INPUT) from None
        _tell(counts, target)
        raise typer.Exit(NOT_RESOLVED if counts.failed else FINE)


def _cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _tell(counts: Counts, target: str) -> None:
    """How many rows have each status: on stderr where stdout carries the rows."""
    words = [f"{STATUS.get(status, '失败')} {count} 行" for status, count in counts.statuses.items()]
    if counts.degraded:
        words.append(f"其中 {counts.degraded} 行没有用上模型")
    said = f"{counts.rows} 行" + (f"：{'，'.join(words)}" if words else "")
    if target == "-":
        print(said, file=sys.stderr)
    else:
        show([line(f"{target}: {said}")])
