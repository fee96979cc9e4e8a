"""The few requests that the tests send themselves: one HTTPS request, one watch, and the bounded wait for a fact."""

import http.client
import json
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
POLL_INTERVAL = 0.05
T = TypeVar("T")


class NotReachedError(AssertionError):
    """A fact that a test waited for did not come true in time."""


def until(ask: Callable[[], T], timeout: float = 20.0, what: str = "") -> T:
    """Ask again until the answer is true.

    Args:
        ask: the question; an exception of a connection that is not there counts as "not yet".
        timeout: seconds after which it gives up.
        what: the fact, for the message.

    Returns:
        The first answer that is true.

    Raises:
        NotReachedError: no such answer came in time; the message holds the last one.
    """
    deadline = time.monotonic() + timeout
    last: object = None
    while time.monotonic() < deadline:
        try:
            answer = ask()
        except (OSError, http.client.HTTPException) as error:
            last = error
        else:
            if answer:
                return answer
            last = answer
        time.sleep(POLL_INTERVAL)
    raise NotReachedError(f"not reached within {timeout:g} s: {what or ask}; last answer: {last!r}")


@dataclass(frozen=True)
class Answer:
    """What the API server answered: the status code and the decoded body (text when it is not JSON)."""

    code: int
    body: Any


@dataclass(frozen=True)
class ApiClient:
    """One user's way to the API server.

    Attributes:
        host: address and port.
        certificate: file with the certificate that the server must show.
        token: bearer token of the user.
    """

    host: str
    certificate: Path
    token: str
    timeout: float = 20.0

    @contextmanager
    def _open(self, method: str, path: str, body: object, content_type: str) -> Iterator[http.client.HTTPResponse]:
        context = ssl.create_default_context(cafile=str(self.certificate))
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json", "Content-Type": content_type}
        connection = http.client.HTTPSConnection(self.host, timeout=self.timeout, context=context)
        with closing(connection):
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            with connection.getresponse() as response:
                yield response

    def request(self, method: str, path: str, body: object = None, content_type: str = "application/json") -> Answer:
        """Send one request and return the answer, whatever its status."""
        with self._open(method, path, body, content_type) as response:
            raw = response.read()
            try:
                return Answer(response.status, json.loads(raw))
            except ValueError:
                return Answer(response.status, raw.decode(errors="replace"))

    def get(self, path: str) -> Answer:
        """Send a GET."""
        return self.request("GET", path)

    def watch(self, path: str, resource_version: str, seconds: int = 10) -> Iterator[dict[str, Any]]:
        """Follow a collection from a resource version, for ``seconds`` at the most.

        Yields:
            The events, ERROR events included (an expired resource version is one, with code 410). A refusal before
            the first event is yielded as an ERROR event too.
        """
        joint = "&" if "?" in path else "?"
        query = f"{joint}watch=1&resourceVersion={resource_version}&timeoutSeconds={seconds}"
        with self._open("GET", path + query, None, "application/json") as response:
            if response.status != http.client.OK:
                yield {"type": "ERROR", "object": json.loads(response.read())}
                return
            for line in response:
                yield json.loads(line)
