"""Who else has addresses in the cluster's network: read within a budget, and never a reason to be blind."""

from typing import Any

from aksnav.model.change import Reading
from aksnav.sources.azure.doctor import check_azure
from aksnav.sources.azure.interfaces import INTERFACES_READ, SCALE_SET_INTERFACES
from aksnav.sources.azure.kept import LONGEST
from aksnav.sources.azure.neighbours import MOST_LISTS, MOST_OF_A_LIST
from aksnav.sources.demo.world import SUBSCRIPTION
from aksnav.sources.options import Options
from aksnav.trace.addressing.find import parse_asked, who_holds
from tests.azure.arm_server import error
from tests.azure.conftest import Bench, host, provider_ids
from tests.azure.test_azure_kept import again

GROUPS = f"/subscriptions/{SUBSCRIPTION}/resourceGroups"
SUBNET = f"{GROUPS}/rg-contoso-prod/providers/Microsoft.Network/virtualNetworks/vnet-contoso-prod/subnets"
ALONE = "Microsoft.Network/networkInterfaces/jump-nic"
IN_SET = "Microsoft.Compute/virtualMachineScaleSets/aks-other-vmss/virtualMachines/0/networkInterfaces/aks-other-vmss"


def add(bench: Bench, path: str, address: str, *, group: str = "rg-contoso-jump") -> dict[str, Any]:
    """Put an interface of somebody else into the first subnet of the cluster's network."""
    networks = bench.server.content.objects["virtualNetworks"]
    network = next(item for item in networks if item["name"] == "vnet-contoso-prod")
    subnet = network["properties"]["subnets"][0]
    ident = f"{GROUPS}/{group}/providers/{path}"
    configuration = {
        "id": f"{ident}/ipConfigurations/one",
        "name": "one",
        "properties": {"privateIPAddress": address, "primary": True, "subnet": {"id": subnet["id"]}},
    }
    wire = {"id": ident, "name": ident.rpartition("/")[2], "properties": {"ipConfigurations": [configuration]}}
    bench.server.content.objects["networkInterfaces"].append(wire)
    subnet["properties"].setdefault("ipConfigurations", []).append({"id": configuration["id"]})
    return wire


def first_address(bench: Bench, last: int) -> str:
    """Return an address of the first subnet."""
    networks = bench.server.content.objects["virtualNetworks"]
    network = next(item for item in networks if item["name"] == "vnet-contoso-prod")
    prefix: str = network["properties"]["subnets"][0]["properties"]["addressPrefix"]
    return ".".join([*prefix.partition("/")[0].split(".")[:3], str(last)])


def asked_for(bench: Bench, group: str = "rg-contoso-jump") -> list[str]:
    """Return what was asked for in a group."""
    return [path for path in bench.server.paths() if f"/{group}/" in path]


def test_a_machine_of_another_group_is_found_by_its_address(bench: Bench) -> None:
    """Its subnet names its interface; one list of its group tells the address."""
    address = first_address(bench, 77)
    wire = add(bench, ALONE, address)
    bench.read()
    assert wire["id"].lower() in bench.store.interfaces
    found = who_holds(bench.store, parse_asked(address))
    assert [holder.name for holder in found.holders] == ["jump-nic"]
    assert len(asked_for(bench)) == 1


def test_interfaces_of_a_group_that_are_in_other_networks_are_not_taken(bench: Bench) -> None:
    """Their addresses may be those of somebody here."""
    add(bench, ALONE, first_address(bench, 77))
    elsewhere = f"{GROUPS}/rg-contoso-jump/providers/Microsoft.Network/networkInterfaces/elsewhere"
    bench.server.content.objects["networkInterfaces"].append({"id": elsewhere, "name": "elsewhere", "properties": {}})
    bench.read()
    assert elsewhere.lower() not in bench.store.interfaces


def test_the_nodes_of_another_cluster_are_read_from_their_scale_set(bench: Bench) -> None:
    """No list of their group has them."""
    wire = add(bench, IN_SET, first_address(bench, 78), group="mc_other")
    bench.read()
    assert wire["id"].lower() in bench.store.interfaces
    assert [path.rpartition("/providers/")[2] for path in asked_for(bench, "mc_other")] == [
        "microsoft.compute/virtualmachinescalesets/aks-other-vmss/networkinterfaces"
    ]


def test_a_refusal_is_a_note_and_is_not_asked_for_again_every_minute(bench: Bench) -> None:
    """Who else is in the network decides no request: the interfaces of the nodes stay readable."""
    add(bench, ALONE, first_address(bench, 77))
    bench.server.rules.append(
        lambda asked: error(403, "AuthorizationFailed") if "/rg-contoso-jump/" in asked.path else None
    )
    bench.read()
    assert bench.store.interfaces.access("").reading is Reading.LIVE
    assert "rg-contoso-jump" in bench.store.sources["azure"].facts["notRead"]
    again(bench)
    assert len(asked_for(bench)) == 1
    assert "rg-contoso-jump" in bench.store.sources["azure"].facts["notRead"]


