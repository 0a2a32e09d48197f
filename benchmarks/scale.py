"""How many rows a second `qilin batch` resolves, with what memory, at what cost; and what 10^10 rows would take.

Each run is a process of its own, `python -m qilin batch IN OUT`, Parquet in and out. Its start costs the same for any
number of rows, so a small file is timed too, and the rate is that of the rows between. Wall-clock rates of a machine that
does other work as well are too low; CPU-seconds are not. Needs the extra 'benchmarks'; Ray where it is installed.
"""

from __future__ import annotations

import math
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Self

from benchmarks.batch_input import write_parquet
from benchmarks.machine import cores
from benchmarks.report import Ratio, Rows, Section, Text, number

ALL_ROWS: Final = 10**10
SMALL: Final = 10_000
_ROWS: Final = {"quick": 150_000, "full": 2_000_000}
_SAMPLE_S: Final = 0.5  # adding up the shared pages of three processes costs them 15 ms
_RULES: Final = ("--gap-filler", "none")
_MODEL: Final = ("--gap-filler", "local")
_LOG: Final = "2 workers, a log with repeats"
_TWO_FREE: Final = 1.8  # cores; with fewer, two workers were in each other's way


@dataclass(frozen=True)
class Cluster:
    """So many nodes of so many cores."""

    nodes: int
    cores: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """20x32. Raises: ValueError, for anything else."""
        try:
            nodes, each = map(int, text.lower().split("x"))
        except ValueError:
            raise ValueError(f"a cluster is written NODESxCORES, like 20x32, not {text!r}") from None
        if nodes < 1 or each < 1:
            raise ValueError(f"a cluster has one node and one core or more, not {text!r}")
        return cls(nodes, each)


@dataclass(frozen=True)
class Run:
    """One run of the command. Memory is that of all its processes together, at the worst moment seen.

    `peak_pss_mb` counts a page that several processes share once, `peak_rss_mb` as often as it is shared; None where the
    system does not say. `others` is how many cores everything else on the machine kept busy meanwhile.
    """

    rows: int
    wall_s: float
    cpu_s: float
    peak_rss_mb: float | None
    peak_pss_mb: float | None
    others: float


@dataclass(frozen=True)
class Rate:
    """Rows between a small run and a large one."""

    rows_per_s: float
    cpu_s_per_million: float


def rate(small: Run, large: Run) -> Rate:
    """What each further row takes.

    Raises: ValueError, if the large run was not larger and longer.
    """
    rows, wall = large.rows - small.rows, large.wall_s - small.wall_s
    if rows <= 0 or wall <= 0:
        raise ValueError(f"no rate: {large.rows} rows in {large.wall_s:.2f} s, {small.rows} in {small.wall_s:.2f} s")
    return Rate(rows / wall, max(large.cpu_s - small.cpu_s, 0.0) / rows * 1e6)


@dataclass(frozen=True)
class Estimate:
    """A job on a cluster, worked out from measured figures."""

    hours_least: float
    hours_most: float
    core_hours: float
    money: float


@dataclass(frozen=True)
class Efficiency:
    """What a second worker is worth: 1 if it doubles the rate.

    `by_wall` is (rate of 2 / rate of 1) / 2, which needs two free cores; `by_cpu` is the CPU-seconds a row of one worker to
    those of two, which does not, but sees no waiting. `value` is the former where the machine had the cores to spare.
    """

    by_wall: float
    by_cpu: float
    free_cores: float

    @property
    def is_by_wall(self) -> bool:
        """Whether two cores were free while two workers ran."""
        return self.free_cores >= _TWO_FREE

    @property
    def value(self) -> float:
        return min(self.by_wall if self.is_by_wall else self.by_cpu, 1.0)


def efficiency(one: Rate, two: Rate, free_cores: float) -> Efficiency:
    """From the rates of one and two workers, and the cores that nothing else used meanwhile."""
    return Efficiency(two.rows_per_s / one.rows_per_s / 2, one.cpu_s_per_million / two.cpu_s_per_million, free_cores)


