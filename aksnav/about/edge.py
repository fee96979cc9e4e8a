"""What stands between the cluster and the world: outbound type, load balancers, and the API server's access."""

from collections.abc import Iterator

from aksnav.about.fact import Fact, counted
from aksnav.about.network import unsaid
from aksnav.model.azure.cluster import ManagedCluster
from aksnav.store import Store
from aksnav.trace.azure.joins import cluster
from aksnav.trace.readable import unreadable
from aksnav.trace.step import Evidence

# networkProfile.outboundType (AKS documentation, "Customize cluster egress with outbound types").
OUTBOUND = {
    "loadbalancer": "connections leave through an outbound rule of the load balancer, with SNAT ports of its frontends",
    "managednatgateway": "connections leave through a NAT gateway that AKS made",
    "managednatgatewayv2": "connections leave through a zone-redundant NAT gateway that AKS made",
    "userassignednatgateway": "connections leave through a NAT gateway of yours on the nodes' subnet",
    "userdefinedrouting": "connections leave as your route table says; a public load balancer's answers may go another "
    "way than its questions came",
    "none": "nothing is provided by which connections leave",
    "block": "connections out are blocked",
}


def edge_facts(store: Store) -> tuple[Fact, ...]:
    """Return how packets leave and come in, and how the API server is reached."""
    managed = cluster(store)
    return (
        outbound_fact(store, managed),
        *_outbound_seen(store),
        *load_balancer_facts(store, managed),
        api_server_fact(store, managed),
        nodes_fact(store, managed),
        *_features(managed),
    )


def outbound_fact(store: Store, managed: ManagedCluster | None) -> Fact:
    """Return the outbound type."""
    value = managed.network_profile.outbound_type if managed is not None else ""
    if managed is None or not value:
        return Fact(name="outbound type", missing=unsaid(store, "networkProfile.outboundType"))
    note = OUTBOUND.get(value.lower(), "")
    return Fact(
        name="outbound type",
        value=value,
        evidence=(Evidence(".networkProfile.outboundType", value, managed.ref),),
        note=note,
    )


def _outbound_seen(store: Store) -> Iterator[Fact]:
    """Return what Azure has for connections out: it may differ from what the cluster asked for."""
    for balancer in store.load_balancers:
        for rule in balancer.outbound_rules:
            ports = f"{rule.allocated_outbound_ports} a node" if rule.allocated_outbound_ports else "by the pool's size"
            yield Fact(
                name="outbound rule",
                value=f"{rule.name} of load balancer {balancer.name}",
                evidence=(
                    Evidence(
                        f".outboundRules[?(@.name=='{rule.name}')].allocatedOutboundPorts",
                        str(rule.allocated_outbound_ports),
                        balancer.ref,
                    ),
                ),
                note=f"SNAT ports {ports}, of {counted(len(rule.frontend_ip_configurations), 'frontend address')}",
            )
    for network in store.virtual_networks:
        for subnet in network.subnets:
            if subnet.nat_gateway is not None:
                path = f".subnets[?(@.name=='{subnet.name}')].natGateway.id"
                yield Fact(
                    name="NAT gateway",
                    value=f"{subnet.nat_gateway.id.rpartition('/')[2]} on subnet {subnet.name}",
                    evidence=(Evidence(path, subnet.nat_gateway.arm_id, network.ref),),
                )


