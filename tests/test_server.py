"""The door to an OpenAI-compatible server: what is sent, what is made of the reply, and how long it may take."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("httpx")

from qilin.llm.legal import is_beginning
from qilin.llm.on_a_server.circuit import Circuit
from qilin.llm.on_a_server.scores import ScoredToken, segment_scores, tokens_of_chat, tokens_of_completion
from qilin.llm.on_a_server.server import ServerGapFiller
from qilin.llm.prompt import SYSTEM, chatml, full_prompt
from qilin.llm.protocol import Choice, Free, GapRequest, Settled
from tests.scripted_server import GRAMMAR, ScriptedServer, completion, serving

HEZE = "<Province>山东省</Province><City>菏泽</City>"
REQUEST = GapRequest("菏泽低电压台区数，谢谢", (Settled(HEZE), Free("低电压台区数"), Settled("，谢谢")))
SAID = "<Indicator>低电压台区数</Indicator>"


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with serving() as scripted:
        scripted.script = lambda body: completion(SAID)
        yield scripted


@pytest.fixture
def filler(server: ScriptedServer) -> Iterator[ServerGapFiller]:
    with_no_waiting = ServerGapFiller(server.url, sleep=lambda _: None, chance=lambda: 0.5)
    yield with_no_waiting
    with_no_waiting.close()


@pytest.mark.parametrize("owner", ["vllm", "sglang", "llamacpp"])
def test_each_kind_of_server_is_told_the_grammar_its_own_way(
    server: ScriptedServer, filler: ServerGapFiller, owner: str
) -> None:
    server.owner = owner
    assert filler.constrains is None
    (answer,) = filler.fill([REQUEST], timeout_s=10)
    assert answer.text == f"{HEZE}{SAID}，谢谢" and answer.error is None
    assert filler.constrains is True and not filler.warnings
    (body,) = server.asked
    rules = GRAMMAR[owner](body)
    assert rules.startswith("root ::= ") and "菏泽" not in rules and "谢谢" not in rules
    assert sum(grammar(body) is not None for grammar in GRAMMAR.values()) == 1
    assert body["model"] == "qwen" and body["temperature"] == 0 and body["stream"] is False
    assert body["messages"] == [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": full_prompt(REQUEST.query)},
        {"role": "assistant", "content": HEZE},
    ]


def test_the_server_is_tried_out_only_once(server: ScriptedServer, filler: ServerGapFiller) -> None:
    for _ in range(3):
        filler.fill([REQUEST], timeout_s=10)
    assert server.probed == 2


def test_a_server_that_cannot_go_on_is_asked_for_the_whole_answer(
    server: ScriptedServer, filler: ServerGapFiller
) -> None:
    server.continues = False
    server.script = lambda body: completion(f"{HEZE}{SAID}，谢谢")
    (answer,) = filler.fill([REQUEST], timeout_s=10)
    assert answer.text == f"{HEZE}{SAID}，谢谢"
    assert len(server.asked[0]["messages"]) == 2 and "谢谢" in GRAMMAR["vllm"](server.asked[0])
    assert any("does not go on" in warning for warning in filler.warnings)


def test_an_answer_that_says_the_settled_part_again_is_taken(server: ScriptedServer, filler: ServerGapFiller) -> None:
    server.script = lambda body: completion(f"{HEZE}{SAID}，谢谢")
    (answer,) = filler.fill([REQUEST], timeout_s=10)
    assert answer.text == f"{HEZE}{SAID}，谢谢"


@pytest.mark.parametrize("owner", ["vllm", "someone"])
def test_a_server_that_only_pretends_to_constrain_is_found_out(
    server: ScriptedServer, filler: ServerGapFiller, owner: str, caplog: pytest.LogCaptureFixture
) -> None:
    server.constrains, server.owner = False, owner
    with caplog.at_level(logging.WARNING):
        (answer,) = filler.fill([REQUEST], timeout_s=10)
    assert filler.constrains is False
    assert any("does not keep to a grammar" in warning for warning in filler.warnings)
    assert "does not keep to a grammar" in caplog.text
    assert answer.text == SAID  # whatever it is: the engine reads it again


def test_an_unknown_server_is_tried_in_every_dialect(server: ScriptedServer, filler: ServerGapFiller) -> None:
    GRAMMAR["mystery"] = GRAMMAR["llamacpp"]
    try:
        server.owner = "mystery"
        filler.fill([REQUEST], timeout_s=10)
        assert filler.constrains is True
        assert "grammar" in server.asked[0]
    finally:
        del GRAMMAR["mystery"]


def test_the_text_completion_endpoint_writes_the_template_out(server: ScriptedServer) -> None:
    filler = ServerGapFiller(server.url, endpoint="completions", prompt="bare")
    server.reply = _with_text(server.reply)  # type: ignore[method-assign]
    (answer,) = filler.fill([REQUEST], timeout_s=10)
    assert answer.text == f"{HEZE}{SAID}，谢谢"
    assert server.asked[0]["prompt"] == chatml(REQUEST.query) + HEZE
    filler.close()


def _with_text(reply: Any) -> Any:
    def changed(path: str, body: Any) -> Any:
        answer = reply(path, body)
        if isinstance(answer, dict) and "choices" in answer:
            return {"choices": [{"text": answer["choices"][0]["message"]["content"], "finish_reason": "stop"}]}
        return answer

    return changed


def test_the_key_comes_from_the_environment(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "s3cret")
    filler = ServerGapFiller(server.url, api_key_env="MY_KEY", model="tuned", extra={"seed": 7})
    filler.fill([REQUEST], timeout_s=10)
    assert server.headers[-1]["Authorization"] == "Bearer s3cret"
    assert server.asked[-1]["model"] == "tuned" and server.asked[-1]["seed"] == 7
    assert "s3cret" not in repr(vars(filler)["name"])
    filler.close()


def test_a_batch_keeps_its_order(server: ScriptedServer, filler: ServerGapFiller) -> None:
    requests = [GapRequest(f"q{i}", (Free(f"甲{i}"),)) for i in range(20)]
    server.script = lambda body: completion(body["messages"][1]["content"].rpartition("q")[2])
    answers = filler.fill(requests, timeout_s=10)
    assert [a.text for a in answers] == [str(i) for i in range(20)]
    assert server.probed == 2


@pytest.mark.parametrize(
    ("address", "wrong"),
    [("localhost:8000", "http"), ("ftp://host/v1", "http"), ("", "http"), ("http://", "http")],
)
def test_an_address_that_cannot_be_is_refused(address: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        ServerGapFiller(address)


def test_options_that_are_not_known_are_refused() -> None:
    for options in ({"dialect": "x"}, {"endpoint": "x"}, {"prompt": "x"}):
        with pytest.raises(ValueError, match="is not known"):
            ServerGapFiller("http://localhost:1/v1", **options)  # type: ignore[arg-type]


def test_a_password_in_the_address_is_not_shown() -> None:
    filler = ServerGapFiller("http://me:pass@localhost:8000")
    assert filler.name == "server:http://localhost:8000/v1"
    filler.close()


# ── retries, the circuit, the deadline ───────────────────────────────────────────────────────────


def test_a_server_that_stumbles_is_asked_again_after_growing_waits(server: ScriptedServer) -> None:
    waits: list[float] = []
    filler = ServerGapFiller(server.url, sleep=waits.append, chance=lambda: 0.5)
    filler.fill([REQUEST], timeout_s=10)
    replies = iter([(503, b"busy"), (429, b"slow down"), completion(SAID)])
    server.script = lambda body: next(replies)
    (answer,) = filler.fill([REQUEST], timeout_s=10)
    assert answer.error is None and waits == [0.1, 0.2]
    filler.close()


def test_what_the_server_will_not_take_is_not_sent_again(server: ScriptedServer, filler: ServerGapFiller) -> None:
    filler.fill([REQUEST], timeout_s=10)
    server.asked.clear()
    server.script = lambda body: (400, b'{"error": "bad"}')
    (answer,) = filler.fill([REQUEST], timeout_s=10)
    assert len(server.asked) == 1 and answer.error is not None and "400" in answer.error


def test_no_wait_goes_past_the_deadline(server: ScriptedServer) -> None:
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    filler = ServerGapFiller(
        server.url, clock=lambda: now[0], sleep=sleep, retries=50, circuit=Circuit(most_failures=99)
    )
    filler.fill([REQUEST], timeout_s=10)
    server.script = lambda body: (500, b"")
    filler.fill([REQUEST], timeout_s=3)
    assert now[0] <= 3
    filler.close()


def test_a_server_that_keeps_failing_is_left_alone_and_tried_again(server: ScriptedServer) -> None:
    now = [0.0]
    circuit = Circuit(most_failures=3, rest_s=30, clock=lambda: now[0])
    filler = ServerGapFiller(server.url, circuit=circuit, retries=0)
    filler.fill([REQUEST], timeout_s=10)
    good = server.script
    server.script = lambda body: (500, b"")
    for _ in range(3):
        filler.fill([REQUEST], timeout_s=10)
    count = len(server.asked)
    (answer,) = filler.fill([REQUEST], timeout_s=10)
    assert len(server.asked) == count and answer.error is not None and "left alone" in answer.error
    now[0] = 31
    filler.fill([REQUEST], timeout_s=10)  # the trial fails: it opens anew
    assert len(server.asked) == count + 1 and circuit.is_open
    server.script = good
    now[0] = 62
    assert filler.fill([REQUEST], timeout_s=10)[0].error is None and not circuit.is_open
    filler.close()


def test_the_circuit_lets_one_trial_through_at_a_time() -> None:
    now = [0.0]
    circuit = Circuit(most_failures=1, rest_s=5, clock=lambda: now[0])
    assert circuit.admits()
    circuit.failed()
    assert not circuit.admits()
    now[0] = 5
    assert circuit.admits() and not circuit.admits()
    circuit.succeeded()
    assert circuit.admits() and not circuit.is_open


# ── scores ───────────────────────────────────────────────────────────────────────────────────────


def chat_logprobs(*tokens: tuple[str, float, dict[str, float]]) -> dict[str, Any]:
    """Log probabilities as a chat completion has them; the numbers given are probabilities."""
    return {
        "content": [
            {
                "token": token,
                "logprob": math.log(p),
                "bytes": list(token.encode()),
                "top_logprobs": [
                    {"token": o, "logprob": math.log(q), "bytes": list(o.encode())} for o, q in others.items()
                ],
            }
            for token, p, others in tokens
        ]
    }


def test_a_score_counts_only_what_was_legal_in_its_place(server: ScriptedServer, filler: ServerGapFiller) -> None:
    request = GapRequest("q", (Settled("甲"), Choice(("乙一", "丙二")), Settled("丁"), Free("戊"), Settled("己")))
    logprobs = chat_logprobs(
        ("乙", 0.3, {"乙": 0.3, "丙": 0.1, "这": 0.6}),
        ("一", 0.01, {"的": 0.99}),
        ("丁", 0.5, {}),
        ("戊", 0.4, {"<Ind": 0.2, "戊": 0.4, "x": 0.4}),
    )
    server.script = lambda body: completion("乙一丁戊", logprobs=logprobs)
    (answer,) = filler.fill([request], timeout_s=10)
    assert answer.text == "甲乙一丁戊己"
    assert answer.scores == pytest.approx((0.75, 0.4 / 0.6))


def test_tokens_that_were_not_listed_count_against_it() -> None:
    tokens = [ScoredToken("乙".encode(), math.log(0.5), (("乙".encode(), math.log(0.5)),))]
    scores = segment_scores(tokens, "乙", [(0, 1)], lambda text: is_beginning(text, (Choice(("乙", "丙")),)))
    assert scores == pytest.approx((0.5,))


def test_half_characters_are_no_reason_for_certainty() -> None:
    first, rest = "乙".encode()[:1], "乙".encode()[1:]
    tokens = [
        ScoredToken(first, math.log(0.5), ((first, math.log(0.5)), (b"\xe4\xb8", math.log(0.5)))),
        ScoredToken(rest, 0.0, ()),
    ]
    scores = segment_scores(tokens, "乙", [(0, 1)], lambda text: is_beginning(text, (Choice(("乙", "丙")),)))
    assert scores == pytest.approx((0.5,))


@pytest.mark.parametrize(
    "logprobs", [None, {}, {"content": None}, {"content": [{"token": "x"}]}, {"content": [1]}, "x"]
)
def test_log_probabilities_that_make_no_sense_give_no_score(
    server: ScriptedServer, filler: ServerGapFiller, logprobs: Any
) -> None:
    server.script = lambda body: completion(SAID, logprobs=logprobs)
    (answer,) = filler.fill([REQUEST], timeout_s=10)
    assert answer.text.endswith("，谢谢") and answer.scores is None


def test_tokens_of_another_text_give_no_score() -> None:
    tokens = tokens_of_chat(chat_logprobs(("丙", 1.0, {})))
    assert tokens is not None
    assert segment_scores(tokens, "乙", [(0, 1)], lambda text: True) is None
    assert segment_scores([], "乙", [(0, 1)], lambda text: True) is None


def test_an_end_token_is_left_out() -> None:
    tokens = tokens_of_completion(
        {"tokens": ["乙", "<|im_end|>"], "token_logprobs": [-0.1, -0.2], "top_logprobs": None}
    )
    assert tokens is not None
    assert segment_scores(tokens, "乙", [(0, 1)], lambda text: False) == pytest.approx((1.0,), abs=0.2)
    assert tokens_of_completion({"tokens": ["乙"]}) is None and tokens_of_completion(None) is None


def test_requests_are_plain_json(server: ScriptedServer, filler: ServerGapFiller) -> None:
    filler.fill([GapRequest("引“号”\\\n", (Free("台区\\"),))], timeout_s=10)
    assert json.dumps(server.asked[-1])
