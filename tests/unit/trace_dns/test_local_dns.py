"""LocalDNS: Pods ask their own node, which policies of Cilium judge as the host (aks-networking.md 1.2, D06)."""

from typing import Any

import pytest

from aksnav.trace.step import Trace
from tests.unit.trace_walk.changed_demo import ChangedDemo

Json = dict[str, Any]
TO_KUBE_DNS: Json = {
    "toEndpoints": [{"matchLabels": {"k8s:io.kubernetes.pod.namespace": "kube-system", "k8s-app": "kube-dns"}}]
}
TO_HOST: Json = {"toEntities": ["host"]}
WEB: Json = {"toEndpoints": [{"matchLabels": {"k8s:io.kubernetes.pod.namespace": "shop"}}]}


def asked(profile: Json | None, *egress: Json) -> Trace:
    """Return the trace of a Pod of the shop to a Service's name, under a policy with these egress rules."""
    world = ChangedDemo()
    (managed,) = world.objects["managedClusters"].values()
    for pool in managed["properties"]["agentPoolProfiles"]:
        if profile is not None:
            pool["localDNSProfile"] = profile
    if egress:
        world.put(
            "CiliumNetworkPolicy",
            {
                "apiVersion": "cilium.io/v2",
                "kind": "CiliumNetworkPolicy",
                "metadata": {"name": "out", "namespace": "shop"},
                "spec": {"endpointSelector": {}, "egress": list(egress)},
            },
        )
    pod = next(key for key in world.objects["Pod"] if key.startswith("shop/web-"))
    return world.ask("http://api.shop/", f"pod/{pod}")


@pytest.mark.parametrize("profile", [{"mode": "Required"}, {"mode": "Preferred", "state": "Enabled"}])
def test_a_policy_without_the_node_itself_stops_names_where_local_dns_is_on(profile: Json) -> None:
    """To kube-dns alone is not enough: the field that says that LocalDNS is on stands in the evidence."""
    found = asked(profile, TO_KUBE_DNS, WEB)
    assert found.causes[0] == "D06"
    assert any(".localDNSProfile." in fact.field for fact in found.breaks[0].evidence)
    assert "169.254.10.11" in found.breaks[0].summary


def test_a_policy_with_the_node_itself_lets_names_through() -> None:
    """Then kube-dns is asked by the node, whatever the policy says of it."""
    assert not {"D06", "P06"} & set(asked({"mode": "Required"}, TO_HOST, WEB).causes)


@pytest.mark.parametrize("profile", [None, {"mode": "Disabled"}, {"mode": "Preferred", "state": "Disabled"}])
def test_without_local_dns_kube_dns_is_what_must_be_let_through(profile: Json | None) -> None:
    """As ever."""
    assert not {"D06", "P06"} & set(asked(profile, TO_KUBE_DNS, WEB).causes)
    assert asked(profile, TO_HOST, WEB).causes[0] == "P06"


def test_without_policies_nothing_is_said() -> None:
    """No fault, no step."""
    assert not {"D06", "P06"} & set(asked({"mode": "Required"}).causes)
