"""HTTP requests to one server: within a deadline, retried where that may help, stopped by a circuit breaker."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx

from qilin.llm.on_a_server.circuit import Circuit

MOST_AT_ONCE = 8  # connections
_LARGEST = 1_000_000  # bytes of one reply
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 2.0
_RETRIED = frozenset([408, 425, 429, 500, 502, 503, 504])


class Fault(Exception):
    """Why there is no answer, in one sentence.

    `server_failed`: it counts for the circuit breaker; `retriable`: another attempt may help.
    """

    def __init__(self, reason: str, *, server_failed: bool = True, retriable: bool = False) -> None:
        super().__init__(reason)
        self.server_failed = server_failed
        self.retriable = retriable


class Transport:
    """Sends JSON to one server, and reads its JSON replies; for the arguments see `ServerGapFiller`."""

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str],
        retries: int = 2,
        circuit: Circuit | None = None,
        client: httpx.Client | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.url = api_address(url)
        self.name = f"server:{_shown(self.url)}"
        self._headers = {"Content-Type": "application/json", **headers}
        self._retries = retries
        self._circuit = circuit if circuit is not None else Circuit(clock=clock)
        self._client = client or httpx.Client(
            limits=httpx.Limits(max_connections=MOST_AT_ONCE, max_keepalive_connections=MOST_AT_ONCE), trust_env=False
        )
        self._clock = clock
        self._sleep = sleep
        self._chance = chance

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def get(self, path: str, deadline: float) -> Any:
        """The reply to a GET; `deadline` in seconds of the clock. Raises: Fault."""
        return self._send("GET", path, None, deadline)

    def post(self, path: str, body: Mapping[str, Any], deadline: float) -> Any:
        """The reply to a POST; `deadline` in seconds of the clock. Raises: Fault."""
        return self._send("POST", path, json.dumps(body, ensure_ascii=False).encode(), deadline)

    def _send(self, method: str, path: str, body: bytes | None, deadline: float) -> Any:
        """The reply to a request, retried while there is time."""
        attempt = 0
        while True:
            if not self._circuit.admits():
                raise Fault(f"{self.name} kept failing and is left alone for a while", server_failed=False)
            try:
                reply = self._once(method, path, body, deadline)
            except Fault as fault:
                (self._circuit.failed if fault.server_failed else self._circuit.succeeded)()
                wait = min(_FIRST_WAIT_S * 2**attempt, _LONGEST_WAIT_S) * (0.5 + self._chance())
                if not fault.retriable or attempt >= self._retries or self._clock() + wait >= deadline:
                    raise
            except BaseException:
                self._circuit.failed()
                raise
            else:
                self._circuit.succeeded()
                return reply
            self._sleep(wait)
            attempt += 1

    def _once(self, method: str, path: str, body: bytes | None, deadline: float) -> Any:
        left = deadline - self._clock()
        if left <= 0:
            raise Fault(f"{self.name} did not answer in time", server_failed=False)
        content = bytearray()
        try:
            with self._client.stream(
                method, f"{self.url}/{path}", content=body, headers=self._headers, timeout=left
            ) as reply:
                # A server may send for ever, byte by byte: no single read would time out.
                for piece in reply.iter_bytes():
                    content += piece
                    if len(content) > _LARGEST:
                        raise Fault(f"{self.name} sent more than {_LARGEST} bytes")
                    if self._clock() > deadline:
                        raise Fault(f"{self.name} did not answer in time")
        except httpx.TimeoutException as error:
            raise Fault(f"{self.name} did not answer in time") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Fault(f"{self.name} cannot be reached: {type(error).__name__}: {error}", retriable=True) from error
        status = reply.status_code
        if status != 200:
            shown = bytes(content[:200]).decode(errors="replace").replace("\n", " ")
            failed = status in _RETRIED or status >= 500
            raise Fault(f"{self.name} answered {status}: {shown}", server_failed=failed, retriable=failed)
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            raise Fault(f"{self.name} answered with something that is no JSON") from error


def api_address(url: str) -> str:
    """The address in front of the API's paths: http://host:8000 becomes http://host:8000/v1.

    Raises: ValueError, for anything but an http(s) address.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(
            f"server address {_shown(url)!r} is no http(s) URL; give one such as http://localhost:8000/v1."
        )
    url = url.rstrip("/")
    return url if parts.path.strip("/") else f"{url}/v1"


def _shown(url: str) -> str:
    """An address without the password it may hold."""
    parts = urlsplit(url)
    if not parts.hostname:
        return url
    return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"
