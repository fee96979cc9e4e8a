"""Which listener of a Gateway takes a packet (Gateway API v1: Listener, "Distinct Listeners")."""

from collections.abc import Sequence

import msgspec

from aksnav.model.kubernetes.gateway import Gateway, GatewayClass
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.gateway import closed, conflicts, kinds, listener_sets, status
from aksnav.trace.gateway.classes import find_condition, stale
from aksnav.trace.gateway.handshake import certificates, handshake
from aksnav.trace.gateway.place import Choice, Place
from aksnav.trace.packet import Packet
from aksnav.trace.routing.hostnames import any_labels, bare, specificity
from aksnav.trace.routing.types import Controller
from aksnav.trace.step import ENDS, Considered, Evidence, Kind, Step, Verdict


def choose(store: Store, controller: Controller, gateways: Sequence[Gateway], packet: Packet) -> Choice:
    """Return the listener for a packet: by port, then by the most specific hostname (of SNI with TLS, else of Host).

    Listeners that conflict with each other are not served (GatewaySpec.listeners, "Handling indistinct Listeners").
    """
    port = listener_port(controller, gateways, packet.port)
    everything = [Place(gateway, item) for gateway in gateways for item in gateway.listeners]
    udp = packet.protocol == "UDP"
    here = [place for place in everything if place.listener.port == port and (place.listener.protocol == "UDP") == udp]
    name = _name(packet)
    if not here:
        extra = listener_sets.taking(store, gateways, port, packet, name, None)
        steps = (extra or closed.no_port(gateways, everything, packet),)
        return Choice(place=None, steps=steps, ended=True)
    clashing = [place for place in here if place.listener.name in conflicts.conflicts(store, place.gateway)]
    distinct = [place for place in here if place not in clashing]
    clash = _clash(store, clashing, distinct, name, packet)
    if clash is not None:
        return Choice(place=None, steps=(clash,), ended=True)
    odd = closed.wrong_protocol(distinct, packet)
    if odd is not None:
        return Choice(place=None, steps=(odd,), ended=True)
    fitting = _fitting(distinct, packet)
    if not fitting:
        return Choice(place=None, steps=(closed.not_http(distinct[0], packet),))
    taking = sorted(
        (place for place in fitting if _takes(place, name)),
        key=lambda place: specificity(place.listener.hostname),
        reverse=True,
    )
    extra = listener_sets.taking(store, gateways, port, packet, name, taking[0] if taking else None)
    if extra is not None or not taking:
        step = extra or closed.no_hostname(fitting, name, packet)
        return Choice(place=None, steps=(step,), ended=True)
    return _opened(store, controller, gateways, taking, fitting, packet)


def _name(packet: Packet) -> str:
    return bare(packet.sni or packet.host) if packet.tls else bare(packet.host)


def _takes(place: Place, name: str) -> bool:
    return place.listener.protocol in {"TCP", "UDP"} or any_labels(place.listener.hostname, name)


def _fitting(places: Sequence[Place], packet: Packet) -> list[Place]:
    """The listeners that speak what the client speaks; TCP and UDP carry anything."""
    wanted = {"HTTPS", "TLS"} if packet.tls else {"HTTP"} if packet.http else set()
    return [place for place in places if place.listener.protocol in {*wanted, "TCP", "UDP"}]


def _opened(
    store: Store,
    controller: Controller,
    gateways: Sequence[Gateway],
    taking: Sequence[Place],
    fitting: Sequence[Place],
    packet: Packet,
) -> Choice:
    """The listener that takes the packet, with the handshake where TLS ends there."""
    place = taking[0]
    step = _taken(store, controller, place, fitting, packet)
    left = (*step.assumptions, *listener_sets.unread(store, gateways))
    steps = [msgspec.structs.replace(step, assumptions=left)]
    if packet.tls and place.listener.protocol in {"HTTPS", "TLS"} and not kinds.passes_through(place.listener):
        steps.append(handshake(store, place, packet))
    ended = steps[-1].verdict in ENDS
    return Choice(place=None if ended else place, steps=tuple(steps), ended=ended, others=tuple(taking[1:]))


def listener_port(controller: Controller, gateways: Sequence[Gateway], port: int) -> int:
    """Return the listener port that a packet's port means: the Service's port, also where only its target is known."""
    ports = {item.port for gateway in gateways for item in gateway.listeners}
    if port in ports or controller.service is None:
        return port
    return next((item.port for item in controller.service.ports if item.target == port and item.port in ports), port)


