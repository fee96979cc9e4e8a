"""Azure's objects that were cut, or are spelt otherwise: what they do not tell is no fact, and ids name what they name.

Each starts from the base of ``ways_in``, in which https://20.50.1.7 is delivered, and takes something of it away.
"""

from pathlib import Path
from typing import Any

import pytest

from aksnav.model.azure.network import RouteTable, VirtualNetwork
from aksnav.model.decode import decode_wire
from aksnav.model.kinds import KINDS
from aksnav.trace.step import Outcome
from tests.azure.cluster_objects import SUBNETS, Objects, internal
from tests.azure.cut_objects import ILB, Bend, first, parts, traced
from tests.azure.gateway_objects import FQDN, containers
from tests.unit.trace_edge.cloud import group, rule
from tests.unit.trace_edge.world import ARM

PARTS = ("frontendIPConfigurations", "loadBalancingRules", "probes", "backendAddressPools")
REFERENCES = ("frontendIPConfiguration", "backendAddressPool", "probe")
TABLE = f"{ARM}/routeTables/rt"


def routed(properties: dict[str, Any]) -> Bend:
    """Give the nodes' subnet a route table with these properties."""

    def bend(made: Objects) -> None:
        made["rt"] = {"kind": "routeTables", "id": TABLE, "name": "rt", "properties": properties}
        made["vnet"]["properties"]["subnets"][0]["properties"]["routeTable"] = {"id": TABLE}

    return bend


def nameless_parts(made: Objects) -> None:
    for part in PARTS:
        for item in parts(made, part):
            del item["id"]


def nameless_subnet(made: Objects) -> None:
    del made["vnet"]["properties"]["subnets"][0]["id"]


def slashes(made: Objects) -> None:
    for name in REFERENCES:
        first(made)[name]["id"] += "/"
    made["vnet"]["properties"]["subnets"][0]["properties"]["networkSecurityGroup"]["id"] += "/"
    for name in ("nic-1", "nic-2"):
        made[name]["properties"]["ipConfigurations"][0]["properties"]["subnet"]["id"] += "//"


def shouted(made: Objects) -> None:
    for name in REFERENCES:
        first(made)[name]["id"] = first(made)[name]["id"].upper()
    for item in parts(made, "backendAddressPools")[0]["properties"]["backendIPConfigurations"]:
        item["id"] = item["id"].upper()
    made["pip"]["id"] = made["pip"]["id"].upper()


@pytest.mark.parametrize("bend", [nameless_parts, nameless_subnet, slashes, shouted])
def test_ids_that_are_spelt_otherwise_or_left_out_name_the_same_things(tmp_path: Path, bend: Bend) -> None:
    """ARM compares ids without letter case, and a part's id is its owner's, the collection's and its own name."""
    assert traced(tmp_path, bend).outcome is Outcome.DELIVERED


def test_a_part_without_id_and_name_is_nobodys(tmp_path: Path) -> None:
    """A frontend that nothing can name takes no rule that names none."""

    def bend(made: Objects) -> None:
        nameless_parts(made)
        del parts(made, "frontendIPConfigurations")[0]["name"]
        del first(made)["frontendIPConfiguration"]

    found = traced(tmp_path, bend)
    assert found.outcome is Outcome.UNDECIDED
    assert not found.causes


def without(part: str) -> Bend:
    """Take a list of the load balancer away."""
    return lambda made: made["lb"]["properties"].pop(part)


def null(part: str) -> Bend:
    """Put null in the place of a list of the load balancer."""
    return lambda made: made["lb"]["properties"].update({part: None})


def unnamed_pool(made: Objects) -> None:
    del first(made)["backendAddressPool"]


def other_pool(made: Objects) -> None:
    first(made)["backendAddressPool"]["id"] += "-2"


def no_frontend_in_rule(made: Objects) -> None:
    del first(made)["frontendIPConfiguration"]


def cut(part: str, field: str) -> Bend:
    """Take a field out of the first of the load balancer's parts; an empty one: all of its properties."""

    def bend(made: Objects) -> None:
        item = parts(made, part)[0]
        if field:
            del item["properties"][field]
        else:
            del item["properties"]

    return bend


def every_port(made: Objects) -> None:
    """Make the rule one for every protocol, which does not say its port."""
    first(made).update(protocol="All", backendPort=0)
    del first(made)["frontendPort"]


def strangers(made: Objects) -> None:
    machine = "/subscriptions/s/resourceGroups/mc/providers/Microsoft.Compute/virtualMachineScaleSets/x"
    ident = f"{machine}/virtualMachines/9/networkInterfaces/nic/ipConfigurations/ipconfig1"
    parts(made, "backendAddressPools")[0]["properties"] = {"backendIPConfigurations": [{"id": ident}]}


