"""A gap filler behind an OpenAI-compatible endpoint: vLLM, SGLang, llama.cpp.

Servers fail open: one that does not know a grammar drops it without a word and answers 200. So the
first call tries out whether this one really constrains, and every answer is read again in full.
"""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, Literal, NamedTuple

import httpx

from qilin.llm.constraint import OpenSegments, grammar, open_segments
from qilin.llm.legal import is_beginning, read_answer
from qilin.llm.on_a_server.circuit import Circuit
from qilin.llm.on_a_server.dialects import DIALECTS, Dialect
from qilin.llm.on_a_server.scores import segment_scores, tokens_of_chat, tokens_of_completion
from qilin.llm.on_a_server.transport import MOST_AT_ONCE, Fault, Transport
from qilin.llm.prompt import PROMPTS, SYSTEM, chatml
from qilin.llm.protocol import Choice, Free, GapAnswer, GapRequest, Segment

log = logging.getLogger(__name__)

_TOP = 5  # likeliest tokens asked for in each place
_UNLIKELY, _UNLIKELY_BEGINNING = "龘靐齉", "麤鱻"  # no model says these of its own accord


class Traits(NamedTuple):
    """What a server was found to be.

    `dialect` is None for one that follows a grammar in no dialect; `continues`: it goes on from a
    message that is begun, so that settled text in front need not be generated.
    """

    model: str
    dialect: Dialect | None
    continues: bool


