"""An OpenAI-compatible server in a thread of the tests, which does what it is told, wrong things included."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Body = dict[str, Any]
GRAMMAR = {
    "vllm": lambda body: (body.get("structured_outputs") or {}).get("grammar"),
    "sglang": lambda body: body.get("ebnf"),
    "llamacpp": lambda body: body.get("grammar"),
}


def completion(text: str | None, **choice: Any) -> Body:
    """A chat completion that says the text."""
    return {"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop", **choice}]}


class ScriptedServer:
    """What the server is and does; the fields may be set at any time.

    `script` is called with the body of each request that is no probe, and gives a completion, or
    (status, bytes), or a function that writes to the connection itself.
    """

    def __init__(self) -> None:
        self.owner = "vllm"
        self.constrains = True
        self.continues = True
        self.script: Callable[[Body], Any] = lambda body: completion("")
        self.asked: list[Body] = []
        self.probed = 0
        self.headers: list[dict[str, str]] = []
        self.models: Any = None
        self.released = threading.Event()  # what hangs waits for this
        self.url = ""

    def reply(self, path: str, body: Body | None) -> Any:
        if path.endswith("/health"):
            return 200, b"ok"
        if path.endswith("/models"):
            return self.models or {"data": [{"id": "qwen", "owned_by": self.owner}]}
        assert body is not None
        text = json.dumps(body, ensure_ascii=False)
        if "龘靐齉" in text or "请回答" in text:
            self.probed += 1
            return completion(self._probe(body))
        self.asked.append(body)
        return self.script(body)

    def _probe(self, body: Body) -> str:
        rules = GRAMMAR[self.owner](body) if self.owner in GRAMMAR else None
        if not self.constrains or rules is None:
            return "济南"
        only = re.fullmatch(r'root ::= "(.*)"\n', rules)
        assert only is not None
        begun = body.get("messages", [{}])[-1].get("role") == "assistant"
        return only[1] if not begun or self.continues else "我说" + only[1]


@contextmanager
def serving() -> Iterator[ScriptedServer]:
    """A scripted server on a free port."""
    script = ScriptedServer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._send(script.reply(self.path, None))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            script.headers.append(dict(self.headers))
            self._send(script.reply(self.path, body))

        def _send(self, reply: Any) -> None:
            try:
                if callable(reply):
                    self.close_connection = True
                    reply(self)
                    return
                status, content = reply if isinstance(reply, tuple) else (200, json.dumps(reply).encode())
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    script.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    try:
        yield script
    finally:
        script.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
