"""The Service of the cluster's DNS: what cannot be read of it is named, and what is wrong with it ends the road."""

from typing import Any

import pytest

from aksnav.checks.sweep import sweep
from aksnav.model.change import Reading, ReadingChanged
from aksnav.trace.step import Certainty, Kind, Outcome, Trace
from tests.unit.trace_walk.changed_demo import ChangedDemo

Json = dict[str, Any]
SERVICE = "kube-system/kube-dns"
READINGS = (Reading.DENIED, Reading.UNREAD, Reading.FAILED, Reading.PENDING)


def asked(world: ChangedDemo, text: str = "http://cart/") -> Trace:
    """Return the trace of a Pod of the shop to a name."""
    pod = next(key for key in world.objects["Pod"] if key.startswith("shop/web-"))
    return world.ask(text, f"pod/{pod}")


def without(kind: str, reading: Reading) -> ChangedDemo:
    """Return the demo whose objects of a kind in kube-system cannot be read."""
    world = ChangedDemo()
    listed = world.objects[kind]
    world.objects[kind] = {ident: row for ident, row in listed.items() if not ident.startswith("kube-system/")}
    world._said.append(ReadingChanged(kind, reading, "kube-system", "forbidden"))
    return world


def slices(world: ChangedDemo) -> list[Json]:
    """Return the EndpointSlices of the DNS Service."""
    return [
        row
        for row in world.objects["EndpointSlice"].values()
        if row["metadata"].get("labels", {}).get("kubernetes.io/service-name") == "kube-dns"
    ]


def isolated(world: ChangedDemo, **to: Json) -> ChangedDemo:
    """Let the shop's Pods send to its own Pods alone, and on port 53 to those whom ``to`` selects."""
    rules: list[Json] = [{"to": [{"podSelector": {}}]}]
    if to:
        rules.append({"to": [{**to}], "ports": [{"port": 53, "protocol": "UDP"}]})
    world.put(
        "NetworkPolicy",
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "egress", "namespace": "shop"},
            "spec": {"podSelector": {"matchLabels": {"app": "web"}}, "policyTypes": ["Egress"], "egress": rules},
        },
    )
    return world


def test_a_dns_that_is_read_and_answers_adds_nothing() -> None:
    """The demo's is such a one."""
    found = asked(ChangedDemo())
    assert (found.outcome, found.confidence.certainty) == (Outcome.DELIVERED, Certainty.PROVEN)


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize(
    ("kind", "named"),
    [("Service", "list services"), ("EndpointSlice", "list endpointslices"), ("Pod", "list pods")],
)
def test_what_cannot_be_read_of_it_is_assumed_by_name(kind: str, named: str, reading: Reading) -> None:
    """A Pod may ask for names in vain; the name step does not pass silently."""
    found = asked(without(kind, reading))
    assert (found.outcome, found.confidence.certainty) == (Outcome.DELIVERED, Certainty.ASSUMED)
    assert any(f"{named} in namespace kube-system (forbidden)" in line for line in found.confidence.because)
    assert found.steps[1].kind is Kind.DNS_RESOLVE


@pytest.mark.parametrize("kind", ["Service", "EndpointSlice", "Pod"])
def test_what_is_old_of_it_is_assumed_by_name(kind: str) -> None:
    """Rows of a stale table are used, and said to be old."""
    world = ChangedDemo()
    world.lose(kind, Reading.STALE)
    found = asked(world)
    assert found.confidence.certainty is Certainty.ASSUMED
    assert any(line.startswith(f"{kind} are as they were last read") for line in found.steps[1].assumptions)


def test_a_service_that_cannot_be_decoded_is_not_taken_for_absent() -> None:
    """Its name stands in the assumption."""
    world = ChangedDemo()
    world.spoil("Service", SERVICE)
    assert any("Service kube-system/kube-dns: spec: not a map" in line for line in asked(world).confidence.because)


def test_without_a_ready_endpoint_no_name_is_resolved() -> None:
    """D05: the cause is found as before, whatever else is said."""
    world = ChangedDemo()
    for piece in slices(world):
        for endpoint in piece["endpoints"]:
            endpoint["conditions"] = {"ready": False}
    found = asked(world)
    assert (found.outcome, found.causes[0]) == (Outcome.UNRESOLVED, "D05")


