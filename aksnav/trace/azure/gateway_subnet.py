"""The subnet from which a gateway outside of the cluster connects to Pods: what of it stops the gateway.

Sources: aks-networking.md 2.d (steps 3 and 6), 2.e and the checks N13, N14, R04, R05, A08, G02, G03.
"""

from collections.abc import Iterable
from shlex import quote

import msgspec

from aksnav.model.addresses import Prefix, parse_prefix
from aksnav.model.azure.network import NetworkSecurityGroup, SecurityRule, Subnet, VirtualNetwork
from aksnav.model.object import Ref
from aksnav.store.store import Store
from aksnav.trace.azure import nsg_rules, routes, tags
from aksnav.trace.azure.joins import cluster, node_networks, pod_prefixes
from aksnav.trace.azure.nsg_ports import covers
from aksnav.trace.azure.nsg_rules import INBOUND
from aksnav.trace.azure.subnet_filter import into_subnet
from aksnav.trace.cluster import classes
from aksnav.trace.packet import Packet
from aksnav.trace.step import Evidence, Kind, Step, Verdict

GatewayPlace = tuple[VirtualNetwork, Subnet]
_MANAGER_PORTS = (65200, 65535)
_MANAGER = frozenset({"*", "any", "0.0.0.0/0", "internet", "gatewaymanager"})
_MANAGED = "the platform comes from the tag GatewayManager to TCP 65200-65535"
_FIRST_HOST = 4
_FULL = 24
_DELEGATION = "microsoft.servicenetworking/trafficcontrollers"


def prefix_of(subnet: Subnet) -> Prefix | None:
    """Return the first prefix of a subnet."""
    return next((prefix for prefix in map(parse_prefix, subnet.prefixes) if prefix is not None), None)


def sender(store: Store, subnet: Subnet) -> tuple[int | None, tuple[str, ...]]:
    """Return an address of a gateway's instance, and what is assumed where rules tell instances apart."""
    prefix = prefix_of(subnet)
    if prefix is None:
        return None, ()
    first, pieces = min(prefix.first + _FIRST_HOST, prefix.last), classes.cuts(store)
    if pieces.place(prefix.first) == pieces.place(prefix.last):
        return first, ()
    return first, (f"every instance of the gateway in subnet {subnet.name} is treated as its first address is",)


def listener_filter(store: Store, place: GatewayPlace, packet: Packet, *, keeps: bool) -> list[Step]:
    """Return what the group of an Application Gateway's subnet does with a client's packet (N14).

    Args:
        store: what is known.
        place: the gateway's subnet.
        packet: to the frontend's address.
        keeps: the gateway keeps the frontend's address as destination; else that is one of its instances', so rules
            have to name the subnet's prefix (Azure documentation, configuration-infrastructure.md).
    """
    seen = "public and private listeners share a port, so the destination is the frontend's address"
    if not keeps:
        packet = msgspec.structs.replace(packet, destination=sender(store, place[1])[0])
        seen = "the destination is an instance of the gateway in its subnet"
    fix = f"allow the clients to port {packet.port} on the gateway's subnet"
    return [
        msgspec.structs.replace(step, cause="N14", fix=fix)
        if step.kind is Kind.NSG and step.verdict is Verdict.DROP
        else step
        for step in into_subnet(store, place, packet, seen)
    ]


def answers(store: Store, place: GatewayPlace, packet: Packet) -> list[Step]:
    """Return where a gateway's answers go that a user-defined route of its subnet decides (R05, R02), or nothing.

    What the platform needs of the gateway's subnet is assumed where a rule keeps it away (N13): the gateway goes on
    with what it has, and knows nothing of its servers' health.

    Args:
        store: what is known.
        place: the gateway's subnet.
        packet: of the client, to the frontend's address.
    """
    steps = [
        msgspec.structs.replace(step, cause=_UNROUTED.get(step.cause, step.cause), fix=_fix_of(step))
        for step in routes.back_from(store, place, packet, packet.destination)
        if step.verdict is not Verdict.PASS or step.subject is None or step.subject.kind == "routeTables"
    ]
    denied = [step for step in management(store, place) if step.cause == "N13"]
    if denied:
        note = f"the gateway serves on although {denied[0].summary} (N13)"
        told = denied[0]
        steps.append(
            msgspec.structs.replace(
                told, verdict=Verdict.PASS, cause="", fix="", assumptions=(*told.assumptions, note), packet=packet
            )
        )
    return steps


