"""What dies, fills up, breaks or is closed: the output is whole or not there, and `--resume` makes it the same."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.batch.conftest import read, rows, write

ROOT = Path(__file__).parents[2]
PART = 7
COUNT = 60
OPTIONS = ("--today", "2024-05-13", "--gap-filler", "none", "--table")
TABLE = (
    "province,city,company,substation",
    "甲省,乙市,丙丁县供电公司,麒麟供电所",
    "甲省,乙市,戊己县供电公司,城关供电所",
    "甲省,庚市,辛壬县供电公司,云台供电所",
)

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="signals and limits of POSIX")


class Command:
    """The command in a process of its own, which stops after each part."""

    def __init__(self, folder: Path, *arguments: str, **options: Any) -> None:
        environment = {
            **os.environ,
            "QILIN_CACHE_DIR": str(folder.parent / "qilin-cache"),
            "TMPDIR": str(folder / "tmp"),
        }
        (folder / "tmp").mkdir(exist_ok=True)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.batch.driver", str(PART), "batch", *arguments],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            **options,
        )
        self.said: list[str] = []
        self.workers: list[int] = []

    def until(self, finished: int) -> None:
        """Let it go on until that many rows or more are finished; it stands still then."""
        assert self.process.stderr is not None
        assert self.process.stdin is not None
        for line in self.process.stderr:
            if not line.startswith(b"@"):
                self.said.append(line.decode())
                continue
            count, *pids = map(int, line[1:].split())
            self.workers = pids
            if count >= finished:
                return
            self.process.stdin.write(b"\n")
            self.process.stdin.flush()
        raise AssertionError(f"ended before: {self.said}")

    def end(self) -> tuple[int, bytes, str]:
        """Let it go on to its end: exit code, what was written, what was said."""
        out, err = self.process.communicate()
        said = [line.decode() for line in err.splitlines(keepends=True) if not line.startswith(b"@")]
        return self.process.returncode, out, "".join(self.said + said)


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Callable[..., Command]]:
    table = tmp_path / "org.csv"
    table.write_text("\n".join(TABLE) + "\n", encoding="utf-8")
    begun: list[Command] = []

    def start(*arguments: str, **options: Any) -> Command:
        workers = () if "--workers" in arguments else ("--workers", "1")
        begun.append(Command(tmp_path, *arguments, *workers, *OPTIONS, str(table), **options))
        return begun[-1]

    yield start
    for each in begun:
        each.process.kill()
        each.process.communicate()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write(tmp_path / "in.csv", rows(COUNT))


def undisturbed(command: Callable[..., Command], source: Path, target: Path, *options: str) -> bytes:
    """The bytes of a run that nothing happened to."""
    code, _, said = command(str(source), str(target), *options).end()
    assert (code, "Traceback" in said) == (0, False), said
    content = target.read_bytes()
    target.unlink()
    return content


def gone(pids: Sequence[int]) -> None:
    """Wait for processes that are not ours to end; fails when they do not."""
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        ready, _, _ = select.select([descriptor], [], [], 60)
        os.close(descriptor)
        assert ready, f"worker {pid} goes on"


needs_pidfd = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="no way to wait for another one's child")


# ── the job is killed ────────────────────────────────────────────────────────────────────────────


@needs_pidfd
@pytest.mark.parametrize(
    ("ending", "moments", "workers"),
    [("parquet", (1, COUNT), 2), ("jsonl", (3 * PART,), 3)],
)
def test_kill_9_of_the_job(
    command: Callable[..., Command], source: Path, tmp_path: Path, ending: str, moments: Sequence[int], workers: int
) -> None:
    """Again and again, later each time; the last one when all rows are finished and the file is not."""
    out = tmp_path / f"out.{ending}"
    want = undisturbed(command, source, out)
    for moment in moments:
        job = command(str(source), str(out), "--workers", str(workers), "--resume")
        job.until(moment)
        job.process.kill()
        job.process.wait()
        gone(job.workers)
        assert not out.exists()
    code, _, _ = command(str(source), str(out), "--resume").end()
    assert code == 0
    assert out.read_bytes() == want
    assert [row["编号"] for row in read(out)] == [f"{i:03d}" for i in range(COUNT)]
    assert not (tmp_path / f"out.{ending}.parts").exists()


def test_resume_does_not_repeat_what_is_finished(command: Callable[..., Command], source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    job = command(str(source), str(out))
    job.until(COUNT // 2)
    job.process.kill()
    job.process.wait()
    parts = tmp_path / "out.csv.parts"
    finished = {path: path.stat().st_mtime_ns for path in parts.glob("*.done")}
    assert len(finished) * PART >= COUNT // 2
    again = command(str(source), str(out), "--resume")
    again.until(COUNT)
    for path, written in finished.items():
        assert path.stat().st_mtime_ns == written
    assert again.end()[0] == 0


def test_a_file_under_the_name_stays_until_the_new_one_is_whole(
    command: Callable[..., Command], source: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.csv"
    out.write_text("what was there before")
    job = command(str(source), str(out))
    job.until(COUNT)
    assert out.read_text() == "what was there before"
    assert job.end()[0] == 0
    assert len(read(out)) == COUNT


def test_an_earlier_run_is_not_written_over_unasked(
    command: Callable[..., Command], source: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.csv"
    job = command(str(source), str(out))
    job.until(1)
    job.process.kill()
    job.process.wait()
    code, _, said = command(str(source), str(out)).end()
    assert code == 2
    assert "an earlier run did not finish. Give --resume to go on, or --restart" in said


def test_two_runs_at_once(command: Callable[..., Command], source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    want = undisturbed(command, source, out)
    first = command(str(source), str(out))
    first.until(PART)
    for option in ("--resume", "--restart"):
        code, _, said = command(str(source), str(out), option).end()
        assert code == 2
        assert "another process is writing this output now" in said
    assert first.end()[0] == 0
    assert out.read_bytes() == want


def test_an_input_that_changes_while_it_is_read(command: Callable[..., Command], source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    job = command(str(source), str(out))
    job.until(PART)
    with source.open("a", encoding="utf-8") as file:
        file.write("999,乙市投诉\n")
    code, _, said = job.end()
    assert code == 2
    assert "the file was changed while it was read" in said
    assert not out.exists()


# ── Ctrl-C ───────────────────────────────────────────────────────────────────────────────────────


@needs_pidfd
def test_interrupt(command: Callable[..., Command], source: Path, tmp_path: Path) -> None:
    """As a terminal does it: to all processes at once."""
    out = tmp_path / "out.csv"
    want = undisturbed(command, source, out)
    job = command(str(source), str(out), "--workers", "2")
    job.until(2 * PART)
    os.killpg(job.process.pid, signal.SIGINT)
    job.process.wait()
    code, _, said = job.end()
    assert code == 130
    assert "Traceback" not in said
    assert said.strip().endswith("out.csv.parts; --resume goes on.")
    gone(job.workers)
    assert not out.exists()
    assert command(str(source), str(out), "--resume").end()[0] == 0
    assert out.read_bytes() == want


# ── the disk is full, or not for writing ─────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("ending", "wide"), [("parquet", False), ("csv", False), ("jsonl", True)], ids=lambda each: str(each)
)
def test_files_that_cannot_grow(command: Callable[..., Command], tmp_path: Path, ending: str, wide: bool) -> None:
    """A limit on the size of a file stands in for a full disk, which needs no privileges to be made."""
    limit = 200_000  # the compiled table alone has 140,000 bytes
    records = [{**row, "noise": os.urandom(20_000 if wide else 5_000).hex()} for row in rows(COUNT)]
    into = write(tmp_path / "in.csv", records)
    out = tmp_path / f"out.{ending}"
    want = undisturbed(command, into, out)
    assert len(want) > limit
    out.write_text("what was there before")

    def limited() -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    code, _, said = command(str(into), str(out), preexec_fn=limited).end()
    assert code == 2
    assert "File too large" in said
    assert "Traceback" not in said
    assert "Exception ignored" not in said
    assert out.read_text() == "what was there before"
    if not wide:
        assert list((tmp_path / f"out.{ending}.parts").glob("*.done"))
    code, _, said = command(str(into), str(out), "--resume").end()
    assert code == 0, said
    assert out.read_bytes() == want


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own; only root may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("no disk can be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize(
    ("ending", "free"),
    [("csv", 8_000), ("csv", 200_000), ("parquet", 200_000), ("parquet", 500_000), ("jsonl", 300_000)],
)
def test_disk_full(command: Callable[..., Command], tmp_path: Path, disk: Path, ending: str, free: int) -> None:
    records = [{**row, "noise": os.urandom(2_000).hex()} for row in rows(COUNT)]
    into = write(tmp_path / "in.csv", records)
    out = disk / f"out.{ending}"
    out.write_text("what was there before")
    status = os.statvfs(disk)
    ballast = disk / "ballast"
    ballast.write_bytes(b"x" * (status.f_bavail * status.f_bsize - free))
    code, _, said = command(str(into), str(out)).end()
    assert code == 2
    assert "No space left on device" in said
    assert "Traceback" not in said
    assert "Exception ignored" not in said
    assert out.read_text() == "what was there before"
    ballast.unlink()
    code, _, said = command(str(into), str(out), "--resume").end()
    assert code == 0, said
    assert [(row["编号"], row["noise"]) for row in read(out)] == [(row["编号"], row["noise"]) for row in records]
    assert [path.name for path in disk.iterdir()] == [out.name]


def test_read_only(command: Callable[..., Command], source: Path, disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    code, _, said = command(str(source), str(disk / "out.csv")).end()
    assert code == 2
    assert "Read-only file system. Check its path and permissions." in said


def test_no_such_folder(command: Callable[..., Command], source: Path, tmp_path: Path) -> None:
    code, _, said = command(str(source), str(tmp_path / "nowhere" / "out.csv")).end()
    assert code == 2
    assert "No such file or directory. Check its path and permissions." in said


@pytest.mark.parametrize(
    ("make", "kind"), [(os.mkdir, "a folder"), (os.mkfifo if hasattr(os, "mkfifo") else None, "a device or a pipe")]
)
def test_an_output_that_is_no_file(
    command: Callable[..., Command], source: Path, tmp_path: Path, make: Callable[[Path], None], kind: str
) -> None:
    out = tmp_path / "out.csv"
    make(out)
    code, _, said = command(str(source), str(out)).end()
    assert code == 2
    assert f"out.csv: this is {kind}, not a file" in said
    assert not out.is_file()


def test_an_output_that_is_a_link_stays_one(command: Callable[..., Command], source: Path, tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    out = tmp_path / "out.csv"
    out.symlink_to(Path("far", "real.csv"))
    assert command(str(source), str(out)).end()[0] == 0
    assert out.is_symlink()
    assert len(read(tmp_path / "far" / "real.csv")) == COUNT
    assert [path.name for path in (tmp_path / "far").iterdir()] == ["real.csv"]


# ── pipes ────────────────────────────────────────────────────────────────────────────────────────


@needs_pidfd
@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl"])
def test_closed_pipe(command: Callable[..., Command], tmp_path: Path, kind: str) -> None:
    """A part fits into a pipe, all of them do not."""
    into = write(tmp_path / "in.csv", [{**row, "noise": os.urandom(2_000).hex()} for row in rows(COUNT)])
    job = command(str(into), "-", "--to", kind)
    assert job.process.stdout is not None
    job.until(1)
    job.process.stdout.close()
    job.process.stdout = None
    code, _, said = job.end()
    assert (code, said) == (141, "")
    gone(job.workers)
    assert list((tmp_path / "tmp").iterdir()) == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl"])
def test_output_to_a_full_device(source: Path, tmp_path: Path, kind: str) -> None:
    with open("/dev/full", "wb") as full:
        code, said = _into(full, source, tmp_path, kind)
    assert code == 2
    assert "No space left on device" in said
    assert "Traceback" not in said
    assert "Exception ignored" not in said


def _into(stream: Any, source: Path, tmp_path: Path, kind: str) -> tuple[int, str]:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "qilin",
            "batch",
            str(source),
            "-",
            "--to",
            kind,
            "--workers",
            "1",
            "--gap-filler",
            "none",
        ],
        cwd=ROOT,
        stdout=stream,
        stderr=subprocess.PIPE,
        env={**os.environ, "QILIN_CACHE_DIR": "", "TMPDIR": str(tmp_path)},
        check=False,
    )
    return done.returncode, done.stderr.decode()
