"""What growth spends: addresses of subnets, blocks of the Pod CIDR, routes, outbound ports, and how much is left.

Sources: aks-networking.md 3.2 (outbound ports), 5.11 (capacity) and 7 (limits); AKS documentation,
concepts-network-ip-address-planning.md ("65,536 configured IP address limit"), configure-kubenet.md ("a maximum of 400
routes in a UDR") and configure-load-balancer-standard.md ("Calculate and
verify outbound ports and IPs needed").
"""

from collections.abc import Iterator

import msgspec

from aksnav.model.addresses import Prefix
from aksnav.model.azure.cluster import ManagedCluster
from aksnav.model.azure.network import OutboundRule, RouteTable
from aksnav.model.object import Ref
from aksnav.store import Store
from aksnav.trace.addressing.allotted import BLOCK
from aksnav.trace.addressing.models import FROM_POD_CIDR, FROM_POD_SUBNET, Model, model_of, models_of
from aksnav.trace.addressing.ranges import pod_ranges
from aksnav.trace.addressing.subnets import SubnetUse, subnet_uses
from aksnav.trace.azure.next_hop import table_of
from aksnav.trace.readable import unreadable
from aksnav.trace.step import Evidence

ROUTES = 400
NODES = 5000
PORTS_PER_IP = 64_000
ADDRESSES = 65_536


