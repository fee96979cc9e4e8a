"""Listeners of one Gateway that cannot be told apart (Gateway API v1: GatewaySpec.listeners, "Distinct Listeners")."""

import msgspec

from aksnav.model.kubernetes.gateway import Gateway, Listener
from aksnav.store import Store
from aksnav.trace.memo import once

HOSTNAME = "HostnameConflict"
PROTOCOL = "ProtocolConflict"
_TLS = frozenset({"HTTPS", "TLS"})
_KNOWN = frozenset({"HTTP", "HTTPS", "TLS", "TCP", "UDP"})


class Conflict(msgspec.Struct, frozen=True, gc=False):
    """Why a listener is not distinct: the reason as a controller would give it, and the names of the others."""

    reason: str
    others: tuple[str, ...]


def conflicts(store: Store, gateway: Gateway) -> dict[str, Conflict]:
    """Return the listeners of a Gateway that conflict with others of it, by name; all of them, none is the winner."""
    return once(store, f"conflicts of {gateway.id}", ("Gateway",), lambda: find(gateway))


def find(gateway: Gateway) -> dict[str, Conflict]:
    """Return the conflicts among the listeners of a Gateway, by the name of the listener."""
    found: dict[str, Conflict] = {}
    for index, item in enumerate(gateway.listeners):
        reasons = {
            other.name: reason
            for place, other in enumerate(gateway.listeners)
            if place != index and (reason := between(item, other))
        }
        if reasons:
            worst = PROTOCOL if PROTOCOL in reasons.values() else HOSTNAME
            found[item.name] = Conflict(worst, tuple(sorted(reasons)))
    return found


def between(one: Listener, other: Listener) -> str:
    """Return why two listeners conflict, an empty string if they do not.

    Listeners of one protocol differ in port or, where the protocol has one, in hostname; TCP shares its port with
    nothing that TCP carries. One port speaks plain HTTP or TLS, and HTTPS and TLS on one port are told apart by name.
    Protocols that the API does not define are up to the controller.
    """
    pair = {one.protocol, other.protocol}
    if one.port != other.port or not pair <= _KNOWN or ("UDP" in pair and pair != {"UDP"}):
        return ""
    if pair & {"TCP", "UDP"}:
        return PROTOCOL
    if pair != {"HTTP"} and not pair <= _TLS:
        return PROTOCOL
    if one.hostname.lower() != other.hostname.lower():
        return ""
    return HOSTNAME if len(pair) == 1 else PROTOCOL
