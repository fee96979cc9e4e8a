"""The address of a load balancer: the public address resource, the frontend, and a Service that has none yet."""

from collections.abc import Iterator
from shlex import quote

import msgspec

from aksnav.model.addresses import format_address
from aksnav.model.kubernetes.service import Service
from aksnav.model.kubernetes.workload import Event
from aksnav.model.object import Ref
from aksnav.store.store import Store
from aksnav.trace.azure import lb_annotations
from aksnav.trace.azure.frontend import Found, is_internal
from aksnav.trace.azure.joins import cluster, public_ip_at
from aksnav.trace.azure.lb_annotations import Fault
from aksnav.trace.packet import Packet
from aksnav.trace.readable import stale, unreadable
from aksnav.trace.step import Considered, Evidence, Kind, Step, Verdict

# LB skus with a data path of their own that is not followed.
_OTHER_PATHS = {"gateway": "a gateway load balancer"}
# What the message of a failed reconciliation says, and which fault it is (aks-networking.md 5.1).
_MESSAGES = (
    ("linkedauthorizationfailed", "L01"),
    ("authorizationfailed", "L01"),
    ("publicipcountlimitreached", "L03"),
    ("dnsrecordinuse", "L05"),
    ("error parsing idle timeout", "L07"),
    ("total probe should be less than 120", "L07"),
    ("scopelocked", "L25"),
    ("requestdisallowedbypolicy", "L25"),
    ("exceeded maximum rule limit", "L23"),
    ("not in the eligible set", "L24"),
    ("securityrulecountlimit", "N19"),
    ("both loadbalancersourceranges", "N06"),
    ("subnet", "L04"),
    ("conflict", "L19"),
    ("ip", "L02"),
)
_FAILURES = frozenset({"SyncLoadBalancerFailed", "UpdateLoadBalancerFailed", "CreatingLoadBalancerFailed"})


def public_step(store: Store, packet: Packet, found: Found | None, service: Service | None) -> Step | None:
    """Return what the public address resource says; None where the address is private."""
    private = found is not None and bool(found.frontend.private_ip_address)
    if packet.destination is None or private or (found is None and is_internal(service)):
        return None
    public = public_ip_at(store, packet.destination)
    text = format_address(packet.destination)
    if public is None:
        missing = unreadable(store.public_ips) or f"no public address resource has {text}"
        return Step(
            kind=Kind.PUBLIC_IP,
            verdict=Verdict.BLIND,
            summary=f"the public address resource of {text} is not known",
            packet=packet,
            missing=missing,
            confirm=f"az network public-ip list --query \"[?ipAddress=='{text}'].id\"",
            fix="grant Microsoft.Network/publicIPAddresses/read on the group of the address",
        )
    notes = []
    if public.sku.name.lower() == "basic":
        notes.append(Considered("L21", False, "sku Basic is retired: changes to it fail"))
    return Step(
        kind=Kind.PUBLIC_IP,
        verdict=Verdict.PASS,
        summary=f"{text} is public address {public.name}",
        subject=public.ref,
        version=public.etag,
        packet=packet,
        evidence=(
            Evidence(".ipAddress", public.ip_address, public.ref),
            Evidence(".sku.name", public.sku.name or "(not said)", public.ref),
            Evidence(
                ".ipConfiguration.id",
                public.ip_configuration.arm_id if public.ip_configuration else "(none)",
                public.ref,
            ),
        ),
        considered=tuple(notes),
        assumptions=stale(store.public_ips),
        confirm=f"az network public-ip show --ids {quote(public.arm_id)}",
    )


def frontend_step(store: Store, packet: Packet, found: Found | None, service: Service | None) -> Step:
    """Return which frontend of which load balancer has the address."""
    text = format_address(packet.destination) if packet.destination is not None else ""
    if found is None:
        return _no_frontend(store, packet, service, text)
    balancer, frontend = found.balancer, found.frontend
    sku = balancer.sku.name
    step = Step(
        kind=Kind.LB_FRONTEND,
        verdict=Verdict.PASS,
        summary=f"{text} is frontend {frontend.name} of load balancer {balancer.name}",
        subject=balancer.ref,
        version=balancer.etag,
        packet=packet,
        evidence=(
            Evidence(f".frontendIPConfigurations[?name=='{frontend.name}'].id", frontend.arm_id, balancer.ref),
            Evidence(".sku.name", sku or "(not said)", balancer.ref),
        ),
        considered=(Considered("L21", False, "sku Basic is retired"),) if sku.lower() == "basic" else (),
        assumptions=stale(store.load_balancers),
        confirm=f"az network lb show --ids {quote(balancer.arm_id)}",
    )
    step = _against_its_service(step, found, service)
    other = _OTHER_PATHS.get(sku.lower())
    if other is None:
        return step
    return msgspec.structs.replace(
        step, verdict=Verdict.UNSUPPORTED, summary=f"{step.summary}: {other} is not modelled", missing=other
    )


