"""What is wrong with a private link service, whether or not a request goes through it.

Sources: aks-networking.md 5.12; Azure documentation, private-link/private-link-service-overview.md (approval,
visibility), private-link/disable-private-link-service-network-policy.md.
"""

from shlex import quote

import msgspec

from aksnav.model.azure.edge import PrivateLinkService
from aksnav.model.object import Ref
from aksnav.store.store import Store
from aksnav.trace.azure import frontend as naming
from aksnav.trace.azure.joins import subnet_by_id
from aksnav.trace.azure.private_link import CLOSED, cannot_carry, frontends
from aksnav.trace.step import Evidence, Kind, Step, Verdict


def faults(store: Store, link: PrivateLinkService) -> list[Step]:
    """Return what is wrong with a private link service itself: V01 and V04 (who waits), V02, V03, V05, V08 (kept)."""
    steps = []
    for index, item in enumerate(link.private_endpoint_connections):
        state = item.private_link_service_connection_state
        if state.status.lower() not in CLOSED:
            continue
        field = f".privateEndpointConnections[{index}].privateLinkServiceConnectionState.status"
        who = item.private_endpoint.arm_id.rpartition("/")[2]
        steps += _excluded(link, index)
        fault = _fault(
            link, "V01", f"private endpoint {who} is {state.status}", Evidence(field, state.status, link.ref)
        )
        # The endpoint is the one that waits: a trace through it names the same object.
        own = store.private_endpoints.get(item.private_endpoint.id)
        steps.append(fault if own is None else msgspec.structs.replace(fault, subject=own.ref, version=own.etag))
    for item_ in link.ip_configurations:
        place = subnet_by_id(store, item_.subnet)
        if place is not None and place[1].private_link_service_network_policies.lower() == "enabled":
            enabled = Evidence(".privateLinkServiceNetworkPolicies", "Enabled", Ref("subnets", place[1].id))
            said = f"NAT subnet {place[1].name} has network policies for it enabled"
            steps.append(_fault(link, "V02", said, enabled))
    for found in frontends(store, link):
        going = naming.service_of(store, found)
        if going is not None and going.deleting and link.private_endpoint_connections:
            who = link.private_endpoint_connections[0].private_endpoint.arm_id.rpartition("/")[2]
            said = f"Service {going.id} is being deleted, which private endpoint {who} keeps from being done"
            deleted = Evidence(".metadata.deletionTimestamp", "(set)", going.ref)
            connected = Evidence(".privateEndpointConnections[0].privateEndpoint.id", who, link.ref)
            steps.append(_fault(link, "V08", said, deleted, connected))
        for rule in naming.rules_of(found):
            broken = cannot_carry(store, link, found, rule, naming.service_of(store, found))
            if broken is not None:
                steps.append(_fault(link, broken[0], broken[1], *broken[2]))
    return list({(step.cause, step.summary): step for step in steps}.values())


def _excluded(link: PrivateLinkService, index: int) -> list[Step]:
    """Return V04: an endpoint waits whose subscription is in no list of those that may see or connect by themselves."""
    item = link.private_endpoint_connections[index]
    own = item.private_endpoint.id.removeprefix("/subscriptions/").partition("/")[0]
    lists = (("visibility", link.visibility), ("autoApproval", link.auto_approval))
    facts = [
        Evidence(f".{name}.subscriptions", ", ".join(listed.subscriptions), link.ref, f"does not list {own}")
        for name, listed in lists
        if listed.subscriptions and not {own, "*"} & {text.lower() for text in listed.subscriptions}
    ]
    who = item.private_endpoint.arm_id.rpartition("/")[2]
    fields = ", ".join(fact.field.split(".")[1] for fact in facts)
    said = f"{fields} does not list the subscription of private endpoint {who}"
    return [_fault(link, "V04", said, *facts)] if facts else []


def _fault(link: PrivateLinkService, cause: str, said: str, *facts: Evidence) -> Step:
    return Step(
        kind=Kind.PRIVATE_LINK_SERVICE,
        verdict=Verdict.DROP,
        summary=f"private link service {link.name}: {said}",
        subject=link.ref,
        version=link.etag,
        cause=cause,
        evidence=facts,
        confirm=f"az network private-link-service show --ids {quote(link.arm_id)}",
    )
