"""The certificates of a listener that ends TLS (Gateway API v1: ListenerTLSConfig.certificateRefs)."""

import msgspec

from aksnav.model.kubernetes.gateway import GROUP, Gateway
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.gateway import status
from aksnav.trace.gateway.place import Place
from aksnav.trace.packet import Packet
from aksnav.trace.routing.grants import granted
from aksnav.trace.routing.tls import secret_fault
from aksnav.trace.step import Evidence, Kind, Step, Verdict


class Certificates(msgspec.Struct, frozen=True, gc=False):
    """What is known of the certificateRefs of a listener.

    Attributes:
        faults: what is wrong with those that cannot be used, in words.
        unknown: what is taken for granted of those that are not known.
        evidence: every reference.
        broken: there are references, and none of them can be used.
    """

    faults: tuple[str, ...]
    unknown: tuple[str, ...]
    evidence: tuple[Evidence, ...]
    broken: bool


def certificates(store: Store, place: Place) -> Certificates:
    """Return what is known of the certificates of a listener."""
    gateway, tls = place.gateway, place.listener.tls
    refs = tls.certificate_refs if tls is not None else ()
    faults: list[str] = []
    unknown: list[str] = []
    evidence: list[Evidence] = []
    for index, ref in enumerate(refs):
        name = f"{ref.namespace or gateway.namespace}/{ref.name}"
        why = certificate_fault(store, gateway, ref.kind, ref.group, name)
        evidence.append(Evidence(f"{place.field}.tls.certificateRefs[{index}].name", name, gateway.ref, why or ""))
        if why is None:
            unknown.append(f"{ref.kind} {name} exists and Gateway {gateway.id} may refer to it")
        elif why:
            faults.append(f"{ref.kind} {name} {why}")
    return Certificates(tuple(faults), tuple(unknown), tuple(evidence), bool(refs) and len(faults) == len(refs))


def handshake(store: Store, place: Place, packet: Packet) -> Step:
    """Return the step of the TLS handshake: with certificateRefs that exist and are allowed, or G13."""
    gateway, tls = place.gateway, place.listener.tls
    known = certificates(store, place)
    resolved = place.now("ResolvedRefs")
    assumptions = () if resolved is not None and resolved.status == "True" else known.unknown
    assumptions = (*assumptions, *_asked_of_clients(place))
    if tls is None or not tls.certificate_refs:
        lacking = f"listener {place.listener.name} gets its certificate from elsewhere: it has no certificateRefs"
        assumptions = (*assumptions, lacking)
    step = Step(
        kind=Kind.GATEWAY_LISTENER,
        verdict=Verdict.REJECT if known.broken else Verdict.PASS,
        summary=f"{place.name} has no valid certificate: {'; '.join(known.faults)}"
        if known.broken
        else f"TLS for {packet.sni or packet.host} ends at listener {place.listener.name}",
        subject=gateway.ref,
        version=gateway.resource_version,
        packet=packet,
        cause="G13" if known.faults else "",
        evidence=(*known.evidence, *((place.fact(resolved),) if resolved is not None else ())),
        assumptions=assumptions,
        confirm=kubectl.show(gateway.ref, ".status.listeners"),
        fix="create the Secret, or a ReferenceGrant for it" if known.faults else "",
    )
    if known.faults or resolved is None or resolved.status != "False" or resolved.reason == "InvalidRouteKinds":
        return step
    return msgspec.structs.replace(
        step,
        verdict=Verdict.UNSUPPORTED,
        cause="G30",
        missing=f"which certificate listener {place.listener.name} shows: nothing is wrong with its references by our "
        f"reading, while the controller says {status.words(resolved)}",
    )


def _asked_of_clients(place: Place) -> tuple[str, ...]:
    """What is taken for granted where the Gateway asks clients for a certificate (GatewaySpec.tls.frontend; GEP-91)."""
    frontend = _object(place.gateway.tls.get("frontend"))
    listed = frontend.get("perPort")
    mine = [
        item
        for item in (listed if isinstance(listed, list) else ())
        if isinstance(item, dict) and item.get("port") == place.listener.port
    ]
    config = _object(mine[0].get("tls")) if mine else _object(frontend.get("default"))
    validation = _object(config.get("validation"))
    if not validation or validation.get("mode") == "AllowInsecureFallback":
        return ()
    return (f"the client shows a certificate that Gateway {place.gateway.id} accepts (.spec.tls.frontend)",)


def _object(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


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
