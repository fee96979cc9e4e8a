"""All objects of one kind, and which columns each kind has."""

from collections.abc import Sequence
from typing import Any

from aksnav.model.kinds import Kind
from aksnav.store import Store
from aksnav.ui.panes.nodes import owner, restarts, status, tone, worst_first
from aksnav.ui.panes.pane import ObjectPane
from aksnav.ui.panes.policies import directions, selects
from aksnav.ui.panes.services import address, ports
from aksnav.ui.widgets.columns import Column


class KindPane(ObjectPane):
    """Every object of one kind, with the columns that the kind has."""

    def __init__(self, store: Store, kind: Kind) -> None:
        self._kind = kind
        self.kinds = (kind.name,)  # type: ignore[misc]  # a class variable elsewhere: here the kind is the caller's
        self.heading = kind.plural  # type: ignore[misc]  # as above
        self.by_namespace = kind.namespaced  # type: ignore[misc]  # as above
        super().__init__(store)
        self.table.sort_by("seen" if kind.name == "Event" else "name", reverse=kind.name == "Event")

    def columns(self) -> Sequence[Column[Any]]:
        """Return the name and what matters of the kind."""
        name: Column[Any] = Column(
            "name", "NAME", _name, width=30, min_width=16, flex=2, elide="middle", sort_key=_name
        )
        return (name, *COLUMNS.get(self._kind.name, ()))


def _attached(row: Any) -> str:
    return _last(row.ip_configuration.arm_id) if row.ip_configuration else ""


def _group(row: Any) -> str:
    return _last(row.network_security_group.arm_id) if row.network_security_group else ""


def _first_addresses(row: Any) -> str:
    return " ".join(item.private_ip_address for item in row.ip_configurations[:3])


def _name(row: Any) -> str:
    return str(row.name) if str(row.id).startswith("/") else str(row.id)


def _hosts(row: Any) -> str:
    return " ".join(dict.fromkeys(rule.host or "*" for rule in row.rules))


def _points(row: Any) -> str:
    return " ".join(point.ip or point.hostname for point in row.ingress_points)


def _ready_of(row: Any) -> str:
    return f"{sum(item.ready for item in row.endpoints)}/{len(row.endpoints)}"


def _ready_tone(row: Any) -> str:
    good = sum(item.ready for item in row.endpoints)
    return "bad" if not good else "good" if good == len(row.endpoints) else "warn"


def _slice_ports(row: Any) -> str:
    return " ".join(f"{port.port if port.port is not None else 'every'}/{port.protocol}" for port in row.ports)


def _slice_addresses(row: Any) -> str:
    """Return the addresses, those that are not ready in brackets."""
    texts = ((",".join(item.addresses), item.ready) for item in row.endpoints)
    return " ".join(text if good else f"({text})" for text, good in texts)


def _existence(row: Any) -> str:
    return "" if row.exists else "bad"


def _granted_from(row: Any) -> str:
    return " ".join(f"{item.kind} in {item.namespace}" for item in row.from_)


def _event_tone(row: Any) -> str:
    return "warn" if row.type == "Warning" else ""


def _about(row: Any) -> str:
    where = f"{row.about_namespace}/" if row.about_namespace else ""
    return f"{row.about_kind} {where}{row.about_name}"


def _holder(row: Any) -> str:
    """Return what an interface belongs to; a machine of a scale set by the name of the set and its number."""
    for reference in (row.virtual_machine, row.private_endpoint, row.private_link_service):
        if reference is not None:
            parts = reference.arm_id.split("/")
            of_scale_set = parts[-2:-1] == ["virtualMachines"] and parts[-1].isdigit()
            return f"{parts[-3]} {parts[-1]}" if of_scale_set else parts[-1]
    return ""


def _peerings(row: Any) -> str:
    items = row.virtual_network_peerings
    return " ".join(f"{_last(item.remote_virtual_network.arm_id) or item.name}:{item.peering_state}" for item in items)


