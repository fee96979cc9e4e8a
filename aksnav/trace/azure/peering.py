"""Peerings: whether traffic with a peer passes both ways, as far as both sides are read.

Source: Azure documentation, "Virtual network peering" (aks-networking.md 3.2 and check R06).
"""

from shlex import quote

import msgspec

from aksnav.model.addresses import format_address, parse_address
from aksnav.model.azure.network import Peering, VirtualNetwork
from aksnav.store.store import Store
from aksnav.trace.azure.commands import located
from aksnav.trace.azure.joins import group_of
from aksnav.trace.azure.next_hop import remote
from aksnav.trace.azure.tags import PEERED
from aksnav.trace.packet import Packet
from aksnav.trace.readable import unreadable
from aksnav.trace.step import Evidence, Kind, Step, Verdict


class Broken(msgspec.Struct, frozen=True, gc=False):
    """The side of a peering that does not carry traffic; ``peering`` None: that side has none."""

    network: VirtualNetwork
    peering: Peering | None
    peer: str


def broken(store: Store, network: VirtualNetwork, source: int) -> Broken | None:
    """Return the side of the peering to a client's network that does not carry traffic, where one is known (R06)."""
    for peering in network.virtual_network_peerings:
        if not any(source in prefix for prefix in remote(peering)):
            continue
        peer = peering.remote_virtual_network.arm_id.rpartition("/")[2]
        if not carries(peering):
            return Broken(network, peering, peer)
        other = store.virtual_networks.get(peering.remote_virtual_network.id)
        if other is None or "virtualNetworkPeerings" in other.untold:
            continue
        back = [item for item in other.virtual_network_peerings if item.remote_virtual_network.id == network.id]
        if not any(carries(item) for item in back):
            return Broken(other, back[0] if back else None, network.name)
    return None


def carries(peering: Peering) -> bool:
    """Return whether one side of a peering lets traffic through; what it does not say is taken to be so."""
    return peering.peering_state.lower() in PEERED and peering.allow_virtual_network_access is not False


def assumed(store: Store, network: VirtualNetwork, address: int | None) -> tuple[str, ...]:
    """Return what is taken for granted of the peering that leads to an address: what it, or its peer, does not say."""
    found = next((item for item in network.virtual_network_peerings if _leads(item, address)), None)
    if found is None:
        return ()
    named = f"peering {found.name} of {network.name}"
    lines = []
    if not found.peering_state:
        lines.append(f"{named} is Connected: its peeringState is not said")
    if found.allow_virtual_network_access is None:
        lines.append(f"{named} allows access: its allowVirtualNetworkAccess is not said")
    ident = found.remote_virtual_network.id
    other = store.virtual_networks.get(ident)
    if other is None or "virtualNetworkPeerings" in other.untold:
        why = unreadable(store.virtual_networks, group_of(ident)) or "it is not read"
        peer = ident.rpartition("/")[2] or "(not said)"
        lines.append(f"the other side of peering {found.name}, in {peer}, carries traffic too: {why}")
    return tuple(lines)


def broken_step(found: Broken, packet: Packet) -> Step:
    """Return the step of a peering of which one side does not carry traffic (R06)."""
    network, peering = found.network, found.peering
    fix = "make the peering again on both sides"
    taken: tuple[str, ...] = ()
    if peering is None:
        what = f"{network.name} has no peering to {found.peer}, which has one to it"
        facts: tuple[Evidence, ...] = (
            Evidence(".virtualNetworkPeerings[].remoteVirtualNetwork.id", f"none is {found.peer}", network.ref),
        )
    else:
        state, field = peering.peering_state or "(not said)", f".virtualNetworkPeerings[?name=='{peering.name}']"
        access = _said(peering.allow_virtual_network_access)
        facts = (
            Evidence(f"{field}.peeringState", state, network.ref),
            Evidence(f"{field}.allowVirtualNetworkAccess", access, network.ref),
        )
        what = f"peering {peering.name} of {network.name} is {state}"
        if peering.peering_state.lower() in PEERED:
            what = f"peering {peering.name} of {network.name} does not allow access to {found.peer}"
            taken = (f"no security rule allows traffic between {network.name} and {found.peer} by its prefixes",)
            fix = f"set allowVirtualNetworkAccess of peering {peering.name} of {network.name}"
    return Step(
        kind=Kind.PEERING,
        verdict=Verdict.DROP,
        summary=f"{what}: traffic with the peer does not pass both ways",
        subject=network.ref,
        version=network.etag,
        packet=packet,
        cause="R06",
        evidence=facts,
        assumptions=taken,
        confirm=_listed(network),
        fix=fix,
    )


def forwarded(network: VirtualNetwork, appliance: str, packet: Packet) -> Step | None:
    """Return the step of a peering that does not let in what an appliance of the peer forwards (R07), or None.

    Packets that start in the peer pass in any case; the flag is for those that an appliance there hands on.

    Args:
        network: of the nodes, which the packet enters.
        appliance: the address of the appliance.
        packet: from the host behind the appliance.
    """
    number = parse_address(appliance)
    found = next((item for item in network.virtual_network_peerings if _leads(item, number)), None)
    if found is None or found.allow_forwarded_traffic is not False:
        return None
    if not carries(found) or _leads(found, packet.source):
        return None
    peer = found.remote_virtual_network.arm_id.rpartition("/")[2]
    whom = format_address(packet.source) if packet.source is not None else "the client"
    return Step(
        kind=Kind.PEERING,
        verdict=Verdict.DROP,
        summary=f"{appliance} in {peer} forwards packets of {whom}, and peering {found.name} of {network.name} lets in "
        "none but the peer's own",
        subject=network.ref,
        version=network.etag,
        packet=packet,
        cause="R07",
        evidence=(
            Evidence(f".virtualNetworkPeerings[?name=='{found.name}'].allowForwardedTraffic", "false", network.ref),
        ),
        assumptions=(f"requests of {whom} come through {appliance}, as the answers go",),
        confirm=_listed(network),
        fix=f"set allowForwardedTraffic of peering {found.name} of {network.name}",
    )


def through(store: Store, network: VirtualNetwork, packet: Packet) -> Step | None:
    """Return the step of the peering through which a packet leaves a network; None where none leads there."""
    address = packet.destination
    found = next((item for item in network.virtual_network_peerings if _leads(item, address)), None)
    if found is None or address is None:
        return None
    stopped = broken(store, network, address)
    if stopped is not None:
        return broken_step(stopped, packet)
    peer = found.remote_virtual_network.arm_id.rpartition("/")[2]
    field = f".virtualNetworkPeerings[?name=='{found.name}']"
    access = _said(found.allow_virtual_network_access)
    return Step(
        kind=Kind.PEERING,
        verdict=Verdict.PASS,
        summary=f"peering {found.name} of {network.name} leads to {peer}",
        subject=network.ref,
        version=network.etag,
        packet=packet,
        evidence=(
            Evidence(f"{field}.peeringState", found.peering_state or "(not said)", network.ref),
            Evidence(f"{field}.allowVirtualNetworkAccess", access, network.ref),
        ),
        assumptions=assumed(store, network, address),
        confirm=_listed(network),
    )


def _said(flag: bool | None) -> str:
    return "(not said)" if flag is None else str(flag).lower()


def _listed(network: VirtualNetwork) -> str:
    return f"az network vnet peering list {located(network.id)} --vnet-name {quote(network.name)} -o table"


def _leads(peering: Peering, address: int | None) -> bool:
    return address is not None and any(address in prefix for prefix in remote(peering))