def estimate(one: Rate, e: float, cluster: Cluster, price: float, rows: int = ALL_ROWS) -> Estimate:
    """What `rows` take on a cluster.

    A core resolves 10^6 rows in the CPU-seconds c of one worker. With n cores and the efficiency e of a second worker:
    at best every core is as good as the second one, `n * e * 10^6 / c` rows a second; at worst every doubling costs
    as much as the first, `n * e ** log2(n) * 10^6 / c`. Money is CPU-seconds of one worker, whatever the efficiency.
    """
    n = cluster.nodes * cluster.cores
    core_hours = rows / 1e6 * one.cpu_s_per_million / 3600
    best, worst = n * e * 1e6 / one.cpu_s_per_million, n * e ** math.log2(n) * 1e6 / one.cpu_s_per_million
    return Estimate(rows / best / 3600, rows / worst / 3600, core_hours, core_hours * price)


# ── runs ─────────────────────────────────────────────────────────────────────────────────────────


class _Memory:
    """Watches the memory of a process and all below it."""

    def __init__(self, pid: int) -> None:
        self.rss = self.pss = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, args=(pid,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self, pid: int) -> None:
        psutil = import_module("psutil")
        while not self._ended.wait(_SAMPLE_S):
            rss = pss = 0
            try:
                root = psutil.Process(pid)
                tree = [root, *root.children(recursive=True)]
            except psutil.Error:
                return
            for process in tree:
                try:
                    rss += process.memory_info().rss
                    pss += getattr(process.memory_full_info(), "pss", 0)
                except psutil.Error:  # it ended meanwhile
                    continue
            self.rss, self.pss = max(self.rss, rss), max(self.pss, pss)


