"""All benchmarks, or some: results as JSON, Markdown and one HTML page.

    python -m benchmarks --quick                # accuracy, speed, model and scale
    python -m benchmarks accuracy speed         # some of them
    python -m benchmarks peers                  # only make the environment of the peers
    python -m benchmarks speed --quick --no-peers --compare benchmarks/baseline.json
    python -m benchmarks --quick --against ../before        # another version, in the same run

`--compare` and `--against` exit with 1 when something got worse, and with 2 when there is nothing to compare.
docs/benchmarks.md says what is measured and how to read it.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import against, compare
from benchmarks.machine import describe
from benchmarks.report import Report, Section
from benchmarks.scale import SMALL, Cluster

_OUT: Final = Path("benchmark-results")


@dataclass(frozen=True)
class Options:
    """What was asked for; see the help text of each option."""

    quick: bool
    seed: int
    peers: bool
    install_peers: bool
    ray: str | None
    rows: int | None
    price: float
    cluster: Cluster


def _accuracy(options: Options) -> Section:
    from benchmarks import accuracy

    peers = options.peers
    return accuracy.measure(quick=options.quick, seed=options.seed, peers=peers, install_peers=options.install_peers)


def _speed(options: Options) -> Section:
    from benchmarks import speed

    peers = options.peers
    return speed.measure(quick=options.quick, seed=options.seed, peers=peers, install_peers=options.install_peers)


def _model(options: Options) -> Section:
    from benchmarks import model

    return model.measure(quick=options.quick, seed=options.seed)


def _scale(options: Options) -> Section:
    from benchmarks import scale

    return scale.measure(
        quick=options.quick,
        seed=options.seed,
        rows=options.rows,
        ray=options.ray,
        price=options.price,
        cluster=options.cluster,
    )


SUB_COMMANDS: Final[dict[str, Callable[[Options], Section]]] = {
    "accuracy": _accuracy,
    "speed": _speed,
    "model": _model,
    "scale": _scale,
}


def _cluster(text: str) -> Cluster:
    try:
        return Cluster.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _rows(text: str) -> int:
    if not text.isdecimal() or int(text) <= SMALL:
        raise argparse.ArgumentTypeError(f"must be a number above {SMALL}, the size of the small file beside it")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [*SUB_COMMANDS, "peers"]
    parser.add_argument("what", nargs="*", metavar="{" + ",".join(names) + "}", help="default: all but peers")
    parser.add_argument("--quick", action="store_true", help="smaller sets and tables; all of it in under 15 minutes")
    parser.add_argument("--out", type=Path, default=_OUT, metavar="FOLDER", help=f"where results go (default: {_OUT})")
    parser.add_argument("--seed", type=int, default=1, help="of everything that is drawn (default: 1)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON, not Markdown")
    parser.add_argument("--compare", type=Path, metavar="OLD.json", help="fail when a ratio got worse than in a report")
    parser.add_argument("--against", type=Path, metavar="PATH", help="fail when slower than this checkout or wheel")
    parser.add_argument("--no-peers", action="store_true", help="leave cpca, jionlp and dateparser out")
    parser.add_argument("--no-install", action="store_true", help="use peers that are installed, and install none")
    parser.add_argument("--rows", type=_rows, help="scale: rows of the input file")
    parser.add_argument("--ray", metavar="ADDRESS", help="scale: a running Ray cluster; default: one made here")
    parser.add_argument("--price", type=float, default=0.05, help="scale: money for an hour of a core (default: 0.05)")
    parser.add_argument(
        "--cluster",
        type=_cluster,
        default="20x32",
        help="scale: nodes x cores to work out 10^10 rows for (default: 20x32)",
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, write, print, compare."""
    parser = _parser()
    given = parser.parse_args(arguments)
    wanted = given.what or ([] if given.against else list(SUB_COMMANDS))
    if unknown := [name for name in wanted if name not in SUB_COMMANDS and name != "peers"]:
        parser.error(f"there is no {unknown[0]!r}; there are {', '.join([*SUB_COMMANDS, 'peers'])}")
    if wanted == ["peers"]:
        from benchmarks import peer_env

        return peer_env.main()
    try:
        old = compare.read(given.compare) if given.compare else None
    except compare.NotComparable as error:
        parser.error(str(error))
    options = Options(
        quick=given.quick,
        seed=given.seed,
        peers=not given.no_peers,
        install_peers=not given.no_install,
        ray=given.ray,
        rows=given.rows,
        price=given.price,
        cluster=given.cluster,
    )
    begin = time.perf_counter()
    report = Report(
        describe(), shlex.join(["python", "-m", "benchmarks", *(sys.argv[1:] if arguments is None else arguments)])
    )
    for name, run in SUB_COMMANDS.items():
        if name in wanted:
            print(f"{name} …", end=" ", file=sys.stderr, flush=True)
            begun = time.perf_counter()
            report.sections.append(run(options))
            print(f"{time.perf_counter() - begun:.0f} s", file=sys.stderr)
    try:
        beside = _against(given.against, quick=given.quick, seed=given.seed) if given.against else None
    except against.Unusable as error:
        print(f"not compared: {error}", file=sys.stderr)
        return 2
    if beside:
        report.sections.append(beside)
    report.wall_s = time.perf_counter() - begin
    print(json.dumps(report.as_json(), ensure_ascii=False, indent=1) if given.json else report.markdown())
    for path in report.write(given.out):
        print(path, file=sys.stderr)
    slower = against.slower(beside) if beside else []
    for each in slower:
        print(f"SLOWER {each}", file=sys.stderr)
    worse = _compared(old, report, given.compare) if old is not None else 0
    return worse or int(bool(slower))


def _against(other: Path, *, quick: bool, seed: int) -> Section:
    from benchmarks import speed

    queries = [query for each in speed.mix("shandong", 10 if quick else 40, seed).values() for query in each]
    return against.measure(other, queries, 15 if quick else 25)


def _compared(old: dict[str, object], report: Report, path: Path) -> int:
    """Say what got worse; the exit status."""
    try:
        found = compare.compare(old, report.as_json())
    except compare.NotComparable as error:
        print(f"not compared with {path}: {error}", file=sys.stderr)
        return 2
    for worse in found.worse:
        print(f"WORSE {worse}", file=sys.stderr)
    for name in found.missing:
        print(f"not measured this time: {name}", file=sys.stderr)
    if found.unlike:
        print(f"the machine is not like that of {path}: {found.unlike}", file=sys.stderr)
    for name in found.left_out:
        print(f"not compared, since it is a ratio to foreign code: {name}; --against measures it", file=sys.stderr)
    print(f"compared with {path}: {found.compared} ratios, {len(found.worse)} worse than allowed", file=sys.stderr)
    return int(bool(found.worse))


if __name__ == "__main__":
    sys.exit(main())
