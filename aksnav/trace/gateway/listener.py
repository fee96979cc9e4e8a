"""Which listener of a Gateway takes a packet, and with which certificate (Gateway API v1: Listener)."""

from collections.abc import Sequence

import msgspec

from aksnav.model.kubernetes.gateway import GROUP, Gateway, Listener
from aksnav.model.kubernetes.workload import Condition
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.gateway.classes import find_condition, stale
from aksnav.trace.packet import Packet
from aksnav.trace.routing.grants import granted
from aksnav.trace.routing.hostnames import any_labels, bare, specificity
from aksnav.trace.routing.tls import secret_fault
from aksnav.trace.routing.types import Controller
from aksnav.trace.step import ENDS, Considered, Evidence, Kind, Step, Verdict


class Place(msgspec.Struct, frozen=True, gc=False):
    """A listener and its Gateway."""

    gateway: Gateway
    listener: Listener

    @property
    def field(self) -> str:
        """Path of the listener in its Gateway."""
        return f".spec.listeners[{self.gateway.listeners.index(self.listener)}]"

    @property
    def name(self) -> str:
        """The listener as people call it."""
        item = self.listener
        return f"Gateway {self.gateway.id} listener {item.name} ({item.protocol} {item.port} {item.hostname or '*'})"


class Choice(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The listener that takes a packet, or None; its steps; whether the road ends; others that fit, best first."""

    place: Place | None
    steps: tuple[Step, ...]
    ended: bool = False
    others: tuple[Place, ...] = ()


def choose(store: Store, controller: Controller, gateways: Sequence[Gateway], packet: Packet) -> Choice:
    """Return the listener for a packet: by port, then by the most specific hostname (of SNI with TLS, else of Host)."""
    port = listener_port(controller, gateways, packet.port)
    everything = [Place(gateway, item) for gateway in gateways for item in gateway.listeners]
    here = [place for place in everything if place.listener.port == port]
    if not here:
        return _no_port(gateways, everything, packet)
    odd = _wrong_protocol(here, packet)
    if odd is not None:
        return Choice(place=None, steps=(odd,), ended=True)
    if not packet.http:
        return Choice(place=None, steps=(_not_http(here[0], packet),))
    name = bare(packet.sni or packet.host) if packet.tls else bare(packet.host)
    wanted = "HTTPS" if packet.tls else "HTTP"
    fitting = [place for place in here if place.listener.protocol == wanted]
    taking = sorted(
        (place for place in fitting if any_labels(place.listener.hostname, name)),
        key=lambda place: specificity(place.listener.hostname),
        reverse=True,
    )
    if not taking:
        return Choice(place=None, steps=(_no_hostname(fitting, name, packet),), ended=True)
    step = _taken(controller, taking[0], fitting, name, packet)
    steps = [step]
    if packet.tls:
        handshake = _certificate(store, taking[0], packet)
        steps.append(handshake)
        if handshake.verdict is Verdict.REJECT:
            return Choice(place=None, steps=tuple(steps), ended=True)
    return Choice(place=taking[0], steps=tuple(steps), others=tuple(taking[1:]))


def listener_port(controller: Controller, gateways: Sequence[Gateway], port: int) -> int:
    """Return the listener port that a packet's port means: the Service's port, also where only its target is known."""
    ports = {item.port for gateway in gateways for item in gateway.listeners}
    if port in ports or controller.service is None:
        return port
    return next((item.port for item in controller.service.ports if item.target == port and item.port in ports), port)


def _no_port(gateways: Sequence[Gateway], everything: Sequence[Place], packet: Packet) -> Choice:
    first = gateways[0]
    listed = ", ".join(f"{place.listener.name} {place.listener.protocol} {place.listener.port}" for place in everything)
    step = Step(
        kind=Kind.GATEWAY_LISTENER,
        verdict=Verdict.REJECT,
        summary=f"Gateway {', '.join(row.id for row in gateways)} has no listener on port {packet.port}",
        subject=first.ref,
        version=first.resource_version,
        packet=packet,
        evidence=(Evidence(".spec.listeners[].port", listed or "none", first.ref),),
        considered=tuple(Considered(place.name, False, "is on another port") for place in everything),
        confirm=kubectl.show(first.ref, ".spec.listeners"),
        fix=f"add a listener on port {packet.port}, or use a port that has one",
    )
    return Choice(place=None, steps=(step,), ended=True)


def _wrong_protocol(here: Sequence[Place], packet: Packet) -> Step | None:
    """A listener that is no HTTP listener, or one that speaks plain where the client encrypts, or the other way."""
    place = here[0]
    protocols = {item.listener.protocol for item in here}
    mode = place.listener.tls.mode if place.listener.tls is not None else ""
    known = protocols <= {"HTTP", "HTTPS"} and mode != "Passthrough"
    if not known:
        return Step(
            kind=Kind.GATEWAY_LISTENER,
            verdict=Verdict.UNSUPPORTED,
            summary=f"{place.name} is not an HTTP listener that ends TLS: routes of other kinds are not read",
            subject=place.gateway.ref,
            version=place.gateway.resource_version,
            packet=packet,
            evidence=(
                Evidence(f"{place.field}.protocol", f"{place.listener.protocol} {mode}".strip(), place.gateway.ref),
            ),
            missing=f"{place.listener.protocol} listener {mode}".strip(),
            confirm=kubectl.show(place.gateway.ref, place.field),
        )
    if not packet.http or ("HTTPS" if packet.tls else "HTTP") in protocols:
        return None
    speaks, client = ("plain HTTP", "TLS") if packet.tls else ("TLS", "plain HTTP")
    return Step(
        kind=Kind.GATEWAY_LISTENER,
        verdict=Verdict.REJECT,
        summary=f"{place.name} speaks {speaks} and the client speaks {client}: the connection is closed",
        subject=place.gateway.ref,
        version=place.gateway.resource_version,
        packet=packet,
        evidence=(Evidence(f"{place.field}.protocol", place.listener.protocol, place.gateway.ref),),
        confirm=kubectl.show(place.gateway.ref, place.field),
        fix="use the other scheme, or the other port",
    )


def _not_http(place: Place, packet: Packet) -> Step:
    return Step(
        kind=Kind.GATEWAY_LISTENER,
        verdict=Verdict.SKIP,
        summary=f"{place.name} takes the connection; without HTTP there is nothing to route by",
        subject=place.gateway.ref,
        version=place.gateway.resource_version,
        packet=packet,
        evidence=(Evidence(f"{place.field}.port", str(place.listener.port), place.gateway.ref),),
    )


def _no_hostname(fitting: Sequence[Place], name: str, packet: Packet) -> Step:
    first = fitting[0]
    listed = ", ".join(place.listener.hostname or "*" for place in fitting)
    answer = "the handshake is refused" if packet.tls else "answers 404"
    return Step(
        kind=Kind.GATEWAY_LISTENER,
        verdict=Verdict.REJECT if packet.tls else Verdict.RESPOND,
        summary=f"no listener of Gateway {first.gateway.id} on port {packet.port} takes host {name}: {answer}",
        subject=first.gateway.ref,
        version=first.gateway.resource_version,
        packet=packet,
        cause="G27",
        status=0 if packet.tls else 404,
        evidence=(Evidence(".spec.listeners[].hostname", listed, first.gateway.ref), Evidence("request host", name)),
        considered=tuple(Considered(place.name, False, f"its hostname does not take {name}") for place in fitting),
        confirm=kubectl.show(first.gateway.ref, ".spec.listeners"),
        fix=f"add a listener whose hostname takes {name}",
    )


def _taken(controller: Controller, place: Place, fitting: Sequence[Place], name: str, packet: Packet) -> Step:
    gateway, said = place.gateway, _conditions(place)
    wrong = next((item for item in said if _bad(item)), None)
    assumptions = list(controller.assumptions)
    assumptions += [
        f"it serves all the same: {step.summary}"
        for step in controller.problems
        if step.verdict in ENDS and step.subject == gateway.ref
    ]
    if not said:
        assumptions.append(
            f"the controller has taken listener {place.listener.name} (it says nothing of it in the status)"
        )
    elif any(stale(gateway.generation, item) for item in said):
        assumptions.append(
            f"the status of Gateway {gateway.id} is older than its spec (G14): the change has been taken"
        )
    elif wrong is not None:
        assumptions.append(
            f"listener {place.listener.name} serves in spite of {wrong.type} {wrong.status} ({wrong.reason})"
        )
    return Step(
        kind=Kind.GATEWAY_LISTENER,
        verdict=Verdict.PASS,
        summary=f"{place.name} takes {name or 'any host'}",
        subject=gateway.ref,
        version=gateway.resource_version,
        packet=packet,
        cause="G09" if wrong is not None and wrong.type == "Conflicted" else "",
        evidence=(
            Evidence(f"{place.field}.port", str(place.listener.port), gateway.ref),
            Evidence(f"{place.field}.hostname", place.listener.hostname or "*", gateway.ref),
            *(_told(place, item) for item in said),
            *controller.why,
        ),
        considered=tuple(
            Considered(item.name, item == place, "the most specific hostname" if item == place else "is less specific")
            for item in fitting
        ),
        assumptions=tuple(assumptions),
        confirm=kubectl.show(gateway.ref, ".status.listeners"),
    )


def _conditions(place: Place) -> tuple[Condition, ...]:
    return next((item.conditions for item in place.gateway.status.listeners if item.name == place.listener.name), ())


def _bad(item: Condition) -> bool:
    return item.status == ("True" if item.type == "Conflicted" else "False")


def _told(place: Place, item: Condition) -> Evidence:
    field = f".status.listeners[?(@.name=='{place.listener.name}')].conditions[?(@.type=='{item.type}')].status"
    return Evidence(field, f"{item.status} ({item.reason})" if item.reason else item.status, place.gateway.ref)


def _certificate(store: Store, place: Place, packet: Packet) -> Step:
    """The handshake: certificateRefs that exist and are allowed, or G13."""
    gateway, tls = place.gateway, place.listener.tls
    refs = tls.certificate_refs if tls is not None else ()
    faults: list[str] = []
    evidence: list[Evidence] = []
    assumptions: list[str] = []
    for index, ref in enumerate(refs):
        namespace = ref.namespace or gateway.namespace
        name, field = f"{namespace}/{ref.name}", f"{place.field}.tls.certificateRefs[{index}]"
        why = certificate_fault(store, gateway, ref.kind, ref.group, name)
        evidence.append(Evidence(f"{field}.name", name, gateway.ref, why or ""))
        if why is None:
            assumptions.append(f"Secret {name} exists and Gateway {gateway.id} may refer to it")
        elif why:
            faults.append(f"{ref.kind} {name} {why}")
    resolved = find_condition(_conditions(place), "ResolvedRefs")
    if resolved is not None and resolved.status == "True" and not stale(gateway.generation, resolved):
        assumptions = []
    if resolved is not None:
        evidence.append(_told(place, resolved))
    broken = bool(refs) and len(faults) == len(refs)
    if not refs:
        assumptions.append(
            f"listener {place.listener.name} gets its certificate from elsewhere: it has no certificateRefs"
        )
    return Step(
        kind=Kind.GATEWAY_LISTENER,
        verdict=Verdict.REJECT if broken else Verdict.PASS,
        summary=f"{place.name} has no valid certificate: {'; '.join(faults)}"
        if broken
        else f"TLS for {packet.sni or packet.host} ends at listener {place.listener.name}",
        subject=gateway.ref,
        version=gateway.resource_version,
        packet=packet,
        cause="G13" if faults else "",
        evidence=tuple(evidence),
        assumptions=tuple(assumptions),
        confirm=kubectl.show(gateway.ref, ".status.listeners"),
        fix="create the Secret, or a ReferenceGrant for it" if faults else "",
    )


def certificate_fault(store: Store, gateway: Gateway, kind: str, group: str, name: str) -> str | None:
    """Return why a certificateRef cannot be used, an empty string if it can, None if that is not known.

    Args:
        store: what is known.
        gateway: the Gateway that refers.
        kind: kind of the referent; only Secret is known.
        group: its API group.
        name: ``namespace/name`` of it.
    """
    if kind != "Secret" or group not in {"", "core"}:
        return None
    namespace, _, own = name.partition("/")
    if namespace != gateway.namespace:
        allowed, _ = granted(store, (GROUP, "Gateway", gateway.namespace), ("", "Secret", namespace, own))
        if allowed is None:
            return None
        if not allowed:
            return "is in another namespace, and no ReferenceGrant allows it"
    return secret_fault(store, name)
