"""Batches on a Ray cluster of two nodes, which is really two nodes' processes on this machine."""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))  # read on import; else Ray keeps one in the home folder

pa = pytest.importorskip("pyarrow")
ray = pytest.importorskip("ray")
cluster_utils = pytest.importorskip("ray.cluster_utils")
pytest.importorskip("ray.data")

import pyarrow.parquet as pq  # noqa: E402
from typer.testing import CliRunner  # noqa: E402

from qilin import Engine  # noqa: E402
from qilin.batch import ArrowResolver  # noqa: E402
from qilin.batch.cluster import ray_driver, ray_output, ray_stages  # noqa: E402
from qilin.batch.cluster.ray_driver import run_on_ray  # noqa: E402
from qilin.batch.files.formats import Format  # noqa: E402
from qilin.batch.job import Job, Progress, parts_folder  # noqa: E402
from qilin.batch.recipe import Recipe  # noqa: E402
from qilin.batch.run import run_job  # noqa: E402
from qilin.batch.workers.worker import WorkersFailed  # noqa: E402
from qilin.cli.app import app  # noqa: E402
from qilin.hierarchy import Hierarchy  # noqa: E402
from qilin.llm.options import GapOptions  # noqa: E402
from qilin.names.compiled import Tables  # noqa: E402
from tests.batch.ray_makers import DEADLY, Deadly, Trap  # noqa: E402
from tests.scripted_server import completion, serving  # noqa: E402

