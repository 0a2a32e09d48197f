"""What is kept for later: never another key's value, and never much more than it may weigh."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from qilin.names.recent import Recent


@given(keys=st.lists(st.integers(0, 12), max_size=80), size=st.integers(1, 40))
def test_the_latest_values_within_bounds(keys: list[int], size: int) -> None:
    """Key k weighs k + 1."""
    recent: Recent[int, str] = Recent(size, lambda key, _: key + 1)
    for key in keys:
        found = recent.get(key)
        assert found in (None, str(key))
        if found is None:
            recent.put(key, str(key))
        assert recent.get(key) == str(key)
        for generation in (recent._young, recent._old):
            assert sum(k + 1 for k in generation) < size + 13  # the last one may go beyond


def test_a_value_that_is_used_outlives_one_that_is_not() -> None:
    recent: Recent[int, int] = Recent(4, lambda _key, _value: 1)
    recent.put(0, 0)
    recent.put(1, 1)
    for key in range(2, 20):
        recent.put(key, key)
        assert recent.get(0) == 0
    assert recent.get(1) is None


def test_what_came_into_use_again_weighs_as_much_as_before() -> None:
    recent: Recent[str, int] = Recent(10, lambda _, weight: weight)
    recent.put("heavy", 10)
    recent.put("light", 1)  # the heavy one is of the older generation now
    assert recent.get("heavy") == 10
    recent.put("last", 1)
    assert recent._young == {"last": 1}
