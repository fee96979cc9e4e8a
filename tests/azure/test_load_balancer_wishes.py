"""What a Service of type LoadBalancer asks for and does not get: beside the road, as a finding, of a pending one."""

from pathlib import Path
from typing import Any

import pytest

from aksnav.checks.sweep import sweep
from aksnav.trace import parse_request, trace
from aksnav.trace.step import Outcome
from tests.azure.cluster_objects import ANNOTATION, Objects, annotate, base
from tests.azure.load_balancer_changes import first_rule, lb, probed_path, second_balancer, spec
from tests.azure.ways_in import Way, checked, read, road, walked
from tests.unit.trace_edge.cloud import group

FAULTS: list[tuple[str, Any, dict[str, Any]]] = [
    ("N06", {"azure_allowed_ip_ranges": "198.51.100.0/24"}, {"loadBalancerSourceRanges": ["198.51.100.0/24"]}),
    ("N07", {"azure_allowed_service_tags": "AzureCloud"}, {"loadBalancerSourceRanges": ["0.0.0.0/0"]}),
    ("N08", {"azure_allowed_ip_ranges": "10.0.0.1/8"}, {}),
    ("N08", {}, {"loadBalancerSourceRanges": ["198.51.100.7"]}),
    ("L07", {"azure_load_balancer_tcp_idle_timeout": "3"}, {}),
    ("L07", {"azure_load_balancer_tcp_idle_timeout": "101"}, {}),
    ("L07", {"azure_load_balancer_health_probe_interval": "4"}, {}),
    ("L07", {"port_443_health-probe_num-of-probe": "1"}, {}),
    ("L07", {"port_443_health-probe_interval": "60"}, {}),
    ("L04", {"azure_load_balancer_internal": "true", "azure_load_balancer_internal_subnet": "gone"}, {}),
    (
        "L04",
        {
            "azure_load_balancer_internal": "true",
            "azure_load_balancer_internal_subnet": "nodes",
            "azure_load_balancer_ipv4": "10.99.0.1",
        },
        {},
    ),
    ("L02", {"azure_pip_name": "gone"}, {}),
    ("L02", {}, {"loadBalancerIP": "20.50.9.9"}),
    ("L02", {"azure_pip_name-ipv6": "gone"}, {}),
    ("L02", {"azure_pip_name": "pip", "azure_load_balancer_resource_group": "elsewhere"}, {}),
    ("L24", {"azure_load_balancer_configurations": "team-z"}, {}),
]


def considered(tmp_path: Path, *bend: Any) -> dict[str, str]:
    """Return what was considered on the road to the public address, by rule."""
    found = walked(tmp_path, Way(name="considered", bend=bend))
    return {item.rule: item.why for step in road(found.steps) for item in step.considered}


def test_a_probe_that_is_not_what_the_annotations_ask_for_is_told(tmp_path: Path) -> None:
    """L13: path, interval and threshold of the port's own annotations go before those of the Service."""

    def asked(made: Objects) -> None:
        probed_path(made)
        annotate(
            made,
            **{
                "port_443_health-probe_request-path": "/live",
                "port_443_health-probe_interval": "20",
                "azure-load-balancer-health-probe-interval": "5",
            },
        )
        lb(made, "probes")[0]["properties"].update(intervalInSeconds=5, probeThreshold=2)

    told = considered(tmp_path, asked)
    assert "port_443_health-probe_request-path asks for /live" in told["requestPath"]
    assert "asks for 20, and the probe has 5" in told["intervalInSeconds"]
    assert "probeThreshold" not in told


def test_an_idle_timeout_that_is_not_carried_out_is_told(tmp_path: Path) -> None:
    """L09 for a wish that the rule does not have, L20 for short ones without a reset."""

    def asked(made: Objects) -> None:
        annotate(made, azure_load_balancer_tcp_idle_timeout="30")
        first_rule(made).update(idleTimeoutInMinutes=4, enableTcpReset=False)

    told = considered(tmp_path, asked)
    assert "asks for 30 minutes" in told["L09"]
    assert "4 minutes" in told["L20"]


