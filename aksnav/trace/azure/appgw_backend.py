"""The backend pool of an Application Gateway: which Pods it sends to, as its probes, health and endpoints tell.

Sources: aks-networking.md 2.d (steps 4 to 7) and 5.6; AGIC, pkg/appgw (pools have the names
``pool-NAMESPACE-SERVICE-PORT-bp-TARGET``); Azure documentation, application-gateway-probe-overview.md.
"""

from shlex import quote

import msgspec

from aksnav.model.addresses import parse_address
from aksnav.model.azure.edge import ApplicationGateway, GatewayPool, GatewayProbe, HttpSettings, ServerHealth
from aksnav.model.kubernetes.service import Service, ServicePort
from aksnav.model.kubernetes.workload import Pod
from aksnav.store.store import Store
from aksnav.trace.azure.appgateway import base
from aksnav.trace.memo import once
from aksnav.trace.packet import Packet
from aksnav.trace.step import Considered, Evidence, Kind, Step, Verdict

_BAD_GATEWAY = 502
_HEALTHY = "healthy"
_OUT = frozenset({"unhealthy"})
_UNTRUSTED = ("well-known certificate authority", "publicly known ca", "trusted root certificate")
Owner = tuple[Service, int, ServicePort]


class Member(msgspec.Struct, frozen=True, gc=False):
    """A server of a pool that gets requests; ``pod`` is None where no Pod has the address."""

    address: int
    pod: Pod | None


