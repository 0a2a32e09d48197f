"""How each kind of server takes a grammar, and goes on from a message that is begun."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Dialect(NamedTuple):
    """One kind of server.

    `owner`: its `owned_by` in `/models`; `grammar`: request fields for a GBNF text;
    `prefill`: request fields that make it continue the last, unfinished message.
    """

    name: str
    owner: str
    grammar: Callable[[str], dict[str, Any]]
    prefill: dict[str, Any]


_CONTINUE = {"continue_final_message": True, "add_generation_prompt": False}

DIALECTS: dict[str, Dialect] = {
    d.name: d
    for d in (
        # From 0.12 on vLLM ignores its former `guided_grammar` without a word, and answers 200: hence the probe.
        Dialect("vllm", "vllm", lambda text: {"structured_outputs": {"grammar": text}}, _CONTINUE),
        Dialect("sglang", "sglang", lambda text: {"ebnf": text}, _CONTINUE),
        Dialect("llama.cpp", "llamacpp", lambda text: {"grammar": text}, {}),
    )
}