def test_a_load_balancer_that_was_not_chosen_is_told(tmp_path: Path) -> None:
    """L24: the Service is on another load balancer than its annotation names."""

    def asked(made: Objects) -> None:
        second_balancer(made)
        annotate(made, azure_load_balancer_configurations="team-b,kubernetes")
        made["lb-2"] = {**made["lb"], "id": made["lb"]["id"] + "-b", "name": "team-b", "properties": {}}

    assert "names kubernetes, team-b" in considered(tmp_path, asked)["L24"]


@pytest.mark.parametrize(("cause", "annotations", "fields"), FAULTS)
def test_what_a_service_asks_for_and_does_not_get_is_a_finding_and_the_reason_of_a_pending_one(
    tmp_path: Path, cause: str, annotations: dict[str, str], fields: dict[str, Any]
) -> None:
    """The fault follows from the Service and the objects around it, without an event (N07 and N08 do not block)."""
    made = base()
    annotate(made, **annotations)
    spec(made, **fields)
    (tmp_path / "a").mkdir()
    assert cause in {item.id for item in sweep(read(tmp_path / "a", made))}
    made["service"]["status"] = {}
    (tmp_path / "b").mkdir()
    way = Way(name="pending", to="svc/shop/web:443")
    store = read(tmp_path / "b", made)
    found = trace(store, parse_request(way.to, source="internet"))
    assert found.outcome is Outcome.REFUSED
    assert found.causes == ((cause,) if cause not in {"N07", "N08"} else ())
    assert found.steps[-1].evidence[-1].value


def test_the_base_has_none_of_these_findings(tmp_path: Path) -> None:
    """A Service that gets what it asks for is silent."""
    ids = {item.id for item in sweep(read(tmp_path, base()))}
    assert not {item for item in ids if item[0] in "LNVA"}


def test_a_service_that_wants_no_rules_says_so_where_one_is_missing(tmp_path: Path) -> None:
    """azure-disable-load-balancer-nsg-rule: touching the Service would not help."""

    def owned(made: Objects) -> None:
        annotate(made, azure_disable_load_balancer_nsg_rule="true")
        made["aks-nsg"] = group("aks-nsg")

    way = Way(name="owned", bend=(owned,), outcome=Outcome.DROPPED, causes=("N09",), field="nsg-rule", value="true")
    found = checked(tmp_path, way)
    assert "asks that none is written" in found.breaks[0].fix


def test_a_pending_service_names_a_clash_a_full_balancer_and_a_cluster_that_failed(tmp_path: Path) -> None:
    """L19, L23, L21 and K05 need other objects than the Service."""

    def cause_of(name: str, change: Any) -> tuple[str, ...]:
        made = base()
        made["service"]["status"] = {}
        change(made)
        folder = tmp_path / name
        folder.mkdir()
        return trace(read(folder, made), parse_request("svc/shop/web:443", source="internet")).causes

    def clash(made: Objects) -> None:
        annotate(made, azure_pip_name="pip")
        made["pip"]["properties"].pop("ipConfiguration")
        made["service"]["metadata"]["creationTimestamp"] = "2024-01-01T00:00:00Z"
        made["other"] = {
            **made["service"],
            "metadata": {
                "name": "a-first", "namespace": "shop", "uid": "7", "creationTimestamp": "2020-01-01T00:00:00Z",
                "annotations": {f"{ANNOTATION}azure-pip-name": "pip"},
            },
        }  # fmt: skip

    def full(made: Objects) -> None:
        listed = lb(made, "loadBalancingRules")
        made["lb"]["properties"]["loadBalancingRules"] = [
            {**listed[0], "id": f"{listed[0]['id']}-{number}", "name": f"r{number}"} for number in range(250)
        ]

    def basic(made: Objects) -> None:
        made["cluster"]["properties"]["networkProfile"]["loadBalancerSku"] = "basic"

    def failed(made: Objects) -> None:
        made["cluster"]["properties"]["provisioningState"] = "Failed"

    assert cause_of("clash", clash) == ("L19",)
    assert cause_of("full", full) == ("L23",)
    assert cause_of("basic", basic) == ("L21",)
    assert cause_of("failed", failed) == ("K05",)
    assert cause_of("nothing", lambda _made: None) == ()
