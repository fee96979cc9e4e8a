"""What cluster this is: every fact with the field that it came from, unknown where none says."""

from typing import Any

import pytest

from aksnav.about.cluster import cluster_facts
from aksnav.about.fact import Fact
from aksnav.model.change import Reading
from tests.unit.trace_walk.changed_demo import ChangedDemo, Json

TODAY = "2026-11-24"
POD_SUBNET = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/p"


def facts(world: ChangedDemo, today: str = TODAY) -> dict[str, Fact]:
    """Return the facts by name; of several with one name the last."""
    return {fact.name: fact for fact in cluster_facts(world.store(), today)}


def managed(world: ChangedDemo) -> Json:
    """Return the managed cluster's properties, to be changed."""
    (wire,) = world.objects["managedClusters"].values()
    properties: Json = wire["properties"]
    return properties


def retirements(world: ChangedDemo, today: str = TODAY) -> list[str]:
    """Return the retirements that touch it."""
    return [fact.value for fact in cluster_facts(world.store(), today) if fact.name == "retirement"]


@pytest.mark.parametrize(
    ("profile", "pool", "model", "field"),
    [
        ({"networkPlugin": "kubenet", "networkPluginMode": None}, {}, "kubenet", "networkPlugin"),
        ({"networkPlugin": "azure", "networkPluginMode": "overlay"}, {}, "Azure CNI Overlay", "networkPluginMode"),
        ({"networkPlugin": "azure", "networkPluginMode": None}, {}, "Azure CNI node subnet", "podSubnetID"),
        (
            {"networkPlugin": "azure", "networkPluginMode": None},
            {"podSubnetID": POD_SUBNET},
            "Azure CNI pod subnet, dynamic allocation",
            "podIPAllocationMode",
        ),
        (
            {"networkPlugin": "azure", "networkPluginMode": None},
            {
                "podSubnetID": POD_SUBNET,
                "podIPAllocationMode": "StaticBlock",
            },
            "Azure CNI pod subnet, static block allocation",
            "podIPAllocationMode",
        ),
        ({"networkPlugin": "none", "networkPluginMode": None}, {}, "bring your own CNI", "networkPlugin"),
    ],
)
def test_the_network_model_is_told_from_the_managed_clusters_fields(
    profile: dict[str, Any], pool: dict[str, Any], model: str, field: str
) -> None:
    """Source: AKS documentation, Azure CNI networking concepts; each model by the field that tells it apart."""
    world = ChangedDemo()
    managed(world)["networkProfile"].update(profile)
    for item in managed(world)["agentPoolProfiles"]:
        item.update(pool)
    found = facts(world)["network model"]
    assert found.value == model
    assert any(proof.field.endswith(field) for proof in found.evidence)


def test_pools_with_and_without_a_pod_subnet_are_told_as_different() -> None:
    """One pool has a subnet of Pods, the others do not."""
    world = ChangedDemo()
    managed(world)["networkProfile"].update({"networkPlugin": "azure", "networkPluginMode": None})
    managed(world)["agentPoolProfiles"][0]["podSubnetID"] = managed(world)["agentPoolProfiles"][0]["vnetSubnetID"]
    assert facts(world)["network model"].value == "different in each node pool"


def test_without_azure_the_labels_of_the_nodes_tell_the_model() -> None:
    """Nothing of Azure is readable: the label that AKS gives its nodes says overlay."""
    world = ChangedDemo()
    world.lose("managedClusters", Reading.DENIED)
    for node in world.objects["Node"].values():
        node["metadata"]["labels"]["kubernetes.azure.com/podnetwork-type"] = "overlay"
    found = facts(world)["network model"]
    assert found.value == "Azure CNI Overlay"
    assert found.evidence[0].subject is not None
    assert found.evidence[0].subject.kind == "Node"


def test_what_nobody_says_is_unknown_and_names_what_is_missing() -> None:
    """No managed cluster, no labels: neither model nor outbound type nor ranges are guessed."""
    world = ChangedDemo()
    world.lose("managedClusters", Reading.DENIED)
    for node in world.objects["Node"].values():
        labels = node["metadata"]["labels"]
        for label in [label for label in labels if label.startswith("kubernetes.azure.com/")]:
            del labels[label]
    found = facts(world)
    for name in ("cluster", "network model", "Pod CIDR", "service CIDR", "outbound type", "API server", "IP families"):
        assert found[name].value == "", name
        assert "Microsoft.ContainerService/managedClusters/read" in found[name].missing, name


def test_ranges_families_and_planes_come_from_the_network_profile() -> None:
    """Dual stack, Cilium, and both ranges of each kind."""
    world = ChangedDemo()
    managed(world)["networkProfile"].update(
        {"podCidrs": ["10.244.0.0/16", "fd12:3456::/64"], "ipFamilies": ["IPv4", "IPv6"], "networkDataplane": "cilium"}
    )
    found = facts(world)
    assert found["Pod CIDR"].value == "10.244.0.0/16, fd12:3456::/64"
    assert found["IP families"].value == "dual stack, IPv4 and IPv6"
    assert (found["data plane"].value, found["policy engine"].value) == ("cilium", "Cilium")


