"""What stands in front of the cluster, asked by itself: load balancers, private link, Application Gateways."""

from collections.abc import Iterator

import msgspec

from aksnav.checks.finding import Finding
from aksnav.checks.from_steps import finding_of
from aksnav.model.addresses import parse_address
from aksnav.model.azure.edge import ApplicationGateway
from aksnav.store import Store
from aksnav.trace.azure import appgw_backend, gateway_subnet, lb_address, lb_annotations, private_link_faults
from aksnav.trace.azure.appgateway import base
from aksnav.trace.azure.frontend import Found
from aksnav.trace.azure.joins import frontends_at, subnet_by_id
from aksnav.trace.packet import Packet
from aksnav.trace.step import Evidence, Kind, Step, Verdict


def load_balancer_findings(store: Store) -> Iterator[Finding]:
    """Yield what Services ask for and do not get (L02, L04, L05, L07, L09, L19, L21, L23, L24, N06 to N08)."""
    for service in store.services:
        if service.type != "LoadBalancer" or service.load_balancer_class:
            continue
        steps = [lb_annotations.step_of(service, fault) for fault in lb_annotations.faults(store, service)]
        for point in service.ingress_points:
            address = parse_address(point.ip)
            for pair in frontends_at(store, address) if address is not None else ():
                found = Found(*pair)
                if lb_address.other_side(found, service):
                    step = lb_address.frontend_step(store, Packet(destination=address), found, service)
                    steps.append(msgspec.structs.replace(step, subject=service.ref))
        yield from _findings(steps)


def private_link_findings(store: Store) -> Iterator[Finding]:
    """Yield what keeps private link services from carrying traffic (V01, V02, V03, V05)."""
    for link in store.private_link_services:
        yield from _findings(private_link_faults.faults(store, link))


def gateway_findings(store: Store) -> Iterator[Finding]:
    """Yield what is wrong with Application Gateways: A02, N13, R05, and pools that are not the endpoints (A05)."""
    for gateway in store.application_gateways:
        for item in gateway.gateway_ip_configurations:
            place = subnet_by_id(store, item.subnet)
            if place is not None:
                yield from _findings(gateway_subnet.management(store, place))
        yield from _findings(_state(gateway))
        yield from _findings(appgw_backend.stale_pools(store, gateway))


def _state(gateway: ApplicationGateway) -> list[Step]:
    if gateway.provisioning_state.lower() != "failed" and gateway.operational_state.lower() != "stopped":
        return []
    said = (
        f"Application Gateway {gateway.name}: {gateway.operational_state}, the last change {gateway.provisioning_state}"
    )
    step = base(gateway, Kind.APPGW_LISTENER, Packet(), said)
    facts = (
        Evidence(".operationalState", gateway.operational_state, gateway.ref),
        Evidence(".provisioningState", gateway.provisioning_state, gateway.ref),
    )
    return [msgspec.structs.replace(step, verdict=Verdict.DROP, cause="A02", evidence=facts)]


def _findings(steps: list[Step]) -> Iterator[Finding]:
    for step in steps:
        found = finding_of(step)
        if found is not None:
            yield found
