"""How the network inside of the cluster is built: model, ranges, data plane, policy engine, name service."""

from aksnav.about.fact import Fact
from aksnav.model.azure.cluster import ManagedCluster, NetworkProfile
from aksnav.model.azure.network import Subnet, VirtualNetwork
from aksnav.model.kubernetes.workload import Node
from aksnav.store import Store
from aksnav.trace.azure.joins import cluster
from aksnav.trace.azure.network_model import NetworkModel, network_model
from aksnav.trace.policy.engines import TITLES, Engine, engine
from aksnav.trace.readable import unreadable
from aksnav.trace.step import Evidence

EBPF_LABEL = "kubernetes.azure.com/ebpf-dataplane"
MEANS = {
    NetworkModel.KUBENET: "Pods have addresses of a range of each node; a route table leads there; they leave with the "
    "node's address",
    NetworkModel.NODE_SUBNET: "Pods have addresses of the nodes' subnet, reserved when a node is made",
    NetworkModel.POD_SUBNET: "Pods have addresses of a subnet of their own, given to nodes in batches of 16",
    NetworkModel.POD_SUBNET_BLOCK: "Pods have addresses of a subnet of their own, given to nodes in blocks of /28",
    NetworkModel.OVERLAY: "Pods have addresses that exist inside of the cluster only; they leave with the node's "
    "address",
    NetworkModel.OWN: "AKS knows nothing of how Pods get addresses here; their routes are not guessed",
}


def network_facts(store: Store) -> tuple[Fact, ...]:
    """Return the network model and everything that goes with it."""
    managed = cluster(store)
    return (
        model_fact(store),
        _ranges(store, managed, "Pod CIDR", "podCidrs"),
        _ranges(store, managed, "service CIDR", "serviceCidrs"),
        _name_service(store, managed),
        families_fact(store, managed),
        data_plane_fact(store, managed),
        policy_fact(store),
        *network_of_nodes(store, managed),
    )


def model_fact(store: Store) -> Fact:
    """Return the network model."""
    reading = network_model(store)
    if reading.model is NetworkModel.UNKNOWN:
        return Fact(name="network model", missing=reading.missing)
    return Fact(name="network model", value=reading.model, evidence=reading.evidence, note=MEANS.get(reading.model, ""))


def unsaid(store: Store, field: str) -> str:
    """Return what is missing to know a field of the managed cluster."""
    return unreadable(store.clusters) or f"{field} of the managed cluster"


def _name_service(store: Store, managed: ManagedCluster | None) -> Fact:
    value = managed.network_profile.dns_service_ip if managed is not None else ""
    if managed is None or not value:
        return Fact(name="DNS service address", missing=unsaid(store, "networkProfile.dnsServiceIP"))
    fact = Evidence(".networkProfile.dnsServiceIP", value, managed.ref)
    return Fact(name="DNS service address", value=value, evidence=(fact,))


def _ranges(store: Store, managed: ManagedCluster | None, name: str, field: str) -> Fact:
    """Return the ranges of a cluster; only the models whose Pods live outside of the network have a Pod CIDR."""
    profile = managed.network_profile if managed is not None else NetworkProfile()
    pods = field == "podCidrs"
    values = (profile.pod_cidrs or (profile.pod_cidr,)) if pods else (profile.service_cidrs or (profile.service_cidr,))
    value = ", ".join(filter(None, values))
    if managed is not None and value:
        return Fact(name=name, value=value, evidence=(Evidence(f".networkProfile.{field}", value, managed.ref),))
    if managed is not None and pods and profile.network_plugin:
        return Fact(
            name=name,
            value="none: Pods have addresses of the virtual network",
            evidence=(Evidence(".networkProfile.podCidrs", "not set", managed.ref),),
        )
    return Fact(name=name, missing=unsaid(store, f"networkProfile.{field}"))


