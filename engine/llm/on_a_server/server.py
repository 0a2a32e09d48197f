"""Asks a model behind an OpenAI-compatible endpoint: vLLM, SGLang, llama.cpp.

Servers fail open: one that does not know a grammar drops it without a word and answers 200. So the
first call tries out whether this one really constrains, and every answer is read again in full.
"""

from __future__ import annotations

import json
import logging
import os
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit

import httpx

from qilin.llm.constraint import OpenPart, grammar, open_part
from qilin.llm.legal import is_beginning, read_answer
from qilin.llm.on_a_server.circuit import Circuit
from qilin.llm.on_a_server.dialects import DIALECTS, Dialect
from qilin.llm.on_a_server.scores import heard_in_chat, heard_in_completion, stretch_scores
from qilin.llm.prompt import PROMPTS, SYSTEM
from qilin.llm.protocol import Choice, Free, GapAnswer, GapRequest, Segment

log = logging.getLogger(__name__)

_LARGEST = 1_000_000  # bytes of one reply
_AT_ONCE = 8  # requests of one batch that are under way together
_TOP = 5  # likeliest tokens asked for in each place
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 2.0
_UNLIKELY, _UNLIKELY_BEGINNING = "龘靐齉", "麤鱻"  # no model says these of its own accord
_RETRIED = frozenset([408, 425, 429, 500, 502, 503, 504])


class _Fault(Exception):
    """Why there is no answer, in one sentence; `counts`: it is the server that failed; `again`: a retry may help."""

    def __init__(self, reason: str, *, counts: bool = True, again: bool = False) -> None:
        super().__init__(reason)
        self.counts = counts
        self.again = again


