"""What an ingress gateway of Istio's does with a packet: policy, listener, rule, destinations."""

import msgspec

from aksnav.store import Store
from aksnav.trace.istio import authorization, http, listener, streams
from aksnav.trace.istio.scope import workload
from aksnav.trace.packet import Packet
from aksnav.trace.routing.types import Controller, Routing

OWN_PORTS = frozenset({15020, 15021, 15090})
"""Envoy's own listeners in a gateway: merged telemetry, health, Prometheus (Istio documentation, "Ports used")."""


def route(store: Store, controller: Controller, packet: Packet) -> Routing:
    """Return what the Gateways and VirtualServices of a gateway workload do with a packet.

    Args:
        store: what is known.
        controller: who received it.
        packet: as the client sent it; ``port`` is the Service's.
    """
    if packet.port in OWN_PORTS:
        return Routing(steps=())
    at = workload(controller)
    opened = listener.choose(store, controller, at, packet)
    if opened.ended or not opened.speaks:
        return Routing(steps=opened.steps, ended=opened.ended)
    asked = authorization.at_gateway(store, controller, at, packet, http=opened.speaks == "http")
    steps = (*opened.steps, *((asked.step,) if asked.step is not None else ()))
    if asked.ended:
        return Routing(steps=steps, ended=True)
    found = (
        http.route(store, opened.servers, at, packet)
        if opened.speaks == "http"
        else streams.route(store, opened.servers[0], at, opened.speaks, packet)
    )
    return msgspec.structs.replace(found, steps=(*steps, *found.steps))
