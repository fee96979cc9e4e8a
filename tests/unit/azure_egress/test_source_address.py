"""Whose address a packet has behind its node: the network model's, and what ip-masq-agent excepts."""

import pytest

from aksnav.trace.step import Kind, Verdict
from tests.unit.azure_egress.way_out import (
    INSIDE,
    INTERNET,
    MASQ,
    PEER,
    Change,
    Objects,
    in_node_subnet,
    in_pod_subnet,
    masq,
    nat_gateway,
    of,
    out,
    pod_at,
    profile,
    source,
)
from tests.unit.trace_edge.test_routes import peered

# Whose address: AKS documentation, networking concepts (aks-networking.md 1.2).


@pytest.mark.parametrize(
    ("changes", "target", "seen"),
    [
        ((), INTERNET, "10.224.0.4"),  # Azure CNI Overlay, "leaves the cluster with the node's address"
        ((), PEER, "10.224.0.4"),
        ((profile(networkPlugin="kubenet", podCidr="10.244.0.0/16"),), PEER, "10.224.0.4"),  # Use kubenet networking
        ((in_node_subnet,), INTERNET, "10.224.0.4"),  # node subnet: outside of the network the node is seen
        ((in_node_subnet,), INSIDE, "10.224.0.50"),  # and inside of it the Pod
        ((in_pod_subnet,), INTERNET, "10.225.0.50"),  # pod subnet: always the Pod
        ((in_pod_subnet,), PEER, "10.225.0.50"),
    ],
)
def test_behind_the_node_a_packet_has_the_address_that_the_network_model_gives_it(
    changes: tuple[Change, ...], target: str, seen: str
) -> None:
    """The route and the security groups see the address behind the node."""
    found = out(*changes, peered("Connected"), nat_gateway("20.60.0.1"), target=target)
    groups = [step for step in found.steps if step.kind is Kind.NSG]
    assert {source(step) for step in groups} == {seen}
    assert source(of(found, Kind.ROUTE)) == seen


def test_masquerading_of_a_node_subnet_is_assumed_where_its_configuration_is_not_read() -> None:
    """ip-masq-agent can be told to except destinations."""
    found = out(in_node_subnet, nat_gateway("20.60.0.1"), denied=("ConfigMap",))
    step = next(step for step in found.steps if step.kind is Kind.SNAT)
    assert step.assumptions == ("ip-masq-agent does not except this destination: forbidden",)


@pytest.mark.parametrize(
    ("changes", "seen"),
    [
        ((), "10.224.0.4"),
        ((masq("nonMasqueradeCIDRs:\n  - 203.0.113.0/24\nmasqLinkLocal: true\n"),), "10.224.0.50"),
        ((masq('{"nonMasqueradeCIDRs": ["203.0.113.0/24"], "masqLinkLocal": true}'),), "10.224.0.50"),
        ((masq("nonMasqueradeCIDRs: [198.51.100.0/24, '203.0.113.0/24']"),), "10.224.0.50"),
        ((masq("nonMasqueradeCIDRs:\nmasqLinkLocal: true\nresyncInterval: 60s"),), "10.224.0.4"),
        ((masq("nonMasqueradeCIDRs:\n  -\nmasqLinkLocal: true"),), "10.224.0.4"),
        ((masq("nonMasqueradeCIDRs:\n - 10.0.0.0/8 # ours"), masq("nonMasqueradeCIDRs:\n- 203.0.113.0/24",
                                                                  f"{MASQ}-reconciled")), "10.224.0.50"),
    ],
)  # fmt: skip
def test_ip_masq_agents_configuration_excepts_destinations(changes: tuple[Change, ...], seen: str) -> None:
    """Both ConfigMaps count (Azure/ip-masq-agent-v2, README); JSON and YAML as its users write them."""
    found = out(in_node_subnet, nat_gateway("20.60.0.1"), *changes)
    assert source(of(found, Kind.ROUTE)) == seen
    assert not any("ip-masq-agent" in line for step in found.steps for line in step.assumptions)


def test_a_configuration_that_cannot_be_understood_is_not_guessed() -> None:
    """That ConfigMap alone: the assumption names it."""
    found = out(in_node_subnet, nat_gateway("20.60.0.1"), masq("]["))
    step = next(step for step in found.steps if step.kind is Kind.SNAT)
    assert (
        "ConfigMap kube-system/azure-ip-masq-agent-config .data.ip-masq-agent cannot be understood"
        in (step.assumptions[0])
    )


def test_with_a_cni_of_ones_own_nobody_knows_whose_address_it_is() -> None:
    """Bring your own CNI: not guessed."""

    def own(objects: Objects) -> None:
        profile(networkPlugin="none")(objects)
        pod_at(objects, "10.99.0.5")

    step = of(out(own), Kind.SNAT)
    assert (step.verdict, step.missing) == (
        Verdict.BLIND,
        "whether the cluster's own CNI translates addresses of Pods",
    )
