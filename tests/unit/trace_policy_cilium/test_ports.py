"""Layer 4: ports by number, name and range, protocols, and types of ICMP."""

from typing import Any

import pytest

from aksnav.trace import parse_request, trace
from aksnav.trace.request import BadRequest
from aksnav.trace.step import Outcome, Verdict
from tests.unit.trace_edge.world import Json, pod
from tests.unit.trace_edge.world import policy as network_policy
from tests.unit.trace_policy_cilium.around import (
    ADDRESSES,
    API,
    OPS,
    WEB,
    arriving,
    asked,
    egress,
    ingress,
    leaving,
    policy,
    ports,
    service,
    tcp,
    word,
    world,
)

# Cilium documentation, "Layer 4 Policies"; pkg/policy/api/l4.go, icmp.go.
TABLE: list[tuple[str, Json, dict[str, str]]] = [
    ("a number", ports(tcp(8080)), {"tcp 8080": "yes", "tcp 8081": "no", "udp 8080": "no", "icmp": "no"}),
    ("any protocol", ports({"port": "8080"}), {"tcp 8080": "yes", "udp 8080": "yes", "sctp 8080": "yes", "icmp": "no"}),
    ("ANY", ports({"port": "8080", "protocol": "ANY"}), {"tcp 8080": "yes", "udp 8080": "yes"}),
    (
        "port 0 is every port of the protocol",
        ports(tcp(0)),
        {"tcp 1": "yes", "tcp 65535": "yes", "udp 1": "no", "icmp": "no"},
    ),
    (
        "a range",
        ports(tcp(8080, endPort=8090)),
        {"tcp 8079": "no", "tcp 8080": "yes", "tcp 8090": "yes", "tcp 8091": "no"},
    ),
    ("a name", ports(tcp("http")), {"tcp 8080": "yes", "tcp 80": "no"}),
    ("a name in capitals", ports(tcp("HTTP")), {"tcp 8080": "yes"}),
    ("a name that nobody declares", ports(tcp("https")), {"tcp 8080": "no"}),
    ("a name with endPort, which is ignored", ports(tcp("http", endPort=9000)), {"tcp 8080": "yes", "tcp 8081": "no"}),
    ("several ports", ports(tcp(80), tcp(8080)), {"tcp 8080": "yes", "tcp 443": "no"}),
    ("several elements", {"toPorts": [{"ports": [tcp(80)]}, {"ports": [tcp(8080)]}]}, {"tcp 8080": "yes"}),
    ("an element without ports names none", {"toPorts": [{}]}, {"tcp 8080": "no"}),
    ("ICMP by number", {"icmps": [{"fields": [{"type": 8}]}]}, {"icmp": "yes", "tcp 8080": "no"}),
    ("ICMP by name", {"icmps": [{"fields": [{"family": "IPv4", "type": "EchoRequest"}]}]}, {"icmp": "yes"}),
    ("ICMP of another type", {"icmps": [{"fields": [{"type": 0}]}]}, {"icmp": "no"}),
    ("ICMP of the other family", {"icmps": [{"fields": [{"family": "IPv6", "type": 128}]}]}, {"icmp": "no"}),
    ("layer 3 alone is every protocol", {"fromEntities": ["all"]}, {"icmp": "yes", "sctp 9": "yes"}),
]


@pytest.mark.parametrize(("section", "rule", "expected"), TABLE, ids=[row[0] for row in TABLE])
def test_which_ports_a_rule_names_follows_the_documentation(section: str, rule: Json, expected: dict[str, str]) -> None:
    """Every row is one statement of Cilium's documentation, asked of connections of another Pod."""
    store = world(policy(ingress(rule)))
    told = {}
    for connection in expected:
        scheme, _, port = connection.partition(" ")
        told[connection] = word(arriving(store, API, int(port or 0), scheme))
    assert told == expected, section


def test_a_port_name_of_an_egress_rule_is_the_destinations() -> None:
    """The same name may be another number on another Pod."""
    other = pod("shop/other", "10.244.1.7", {"app": "other"}, "node-2", [{"containerPort": 9000, "name": "http"}])
    store = world(other, policy(egress(ports(tcp("http")))))
    assert word(leaving(store, API, 8080)) == "yes"
    assert word(leaving(store, "10.244.1.7", 9000)) == "yes"
    assert word(leaving(store, "10.244.1.7", 8080)) == "no"


def test_a_port_name_with_two_meanings_is_a_caution() -> None:
    """cilium#30003: where Pods of the namespace give one name to several numbers, it can be enforced otherwise."""
    other = pod("shop/other", "10.244.1.7", {"app": "other"}, "node-2", [{"containerPort": 9000, "name": "http"}])
    clear, doubtful = world(policy(egress(ports(tcp("http"))))), world(other, policy(egress(ports(tcp("http")))))
    assert not leaving(clear, API).assumptions
    assert any("P17" in line for line in leaving(doubtful, API).assumptions)


def test_a_range_needs_a_cilium_that_reads_end_ports() -> None:
    """Before 1.17, which comes with Kubernetes 1.32, what a range does is not known; its first port is admitted."""
    old = {"kind": "Node", "metadata": {"name": "old"}, "status": {"nodeInfo": {"kubeletVersion": "v1.31.2"}}}
    store = world(old, policy(ingress(ports(tcp(8080, endPort=8090)))))
    assert word(arriving(store, API, 8080)) == "yes"
    assert "1.17" in arriving(store, API, 8085).missing


def ping(store: Any, target: str, client: str) -> Any:
    """Return the trace of an echo request."""
    return trace(store, parse_request(f"icmp://{target}", source=f"pod/{client}"))


def test_ping_is_a_target_that_policies_judge() -> None:
    """A Pod answers to an echo request that its policies let in; the sender's policies are asked first."""
    assert ping(world(), ADDRESSES[API], OPS).outcome is Outcome.DELIVERED
    closed = world(policy(ingress(ports(tcp(8080)))))
    assert ping(closed, ADDRESSES[WEB], API).outcome is Outcome.DROPPED
    found = next(item for item in ping(closed, ADDRESSES[WEB], API).steps if item.verdict is Verdict.DROP)
    assert "toPorts names ports, and ICMP has none" in [item.why for item in found.considered]
    by_kubernetes = world(network_policy("shop/n", ingress=[{"ports": [{"port": 8080}]}]))
    assert any(item.verdict is Verdict.DROP for item in ping(by_kubernetes, ADDRESSES[WEB], API).steps)


def test_ping_of_a_services_address_is_not_decided() -> None:
    """A Service forwards ports: what answers to ping at its address is another's."""
    found = asked(world(service("shop/api", {"app": "api"})), "icmp://10.0.0.50", WEB)
    assert found.outcome is Outcome.UNDECIDED
    assert "ping" in found.breaks[0].missing


@pytest.mark.parametrize("text", ["icmp://10.244.0.5:80", "icmp://10.244.0.5/path", "icmp://"])
def test_ping_has_neither_port_nor_path(text: str) -> None:
    """The error says what cannot be understood."""
    with pytest.raises(BadRequest, match=r"icmp|host|path"):
        parse_request(text)
