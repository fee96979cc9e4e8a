"""Straight to the store, over etcd's JSON gateway: write many objects at once, and compact history away."""

import base64
import http.client
import json
from collections.abc import Iterable
from itertools import islice
from typing import Any

MARKER = "/aksnav-test/compacted"


class EtcdError(RuntimeError):
    """etcd refused a request; the message is its own."""


def _text(value: str | bytes) -> str:
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()


class Etcd:
    """A connection to the store."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def call(self, method: str, body: dict[str, Any]) -> dict[str, Any]:
        """Call one method of the gateway (``kv/range``) and return its answer.

        Raises:
            EtcdError: etcd answered with another status than 200.
        """
        self._connection.request("POST", f"/v3/{method}", json.dumps(body))
        response = self._connection.getresponse()
        answer: dict[str, Any] = json.loads(response.read())
        if response.status != http.client.OK:
            raise EtcdError(f"{method}: {answer.get('message', answer)}")
        return answer

    def put(self, objects: Iterable[tuple[str, bytes]], transaction: int = 100) -> int:
        """Write objects and return how many there were.

        Args:
            objects: key (``/registry/pods/NAMESPACE/NAME``) and stored JSON of each.
            transaction: objects of one transaction. They share one revision, and so one resourceVersion, which the
                API server never does: a stream of changes that watches follow wants 1.
        """
        rest, count = iter(objects), 0
        while batch := list(islice(rest, transaction)):
            puts = [{"requestPut": {"key": _text(key), "value": _text(value)}} for key, value in batch]
            self.call("kv/txn", {"success": puts})
            count += len(batch)
        return count

    def compact(self) -> int:
        """Forget every revision before a new one, and return that one.

        A marker is written first: the revision of everything that clients have seen is then older than the one that
        is kept.
        """
        revision = int(self.call("kv/put", {"key": _text(MARKER), "value": ""})["header"]["revision"])
        self.call("kv/compaction", {"revision": str(revision), "physical": True})
        return revision

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
