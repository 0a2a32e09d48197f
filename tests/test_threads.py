"""One engine for many threads, also while its table is being swapped."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

from qilin import Engine, Resolution

THREADS = 8
QUERIES = (
    "菏泽麒麟投诉数量", "菏泽聚野县意见", "城关供电所投诉", "曹县供电公司麒麟供电所投诉", "昨天菏泽除曹县外各县公司投诉", "火星供电所投诉",
    "今日照常投诉", "麒林供电所投诉", "定陶县供电公司投诉", "千佛供电所投诉", "济南市中和历下投诉", "河北省投诉", "荷泽投诉", "",
)  # fmt: skip


def test_eight_threads_give_what_one_gives(today: date) -> None:
    """A fresh engine, so that everything made at first use is made under contention."""
    engine = Engine()
    start = Barrier(THREADS)

    def answers(shift: int) -> dict[str, str]:
        start.wait()
        turned = QUERIES[shift:] + QUERIES[:shift]
        return {query: engine.resolve(query, today=today).model_dump_json() for query in turned * 3}

    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(answers, range(THREADS)))
    alone = Engine()
    expected = {query: alone.resolve(query, today=today).model_dump_json() for query in QUERIES}
    assert all(each == expected for each in found)


def test_answers_during_a_reload_are_of_one_table_or_the_other(engine_with: Callable[..., Engine], today: date) -> None:
    """Never of a mixture, and no call fails; the table in place at the end is the last one."""
    engine = engine_with("山东省,菏泽,巨野县供电公司,麒麟供电所")
    tables = [engine.hierarchy, engine_with("河北省,保定,涞水县供电公司,麒麟供电所").hierarchy]
    queries = ("麒麟所投诉", "麒林供电所投诉", "菏泽麒麟投诉", "涞水麒麟投诉", "本县投诉")
    allowed: dict[str, set[Resolution]] = {query: set() for query in queries}
    for table in tables:
        engine.reload(table)
        for query in queries:
            allowed[query].add(engine.resolve(query, today=today))
    start = Barrier(THREADS)

    def asking(_: int) -> list[tuple[str, Resolution]]:
        start.wait()
        return [(query, engine.resolve(query, today=today)) for _ in range(40) for query in queries]

    def reloading(_: int) -> None:
        start.wait()
        for i in range(40):
            engine.reload(tables[i % 2])

    with ThreadPoolExecutor(THREADS) as pool:
        swapping = pool.submit(reloading, 0)
        for found in pool.map(asking, range(THREADS - 1)):
            for query, resolution in found:
                assert resolution in allowed[query], query
        swapping.result()
    assert engine.hierarchy is tables[1]
    assert engine.resolve("麒麟所投诉", today=today).city == "保定"
