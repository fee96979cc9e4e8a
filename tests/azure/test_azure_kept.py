"""What a refresh asks for: what anybody may have changed, and what hangs on something that has."""

from typing import Any

from aksnav.model.change import Reading, Upserted
from aksnav.model.kinds import AZURE_KINDS
from aksnav.sources.azure.edges import Pointers
from aksnav.sources.azure.kept import LONGEST
from aksnav.sources.demo.world import NODE_GROUP, SUBSCRIPTION
from tests.azure.arm_server import error
from tests.azure.conftest import START, Bench, host, provider_ids

NODES = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{NODE_GROUP}".lower()
HOME = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-contoso-prod".lower()
NETWORK = f"{HOME}/providers/microsoft.network/virtualnetworks/vnet-contoso-prod"
HUB = "/virtualnetworks/vnet-contoso-hub"
NICS = "networkInterfaces"
INTERFACES = "providers/microsoft.network/networkinterfaces"
EVERY_ROUND = {
    f"{HOME}/providers/microsoft.containerservice/managedclusters/aks-contoso-prod",
    f"{NODES}/providers/microsoft.network/loadbalancers",
    f"{NODES}/providers/microsoft.network/publicipaddresses",
    f"{NODES}/providers/microsoft.network/networksecuritygroups",
    f"{HOME}/providers/microsoft.network/networksecuritygroups",
    f"{HOME}/providers/microsoft.network/virtualnetworks",
    f"{NETWORK}/usages",
    f"{NODES}/providers/microsoft.network/routetables",
    f"{HOME}/providers/microsoft.network/routetables",
    f"{NODES}/providers/microsoft.network/privatednszones",
    f"{HOME}/providers/microsoft.network/privatednszones",
}


def again(bench: Bench, seconds: float = 60) -> list[str]:
    """Read again after a while; return what was asked for."""
    before = len(bench.server.asked)
    bench.pace.time += seconds
    bench.read()
    return [asked.path for asked in bench.server.asked[before:]]


def of_scale_sets(paths: list[str]) -> list[str]:
    """Return the scale sets of which interfaces were asked for."""
    return [path.split("/")[-2] for path in paths if "/virtualmachinescalesets/" in path]


def properties(bench: Bench, kind: str, name: str) -> dict[str, Any]:
    """Return the properties of an object that the server has."""
    found = next(item for item in bench.server.content.objects[kind] if item["name"] == name)
    inner: dict[str, Any] = found["properties"]
    return inner


def test_a_refresh_asks_only_for_what_can_have_changed(bench: Bench) -> None:
    """11 calls of 18: not for interfaces, NAT gateways and peers while nothing says that they changed."""
    bench.read()
    assert len(bench.server.asked) == 18
    paths = again(bench)
    assert len(paths) == len(EVERY_ROUND)
    assert set(paths) == EVERY_ROUND
    assert bench.store.sources["azure"].facts["callsOfRefresh"] == "11"


def test_what_is_not_asked_for_again_stays_with_its_age(bench: Bench) -> None:
    """Every kind is live; what was kept says as of when it is right."""
    bench.read()
    rows = {kind.name: len(bench.store.tables[kind.name]) for kind in AZURE_KINDS}
    again(bench)
    assert {kind.name: len(bench.store.tables[kind.name]) for kind in AZURE_KINDS} == rows
    assert {bench.store.tables[kind.name].access("").reading for kind in AZURE_KINDS} == {Reading.LIVE}
    at = {kind.name: bench.store.tables[kind.name].access("").at for kind in AZURE_KINDS}
    assert {kind for kind, since in at.items() if since == START} == {
        "networkInterfaces",
        "natGateways",
        "virtualNetworks",  # as old as the oldest of them, the peer
    }
    assert bench.store.virtual_networks.access(HOME).at == START + 60