@pytest.mark.parametrize(
    ("bend", "missing"),
    [
        (without("frontendIPConfigurations"), "az.lb.frontend: .frontendIPConfigurations of load balancer kubernetes"),
        (null("frontendIPConfigurations"), "az.lb.frontend: .frontendIPConfigurations of load balancer kubernetes"),
        (without("loadBalancingRules"), "az.lb.rule: .loadBalancingRules of load balancer kubernetes"),
        (null("loadBalancingRules"), "az.lb.rule: .loadBalancingRules of load balancer kubernetes"),
        (no_frontend_in_rule, "az.lb.rule: .frontendIPConfiguration of rule "),
        (without("backendAddressPools"), "az.lb.backendpool: backend pool kubernetes of rule "),
        (null("backendAddressPools"), "az.lb.backendpool: backend pool kubernetes of rule "),
        (other_pool, "az.lb.backendpool: backend pool kubernetes-2 of rule "),
        (unnamed_pool, "az.lb.backendpool: backend pool (not said) of rule "),
        (strangers, "az.lb.backendpool: its members are not nodes that are known"),
        (cut("frontendIPConfigurations", "publicIPAddress"), "az.lb.frontend: .publicIPAddress of frontend a1111"),
        (cut("frontendIPConfigurations", ""), "az.lb.frontend: .publicIPAddress of frontend a1111"),
        (cut("loadBalancingRules", "frontendPort"), "az.lb.rule: .frontendPort of rule a1111"),
        (cut("loadBalancingRules", "protocol"), "az.lb.rule: .protocol of rule a1111"),
        (every_port, "az.lb.rule: .frontendPort of rule a1111"),
        (cut("probes", "port"), "az.lb.probe: .port of probe a1111"),
        (cut("probes", ""), "az.lb.probe: .port of probe a1111"),
        (routed({}), "az.route: .routes of route table rt"),
        (routed({"routes": None}), "az.route: .routes of route table rt"),
    ],
)
def test_what_a_road_needs_and_an_object_does_not_tell_leaves_it_undecided(
    tmp_path: Path, bend: Bend, missing: str
) -> None:
    """A list that ARM always sends, and a reference to nothing that is read: no drop, no pass, but by name."""
    found = traced(tmp_path, bend)
    assert (found.outcome, found.causes) == (Outcome.UNDECIDED, ())
    assert any(line.startswith(missing) for line in found.confidence.because), found.confidence.because


def local(made: Objects) -> None:
    """Keep connections to their node: without a probe, nodes without an endpoint get their share (S07)."""
    made["service"]["spec"]["externalTrafficPolicy"] = "Local"


@pytest.mark.parametrize("bends", [(), (local,)])
def test_a_rule_that_tells_of_no_probe_is_taken_to_have_none(tmp_path: Path, bends: tuple[Bend, ...]) -> None:
    """ARM leaves the field out where there is none; so does whoever cuts it out."""
    found = traced(tmp_path, *bends, cut("loadBalancingRules", "probe"))
    assert found.outcome is (Outcome.SPLIT if bends else Outcome.DELIVERED)
    assert found.causes == (("S07",) if bends else ())
    assert any(line.endswith("has no probe: it tells of none") for line in found.confidence.because)


def test_a_private_frontend_that_does_not_tell_its_address_may_have_the_one_that_is_asked_for(tmp_path: Path) -> None:
    """It stands in a subnet, so it is a private address that is missing."""

    def bend(made: Objects) -> None:
        internal(made)
        own = parts(made, "frontendIPConfigurations")[0]["properties"]
        del own["privateIPAddress"]
        own["subnet"] = {"id": f"{SUBNETS}/nodes"}

    found = traced(tmp_path, bend, to=ILB, source="10.224.0.99")
    assert (found.outcome, found.causes) == (Outcome.UNDECIDED, ())
    assert any(".privateIPAddress of frontend a1111" in line for line in found.confidence.because)


def test_a_table_that_tells_of_no_routes_has_none(tmp_path: Path) -> None:
    """An empty list is a fact: Azure sends it."""
    assert traced(tmp_path, routed({"routes": []})).outcome is Outcome.DELIVERED


def test_a_pool_that_tells_of_no_list_of_members_is_taken_to_be_empty(tmp_path: Path) -> None:
    """ARM leaves both lists out where nobody is in the pool; so does whoever cuts them out."""
    silent = traced(tmp_path, lambda made: parts(made, "backendAddressPools")[0].update(properties={}))
    assert (silent.outcome, silent.causes) == (Outcome.DROPPED, ("L11",))
    assert silent.confidence.because == ("backend pool kubernetes has no members: it tells of none",)