class Backend(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a pool comes to.

    Attributes:
        step: of kind az.appgw.backend.
        members: those that get requests.
        owner: the Service that the pool's name says, with its port.
        packet: the request as it leaves the gateway, without a destination.
    """

    step: Step
    members: tuple[Member, ...] = ()
    owner: Owner | None = None
    packet: Packet


def backend(
    store: Store, gateway: ApplicationGateway, pool: GatewayPool, settings: HttpSettings, packet: Packet
) -> Backend:
    """Return who of a pool gets a request."""
    owner = owner_of(store, pool.name)
    leaving = _leaving(settings, packet)
    step = _base(gateway, pool, settings, packet, leaving)
    texts = [item.ip_address for item in pool.backend_addresses if item.ip_address]
    names = [item.fqdn for item in pool.backend_addresses if item.fqdn and not item.ip_address]
    expected = _expected(store, owner)
    if not texts:
        return Backend(step=_empty(step, pool, names, owner, expected), owner=owner, packet=leaving)
    health = _health(gateway, pool, settings)
    probe = next((item for item in gateway.probes if settings.probe is not None and item.id == settings.probe.id), None)
    members, notes = [], []
    for text in texts:
        member, why = _member(store, text, health.get(text), expected if owner is not None else None)
        if member is not None:
            members.append(member)
        if why:
            notes.append(Considered(text, decided=False, why=why))
    lost = sorted(expected - set(texts))
    notes += [Considered(text, decided=False, why="A05: a ready endpoint that is not in the pool") for text in lost]
    step = msgspec.structs.replace(step, considered=tuple(notes))
    if not members:
        return Backend(step=_nobody(step, pool, health, texts), owner=owner, packet=leaving)
    step = _probed(
        msgspec.structs.replace(step, summary=f"{step.summary}: {_share(members, texts)}"), probe, health, members
    )
    return Backend(step=step, members=tuple(members), owner=owner, packet=leaving)


def _share(members: list[Member], texts: list[str]) -> str:
    return f"{len(members)} of {len(texts)} servers get requests"


def owner_of(store: Store, name: str) -> Owner | None:
    """Return the Service port after which AGIC named a pool."""
    head, marker, _ = name.lower().rpartition("-bp-")  # the number of the target port stands last
    return once(store, "gateway pools", ("Service",), lambda: _names(store)).get(f"{head}{marker}")


def _names(store: Store) -> dict[str, Owner]:
    found: dict[str, Owner] = {}
    for service in store.services:
        for index, port in enumerate(service.ports):
            for front in filter(None, {str(port.port), port.name}):
                found[f"pool-{service.namespace}-{service.name}-{front}-bp-".lower()] = (service, index, port)
    return found


def _leaving(settings: HttpSettings, packet: Packet) -> Packet:
    """Return the request as the gateway sends it: with the settings' protocol, port, host and path."""
    secure = settings.protocol.lower() == "https"
    host = settings.host_name or packet.host
    path = (
        packet.path if not settings.path else "/" + f"{settings.path.strip('/')}/{packet.path.lstrip('/')}".lstrip("/")
    )
    return msgspec.structs.replace(
        packet,
        destination=None,
        port=settings.port,
        host=host,
        path=path,
        tls=secure,
        sni=host if secure else "",
        scheme="https" if secure else "http",
    )


def _base(
    gateway: ApplicationGateway, pool: GatewayPool, settings: HttpSettings, packet: Packet, leaving: Packet
) -> Step:
    field = f".backendHttpSettingsCollection[?name=='{settings.name}']"
    trust: tuple[str, ...] = ()
    if settings.protocol.lower() == "https" and not settings.trusted_root_certificates:
        trust = ("the Pods show a certificate of a well-known authority, for the host that is sent (A14)",)
    step = base(gateway, Kind.APPGW_BACKEND, packet, f"pool {pool.name} at port {settings.port}")
    return msgspec.structs.replace(
        step,
        packet_after=leaving,
        evidence=(
            Evidence(
                f".backendAddressPools[?name=='{pool.name}'].backendAddresses",
                ", ".join(item.ip_address or item.fqdn for item in pool.backend_addresses) or "(none)",
                gateway.ref,
            ),
            Evidence(f"{field}.port", str(settings.port), gateway.ref),
            Evidence(f"{field}.protocol", settings.protocol, gateway.ref),
            Evidence(f"{field}.requestTimeout", str(settings.request_timeout), gateway.ref, "seconds, then 504 (A12)"),
        ),
        assumptions=trust,
        confirm=f"az network application-gateway show-backend-health --ids {quote(gateway.arm_id)}",
    )


def _expected(store: Store, owner: Owner | None) -> set[str]:
    """Return the addresses of the ready endpoints of the pool's Service."""
    if owner is None:
        return set()
    return {
        endpoint.addresses[0]
        for piece in store.slices_of(owner[0].id)
        for endpoint in piece.endpoints
        if endpoint.ready and endpoint.addresses
    }


def _empty(step: Step, pool: GatewayPool, names: list[str], owner: Owner | None, expected: set[str]) -> Step:
    if names:
        said = f"pool {pool.name} holds names, which are outside of the cluster: {', '.join(names)}"
        return msgspec.structs.replace(step, verdict=Verdict.UNSUPPORTED, summary=said, missing=said)
    cause = "A05" if expected or owner is None else "I08"
    facts = (Evidence("ready endpoints", ", ".join(sorted(expected)) or "(none)", owner[0].ref),) if owner else ()
    return msgspec.structs.replace(
        step,
        verdict=Verdict.RESPOND,
        status=_BAD_GATEWAY,
        summary=f"pool {pool.name} is empty: the gateway answers {_BAD_GATEWAY}",
        cause=cause,
        evidence=(*step.evidence, *facts),
        fix="see why AGIC does not write the pool (its Pod, its events)"
        if expected
        else "make a Pod of the Service ready",
    )


def stale_pools(store: Store, gateway: ApplicationGateway) -> list[Step]:
    """Return a step for each pool of a Service whose servers are not its ready endpoints (A05)."""
    steps = []
    for pool in gateway.backend_address_pools:
        owner = owner_of(store, pool.name)
        if owner is None or not store.endpoint_slices.access(owner[0].namespace).complete:
            continue
        listed = {item.ip_address for item in pool.backend_addresses if item.ip_address}
        expected = _expected(store, owner)
        if listed == expected:
            continue
        gone, lost = ", ".join(sorted(listed - expected)) or "none", ", ".join(sorted(expected - listed)) or "none"
        field = f".backendAddressPools[?name=='{pool.name}'].backendAddresses"
        facts = (
            Evidence(field, ", ".join(sorted(listed)) or "(none)", gateway.ref),
            Evidence(".endpoints[].addresses", ", ".join(sorted(expected)) or "(none)", owner[0].ref),
        )
        said = f"pool {pool.name} is not what Service {owner[0].id} has: gone {gone}, not in the pool {lost}"
        step = base(gateway, Kind.APPGW_BACKEND, Packet(), said)
        fix = "see why AGIC does not write the pool (its Pod, its events)"
        steps.append(msgspec.structs.replace(step, verdict=Verdict.DROP, cause="A05", evidence=facts, fix=fix))
    return steps


def _health(gateway: ApplicationGateway, pool: GatewayPool, settings: HttpSettings) -> dict[str, ServerHealth]:
    """Return what the gateway says of each server, where somebody has asked it."""
    return {
        server.address: server
        for item in gateway.backend_health or ()
        if item.backend_address_pool.id == pool.id
        for part in item.backend_http_settings_collection
        if part.backend_http_settings.id == settings.id
        for server in part.servers
    }


def _member(
    store: Store, text: str, health: ServerHealth | None, expected: set[str] | None
) -> tuple[Member | None, str]:
    """Return a server if it gets requests, and what is to be said of it.

    Args:
        store: what is known.
        text: its address.
        health: what the gateway says of it, if somebody asked.
        expected: addresses of the ready endpoints of the pool's Service; None for a pool that is no Service's.
    """
    number = parse_address(text)
    if number is None:
        return None, "is no address"
    pod = next((item for item in store.pods_at(number) if not item.finished), None)
    if health is not None and health.health.lower() in _OUT:
        return None, f"A04: {health.health}: {health.health_probe_log or 'no reason given'}"
    if pod is None and expected is None:
        return Member(number, None), "no Pod has this address: the pool is not one of a Service"
    if pod is None and store.pods.access().complete:
        return None, "A05: no Pod has this address any more"
    late = "A05: it is no ready endpoint of the Service" if expected and text not in expected else ""
    if pod is not None and not pod.ready and (health is None or health.health.lower() != _HEALTHY):
        return None, late or "its Pod is not ready: the gateway's probe fails"
    return Member(number, pod), late


def _nobody(step: Step, pool: GatewayPool, health: dict[str, ServerHealth], texts: list[str]) -> Step:
    """Return the step of a pool in which nobody answers: 502."""
    sick = [health[text] for text in texts if text in health and health[text].health.lower() in _OUT]
    stale = all(item.why.startswith("A05") for item in step.considered if item.rule in texts)
    facts = tuple(
        Evidence("backendHealth.health", f"{item.address} {item.health}", None, item.health_probe_log) for item in sick
    )
    return msgspec.structs.replace(
        step,
        verdict=Verdict.RESPOND,
        status=_BAD_GATEWAY,
        summary=f"no server of pool {pool.name} answers: the gateway answers {_BAD_GATEWAY}",
        cause=_of_health(sick) if sick else "A05" if stale else "I08",
        evidence=(*step.evidence, *facts),
        fix="see why AGIC does not write the pool"
        if stale and not sick
        else "see why the Pods fail the gateway's probe",
    )


def _of_health(sick: list[ServerHealth]) -> str:
    """Return A14 where the gateway says of every server that it does not trust its certificate, else A04.

    Messages: Azure documentation, application-gateway-backend-health-troubleshooting.md (certificate of an unknown
    authority; root that is not the uploaded one).
    """
    logs = [item.health_probe_log.lower() for item in sick]
    return "A14" if all(any(text in log for text in _UNTRUSTED) for log in logs) else "A04"


def _probed(step: Step, probe: GatewayProbe | None, health: dict[str, ServerHealth], members: list[Member]) -> Step:
    """Return the step with its probe: what it asks, and whether the Pods' readiness says that it is answered."""
    asked = probe.path if probe is not None else "/"
    name = f"probe {probe.name}" if probe is not None else "the default probe"
    codes = ", ".join(probe.match.status_codes) if probe is not None and probe.match.status_codes else "200-399"
    fact = Evidence(
        f".probes[?name=='{probe.name}'].path" if probe is not None else ".probes",
        asked,
        step.subject,
        f"wants {codes}",
    )
    step = msgspec.structs.replace(step, evidence=(*step.evidence, fact))
    if all(item.health.lower() == _HEALTHY for item in health.values()) and health:
        return step
    pods = [item.pod for item in members if item.pod is not None]
    same = pods and all(
        any(check.kind == "http" and check.path.partition("?")[0] == asked for check in pod.template.probes)
        for pod in pods
    )
    if same:
        return step
    note = f"{name} GET {asked} is answered with {codes} (A04): the gateway's backend health would tell"
    return msgspec.structs.replace(step, assumptions=(*step.assumptions, note))
