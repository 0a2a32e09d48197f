"""From segments to a grammar that only legal answers match.

One text for everyone: GBNF, as vLLM (`structured_outputs: {"grammar": …}`), SGLang (`ebnf`) and
llama.cpp (`grammar`) read it; `lark` gives the same rules to llguidance. Alternatives share their
beginnings (2,000 side by side are too many for a lexer), and free text is right-linear: two rules a
character and tag, so the grammar grows linearly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from qilin.llm.protocol import FREE_TAGS, Choice, Free, Segment, Settled, units

_ESCAPES = {'"': r"\"", "\\": r"\\", "\n": r"\n", "\r": r"\r", "\t": r"\t"}
_SPECIAL = re.compile(r'["\\\n\r\t]')
_UNSAYABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_RULE = re.compile(r"^(\S+) ::= ", re.M)


class OpenSegments(NamedTuple):
    """Segments from the first open one to the last, and the settled text around them."""

    before: str
    segments: tuple[Segment, ...]
    after: str


def open_segments(segments: Sequence[Segment]) -> OpenSegments:
    """Leave out the settled text at both ends: a model need not generate it."""
    open_at = [i for i, s in enumerate(segments) if not isinstance(s, Settled)]
    first, last = (open_at[0], open_at[-1] + 1) if open_at else (len(segments), len(segments))
    before = "".join(s.text for s in segments[:first] if isinstance(s, Settled))
    after = "".join(s.text for s in segments[last:] if isinstance(s, Settled))
    return OpenSegments(before, tuple(segments[first:last]), after)


def grammar(segments: Sequence[Segment]) -> str:
    """The answers that the segments allow, as GBNF; the rule `root` is the whole answer.

    Raises: ValueError, for a control character or a lone surrogate, which not every server takes.
    """
    rules: list[str] = []
    sequence: list[str] = []
    for number, segment in enumerate(segments):
        if isinstance(segment, Settled):
            if segment.text:
                sequence.append(_quoted(segment.text))
        elif isinstance(segment, Choice):
            sequence.append(_choice(f"c{number}", segment, rules))
        elif segment.text:
            sequence.append(_free(f"f{number}", segment, rules))
    return "\n".join([f"root ::= {' '.join(sequence) or _EMPTY}", *rules, ""])


def lark(text: str) -> str:
    """The rules of `grammar`, written as llguidance reads them (`LLMatcher.grammar_from_lark`)."""
    return _RULE.sub(r"\1: ", "start" + text.removeprefix("root"))


_EMPTY = '""'


def _quoted(text: str) -> str:
    if _UNSAYABLE.search(text):
        raise ValueError("text with control characters or lone surrogates cannot be asked about")
    return f'"{_SPECIAL.sub(lambda m: _ESCAPES[m[0]], text)}"'


def _choice(name: str, choice: Choice, rules: list[str]) -> str:
    """A prefix tree of the alternatives: common beginnings are written once."""
    alternatives = sorted(set(choice.alternatives))
    if not alternatives:
        raise ValueError("a choice needs alternatives")
    if len(alternatives) == 1:
        return _quoted(alternatives[0])
    numbers = iter(range(len(choice.alternatives) * 2))
    begin = _common(alternatives)
    branches = _branches(name, alternatives, begin, numbers, rules)
    return f"{_quoted(alternatives[0][:begin])} {branches}" if begin else branches


def _branches(name: str, sorted_texts: Sequence[str], at: int, numbers: Iterator[int], rules: list[str]) -> str:
    """The name of a rule for the rest of texts that are alike up to `at`."""
    rule = f"{name}n{next(numbers)}"
    place = len(rules)
    rules.append("")
    bodies = []
    for first, group in groupby(sorted_texts, key=lambda text: text[at : at + 1]):
        texts = list(group)
        if not first:
            bodies.append(_EMPTY)
        elif len(texts) == 1:
            bodies.append(_quoted(texts[0][at:]))
        else:
            end = _common(texts)
            bodies.append(f"{_quoted(texts[0][at:end])} {_branches(name, texts, end, numbers, rules)}")
    rules[place] = f"{rule} ::= {' | '.join(bodies)}"
    return rule


def _common(sorted_texts: Sequence[str]) -> int:
    """How many characters all of some sorted texts begin with."""
    a, b = sorted_texts[0], sorted_texts[-1]
    size = min(len(a), len(b))
    for i in range(size):
        if a[i] != b[i]:
            return i
    return size


def _free(name: str, free: Free, rules: list[str]) -> str:
    """The text with any spans tagged: not nested, not empty, blank at neither end."""
    characters = units(free.text)
    size = len(characters)
    ink = max((i + 1 for i, c in enumerate(characters) if c.strip()), default=0)  # a tag ends here at the latest
    for i, character in enumerate(characters):
        quoted, blank = _quoted(character), not character.strip()
        bodies = [f"{quoted} {name}p{i + 1}" if i + 1 < size else quoted]
        if not blank:
            bodies += [f'"<{tag}>" {quoted} {name}{tag[0].lower()}{i + 1}' for tag in FREE_TAGS]
        rules.append(f"{name}p{i} ::= {' | '.join(bodies)}")
        for tag in FREE_TAGS if 0 < i <= ink else ():
            inside = f"{name}{tag[0].lower()}"
            bodies = [f"{quoted} {inside}{i + 1}"] if i < ink else []
            if characters[i - 1].strip():
                bodies.append(f'"</{tag}>" {name}p{i}')
            rules.append(f"{inside}{i} ::= {' | '.join(bodies)}")
    for tag in FREE_TAGS if characters[-1].strip() else ():
        rules.append(f'{name}{tag[0].lower()}{size} ::= "</{tag}>"')
    return f"{name}p0"
