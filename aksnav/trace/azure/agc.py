"""Application Gateway for Containers: the name of a frontend, and the subnet from which it connects to Pods.

Sources: aks-networking.md 2.e; Azure documentation, application-gateway/for-containers (components, CNI support).
"""

from shlex import quote

import msgspec

from aksnav.model.object import Ref
from aksnav.store.store import Store
from aksnav.trace.azure.gateway_subnet import GatewayPlace
from aksnav.trace.azure.joins import subnet_by_id
from aksnav.trace.packet import Packet
from aksnav.trace.readable import stale, unreadable
from aksnav.trace.step import Evidence, Kind, Step, Verdict

SUFFIX = ".alb.azure.com"
"""Names of frontends end so: ``ID.ZONE.alb.azure.com``."""
_OWN_POLICIES = (
    "no HealthCheckPolicy, RoutePolicy or BackendTLSPolicy of alb.networking.azure.io decides: they are not read"
)


class FrontendFound(msgspec.Struct, frozen=True, gc=False):
    """The step of a frontend, and the subnet of its association; None where that is not known."""

    step: Step
    place: GatewayPlace | None = None


def frontend_at(store: Store, host: str, packet: Packet) -> FrontendFound:
    """Return the frontend that a name is of."""
    step = Step(
        kind=Kind.AGC_FRONTEND,
        verdict=Verdict.BLIND,
        summary=f"{host} is a name of Application Gateway for Containers, and its frontend is not read",
        packet=packet,
        evidence=(Evidence("host", host),),
        confirm="az network alb list -o table",
        fix="grant Microsoft.ServiceNetworking/trafficControllers/{read,frontends/read,associations/read}",
    )
    frontend = next((item for item in store.traffic_frontends if item.fqdn.lower() == host), None)
    if frontend is None:
        return FrontendFound(_no_frontend(store, step, host))
    controller = frontend.id.partition("/frontends/")[0]
    facts: tuple[Evidence, ...] = (
        Evidence(".fqdn", frontend.fqdn, frontend.ref),
        Evidence(".provisioningState", frontend.provisioning_state or "(not said)", frontend.ref),
    )
    step = msgspec.structs.replace(
        step,
        subject=frontend.ref,
        version=frontend.etag,
        evidence=facts,
        assumptions=stale(store.traffic_frontends, store.traffic_associations),
        confirm=f"az network alb frontend show --ids {quote(frontend.arm_id)}",
    )
    mine = [item for item in store.traffic_associations if item.id.startswith(f"{controller}/")]
    association = next((item for item in mine if item.subnet is not None), None)
    name = controller.rpartition("/")[2]
    if association is None:
        return FrontendFound(_no_association(store, step, name))
    failed = next((item for item in (frontend, association) if item.provisioning_state.lower() == "failed"), None)
    place = subnet_by_id(store, association.subnet)
    subnet = association.subnet.arm_id if association.subnet is not None else ""
    facts = (*facts, Evidence(".subnet.id", subnet, association.ref))
    if failed is not None:
        fact = Evidence(".provisioningState", failed.provisioning_state, failed.ref)
        said = f"{failed.ref} of Application Gateway for Containers {name} failed to be provisioned"
        fix = "see the conditions of the Gateway, and the subnet: delegated, a /24, and empty"
        lost = msgspec.structs.replace(
            step, verdict=Verdict.DROP, summary=said, cause="G02", evidence=(*facts, fact), missing="", fix=fix
        )
        return FrontendFound(lost, place)
    told = f"{host} is frontend {frontend.name} of Application Gateway for Containers {name}"
    if place is None:
        missing = unreadable(store.virtual_networks) or f"the subnet {subnet} from which it connects"
        return FrontendFound(msgspec.structs.replace(step, summary=told, evidence=facts, missing=missing))
    summary = f"{told}, which connects to Pods from subnet {place[1].name}"
    passed = msgspec.structs.replace(
        step,
        verdict=Verdict.PASS,
        summary=summary,
        evidence=facts,
        assumptions=(*step.assumptions, _OWN_POLICIES),
        missing="",
        fix="",
    )
    return FrontendFound(passed, place)


def _no_frontend(store: Store, step: Step, host: str) -> Step:
    missing = unreadable(store.traffic_frontends)
    rows = list(store.traffic_frontends)
    if missing or not rows:
        return msgspec.structs.replace(step, missing=missing or f"the frontend that has the name {host}")
    names = ", ".join(item.fqdn for item in rows)
    return msgspec.structs.replace(
        step,
        verdict=Verdict.REJECT,
        summary=f"{host} is no name of a frontend that is there: the record points to one that is gone",
        subject=rows[0].ref,
        cause="G04",
        evidence=(Evidence("host", host), Evidence(".fqdn", names, rows[0].ref, "the names that there are")),
        assumptions=("no other Application Gateway for Containers serves the cluster",),
        fix="point the record to the name in the Gateway's status",
    )


def _no_association(store: Store, step: Step, name: str) -> Step:
    missing = unreadable(store.traffic_associations)
    if missing or not store.traffic_associations.access().fresh:
        return msgspec.structs.replace(step, missing=missing or f"the association of {name}")
    return msgspec.structs.replace(
        step,
        verdict=Verdict.DROP,
        summary=f"Application Gateway for Containers {name} has no association: it is joined to no subnet",
        cause="G02",
        missing="",
        fix="associate it with a delegated /24 of the nodes' network",
    )


def unserved(store: Store, host: str, packet: Packet) -> Step:
    """Return the step of a frontend that no Gateway and no Ingress of this cluster has in its status."""
    missing = "; ".join(filter(None, (unreadable(store.gateways), unreadable(store.ingresses))))
    return Step(
        kind=Kind.GATEWAY_LISTENER,
        verdict=Verdict.BLIND,
        summary=f"no Gateway and no Ingress that can be read has {host} in its status",
        subject=Ref("Gateway", ""),
        packet=packet,
        missing=missing or f"the Gateway or Ingress that {host} serves",
        confirm="kubectl get gateways,ingresses -A -o wide",
    )