class ServerGapFiller:
    """A language model behind an OpenAI-compatible endpoint.

    Args:
        url: of the API, such as http://localhost:8000/v1.
        model: its name there; None: the first that the server lists.
        api_key_env: environment variable that holds the key, if the server wants one.
        dialect: "vllm", "sglang", "llama.cpp"; "auto": by what the server says of itself.
        endpoint: "chat", or "completions", with Qwen's chat template written out.
        prompt: "full" or "bare" (`qilin.llm.prompt`), as the model was tuned.
        extra: further fields of every request, such as {"chat_template_kwargs": {"enable_thinking": False}}.
        retries: how often a failed request is sent again, while there is time.
        circuit: leaves a server alone that keeps failing.
        client: an httpx client of the caller's, for proxies or certificates.
        clock, sleep, chance: seconds, a wait, and a number in [0, 1); tests bring their own.

    Raises: ValueError, for a bad address or option.
    """

    def __init__(
        self,
        url: str,
        *,
        model: str | None = None,
        api_key_env: str = "QILIN_API_KEY",
        dialect: str = "auto",
        endpoint: Literal["chat", "completions"] = "chat",
        prompt: Literal["full", "bare"] = "full",
        extra: Mapping[str, Any] | None = None,
        retries: int = 2,
        circuit: Circuit | None = None,
        client: httpx.Client | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        if dialect != "auto" and dialect not in DIALECTS:
            raise ValueError(f"dialect {dialect!r} is not known; give one of {', '.join(['auto', *DIALECTS])}.")
        if endpoint not in ("chat", "completions"):
            raise ValueError(f"endpoint {endpoint!r} is not known; give 'chat' or 'completions'.")
        if prompt not in PROMPTS:
            raise ValueError(f"prompt {prompt!r} is not known; give one of {', '.join(PROMPTS)}.")
        key = os.environ.get(api_key_env)
        self._transport = Transport(
            url,
            headers={"Authorization": f"Bearer {key}"} if key else {},
            retries=retries,
            circuit=circuit,
            client=client,
            clock=clock,
            sleep=sleep,
            chance=chance,
        )
        self.name = self._transport.name
        self._model = model
        self._dialect = dialect
        self._chat = endpoint == "chat"
        self._prompt = PROMPTS[prompt]
        self._extra = dict(extra or {})
        self._clock = clock
        self._pool = ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="qilin-server")
        self._lock = threading.Lock()
        self._traits: Traits | None = None
        self._warnings: tuple[str, ...] = ()

    @property
    def constrains(self) -> bool | None:
        """Whether the server keeps to a grammar; None before the first call has found out."""
        return None if self._traits is None else self._traits.dialect is not None

    @property
    def warnings(self) -> tuple[str, ...]:
        """Findings about the server that concern whoever runs it, in sentences."""
        return self._warnings

    def close(self) -> None:
        """Give the connections back; nothing can be asked any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._transport.close()

    def fill(self, requests: Sequence[GapRequest], *, timeout_s: float) -> list[GapAnswer]:
        """One answer a request, in order, within `timeout_s` seconds for all of them. Never raises."""
        begin = self._clock()
        deadline = begin + timeout_s
        # In threads, since no time-out of a socket covers looking up its address or all of its phases together.
        asked = [self._pool.submit(self._answer, request, deadline) for request in requests]
        answers = []
        for each in asked:
            try:
                answers.append(each.result(timeout=max(deadline - self._clock(), 0.0)))
            except FutureTimeout:
                each.cancel()
                late = (self._clock() - begin) * 1000
                answers.append(GapAnswer("", latency_ms=late, error=f"{self.name} did not answer in time"))
        return answers

    # ── one request ──────────────────────────────────────────────────────────────────────────────

    def _answer(self, request: GapRequest, deadline: float) -> GapAnswer:
        begin = self._clock()
        try:
            answer = self._ask(request, self._known(deadline), deadline)
        except Fault as fault:
            answer = GapAnswer("", error=str(fault))
        except Exception as error:  # the rules' answer stands, whatever a server comes up with
            answer = GapAnswer("", error=f"{self.name} failed: {type(error).__name__}: {error}")
        return answer._replace(latency_ms=(self._clock() - begin) * 1000)

    def _ask(self, request: GapRequest, traits: Traits, deadline: float) -> GapAnswer:
        whole = OpenSegments("", request.segments, "")
        asked = open_segments(request.segments) if traits.continues else whole
        rules, most_tokens = grammar(asked.segments), _most_tokens(asked.segments)
        generated, logprobs = self._generate(
            self._prompt(request.query), asked.before, rules, most_tokens, traits, deadline
        )
        text = asked.before + generated + asked.after
        read = read_answer(text, request)
        if read is None and asked is not whole and (read := read_answer(generated, request)) is not None:
            text, asked = generated, whole  # it repeated the settled text
        if read is None:
            return GapAnswer(text)
        offset, segments = len(asked.before), asked.segments
        tokens = tokens_of_chat(logprobs) if self._chat else tokens_of_completion(logprobs)
        if tokens is None:
            return GapAnswer(text)
        spans = [(said.begin - offset, said.end - offset) for said in read]
        scores = segment_scores(tokens, generated, spans, lambda beginning: is_beginning(beginning, segments))
        return GapAnswer(text, scores)

    def _generate(
        self, prompt: str, before: str, rules: str, most_tokens: int, traits: Traits, deadline: float
    ) -> tuple[str, Any]:
        """The generated text, and the log probabilities as the server reports them.

        Args:
            before: the beginning of the answer, which the server goes on from.
            rules: a GBNF grammar of the rest.
        """
        body: dict[str, Any] = {"model": traits.model, "temperature": 0, "max_tokens": most_tokens, "stream": False}
        if self._chat:
            messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": prompt}]
            if before:
                messages.append({"role": "assistant", "content": before})
                body |= traits.dialect.prefill if traits.dialect else {}
            body |= {"messages": messages, "logprobs": True, "top_logprobs": _TOP}
        else:
            body |= {"prompt": chatml(prompt) + before, "logprobs": _TOP}
        body |= traits.dialect.grammar(rules) if traits.dialect else {}
        path = "chat/completions" if self._chat else "completions"
        return _completion(self._transport.post(path, body | self._extra, deadline), self.name)

    # ── what the server is ───────────────────────────────────────────────────────────────────────

    def _known(self, deadline: float) -> Traits:
        """The server's traits; found out by the first call that reaches it."""
        if self._traits is None:
            with self._lock:
                if self._traits is None:
                    self._traits = self._probe(deadline)
        return self._traits

    def _probe(self, deadline: float) -> Traits:
        """Ask under a grammar that allows only what no model would say, once as a whole and once begun."""
        model, owner = self._listed(deadline)
        wanted = [DIALECTS[self._dialect]] if self._dialect != "auto" else []
        wanted = wanted or [d for d in DIALECTS.values() if d.owner == owner] or list(DIALECTS.values())
        for dialect in wanted:
            whole = Traits(model, dialect, False)
            if self._keeps_to(whole, "", _UNLIKELY, deadline):
                continues = self._keeps_to(whole, _UNLIKELY_BEGINNING, _UNLIKELY, deadline)
                if not continues:
                    self._warn("it does not go on from a message that is begun; the whole answer is asked for")
                return whole._replace(continues=continues)
        self._warn(
            "it does not keep to a grammar: answers are only checked, and most will be rejected. "
            "vLLM needs version 0.12 or newer; see docs/models.md"
        )
        return Traits(model, None, False)

    def _keeps_to(self, traits: Traits, before: str, only: str, deadline: float) -> bool:
        """Whether the server says what its grammar allows, and nothing else."""
        try:
            said, _ = self._generate("请回答：济南", before, f'root ::= "{only}"\n', 32, traits, deadline)
        except Fault as fault:
            if fault.server_failed:
                raise
            return False  # it refuses a field
        return said == only

    def _listed(self, deadline: float) -> tuple[str, str]:
        """The model to ask, and its owner as the server reports it.

        Raises: Fault, where the server cannot be asked, or lists no model and none was given.
        """
        try:
            models = self._transport.get("models", deadline)["data"]
            first = next((m for m in models if self._model in (None, m["id"])), {"id": self._model})
            model, owner = first["id"], first.get("owned_by", "")
        except Fault as fault:
            if fault.server_failed or self._model is None:
                raise
            return self._model, ""
        except (TypeError, KeyError, AttributeError):
            model, owner = self._model, ""
        if not isinstance(model, str):
            raise Fault(f"{self.name} lists no model; give its name (model=…).", server_failed=False)
        return model, str(owner)

    def _warn(self, finding: str) -> None:
        self._warnings = (*self._warnings, finding)
        log.warning("%s: %s", self.name, finding)


def _completion(reply: Any, name: str) -> tuple[str, Any]:
    """The text of a completion and its log probabilities."""
    try:
        choice = reply["choices"][0]
        message = choice.get("message")
        said = choice["text"] if message is None else message["content"]
        refusal = message.get("refusal") if message is not None else None
        reason = choice.get("finish_reason")
    except (TypeError, KeyError, IndexError, AttributeError) as error:
        raise Fault(f"{name} answered without a completion", server_failed=False) from error
    if refusal or reason == "content_filter":
        raise Fault("the model refused to answer", server_failed=False)
    if reason == "length":
        raise Fault("the model's answer was cut short", server_failed=False)
    if not isinstance(said, str) or not said:
        raise Fault("the model's answer is empty", server_failed=False)
    return said, choice.get("logprobs")


def _most_tokens(segments: Sequence[Segment]) -> int:
    """Room for any sensible answer, and no more: some servers refuse what might not fit their window."""
    most = 64
    for segment in segments:
        if isinstance(segment, Choice):
            most += max(map(len, segment.alternatives))
        else:
            most += len(segment.text) * (4 if isinstance(segment, Free) else 1)
    return min(most, 2048)