def run_batch(source: Path, rows: int, *options: str) -> Run:
    """Run the command over a file of so many rows, with the rules alone unless the options say otherwise.

    Raises: RuntimeError, with what it said, if it fails or loses a row.
    """
    import pyarrow.parquet as pq

    with tempfile.TemporaryDirectory(dir=source.parent) as folder:
        target = Path(folder) / ("out" if "--ray" in options else "out.parquet")  # on Ray a folder of files
        command = [sys.executable, "-m", "qilin", "batch", str(source), str(target), "--column", "query", *options]
        if "--gap-filler" not in options:
            command += _RULES
        before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        busy = _busy_s()
        environment = {**os.environ, "PYTHONPATH": _search_path()}
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace"
        )
        memory = _Memory(process.pid)
        _, said = process.communicate()
        wall = time.perf_counter() - begin
        memory.stop()
        busy = _busy_s() - busy
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if process.returncode:
            raise RuntimeError(f"{' '.join(command[1:4])} … exited with {process.returncode}: {said[-500:]}")
        files = target.glob("*.parquet") if target.is_dir() else [target]
        written = sum(pq.ParquetFile(file).metadata.num_rows for file in files)
    if written != rows:
        raise RuntimeError(f"{written:,} rows came out of {rows:,}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    peak_rss, peak_pss = memory.rss / 1e6 or None, memory.pss / 1e6 or None
    return Run(rows, round(wall, 3), round(cpu, 3), peak_rss, peak_pss, round(max(busy - cpu, 0) / wall, 2))


def _busy_s() -> float:
    """CPU-seconds that the whole machine has worked, and those that it wanted and did not get."""
    times = import_module("psutil").cpu_times()._asdict()
    idle = ("idle", "iowait", "guest", "guest_nice")  # guests are counted in user
    return float(sum(seconds for name, seconds in times.items() if name not in idle))


def _search_path() -> str:
    """The engine of this process, in the command's process too."""
    package = Path(str(import_module("qilin").__file__)).parent
    return os.pathsep.join(filter(None, (str(package.parent), os.environ.get("PYTHONPATH"))))


def missing() -> str | None:
    """Why nothing can be measured; None if it can."""
    lacking = [name for name in ("pyarrow", "psutil") if find_spec(name) is None]
    if lacking:
        return f"{' and '.join(lacking)} missing. Install the extra: pip install '.[benchmarks]'"
    said = _help()
    return None if "--workers" in said else "this version has no `qilin batch`"


def _help() -> str:
    done = subprocess.run(
        [sys.executable, "-m", "qilin", "batch", "--help"],
        capture_output=True,
        env={**os.environ, "PYTHONPATH": _search_path(), "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb"},
        check=False,
    )
    return done.stdout.decode("utf-8", "replace")


@contextmanager
def ray_cluster(nodes: int) -> Iterator[str]:
    """The address of a Ray cluster on this machine, one core a node."""
    node = {"num_cpus": 1, "object_store_memory": 200 << 20, "include_dashboard": False}
    made = import_module("ray.cluster_utils").Cluster(initialize_head=True, head_node_args=node)
    try:
        for _ in range(nodes - 1):
            made.add_node(num_cpus=1, object_store_memory=200 << 20)
        made.wait_for_nodes()
        yield str(made.address)
    finally:
        made.shutdown()


# ── the sub-command ──────────────────────────────────────────────────────────────────────────────


def measure(*, quick: bool, seed: int, rows: int | None, ray: str | None, price: float, cluster: Cluster) -> Section:
    """The sub-command; a section that says what is missing, where something is."""
    section = Section("scale")
    if (why := missing()) is not None:
        section.figures["scale"] = "not measured"
        section.blocks.append(Text(f"Not measured: {why}"))
        return section
    rows = rows or _ROWS["quick" if quick else "full"]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        small, large, log = (folder / f"{name}.parquet" for name in ("small", "large", "log"))
        write_parquet(small, SMALL, seed=seed)
        write_parquet(large, rows, seed=seed)
        write_parquet(log, rows, seed=seed, repeats=True)
        files = [(small, SMALL), (large, rows)]
        run_batch(small, SMALL, "--workers", "1")  # compiles the table into the cache
        found: dict[str, tuple[Run, Run]] = {}
        for workers in (1, 2):
            found[_named(workers)] = _pair(files, "--workers", str(workers))
        found[_LOG] = found[_named(2)][0], run_batch(log, rows, "--workers", "2")
        _with_model(section, found, small)
        _with_ray(section, found, files, ray)
    _describe(section, found, price, cluster)
    return section


def _named(workers: int) -> str:
    return f"{workers} worker{'s' if workers > 1 else ''}"


def _pair(files: Sequence[tuple[Path, int]], *options: str) -> tuple[Run, Run]:
    (small, few), (large, many) = files
    return run_batch(small, few, *options), run_batch(large, many, *options)


def _with_model(section: Section, found: dict[str, tuple[Run, Run]], small: Path) -> None:
    """The small file against a tenth of it: a question that the model is asked takes a thousand times as long."""
    if find_spec("torch") is None or find_spec("transformers") is None:
        section.figures["model"] = "not measured; install the extra: pip install '.[llm]'"
        return
    few = small.with_name("few.parquet")
    write_parquet(few, SMALL // 10)
    found["1 worker, the bundled model asked"] = _pair([(few, SMALL // 10), (small, SMALL)], "--workers", "1", *_MODEL)


def _with_ray(
    section: Section, found: dict[str, tuple[Run, Run]], files: Sequence[tuple[Path, int]], address: str | None
) -> None:
    if "--ray" not in _help():
        section.figures["ray"] = "not measured: this version has no `qilin batch --ray`"
    elif find_spec("ray") is None:
        section.figures["ray"] = "not measured: Ray is not installed. Install the extra: pip install '.[ray]'"
    else:
        try:
            if address:
                found[f"Ray at {address}"] = _pair(files, "--ray", address)
            else:
                for nodes in (1, 2):
                    with ray_cluster(nodes) as made:
                        found[f"Ray, {nodes} node{'s' if nodes > 1 else ''}"] = _pair(files, "--ray", made)
            return
        except Exception as error:  # whatever Ray does on this machine, the rest of the report stands
            section.figures["ray"] = f"not measured: {type(error).__name__}: {error}"
    section.blocks.append(Text(f"Ray: {section.figures['ray']}"))


def _describe(section: Section, found: Mapping[str, tuple[Run, Run]], price: float, cluster: Cluster) -> None:
    rates = {name: rate(*pair) for name, pair in found.items()}
    one, two = rates[_named(1)], rates[_named(2)]
    speedup = two.rows_per_s / one.rows_per_s
    worth = efficiency(one, two, cores() - found[_named(2)][1].others)
    at_work = estimate(one, worth.value, cluster, price)
    section.figures |= {
        "runs": {name: [asdict(run) for run in pair] for name, pair in found.items()},
        "rates": {name: asdict(each) for name, each in rates.items()},
        "workers 1 to 2": round(speedup, 3),
        "efficiency": {**asdict(worth), "value": worth.value, "is_by_wall": worth.is_by_wall},
        "cores": cores(),
        "estimate": {"cluster": asdict(cluster), "rows": ALL_ROWS, "price of a core-hour": price, **asdict(at_work)},
    }
    head = (
        "",
        "rows",
        "wall s",
        "CPU s",
        "rows/s",
        "CPU s for 10^6 rows",
        "money for 10^6 rows",
        "peak MB",
        "RSS added up",
    )
    table = []
    for name, (_, large) in found.items():
        each = rates[name]
        on_ray = name.startswith("Ray")  # its workers are no children of the command: their CPU and memory are not seen
        money = each.cpu_s_per_million / 3600 * price
        memory = [_mb(large.peak_pss_mb), _mb(large.peak_rss_mb)]
        cpu = [number(each.cpu_s_per_million), number(money)]
        table.append(
            [name, f"{large.rows:,}", number(large.wall_s), "–" if on_ray else number(large.cpu_s), f"{each.rows_per_s:,.0f}",
             *(["–"] * 4 if on_ray else [*cpu, *memory])]
        )  # fmt: skip
    n = cluster.nodes * cluster.cores
    free = f"of {cores()} cores, {worth.free_cores:.1f} were free of other work"
    section.blocks += [
        Text(
            "qilin batch, Parquet to Parquet, distinct questions about Shandong; rates without the start. The rules alone, "
            "but where it says so."
        ),
        Rows("Rows a second", head, table),
        Text(
            f"Workers 1 → 2: {speedup:.2f} times as fast by the wall clock ({free}); {2 * worth.by_cpu:.2f} times by "
            f"CPU-seconds a row, which is what two free cores would give if no worker ever waited."
        ),
        Rows(
            f"10^10 rows on {cluster.nodes} nodes of {cluster.cores} cores, worked out, not measured",
            ("", "", ""),
            [
                ["CPU-seconds for 10^6 rows c", "measured, one worker", f"{one.cpu_s_per_million:.1f}"],
                ["efficiency e of a second worker", _how(worth), f"{worth.value:.3f}"],
                ["cores n", f"{cluster.nodes} × {cluster.cores}", str(n)],
                ["at best", "10^4 · c / (n · e)", f"{at_work.hours_least:.2f} h"],
                ["at worst", "10^4 · c / (n · e^log2 n)", f"{at_work.hours_most:.2f} h"],
                ["core-hours", "10^4 · c / 3600", f"{at_work.core_hours:,.0f}"],
                ["money", f"core-hours · {price:g} (an assumed price of a core-hour)", f"{at_work.money:,.2f}"],
            ],
        ),
    ]
    if worth.is_by_wall:  # otherwise it is a figure of what else the machine did
        section.ratios["workers 1 to 2"] = Ratio(speedup, "higher", "machine")
    repeated = two.cpu_s_per_million / rates[_LOG].cpu_s_per_million
    section.ratios["a log with repeats to distinct questions"] = Ratio(repeated, "higher", "machine")


def _how(worth: Efficiency) -> str:
    if worth.is_by_wall:
        return "(rate of 2 / rate of 1) / 2, at most 1"
    return "c of 1 / c of 2, at most 1: no two cores were free to take it by the clock"


def _mb(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"