# A route for everything to an appliance is what Application Gateway does not support at all.
_UNROUTED = {"R01": "R05"}


def _fix_of(step: Step) -> str:
    return "send 0.0.0.0/0 of the gateway's subnet to Internet" if step.cause == "R01" else step.fix


def management(store: Store, place: GatewayPlace) -> list[Step]:
    """Return what keeps the platform from an Application Gateway (N13, R05): changes and health depend on it."""
    subnet = place[1]
    steps = []
    group = store.security_groups.get(subnet.network_security_group.id) if subnet.network_security_group else None
    denied = _unmanaged(group) if group is not None else None
    if group is not None and denied is not None:
        rule = f"rule {denied.priority} {denied.name}"
        said = f"subnet {subnet.name}, {group.name}: {rule} keeps the platform from the gateway"
        fact = Evidence(f".securityRules[?name=='{denied.name}'].access", denied.access, group.ref, _MANAGED)
        fix = "allow the tag GatewayManager to TCP 65200-65535 on the gateway's subnet"
        steps.append(_stop(group.ref, Kind.NSG, "N13", said, (fact,), Packet(port=_MANAGER_PORTS[0]), fix))
    decision = routes.next_hop(store, subnet, None)
    if decision.hop == routes.APPLIANCE and not decision.unknown:
        step = routes.forward_step(store, subnet, Packet(), decision)
        said = f"subnet {subnet.name} sends 0.0.0.0/0 to {decision.address}: the gateway's health is unknown then"
        steps.append(
            msgspec.structs.replace(
                step,
                verdict=Verdict.DROP,
                cause="R05",
                summary=said,
                fix="send 0.0.0.0/0 of the gateway's subnet to Internet",
            )
        )
    return steps


def _unmanaged(group: NetworkSecurityGroup) -> SecurityRule | None:
    """Return the rule that denies what the platform sends to a gateway, or None: an earlier one allows it."""
    for rule in nsg_rules.rules(group, INBOUND):
        meant = {text.lower() for text in nsg_rules.sources(rule)} & _MANAGER
        tcp = rule.protocol.lower() in {"*", "tcp"}
        if meant and tcp and covers(nsg_rules.destination_ports(rule), _MANAGER_PORTS):
            return rule if rule.access.lower() == "deny" else None
    return None


def joined(store: Store, place: GatewayPlace, packet: Packet) -> list[Step]:
    """Return what keeps a gateway's network apart from the nodes': no peering (A08), no routes of kubenet (R04)."""
    network, subnet = place
    home = node_networks(store)
    steps = []
    if home and network.id not in home:
        peers = [item for item in network.virtual_network_peerings if item.remote_virtual_network.id in home]
        if "virtualNetworkPeerings" in network.untold:
            steps.append(_unsaid(network, packet))
        elif not any(item.peering_state.lower() in tags.PEERED for item in peers):
            state = ", ".join(f"{item.name} {item.peering_state}" for item in peers) or "none to the nodes' network"
            steps.append(
                _stop(
                    Ref("virtualNetworks", network.id),
                    Kind.PEERING,
                    "A08",
                    f"the gateway is in {network.name}, which is not connected to the nodes' network",
                    (Evidence(".virtualNetworkPeerings[].peeringState", state),),
                    packet,
                    "peer the two networks, on both sides",
                )
            )
    managed = cluster(store)
    if managed is not None and managed.network_profile.network_plugin.lower() == "kubenet":
        own = {item.route_table.id for item in _node_subnets(store) if item.route_table is not None}
        table = subnet.route_table
        if own and (table is None or table.id not in own):
            fact = Evidence(".routeTable.id", table.arm_id if table is not None else "(none)")
            said = (
                f"subnet {subnet.name} has not the nodes' route table: a gateway in it does not reach Pods of kubenet"
            )
            fix = "associate the cluster's route table with the gateway's subnet"
            steps.append(_stop(Ref("subnets", subnet.id), Kind.ROUTE, "R04", said, (fact,), packet, fix))
    return steps


