"""Between nodes: routes of kubenet, and security groups on the way to the cluster's DNS."""

from typing import Any

from aksnav.model.change import Reading
from aksnav.sources.demo.azure_network import route, rule
from aksnav.trace.step import Kind, Outcome, Trace
from tests.unit.trace_walk.changed_demo import ChangedDemo


def ask(made: ChangedDemo, target: str = "svc/shop/api:80") -> Trace:
    """Return the trace from a Pod of shop."""
    name = made.pods("shop", "web")[0]["metadata"]["name"]
    return made.ask(target, f"pod/shop/{name}")


def kubenet(made: ChangedDemo, *, routed: bool = True) -> list[dict[str, Any]]:
    """Make the cluster one of kubenet and return its routes: one for the Pods of each node."""
    (managed,) = made.objects["managedClusters"].values()
    managed["properties"]["networkProfile"].update(networkPlugin="kubenet", networkPluginMode=None)
    routes: list[dict[str, Any]] = made.get("routeTables", "rt-contoso-nodes")["properties"]["routes"]
    for name, node in made.objects["Node"].items() if routed else ():
        address = node["status"]["addresses"][0]["address"]
        routes.append(route(name, node["spec"]["podCIDR"], "VirtualAppliance", address))
    return routes


def test_kubenet_with_a_route_for_each_node_delivers() -> None:
    """Every node's Pod range leads to the node: the route is a step of the road."""
    made = ChangedDemo()
    kubenet(made)
    assert ask(made).outcome is Outcome.DELIVERED


def test_kubenet_without_its_routes_loses_packets_between_nodes() -> None:
    """Nothing else knows where a Pod's address is: Pods of other nodes are not reached (R03)."""
    made = ChangedDemo()
    kubenet(made, routed=False)
    answer = ask(made)
    assert answer.outcome is Outcome.SPLIT
    assert answer.causes == ("R03",)
    assert all(step.kind is Kind.ROUTE for step in answer.breaks)


def test_kubenet_with_a_route_to_another_node_loses_packets() -> None:
    """A route that leads to a node which has gone, or has another address now, is as bad as none (R03)."""
    made = ChangedDemo()
    routes = kubenet(made)
    node = made.pods("shop", "api")[1]["spec"]["nodeName"]
    wrong = next(item for item in routes if item["name"] == node)
    wrong["properties"]["nextHopIpAddress"] = "10.224.0.60"
    (step,) = ask(made).breaks
    assert step.cause == "R03"
    assert "to VirtualAppliance 10.224.0.60" in step.summary


def test_kubenet_with_an_unread_route_table_is_undecided() -> None:
    """Whether there is a route is not known then."""
    made = ChangedDemo()
    kubenet(made)
    made.lose("routeTables", Reading.DENIED)
    assert ask(made).outcome is Outcome.UNDECIDED


def test_a_group_that_stops_questions_to_dns_leaves_names_without_address() -> None:
    """TCP 80 passes between the nodes and UDP 53 does not: the name is not resolved (N12), the Service is reached."""
    made = ChangedDemo()
    group = made.get("networkSecurityGroups", "nsg-contoso-nodes")
    wire = rule(group["id"], "deny-dns", 300, "Outbound", "Deny", "*", "*", ports=["53"])
    group["properties"]["securityRules"].append(wire)
    answer = ask(made, "http://api.shop/")
    assert answer.outcome is Outcome.UNRESOLVED
    assert answer.causes == ("N12",)
    assert ask(made).outcome is Outcome.DELIVERED


def test_the_command_for_an_overlay_names_the_cluster() -> None:
    """``az aks show`` takes a group and a name, and no id."""
    made = ChangedDemo()
    address = made.pods("shop", "api")[0]["status"]["podIP"]
    (step,) = made.ask(f"http://{address}:8080/", "10.100.1.5").breaks
    assert step.cause == "R11"
    assert step.confirm.startswith("az aks show -g ")


def test_a_peer_that_asks_a_pod_itself_needs_the_peering_too() -> None:
    """With Pods in the nodes' subnet a peer may ask them directly: through a broken peering no answer comes (R06)."""
    made = ChangedDemo()
    (managed,) = made.objects["managedClusters"].values()
    managed["properties"]["networkProfile"].update(networkPluginMode=None, podCidr=None, podCidrs=None)
    made.get("virtualNetworks", "vnet-contoso-prod")["properties"]["subnets"][0]["properties"]["addressPrefix"] = (
        "10.224.0.0/20"
    )
    pod = made.pods("shop", "api")[0]
    pod["status"].update(podIP="10.224.4.40", podIPs=[{"ip": "10.224.4.40"}])
    for node in made.objects["Node"].values():
        node["spec"].update(podCIDR="", podCIDRs=[])
    assert made.ask("http://10.224.4.40:8080/", "10.100.1.5").outcome is Outcome.DELIVERED
    hub = made.get("virtualNetworks", "vnet-contoso-hub")
    hub["properties"]["virtualNetworkPeerings"][0]["properties"]["peeringState"] = "Disconnected"
    answer = made.ask("http://10.224.4.40:8080/", "10.100.1.5")
    assert (answer.outcome, answer.causes) == (Outcome.DROPPED, ("R06",))


def with_proxy_mode() -> ChangedDemo:
    """Return the demo with a portal that even Pods reach through its internal load balancer (ipMode Proxy)."""
    made = ChangedDemo()
    made.get("Service", "intra/portal")["status"]["loadBalancer"]["ingress"][0]["ipMode"] = "Proxy"
    return made


def test_a_pod_comes_to_an_internal_load_balancer_with_its_nodes_address() -> None:
    """An overlay Pod is translated on its way out: no range overlaps (R10), and policies see the node."""
    answer = ask(with_proxy_mode(), "http://10.224.0.40/")
    assert "R10" not in answer.causes
    assert any(step.kind is Kind.SNAT for step in answer.steps)


def test_the_node_of_the_client_is_not_alike_to_others() -> None:
    """What comes back to its own node is lost (L27); on another node it is another node's, and policy stops it."""
    made = with_proxy_mode()
    node = made.pods("intra", "portal")[0]["spec"]["nodeName"]
    answer = made.ask("http://10.224.0.40/", f"node/{node}")
    assert (answer.outcome, sorted(answer.causes)) == (Outcome.DROPPED, ["L27", "P11"])


def test_a_pod_with_an_address_of_its_own_may_come_back_to_its_node() -> None:
    """Azure says of the machine itself that it does not reach itself, and nothing of such a Pod: undecided there."""
    made = ChangedDemo("azure-cni")
    made.get("Service", "intra/portal")["status"]["loadBalancer"]["ingress"][0]["ipMode"] = "Proxy"
    address = made.get("Service", "intra/portal")["status"]["loadBalancer"]["ingress"][0]["ip"]
    client = made.pods("intra", "portal")[0]["metadata"]["name"]
    answer = made.ask(f"http://{address}/", f"pod/intra/{client}")
    assert "L27" not in answer.causes
    assert any("sends back to node" in line for line in answer.confidence.because)