def chained(packet: Packet, found: Found | None) -> list[Step]:
    """Return the step of a frontend that sends through a gateway load balancer first, or nothing.

    Source: Azure documentation, load-balancer/gateway-overview: what comes to a chained frontend goes through the
    appliances behind the gateway load balancer, which may let it go or not.
    """
    reference = found.frontend.gateway_load_balancer if found is not None else None
    if found is None or reference is None or not reference.arm_id:
        return []
    what = f"the appliances behind gateway load balancer frontend {reference.arm_id.rpartition('/')[2]}"
    field = f".frontendIPConfigurations[?name=='{found.frontend.name}'].gatewayLoadBalancer.id"
    return [
        Step(
            kind=Kind.FIREWALL,
            verdict=Verdict.UNSUPPORTED,
            summary=f"frontend {found.frontend.name} is chained: {what} decide by rules that are not read",
            subject=found.balancer.ref,
            version=found.balancer.etag,
            packet=packet,
            evidence=(Evidence(field, reference.arm_id, found.balancer.ref),),
            missing=f"the rules of {what}",
            confirm=f"az network lb show --ids {quote(found.balancer.arm_id)} --query frontendIPConfigurations",
            fix="ask the owner of the appliances whether they let it through",
        )
    ]


def other_side(found: Found, service: Service | None) -> bool:
    """Return whether a frontend is public where its Service asks for an internal one, or the other way round (L09)."""
    return service is not None and bool(found.frontend.private_ip_address) is not is_internal(service)


def _against_its_service(step: Step, found: Found, service: Service | None) -> Step:
    """L09: the frontend is on the other side than the Service asks; what is there works on until it is replaced."""
    if service is None or not other_side(found, service):
        return step
    field = ".metadata.annotations['service.beta.kubernetes.io/azure-load-balancer-internal']"
    is_private = bool(found.frontend.private_ip_address)
    fact = Evidence(field, str(is_internal(service)).lower(), service.ref)
    here, asked = ("private", "a public one") if is_private else ("public", "an internal one")
    said = f"{step.summary}: it is {here}, and Service {service.id} asks for {asked}"
    fix = "read the events of the Service: the change of its annotation was not carried out"
    return msgspec.structs.replace(step, summary=said, cause="L09", evidence=(*step.evidence, fact), fix=fix)


def _cut_frontends(store: Store) -> Iterator[str]:
    """Yield what load balancers do not tell of their frontends, any of which may have the address."""
    for balancer in store.load_balancers:
        if "frontendIPConfigurations" in balancer.untold:
            yield f".frontendIPConfigurations of load balancer {balancer.name}"
        for frontend in balancer.frontend_ip_configurations:
            for field in frontend.untold:
                yield f".{field} of frontend {frontend.name or '(unnamed)'} of load balancer {balancer.name}"


def _no_frontend(store: Store, packet: Packet, service: Service | None, text: str) -> Step:
    missing = unreadable(store.load_balancers) or (unreadable(store.public_ips) if not is_internal(service) else "")
    broken = next(iter(store.load_balancers.undecodable.items()), None)
    if not missing and broken is not None:
        missing = f"load balancer {broken[0].rpartition('/')[2]}: {broken[1]}"
    missing = missing or next(_cut_frontends(store), "")
    step = Step(
        kind=Kind.LB_FRONTEND,
        verdict=Verdict.BLIND,
        summary=f"the load balancer of {text} is not known",
        subject=service.ref if service is not None else None,
        packet=packet,
        missing=missing,
        confirm='az network lb list --query "[].frontendIPConfigurations[].{lb:id,private:privateIPAddress}"',
        fix="grant Microsoft.Network/loadBalancers/read on the node resource group",
    )
    if service is not None and service.load_balancer_class:
        name = service.load_balancer_class
        return msgspec.structs.replace(
            step,
            verdict=Verdict.UNSUPPORTED,
            summary=f"Service {service.id} is served by load balancer class {name}, which is not Azure's",
            cause="L06",
            missing=f"load balancer class {name}",
            evidence=(Evidence(".spec.loadBalancerClass", name, service.ref),),
            confirm=_confirm(service),
            fix="remove loadBalancerClass if Azure is to serve the Service",
        )
    if missing or service is None:
        return step
    return msgspec.structs.replace(
        step,
        verdict=Verdict.DROP,
        summary=f"no frontend of a load balancer has {text}, which Service {service.id} still shows",
        cause="L26",
        missing="",
        evidence=(Evidence(".status.loadBalancer.ingress[].ip", text, service.ref, "is no frontend's address"),),
        confirm=_confirm(service),
        fix="touch the Service so that its address is written again, and keep it with a static public address",
    )


