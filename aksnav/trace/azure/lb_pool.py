"""The backend pool of a load-balancing rule: which nodes are in it.

Source: aks-networking.md 2.a, step 5: members by network interface, by address, or both.
"""

from collections.abc import Iterator, Sequence

import msgspec

from aksnav.model.addresses import parse_address
from aksnav.model.azure.network import BackendPool, LoadBalancingRule
from aksnav.model.kubernetes.service import Service
from aksnav.model.kubernetes.workload import Node
from aksnav.store.store import Store
from aksnav.trace.azure.frontend import Found, confirm
from aksnav.trace.memo import once
from aksnav.trace.packet import Packet
from aksnav.trace.readable import stale, unreadable
from aksnav.trace.step import Considered, Evidence, Kind, Step, Verdict

EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers"
_READ = ("loadBalancers", "Node", "networkInterfaces")
_MOST_TOLD = 20
_TAKEN_OUT = frozenset({"down", "drain"})


def pool_step(
    store: Store, found: Found, rule: LoadBalancingRule, service: Service | None, packet: Packet
) -> tuple[tuple[Node, ...], Step]:
    """Return the nodes in the rule's pools, and the step that says so."""
    wanted = {reference.id for reference in rule.pools}
    pools = [pool for pool in found.balancer.backend_address_pools if pool.id and pool.id in wanted]
    members = sum(map(_size, pools))
    names = ", ".join(pool.name for pool in pools) or "(none)"
    base = Step(
        kind=Kind.LB_POOL,
        verdict=Verdict.PASS,
        summary="",
        subject=found.balancer.ref,
        version=found.balancer.etag,
        packet=packet,
        evidence=(Evidence(_field(pools, names), f"{members} members", found.balancer.ref),),
        assumptions=stale(store.load_balancers, store.nodes),
        confirm=confirm(found, "address-pool"),
    )
    if len(pools) < max(len(wanted), 1):
        named = ", ".join(item.arm_id.rpartition("/")[2] for item in rule.pools) or "(not said)"
        why = f"backend pool {named} of rule {rule.name}: load balancer {found.balancer.name} tells of no such pool"
        return (), msgspec.structs.replace(base, verdict=Verdict.BLIND, summary=why, missing=why)
    if members == 0:
        unsaid = tuple(f"backend pool {pool.name} has no members: it tells of none" for pool in pools if pool.untold)
        return (), msgspec.structs.replace(
            base,
            verdict=Verdict.DROP,
            summary=f"backend pool {names} is empty",
            cause="L11",
            assumptions=(*base.assumptions, *unsaid),
            fix="scale a node pool up, or touch the Service so that the pool is filled again",
        )
    missing = unreadable(store.nodes)
    nodes = _members(store, pools)
    if not nodes:
        why = missing or "its members are not nodes that are known"
        blind = msgspec.structs.replace(
            base, verdict=Verdict.BLIND, summary=f"backend pool {names}: {members} members, {why}", missing=why
        )
        return (), blind
    # Admin state goes before a probe, and where a rule has none it has no effect (load-balancer/admin-state-overview).
    taken_out = _closed(store, pools) if rule.probe is not None else set()
    closed = [node for node in nodes if node.name in taken_out]
    if len(closed) == len(nodes):
        return (), _all_closed(base, pools, names)
    nodes = tuple(node for node in nodes if node.name not in taken_out)
    outside = _outside(store, nodes)
    notes = [Considered(f"node {node.name}", decided=False, why=_why_outside(node)) for node in outside[:_MOST_TOLD]]
    if len(outside) > _MOST_TOLD:
        notes.append(Considered("other nodes", decided=False, why=f"L10: {len(outside) - _MOST_TOLD} more"))
    local = service is not None and service.external_traffic_policy == "Local"
    return nodes, msgspec.structs.replace(
        base,
        summary=f"backend pool {names}: {len(nodes)} of {len(nodes) + len(outside)} nodes",
        considered=(*_closed_notes(closed), *(() if local else notes)),
        assumptions=(*base.assumptions, *_strangers(store, pools, names)),
    )


def _strangers(store: Store, pools: Sequence[BackendPool], names: str) -> tuple[str, ...]:
    """Return what is taken for granted of members of a pool that are no nodes which are known."""
    known: dict[tuple[str, ...], int] = once(store, "pool strangers", _READ, dict)
    key = tuple(pool.id for pool in pools)
    if key not in known:
        machines = {node.provider_id.lower().removeprefix("azure://") for node in store.nodes if node.provider_id}
        known[key] = sum(not _is_node(store, machines, *member) for pool in pools for member in _each(pool))
    count = known[key]
    if not count:
        return ()
    what = "1 member" if count == 1 else f"{count} members"
    return (f"{what} of backend pool {names} that are no nodes which are known answer no probe, and get no traffic",)


def _each(pool: BackendPool) -> Iterator[tuple[str, str]]:
    """Yield each member of a pool once: the id of its interface's configuration, or its address."""
    if pool.backend_ip_configurations:
        yield from ((item.id, "") for item in pool.backend_ip_configurations)
        return
    for entry in pool.load_balancer_backend_addresses:
        reference = entry.network_interface_ip_configuration
        yield (reference.id if reference is not None else "", entry.ip_address)