pytestmark = pytest.mark.filterwarnings(r"ignore::DeprecationWarning:ray\..*")  # Ray's own, about itself
TODAY = date(2024, 5, 13)
ASKED = [
    "菏泽麒麟投诉数量",
    "城关供电所投诉数量",
    "曹县供电公司麒麟供电所本月投诉数量",
    "火星供电所投诉数量",
    "菏泽低电压台区数，谢谢",
    "济南和青岛上月意见",
    "",
    "去年除曹县外菏泽各县投诉",
]
QUIET = {  # PYTHONPATH: the nodes import this folder's makers
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "PYTHONPATH": os.pathsep.join(filter(None, (str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")))),
}
Watch = Callable[[Progress], None]


@pytest.fixture(scope="module")
def environment() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in QUIET.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def start(environment: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Any]]:
    """Start a cluster of two nodes with one core each, in place of the one before; the driver is on its head."""
    running: list[Any] = []

    def stop() -> None:
        ray.shutdown()
        for cluster in running:
            cluster.shutdown()
        running.clear()

    def begin() -> Any:
        stop()
        node = {"num_cpus": 1, "object_store_memory": 100 << 20}
        cluster = cluster_utils.Cluster(initialize_head=True, head_node_args=node | {"include_dashboard": False})
        running.append(cluster)
        other = cluster.add_node(**node)
        ray.init(cluster.address, log_to_driver=False, logging_level="ERROR")
        return cluster, other

    yield begin
    stop()


@pytest.fixture
def cluster(start: Callable[[], Any]) -> None:
    """Two nodes, shared by the tests that leave them alive."""
    if not ray.is_initialized():
        start()


@pytest.fixture(scope="module")
def tables() -> Tables:
    return Tables.build(Hierarchy.bundled())


@pytest.fixture
def job(tmp_path: Path, tables: Tables) -> Job:
    """400 rows in 8 parts, to be resolved into a folder `out`."""
    source = tmp_path / "in.parquet"
    queries = [f"{ASKED[i % 8]}{'' if i % 8 == 6 else i}" if i % 3 else ASKED[i % 8] for i in range(400)]
    pq.write_table(pa.table({"id": range(400), "query": queries}), source, row_group_size=330)
    return Job(
        str(source), str(tmp_path / "out"), Format.PARQUET, Format.PARQUET, tables, today=TODAY, workers=0, part_rows=50
    )


def on_this_machine(job: Job) -> pa.Table:
    """What `qilin batch` makes of it without Ray."""
    target = f"{job.target}.parquet"
    run_job(job._replace(target=target, workers=1))
    return pq.read_table(target)


def parts_of(job: Job) -> list[str]:
    return sorted(os.listdir(job.target))


def replaced_by(patch: pytest.MonkeyPatch, wrap: Callable[[Any], Any]) -> None:
    """Have another maker sent to the nodes."""
    original = Recipe.pinned
    patch.setattr(Recipe, "pinned", lambda recipe: wrap(original(recipe)))


# ── the same rows ────────────────────────────────────────────────────────────────────────────────


def test_the_rows_are_those_of_one_machine_in_the_same_order(cluster: None, job: Job) -> None:
    seen: list[Progress] = []
    counts = run_on_ray(job, "auto", seen.append)
    table = pq.read_table(job.target)
    assert table.equals(on_this_machine(job), check_metadata=True)
    assert table.column("id").to_pylist() == list(range(400))
    assert counts.rows == 400 and counts.failed == 0 and counts.statuses["ambiguous"] > 0
    assert [p.rows for p in seen] == sorted(p.rows for p in seen) and seen[-1] == Progress(400, 0, 1.0)
    assert len(parts_of(job)) >= 8 and not parts_folder(job.target).exists()


def test_types_and_values_of_other_columns_stay_as_they_are(cluster: None, job: Job) -> None:
    many = {
        "query": pa.array(ASKED, pa.large_string()),
        "kind": pa.array(["a", None] * 4).dictionary_encode(),
        "price": pa.array([Decimal("1.50"), None] * 4, pa.decimal128(9, 2)),
        "at": pa.array([datetime(2023, 5, 1, 23, tzinfo=UTC), None] * 4, pa.timestamp("us", "UTC")),
        "tags": pa.array([["x", None], [], None, ["y"]] * 2),
        "nested": pa.array([{"a": 1, "b": "c"}, None] * 4),
        "raw": pa.array([b"\xff\x00", None] * 4),
        "nothing": pa.nulls(8),
        "map": pa.array([[("k", 1)], None] * 4, pa.map_(pa.string(), pa.int64())),
        "float": pa.array([float("nan"), -0.0] * 4),
    }
    pq.write_table(pa.table(many).replace_schema_metadata({"made": "here"}), job.source)
    job = job._replace(columns=job.columns._replace(today="at", prefix="q_"), part_rows=3)
    run_on_ray(job, "auto")
    table, expected = pq.read_table(job.target), on_this_machine(job)
    assert table.schema.equals(expected.schema, check_metadata=True)
    assert repr(table.to_pylist()) == repr(expected.to_pylist())
    assert table.column("q_date_start")[2].as_py() == date(2023, 5, 1)


@pytest.mark.parametrize("kind", [Format.CSV, Format.JSONL])
def test_text_is_read_as_on_one_machine(cluster: None, job: Job, tmp_path: Path, kind: Format) -> None:
    source = tmp_path / f"in.{kind}"
    if kind is Format.CSV:
        source.write_bytes('编号,query\r\n007,菏泽投诉\r\n1.50,"曹县,\n意见"\r\n'.encode("gb18030"))
    else:
        lines = [{"编号": "007", "query": "菏泽投诉"}, {"query": 5, "extra": [1]}, {"编号": 2, "query": "曹县意见"}]
        source.write_text("".join(json.dumps(line) + "\n" for line in lines))
    job = job._replace(source=str(source), source_format=kind, part_rows=2)
    run_on_ray(job, "auto")
    assert pq.read_table(job.target).equals(on_this_machine(job), check_metadata=True)


def test_no_rows_are_no_rows_with_columns(cluster: None, job: Job) -> None:
    pq.write_table(pa.table({"query": pa.array([], pa.string())}), job.source)
    assert run_on_ray(job, "auto").rows == 0
    assert pq.read_table(job.target).schema.equals(on_this_machine(job).schema)


# ── the gap filler ───────────────────────────────────────────────────────────────────────────────


def test_a_gap_filler_is_asked_about_open_rows_only_and_says_the_same(cluster: None, job: Job) -> None:
    pytest.importorskip("httpx")
    with serving() as server:
        server.script = lambda body: completion("<Indicator>低电压台区数</Indicator>")
        job = job._replace(gaps=GapOptions(f"server:{server.url}"), part_rows=200)
        expected = on_this_machine(job)
        asked = sorted(body["messages"][1]["content"] for body in server.asked)
        server.asked.clear()
        run_on_ray(job, "auto")
        assert pq.read_table(job.target).equals(expected)
        filled = [row["query"] for row in expected.to_pylist() if "低电压台区数" in row["indicators"]]
        assert filled and len(filled) < 400
        assert sorted(body["messages"][1]["content"] for body in server.asked) == asked


def test_the_columns_say_which_rows_are_open(engine: Engine, job: Job) -> None:
    table = pq.read_table(job.source).combine_chunks().to_batches()[0]
    found = ArrowResolver(engine, today=TODAY, prefix="q_")(table)
    with_filler = Engine(gap_filler=lambda: None)  # never asked
    expected = [with_filler.is_open(engine.resolve(query, today=TODAY)) for query in table["query"].to_pylist()]
    assert ray_stages.is_open(found, "q_").to_pylist() == expected
    assert len(set(expected)) == 2
    unanswered = ArrowResolver(engine, today=TODAY)(pa.record_batch({"query": pa.array([None], pa.string())}))
    assert ray_stages.is_open(unanswered, "").to_pylist() == [False]


# ── when something dies ──────────────────────────────────────────────────────────────────────────


def test_a_node_that_is_killed_takes_no_row_and_doubles_none(
    start: Callable[[], Any], job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster, other = start()
    sprung, gate = tmp_path / "sprung", tmp_path / "gate"
    os.mkfifo(sprung)
    gate.touch()
    here = ray.get_runtime_context().get_node_id()
    replaced_by(monkeypatch, lambda maker: Trap(maker, here, sprung, gate))
    killed: list[int] = []

    def kill_when_sprung(lock: Any) -> None:
        sprung.open().close()  # returns when the other node has stopped in the middle of a part
        killed.append(len(os.listdir(parts_folder(job.target) / "rows")))
        cluster.remove_node(other, allow_graceful=False)
        fcntl.flock(lock, fcntl.LOCK_UN)

    with gate.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        killer = threading.Thread(target=kill_when_sprung, args=(lock,))
        killer.start()
        run_on_ray(job, "auto")
        killer.join()
    table = pq.read_table(job.target)
    assert killed[0] < 8  # parts were missing when the node went
    assert table.column("id").to_pylist() == list(range(400))
    assert table.equals(on_this_machine(job))
    ray.shutdown()  # the other tests want two nodes


def test_a_row_that_kills_its_process_is_failed_and_the_others_are_not(
    cluster: None, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = pq.read_table(job.source)
    queries = table.column("query").to_pylist()
    queries[120] = queries[123] = DEADLY
    pq.write_table(table.set_column(1, "query", [queries]), job.source)
    expected = on_this_machine(job).to_pylist()
    replaced_by(monkeypatch, Deadly)
    counts = run_on_ray(job, "auto")
    found = pq.read_table(job.target).to_pylist()
    assert counts.failed == 2
    assert "ended its worker process" in found[120]["error"] and found[120]["error"] == found[123]["error"]
    assert [row for i, row in enumerate(found) if i not in (120, 123)] == [
        row for i, row in enumerate(expected) if i not in (120, 123)
    ]


def test_what_is_lost_too_often_is_given_up(tmp_path: Path) -> None:
    (tmp_path / "tries").mkdir()
    destination = ray_output.Destination(tmp_path, pa.schema([]), "")
    for lost in range(8):
        attempt = ray_stages.attempt(destination, 50, "resolve")
        assert attempt.__enter__() == lost  # and never left
    with (
        pytest.raises(WorkersFailed, match="from number 50 on were lost 8 times"),
        ray_stages.attempt(destination, 50, "resolve"),
    ):
        pass
    with ray_stages.attempt(destination, 100, "resolve") as earlier:
        assert earlier == 0
    with ray_stages.attempt(destination, 100, "resolve") as earlier:
        assert earlier == 0


class Stop(Exception):
    pass


def test_a_job_that_was_broken_off_goes_on(cluster: None, job: Job) -> None:
    def stop(progress: Progress) -> None:
        if progress.rows:
            raise Stop

    with pytest.raises(Stop):
        run_on_ray(job, "auto", stop)
    assert not Path(job.target).exists()
    with pytest.raises(ValueError, match="--resume"):
        run_on_ray(job, "auto")
    with pytest.raises(ValueError, match="scope: not given then, 菏泽 now"):
        run_on_ray(job._replace(resume=True, scope="菏泽"), "auto")
    with pytest.raises(ValueError, match="runs on"):
        run_job(job._replace(resume=True))
    seen: list[Progress] = []
    counts = run_on_ray(job._replace(resume=True), "auto", seen.append)
    assert seen[0].rows == seen[0].earlier > 0 and seen[-1].rows == counts.rows == 400
    assert pq.read_table(job.target).equals(on_this_machine(job))


def test_restart_begins_anew(cluster: None, job: Job) -> None:
    def stop(progress: Progress) -> None:
        if progress.rows:
            raise Stop

    with pytest.raises(Stop):
        run_on_ray(job, "auto", stop)
    seen: list[Progress] = []
    run_on_ray(job._replace(restart=True), "auto", seen.append)
    assert seen[0].rows == 0 and pq.read_table(job.target).num_rows == 400


# ── what is refused ──────────────────────────────────────────────────────────────────────────────


def test_nodes_with_other_rules_are_refused(cluster: None, job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Recipe, "pinned", lambda recipe: recipe._replace(rules="of another version"))
    with pytest.raises(ValueError, match="another version of qilin"):
        run_on_ray(job, "auto")
    assert not Path(job.target).exists()


def test_what_no_node_can_read_is_an_error(cluster: None, job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    original = ray_driver._read_tasks
    monkeypatch.setattr(
        ray_driver, "_read_tasks", lambda *a: [task._replace(path=task.path + "x") for task in original(*a)]
    )
    with pytest.raises(OSError) as caught:
        run_on_ray(job, "auto")
    assert caught.value.filename == job.source + "x"
    monkeypatch.setattr(ray_driver, "_read_tasks", lambda *a: [task._replace(size=1) for task in original(*a)])
    with pytest.raises(ValueError, match="every node must see the same"):
        run_on_ray(job, "auto")
    assert not Path(job.target).exists()


def test_an_output_that_is_there_is_kept(job: Job) -> None:
    Path(job.target).mkdir()
    Path(job.target, "mine").touch()
    with pytest.raises(ValueError, match="is there already"):
        run_on_ray(job, "auto")
    assert parts_of(job) == ["mine"] and not parts_folder(job.target).exists()


def test_what_is_on_the_disk_is_held_against_the_input(tmp_path: Path) -> None:
    destination = ray_output.Destination(tmp_path, pa.schema([("status", pa.string()), ("degraded", pa.string())]), "")
    (tmp_path / "rows").mkdir()
    rows = pa.record_batch({"status": ["resolved"] * 5, "degraded": pa.nulls(5, pa.string())})
    for first in (0, 5):
        destination.write(first, rows)
    destination.check_whole(10)
    with pytest.raises(WorkersFailed, match="of 11 rows only those before 10"):
        destination.check_whole(11)
    destination.write(3, rows)
    with pytest.raises(WorkersFailed, match="before 5"):
        destination.check_whole(10)


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        ([(0, 100)], [([0, 1], 0, 0, 60), ([2, 3], 0, 60, 40)]),
        ([(10, 20), (55, 61)], [([0], 10, 10, 10), ([1, 2], 25, 55, 6)]),
        ([], []),
    ],
)
def test_what_is_missing_is_cut_at_row_groups(
    tmp_path: Path, missing: list[tuple[int, int]], expected: list[tuple[list[int], int, int, int]]
) -> None:
    path = str(tmp_path / "q.parquet")
    pq.write_table(pa.table({"query": ["?"] * 100}), path, row_group_size=30)
    tasks = list(ray_driver._read_tasks(path, missing, part_rows=3))
    assert [(p.groups, p.skip, p.first, p.rows) for p in tasks] == expected
    numbers: list[int] = []
    (tmp_path / "tries").mkdir()
    destination = ray_output.Destination(tmp_path, pa.schema([]), "")
    for table in ray_stages.read(pa.Table.from_pylist([p._asdict() for p in tasks]), 7, destination) if tasks else ():
        assert table.num_rows <= 7
        numbers += table.column(ray_stages.NUMBER).to_pylist()
    assert numbers == [n for first, end in missing for n in range(first, end)]


# ── the command ──────────────────────────────────────────────────────────────────────────────────


def test_the_command_says_what_it_did(cluster: None, job: Job) -> None:
    arguments = ["batch", "--ray", "auto", "--gap-filler", "none", job.source, job.target]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert re.search("out: 400 行：已解析", done.output)
    again = CliRunner().invoke(app, arguments)
    assert again.exit_code == 2 and "is there already" in again.output


@pytest.mark.parametrize("target", ["-", "out.csv"])
def test_the_command_refuses_what_is_no_folder(job: Job, target: str) -> None:
    refused = CliRunner().invoke(app, ["batch", "--ray", "auto", job.source, target])
    assert refused.exit_code == 2 and "folder of Parquet files" in refused.output


@pytest.mark.parametrize("address", ["ray://127.0.0.1:1", "127.0.0.1:1", "127.0.0.1:x"])
def test_an_address_that_leads_nowhere_is_refused(
    environment: None, job: Job, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with pytest.raises(ValueError, match="is not supported" if "//" in address else "no Ray cluster answers"):
        run_on_ray(job, address)
    assert not parts_folder(job.target).exists()