def _peering_tone(row: Any) -> str:
    return "" if all(item.peering_state == "Connected" for item in row.virtual_network_peerings) else "bad"


def _link_connections(row: Any) -> str:
    items = row.private_endpoint_connections
    return " ".join(
        f"{_last(item.private_endpoint.arm_id)}:{item.private_link_service_connection_state.status}" for item in items
    )


def _endpoint_connections(row: Any) -> str:
    return " ".join(
        f"{_last(item.private_link_service_id)}:{item.private_link_service_connection_state.status}"
        for item in row.connections
    )


def _names(references: Any) -> str:
    return " ".join(_last(item.arm_id) for item in references)


def _conditions(row: Any) -> str:
    return " ".join(f"{item.type}={item.status}" for item in row.status.conditions)


def _backends(row: Any) -> str:
    return " ".join(f"{ref.name}:{ref.port}" for rule in row.rules for ref in rule.backend_refs)


def _gateways(row: Any) -> str:
    return " ".join(row.gateways) or "mesh"


def _pairs(labels: dict[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in labels.items()) or "(every one)"


def _selector(row: Any) -> str:
    return _pairs(row.selector)


def _selected(row: Any) -> str:
    return _pairs(row.selector.wanted if row.selector is not None else {})


def _destinations(row: Any) -> str:
    rules = (*row.http, *row.tls, *row.tcp)
    return " ".join(dict.fromkeys(item.destination.host for rule in rules for item in rule.route))


_ROUTE_HOSTS: Column[Any] = Column("hosts", "HOSTNAMES", lambda row: " ".join(row.hostnames), width=30, flex=1)
_ROUTE_BACKENDS: Column[Any] = Column("backends", "BACKENDS", _backends, width=30, flex=1)
_ROUTE_PARENTS: Column[Any] = Column(
    "parents", "PARENTS", lambda row: " ".join(ref.name for ref in row.parent_refs), width=20
)

_ROUTE_HOSTS_OF_MESH: Column[Any] = Column("hosts", "HOSTS", lambda row: " ".join(row.hosts), width=30, flex=1)
_DIRECTIONS: Column[Any] = Column("directions", "DIR", directions, width=8)
_SELECTS: Column[Any] = Column("selector", "SELECTS", selects, width=30, flex=1)

_STATUS: Column[Any] = Column("status", "STATUS", status, width=18, min_width=11, style=tone, sort_key=worst_first)

COLUMNS: dict[str, tuple[Column[Any], ...]] = {
    "Service": (
        Column("type", "TYPE", lambda row: row.type, width=12),
        Column("address", "ADDRESS", address, width=16),
        Column("ports", "PORTS", ports, width=24, flex=1),
    ),
    "Ingress": (
        Column("class", "CLASS", lambda row: row.ingress_class_name or row.legacy_class, width=24),
        Column("hosts", "HOSTS", _hosts, width=30, flex=1),
        Column("address", "ADDRESS", _points, width=16),
    ),
    "EndpointSlice": (
        Column("service", "SERVICE", lambda row: row.service, width=20),
        Column("ready", "READY", _ready_of, width=7, align="right", style=_ready_tone),
        Column("ports", "PORTS", _slice_ports, width=20),
        Column("address", "ADDRESSES", _slice_addresses, width=40, flex=2),
    ),
    "ReferenceGrant": (
        Column("from", "FROM", _granted_from, width=36),
        Column("to", "TO", lambda row: " ".join(f"{item.kind} {item.name or '(every)'}" for item in row.to), width=30),
    ),
    "Secret": (
        Column("state", "EXISTS", lambda row: "yes" if row.exists else "no", width=7, style=_existence),
        Column("type", "TYPE", lambda row: row.type, width=30),
    ),
    "IngressClass": (Column("controller", "CONTROLLER", lambda row: row.controller, width=40, flex=1),),
    "Gateway": (
        Column("class", "CLASS", lambda row: row.gateway_class_name, width=18),
        Column("address", "ADDRESS", lambda row: " ".join(item.value for item in row.status.addresses), width=16),
        Column("state", "CONDITIONS", _conditions, width=36, flex=1),
    ),
    "GatewayClass": (
        Column("controller", "CONTROLLER", lambda row: row.controller_name, width=44, flex=1),
        Column("state", "CONDITIONS", _conditions, width=24),
    ),
    "HTTPRoute": (_ROUTE_HOSTS, _ROUTE_PARENTS),
    "GRPCRoute": (_ROUTE_HOSTS, _ROUTE_PARENTS),
    "TLSRoute": (_ROUTE_HOSTS, _ROUTE_PARENTS),
    "TCPRoute": (_ROUTE_BACKENDS, _ROUTE_PARENTS),
    "UDPRoute": (_ROUTE_BACKENDS, _ROUTE_PARENTS),
    "IstioGateway": (
        Column("selector", "SELECTOR", _selector, width=36),
        Column("hosts", "HOSTS", lambda row: " ".join(host for item in row.servers for host in item.hosts), flex=1),
    ),
    "DestinationRule": (
        Column("host", "HOST", lambda row: row.host, width=30, flex=1),
        Column("subsets", "SUBSETS", lambda row: " ".join(item.name for item in row.subsets), width=24),
    ),
    "AuthorizationPolicy": (
        Column("action", "ACTION", lambda row: row.action, width=8),
        Column("rules", "RULES", lambda row: str(len(row.rules)), width=6, align="right"),
        Column("selector", "SELECTS", _selected, width=36, flex=1),
    ),
    "PeerAuthentication": (
        Column("mode", "MODE", lambda row: row.mtls.mode if row.mtls is not None else "UNSET", width=12),
        Column("selector", "SELECTS", _selected, width=36, flex=1),
    ),
    "Sidecar": (
        Column(
            "hosts", "KNOWS", lambda row: " ".join(host for item in row.egress for host in item.hosts), width=36, flex=1
        ),
    ),
    "RequestAuthentication": (
        Column("issuers", "ISSUERS", lambda row: " ".join(rule.issuer for rule in row.jwt_rules), width=36),
        Column("selector", "SELECTS", _selected, width=36, flex=1),
    ),
    "BackendTLSPolicy": (
        Column("targets", "SERVICES", lambda row: " ".join(ref.name for ref in row.target_refs), width=24, flex=1),
        Column("host", "SERVER NAME", lambda row: row.validation.hostname, width=30),
    ),
    "Pod": (
        _STATUS,
        Column("restarts", "RESTARTS", restarts, width=8, align="right", sort_key=lambda row: row.restarts, priority=2),
        Column("address", "ADDRESS", lambda row: row.ip, width=16),
        Column("node", "NODE", lambda row: row.node, width=30, flex=1, elide="middle", priority=1),
        Column("owner", "OWNER", owner, width=28, elide="middle", priority=3),
    ),
    "Node": (
        _STATUS,
        Column("address", "ADDRESS", lambda row: " ".join(row.internal_ips), width=16),
        Column("pool", "POOL", lambda row: row.pool, width=12),
        Column("zone", "ZONE", lambda row: row.zone, width=14),
        Column("version", "VERSION", lambda row: row.kubelet_version, width=12),
        Column("cidr", "POD-CIDR", lambda row: " ".join(row.pod_cidrs), width=18, flex=1),
    ),
    "NetworkPolicy": (
        Column("types", "TYPES", lambda row: ",".join(row.types), width=16),
        Column("selector", "SELECTS", lambda row: str(row.pod_selector), width=30, flex=1),
    ),
    "CiliumNetworkPolicy": (_DIRECTIONS, _SELECTS),
    "CiliumClusterwideNetworkPolicy": (_DIRECTIONS, _SELECTS),
    "CalicoNetworkPolicy": (_DIRECTIONS, _SELECTS),
    "GlobalNetworkPolicy": (_DIRECTIONS, _SELECTS),
    "VirtualService": (
        _ROUTE_HOSTS_OF_MESH,
        Column("gateways", "GATEWAYS", _gateways, width=24),
        Column("to", "DESTINATIONS", _destinations, width=30),
    ),
    "ServiceEntry": (_ROUTE_HOSTS_OF_MESH,),
    "Namespace": (Column("labels", "LABELS", lambda row: str(row.labels), width=40, flex=1),),
    "Event": (
        Column("type", "TYPE", lambda row: row.type, width=8, style=_event_tone),
        Column("reason", "REASON", lambda row: row.reason, width=22),
        Column("about", "ABOUT", _about, width=34, elide="middle"),
        Column("seen", "LAST SEEN", lambda row: row.last_seen, width=20),
        Column("message", "MESSAGE", lambda row: row.message, width=40, flex=2),
    ),
    "networkSecurityGroups": (
        Column("rules", "RULES", lambda row: str(len(row.own_rules)), width=6, align="right"),
        Column(
            "subnets", "SUBNETS", lambda row: " ".join(_last(item.arm_id) for item in row.subnets), width=30, flex=1
        ),
    ),
    "routeTables": (
        Column("routes", "ROUTES", lambda row: " ".join(item.address_prefix for item in row.routes), width=40, flex=1),
    ),
    "loadBalancers": (
        Column("sku", "SKU", lambda row: row.sku.name, width=9),
        Column("frontends", "FRONTENDS", lambda row: str(len(row.frontend_ip_configurations)), width=9, align="right"),
        Column(
            "rules", "RULES", lambda row: " ".join(_rule(item) for item in row.load_balancing_rules), width=40, flex=1
        ),
    ),
    "publicIPAddresses": (
        Column("address", "ADDRESS", lambda row: row.ip_address, width=16),
        Column("attached", "ATTACHED TO", _attached, width=36, flex=1),
    ),
    "networkInterfaces": (
        Column("address", "ADDRESS", _first_addresses, width=26, flex=1),
        Column("of", "OF", _holder, width=34, elide="middle"),
        Column("nsg", "NSG", _group, width=30, flex=1),
    ),
    "virtualNetworks": (
        Column("prefix", "PREFIXES", lambda row: " ".join(row.address_space.address_prefixes), width=24),
        Column("state", "PEERINGS", _peerings, width=34, min_width=16, flex=1, style=_peering_tone),
        Column("subnets", "SUBNETS", lambda row: " ".join(item.name for item in row.subnets), width=36, flex=1),
    ),
    "natGateways": (
        Column("address", "PUBLIC ADDRESSES", lambda row: _names(row.public_ip_addresses), width=36, flex=1),
        Column("subnets", "SUBNETS", lambda row: _names(row.subnets), width=30, flex=1),
    ),
    "privateLinkServices": (
        Column("state", "CONNECTIONS", _link_connections, width=36, flex=1),
        Column("alias", "ALIAS", lambda row: row.alias, width=40, flex=1, elide="middle"),
    ),
    "privateEndpoints": (
        Column("state", "CONNECTIONS", _endpoint_connections, width=36, flex=1),
        Column("subnets", "SUBNET", lambda row: _last(row.subnet.arm_id) if row.subnet else "", width=24),
        Column("hosts", "NAMES", lambda row: " ".join(item.fqdn for item in row.custom_dns_configs), width=36, flex=1),
    ),
    "managedClusters": (
        Column("version", "VERSION", lambda row: row.current_kubernetes_version or row.kubernetes_version, width=10),
        Column("state", "POWER", lambda row: str(row.power_state.get("code", "")), width=10),
        Column("group", "NODE GROUP", lambda row: row.node_resource_group, width=40, flex=1),
    ),
}


def _last(arm_id: str) -> str:
    return arm_id.rpartition("/")[2]


def _rule(rule: Any) -> str:
    return f"{rule.frontend_port}→{rule.backend_port}/{rule.protocol}"
