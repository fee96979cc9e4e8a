"""From where an entry point is asked when nobody says from where: the internet, or a host inside for internal ones."""

from collections.abc import Iterator

import msgspec

from aksnav.model.addresses import Prefix, parse_prefix
from aksnav.model.kubernetes.workload import Pod
from aksnav.store.store import Store
from aksnav.trace.azure.joins import subnet_of
from aksnav.trace.memo import once
from aksnav.trace.request import Origin, Request, Source
from aksnav.trace.routing.types import EntryPoint

_KEPT_BY_AZURE = 5  # the first four addresses and the last one of a subnet
_SMALLEST = 8  # addresses in the smallest subnet
_FIRST = 4  # its first address that a host can have


def seen_from(store: Store, point: EntryPoint) -> Request:
    """Return the request of an entry point: an internal one is asked from inside, since the internet cannot reach it.

    A Service is asked from a ready Pod; an address from a host of the virtual network that is no node, and where no
    virtual network is known, from a node. A private endpoint is asked from a host beside it: others may have no road.
    """
    request = point.request
    if not point.internal or request.source.origin is not Origin.INTERNET:
        return request
    if point.beside is not None:
        return msgspec.structs.replace(request, source=_neighbour(store, point.beside))
    source = _pod(store) if request.service else next(_hosts(store), None) or _node(store)
    return request if source is None else msgspec.structs.replace(request, source=source)


def _hosts(store: Store) -> Iterator[Source]:
    """Yield an address for a host in each subnet, those without nodes first."""
    subnets = [
        block
        for network in sorted(store.virtual_networks, key=lambda network: network.id)
        for subnet in network.subnets
        for block in map(parse_prefix, subnet.prefixes)
        if block is not None and block.size > _KEPT_BY_AZURE
    ]
    for block in sorted(subnets, key=lambda block: _has_node(store, block)):
        yield Source(Origin.ADDRESS, address=block.last - 1)


def _neighbour(store: Store, address: int) -> Source:
    """Return an address for a host in the subnet of another address: the last one, or the next to it."""
    place = subnet_of(store, address)
    blocks = map(parse_prefix, place[1].prefixes) if place is not None else ()
    last = next((block.last - 1 for block in blocks if block is not None and address in block), address)
    # The smallest subnet has eight addresses, and Azure keeps the first four and the last one of it.
    beside = address + 1 if address % _SMALLEST == _FIRST else address - 1
    return Source(Origin.ADDRESS, address=last if last != address else beside)


def _has_node(store: Store, block: Prefix) -> bool:
    return any(number in block for number in store.nodes_by_address.keys())  # noqa: SIM118 - an index, not a dict


def _node(store: Store) -> Source | None:
    name = min((node.name for node in store.nodes), default="")
    return Source(Origin.NODE, id=name) if name else None


def _pod(store: Store) -> Source | None:
    known: _FirstReady = once(store, "the first ready Pod", (), _FirstReady)
    found = known.now(store)
    return Source(Origin.POD, id=found) if found else None


class _FirstReady:
    """The first ready Pod by id, followed by what has changed: looking at 200,000 Pods takes a tenth of a second."""

    def __init__(self) -> None:
        self._version = -1
        self._id = ""

    def now(self, store: Store) -> str:
        """Return its id, an empty string if no Pod is ready."""
        pods = store.pods
        if self._version == pods.version:
            return self._id
        changed = pods.changed_since(self._version) if self._version >= 0 else None
        self._version = pods.version
        if changed is not None and (self._id not in changed or _can_ask(pods.get(self._id))):
            came = [ident for ident in changed if _can_ask(pods.get(ident))]
            self._id = min([*came, self._id] if self._id else came, default="")
        else:
            self._id = min((pod.id for pod in pods if _can_ask(pod)), default="")
        return self._id


def _can_ask(pod: Pod | None) -> bool:
    return pod is not None and pod.ready and not pod.template.host_network
