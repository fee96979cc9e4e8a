"""Whom a Pod asks: its hostAliases, then what its dnsPolicy says ("DNS for Services and Pods")."""

from typing import Any

import pytest

from aksnav.trace.step import Certainty, Kind, Outcome, Step, Trace
from tests.unit.trace_walk.changed_demo import ChangedDemo

FULL, SHORT = "http://cart.shop.svc.cluster.local/", "http://cart/"


def asked(text: str, **spec: Any) -> Trace:
    """Return the trace of a Pod of the shop with other fields in its spec."""
    world = ChangedDemo()
    pod = world.pods("shop", "web")[0]
    pod["spec"].update(spec)
    return world.ask(text, f"pod/shop/{pod['metadata']['name']}")


def named(found: Trace) -> Step:
    """Return the step that looks the name up."""
    return next(step for step in found.steps if step.kind is Kind.DNS_RESOLVE)


@pytest.mark.parametrize("policy", ["", "ClusterFirst", "ClusterFirstWithHostNet"])
def test_the_clusters_dns_and_its_search_path_are_asked(policy: str) -> None:
    """ClusterFirst is what a Pod has that says nothing."""
    for text in (FULL, SHORT):
        found = asked(text, dnsPolicy=policy)
        assert (found.outcome, found.confidence.certainty) == (Outcome.DELIVERED, Certainty.PROVEN)


@pytest.mark.parametrize("spec", [{"dnsPolicy": "Default"}, {"hostNetwork": True}])
def test_a_pod_with_its_nodes_resolver_knows_no_short_name(spec: dict[str, Any]) -> None:
    """It has no search path of the cluster's; whether full names are answered is taken for granted."""
    assert asked(SHORT, **spec).outcome is Outcome.UNRESOLVED
    found = asked(FULL, **spec)
    assert found.outcome is Outcome.DELIVERED
    assert any("with the node's resolver is answered by the cluster's DNS" in line for line in found.confidence.because)


def test_a_pod_in_its_nodes_network_may_ask_the_clusters_dns_all_the_same() -> None:
    """ClusterFirstWithHostNet."""
    found = asked(SHORT, hostNetwork=True, dnsPolicy="ClusterFirstWithHostNet")
    assert found.outcome is Outcome.DELIVERED
    assert not any("resolver" in line for line in found.confidence.because)


@pytest.mark.parametrize("text", [FULL, SHORT, "http://nobody/"])
def test_servers_that_a_pod_names_itself_are_assumed_to_answer_alike(text: str) -> None:
    """With dnsPolicy None there is dnsConfig alone."""
    found = asked(text, dnsPolicy="None", dnsConfig={"nameservers": ["10.1.0.4"]})
    assert found.confidence.certainty is Certainty.ASSUMED
    assert any("(dnsPolicy None)" in line for line in found.confidence.because)


def test_host_aliases_go_before_every_server() -> None:
    """The kubelet writes them to /etc/hosts."""
    aliases = [{"ip": "10.224.0.40", "hostnames": ["Cart", "portal.corp"]}]
    for text in (SHORT, "http://portal.corp/"):
        found = asked(text, hostAliases=aliases)
        step = named(found)
        assert step.evidence[0].field == ".spec.hostAliases"
        assert [backend.service for backend in found.backends] == ["portal"]
    assert [item.service for item in asked(FULL, hostAliases=aliases).backends] == ["cart"]