def test_without_port_53_no_name_is_resolved() -> None:
    """S20: the Service of the DNS serves something else."""
    world = ChangedDemo()
    world.objects["Service"][SERVICE]["spec"]["ports"] = [{"name": "metrics", "port": 9153, "targetPort": 9153}]
    found = asked(world)
    assert (found.outcome, found.causes) == (Outcome.UNRESOLVED, ("S20",))


def test_an_endpoint_whose_pod_is_gone_does_not_answer() -> None:
    """S12, of both of them."""
    world = ChangedDemo()
    (piece,) = slices(world)
    for endpoint in piece["endpoints"]:
        endpoint["targetRef"]["name"] = "gone"
    found = asked(world)
    assert (found.outcome, found.causes) == (Outcome.UNRESOLVED, ("S12",))


def test_one_endpoint_that_is_not_reached_is_said() -> None:
    """The resolver asks again, and may come to the other one."""
    world = ChangedDemo()
    (piece,) = slices(world)
    piece["endpoints"][0]["targetRef"]["name"] = "gone"
    found = asked(world)
    assert (found.outcome, found.confidence.certainty) == (Outcome.DELIVERED, Certainty.ASSUMED)
    assert "1 of the 2 endpoints of the cluster's DNS" in found.steps[1].assumptions[0]


def test_a_policy_is_not_said_to_stop_what_goes_to_a_pod_that_cannot_be_read() -> None:
    """Its labels may be those that the policy admits: no P06."""
    dns = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
    }
    assert asked(isolated(ChangedDemo())).causes == ("P06",)
    assert asked(isolated(ChangedDemo(), **dns)).confidence.certainty is Certainty.PROVEN
    found = asked(isolated(without("Pod", Reading.DENIED), **dns))
    assert (found.causes, found.confidence.certainty) == ((), Certainty.ASSUMED)


@pytest.mark.parametrize("admitted", [True, False])
def test_whether_the_node_has_local_dns_is_assumed_where_the_cluster_cannot_be_read(admitted: bool) -> None:
    """A policy that admits the cluster's DNS need not admit the node, and the other way round."""
    dns: Json = {"namespaceSelector": {}}
    world = isolated(ChangedDemo(), **(dns if admitted else {}))
    world.lose("managedClusters", Reading.DENIED)
    found = asked(world)
    assert any("has no LocalDNS: the managed cluster cannot be read" in line for line in found.confidence.because)
    assert found.causes == (() if admitted else ("P06",))


def test_a_cluster_without_a_dns_service_resolves_no_name() -> None:
    """D05: all Services are read, and none has the address that AKS gives to Pods; an address still works."""
    world = ChangedDemo()
    del world.objects["Service"][SERVICE]
    found = asked(world)
    assert (found.outcome, found.causes) == (Outcome.UNRESOLVED, ("D05",))
    assert found.confidence.certainty is Certainty.PROVEN
    (step,) = found.breaks
    assert (step.evidence[0].field, step.evidence[0].value) == (".networkProfile.dnsServiceIP", "10.0.0.10")
    assert asked(world, "svc/shop/cart:80").outcome is Outcome.DELIVERED
    (finding,) = [item for item in sweep(world.store()) if item.id == "D05"]
    assert finding.evidence == step.evidence


def test_a_dns_service_of_another_name_is_the_one_at_the_address() -> None:
    """Pods ask an address, not a name."""
    world = ChangedDemo()
    row = world.objects["Service"].pop(SERVICE)
    row["metadata"]["name"] = "coredns"
    world.put("Service", row)
    for piece in slices(world):
        piece["metadata"]["labels"]["kubernetes.io/service-name"] = "coredns"
    found = asked(world)
    assert (found.outcome, found.causes) == (Outcome.DELIVERED, ())


@pytest.mark.parametrize("lost", ["managedClusters", "Service"])
def test_whether_nobody_answers_is_not_known_where_the_address_or_a_namespace_is_not_read(lost: str) -> None:
    """It is assumed that somebody does, by name."""
    world = ChangedDemo()
    del world.objects["Service"][SERVICE]
    if lost == "Service":
        world._said.append(ReadingChanged(lost, Reading.DENIED, "media", "forbidden"))
        reason = "list services in namespace media"
    else:
        world.objects[lost].clear()
        world._said.append(ReadingChanged(lost, Reading.UNREAD, "", "no credentials"))
        reason = "dnsServiceIP is not read"
    found = asked(world)
    assert (found.outcome, found.confidence.certainty) == (Outcome.DELIVERED, Certainty.ASSUMED)
    assert any(f"there is no Service {SERVICE}" in line and reason in line for line in found.confidence.because)
