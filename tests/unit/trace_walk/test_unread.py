"""Nothing passes through what was not read, and what was read long ago is said to be."""

import pytest

from aksnav.model.change import ListEnded, ListStarted, Reading, ReadingChanged
from aksnav.store import Store
from aksnav.trace.readable import stale
from aksnav.trace.step import Certainty, Outcome, Trace, Verdict
from tests.unit.trace_walk.changed_demo import ChangedDemo

SHOP = "https://shop.contoso.com/api"
PAY = "http://pay.apps.contoso.com/"
MEDIA = "http://media.apps.contoso.com/"
MQTT = "tcp://20.50.1.9:8883"


def ask_from_a_pod(made: ChangedDemo) -> Trace:
    """Return the trace from a Pod of shop to Pods of shop on other nodes."""
    name = made.pods("shop", "web")[0]["metadata"]["name"]
    return made.ask("svc/shop/api:80", f"pod/shop/{name}")


def test_between_nodes_that_cannot_be_read_nothing_is_known_to_pass() -> None:
    """The security groups between two nodes are found by the nodes: without them they are not known to allow."""
    made = ChangedDemo()
    assert ask_from_a_pod(made).outcome is Outcome.DELIVERED
    made.lose("Node", Reading.DENIED)
    answer = ask_from_a_pod(made)
    assert answer.outcome is Outcome.UNDECIDED
    assert {step.missing for step in answer.breaks} == {"list nodes (forbidden)"}


def test_an_undecodable_node_hides_its_security_groups() -> None:
    """One node that is there and cannot be decoded takes the certainty from the Pods on it only."""
    made = ChangedDemo()
    node = made.pods("shop", "api")[1]["spec"]["nodeName"]
    made.spoil("Node", node)
    answer = ask_from_a_pod(made)
    assert answer.outcome is Outcome.UNDECIDED
    assert all("spec: not a map" in step.missing for step in answer.breaks)


def test_a_gateway_that_cannot_be_decoded_is_not_said_to_be_missing() -> None:
    """It is there: that a route's parent does not exist (G12) would be false."""
    made = ChangedDemo()
    made.spoil("Gateway", "infra/web")
    answer = made.ask(PAY)
    assert answer.outcome is Outcome.UNDECIDED
    assert "G12" not in answer.causes


def test_a_stream_to_a_gateways_pod_does_not_end_there_where_its_gateway_cannot_be_decoded() -> None:
    """A TCPRoute may send it on: blind, and not delivered to the proxy."""
    made = ChangedDemo()
    made.spoil("Gateway", "infra/web")
    answer = made.ask("tcp://20.50.1.8:443")
    assert answer.outcome is Outcome.UNDECIDED
    assert any("spec: not a map" in line for line in answer.confidence.because)


def test_an_ingress_of_a_class_that_cannot_be_read_may_be_the_one() -> None:
    """Whose it is is not known, so 404 from those that are known is no answer."""
    made = ChangedDemo()
    made.get("Ingress", "shop/blog")["spec"]["ingressClassName"] = "outer"
    made.lose("IngressClass", Reading.DENIED)
    answer = made.ask("https://blog.contoso.com/", resolve="20.50.1.7")
    assert answer.outcome is Outcome.UNDECIDED
    assert "I04" not in answer.causes


def test_a_class_that_is_taken_for_the_usual_one_is_said_to_be() -> None:
    """Without IngressClasses, the class of application routing is known by its name: an assumption."""
    made = ChangedDemo()
    made.lose("IngressClass", Reading.DENIED)
    answer = made.ask(SHOP)
    assert answer.outcome is Outcome.DELIVERED
    assert any("is the usual one of" in line for line in answer.confidence.because)


def test_a_listener_that_selects_unread_namespaces_takes_a_route_only_by_the_controllers_word() -> None:
    """Whether a selector takes the route's namespace is known from its labels, or from the route's own status."""
    made = ChangedDemo()
    selector = {"from": "Selector", "selector": {"matchLabels": {"contoso.com/tier": "public"}}}
    for listener in made.get("Gateway", "infra/web")["spec"]["listeners"]:
        listener["allowedRoutes"] = {"namespaces": selector}
    made.lose("Namespace", Reading.DENIED)
    assert made.ask("http://status.apps.contoso.com/").outcome is Outcome.DELIVERED
    made.get("HTTPRoute", "shop/status")["status"] = {"parents": []}
    answer = made.ask("http://status.apps.contoso.com/")
    assert answer.outcome is Outcome.UNDECIDED
    assert answer.breaks[0].missing == "listener http selects namespace shop, whose labels cannot be read"