class Traits(NamedTuple):
    """What a server was found to be.

    `dialect` is None for one that follows a grammar in none of the dialects; `continues`: it goes
    on from what is settled, so that only the open part has to be said.
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

    Raises: ValueError, for an address or an option that cannot be.
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
        self._url = api_address(url)
        self.name = f"server:{_shown(self._url)}"
        self._model = model
        self._dialect = dialect
        self._endpoint = endpoint
        self._prompt = PROMPTS[prompt]
        self._extra = dict(extra or {})
        self._retries = retries
        self._clock = clock
        self._sleep = sleep
        self._chance = chance
        self._circuit = circuit if circuit is not None else Circuit(clock=clock)
        key = os.environ.get(api_key_env)
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = client or httpx.Client(
            limits=httpx.Limits(max_connections=_AT_ONCE, max_keepalive_connections=_AT_ONCE), trust_env=False
        )
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="qilin-server")
        self._lock = threading.Lock()
        self._traits: Traits | None = None
        self._warnings: tuple[str, ...] = ()

    @property
    def constrains(self) -> bool | None:
        """Whether the server keeps to a grammar; None before the first call has found out."""
        return None if self._traits is None else self._traits.dialect is not None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What whoever runs this should know about the server."""
        return self._warnings

    def close(self) -> None:
        """Give the connections back; nothing can be asked any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._client.close()

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
            traits = self._known(deadline)
            answer = self._ask(request, traits, deadline)
        except _Fault as fault:
            answer = GapAnswer("", error=str(fault))
        except Exception as error:  # the rules' answer stands, whatever a server comes up with
            answer = GapAnswer("", error=f"{self.name} failed: {type(error).__name__}: {error}")
        return answer._replace(latency_ms=(self._clock() - begin) * 1000)

    def _ask(self, request: GapRequest, traits: Traits, deadline: float) -> GapAnswer:
        whole = OpenPart("", request.segments, "")
        part = open_part(request.segments) if traits.continues else whole
        said, logprobs = self._say(self._prompt(request.query), part.before, part.segments, traits, deadline)
        text = part.before + said + part.after
        read = read_answer(text, request)
        if read is None and part is not whole and read_answer(said, request) is not None:
            text, part, read = said, whole, read_answer(said, request)  # it said the settled part again
        scores = None
        if read is not None:
            hear = heard_in_chat if self._endpoint == "chat" else heard_in_completion
            heard = hear(logprobs)
            offset, segments = len(part.before), part.segments
            if heard is not None:
                scores = stretch_scores(
                    heard,
                    said,
                    [(s.begin - offset, s.end - offset) for s in read],
                    lambda beginning: is_beginning(beginning, segments),
                )
        return GapAnswer(text, scores)

    def _say(
        self, prompt: str, before: str, segments: Sequence[Segment], traits: Traits, deadline: float
    ) -> tuple[str, Any]:
        """What the model says, and the log probabilities as the server tells them."""
        return self._generate(prompt, before, grammar(segments), _most_tokens(segments), traits, deadline)

    def _generate(
        self, prompt: str, before: str, rules: str, most_tokens: int, traits: Traits, deadline: float
    ) -> tuple[str, Any]:
        body: dict[str, Any] = {"model": traits.model, "temperature": 0, "max_tokens": most_tokens, "stream": False}
        if self._endpoint == "chat":
            messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": prompt}]
            if before:
                messages.append({"role": "assistant", "content": before})
                body |= traits.dialect.prefill if traits.dialect else {}
            body |= {"messages": messages, "logprobs": True, "top_logprobs": _TOP}
        else:
            body |= {"prompt": chatml(prompt) + before, "logprobs": _TOP}
        body |= traits.dialect.grammar(rules) if traits.dialect else {}
        reply = self._post(
            "chat/completions" if self._endpoint == "chat" else "completions", body | self._extra, deadline
        )
        return _content(reply, self.name)

    # ── what the server is ───────────────────────────────────────────────────────────────────────

    def _known(self, deadline: float) -> Traits:
        """What the server is; found out by the first call that reaches it."""
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
        try:
            said, _ = self._generate("请回答：济南", before, f'root ::= "{only}"\n', 32, traits, deadline)
        except _Fault as fault:
            if fault.counts:
                raise
            return False  # a field that it does not accept
        return said == only

    def _listed(self, deadline: float) -> tuple[str, str]:
        """The model to ask and who the server says it belongs to."""
        try:
            models = self._get("models", deadline)["data"]
            first = next((m for m in models if self._model in (None, m["id"])), {"id": self._model})
            model, owner = first["id"], first.get("owned_by", "")
        except _Fault as fault:
            if fault.counts or self._model is None:
                raise
            return self._model, ""
        except (TypeError, KeyError, AttributeError):
            model, owner = self._model, ""
        if not isinstance(model, str):
            raise _Fault(f"{self.name} lists no model; give its name (model=…).", counts=False)
        return model, str(owner)

    def _warn(self, what: str) -> None:
        self._warnings = (*self._warnings, what)
        log.warning("%s: %s", self.name, what)

    # ── transport ────────────────────────────────────────────────────────────────────────────────

    def _get(self, path: str, deadline: float) -> Any:
        return self._send("GET", path, None, deadline)

    def _post(self, path: str, body: dict[str, Any], deadline: float) -> Any:
        return self._send("POST", path, body, deadline)

    def _send(self, method: str, path: str, body: dict[str, Any] | None, deadline: float) -> Any:
        """The reply of one request, sent again a few times where that may help and there is time."""
        attempt = 0
        while True:
            if not self._circuit.admits():
                raise _Fault(f"{self.name} kept failing and is left alone for a while", counts=False)
            try:
                reply = self._once(method, path, body, deadline)
            except _Fault as fault:
                (self._circuit.failed if fault.counts else self._circuit.succeeded)()
                wait = min(_FIRST_WAIT_S * 2**attempt, _LONGEST_WAIT_S) * (0.5 + self._chance())
                if not fault.again or attempt >= self._retries or self._clock() + wait >= deadline:
                    raise
            except BaseException:
                self._circuit.failed()
                raise
            else:
                self._circuit.succeeded()
                return reply
            self._sleep(wait)
            attempt += 1

    def _once(self, method: str, path: str, body: dict[str, Any] | None, deadline: float) -> Any:
        left = deadline - self._clock()
        if left <= 0:
            raise _Fault(f"{self.name} did not answer in time", counts=False)
        content = bytearray()
        try:
            with self._client.stream(
                method,
                f"{self._url}/{path}",
                content=None if body is None else json.dumps(body, ensure_ascii=False).encode(),
                headers={"Content-Type": "application/json", **self._headers},
                timeout=left,
            ) as reply:
                # A server may go on for ever, byte by byte: no single read would time out.
                for piece in reply.iter_bytes():
                    content += piece
                    if len(content) > _LARGEST:
                        raise _Fault(f"{self.name} sent more than {_LARGEST} bytes")
                    if self._clock() > deadline:
                        raise _Fault(f"{self.name} did not answer in time")
        except httpx.TimeoutException as error:
            raise _Fault(f"{self.name} did not answer in time") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _Fault(f"{self.name} cannot be reached: {type(error).__name__}: {error}", again=True) from error
        status = reply.status_code
        if status != 200:
            said = bytes(content[:200]).decode(errors="replace").replace("\n", " ")
            failed = status in _RETRIED or status >= 500
            raise _Fault(f"{self.name} answered {status}: {said}", counts=failed, again=failed)
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            raise _Fault(f"{self.name} answered with something that is no JSON") from error


def _content(reply: Any, name: str) -> tuple[str, Any]:
    """The text of a completion and its log probabilities."""
    try:
        choice = reply["choices"][0]
        message = choice.get("message")
        said = choice["text"] if message is None else message["content"]
        refusal = message.get("refusal") if message is not None else None
        reason = choice.get("finish_reason")
    except (TypeError, KeyError, IndexError, AttributeError) as error:
        raise _Fault(f"{name} answered without a completion", counts=False) from error
    if refusal or reason == "content_filter":
        raise _Fault("the model refused to answer", counts=False)
    if reason == "length":
        raise _Fault("the model's answer was cut short", counts=False)
    if not isinstance(said, str) or not said:
        raise _Fault("the model's answer is empty", counts=False)
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


def chatml(prompt: str) -> str:
    """Qwen's chat template with its system prompt, written out up to where the answer begins."""
    return f"<|im_start|>system\n{SYSTEM}<|im_end|>\n<|im_start|>user\n{prompt}<|im_end|>\n<|im_start|>assistant\n"


def api_address(url: str) -> str:
    """The address that paths are put behind: http://host:8000 is http://host:8000/v1.

    Raises: ValueError, for what is no address.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(
            f"server address {_shown(url)!r} is no http(s) URL; give one such as http://localhost:8000/v1."
        )
    url = url.rstrip("/")
    return url if parts.path.strip("/") else f"{url}/v1"


def _shown(url: str) -> str:
    """An address without what may be a password in it."""
    parts = urlsplit(url)
    return (
        f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"
        if parts.hostname
        else url
    )