class Budget(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Something that nodes use up.

    Attributes:
        key: by which a need finds it.
        name: what it is called: ``subnet snet-nodes``.
        unit: what is counted.
        capacity: how many there are for use; None where that is not known.
        used: of these, in use; None where that is not known.
        missing: what would have to be readable, where either is not known.
        check: id of the check that says that it is used up, empty where the catalogue has none.
        subject: the object that is too small.
        evidence: the fields.
        fix: one line.
    """

    key: str
    name: str
    unit: str
    capacity: int | None
    used: int | None
    missing: str = ""
    check: str = ""
    subject: Ref | None = None
    evidence: tuple[Evidence, ...] = ()
    fix: str = ""

    @property
    def free(self) -> int | None:
        """What is left; None where that is not known."""
        return None if self.capacity is None or self.used is None else max(self.capacity - self.used, 0)


def budgets(store: Store, managed: ManagedCluster) -> dict[str, Budget]:
    """Return everything that the cluster's growth spends, by key."""
    found = (*_subnets(store, managed), *_networks(store, managed), *_pod_cidrs(store, managed))
    found += tuple(_routes(store, managed))
    found += (*_outbound(store, managed), _nodes(store, managed))
    return {item.key: item for item in found}


def _subnets(store: Store, managed: ManagedCluster) -> Iterator[Budget]:
    uses = {use.subnet.id: use for use in subnet_uses(store)}
    wanted: dict[str, Model] = {}
    for pool in managed.agent_pool_profiles:
        model = model_of(managed, pool)
        wanted.setdefault(pool.vnet_subnet_id.lower(), Model.UNKNOWN)
        if model in FROM_POD_SUBNET:
            wanted[pool.pod_subnet_id.lower()] = model
    for ident, model in wanted.items():
        use = uses.get(ident)
        if use is None:
            yield _unknown_subnet(store, ident)
        elif model is Model.POD_BLOCKS:
            yield _blocks_of(use)
        else:
            yield _addresses_of(use, pods=model is Model.POD_SUBNET)


def _unknown_subnet(store: Store, ident: str) -> Budget:
    why = unreadable(store.virtual_networks) or "its virtual network is not among those that were read"
    if not ident:
        why = "the pools do not name the subnet of their nodes (vnetSubnetID)"
    name = f"subnet {ident.rpartition('/')[2]}" if ident else "subnet of the nodes"
    return Budget(key=ident, name=name, unit="addresses", capacity=None, used=None, missing=why)


def _addresses_of(use: SubnetUse, *, pods: bool) -> Budget:
    text = " ".join(map(str, use.prefixes))
    facts = (Evidence(f".subnets[?name=='{use.subnet.name}'].addressPrefix", text, use.network.ref), *use.evidence)
    return Budget(
        key=use.subnet.id,
        name=f"subnet {use.subnet.name}",
        unit="addresses",
        capacity=use.size - use.reserved,
        used=use.used,
        missing=use.missing if use.used is None else "",
        check="C02" if pods else "C01",
        subject=use.ref,
        evidence=facts,
        fix="add a node pool with a larger pod subnet" if pods else "add a node pool in a larger subnet",
    )


def _blocks_of(use: SubnetUse) -> Budget:
    """Return the /28 blocks of a pod subnet: one with an address that Azure keeps cannot be given whole."""
    budget = _addresses_of(use, pods=True)
    whole = sum(whole_blocks(prefix) for prefix in use.prefixes)
    used = None if use.used is None else -(-use.used // BLOCK)
    return msgspec.structs.replace(budget, unit="/28 blocks", capacity=whole, used=used)


def whole_blocks(prefix: Prefix) -> int:
    """Return the /28 blocks of a subnet in which Azure keeps no address: neither the first one nor the last one."""
    return max(prefix.size // BLOCK - 2, 0)


def _networks(store: Store, managed: ManagedCluster) -> Iterator[Budget]:
    """Yield the addresses that Azure configures in a network at the most; a /28 block counts as one."""
    models = {pool.pod_subnet_id.lower(): model_of(managed, pool) for pool in managed.agent_pool_profiles}
    for ident in dict.fromkeys(network_of(pool.vnet_subnet_id) for pool in managed.agent_pool_profiles):
        uses = [use for use in subnet_uses(store) if use.network.id == ident]
        if not uses:
            continue  # its subnets are told to be unknown
        counts = [
            use.used if use.used is None or models.get(use.subnet.id) is not Model.POD_BLOCKS else -(-use.used // BLOCK)
            for use in uses
        ]
        missing = next((use.missing for use in uses if use.used is None), "")
        name = uses[0].network.name
        yield Budget(
            key=f"network {ident}",
            name=f"configured addresses of {name}",
            unit="addresses",
            capacity=ADDRESSES,
            used=None if None in counts else sum(count for count in counts if count is not None),
            missing=missing,
            subject=uses[0].network.ref,
            evidence=tuple(fact for use in uses for fact in use.evidence),
            fix="static blocks of a pod subnet, or Azure CNI Overlay",
        )


def network_of(subnet: str) -> str:
    """Return the id of the network of a subnet, in lower case."""
    return subnet.lower().partition("/subnets/")[0]


def _pod_cidrs(store: Store, managed: ManagedCluster) -> Iterator[Budget]:
    ranges = pod_ranges(store)
    if FROM_POD_CIDR.intersection(models_of(managed)) and not any(item.prefix.v4 for item in ranges):
        why = "the cluster does not say its podCidr"
        yield Budget(key="pods v4", name="Pod CIDR", unit="blocks", capacity=None, used=None, missing=why)
    for item in ranges:
        missing = item.missing
        if item.block is None:
            missing = f"no node shows how long its block of {item.text} is"
        field = ".networkProfile.podCidrs" if managed.network_profile.pod_cidrs else ".networkProfile.podCidr"
        facts = (
            Evidence(field, item.text, managed.ref),
            Evidence(".spec.podCIDR", f"{item.used} different blocks", Ref("Node", "(all)")),
        )
        yield Budget(
            key=f"pods {'v4' if item.prefix.v4 else 'v6'}",
            name=f"Pod CIDR {item.text}",
            unit=f"/{item.block} blocks" if item.block is not None else "blocks",
            capacity=item.capacity,
            used=item.used,
            missing=missing,
            check="C04",
            subject=managed.ref,
            evidence=facts,
            fix="expand the Pod CIDR (az aks update --pod-cidr, Linux nodes and IPv4 only)",
        )


def _routes(store: Store, managed: ManagedCluster) -> Iterator[Budget]:
    uses = {use.subnet.id: use for use in subnet_uses(store)}
    idents = {pool.vnet_subnet_id.lower() for pool in managed.agent_pool_profiles}
    if managed.network_profile.network_plugin.lower() != "kubenet":
        return
    tables: dict[str, RouteTable] = {}
    missing = ""
    for ident in sorted(idents):
        use = uses.get(ident)
        table, why = table_of(store, use.subnet) if use is not None else (None, "the subnet of the nodes is not read")
        missing = missing or why
        if table is not None:
            tables[table.id] = table
    if not tables:
        why = missing or "no route table is associated with the subnet of the nodes"
        yield Budget(key="routes", name="route table", unit="routes", capacity=ROUTES, used=None, missing=why)
        return
    fullest = max(tables.values(), key=lambda table: len(table.routes))
    yield Budget(
        key="routes",
        name=f"route table {fullest.name}",
        unit="routes",
        capacity=ROUTES,
        used=len(fullest.routes),
        check="C13",
        subject=fullest.ref,
        evidence=(Evidence(".routes", f"{len(fullest.routes)} routes", fullest.ref),),
        fix="move the cluster to Azure CNI Overlay",
    )


def _outbound(store: Store, managed: ManagedCluster) -> Iterator[Budget]:
    """Yield how many nodes the outbound rule has ports for, where the ports of a node are fixed."""
    if managed.network_profile.outbound_type.lower() != "loadbalancer":
        return
    missing = unreadable(store.load_balancers)
    found = [(item, rule) for item in store.load_balancers for rule in item.outbound_rules]
    if not found:
        if missing:
            yield Budget(key="ports", name="outbound ports", unit="nodes", capacity=None, used=None, missing=missing)
        return
    balancer, rule = next((pair for pair in found if pair[1].name == "aksOutboundRule"), found[0])
    prefixed = [item for item in balancer.frontend_ip_configurations if item.public_ip_prefix is not None]
    ports, addresses = rule.allocated_outbound_ports, len(rule.frontend_ip_configurations)
    if not ports:
        return  # by pool size: fewer ports for each node, but never a node without
    unknown = any(item.id in {part.id for part in rule.frontend_ip_configurations} for item in prefixed)
    yield Budget(
        key="ports",
        name=f"outbound ports of {balancer.name}",
        unit=f"x {ports} ports",
        capacity=None if unknown else _nodes_with_ports(rule, addresses),
        used=None if unreadable(store.nodes) else len(store.nodes),
        missing="the addresses of the public IP prefix are not counted" if unknown else unreadable(store.nodes),
        check="C06",
        subject=managed.ref,
        evidence=(
            Evidence(f".outboundRules[?name=='{rule.name}'].allocatedOutboundPorts", f"{ports}", balancer.ref),
            Evidence(
                f".outboundRules[?name=='{rule.name}'].frontendIPConfigurations", f"{addresses} addresses", balancer.ref
            ),
        ),
        fix="add outbound addresses, or allocate fewer ports to a node",
    )


def _nodes_with_ports(rule: OutboundRule, addresses: int) -> int:
    return PORTS_PER_IP * addresses // rule.allocated_outbound_ports


def _nodes(store: Store, managed: ManagedCluster) -> Budget:
    missing = unreadable(store.nodes)
    used = len(store.nodes) if not missing else sum(pool.count for pool in managed.agent_pool_profiles)
    return Budget(
        key="nodes",
        name="nodes of an AKS cluster",
        unit="nodes",
        capacity=NODES,
        used=used,
        subject=managed.ref,
        evidence=(Evidence(".agentPoolProfiles[].count", f"{used}", managed.ref),),
        fix="a second cluster",
    )
