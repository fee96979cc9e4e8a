"""Requests and answers of one connection that take different ways: a stateful appliance on one of them loses it (R13).

Sources: aks-networking.md 3.2 (forward path against the node subnet's route for the client) and check R13. For clients
of the internet it is R01, which needs no more than the way back.
"""

import msgspec

from aksnav.model.addresses import format_address, parse_address
from aksnav.model.azure.network import Subnet, VirtualNetwork
from aksnav.model.public import is_public
from aksnav.store.store import Store
from aksnav.trace.azure.joins import node_networks, subnet_of
from aksnav.trace.azure.next_hop import APPLIANCE, GATEWAY, LOCAL, PEERING, RouteDecision, next_hop

_DIRECT = frozenset({LOCAL, PEERING})


class Ways(msgspec.Struct, frozen=True, gc=False):
    """What the way there says of the way back.

    Attributes:
        fault: why the connection is lost, else empty.
        assumed: what is taken for granted of the way that is not read, else empty.
        there: the route of the requests, where it is known.
        subnet: from which they come.
    """

    fault: str = ""
    assumed: str = ""
    there: RouteDecision | None = None
    subnet: Subnet | None = None


def compare(store: Store, client: int, target: int | None, back: RouteDecision) -> Ways:
    """Return whether requests of a private client go the way on which their answers come back.

    Args:
        store: what is known.
        client: a private address.
        target: the address that it asks; None where it is not known.
        back: the route of the answers.
    """
    if target is None or is_public(target):
        return Ways()
    place = subnet_of(store, client)
    onward = ""
    if place is None and back.hop in {APPLIANCE, GATEWAY}:
        # From on premises requests come by the routes of the gateway's own subnet.
        place = _of_gateway(store)
        onward = f"{format_address(client)} comes and is reached through the network's gateway: that is not read"
    there = _by_nodes(store, next_hop(store, place[1], target)) if place is not None else None
    back = _by_nodes(store, back)
    known = there is not None and not there.unknown and there.hop in {APPLIANCE, *_DIRECT}
    if back.hop == APPLIANCE and (there is None or not known):
        who = format_address(client)
        return Ways(
            assumed=f"requests of {who} pass the appliance at {back.address} as well: their routes are not read"
        )
    if there is None or place is None or not known or back.hop not in {APPLIANCE, GATEWAY, *_DIRECT}:
        return Ways(assumed=onward)
    if (back.hop == APPLIANCE) == (there.hop == APPLIANCE) and back.address == there.address:
        through = f"the appliance at {back.address} lets the answers through: its rules are not read"
        return Ways(assumed=through if back.hop == APPLIANCE else onward)
    return Ways(_told(there, back, place[1]), _kept(there, back), there, place[1])


def _of_gateway(store: Store) -> tuple[VirtualNetwork, Subnet] | None:
    """Return the subnet of the gateway of the nodes' network, or of the peer whose gateway that uses."""
    home = [network for network in map(store.virtual_networks.get, sorted(node_networks(store))) if network is not None]
    peers = [
        store.virtual_networks.get(item.remote_virtual_network.id)
        for network in home
        for item in network.virtual_network_peerings
        if item.use_remote_gateways
    ]
    return next(
        (
            (network, subnet)
            for network in (*home, *peers)
            if network is not None
            for subnet in network.subnets
            if subnet.name == "GatewaySubnet"
        ),
        None,
    )


def _by_nodes(store: Store, decision: RouteDecision) -> RouteDecision:
    """Return a route to a node of the cluster as a direct one: that is how kubenet reaches Pods, and no appliance."""
    address = parse_address(decision.address)
    if decision.hop != APPLIANCE or address is None or not store.nodes_at(address):
        return decision
    return msgspec.structs.replace(decision, hop=LOCAL, address="")


def _told(there: RouteDecision, back: RouteDecision, subnet: Subnet) -> str:
    if there.hop == APPLIANCE and back.hop == APPLIANCE:
        return f"requests from subnet {subnet.name} pass the appliance at {there.address}, another one"
    if there.hop == APPLIANCE:
        return f"requests from subnet {subnet.name} pass the appliance at {there.address}, which never sees the answer"
    return f"requests from subnet {subnet.name} come by {there.hop}: the appliance at {back.address} never saw one"


def _kept(there: RouteDecision, back: RouteDecision) -> str:
    """Return the assumption about an appliance that could have put its own address in place of the client's."""
    if there.hop != APPLIANCE:
        return f"the appliance at {back.address} is stateful"
    return f"the appliance at {there.address} is stateful and keeps the client's address"
