"""Ranges that must not meet: with each other, with networks, with peers, with what AKS reserves, with docker."""

from typing import Any

import pytest

from aksnav.checks.finding import Proof
from aksnav.checks.ranges import range_findings
from aksnav.store import Store
from aksnav.trace.addressing.overlaps import overlaps
from tests.unit.addressing.cluster import GROUP, NODES, managed, network, pool, store_of, subnet

PEER = f"{GROUP}/Microsoft.Network/virtualNetworks/hub"


def with_ranges(peer: str = "10.100.0.0/16", space: str = "10.1.0.0/16", **profile: Any) -> Store:
    """Return an overlay cluster whose nodes are in 10.1.0.0/24, with a peer."""
    ranges = {"podCidr": "10.244.0.0/16", "serviceCidr": "10.0.0.0/16", "networkPluginMode": "overlay"} | profile
    peering = {
        "id": f"{GROUP}/peerings/to-hub",
        "name": "to-hub",
        "properties": {
            "remoteVirtualNetwork": {"id": PEER},
            "peeringState": "Connected",
            "remoteAddressSpace": {"addressPrefixes": [peer]},
        },
    }
    return store_of(
        {
            "managedClusters": [managed([pool()], **ranges)],
            "virtualNetworks": [
                network([subnet(NODES, "10.1.0.0/24")], [space], virtualNetworkPeerings=[peering]),
            ],
        }
    )


def test_ranges_apart_from_each_other_are_no_finding() -> None:
    """A Pod CIDR and a service CIDR that nothing else has an address of."""
    assert overlaps(with_ranges()) == ()
    assert list(range_findings(with_ranges())) == []


@pytest.mark.parametrize(
    ("changes", "first", "second", "certain"),
    [
        # concepts-network-legacy-cni.md, "Prerequisites": ranges that AKS does not allow for any of the three.
        ({"serviceCidr": "172.30.0.0/20"}, "service CIDR", "reserved", True),
        ({"serviceCidr": "192.0.2.0/25"}, "service CIDR", "reserved", True),
        ({"podCidr": "172.31.0.0/16"}, "Pod CIDR", "reserved", True),
        ({"podCidr": "169.254.0.0/17"}, "Pod CIDR", "reserved", True),
        ({"space": "192.0.0.0/16"}, "virtual network vnet", "reserved", False),
        # concepts-network-azure-cni-overlay.md, "Kubernetes service address range".
        ({"serviceCidr": "10.244.64.0/18"}, "service CIDR", "Pod CIDR", True),
        # The same and concepts-network-legacy-cni.md, "Deployment parameters": not within the virtual network.
        ({"serviceCidr": "10.1.0.0/20"}, "service CIDR", "subnet nodes", True),
        ({"serviceCidr": "10.1.128.0/20"}, "service CIDR", "virtual network vnet", False),
        ({"podCidr": "10.1.0.0/17"}, "Pod CIDR", "subnet nodes", True),
        # "Pods": not with directly connected networks; "Deployment parameters": not with peers.
        ({"peer": "10.0.128.0/17"}, "service CIDR", "peer hub", True),
        ({"peer": "10.244.0.0/14"}, "Pod CIDR", "peer hub", True),
        # Old clusters still say a docker bridge; nodes with containerd have none.
        ({"dockerBridgeCidr": "10.1.7.1/24"}, "docker bridge", "virtual network vnet", False),
        ({"dockerBridgeCidr": "10.0.0.1/16"}, "docker bridge", "service CIDR", False),
    ],
)
def test_an_overlap_is_told_with_both_ranges(changes: dict[str, str], first: str, second: str, certain: bool) -> None:
    """What is only possible in free space of the network is a hint, everything else is proven."""
    store = with_ranges(**changes)
    assert len(overlaps(store)) == 1
    (found,) = overlaps(store)
    assert (found.first.name, found.certain) == (first, certain)
    assert second in found.second.name
    (finding,) = range_findings(store)
    assert (finding.id, finding.proof) == ("R10", Proof.PROVEN if certain else Proof.HINT)
    assert finding.evidence
    assert all(fact.field and fact.value and fact.subject for fact in finding.evidence)


def test_several_overlaps_are_one_finding_with_all_their_fields() -> None:
    """One id for one object, the surest first."""
    store = with_ranges(peer="10.0.0.0/8", serviceCidr="10.244.0.0/20")
    assert len(overlaps(store)) == 3
    (finding,) = range_findings(store)
    assert "and 2 more" in finding.summary
    fields = {fact.field for fact in finding.evidence}
    assert {".networkProfile.serviceCidr", ".networkProfile.podCidr"} < fields


@pytest.mark.parametrize("mode", ["", "overlay"])
def test_a_pod_cidr_that_the_model_does_not_use_meets_nothing(mode: str) -> None:
    """In Azure CNI without Overlay a podCidr in the profile is a left-over."""
    found = overlaps(with_ranges(podCidr="10.1.0.0/17", networkPluginMode=mode))
    assert bool(found) is (mode == "overlay")


def test_without_a_cluster_nothing_is_said() -> None:
    """Nobody knows its ranges."""
    assert overlaps(store_of({})) == ()
