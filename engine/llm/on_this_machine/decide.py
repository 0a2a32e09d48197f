"""Decides the whole answer to a request, segment by segment; knows tokens but no tensors.

An answer is never read off a model's output. It is put together from the request's own text, and the
model only decides where that leaves a choice: which alternative, where a tag opens or closes. So an
illegal answer cannot come about, whatever the model or its tokenizer does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from qilin.llm.on_this_machine.choice import choose
from qilin.llm.on_this_machine.free_text import tag
from qilin.llm.on_this_machine.token_tree import Decision, Encoder, Limits
from qilin.llm.protocol import TAG, Choice, GapRequest, Segment, Settled, units


class Decided(NamedTuple):
    """A whole answer, as in `GapAnswer`."""

    text: str
    scores: tuple[float, ...] | None


def decide(request: GapRequest, encoder: Encoder, limits: Limits) -> Decision[Decided]:
    """The whole answer to a request; no token tree is yielded where only one answer is legal."""
    text = ""
    scores: list[float] = []
    for number, segment in enumerate(request.segments):
        if isinstance(segment, Settled):
            text += segment.text
            continue
        following = _certain_beginning(request.segments[number + 1 :])
        if isinstance(segment, Choice):
            alternatives = list(dict.fromkeys(segment.alternatives))
            if len(alternatives) == 1:
                text, score = text + alternatives[0], 1.0
            else:
                text, score = yield from choose(encoder, limits, text, alternatives, following)
        else:
            text, score = yield from tag(encoder, limits, text, units(segment.text), following)
        scores.append(score)
    return Decided(text, tuple(scores))


def is_settled(request: GapRequest) -> bool:
    """Whether only one answer is legal, so that no model need be asked."""
    for segment in request.segments:
        if isinstance(segment, Choice) and len(set(segment.alternatives)) > 1:
            return False
        if not isinstance(segment, Settled | Choice) and segment.text.strip():
            return False
    return True


def _certain_beginning(segments: Sequence[Segment]) -> str:
    """The settled text in front and the first tag or unit behind it; "" only where no text follows."""
    text = ""
    for segment in segments:
        if isinstance(segment, Settled):
            text += segment.text
            continue
        first = segment.alternatives[0] if isinstance(segment, Choice) else segment.text
        if first:
            opening = TAG.match(first)
            return text + (opening[0] if opening else units(first)[0])
    return text
