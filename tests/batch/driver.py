"""The command, in small parts, that waits to be told before it goes on: `python -m tests.batch.driver ROWS batch …`.

After each part it says on stderr how many rows are finished and which workers there are (`@7 4711 4712`), and reads
a line. So a test can stop it at a moment that is always the same one.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
from collections.abc import Callable

from qilin.batch import run
from qilin.batch.counts import Counts
from qilin.batch.job import Job, Progress


def main() -> None:
    """Run the command."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where a shell put the tests in the background
    part_rows = int(sys.argv.pop(1))
    original = run.run_job

    def told(job: Job, watch: Callable[[Progress], None]) -> Counts:
        def tell(progress: Progress) -> None:
            watch(progress)
            pids = [str(process.pid) for process in multiprocessing.active_children()]
            print(f"@{progress.rows}", *pids, file=sys.stderr, flush=True)
            sys.stdin.readline()

        return original(job._replace(part_rows=part_rows), tell)

    run.run_job = told
    from qilin.cli.app import main as command

    command()


if __name__ == "__main__":
    main()
