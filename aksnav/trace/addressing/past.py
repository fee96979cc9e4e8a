"""Who held an address before, as far as Events, finished Pods and what this program has seen to go tell.

An address says little about the past: Events are kept for an hour, and objects that are gone leave nothing. What is
returned is known; that nothing is returned means nothing.
"""

import re
from collections.abc import Iterator

import msgspec

from aksnav.model.addresses import Prefix, format_address, parse_address
from aksnav.model.object import Ref
from aksnav.store import Store

# Whatever looks like an address in a message: http://10.244.2.13:8080/healthz, dial tcp [fd00::7]:53.
_ADDRESS = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|\[?[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}\]?)(?![\w.])"
)


class Past(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Somebody who held an address, or something that was said of it.

    Attributes:
        address: which.
        who: the object.
        how: what says so.
        at: when, RFC 3339, empty where nobody says.
        still: the object has the address now.
    """

    address: int
    who: Ref
    how: str
    at: str = ""
    still: bool = False


def past_holders(store: Store, asked: Prefix) -> tuple[Past, ...]:
    """Return who held an address of a range before, the latest first."""
    found = [*_finished(store, asked), *_departed(store, asked), *_told(store, asked)]
    return tuple(sorted(found, key=lambda item: (item.at, item.who), reverse=True))


def _finished(store: Store, asked: Prefix) -> Iterator[Past]:
    """Yield Pods that have ended: their status keeps the address that they had."""
    single = asked.first == asked.last
    pods = store.pods_at(asked.first) if single else [pod for pod in store.pods if pod.finished]
    for pod in pods:
        if pod.finished:
            for number in map(parse_address, pod.ips):
                if number is not None and number in asked:
                    yield Past(address=number, who=Ref(pod.KIND, pod.id), how=f"Pod has ended ({pod.phase})")


def _departed(store: Store, asked: Prefix) -> Iterator[Past]:
    """Yield what was seen to go, or to change its address, since this program began to watch."""
    for gone in reversed(store.departed.rows()):
        for number in gone.addresses:
            if number in asked:
                where = f" on node {gone.node}" if gone.node else ""
                yield Past(address=number, who=Ref(gone.kind, gone.id), how=f"gone since this program watches{where}")


def _told(store: Store, asked: Prefix) -> Iterator[Past]:
    """Yield what Events say: a probe's message names the address that the Pod had."""
    seen: set[tuple[int, Ref]] = set()
    for event in sorted(store.events, key=lambda row: row.last_seen, reverse=True):
        for text in _ADDRESS.findall(event.message):
            number = parse_address(text.strip("[]"))
            who = Ref(event.about_kind, f"{event.about_namespace}/{event.about_name}".lstrip("/"))
            if number is None or number not in asked or (number, who) in seen:
                continue
            seen.add((number, who))
            how = f"Event {event.reason} names {format_address(number)}: {event.message}"
            yield Past(address=number, who=who, how=how, at=event.last_seen, still=_has(store, who, number))


def _has(store: Store, who: Ref, number: int) -> bool:
    if who.kind == "Pod":
        pod = store.pods.get(who.id)
        return pod is not None and not pod.finished and number in map(parse_address, pod.ips)
    if who.kind == "Node":
        node = store.nodes.get(who.id)
        return node is not None and number in map(parse_address, node.internal_ips)
    return False
