"""Peerings and networks that were cut: neither that they carry a packet nor that they lose it is a fact."""

from pathlib import Path
from typing import Any

import pytest

from aksnav.trace.step import Outcome
from tests.azure.cluster_objects import Objects, internal, subnet
from tests.azure.cut_objects import ILB, Bend, traced


def peer(state: dict[str, Any]) -> Bend:
    """Peer the nodes' network with that of the client, which is not read, and make the balancer internal."""

    def bend(made: Objects) -> None:
        internal(made)
        hub = "/subscriptions/s/resourceGroups/hub/providers/Microsoft.Network/virtualNetworks/hub"
        space = {"addressPrefixes": ["10.50.0.0/16"]}
        properties = {
            "remoteVirtualNetwork": {"id": hub},
            "remoteAddressSpace": space,
            "remoteVirtualNetworkAddressSpace": space,
            **state,
        }
        made["vnet"]["properties"]["virtualNetworkPeerings"] = [{"name": "to-hub", "properties": properties}]

    return bend


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"allowVirtualNetworkAccess": True}, "its peeringState is not said"),
        ({"peeringState": "Connected"}, "its allowVirtualNetworkAccess is not said"),
        ({"peeringState": "Connected", "allowVirtualNetworkAccess": True}, "the other side of peering to-hub, in hub"),
    ],
)
def test_what_a_peering_does_not_say_is_assumed(tmp_path: Path, state: dict[str, Any], said: str) -> None:
    """Neither a broken peering nor a working one is claimed of a field that is not there."""
    found = traced(tmp_path, peer(state), to=ILB, source="10.50.0.9")
    assert found.outcome is Outcome.DELIVERED, found.breaks
    assert any(said in line for line in found.confidence.because), found.confidence.because


@pytest.mark.parametrize("kept", [(), ("peeringState", "allowVirtualNetworkAccess", "remoteVirtualNetwork")])
@pytest.mark.parametrize(("to", "source"), [(ILB, "10.50.0.9"), ("tcp://10.50.0.9:443", "pod/shop/web-1")])
def test_a_peering_that_does_not_tell_where_it_leads_may_lead_to_the_peer(
    tmp_path: Path, kept: tuple[str, ...], to: str, source: str
) -> None:
    """Neither a missing route (R06), nor a group that denies what is not in VirtualNetwork (N16, N17), is a fact."""

    def bend(made: Objects) -> None:
        peer({"peeringState": "Connected", "allowVirtualNetworkAccess": True})(made)
        own = made["vnet"]["properties"]["virtualNetworkPeerings"][0]
        own["properties"] = {name: own["properties"][name] for name in kept}

    found = traced(tmp_path, bend, to=to, source=source)
    assert (found.outcome, found.causes) == (Outcome.UNDECIDED, ())
    said = ".remoteVirtualNetworkAddressSpace of peering to-hub of vnet"
    assert any(line.startswith(("az.nsg: ", "az.route: ")) and said in line for line in found.confidence.because)


@pytest.mark.parametrize(
    "state",
    [
        {"peeringState": "Disconnected", "allowVirtualNetworkAccess": True},
        {"peeringState": "Connected", "allowVirtualNetworkAccess": False},
    ],
)
def test_what_a_peering_says_counts(tmp_path: Path, state: dict[str, Any]) -> None:
    """A peering that says that it carries nothing loses the packet (R06)."""
    found = traced(tmp_path, peer(state), to=ILB, source="10.50.0.9")
    assert found.outcome is Outcome.DROPPED
    assert "R06" in found.causes


def test_a_network_that_does_not_tell_its_peerings_may_have_one(tmp_path: Path) -> None:
    """That none leads to the client is no fact then."""

    def bend(made: Objects) -> None:
        internal(made)
        del made["vnet"]["properties"]["virtualNetworkPeerings"]

    found = traced(tmp_path, bend, to=ILB, source="10.50.0.9")
    assert (found.outcome, found.causes) == (Outcome.UNDECIDED, ())
    assert any(".virtualNetworkPeerings of virtual network vnet" in line for line in found.confidence.because)


def test_a_network_that_does_not_tell_its_space_may_hold_the_client(tmp_path: Path) -> None:
    """That an address is outside of it is no fact then."""

    def bend(made: Objects) -> None:
        internal(made)
        subnet(made, "clients", "10.225.0.0/24")
        del made["vnet"]["properties"]["addressSpace"]

    found = traced(tmp_path, bend, to=ILB, source="10.225.0.9")
    assert (found.outcome, found.causes) == (Outcome.UNDECIDED, ())
