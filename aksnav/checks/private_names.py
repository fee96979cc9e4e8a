"""Private names that nobody answers: no record for an endpoint (V07), servers of the internet (D04), no zone (I23).

Sources: Azure documentation, private-link/private-endpoint-dns.md (an endpoint without a DNS zone group has its names
in ``customDnsConfigs``, and the record is somebody else's business), dns/private-dns-overview.md (private zones answer
at 168.63.129.16 in the networks that they are linked to, and nowhere on the internet); AKS documentation, "Use a custom
DNS server" and "Set up DNS and TLS with application routing" (the add-on writes into the zones that are named).
"""

from collections.abc import Iterator, Mapping
from shlex import quote
from typing import Any

from aksnav.checks.finding import Finding, Proof
from aksnav.model.azure.cluster import ManagedCluster
from aksnav.model.azure.edge import PrivateEndpoint
from aksnav.model.azure.network import VirtualNetwork
from aksnav.model.change import Reading
from aksnav.store import Store
from aksnav.store.table import Table
from aksnav.trace.azure import zones
from aksnav.trace.azure.commands import located
from aksnav.trace.azure.joins import group_of, subnet_by_id
from aksnav.trace.azure.resolvers import of_the_internet
from aksnav.trace.step import Evidence

_API_SERVER = ".azmk8s.io"
_PRIVATE_ZONE = "/providers/microsoft.network/privatednszones/"


def private_name_findings(store: Store) -> Iterator[Finding]:
    """Yield V07, D04 and I23."""
    for endpoint in sorted(store.private_endpoints, key=lambda row: row.id):
        yield from _without_record(store, endpoint)
    for network in sorted(store.virtual_networks, key=lambda row: row.id):
        yield from _of_the_internet(store, network)
    for cluster in store.clusters:
        yield from _zones_of_app_routing(store, cluster)


def _without_record(store: Store, endpoint: PrivateEndpoint) -> Iterator[Finding]:
    """Yield V07: an endpoint's network asks Azure DNS, and no private zone that is known has the endpoint's name.

    A zone that has the record and answers elsewhere is another fault (D03), one with another address D09.
    """
    place = subnet_by_id(store, endpoint.subnet)
    if place is None or zones.resolver_in(store, place[0].id).own or not _all_read(store):
        return
    for index, item in enumerate(endpoint.custom_dns_configs):
        host = item.fqdn.lower().rstrip(".")
        names = [host, *zones.privatelink_names(store, host)] if host and item.ip_addresses else []
        if not names or any(_has_or_hides(store, name) for name in names):
            continue
        yield Finding(
            id="V07",
            subject=endpoint.ref,
            summary=f"private endpoint {endpoint.name} is {item.ip_addresses[0]}, and no private zone has {host}",
            proof=Proof.LIKELY,
            evidence=(
                Evidence(f".customDnsConfigs[{index}].fqdn", item.fqdn, endpoint.ref, "no DNS zone group writes it"),
                Evidence("privateDnsZones", f"{len(store.private_zones)} known, none with a record of it"),
                Evidence(".dhcpOptions.dnsServers", "(Azure DNS)", place[0].ref, "who is asked beside the endpoint"),
            ),
            related=(place[0].ref,),
            confirm="az network private-endpoint dns-zone-group list"
            f" {located(endpoint.id)} --endpoint-name {quote(endpoint.name)}",
            fix=f"add a DNS zone group to the endpoint, or a record of {host} to a zone that is linked to the clients",
        )
        return


def _all_read(store: Store) -> bool:
    """Return whether a zone or a record that is not there is known not to be: read now, not merely never heard of."""
    tables: tuple[Table[Any], ...] = (store.private_zones, store.zone_records)
    return all(
        not table.undecodable
        and table.access().reading is Reading.LIVE
        and all(access.reading is Reading.LIVE for access in table.scopes().values())
        for table in tables
    )


def _has_or_hides(store: Store, name: str) -> bool:
    return any(
        zones.records_of(store, zone, name) or store.zone_records.access(zone.id).reading is not Reading.LIVE
        for zone in zones.covering(store, name)
    )


def _of_the_internet(store: Store, network: VirtualNetwork) -> Iterator[Finding]:
    """Yield D04: a network asks public resolvers alone, and names that only private zones have are needed in it."""
    servers = network.dhcp_options.dns_servers
    if not of_the_internet(servers):
        return
    needed = next(_needed(store, network), None)
    if needed is None:
        return
    what, facts = needed
    yield Finding(
        id="D04",
        subject=network.ref,
        summary=f"network {network.name} asks {', '.join(servers)}, on the internet: {what}",
        proof=Proof.PROVEN,
        evidence=(Evidence(".dhcpOptions.dnsServers", ", ".join(servers), network.ref), *facts),
        confirm=f"az network vnet show --ids {quote(network.arm_id)} --query dhcpOptions",
        fix=f"take the network's own servers away, or name such as forward private names to {zones.AZURE_DNS}",
    )


def _needed(store: Store, network: VirtualNetwork) -> Iterator[tuple[str, tuple[Evidence, ...]]]:
    """Yield what in a network needs a private zone, in words and with its fields."""
    for cluster in store.clusters:
        profile = cluster.api_server_access_profile
        pools = [pool for pool in cluster.agent_pool_profiles if _within(pool.vnet_subnet_id, network)]
        public = profile.get("enablePrivateClusterPublicFQDN") is not False
        if profile.get("enablePrivateCluster") is True and pools and cluster.private_fqdn and not public:
            facts = (
                Evidence(".privateFQDN", cluster.private_fqdn, cluster.ref),
                Evidence(".apiServerAccessProfile.enablePrivateClusterPublicFQDN", "false", cluster.ref),
            )
            yield f"the nodes do not find the API server {cluster.private_fqdn}", facts
    for link in sorted(store.zone_links, key=lambda row: row.id):
        zone = store.private_zones.get(link.zone)
        mine = link.virtual_network.id == network.id and not link.registration_enabled
        if mine and zone is not None and not zone.domain.endswith(_API_SERVER):
            fact = Evidence(".virtualNetwork.id", link.virtual_network.arm_id, link.ref)
            yield f"private zone {zone.domain} is linked to it, and never asked", (fact,)


def _within(subnet: str, network: VirtualNetwork) -> bool:
    return subnet.lower().startswith(f"{network.id}/")


def _zones_of_app_routing(store: Store, cluster: ManagedCluster) -> Iterator[Finding]:
    """Yield I23: a private zone that application routing is to write into does not exist."""
    web: Mapping[str, Any] = _mapping(cluster.ingress_profile.get("webAppRouting"))
    listed = web.get("dnsZoneResourceIds")
    for index, ident in enumerate(listed if isinstance(listed, list) else ()):
        if not isinstance(ident, str) or _PRIVATE_ZONE not in ident.lower() or web.get("enabled") is not True:
            continue
        known = store.private_zones.access(group_of(ident)).reading is Reading.LIVE
        if not known or ident.lower().rstrip("/") in store.private_zones:
            continue
        name = ident.rstrip("/").rpartition("/")[2]
        yield Finding(
            id="I23",
            subject=cluster.ref,
            summary=f"application routing writes its names into private zone {name}, which does not exist",
            proof=Proof.PROVEN,
            evidence=(Evidence(f".ingressProfile.webAppRouting.dnsZoneResourceIds[{index}]", ident, cluster.ref),),
            confirm=f"az network private-dns zone show --ids {quote(ident)}",
            fix="make the zone, or take it from the add-on: az aks approuting zone delete",
        )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