def test_a_pool_that_tells_of_nobody_is_empty(tmp_path: Path) -> None:
    """An empty list is proof."""
    told: dict[str, list[str]] = {"backendIPConfigurations": []}
    found = traced(tmp_path, lambda made: parts(made, "backendAddressPools")[0].update(properties=told))
    assert (found.causes, found.confidence.because) == (("L11",), ())


def test_a_rule_that_does_not_say_whether_it_keeps_the_address_does_what_its_service_asks(tmp_path: Path) -> None:
    """It is no drift: neither of the two is claimed."""
    found = traced(tmp_path, lambda made: first(made).pop("enableFloatingIP"))
    assert found.outcome is Outcome.DELIVERED
    assert any("its enableFloatingIP is not said" in line for line in found.confidence.because)


def test_what_was_not_told_is_still_not_told_when_it_is_read_from_a_capture_again() -> None:
    """A capture writes every field of an object; what was missing stays known as missing."""
    cut = table({"id": TABLE, "name": "rt", "properties": {}})
    again = table({"id": TABLE, "name": "rt", "routes": [], "untold": list(cut.untold)})
    assert (cut.untold, again.untold) == (("routes",), ("routes",))
    assert table({"id": TABLE, "properties": {"routes": []}}).untold == ()


def table(wire: dict[str, Any]) -> RouteTable:
    """Return a route table in wire form, decoded."""
    found = decode_wire(KINDS["routeTables"], wire)
    assert isinstance(found, RouteTable)
    return found


def test_a_part_gets_the_id_that_arm_gives_it() -> None:
    """OWNER/COLLECTION/NAME, at every level; one that has an id keeps it."""
    wire = {
        "id": "/n",
        "properties": {"subnets": [{"name": "a", "properties": {}}, {"id": f"{SUBNETS}/B", "name": "b"}]},
    }
    found = decode_wire(KINDS["virtualNetworks"], wire)
    assert isinstance(found, VirtualNetwork)
    assert [item.id for item in found.subnets] == ["/n/subnets/a", f"{SUBNETS}/b".lower()]


def test_the_tag_virtual_network_is_not_known_where_a_route_table_does_not_tell_its_routes(tmp_path: Path) -> None:
    """A user-defined route may widen the tag, so a rule with it is open for an address that it would not hold."""

    def bend(made: Objects) -> None:
        internal(made)
        routed({})(made)
        made["subnet-nsg"] = group(
            "subnet-nsg", rule(name="inside", sourceAddressPrefix="VirtualNetwork", destinationAddressPrefix="*")
        )

    found = traced(tmp_path, bend, to=ILB, source="192.168.7.7")
    assert found.outcome is Outcome.UNDECIDED
    assert any("the route table rt is not read" in line for line in found.confidence.because)


@pytest.mark.parametrize("state", ["Failed", "Updating"])
@pytest.mark.parametrize("name", ["lb", "pip", "subnet-nsg", "aks-nsg"])
def test_an_object_whose_last_change_is_not_carried_out_is_assumed_to_work_as_it_reads(
    tmp_path: Path, name: str, state: str
) -> None:
    """ARM shows what was asked for; whether the network does it is not said."""
    found = traced(tmp_path, lambda made: made[name]["properties"].update(provisioningState=state))
    assert found.outcome is Outcome.DELIVERED
    told = [line for line in found.confidence.because if line.endswith(f"its provisioningState is {state}")]
    assert len(told) == 1, found.confidence.because


def test_the_same_holds_for_a_subnet_and_for_a_drop(tmp_path: Path) -> None:
    """A part of a network has a state of its own; a group that denies may not do so yet."""

    def bend(made: Objects) -> None:
        made["subnet-nsg"] = group("subnet-nsg")
        made["subnet-nsg"]["properties"]["provisioningState"] = "Updating"
        made["vnet"]["properties"]["subnets"][0]["properties"]["provisioningState"] = "Failed"

    found = traced(tmp_path, bend)
    assert (found.outcome, found.causes) == (Outcome.DROPPED, ("N01",))
    assert [line.partition(" works")[0] for line in found.confidence.because if "provisioningState" in line] == [
        "networkSecurityGroups subnet-nsg",
        "subnets nodes of vnet",
    ]


def test_a_state_of_succeeded_is_no_assumption(tmp_path: Path) -> None:
    """In any letter case."""
    found = traced(tmp_path, lambda made: made["lb"]["properties"].update(provisioningState="succeeded"))
    assert not any("provisioningState" in line for line in found.confidence.because)