def test_a_list_that_failed_is_asked_for_again(bench: Bench) -> None:
    """A server error is no refusal: what was known of them is not read now, and comes back with the next round."""
    wire = add(bench, ALONE, first_address(bench, 42))
    bench.read()
    bench.server.rules.append(lambda asked: error(500, "Oops") if "/rg-contoso-jump/" in asked.path else None)
    again(bench, LONGEST)
    assert bench.store.interfaces.access("").reading is Reading.LIVE
    assert "(500 Oops)" in bench.store.sources["azure"].facts["notRead"]
    found = who_holds(bench.store, parse_asked(first_address(bench, 42)))
    assert (found.holders, ["is not read" in line for line in found.maybe]) == ((), [True])
    bench.server.rules.clear()
    assert [path for path in again(bench) if "jump" in path]
    assert wire["id"].lower() in bench.store.interfaces
    assert "notRead" not in bench.store.sources["azure"].facts


def test_the_doctor_asks_for_no_role_in_groups_of_others(bench: Bench) -> None:
    """What is refused there is named, and is not missing."""
    add(bench, ALONE, first_address(bench, 77))
    add(bench, IN_SET, first_address(bench, 78), group="mc_other")
    refused = ("/rg-contoso-jump/", "/mc_other/")
    bench.server.rules.append(
        lambda asked: error(403, "AuthorizationFailed") if any(part in asked.path for part in refused) else None
    )
    found = check_azure(
        Options(kubeconfig="/nonexistent"), provider_ids(), host(), connection=bench.connection(), pace=bench.pace
    )
    assert found.ok
    assert found.role == ""
    named = [check for check in found.checks if "who else has addresses" in check.reason]
    assert [check.optional for check in named] == [True, True]
    assert {check.missing for check in named} == {INTERFACES_READ, SCALE_SET_INTERFACES}


def test_they_are_kept_until_the_subnet_names_others(bench: Bench) -> None:
    """A second machine is read with its list; one that leaves the subnet goes."""
    gone = add(bench, ALONE, first_address(bench, 77))
    bench.read()
    assert not [path for path in again(bench) if "jump" in path]
    new = add(bench, f"{ALONE}-2", first_address(bench, 79))
    assert len([path for path in again(bench) if "jump" in path]) == 1
    assert {gone["id"].lower(), new["id"].lower()} <= set(bench.store.interfaces.ids())
    networks = bench.server.content.objects["virtualNetworks"]
    listed = next(item for item in networks if item["name"] == "vnet-contoso-prod")["properties"]["subnets"][0][
        "properties"
    ]
    listed["ipConfigurations"] = [
        item for item in listed["ipConfigurations"] if not item["id"].startswith(f"{gone['id']}/")
    ]
    again(bench)
    assert gone["id"].lower() not in bench.store.interfaces
    assert new["id"].lower() in bench.store.interfaces


def test_the_budget_is_kept_and_what_is_left_out_is_said(bench: Bench) -> None:
    """A network with many groups costs ten lists; the rest is a note."""
    for index in range(MOST_LISTS + 2):
        add(bench, ALONE, first_address(bench, 100 + index), group=f"rg-team-{index:02}")
    bench.read()
    assert len([path for path in bench.server.paths() if "/rg-team-" in path]) == MOST_LISTS
    notes = bench.store.sources["azure"].facts["notRead"]
    assert "rg-team-10" in notes
    assert "rg-team-11" in notes
    assert bench.store.interfaces.access("").reading is Reading.LIVE


def test_a_group_with_very_many_is_not_listed(bench: Bench) -> None:
    """A list of thousands is many pages for what decides nothing."""
    for index in range(MOST_OF_A_LIST + 1):
        add(bench, f"{ALONE}-{index}", "")
    bench.read()
    assert asked_for(bench) == []
    assert f"{MOST_OF_A_LIST + 1} interfaces" in bench.store.sources["azure"].facts["notRead"]


def test_an_interface_that_cannot_be_decoded_is_set_aside(bench: Bench) -> None:
    """The others of its list are read."""
    odd = add(bench, ALONE, first_address(bench, 77))
    good = add(bench, f"{ALONE}-2", first_address(bench, 78))
    odd["properties"]["ipConfigurations"] = 7
    bench.read()
    assert good["id"].lower() in bench.store.interfaces
    assert odd["id"].lower() in bench.store.interfaces.undecodable