def families_fact(store: Store, managed: ManagedCluster | None) -> Fact:
    """Return the IP families."""
    families = managed.network_profile.ip_families if managed is not None else ()
    if managed is None or not families:
        return Fact(name="IP families", missing=unsaid(store, "networkProfile.ipFamilies"))
    value = "dual stack, IPv4 and IPv6" if len(families) > 1 else families[0]
    return Fact(
        name="IP families",
        value=value,
        evidence=(Evidence(".networkProfile.ipFamilies", ", ".join(families), managed.ref),),
    )


def data_plane_fact(store: Store, managed: ManagedCluster | None) -> Fact:
    """Return who carries packets on the nodes: the managed cluster's word, else the label of the nodes."""
    plane = managed.network_profile.network_dataplane if managed is not None else ""
    if managed is not None and plane:
        note = "no kube-proxy: Services are balanced by eBPF" if plane.lower() == "cilium" else _proxy(managed)
        fact = Evidence(".networkProfile.networkDataplane", plane, managed.ref)
        return Fact(name="data plane", value=plane, evidence=(fact,), note=note)
    labelled = next((node for node in store.nodes if node.labels.get(EBPF_LABEL, "")), None)
    if labelled is not None:
        return Fact(name="data plane", value=labelled.labels.get(EBPF_LABEL, ""), evidence=(_label(labelled),))
    return Fact(name="data plane", missing=unsaid(store, "networkProfile.networkDataplane"))


def _label(node: Node) -> Evidence:
    return Evidence(f".metadata.labels['{EBPF_LABEL}']", node.labels.get(EBPF_LABEL, ""), node.ref)


def _proxy(managed: ManagedCluster) -> str:
    mode = managed.network_profile.kube_proxy_config.get("mode", "")
    return f"kube-proxy in mode {mode}" if mode else ""


def policy_fact(store: Store) -> Fact:
    """Return who enforces network policies."""
    reading = engine(store)
    if reading.engine is Engine.UNKNOWN:
        return Fact(name="policy engine", evidence=reading.evidence, missing=reading.missing)
    note = reading.assumed
    if reading.engine is Engine.NONE and (count := len(store.network_policies)):
        note = f"{count} network policies exist and nobody enforces them"
    return Fact(name="policy engine", value=TITLES[reading.engine], evidence=reading.evidence, note=note)


def network_of_nodes(store: Store, managed: ManagedCluster | None) -> tuple[Fact, ...]:
    """Return whose virtual network the nodes are in, AKS's own or the user's, and which subnets each pool has."""
    if managed is None or not managed.agent_pool_profiles:
        return (Fact(name="virtual network", missing=unsaid(store, "agentPoolProfiles")),)
    facts: list[Fact] = []
    for pool in managed.agent_pool_profiles:
        path = f".agentPoolProfiles[?(@.name=='{pool.name}')].vnetSubnetID"
        given = pool.vnet_subnet_id
        proof = Evidence(path, given or "not set", managed.ref)
        if given:
            network, _, subnet = given.partition("/subnets/")
            value = f"yours: {network.rpartition('/')[2]}, subnet {subnet}"
            value += f", Pods in {pool.pod_subnet_id.rpartition('/')[2]}" if pool.pod_subnet_id else ""
        else:
            own = _own_network(store, managed)
            value = f"AKS's own{': ' + own[0].name + ', subnet ' + own[1].name if own else ''}"
        facts.append(Fact(name=f"virtual network of pool {pool.name}", value=value, evidence=(proof,)))
    return tuple(facts)


def _own_network(store: Store, managed: ManagedCluster) -> tuple[VirtualNetwork, Subnet] | None:
    """Return the network that AKS made in the node resource group, if it is the only one there."""
    group = f"/resourcegroups/{managed.node_resource_group.lower()}/"
    found = [item for item in store.virtual_networks if group in item.id and item.subnets]
    return (found[0], found[0].subnets[0]) if len(found) == 1 and managed.node_resource_group else None
