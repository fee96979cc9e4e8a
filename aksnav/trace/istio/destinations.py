"""From the destination of a rule to a Service port, or to the answer where the proxy has no such cluster.

Sources: istio/istio pilot/pkg/networking/core/route/route.go (GetDestinationCluster, applyHTTPRouteDestination); Envoy,
"response flags": NC (no cluster found) and UH (no healthy upstream) are both told with 503.
"""

from collections.abc import Sequence

import msgspec

from aksnav.model.kubernetes.istio import Destination, VirtualService, WeightedDestination
from aksnav.model.kubernetes.service import Service, ServicePort
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.istio import hosts, rules
from aksnav.trace.istio.scope import Workload, unread
from aksnav.trace.packet import Packet
from aksnav.trace.readable import stale
from aksnav.trace.routing.types import Target
from aksnav.trace.step import Considered, Evidence, Kind, Step, Verdict

_NO_CLUSTER = 503
_EXPORT = "networking.istio.io/exportTo"


class Sender(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Who sends, and by which rule.

    Attributes:
        at: the proxy.
        row: the VirtualService.
        field: path of the rule in it.
        http: it is a proxy for HTTP, which can answer; else it passes bytes on.
        port: of the listener.
    """

    at: Workload
    row: VirtualService
    field: str
    http: bool
    port: int


def targets(
    store: Store, sender: Sender, listed: Sequence[WeightedDestination], packet: Packet
) -> tuple[tuple[Target, ...], tuple[Considered, ...]]:
    """Return where a rule sends, with shares; of several destinations one with weight 0 gets nothing.

    A single destination gets everything, whatever its weight.
    """
    if len(listed) == 1:
        return (_target(store, sender, listed[0], f"{sender.field}.route[0]", packet, 1.0),), ()
    total = sum(item.weight for item in listed)
    found: list[Target] = []
    said: list[Considered] = []
    for index, item in enumerate(listed):
        field = f"{sender.field}.route[{index}]"
        name = f"{field.removeprefix('.spec.')} {item.destination.host} {item.destination.subset}".strip()
        if item.weight <= 0:
            said.append(Considered(name, False, "its weight is 0: no request goes there"))
            continue
        share = item.weight / total
        said.append(Considered(name, True, f"gets {item.weight} of {total} requests"))
        found.append(_target(store, sender, item, field, packet, share))
    return tuple(found), tuple(said)


def _target(
    store: Store, sender: Sender, item: WeightedDestination, field: str, packet: Packet, weight: float
) -> Target:
    wanted = item.destination
    name = hosts.fqdn(wanted.host, sender.row.namespace)
    ident = hosts.service_id(name)
    namespace, _, own = ident.partition("/")
    label = f"Service {ident or wanted.host}" + (f" subset {wanted.subset}" if wanted.subset else "")
    target = Target(
        namespace=namespace,
        service=own,
        weight=weight,
        packet=_onward(packet, item),
        label=label,
        empty_status=_NO_CLUSTER if sender.http else 0,
    )
    asked = Evidence(f"{field}.destination.host", wanted.host, sender.row.ref, name)
    service = store.services.get(ident) if ident else None
    if service is None:
        return _ended(target, _no_host(store, sender, asked, name, packet))
    hidden = service.annotations.get(_EXPORT, "")
    if hidden and "*" not in hidden.split(","):
        return _ended(target, _hidden(service, asked, hidden, packet))
    if service.type == "ExternalName":
        return target
    port = _port(service, wanted, sender.port)
    if port is None:
        return _ended(target, _no_port(sender, service, field, wanted, packet))
    target = msgspec.structs.replace(target, port=port.port, service_port=port, label=f"{label} port {port.port}")
    return _subset(store, sender, target, service, f"{field}.destination.subset", wanted.subset)


def _onward(packet: Packet, item: WeightedDestination) -> Packet:
    request = item.headers.get("request")
    given = request.get("set") if isinstance(request, dict) else None
    host = next((str(value) for key, value in given.items() if key.lower() == "host"), "") if given else ""
    return msgspec.structs.replace(packet, host=host) if host else packet


def _port(service: Service, wanted: Destination, listener: int) -> ServicePort | None:
    """The port that is named; without one the only one, else the one with the listener's number."""
    ports = [port for port in service.ports if port.protocol == "TCP"]
    number = wanted.port.number if wanted.port is not None else 0
    if not number and len(service.ports) == 1:
        return next(iter(ports), None)
    return next((port for port in ports if port.port == (number or listener)), None)


def _subset(store: Store, sender: Sender, target: Target, service: Service, field: str, name: str) -> Target:
    if not name:
        return target
    missing = unread(store, ("DestinationRule",))
    ruled = rules.ruling(store, sender.at, f"{service.name}.{service.namespace}.{hosts.DOMAIN}", service.namespace)
    found = ruled.subset(name)
    asked = Evidence(field, name, sender.row.ref)
    if found is None:
        if missing:
            return _ended(
                target, _blind(sender, f"subset {name} of Service {service.id}", missing, asked, target.packet)
            )
        return _ended(target, _no_subset(store, sender, ruled, service, asked, target.packet))
    row, index, item = found
    step = Step(
        kind=Kind.ROUTE_FILTER,
        verdict=Verdict.PASS,
        summary=f"subset {name} is the Pods of Service {service.id} with {_text(item.labels) or 'any labels'}",
        subject=row.ref,
        version=row.resource_version,
        packet=target.packet,
        evidence=(asked, Evidence(f".spec.subsets[{index}].labels", _text(item.labels), row.ref)),
        assumptions=stale(store.destination_rules),
        confirm=kubectl.show(row.ref, ".spec.subsets"),
    )
    labels = tuple(sorted(item.labels.items()))
    return msgspec.structs.replace(target, subset=name, labels=labels, steps=(*target.steps, step))


def _text(labels: dict[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))


def _ended(target: Target, step: Step) -> Target:
    return msgspec.structs.replace(target, steps=(*target.steps, step), ended=True)


def _failed(sender: Sender, packet: Packet, why: str, cause: str, facts: tuple[Evidence, ...], fix: str) -> Step:
    """The answer of a proxy that has no cluster for a destination: 503 for HTTP, a closed connection for bytes."""
    end = f"the proxy answers {_NO_CLUSTER}" if sender.http else "the proxy closes the connection"
    return Step(
        kind=Kind.SERVICE_PORT,
        verdict=Verdict.RESPOND if sender.http else Verdict.REJECT,
        summary=f"{why}: {end} (Envoy: NC, no cluster)",
        subject=sender.row.ref,
        version=sender.row.resource_version,
        packet=packet,
        cause=cause,
        status=_NO_CLUSTER if sender.http else 0,
        evidence=facts,
        confirm=kubectl.show(sender.row.ref, sender.field),
        fix=fix,
    )


def _blind(sender: Sender, what: str, missing: str, asked: Evidence, packet: Packet) -> Step:
    return Step(
        kind=Kind.SERVICE_PORT,
        verdict=Verdict.BLIND,
        summary=f"{what}, which VirtualService {sender.row.id} names, cannot be read",
        subject=sender.row.ref,
        packet=packet,
        evidence=(asked,),
        missing=missing,
        confirm=kubectl.show(sender.row.ref, sender.field),
    )


def _hidden(service: Service, asked: Evidence, value: str, packet: Packet) -> Step:
    return Step(
        kind=Kind.SERVICE_PORT,
        verdict=Verdict.UNSUPPORTED,
        summary=f"Service {service.id} is exported to {value} alone",
        subject=service.ref,
        version=service.resource_version,
        packet=packet,
        evidence=(asked, Evidence(f".metadata.annotations['{_EXPORT}']", value, service.ref)),
        missing=f"annotation {_EXPORT} of Service {service.id}",
        confirm=kubectl.show(service.ref, ".metadata.annotations"),
    )


def _no_host(store: Store, sender: Sender, asked: Evidence, name: str, packet: Packet) -> Step:
    ident = hosts.service_id(name)
    entry = next(
        (row for row in sorted(store.service_entries, key=lambda row: row.id) if _has(row.hosts, name)),
        None,
    )
    if entry is not None:
        return Step(
            kind=Kind.SERVICE_PORT,
            verdict=Verdict.UNSUPPORTED,
            summary=f"{name} is a host of ServiceEntry {entry.id}, which is not followed",
            subject=entry.ref,
            version=entry.resource_version,
            packet=packet,
            evidence=(asked, Evidence(".spec.hosts", ", ".join(entry.hosts), entry.ref)),
            missing=f"ServiceEntry {entry.id}",
            confirm=kubectl.show(entry.ref),
        )
    missing = unread(store, ("ServiceEntry",))
    if ident:
        undecodable = store.services.undecodable.get(ident, "")
        access = store.services.access(ident.partition("/")[0])
        if undecodable or not access.complete:
            missing = f"get services {ident}: {undecodable or access.reason or access.reading.value}"
    if missing:
        return _blind(sender, f"host {name}", missing, asked, packet)
    short = "" if ident else "; only a name without a dot is taken for a Service, others have to be written in full"
    fact = (
        Evidence("Service", "not found", Ref("Service", ident), short)
        if ident
        else Evidence("Service", "none", note=short)
    )
    return _failed(
        sender,
        packet,
        f"no Service is called {name}{short}",
        "G31",
        (asked, fact),
        "name a Service that exists, as NAME.NAMESPACE.svc.cluster.local",
    )


def _has(patterns: Sequence[str], name: str) -> bool:
    return any(hosts.covers(pattern.lower(), name) for pattern in patterns)


def _no_port(sender: Sender, service: Service, field: str, wanted: Destination, packet: Packet) -> Step:
    listed = ", ".join(f"{port.name or '-'}:{port.port}/{port.protocol}" for port in service.ports) or "none"
    number = wanted.port.number if wanted.port is not None else 0
    why = (
        f"Service {service.id} has no TCP port {number}"
        if number
        else f"the rule names no port, and Service {service.id} has several and none that is {sender.port}"
    )
    return _failed(
        sender,
        packet,
        f"{why} (it has {listed})",
        "G31",
        (
            Evidence(f"{field}.destination.port.number", str(number or "(none)"), sender.row.ref),
            Evidence(".spec.ports", listed, service.ref),
        ),
        "name a port of the Service in the destination",
    )


def _no_subset(
    store: Store, sender: Sender, ruled: rules.Ruling, service: Service, asked: Evidence, packet: Packet
) -> Step:
    facts = [
        Evidence(".spec.subsets[*].name", ", ".join(item.name for item in row.subsets) or "(none)", row.ref)
        for row in ruled.rows
    ]
    name = f"{service.name}.{service.namespace}.{hosts.DOMAIN}"
    others = [
        row.ref
        for row in sorted(store.destination_rules, key=lambda row: row.id)
        if row not in ruled.rows and hosts.covers(hosts.fqdn(row.host, row.namespace), name)
    ]
    facts += [
        Evidence(".metadata.namespace", ref.namespace, ref, "a rule of this namespace is not asked here")
        for ref in others[:3]
    ]
    if not facts:
        facts.append(Evidence("DestinationRules", f"none for {name}"))
    return _failed(
        sender,
        packet,
        f"no DestinationRule for Service {service.id} has the subset {asked.value}",
        "G22",
        (asked, *facts),
        f"define the subset in a DestinationRule for {name} in namespace {service.namespace}",
    )
