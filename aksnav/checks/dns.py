"""Private DNS asked by itself: what the nodes' networks are told of the names that objects claim (D01, D03, D08, D09).

A public way in is traced from the internet, which sees no private zone: here the same name is asked from inside.
"""

from collections.abc import Iterator

import msgspec

from aksnav.checks.finding import Finding, Proof
from aksnav.checks.from_steps import finding_of
from aksnav.model.azure.cluster import ManagedCluster
from aksnav.store import Store
from aksnav.trace.azure import zones
from aksnav.trace.azure.joins import node_networks
from aksnav.trace.cluster.dns import resolve
from aksnav.trace.cluster.hosts import claimed_hosts, claims_of
from aksnav.trace.cluster.private_names import as_azure_answers
from aksnav.trace.packet import Packet
from aksnav.trace.step import Evidence, Step

_UNLINKED = "D03"
_ALIASES = 8


def zone_findings(store: Store) -> Iterator[Finding]:
    """Yield what private zones answer in the nodes' networks that objects contradict."""
    if not zones.known_zones(store):
        return
    for network in sorted(node_networks(store)):
        for host in claimed_hosts(store):
            yield from _of_host(store, network, host)
        for cluster in store.clusters:
            yield from _of_private_cluster(store, network, cluster)


def _of_host(store: Store, network: str, host: str) -> Iterator[Finding]:
    """Yield what is wrong with a name as a network is told it.

    A zone that answers in another network is there for the clients of that one: that this one is left out is a hint,
    but for the name of a private endpoint, which has its address in this very network.
    """
    step = _asked(store, network, host)
    found = finding_of(step) if step is not None and step.cause else None
    if found is None:
        return
    if found.id == _UNLINKED:
        endpoint = any(claim.ref.kind == "privateEndpoints" for claim in claims_of(store, host))
        elsewhere = any(fact.field == ".virtualNetwork.id" for fact in found.evidence)
        found = msgspec.structs.replace(found, proof=Proof.HINT if elsewhere and not endpoint else Proof.LIKELY)
    elif step is not None and step.assumptions:
        found = msgspec.structs.replace(found, proof=Proof.LIKELY)
    yield found


def _asked(store: Store, network: str, host: str) -> Step | None:
    """Return the last step of looking a name up in a network, along its aliases; None where they have no end."""
    resolver = zones.resolver_in(store, network)
    packet = Packet(host=host)
    for _ in range(_ALIASES):
        found = resolve(store, host, packet, inside=False, namespace="")
        told = as_azure_answers(store, resolver, host, packet, found)
        alias = next((answer.alias for answer in told.answers if answer.alias), "")
        if told.step.cause or not alias:
            return told.step
        host = alias
    return None


def _of_private_cluster(store: Store, network: str, cluster: ManagedCluster) -> Iterator[Finding]:
    """Yield D03 for the zone of a private API server that the nodes' network does not see: nodes cannot join.

    Source: AKS documentation, "Create a private cluster", hub and spoke with custom DNS.
    """
    private = cluster.api_server_access_profile.get("enablePrivateCluster") is True
    host = cluster.private_fqdn.lower().rstrip(".")
    if not private or not host or zones.resolver_in(store, network).own:
        return
    looked = zones.look_up(store, network, host)
    if looked.state is not zones.State.NONE:
        return
    having = [zone for zone in zones.covering(store, host) if zones.records_of(store, zone, host)]
    for zone in having[:1]:
        linked = zones.links_of(store, zone)
        shown = ", ".join(link.virtual_network.id.rpartition("/")[2] for link in linked) or "no network"
        name = network.rpartition("/")[2]
        yield Finding(
            id=_UNLINKED,
            subject=zone.ref,
            summary=f"private zone {zone.domain} has API server {host}, and is not linked to {name}, but to {shown}",
            proof=Proof.LIKELY,
            evidence=(
                Evidence(".privateFQDN", cluster.private_fqdn, cluster.ref),
                *(Evidence(".virtualNetwork.id", link.virtual_network.arm_id, link.ref) for link in linked[:8]),
                Evidence(".agentPoolProfiles[].vnetSubnetID", network, cluster.ref, "the nodes' network"),
            ),
            confirm=f"nslookup {host} on a node",
            fix=f"link zone {zone.domain} to virtual network {name}",
        )