def test_after_a_while_everything_is_asked_for_again(bench: Bench) -> None:
    """Nothing is kept for longer than five minutes, whatever does not change."""
    bench.read()
    counts = [len(again(bench)) for _ in range(int(LONGEST // 60))]
    assert counts == [11, 11, 11, 11, 18]
    assert bench.store.interfaces.access("").at == START + LONGEST


def test_a_refresh_that_the_user_asks_for_asks_for_everything(bench: Bench) -> None:
    """ctrl+r keeps nothing; the round after it does again."""
    bench.read()
    bench.source.refresh()
    assert len(again(bench)) == 18
    assert bench.store.interfaces.access("").at == START + 60
    assert len(again(bench)) == 11


def test_a_new_node_asks_for_the_interfaces_of_its_scale_set(bench: Bench) -> None:
    """And for no other's."""
    bench.read()
    new = next(item for item in provider_ids() if "aks-apps-" in item).rpartition("/")[0] + "/77"
    bench.source.hints([*provider_ids(), new], host())
    assert of_scale_sets(again(bench)) == ["aks-apps-27513406-vmss"]


def test_a_change_of_a_backend_pool_asks_for_the_interfaces_of_its_members(bench: Bench) -> None:
    """A node that leaves the pool has another interface than before."""
    bench.read()
    pools = [
        pool
        for item in bench.server.content.objects["loadBalancers"]
        for pool in item["properties"]["backendAddressPools"]
    ]
    for pool in pools:
        listed = pool["properties"].get("backendIPConfigurations", [])
        pool["properties"]["backendIPConfigurations"] = [item for item in listed if "aks-data-" not in item["id"]]
    assert of_scale_sets(again(bench)) == ["aks-data-30488152-vmss"]


def test_a_change_of_a_node_pool_asks_for_every_interface(bench: Bench) -> None:
    """A pool that is upgraded or scaled says so before its nodes do."""
    bench.read()
    properties(bench, "managedClusters", "aks-contoso-prod")["agentPoolProfiles"][0]["count"] += 1
    assert len(of_scale_sets(again(bench))) == 3


def test_a_change_of_the_peering_asks_for_the_peer(bench: Bench) -> None:
    """The hub is read again as soon as the peering says something else."""
    bench.read()
    properties(bench, "virtualNetworks", "vnet-contoso-prod")["virtualNetworkPeerings"][0]["properties"][
        "peeringState"
    ] = "Disconnected"
    assert [path for path in again(bench) if path.endswith(HUB)]


def test_what_services_point_to_asks_for_interfaces_of_the_group(bench: Bench) -> None:
    """A private link service has an interface in the group of the nodes."""
    bench.source.points(Pointers())
    bench.read()
    bench.source.points(Pointers(link_groups=frozenset({""})))
    assert f"{NODES}/providers/microsoft.network/networkinterfaces" in again(bench)


def test_a_list_that_failed_is_asked_for_again_in_the_next_round(bench: Bench) -> None:
    """Only what was read without fault is kept."""
    rule = bench.server.rules
    rule.append(lambda asked: error(500, "Oops") if "aks-data-" in asked.path else None)
    bench.read()
    assert bench.store.interfaces.access("").reading is Reading.FAILED
    rule.clear()
    assert of_scale_sets(again(bench)) == ["aks-data-30488152-vmss"]
    assert bench.store.interfaces.access("").reading is Reading.LIVE
    assert of_scale_sets(again(bench)) == []


def test_a_peer_without_its_usages_is_asked_for_again(bench: Bench) -> None:
    """What could not be read beside it may be readable in the next round."""
    rule = bench.server.rules
    rule.append(lambda asked: error(403, "AuthorizationFailed") if asked.path.endswith(f"{HUB}/usages") else None)
    bench.read()
    rule.clear()
    assert f"{HUB}/usages" in "".join(again(bench))
    assert not [path for path in again(bench) if HUB in path]


def test_what_was_kept_is_live_again_after_a_round_that_broke_off(bench: Bench) -> None:
    """A round that Azure throttles leaves everything stale; the next one need not ask for what was kept."""
    bench.read()
    rule = bench.server.rules
    rule.append(
        lambda asked: error(429, "TooMany", **{"Retry-After": "60"}) if asked.path.endswith("/loadbalancers") else None
    )
    again(bench)
    assert bench.store.interfaces.access("").reading is Reading.STALE
    rule.clear()
    assert of_scale_sets(again(bench)) == []
    assert bench.store.interfaces.access("").reading is Reading.LIVE
    assert bench.store.interfaces.access("").at == START


def test_a_scale_set_that_goes_takes_its_interfaces_with_it(bench: Bench) -> None:
    """A pool was deleted: the kept answers of the others stay, its own go."""
    bench.read()
    bench.source.hints([item for item in provider_ids() if "aks-data-" not in item], host())
    pools = [
        pool
        for item in bench.server.content.objects["loadBalancers"]
        for pool in item["properties"]["backendAddressPools"]
    ]
    for pool in pools:
        listed = pool["properties"].get("backendIPConfigurations", [])
        pool["properties"]["backendIPConfigurations"] = [item for item in listed if "aks-data-" not in item["id"]]
    for group in bench.server.content.objects["networkSecurityGroups"]:
        listed = group["properties"].get("networkInterfaces", [])
        group["properties"]["networkInterfaces"] = [item for item in listed if "aks-data-" not in item["id"]]
    inner = properties(bench, "managedClusters", "aks-contoso-prod")
    inner["agentPoolProfiles"] = [pool for pool in inner["agentPoolProfiles"] if pool["name"] != "data"]
    again(bench)
    assert not [row.id for row in bench.store.interfaces if "aks-data-" in row.id]
    assert [row.id for row in bench.store.interfaces if "aks-apps-" in row.id]


def test_an_answer_is_told_once_however_long_a_round_lasts(bench: Bench) -> None:
    """As of when its first list was read: the next round has nothing to add, and no age goes back."""

    def slow(_asked: Any) -> None:
        bench.pace.time += 1

    bench.server.rules.append(slow)
    bench.read()
    at = bench.store.interfaces.access("").at
    assert START < at < bench.pace.time
    bench.changes.clear()
    again(bench)
    assert bench.store.interfaces.access("").at == at
    assert not [change for change in bench.changes if isinstance(change, Upserted) and change.kind == NICS]


def test_an_answer_whose_successor_failed_does_not_come_back_with_its_grounds(bench: Bench) -> None:
    """A node came, its scale set could not be read, and the node went: the others may have changed meanwhile."""
    bench.read()
    new = next(item for item in provider_ids() if "aks-apps-" in item).rpartition("/")[0] + "/77"
    bench.source.hints([*provider_ids(), new], host())
    bench.server.rules.append(lambda asked: error(500, "Oops") if "aks-apps-" in asked.path else None)
    assert of_scale_sets(again(bench))
    bench.server.rules.clear()
    bench.source.hints(provider_ids(), host())
    assert of_scale_sets(again(bench)) == ["aks-apps-27513406-vmss"]


def test_a_new_machine_that_is_in_no_scale_set_is_read(bench: Bench) -> None:
    """A node pool of single machines: their interfaces are in the list of the group, and nodes and pools name them."""
    machine = f"{NODES}/providers/microsoft.compute/virtualmachines/aks-single-1"
    bench.read()
    assert f"{NODES}/{INTERFACES}" not in again(bench)
    bench.source.hints([*provider_ids(), f"azure://{machine}"], host())
    assert f"{NODES}/{INTERFACES}" in again(bench)
    assert f"{NODES}/{INTERFACES}" not in again(bench)
    pool = bench.server.content.objects["loadBalancers"][0]["properties"]["backendAddressPools"][0]["properties"]
    interface = f"{NODES}/{INTERFACES}/aks-single-1-nic"
    pool.setdefault("backendIPConfigurations", []).append({"id": f"{interface}/ipConfigurations/one"})
    assert f"{NODES}/{INTERFACES}" in again(bench)


def test_a_change_of_the_way_out_asks_for_nat_gateways(bench: Bench) -> None:
    """The cluster's outbound type, and a subnet that names one, say that there may be another."""
    gateways = f"{NODES}/providers/microsoft.network/natgateways"
    bench.read()
    properties(bench, "managedClusters", "aks-contoso-prod")["networkProfile"]["outboundType"] = "managedNATGateway"
    assert gateways in again(bench)
    assert gateways not in again(bench)
    subnet = properties(bench, "virtualNetworks", "vnet-contoso-prod")["subnets"][0]["properties"]
    subnet["natGateway"] = {"id": f"{gateways}/new"}
    assert gateways in again(bench)