def _is_node(store: Store, machines: set[str], configuration: str, address: str) -> bool:
    """Return whether a member is a node that is known, or cannot be told apart from one."""
    number = parse_address(address)
    if number is not None and store.nodes_at(number):
        return True
    if not configuration:
        return False
    interface = configuration.partition("/ipconfigurations/")[0]
    head = interface.partition("/networkinterfaces/")[0]
    if "/virtualmachines/" in head:
        return head in machines
    row = store.interfaces.get(interface)
    if row is None:
        return bool(unreadable(store.interfaces))
    own = row.virtual_machine is not None and row.virtual_machine.id in machines
    at = (parse_address(item.private_ip_address) for item in row.ip_configurations)
    return own or any(item is not None and store.nodes_at(item) for item in at)


def _size(pool: BackendPool) -> int:
    """Return how many members a pool has; one that is there by its interface may stand in both lists."""
    alone = [item for item in pool.load_balancer_backend_addresses if item.network_interface_ip_configuration is None]
    listed = {item.id for item in pool.backend_ip_configurations}
    listed |= {
        item.network_interface_ip_configuration.id
        for item in pool.load_balancer_backend_addresses
        if item.network_interface_ip_configuration is not None
    }
    return len(listed) + (len(alone) if not listed else 0)


def _closed(store: Store, pools: Sequence[BackendPool]) -> set[str]:
    """Return the names of the nodes that somebody took out of pools by hand: adminState Down."""
    down = tuple(
        item
        for pool in pools
        for item in pool.load_balancer_backend_addresses
        if item.admin_state.lower() in _TAKEN_OUT
    )
    found = _nodes_of(store, [BackendPool(load_balancer_backend_addresses=down)]) if down else ()
    return {node.name for node in found}


def _closed_notes(closed: Sequence[Node]) -> list[Considered]:
    return [
        Considered(f"node {node.name}", decided=False, why="L10: adminState takes it out: it gets no new connections")
        for node in closed
    ]


def _all_closed(base: Step, pools: Sequence[BackendPool], names: str) -> Step:
    """Return the step of a pool of which every member is taken out by hand."""
    states = {item.admin_state for pool in pools for item in pool.load_balancer_backend_addresses}
    field = f".backendAddressPools[?name=='{names}'].loadBalancerBackendAddresses[].adminState"
    fact = Evidence(field, ", ".join(sorted(states)), base.subject, "goes before the probe")
    return msgspec.structs.replace(
        base,
        verdict=Verdict.DROP,
        summary=f"backend pool {names}: adminState takes every member out, so none gets new connections",
        cause="L10",
        evidence=(*base.evidence, fact),
        fix="set adminState of the pool's members to None",
    )


def _field(pools: Sequence[BackendPool], names: str) -> str:
    by_address = any(pool.load_balancer_backend_addresses and not pool.backend_ip_configurations for pool in pools)
    field = "loadBalancerBackendAddresses" if by_address else "backendIPConfigurations"
    return f".backendAddressPools[?name=='{names}'].{field}"


def _outside(store: Store, nodes: tuple[Node, ...]) -> list[Node]:
    inside = {node.name for node in nodes}
    return sorted((node for node in store.nodes if node.name not in inside), key=lambda node: node.name)


def _why_outside(node: Node) -> str:
    return "L10: not in the pool" + (f": label {EXCLUDED}" if EXCLUDED in node.labels else "")


def _members(store: Store, pools: Sequence[BackendPool]) -> tuple[Node, ...]:
    """Return the nodes of pools; every Service of a load balancer shares them, so they are worked out once."""
    known: dict[tuple[str, ...], tuple[Node, ...]] = once(store, "pool members", _READ, dict)
    key = tuple(pool.id for pool in pools)
    found = known.get(key)
    if found is None:
        found = known[key] = _nodes_of(store, pools)
    return found


def _nodes_of(store: Store, pools: Sequence[BackendPool]) -> tuple[Node, ...]:
    """Return the nodes of pools: by the machine of each interface, and by address."""
    machines: set[str] = set()
    found: dict[str, Node] = {}
    for pool in pools:
        listed = [item.id for item in pool.backend_ip_configurations]
        for entry in pool.load_balancer_backend_addresses:
            if entry.network_interface_ip_configuration is not None:
                listed.append(entry.network_interface_ip_configuration.id)
            number = parse_address(entry.ip_address)
            for node in store.nodes_at(number) if number is not None else ():
                found[node.name] = node
        for ident in listed:
            interface = ident.partition("/ipconfigurations/")[0]
            head = interface.partition("/networkinterfaces/")[0]
            if "/virtualmachines/" in head:
                machines.add(head)
            else:
                _by_interface(store, interface, machines, found)
    for node in store.nodes:
        if node.provider_id.lower().removeprefix("azure://") in machines:
            found[node.name] = node
    return tuple(found[name] for name in sorted(found))


def _by_interface(store: Store, ident: str, machines: set[str], found: dict[str, Node]) -> None:
    """Take note of the machine, or the node, that has an interface of its own."""
    interface = store.interfaces.get(ident)
    if interface is None:
        return
    if interface.virtual_machine is not None:
        machines.add(interface.virtual_machine.id)
    for configuration in interface.ip_configurations:
        number = parse_address(configuration.private_ip_address)
        for node in store.nodes_at(number) if number is not None else ():
            found[node.name] = node