def _clash(
    store: Store, clashing: Sequence[Place], distinct: Sequence[Place], name: str, packet: Packet
) -> Step | None:
    """The step of a conflicting listener that would take the packet before a distinct one, or None.

    By the specification none of those in conflict is served. Where the controller's present word is that one is,
    nobody can say from the objects which.
    """
    best = max((specificity(place.listener.hostname) for place in distinct if _takes(place, name)), default=None)
    first = next(
        (
            place
            for place in sorted(clashing, key=lambda place: specificity(place.listener.hostname), reverse=True)
            if _takes(place, name) and (best is None or specificity(place.listener.hostname) > best)
        ),
        clashing[0] if clashing and not distinct else None,
    )
    if first is None:
        return None
    conflict = conflicts.conflicts(store, first.gateway)[first.listener.name]
    others = ", ".join(conflict.others)
    said = [item for kind in ("Conflicted", "Programmed", "Accepted") if (item := first.now(kind)) is not None]
    served = [item for item in said if item.status == ("False" if item.type == "Conflicted" else "True")]
    agreed = any(item.type == "Conflicted" and item.status == "True" for item in said)
    contradicted = bool(served) and not agreed
    verdict = Verdict.DROP if packet.protocol == "UDP" else Verdict.REJECT
    return Step(
        kind=Kind.GATEWAY_LISTENER,
        verdict=Verdict.UNSUPPORTED if contradicted else verdict,
        summary=f"{first.name} conflicts with {others} ({conflict.reason}): none of them is served",
        subject=first.gateway.ref,
        version=first.gateway.resource_version,
        packet=packet,
        cause="G09",
        evidence=(
            Evidence(
                first.field,
                f"{first.listener.protocol} {first.listener.port} {first.listener.hostname or '*'}",
                first.gateway.ref,
                f"{conflict.reason} with {others}",
            ),
            *(first.fact(item) for item in said),
        ),
        missing=f"which of {first.listener.name} and {others} is served: by the specification none, "
        f"while the controller says {status.words(served[0])}"
        if contradicted
        else "",
        confirm=kubectl.show(first.gateway.ref, ".status.listeners"),
        fix="give the listeners different ports or host names",
    )


def _taken(store: Store, controller: Controller, place: Place, fitting: Sequence[Place], packet: Packet) -> Step:
    gateway, name = place.gateway, _name(packet)
    assumptions = list(controller.assumptions)
    about = {gateway.ref, Ref(GatewayClass.KIND, gateway.gateway_class_name)}
    assumptions += [
        f"it serves all the same: {step.summary}"
        for step in controller.problems
        if step.verdict in ENDS and step.subject in about
    ]
    if not place.said:
        assumptions.append(
            f"the controller has taken listener {place.listener.name} (it says nothing of it in the status)"
        )
    elif place.old:
        assumptions.append(
            f"the status of Gateway {gateway.id} is older than its spec (G14): the change has been taken"
        )
    objection = _objection(store, place) or _gateway_objection(gateway)
    return Step(
        kind=Kind.GATEWAY_LISTENER,
        verdict=Verdict.UNSUPPORTED if objection else Verdict.PASS,
        summary=f"{place.name} takes {name or 'any host'}",
        subject=gateway.ref,
        version=gateway.resource_version,
        packet=packet,
        cause=("G09" if objection.startswith("Conflicted") else "G30") if objection else "",
        evidence=(
            Evidence(f"{place.field}.port", str(place.listener.port), gateway.ref),
            Evidence(f"{place.field}.hostname", place.listener.hostname or "*", gateway.ref),
            *(place.fact(item) for item in place.said),
            *controller.why,
        ),
        considered=tuple(
            Considered(item.name, item == place, "the most specific hostname" if item == place else "is less specific")
            for item in fitting
        ),
        assumptions=tuple(assumptions),
        missing=f"whether listener {place.listener.name} is served, of which the controller says {objection}"
        if objection
        else "",
        confirm=kubectl.show(gateway.ref, ".status.listeners"),
    )


def _gateway_objection(gateway: Gateway) -> str:
    """The controller's present word that the Gateway as a whole is not served, else empty.

    A Gateway that waits for its address (Programmed False, AddressNotAssigned) is served within the cluster.
    """
    for kind in ("Accepted", "Programmed"):
        said = find_condition(gateway.status.conditions, kind)
        if said is None or said.status != "False" or stale(gateway.generation, said):
            continue
        if not said.reason.startswith("Address"):
            return f"of the whole Gateway {status.words(said)}"
    return ""


def _objection(store: Store, place: Place) -> str:
    """The controller's present word where it does not serve a listener and our reading knows no reason, else empty."""
    conflicted = place.now("Conflicted")
    if conflicted is not None and conflicted.status == "True":
        return status.words(conflicted)
    wrong = [item for kind in ("Accepted", "Programmed") if (item := place.now(kind)) is not None]
    wrong = [item for item in wrong if item.status == "False"]
    if not wrong or certificates(store, place).faults:
        return ""
    return status.words(wrong[0])
