"""What an ingress gateway of Istio's does with a packet: policy, listener, rule, destinations."""

import msgspec

from aksnav.model.kubernetes.gateway import Gateway
from aksnav.model.kubernetes.istio import EnvoyFilter
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.istio import authorization, http, listener, streams, tokens
from aksnav.trace.istio.scope import GATEWAY_NAME, Workload, patches, unread, workload
from aksnav.trace.packet import Packet
from aksnav.trace.routing.types import Controller, Routing
from aksnav.trace.step import Evidence, Kind, Step, Verdict

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
    asked, ended = guarded(store, controller, at, packet, http=opened.speaks == "http")
    steps = (*opened.steps, *asked)
    if ended:
        return Routing(steps=steps, ended=True)
    found = (
        http.route(store, opened.servers, at, packet)
        if opened.speaks == "http"
        else streams.route(store, opened.servers[0], at, opened.speaks, packet)
    )
    return msgspec.structs.replace(found, steps=(*steps, *found.steps))


def guarded(
    store: Store, controller: Controller, at: Workload, packet: Packet, *, http: bool
) -> tuple[tuple[Step, ...], bool]:
    """Return what tokens and policies do with a request at a gateway, before it is routed, and whether that ends it."""
    subject = controller.service.ref if controller.service is not None else None
    checked = tokens.check(store, at, packet, f"the gateway {controller.label}", subject) if http else tokens.Checked()
    asked = authorization.at_gateway(store, controller, at, packet, http=http, tokens=checked.carried)
    return (*checked.steps, *((asked.step,) if asked.step is not None else ())), asked.ended


def at_gateway(store: Store, controller: Controller, gateway: Gateway, packet: Packet, *, http: bool) -> Routing:
    """Return what Istio's own policies do with a request at a Gateway of the Gateway API.

    Args:
        store: what is known.
        controller: whose Pods Istio made for the Gateway.
        gateway: of the Gateway API.
        packet: as it arrives; ``port`` is the listener's.
        http: the proxy reads HTTP in it.

    Returns:
        Steps alone, ended where a policy refuses the request.
    """
    pods = controller.pods
    labels = pods[0].labels if pods else {GATEWAY_NAME: gateway.name}
    at = Workload(gateway.namespace, labels, gateway.name, gateway.gateway_class_name)
    steps, ended = guarded(store, controller, at, packet, http=http)
    patched, unknown = patches(store, at), unread(store, ("EnvoyFilter",))
    if patched or unknown:
        steps = (_patched(gateway, patched, unknown, packet), *steps)
    return Routing(steps=steps, ended=ended)


def _patched(gateway: Gateway, patched: tuple[EnvoyFilter, ...], unknown: str, packet: Packet) -> Step:
    named = f"EnvoyFilter {patched[0].id}, which may change what the gateway does" if patched else ""
    return Step(
        kind=Kind.MESH,
        verdict=Verdict.UNSUPPORTED if named else Verdict.PASS,
        summary=f"the proxy of Gateway {gateway.id} is configured by {'more than ' if named else ''}its routes",
        subject=patched[0].ref if patched else gateway.ref,
        packet=packet,
        evidence=tuple(Evidence(".metadata.name", row.name, row.ref) for row in patched[:3]),
        assumptions=() if named else (f"no EnvoyFilter changes what the gateway does ({unknown})",),
        missing=named,
        confirm=kubectl.listing(EnvoyFilter.KIND),
    )
