"""The Pod CIDRs of a cluster: as the managed cluster says, else those of its nodes, joined where they adjoin."""

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from aksnav.model.addresses import Prefix, parse_prefix
from aksnav.trace.azure.joins import _joined, pod_prefixes
from tests.unit.trace_edge.world import cluster, made, node

BLOCKS = st.lists(
    st.tuples(st.integers(0, 63), st.integers(22, 26)).map(
        lambda item: ipaddress.ip_network(f"10.244.{item[0]}.0/{item[1]}", strict=False)
    ),
    max_size=24,
)


def test_the_ranges_of_many_nodes_become_few_blocks() -> None:
    """256 nodes with a /24 each, side by side, are one /16; a gap stays a gap."""
    nodes = []
    for number in range(256):
        wire = node(f"node-{number}", f"10.224.0.{number}")
        wire["spec"]["podCIDRs"] = [f"10.244.{number}.0/24"]
        nodes.append(wire)
    assert list(map(str, pod_prefixes(made(*nodes)))) == ["10.244.0.0/16"]
    assert list(map(str, pod_prefixes(made(*nodes[:3])))) == ["10.244.0.0/23", "10.244.2.0/24"]


def test_the_managed_clusters_word_comes_first() -> None:
    """Its Pod CIDR, whatever nodes have of it."""
    wire = node("node-1", "10.224.0.4")
    wire["spec"]["podCIDRs"] = ["10.99.0.0/24"]
    found = pod_prefixes(made(wire, cluster(podCidr="10.244.0.0/16")))
    assert list(map(str, found)) == ["10.244.0.0/16"]


@given(BLOCKS)
def test_joining_keeps_every_address_and_adds_none(blocks: list[ipaddress.IPv4Network]) -> None:
    """As the standard library collapses networks."""
    given_ = {prefix for prefix in map(parse_prefix, map(str, blocks)) if prefix is not None}
    expected = [parse_prefix(str(item)) for item in ipaddress.collapse_addresses(blocks)]
    assert list(_joined(given_)) == expected


def test_blocks_of_two_families_are_not_joined() -> None:
    """Dual stack: one of each."""
    pair = {parse_prefix("10.244.0.0/24"), parse_prefix("fd12::/80")}
    assert len(_joined({item for item in pair if isinstance(item, Prefix)})) == 2
