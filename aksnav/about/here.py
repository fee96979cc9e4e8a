"""How this cluster does what a word means, with the fields that say so."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from aksnav.about.cluster import cluster_facts
from aksnav.about.edge import edge_facts, load_balancer_facts
from aksnav.about.fact import Fact, counted
from aksnav.about.ingress import ingress_facts
from aksnav.about.network import model_fact, network_facts, policy_fact
from aksnav.about.retirements import retirement_facts
from aksnav.about.words import Word
from aksnav.model.kubernetes.service import Service
from aksnav.store import Store
from aksnav.store.table import Row, Table
from aksnav.trace.azure.joins import cluster
from aksnav.trace.azure.network_model import NetworkModel, network_model
from aksnav.trace.readable import unreadable
from aksnav.trace.step import Evidence

T = TypeVar("T", bound=Row)

# So many objects of a kind are told by name.
SHOWN = 8


def here(store: Store, word: Word, today: str) -> tuple[Fact, ...]:
    """Return how this cluster does what a word means.

    Args:
        store: what is known.
        word: which word.
        today: the date, ISO 8601.
    """
    return _BY_WORD[word.name](store, today)


def _network_model(store: Store, _today: str) -> tuple[Fact, ...]:
    return (model_fact(store), *(fact for fact in network_facts(store) if fact.name != "network model"))


def _addressing(*models: NetworkModel) -> Callable[[Store, str], tuple[Fact, ...]]:
    def told(store: Store, _today: str) -> tuple[Fact, ...]:
        reading = network_model(store)
        known = reading.model not in {NetworkModel.UNKNOWN, NetworkModel.MIXED}
        uses = "this cluster is built so" if reading.model in models else "this cluster is built otherwise"
        answer = (Fact(name="here", value=uses, evidence=reading.evidence),) if known else ()
        wanted = ("Pod CIDR", "virtual network")
        return (*answer, model_fact(store), *(fact for fact in network_facts(store) if fact.name.startswith(wanted)))

    return told


def _virtual_network(store: Store, _today: str) -> tuple[Fact, ...]:
    nodes = [fact for fact in network_facts(store) if fact.name.startswith("virtual network")]
    rows = [
        Fact(
            name="virtual network",
            value=network.name,
            evidence=(
                Evidence(
                    ".addressSpace.addressPrefixes", ", ".join(network.address_space.address_prefixes), network.ref
                ),
            ),
            note=f"{counted(len(network.subnets), 'subnet')}, "
            f"{counted(len(network.virtual_network_peerings), 'peering')}",
        )
        for network in _sorted(store.virtual_networks)
    ]
    return (*nodes, *_or_missing(store.virtual_networks, rows, "virtual network"))


def _security_groups(store: Store, _today: str) -> tuple[Fact, ...]:
    rows = [
        Fact(
            name="network security group",
            value=group.name,
            evidence=(Evidence(".securityRules", f"{len(group.own_rules)} rules besides the default ones", group.ref),),
            note=f"on {counted(len(group.subnets), 'subnet')} and "
            f"{counted(len(group.network_interfaces), 'interface')}",
        )
        for group in _sorted(store.security_groups)
    ]
    return _or_missing(store.security_groups, rows, "network security group")


def _route_tables(store: Store, _today: str) -> tuple[Fact, ...]:
    rows = [
        Fact(
            name="route table",
            value=table.name,
            evidence=(Evidence(".routes", f"{len(table.routes)} routes", table.ref),),
            note=f"on {counted(len(table.subnets), 'subnet')}",
        )
        for table in _sorted(store.route_tables)
    ]
    return _or_missing(store.route_tables, rows, "route table")


def _services(kind: str) -> Callable[[Store, str], tuple[Fact, ...]]:
    def told(store: Store, _today: str) -> tuple[Fact, ...]:
        found = [row for row in _sorted(store.services) if _kind(row) == kind]
        facts = [_service_fact(row) for row in found[:SHOWN]]
        if len(found) > SHOWN:
            facts.append(
                Fact(name="Services", value=f"{len(found) - SHOWN} more of type {kind}", evidence=_counted(found))
            )
        if not found and not unreadable(store.services):
            facts = [
                Fact(name="Services", value=f"none of type {kind}", evidence=(Evidence(".spec.type", "read of all"),))
            ]
        ranges = [fact for fact in network_facts(store) if kind == "ClusterIP" and fact.name == "service CIDR"]
        balancers = tuple(load_balancer_facts(store, cluster(store))) if kind == "LoadBalancer" else ()
        return (*ranges, *balancers, *_or_missing(store.services, facts, "Services"))

    return told


def _kind(row: Service) -> str:
    return "headless" if row.headless else row.type


def _service_fact(row: Service) -> Fact:
    if row.headless:
        return Fact(name="Service", value=row.id, evidence=(Evidence(".spec.clusterIP", "None", row.ref),))
    facts = [Evidence(".spec.type", row.type, row.ref)]
    if row.type == "ExternalName":
        facts.append(Evidence(".spec.externalName", row.external_name, row.ref))
    elif row.type == "LoadBalancer":
        facts.append(Evidence(".status.loadBalancer.ingress", ", ".join(row.external_addresses) or "none", row.ref))
    elif row.type == "NodePort":
        ports = ", ".join(str(port.node_port) for port in row.ports)
        facts.append(Evidence(".spec.ports[*].nodePort", ports, row.ref))
    else:
        facts.append(Evidence(".spec.clusterIP", ", ".join(row.virtual_ips), row.ref))
    return Fact(name="Service", value=row.id, evidence=tuple(facts))


def _counted(rows: Sequence[Service]) -> tuple[Evidence, ...]:
    return (Evidence(".spec.type", f"{len(rows)} Services"),)


def _ingress(store: Store, _today: str) -> tuple[Fact, ...]:
    return ingress_facts(store)


def _gateway(store: Store, _today: str) -> tuple[Fact, ...]:
    classes = [fact for fact in ingress_facts(store) if not fact.name.startswith("ingress class")]
    rows = [
        Fact(
            name="Gateway",
            value=row.id,
            evidence=(
                Evidence(".spec.gatewayClassName", row.gateway_class_name, row.ref),
                Evidence(
                    ".status.addresses", ", ".join(point.value for point in row.status.addresses) or "none", row.ref
                ),
            ),
        )
        for row in _sorted(store.gateways)
    ]
    return (*classes, *_or_missing(store.gateways, rows, "Gateway"))


def _policies(store: Store, _today: str) -> tuple[Fact, ...]:
    count = len(store.network_policies)
    known = not unreadable(store.network_policies)
    proof = Evidence("networkpolicies", f"{count} exist" if known else f"{count} of those that could be read")
    facts = [Fact(name="network policies", value=str(count), evidence=(proof,))] if known or count else []
    return (policy_fact(store), *_or_missing(store.network_policies, facts, "network policies"))


def _outbound(store: Store, _today: str) -> tuple[Fact, ...]:
    return tuple(fact for fact in edge_facts(store) if fact.name.startswith(("outbound", "NAT")))


def _or_missing(table: Table[Any], facts: Iterable[Fact], name: str) -> tuple[Fact, ...]:
    """Return facts, and that not everything could be read where that is so."""
    missing = "" if table.access().reading.value == "absent" else unreadable(table)
    return (*facts, *((Fact(name=name, missing=missing),) if missing else ()))


def _sorted(table: Iterable[T]) -> list[T]:
    return sorted(table, key=lambda row: row.id)


_BY_WORD: dict[str, Callable[[Store, str], tuple[Fact, ...]]] = {
    "Kubernetes network model": _network_model,
    "kubenet": _addressing(NetworkModel.KUBENET),
    "Azure CNI Overlay": _addressing(NetworkModel.OVERLAY),
    "Azure CNI node subnet": _addressing(NetworkModel.NODE_SUBNET),
    "Azure CNI pod subnet": _addressing(NetworkModel.POD_SUBNET, NetworkModel.POD_SUBNET_BLOCK),
    "virtual network": _virtual_network,
    "network security group": _security_groups,
    "route table": _route_tables,
    "ClusterIP": _services("ClusterIP"),
    "NodePort": _services("NodePort"),
    "LoadBalancer": _services("LoadBalancer"),
    "ExternalName": _services("ExternalName"),
    "headless": _services("headless"),
    "Ingress": _ingress,
    "Gateway": _gateway,
    "network policy": _policies,
    "outbound type": _outbound,
    "retirement": retirement_facts,
    "cluster": cluster_facts,
}