@pytest.mark.parametrize("field", ["addressPrefix", "delegations"])
def test_what_the_subnet_of_an_association_does_not_say_is_no_fault_of_it(tmp_path: Path, field: str) -> None:
    """Neither its size nor its delegation is claimed to be wrong."""

    def bend(made: Objects) -> None:
        containers(made)
        own = next(item for item in made["vnet"]["properties"]["subnets"] if item["name"] == "alb")
        del own["properties"][field]

    found = traced(tmp_path, bend, to=f"http://{FQDN}/")
    assert not {"G02", "G03"} & set(found.causes)
    assert any(f"{field} of subnet alb" in step.missing for step in found.steps)


def test_an_unknown_rule_on_the_probes_way_is_an_assumption(tmp_path: Path) -> None:
    """It may keep the probe from the nodes, though it says nothing of the client."""

    def bend(made: Objects) -> None:
        odd = rule(name="odd", priority=300, access="Deny", sourceAddressPrefix="NoSuchTag", protocol="*")
        odd["properties"].update(destinationPortRange="31443", destinationAddressPrefix="10.224.0.0/16")
        made["subnet-nsg"]["properties"]["securityRules"].append(odd)

    found = traced(tmp_path, bend)
    assert found.outcome is Outcome.DELIVERED
    assert any(line.startswith("the probe reaches port 31443 of node node-1") for line in found.confidence.because)


@pytest.mark.parametrize("spelt", ["FD12::200", "fd12:0:0::200", "fd12:0:0:0:0:0:0:200"])
def test_an_address_of_ipv6_is_found_however_it_is_spelt(tmp_path: Path, spelt: str) -> None:
    """Azure and Kubernetes need not write the same text for one address (RFC 5952)."""

    def bend(made: Objects) -> None:
        internal(made)
        parts(made, "frontendIPConfigurations")[0]["properties"]["privateIPAddress"] = spelt
        made["service"]["status"]["loadBalancer"]["ingress"][0]["ip"] = "fd12::200"
        made["vnet"]["properties"]["addressSpace"]["addressPrefixes"].append("fd12::/48")

    found = traced(tmp_path, bend, to="https://[fd12::200]", source="fd12::99")
    assert "L26" not in found.causes
    assert any(step.kind.value == "az.lb.rule" for step in found.steps)


def test_a_member_of_a_pool_that_is_no_node_is_assumed_to_answer_no_probe(tmp_path: Path) -> None:
    """A machine that left the cluster may still be in the pool."""

    def bend(made: Objects) -> None:
        members = parts(made, "backendAddressPools")[0]["properties"]["backendIPConfigurations"]
        members[1]["id"] = members[1]["id"].replace("node-2", "gone")

    found = traced(tmp_path, bend)
    assert found.outcome is Outcome.DELIVERED
    assert any(line.startswith("1 member of backend pool kubernetes") for line in found.confidence.because)


def test_a_rule_for_the_other_family_says_nothing_of_a_client(tmp_path: Path) -> None:
    """``::/0`` holds no client of IPv4, so nothing is assumed of it."""

    def bend(made: Objects) -> None:
        six = rule(name="six", priority=150, access="Deny", sourceAddressPrefix="::/0", protocol="*")
        six["properties"]["destinationAddressPrefix"] = "*"
        made["subnet-nsg"]["properties"]["securityRules"].append(six)

    found = traced(tmp_path, bend)
    assert found.outcome is Outcome.DELIVERED
    assert not any("::/0" in line for line in found.confidence.because)


@pytest.mark.parametrize(("told", "assumed"), [({}, True), ({"publicIpAddresses": []}, False)])
def test_a_nat_gateway_that_tells_of_no_list_of_addresses_is_taken_to_have_none(
    tmp_path: Path, told: dict[str, list[str]], assumed: bool
) -> None:
    """ARM leaves both lists out where there is no address; so does whoever cuts them out."""

    def bend(made: Objects) -> None:
        ident = f"{ARM}/natGateways/out"
        made["out"] = {"kind": "natGateways", "id": ident, "name": "out", "properties": told}
        made["vnet"]["properties"]["subnets"][0]["properties"]["natGateway"] = {"id": ident}

    found = traced(tmp_path, bend, to="https://1.1.1.1", source="pod/shop/web-1")
    assert (found.outcome, found.causes) == (Outcome.DROPPED, ("R14",))
    assert ("NAT gateway out has no public address: it tells of none" in found.confidence.because) is assumed
