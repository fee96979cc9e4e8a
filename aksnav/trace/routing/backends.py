"""From a rule's backend to the Service port that it means, or the step that says why there is none."""

from collections.abc import Sequence

import msgspec

from aksnav.model.kubernetes.ingress import BackendPort
from aksnav.model.kubernetes.service import Service, ServicePort
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace import kubectl
from aksnav.trace.packet import Packet
from aksnav.trace.routing.types import Target
from aksnav.trace.step import Considered, Evidence, Kind, Step, Verdict


class Wanted(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a rule asks for, and how its controller answers when it is not there.

    Attributes:
        owner: the Ingress or HTTPRoute; version: its resourceVersion.
        field: path of the backend in it.
        namespace, service, port: what is asked for.
        missing_status: HTTP status where the Service or its port does not exist.
        empty_status: HTTP status where it has no ready endpoint.
        missing_cause, port_cause: check ids of the two faults.
        target_ports: targetPort is accepted in place of the Service's port (ingress-nginx).
        verdict: what becomes of a request to a Service or port that does not exist; RESPOND has ``missing_status``.
        protocol: of the port that is meant; empty where a rule does not say.
        says: the same in words, where it is not "answers" and the status.
    """

    owner: Ref
    version: str
    field: str
    namespace: str
    service: str
    port: BackendPort
    missing_status: int
    empty_status: int
    missing_cause: str
    port_cause: str
    target_ports: bool = False
    verdict: Verdict = Verdict.RESPOND
    says: str = ""
    protocol: str = ""

    @property
    def words(self) -> str:
        """What becomes of such a request, for people."""
        return self.says or f"answers {self.missing_status}"


class PortChoice(msgspec.Struct, frozen=True, gc=False):
    """The Service port that was chosen, and how."""

    port: ServicePort | None
    considered: tuple[Considered, ...]
    by_target: bool = False


def resolve(store: Store, wanted: Wanted, packet: Packet) -> Target:
    """Return where a backend leads: a Service port, or a target that ends in a step with the status of the fault.

    Args:
        store: what is known.
        wanted: the backend.
        packet: as it leaves the controller.
    """
    name = f"{wanted.namespace}/{wanted.service}"
    label = f"Service {name} port {wanted.port}"
    target = Target(
        namespace=wanted.namespace,
        service=wanted.service,
        port=wanted.port.name or wanted.port.number,
        packet=packet,
        label=label,
        empty_status=wanted.empty_status,
    )
    service = store.services.get(name)
    if service is None:
        return _ended(target, _no_service(store, wanted, name, packet))
    if service.type == "ExternalName":
        return target
    ports = [port for port in service.ports if wanted.protocol in {"", port.protocol}]
    choice = choose_port(ports, wanted.port, target_ports=wanted.target_ports)
    if choice.port is None:
        return _ended(target, _no_port(wanted, service, choice.considered, packet))
    return msgspec.structs.replace(target, service_port=choice.port)


def choose_port(ports: Sequence[ServicePort], wanted: BackendPort, *, target_ports: bool) -> PortChoice:
    """Return the port of a Service that a backend's port means: the first that fits.

    A number is a Service port, a name is the name of one (networking/v1, ServiceBackendPort). ingress-nginx also takes
    a port whose targetPort it is (internal/ingress/controller/controller.go, serviceEndpoints).
    """
    considered: list[Considered] = []
    for index, port in enumerate(ports):
        rule = f".spec.ports[{index}] {port.name or '(unnamed)'} {port.port} -> {port.target}"
        if port.name == wanted.name if wanted.name else port.port == wanted.number:
            considered.append(Considered(rule, True, "the port that the backend names"))
            return PortChoice(port, tuple(considered))
        if target_ports and str(port.target) == str(wanted):
            considered.append(Considered(rule, True, "the controller takes a targetPort for the port"))
            return PortChoice(port, tuple(considered), by_target=True)
        considered.append(Considered(rule, False, f"is not {wanted}"))
    return PortChoice(None, tuple(considered))


def _ended(target: Target, step: Step) -> Target:
    return msgspec.structs.replace(target, steps=(*target.steps, step), ended=True)


def _no_service(store: Store, wanted: Wanted, name: str, packet: Packet) -> Step:
    asked = Evidence(f"{wanted.field}.name", wanted.service, wanted.owner)
    confirm = kubectl.show(Ref("Service", name))
    access = store.services.access(wanted.namespace)
    undecodable = store.services.undecodable.get(name, "")
    if undecodable or not access.complete:
        return Step(
            kind=Kind.SERVICE_PORT,
            verdict=Verdict.BLIND,
            summary=f"Service {name}, which {wanted.owner} names, cannot be read",
            subject=Ref("Service", name),
            packet=packet,
            evidence=(asked,),
            missing=f"get services {name}: {undecodable or access.reason or access.reading.value}",
            confirm=confirm,
        )
    elsewhere = sorted(row.id for row in store.services if row.name == wanted.service)
    hint = (Evidence("Services of that name", ", ".join(elsewhere), note="in other namespaces"),) if elsewhere else ()
    return Step(
        kind=Kind.SERVICE_PORT,
        verdict=wanted.verdict,
        summary=f"Service {name} does not exist: {wanted.owner} {wanted.words}",
        subject=wanted.owner,
        version=wanted.version,
        packet=packet,
        cause=wanted.missing_cause,
        status=wanted.missing_status,
        evidence=(asked, Evidence("Service", "not found", Ref("Service", name)), *hint),
        assumptions=("services are read from before, and stale",) if not access.fresh else (),
        confirm=confirm,
        fix=f"create Service {name}, or name one that exists in namespace {wanted.namespace}",
    )


def _port_field(wanted: Wanted) -> str:
    """The path of the port: a number in an HTTPRoute, a number or a name in an Ingress."""
    if wanted.owner.kind != "Ingress":
        return f"{wanted.field}.port"
    return f"{wanted.field}.port.{'name' if wanted.port.name else 'number'}"


def _port_name(port: ServicePort) -> str:
    return f"{port.name or '-'}:{port.port}" + (f"/{port.protocol}" if port.protocol != "TCP" else "")


def _no_port(wanted: Wanted, service: Service, considered: tuple[Considered, ...], packet: Packet) -> Step:
    listed = ", ".join(_port_name(port) for port in service.ports) or "none"
    return Step(
        kind=Kind.SERVICE_PORT,
        verdict=wanted.verdict,
        summary=f"Service {service.id} has no port {wanted.port} (it has {listed}): {wanted.words}",
        subject=wanted.owner,
        version=wanted.version,
        packet=packet,
        cause=wanted.port_cause,
        status=wanted.missing_status,
        evidence=(
            Evidence(_port_field(wanted), str(wanted.port), wanted.owner),
            Evidence(".spec.ports", listed, service.ref),
        ),
        considered=considered,
        confirm=kubectl.show(service.ref, ".spec.ports"),
        fix="name a port of the Service",
    )