def test_policies_that_nobody_enforces_are_said() -> None:
    """The profile says none, no engine runs, and policies exist."""
    world = ChangedDemo()
    managed(world)["networkProfile"].update({"networkPolicy": "none", "networkDataplane": "azure"})
    world.objects["Pod"] = {
        key: pod for key, pod in world.objects["Pod"].items() if "cilium" not in pod["metadata"]["name"]
    }
    for node in world.objects["Node"].values():
        node["metadata"]["labels"].pop("kubernetes.azure.com/ebpf-dataplane", None)
    world.lose("CiliumNetworkPolicy", Reading.ABSENT)
    world.lose("CiliumClusterwideNetworkPolicy", Reading.ABSENT)
    found = facts(world)["policy engine"]
    assert found.value == "no policy engine"
    assert "nobody enforces them" in found.note


@pytest.mark.parametrize(
    ("kind", "means"),
    [
        ("loadBalancer", "outbound rule"),
        ("managedNATGateway", "NAT gateway that AKS made"),
        ("userAssignedNATGateway", "NAT gateway of yours"),
        ("userDefinedRouting", "route table"),
        ("none", "nothing is provided"),
        ("block", "blocked"),
    ],
)
def test_the_outbound_type_says_how_connections_leave(kind: str, means: str) -> None:
    """Source: AKS documentation, Customize cluster egress with outbound types."""
    world = ChangedDemo()
    managed(world)["networkProfile"]["outboundType"] = kind
    found = facts(world)["outbound type"]
    assert found.value == kind
    assert means in found.note


def test_the_api_servers_access_is_told() -> None:
    """Public with ranges, private, and inside of the network."""
    world = ChangedDemo()
    managed(world)["apiServerAccessProfile"] = {"authorizedIPRanges": ["203.0.113.0/24"]}
    assert facts(world)["API server"].value.endswith("open to 1 authorized ranges")
    managed(world)["apiServerAccessProfile"] = {"enablePrivateCluster": True, "enableVnetIntegration": True}
    assert facts(world)["API server"].value == (
        "private: reached inside of the network only, integrated in the virtual network"
    )


def test_a_network_of_ones_own_and_one_of_aks_are_told_apart() -> None:
    """A pool without vnetSubnetID lives in the network that AKS made."""
    world = ChangedDemo()
    first = managed(world)["agentPoolProfiles"][0]
    assert facts(world)[f"virtual network of pool {first['name']}"].value.startswith("yours: vnet-contoso-prod")
    del first["vnetSubnetID"]
    assert facts(world)[f"virtual network of pool {first['name']}"].value.startswith("AKS's own")


def test_ingress_options_are_told_by_class_and_add_on() -> None:
    """What the demo has, and AGIC when its add-on is on."""
    world = ChangedDemo()
    managed(world)["addonProfiles"] = {
        "ingressApplicationGateway": {
            "enabled": True,
            "config": {"effectiveApplicationGatewayId": "/subscriptions/s/agw"},
        }
    }
    found = [fact for fact in cluster_facts(world.store(), TODAY) if fact.name.startswith(("ingress", "gateway"))]
    told = {(fact.name, fact.value) for fact in found}
    assert ("ingress add-on", "Application Gateway Ingress Controller") in told
    assert ("ingress class webapprouting.kubernetes.azure.com", "application routing add-on, NGINX") in told
    assert ("gateway class approuting-istio", "application routing add-on, Gateway API on Istio") in told


def test_ingress_classes_that_cannot_be_read_are_not_told_as_none() -> None:
    """What is refused is unknown."""
    world = ChangedDemo()
    world.lose("IngressClass", Reading.DENIED)
    assert "ingressclasses" in facts(world)["ingress"].missing


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"networkProfile": {"networkPlugin": "kubenet"}}, "kubenet ends 2028-03-31"),
        ({"networkProfile": {"loadBalancerSku": "basic"}}, "Basic Load Balancer ended 2025-09-30"),
        ({"networkProfile": {"networkPolicy": "azure"}}, "Azure NPM on Linux ends 2028-09-30"),
        ({"addonProfiles": {"openServiceMesh": {"enabled": True}}}, "Open Service Mesh add-on ends 2027-09-30"),
    ],
)
def test_retirements_that_touch_the_cluster_are_told_with_their_date(change: Json, said: str) -> None:
    """Source: the retirement notices of the AKS documentation."""
    world = ChangedDemo()
    assert said not in retirements(world)
    for field, value in change.items():
        managed(world).setdefault(field, {}).update(value)
    assert said in retirements(world)


@pytest.mark.parametrize(
    ("pool", "said"),
    [
        ({"type": "AvailabilitySet"}, "node pools of availability sets ended 2025-09-30"),
        ({"osType": "Windows", "osSKU": "Windows2019"}, "Windows Server 2019 node pools ended 2026-03-01"),
        ({"osType": "Windows", "osSKU": "Windows2022"}, "Windows Server 2022 node pools ends 2028-06-30"),
    ],
)
def test_a_pools_retirements_name_the_pool(pool: Json, said: str) -> None:
    """The field is the pool's own."""
    world = ChangedDemo()
    managed(world)["agentPoolProfiles"][1].update(pool)
    assert said in retirements(world)


def test_a_date_without_a_day_is_this_month_until_the_month_is_over() -> None:
    """The add-on's NGINX ends in November 2026: some day of it."""
    world = ChangedDemo()
    name = "NGINX of the application routing add-on"
    assert f"{name} ends 2026-11" in retirements(world, "2026-10-31")
    assert f"{name} ends this month, 2026-11" in retirements(world, "2026-11-24")
    assert f"{name} ended 2026-11" in retirements(world, "2026-12-01")