def pending(store: Store, service: Service, packet: Packet) -> Step:
    """Return why a Service of type LoadBalancer has no address yet (aks-networking.md 5.1).

    Events expire after an hour, so their absence proves nothing.
    """
    base = Step(
        kind=Kind.LB_FRONTEND,
        verdict=Verdict.REJECT,
        summary=f"Service {service.id} has no load balancer address",
        subject=service.ref,
        version=service.resource_version,
        packet=packet,
        evidence=(Evidence(".status.loadBalancer.ingress", "(empty)", service.ref),),
        confirm=f"kubectl -n {quote(service.namespace)} describe service {quote(service.name)}",
        fix="read the events of the Service: the cloud controller says why it cannot give an address",
    )
    if service.load_balancer_class:
        fact = Evidence(".spec.loadBalancerClass", service.load_balancer_class, service.ref)
        said = f"{base.summary}: class {service.load_balancer_class} is not Azure's"
        fix = "remove loadBalancerClass (the Service has to be made again for that), or install its controller"
        return msgspec.structs.replace(base, summary=said, cause="L06", evidence=(*base.evidence, fact), fix=fix)
    found = list(lb_annotations.faults(store, service))
    event = _last_failure(store, service)
    if event is not None:
        ref = Ref("Event", event.id)
        facts = (Evidence(".reason", event.reason, ref), Evidence(".message", event.message, ref))
        cause = next((known for text, known in _MESSAGES if text in event.message.lower()), "")
        said = f"{base.summary}: {event.reason}"
        notes = tuple(Considered(item.cause, decided=item.cause == cause, why=item.said) for item in found)
        return msgspec.structs.replace(
            base, summary=said, cause=cause, evidence=(*base.evidence, *facts), considered=notes
        )
    return _without_event(store, base, found)


def _without_event(store: Store, base: Step, found: list[Fault]) -> Step:
    """Return why a Service has no address where no event says so: by what it asks for, and the cluster's state."""
    first = next((item for item in found if item.blocks), None)
    if first is not None:
        notes = tuple(Considered(item.cause, decided=item is first, why=item.said) for item in found)
        said = f"{base.summary}: {first.said}"
        return msgspec.structs.replace(
            base,
            summary=said,
            cause=first.cause,
            evidence=(*base.evidence, *first.facts),
            considered=notes,
            fix=first.fix,
        )
    managed = cluster(store)
    state = managed.provisioning_state if managed is not None else ""
    if managed is not None and state.lower() in {"failed", "updating", "upgrading", "stopped"}:
        fact = Evidence(".provisioningState", state, managed.ref)
        said = f"{base.summary}: the cluster is in state {state}, in which load balancers may not be written"
        return msgspec.structs.replace(base, summary=said, cause="K05", evidence=(*base.evidence, fact))
    hidden = "; ".join(filter(None, (unreadable(store.events, base.subject.namespace if base.subject else ""),)))
    why = f"its events are not readable ({hidden})" if hidden else "no event of it is left"
    note = Considered(
        "events", decided=False, why=f"{why}, and nothing that it asks for is wrong as far as objects tell"
    )
    return msgspec.structs.replace(base, summary=f"{base.summary}, and {why}", considered=(note,))


def _last_failure(store: Store, service: Service) -> Event | None:
    found = [
        event
        for event in store.events
        if event.about_kind == "Service"
        and event.about_name == service.name
        and event.about_namespace == service.namespace
        and event.reason in _FAILURES
    ]
    return max(found, key=lambda event: event.last_seen, default=None)


def _confirm(service: Service) -> str:
    return f"kubectl -n {quote(service.namespace)} get service {quote(service.name)} -o yaml"