def _unsaid(network: VirtualNetwork, packet: Packet) -> Step:
    """Return the blind step of a gateway's network that does not say with which others it is peered."""
    step = _stop(network.ref, Kind.PEERING, "", f"the peerings of {network.name} are not told", (), packet, "")
    missing = f".virtualNetworkPeerings of virtual network {network.name}"
    return msgspec.structs.replace(step, verdict=Verdict.BLIND, missing=missing)


def extended(store: Store, addresses: Iterable[int]) -> tuple[str, ...]:
    """Return what is assumed of a gateway that connects to Pods of an overlay (A07): the object is not read."""
    managed = cluster(store)
    if managed is None or managed.network_profile.network_plugin_mode.lower() != "overlay":
        return ()
    if not any(address in prefix for address in addresses for prefix in pod_prefixes(store)):
        return ()
    where = "kubectl get overlayextensionconfigs.acn.azure.com -A"
    return (f"the overlay is extended to the gateway's subnet (A07): OverlayExtensionConfigs are not read ({where})",)


def _node_subnets(store: Store) -> list[Subnet]:
    managed = cluster(store)
    wanted = {pool.vnet_subnet_id.lower() for pool in managed.agent_pool_profiles} if managed is not None else set()
    return [subnet for network in store.virtual_networks for subnet in network.subnets if subnet.id in wanted]


def _stop(
    subject: Ref, kind: Kind, cause: str, summary: str, facts: tuple[Evidence, ...], packet: Packet, fix: str
) -> Step:
    return Step(
        kind=kind,
        verdict=Verdict.DROP,
        summary=summary,
        subject=subject,
        packet=packet,
        cause=cause,
        evidence=facts,
        confirm=f"az resource show --ids {quote(subject.id)}",
        fix=fix,
    )


def association_faults(store: Store, place: GatewayPlace, packet: Packet) -> list[Step]:
    """Return what of the subnet keeps Application Gateway for Containers from its Pods (G02, G03)."""
    network, subnet = place
    ref, prefix = Ref("subnets", subnet.id), prefix_of(subnet)
    length = prefix.length if prefix is not None else 0
    steps = []
    names = ", ".join(item.service_name for item in subnet.delegations) or "(none)"
    unsaid = [".addressPrefix"] if prefix is None else []
    unsaid += [".delegations"] if "delegations" in subnet.untold else []
    if unsaid:
        summary = f"whether subnet {subnet.name} is fit for Application Gateway for Containers is not told"
        step = _stop(ref, Kind.AGC_FRONTEND, "", summary, (), packet, "")
        missing = f"{' and '.join(unsaid)} of subnet {subnet.name}"
        return [msgspec.structs.replace(step, verdict=Verdict.BLIND, missing=missing)]
    if not any(item.service_name.lower() == _DELEGATION for item in subnet.delegations):
        said = f"subnet {subnet.name} is not delegated to Application Gateway for Containers"
        fact = (Evidence(".delegations[].serviceName", names),)
        fix = "delegate the subnet to Microsoft.ServiceNetworking/trafficControllers"
        steps.append(_stop(ref, Kind.AGC_FRONTEND, "G02", said, fact, packet, fix))
    shown = (Evidence(".addressPrefix", ", ".join(subnet.prefixes)),)
    managed = cluster(store)
    overlay = managed is not None and managed.network_profile.network_plugin_mode.lower() == "overlay"
    if length > _FULL:
        said = f"subnet {subnet.name} is a /{length}: Application Gateway for Containers needs a /24"
        steps.append(_stop(ref, Kind.AGC_FRONTEND, "G02", said, shown, packet, "use a subnet of /24"))
    elif overlay and (length != _FULL or (node_networks(store) and network.id not in node_networks(store))):
        said = f"with an overlay, subnet {subnet.name} has to be a /24 in the nodes' own network"
        steps.append(_stop(ref, Kind.AGC_FRONTEND, "G03", said, shown, packet, "use a /24 of the nodes' network"))
    return steps