def test_that_no_engine_of_aks_runs_is_no_proof_that_none_does() -> None:
    """Where the managed cluster is not read, the absence of the known engines is an assumption."""
    made = ChangedDemo()
    for kind in ("managedClusters", "CiliumNetworkPolicy"):
        made.objects[kind] = {}
    made.objects["Pod"] = {key: pod for key, pod in made.objects["Pod"].items() if "/cilium" not in key}
    for node in made.objects["Node"].values():
        node["metadata"]["labels"].pop("kubernetes.azure.com/ebpf-dataplane")
    made.lose("CiliumNetworkPolicy", Reading.ABSENT)
    made.lose("CiliumClusterwideNetworkPolicy", Reading.ABSENT)
    answer = ask_from_a_pod(made)
    assert answer.outcome is Outcome.DELIVERED
    assert any(line.startswith("no policy engine runs here") for line in answer.confidence.because)


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        ("Ingress", SHOP),
        ("IngressClass", SHOP),
        ("Secret", SHOP),
        ("Gateway", PAY),
        ("GatewayClass", PAY),
        ("HTTPRoute", PAY),
        ("ReferenceGrant", MEDIA),
        ("NetworkPolicy", PAY),
        ("Namespace", PAY),
        ("CiliumNetworkPolicy", MQTT),
        ("CiliumClusterwideNetworkPolicy", MQTT),
        ("managedClusters", MQTT),
        ("networkInterfaces", MQTT),
        ("networkSecurityGroups", MQTT),
        ("Node", MQTT),
    ],
)
def test_what_is_stale_takes_the_proof_away(kind: str, target: str) -> None:
    """A verdict that hangs on a table that is known from before only says so."""
    made = ChangedDemo()
    made.lose(kind, Reading.STALE)
    answer = made.ask(target)
    assert answer.confidence.certainty is Certainty.ASSUMED
    assert any(line.startswith(f"{kind} are as they were last read") for line in answer.confidence.because)


def test_a_stale_namespace_is_stale() -> None:
    """Where a kind is read by namespace, what is stale in one of them counts."""
    store = Store()
    for namespace in ("shop", "pay"):
        store.apply(ListStarted("Service", namespace))
        store.apply(ListEnded("Service", namespace, 1.0))
    assert stale(store.services) == ()
    store.apply(ReadingChanged("Service", Reading.STALE, "pay"))
    assert stale(store.services) == ("Service are as they were last read: the source is stale",)


def test_the_broken_side_of_a_peering_is_the_one_that_is_shown() -> None:
    """The near side may be Connected and the far side Disconnected: the evidence names the far one (R06)."""
    made = ChangedDemo()
    hub = made.get("virtualNetworks", "vnet-contoso-hub")
    hub["properties"]["virtualNetworkPeerings"][0]["properties"]["peeringState"] = "Disconnected"
    (step,) = made.ask("http://10.224.0.40/", "10.100.1.5").breaks
    assert (step.cause, step.verdict) == ("R06", Verdict.DROP)
    assert "to-prod of vnet-contoso-hub is Disconnected" in step.summary
    assert step.evidence[0].value == "Disconnected"
    assert "--vnet-name vnet-contoso-hub" in step.confirm


def test_a_peering_without_its_other_side_is_told_by_the_side_that_lacks_it() -> None:
    """A peering is made on both sides (R06)."""
    made = ChangedDemo()
    made.get("virtualNetworks", "vnet-contoso-hub")["properties"]["virtualNetworkPeerings"] = []
    (step,) = made.ask("http://10.224.0.40/", "10.100.1.5").breaks
    assert step.summary.startswith("vnet-contoso-hub has no peering to vnet-contoso-prod")


def test_a_peering_that_refuses_access_is_not_called_connected() -> None:
    """AllowVirtualNetworkAccess off is the fault, and the fix names it (R06); the tag VirtualNetwork loses the peer."""
    made = ChangedDemo()
    own = made.get("virtualNetworks", "vnet-contoso-prod")
    own["properties"]["virtualNetworkPeerings"][0]["properties"]["allowVirtualNetworkAccess"] = False
    step, *groups = made.ask("http://10.224.0.40/", "10.100.1.5").breaks
    assert "does not allow access to vnet-contoso-hub" in step.summary
    assert "allowVirtualNetworkAccess" in step.fix
    assert {item.cause for item in groups} == {"N16"}


def test_a_node_of_the_pool_that_cannot_be_decoded_is_a_way_that_is_not_known() -> None:
    """The load balancer sends to it as well; where only nodes with an endpoint answer its probe, to no other."""
    made = ChangedDemo()
    made.spoil("Node", made.pods("iot", "mqtt")[0]["spec"]["nodeName"])
    answer = made.ask(MQTT)
    assert answer.outcome is Outcome.UNDECIDED
    assert any("spec: not a map" in line for line in answer.confidence.because)
    made = ChangedDemo()
    made.objects["Service"]["iot/mqtt"]["spec"]["externalTrafficPolicy"] = "Local"
    homes = {pod["spec"]["nodeName"] for pod in made.pods("iot", "mqtt")}
    made.spoil("Node", next(name for name in sorted(made.objects["Node"]) if name not in homes))
    assert not any("spec: not a map" in line for line in made.ask(MQTT).confidence.because)


def test_a_load_balancer_that_cannot_be_decoded_may_be_the_way_out() -> None:
    """No R14: its outbound rules are not known to be missing."""
    made = ChangedDemo()
    balancer = next(key for key in made.objects["loadBalancers"] if key.endswith("/kubernetes"))
    made.spoil("loadBalancers", balancer)
    pod = made.pods("shop", "web")[0]["metadata"]["name"]
    answer = made.ask("tcp://52.1.2.3:443", f"pod/shop/{pod}")
    assert (answer.outcome, answer.causes) == (Outcome.UNDECIDED, ())