def load_balancer_facts(store: Store, managed: ManagedCluster | None) -> Iterator[Fact]:
    """Return kind and pool type, as the cluster says, and the load balancers that there are."""
    profile = managed.network_profile if managed is not None else None
    if managed is None or profile is None or not profile.load_balancer_sku:
        yield Fact(name="load balancer", missing=unsaid(store, "networkProfile.loadBalancerSku"))
    else:
        pool = str(profile.load_balancer_profile.get("backendPoolType", ""))
        several = profile.load_balancer_profile.get("enableMultipleStandardLoadBalancers") is True
        facts = [Evidence(".networkProfile.loadBalancerSku", profile.load_balancer_sku, managed.ref)]
        if pool:
            facts.append(Evidence(".networkProfile.loadBalancerProfile.backendPoolType", pool, managed.ref))
        yield Fact(
            name="load balancer",
            value=profile.load_balancer_sku
            + (f", pool members by {pool}" if pool else "")
            + (", several standard load balancers" if several else ""),
            evidence=tuple(facts),
        )
    missing = unreadable(store.load_balancers)
    if missing and not len(store.load_balancers):
        yield Fact(name="load balancers in Azure", missing=missing)
    for balancer in sorted(store.load_balancers, key=lambda item: item.id):
        yield Fact(
            name="load balancer in Azure",
            value=balancer.name,
            evidence=(Evidence(".sku.name", balancer.sku.name or "not set", balancer.ref),),
            note=f"{counted(len(balancer.frontend_ip_configurations), 'frontend')}, "
            f"{counted(len(balancer.load_balancing_rules), 'rule')}",
        )


def api_server_fact(store: Store, managed: ManagedCluster | None) -> Fact:
    """Return how the API server is reached."""
    if managed is None:
        return Fact(name="API server", missing=unsaid(store, "apiServerAccessProfile"))
    profile = managed.api_server_access_profile
    ranges = profile.get("authorizedIPRanges") or []
    facts = [
        Evidence(f".apiServerAccessProfile.{field}", str(profile.get(field, "not set")).lower(), managed.ref)
        for field in ("enablePrivateCluster", "enableVnetIntegration")
    ]
    if profile.get("enablePrivateCluster") is True:
        value = "private: reached inside of the network only"
    elif managed.fqdn:
        value = f"public at {managed.fqdn}"
        facts.append(Evidence(".fqdn", managed.fqdn, managed.ref))
    else:
        return Fact(name="API server", evidence=tuple(facts), missing=unsaid(store, "fqdn"))
    if profile.get("enableVnetIntegration") is True:
        value += ", integrated in the virtual network"
    if ranges:
        value += f", open to {len(ranges)} authorized ranges"
        facts.append(Evidence(".apiServerAccessProfile.authorizedIPRanges", ", ".join(map(str, ranges)), managed.ref))
    return Fact(name="API server", value=value, evidence=tuple(facts))


def nodes_fact(store: Store, managed: ManagedCluster | None) -> Fact:
    """Return who makes nodes: pools of a fixed or an automatic size, or node auto-provisioning."""
    if managed is None or not managed.agent_pool_profiles:
        return Fact(name="node pools", missing=unsaid(store, "agentPoolProfiles"))
    mode = str(managed.node_provisioning_profile.get("mode", ""))
    pools = [
        f"{pool.name} {pool.count}"
        + (f" ({pool.min_count} to {pool.max_count})" if pool.enable_auto_scaling else "")
        + f" {pool.type or 'VirtualMachineScaleSets'}"
        for pool in managed.agent_pool_profiles
    ]
    facts = [Evidence(".agentPoolProfiles[*].type", ", ".join(pools), managed.ref)]
    if mode:
        facts.append(Evidence(".nodeProvisioningProfile.mode", mode, managed.ref))
    note = "nodes are stand-alone virtual machines made as Pods need them" if mode.lower() == "auto" else ""
    return Fact(name="node pools", value=", ".join(pools), evidence=tuple(facts), note=note)


def _features(managed: ManagedCluster | None) -> Iterator[Fact]:
    """Return what few clusters have, where this one has it."""
    if managed is None:
        return
    advanced = managed.network_profile.advanced_networking
    if advanced.get("enabled") is True:
        security = advanced.get("security") or {}
        rules = str(security.get("advancedNetworkPolicies", "")) if isinstance(security, dict) else ""
        yield Fact(
            name="advanced container networking",
            value="on",
            evidence=(Evidence(".networkProfile.advancedNetworking.enabled", "true", managed.ref),),
            note=f"policies by {rules}" if rules else "",
        )
    mode = str(managed.service_mesh_profile.get("mode", ""))
    if mode:
        fact = Evidence(".serviceMeshProfile.mode", mode, managed.ref)
        yield Fact(name="service mesh", value=mode, evidence=(fact,))
