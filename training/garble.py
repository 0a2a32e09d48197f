"""The slips of people and speech recognition in names, and the distance of a misspelt name from a stem."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from functools import cache
from typing import Final

from qilin.text.sounds import merged_readings, readings

SLIPS: Final = ("homophone", "merged", "swap", "wrong", "missing", "extra", "two homophones", "homophone and merged")
# Costs of one place; a swap of neighbours is one slip, not two wrong characters.
_SAME_SOUND, _MERGED, _SWAP, _LENGTH, _WRONG = 1.0, 1.5, 2.0, 3.0, 4.0
FAR = 99.0


@cache
def common_characters() -> tuple[str, ...]:
    """Characters of GB 2312's first level: the 3,755 in common use, in the order of the standard."""
    codes = ((0xB0 + row, 0xA1 + cell) for row in range(40) for cell in range(94))
    return tuple(c for high, low in codes if (c := bytes((high, low)).decode("gb2312", "ignore")))


def _grouped(sounds: Callable[[str], Iterable[str]]) -> dict[str, list[str]]:
    """The common characters by their sounds."""
    found: dict[str, list[str]] = {}
    for character in common_characters():
        for sound in sounds(character):
            found.setdefault(sound, []).append(character)
    return found


@cache
def _by_sound() -> dict[str, list[str]]:
    return _grouped(readings)


@cache
def _by_merged_sound() -> dict[str, list[str]]:
    return _grouped(merged_readings)


@cache
def homophones(character: str) -> tuple[str, ...]:
    """Common characters that sound the same, tone ignored."""
    return tuple(sorted({c for s in readings(character) for c in _by_sound().get(s, ())} - {character}))


@cache
def near_homophones(character: str) -> tuple[str, ...]:
    """Common characters that sound the same only to speakers who merge zh/z, n/l, in/ing …."""
    near = {c for s in merged_readings(character) for c in _by_merged_sound().get(s, ())}
    return tuple(sorted(c for c in near if not readings(c) & readings(character)))


def garble(stem: str, slip: str, rng: random.Random) -> str | None:
    """`stem` with one slip of `SLIPS`; None where that slip is impossible."""
    place = rng.randrange(len(stem))
    match slip:
        case "homophone":
            return _replaced(stem, place, homophones(stem[place]), rng)
        case "merged":
            return _replaced(stem, place, near_homophones(stem[place]), rng)
        case "swap":
            if len(stem) < 2:
                return None
            place = rng.randrange(len(stem) - 1)
            return stem[:place] + stem[place + 1] + stem[place] + stem[place + 2 :]
        case "wrong":  # one remaining character of two would say too little
            return _replaced(stem, place, common_characters(), rng) if len(stem) > 2 else None
        case "missing":
            return stem[:place] + stem[place + 1 :] if len(stem) > 2 else None
        case "extra":
            return stem[:place] + rng.choice(common_characters()) + stem[place:]
    if len(stem) < 2:
        return None
    first, second = sorted(rng.sample(range(len(stem)), 2))
    once = _replaced(stem, first, homophones(stem[first]), rng)
    others = homophones(stem[second]) if slip == "two homophones" else near_homophones(stem[second])
    return once and _replaced(once, second, others, rng)


def _replaced(stem: str, place: int, others: tuple[str, ...], rng: random.Random) -> str | None:
    return stem[:place] + rng.choice(others) + stem[place + 1 :] if others else None


def distance(written: str, stem: str) -> float:
    """The cost of turning a stem into the written name; 0 for the same, `FAR` where no few slips do."""
    if written == stem:
        return 0.0
    if abs(len(written) - len(stem)) == 1:
        longer, shorter = (written, stem) if len(written) > len(stem) else (stem, written)
        gone = any(longer[:i] + longer[i + 1 :] == shorter for i in range(len(longer)))
        return _LENGTH if gone and len(shorter) > 1 else FAR
    if len(written) != len(stem):
        return FAR
    apart = [i for i, (a, b) in enumerate(zip(written, stem, strict=True)) if a != b]
    if len(apart) == 2 and apart[1] == apart[0] + 1:
        i, j = apart
        if written[i] == stem[j] and written[j] == stem[i]:
            return _SWAP
    cost = 0.0
    for i in apart:
        a, b = written[i], stem[i]
        if readings(a) & readings(b):
            cost += _SAME_SOUND
        elif merged_readings(a) & merged_readings(b):
            cost += _MERGED
        else:
            cost += _WRONG
    return cost


def is_one_change(written: str, stem: str) -> bool:
    """Whether a single slip, however heavy, turns the stem into the written name; the rules consider no more."""
    far = distance(written, stem)
    if far in (_SAME_SOUND, _MERGED, _SWAP, _LENGTH):
        return len(written) != len(stem) or far != _SWAP or sorted(written) == sorted(stem)
    return far == _WRONG and sum(a != b for a, b in zip(written, stem, strict=True)) == 1


def is_plausible(written: str, stem: str) -> bool:
    """Whether the written name is likely enough a slip for the stem."""
    far = distance(written, stem)
    return far <= _LENGTH or (far == _WRONG and len(stem) > 2)
