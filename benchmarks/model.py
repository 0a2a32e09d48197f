"""What asking the model costs: forward passes by the number of candidates, and llguidance beside them.

    python -m benchmarks.model                     # the bundled small model
    python -m benchmarks.model --model FOLDER --adapter FOLDER

Times are wall-clock, one question at a time.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from typing import Final

from benchmarks import gap_cost
from engine import Engine
from engine.llm.gaps import tags_of
from engine.llm.local import LocalGapFiller
from engine.llm.protocol import Choice, Free, GapRequest, Segment, Settled
from hierarchy import Hierarchy, Level

_QUESTIONS: Final = 40


def _requests(engine: Engine, candidates: int, free: str) -> list[GapRequest]:
    """Questions about one of so many substations; 1: nothing is left to choose."""
    hierarchy = engine.hierarchy
    substations = [i for i in range(len(hierarchy)) if hierarchy.levels[i] == Level.SUBSTATION]
    rng = random.Random(candidates)
    made = []
    for _ in range(_QUESTIONS):
        nodes = rng.sample(substations, candidates)
        name = hierarchy.names[nodes[0]]
        paths = tuple(tags_of(engine._tables.org_path(i)) for i in nodes)
        tail: Segment = Free(free) if free else Settled("<Indicator>投诉</Indicator>数量")
        made.append(GapRequest(f"本月{name}{free or '投诉数量'}", (Settled("<Date>本月</Date>"), Choice(paths), tail)))
    return made


def forward_passes(filler: LocalGapFiller, engine: Engine) -> None:
    """How often the model runs for one question."""
    for free in ("", "低电压台区数"):
        for candidates in (1, 10, 100, 1000):
            passes, times, batch = [], [], []
            requests = _requests(engine, candidates, free)
            for request in requests:
                began = time.perf_counter()
                answer = filler.fill([request], timeout_s=600)[0]
                times.append((time.perf_counter() - began) * 1000)
                passes.append(answer.forward_passes)
                assert answer.error is None, answer.error
            began = time.perf_counter()
            filler.fill(requests, timeout_s=600)
            batch.append((time.perf_counter() - began) * 1000 / len(requests))
            what = f"{candidates} candidates" + (" and free text" if free else "")
            print(
                f"{what}: forward passes mean {statistics.mean(passes):.2f}, most {max(passes)}; "
                f"median {statistics.median(times):.1f} ms, in a batch {batch[0]:.1f} ms a question"
            )


def main() -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model")
    parser.add_argument("--adapter")
    arguments = parser.parse_args()
    filler = LocalGapFiller.load(arguments.model, arguments.adapter)
    print(f"{filler.name}: {sum(p.numel() for p in filler.model.parameters()):,} parameters on {filler.model.device}")
    forward_passes(filler, Engine(Hierarchy.bundled(), gap_filler=None))
    gap_cost.compiling()


if __name__ == "__main__":
    main()
