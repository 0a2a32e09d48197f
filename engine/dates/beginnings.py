"""With which characters the matches of a regular expression can begin, read from the expression itself."""

from __future__ import annotations

import importlib
from typing import Any

_LOOKED_AT = 2  # characters


def beginnings(pattern: str) -> set[str]:
    """The first two characters of every text that `pattern` can match; the whole match where that is shorter.

    A match of one character is followed by what the pattern looks ahead for. Other look-arounds are taken to hold, so
    there may be too many.

    Args:
        pattern: Made of characters, sets of characters, choices and repeats; sets are neither negated nor `\\w`.
    """
    parser = importlib.import_module("re._parser")  # no public name gives the parsed form
    return _of_sequence(parser.parse(pattern))


def joined(firsts: set[str], seconds: set[str]) -> set[str]:
    """The beginnings of texts in which one part follows another."""
    short = {first for first in firsts if len(first) < _LOOKED_AT}
    return (firsts - short) | {(first + second)[:_LOOKED_AT] for first in short for second in seconds}


def _of_sequence(parsed: Any) -> set[str]:
    found = {""}
    for operation, argument in parsed:
        if str(operation) == "ASSERT" and argument[0] > 0:
            found = {""} & found | joined(found - {""}, _of_sequence(argument[1]))
        else:
            found = joined(found, _of_operation(str(operation), argument))
        if all(len(beginning) == _LOOKED_AT for beginning in found):
            break
    return found


def _of_operation(operation: str, argument: Any) -> set[str]:
    match operation:
        case "LITERAL":
            return {chr(argument)}
        case "RANGE":
            return {chr(code) for code in range(argument[0], argument[1] + 1)}
        case "IN":
            return set().union(*(_of_operation(str(kind), each) for kind, each in argument))
        case "BRANCH":
            return set().union(*map(_of_sequence, argument[1]))
        case "SUBPATTERN" | "ATOMIC_GROUP":
            return _of_sequence(argument[-1] if operation == "SUBPATTERN" else argument)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, most, repeated = argument
            once = _of_sequence(repeated)
            found = once if least <= 1 else set()
            if least == 0:
                found = found | {""}
            return found | joined(once, once) if most > 1 else found
        case "ASSERT" | "ASSERT_NOT" | "AT":
            return {""}
    raise ValueError(f"{operation} in a pattern of a date word: write it with sets, choices and repeats.")
