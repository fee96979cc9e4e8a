"""Services of type LoadBalancer in the forms that the cloud provider has, each read from a capture in wire form."""

from pathlib import Path

import pytest

from aksnav.checks.sweep import sweep
from aksnav.trace.step import Kind, Outcome
from tests.azure.cluster_objects import SUBNETS, Objects, annotate, base, container_native, internal
from tests.azure.load_balancer_changes import (
    V6,
    allowed_ranges,
    allowed_tag,
    asks_internal,
    by_address,
    closed_subnet,
    denied_all_except,
    dual_stack,
    empty_pool,
    excluded,
    frontend_rules_only,
    local,
    no_rule_for_six,
    nobody_ready,
    open_node_port,
    probe_elsewhere,
    probed_path,
    ranges,
    second_balancer,
    shared_address,
    shared_probe,
    sick_managers,
    udp,
    without_floating,
    wrong_target,
)
from tests.azure.ways_in import FILTERED, LB, NODE, POD, Way, checked, read, road, walked
from tests.unit.trace_edge.cloud import PREFIX, PUBLIC, UID, group, rule

VNET = "10.224.9.9"
ILB = "https://10.224.0.200"
DROPPED = Outcome.DROPPED
PUBLIC_ROAD = ("start.internet", "az.publicip", *LB, *FILTERED, "az.route", *NODE)
PRIVATE_ROAD = ("start.vnet", "az.nsg", *LB, "az.route", *FILTERED, *NODE)
WAYS = [
    Way(name="public", steps=PUBLIC_ROAD, field="enableFloatingIP", value="true"),
    Way(name="floating-ip-off", bend=(without_floating, open_node_port), field="enableFloatingIP", value="false"),
    Way(name="floating-ip-off-rules-for-frontend", bend=(without_floating,), outcome=DROPPED, causes=("N01", "N09")),
    Way(name="internal", bend=(internal,), to=ILB, source=VNET, steps=PRIVATE_ROAD, field="frontendIPConfigurations"),
    Way(name="internal-denied", bend=(internal, closed_subnet), to=ILB, source=VNET, outcome=DROPPED, causes=("N16",)),
    Way(name="internal-asked-public-there", bend=(asks_internal,), causes=("L09",), field="load-balancer-internal"),
    Way(name="dual-stack", bend=(dual_stack,), to=f"https://[{V6}]", field="frontendIPConfigurations", value="-IPv6"),
    Way(
        name="dual-stack-without-a-rule",
        bend=(dual_stack, no_rule_for_six),
        to=f"https://[{V6}]",
        outcome=DROPPED,
        causes=("L08",),
    ),
    Way(name="shared-address", bend=(shared_address,), to=f"tcp://{PUBLIC}:8080", field="frontendPort", value="8080"),
    Way(name="ranges-hold-the-client", bend=(ranges,), source="internet:198.51.100.7", field="sourceAddressPrefix"),
    Way(name="ranges-do-not", bend=(ranges,), source="internet:203.0.113.9", outcome=DROPPED, causes=("N05",)),
    Way(name="allowed-ip-ranges", bend=(allowed_ranges,), source="internet:198.51.100.7"),
    Way(
        name="allowed-ip-ranges-do-not",
        bend=(allowed_ranges,),
        source="internet:203.0.113.9",
        outcome=DROPPED,
        causes=("N05",),
    ),
    Way(name="deny-all-except-ranges", bend=(denied_all_except,), to=ILB, source=VNET),
    Way(
        name="deny-all-except-ranges-for-another",
        bend=(denied_all_except,),
        to=ILB,
        source="10.224.8.8",
        outcome=DROPPED,
        causes=("N05",),
    ),
    Way(name="probe-path-by-port", bend=(probed_path,), field="requestPath", value="/ready"),
    Way(
        name="probe-of-another-port",
        bend=(probe_elsewhere,),
        outcome=DROPPED,
        causes=("L13",),
        field=".port",
        value="30999",
    ),
    Way(name="shared-probe", bend=(shared_probe,), field=".port", value="10356"),
    Way(name="shared-probe-without-an-answer", bend=(shared_probe, sick_managers), outcome=DROPPED, causes=("L17",)),
    Way(
        name="traffic-policy-local",
        bend=(local,),
        field=".port",
        value="32000",
        steps=(
            "start.internet",
            "az.publicip",
            *LB,
            *FILTERED,
            "az.route",
            "node.nodeport",
            "k8s.service.port",
            "k8s.endpoint",
            "nat.dnat",
            *POD,
        ),
    ),
    Way(
        name="traffic-policy-local-and-nobody-ready",
        bend=(local, nobody_ready),
        outcome=DROPPED,
        causes=("L15", "S02"),
        field="healthCheckNodePort",
        value="32000",
    ),
    Way(name="pool-by-address", bend=(by_address,), field="loadBalancerBackendAddresses", value="2 members"),
    Way(name="pool-is-empty", bend=(empty_pool,), outcome=DROPPED, causes=("L11",), field="backendAddressPools"),
    Way(name="node-excluded", bend=(excluded,), field="backendAddressPools", value="1 members"),
    Way(name="several-load-balancers", bend=(second_balancer,), field="loadBalancerBackendAddresses"),
    Way(
        name="container-native",
        bend=(container_native,),
        field=".sku.name",
        value="Service",
        steps=(
            "start.internet",
            "az.publicip",
            "az.lb.frontend",
            "az.lb.rule",
            "az.lb.backendpool",
            "az.route",
            "k8s.service.port",
            "k8s.endpoint",
            *FILTERED,
            *POD,
        ),
    ),
    Way(
        name="container-native-and-rules-for-the-frontend",
        bend=(container_native, frontend_rules_only),
        outcome=DROPPED,
        causes=("N11",),
        field=".access",
        value="Deny",
    ),
    Way(name="container-native-other-port", bend=(container_native, wrong_target), outcome=DROPPED, causes=("L09",)),
    Way(name="container-native-nobody-ready", bend=(container_native, nobody_ready), outcome=DROPPED, causes=("S02",)),
    Way(name="udp-without-a-probe", bend=(udp,), to=f"udp://{PUBLIC}:443", field=".probe", value="(none)"),
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_way_in_has_its_verdict_steps_and_deciding_field(tmp_path: Path, way: Way) -> None:
    """The capture says what becomes of the request, and which field decides."""
    checked(tmp_path, way)


def test_a_service_tag_that_is_not_computable_leaves_a_client_undecided(tmp_path: Path) -> None:
    """azure-allowed-service-tags: whether the tag holds a client is not made up."""
    found = walked(tmp_path, Way(name="tag", bend=(allowed_tag,), source="internet:203.0.113.9"))
    assert found.outcome in {Outcome.UNDECIDED, Outcome.DROPPED}
    assert any(
        "AzureFrontDoor.Backend" in f"{step.missing}{step.summary}{step.considered}" for step in road(found.steps)
    )


def test_a_node_that_is_excluded_by_its_label_says_so(tmp_path: Path) -> None:
    """L10 stands among what was considered, with the label."""
    found = walked(tmp_path, Way(name="excluded", bend=(excluded,)))
    pool = next(step for step in road(found.steps) if step.kind is Kind.LB_POOL)
    assert any("node-2" in item.rule and "exclude-from-external" in item.why for item in pool.considered)


def test_a_load_balancer_that_sends_to_pods_is_not_blamed_for_its_empty_pool(tmp_path: Path) -> None:
    """Neither L11, nor L10, nor L18: there is no pool of nodes and no probe by design."""
    made = base()
    container_native(made)
    assert not {item.id for item in sweep(read(tmp_path, made)) if item.id.startswith("L")}


def test_breaks_behind_a_blocked_probe_are_told(tmp_path: Path) -> None:
    """A group that denies the probe, and the client as well: mending one alone would not help."""

    def closed(made: Objects) -> None:
        deny = rule(
            name="no", priority=100, access="Deny", protocol="*", sourceAddressPrefix="*", destinationAddressPrefix="*",
            destinationPortRange="*",
        )  # fmt: skip
        made["subnet-nsg"] = group("subnet-nsg", deny)

    found = walked(tmp_path, Way(name="closed", bend=(closed,)))
    assert found.outcome is Outcome.DROPPED
    assert found.causes[0] == "N04"
    assert len(found.causes) > 1
    assert {step.kind for step in found.breaks} >= {Kind.LB_PROBE, Kind.NSG}


def test_an_address_of_a_global_load_balancer_is_named(tmp_path: Path) -> None:
    """azure-additional-public-ips: the address is the Service's, and who has it is not read."""

    def added(made: Objects) -> None:
        annotate(made, azure_additional_public_ips="20.99.0.1")

    found = walked(tmp_path, Way(name="additional", bend=(added,), to="https://20.99.0.1"))
    assert found.outcome is Outcome.UNDECIDED
    assert any("additional public address of Service shop/web" in step.summary for step in found.steps)


def test_the_names_in_this_capture_are_those_of_the_cloud_provider() -> None:
    """The join is the UID: the prefix of frontends and rules is made of it, and sku Service has it as its name."""
    assert UID.replace("-", "").startswith(PREFIX[1:])
    assert base()["vnet"]["properties"]["subnets"][0]["id"] == f"{SUBNETS}/nodes"
