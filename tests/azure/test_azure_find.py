"""From a context to its managed cluster: by ARM id, by the server's host name, by where the nodes are."""

from typing import Any

import pytest

from aksnav.model.change import Reading
from aksnav.sources.azure.find import Found, Hints, find
from aksnav.sources.azure.transport import Arm
from aksnav.sources.demo.world import CLUSTER, GROUP, NODE_GROUP, SUBSCRIPTION, arm_id
from tests.azure.arm_server import error
from tests.azure.conftest import Bench, host, provider_ids

ID = arm_id(GROUP, f"Microsoft.ContainerService/managedClusters/{CLUSTER}")
NODES = f"/subscriptions/{SUBSCRIPTION}/resourcegroups/{NODE_GROUP.lower()}"
HOST = host().partition(":")[0]
IDS = tuple(provider_ids())


def look(bench: Bench, hints: Hints, wanted: str = "") -> Found:
    """Look for the cluster."""
    arm = Arm(bench.connection())
    try:
        return find(arm, wanted, hints)
    finally:
        arm.close()


def other(objects: dict[str, list[Any]]) -> None:
    """Add another cluster of the same subscription, listed first."""
    first = objects["managedClusters"][0]
    ident = first["id"].replace(CLUSTER, "aks-another")
    inner = {**first["properties"], "fqdn": "another.hcp.westeurope.azmk8s.io", "nodeResourceGroup": "MC_another"}
    objects["managedClusters"].insert(0, {**first, "id": ident, "name": "aks-another", "properties": inner})


def test_an_arm_id_is_read_and_nothing_is_looked_for(bench: Bench) -> None:
    """--cluster costs one GET."""
    found = look(bench, Hints(), ID)
    assert found.cluster_id == ID
    assert found.node_group is not None
    assert found.node_group.scope == NODES
    assert len(bench.server.asked) == 1


def test_the_servers_host_name_chooses_among_the_clusters_of_the_nodes_subscription(bench: Bench) -> None:
    """Another cluster of the subscription is not taken."""
    other(bench.server.content.objects)
    found = look(bench, Hints(IDS, HOST))
    assert found.cluster_id == ID
    assert found.how == "the API server's host name"


def test_the_private_name_of_a_private_cluster_is_its_host_name_too(bench: Bench) -> None:
    """The field privateFQDN counts."""
    inner = bench.server.content.objects["managedClusters"][0]["properties"]
    inner["privateFQDN"] = "x.privatelink.westeurope.azmk8s.io"
    assert look(bench, Hints((), "X.privatelink.westeurope.azmk8s.io")).cluster_id == ID


def test_without_nodes_every_subscription_is_searched_for_the_host_name(bench: Bench) -> None:
    """A cluster that is scaled to nothing, or whose nodes may not be listed."""
    other(bench.server.content.objects)
    found = look(bench, Hints((), HOST))
    assert found.cluster_id == ID
    assert "/subscriptions" in bench.server.paths()


def test_where_the_host_name_says_nothing_the_nodes_resource_group_does(bench: Bench) -> None:
    """An API server that is reached by a name of its own (a proxy, a private DNS alias)."""
    other(bench.server.content.objects)
    found = look(bench, Hints(IDS, "jump.contoso.example"))
    assert found.cluster_id == ID
    assert found.how == "the resource group of its nodes"


def test_where_clusters_may_not_be_listed_the_resource_group_names_its_owner(bench: Bench) -> None:
    """A reader of the cluster alone, who may not list the subscription."""
    subscription = f"/subscriptions/{SUBSCRIPTION}/providers"
    bench.server.rules.append(
        lambda asked: error(403, "AuthorizationFailed") if asked.path.startswith(subscription) else None
    )
    bench.server.content.managed_by[NODES] = ID
    found = look(bench, Hints(IDS, HOST))
    assert found.cluster_id == ID
    assert found.cluster is not None


def test_as_far_as_the_nodes_go_where_nothing_else_can_be_read(bench: Bench) -> None:
    """Subscription and node resource group come from the provider ids alone; the refusal is kept."""
    bench.server.content.denied |= {
        "Microsoft.ContainerService/managedClusters/read",
        "Microsoft.Resources/subscriptions/resourceGroups/read",
    }
    found = look(bench, Hints(IDS, HOST))
    assert found.cluster is None
    assert found.denied
    assert found.node_group is not None
    assert found.node_group.scope == NODES
    assert "Microsoft.ContainerService/managedClusters/read" in found.error
    assert "give --cluster" in found.error


def test_no_cluster_with_that_host_name_is_said(bench: Bench) -> None:
    """The list is there and the cluster is not in it."""
    found = look(bench, Hints((), "nobody.example"))
    assert found.node_group is None
    assert found.error.startswith("none of the managed clusters in 1 subscription has the host name nobody.example")


def test_an_account_without_subscriptions_is_said(bench: Bench) -> None:
    """A login that sees nothing."""
    bench.server.content.objects = {}
    assert "sees no subscription" in look(bench, Hints((), HOST)).error


@pytest.mark.parametrize("wanted", ["aks-contoso-prod", ID + "/agentPools/x", "/subscriptions/x", "\x1b[31m"])
def test_what_is_no_id_of_a_cluster_is_said_and_the_nodes_are_followed(bench: Bench, wanted: str) -> None:
    """A wrong --cluster does not blind what the nodes say."""
    found = look(bench, Hints(IDS, HOST), wanted)
    assert "is not the resource id of a managed cluster" in found.error
    assert found.error.isprintable()
    assert found.node_group is not None
    assert bench.server.asked == []


def test_a_cluster_whose_nodes_are_elsewhere_is_warned_of(bench: Bench) -> None:
    """--cluster names another cluster than the context's."""
    other(bench.server.content.objects)
    bench.made(cluster=ID.replace(CLUSTER, "aks-another")).hints(IDS, HOST)
    bench.read()
    assert "is it another cluster?" in bench.store.sources["azure"].reason


def test_a_cluster_that_was_found_is_read_alone_the_next_time(bench: Bench) -> None:
    """The list of clusters, which Azure throttles soonest, is asked for once."""
    bench.read()
    bench.read()
    listed = f"/subscriptions/{SUBSCRIPTION}/providers/microsoft.containerservice/managedclusters"
    assert list(bench.server.paths()).count(listed) == 1
    assert list(bench.server.paths()).count(ID.lower()) == 1


def test_a_cluster_that_is_gone_is_looked_for_again(bench: Bench) -> None:
    """It may have been made anew in another resource group."""
    bench.read()
    clusters = bench.server.content.objects["managedClusters"]
    moved = clusters[0]["id"].replace(GROUP, "rg-moved")
    clusters[0] = {**clusters[0], "id": moved}
    bench.read()
    assert [row.id for row in bench.store.clusters] == [moved.lower()]


def test_without_nodes_and_without_a_cluster_nothing_is_claimed(bench: Bench) -> None:
    """Every kind says why it is not read."""
    bench.made().hints((), "nobody.example")
    bench.read()
    for kind in ("loadBalancers", "virtualNetworks", "networkInterfaces"):
        access = bench.store.tables[kind].access("")
        assert access.reading is Reading.UNREAD
        assert "none of the managed clusters" in access.reason
    assert bench.store.clusters.access("").reading is Reading.FAILED
    assert bench.store.sources["azure"].reading is Reading.FAILED
