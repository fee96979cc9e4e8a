"""Ways in through an Application Gateway, from captures in wire form."""

import json
from pathlib import Path
from typing import Any

import pytest

from aksnav.checks.sweep import sweep
from aksnav.sources.capture import open_capture
from aksnav.store import Store
from aksnav.trace import parse_request, trace
from aksnav.trace.step import Outcome, Verdict
from tests.azure.app_gateway_changes import (
    closed_listener,
    closed_pods,
    empty_pool,
    half_stale,
    kubenet,
    other_host,
    other_network,
    part,
    policy_with_the_gateway,
    policy_without_the_gateway,
    private_frontend,
    redirected,
    rule_for_the_frontend,
    rule_for_the_subnet,
    sent_to_an_appliance,
    shared_port,
    sick,
    stale_pool,
    stopped,
    unmanaged,
    unread_gateway,
    unready,
    wildcard,
)
from tests.azure.cluster_objects import Objects, base
from tests.azure.gateway_objects import GATEWAY, app_gateway
from tests.azure.ways_in import FILTERED, POD, Way, apply, checked, read, walked, written
from tests.unit.azure_egress.way_out import default_access

API = "http://shop.example/api"
APPGW = ("az.appgw.listener", "az.appgw.rule", "az.appgw.backend")
BEHIND = ("k8s.service.port", "az.nsg", *FILTERED, *POD)
RESPONDS, DROPPED, UNDECIDED = Outcome.RESPONDS, Outcome.DROPPED, Outcome.UNDECIDED
BAD: dict[str, Any] = {"to": API, "outcome": RESPONDS, "status": 502}
WAYS = [
    Way(name="rule-for-the-subnet", bend=(app_gateway, rule_for_the_subnet), to=API),
    Way(
        name="rule-for-the-frontend",
        bend=(app_gateway, rule_for_the_frontend),
        to=API,
        outcome=DROPPED,
        causes=("N14",),
    ),
    Way(name="shared-port-rule-for-the-frontend", bend=(app_gateway, shared_port, rule_for_the_frontend), to=API),
    Way(
        name="shared-port-rule-for-the-subnet",
        bend=(app_gateway, shared_port, rule_for_the_subnet),
        to=API,
        outcome=DROPPED,
        causes=("N14",),
    ),
    Way(
        name="from-a-pod",
        bend=(app_gateway, default_access(True)),
        to=API,
        source="pod/shop/web-1",
        field=".defaultOutboundAccess",
    ),
    Way(
        name="from-a-pod-that-nothing-lets-out",
        bend=(app_gateway, default_access(False)),
        to=API,
        source="pod/shop/web-1",
        outcome=DROPPED,
        causes=("R14",),
        field=".defaultOutboundAccess",
    ),
    Way(
        name="through-agic",
        bend=(app_gateway,),
        to=API,
        field=".backendAddresses",
        value="10.244.0.5",
        steps=("start.internet", "dns.resolve", "az.publicip", "az.nsg", *APPGW, *BEHIND),
    ),
    Way(
        name="default-of-the-path-map",
        bend=(app_gateway,),
        to="http://shop.example/else",
        field="defaultBackendAddressPool",
    ),
    Way(name="a-wildcard-host", bend=(app_gateway, wildcard), to=API, field=".hostNames", value="*.example"),
    Way(
        name="private-frontend",
        bend=(app_gateway, private_frontend),
        to=API,
        source="10.224.9.9",
        steps=("start.vnet", "dns.resolve", "az.nsg", "az.nsg", *APPGW, *BEHIND),
    ),
    Way(
        name="stopped", bend=(app_gateway, stopped), to=API, outcome=DROPPED, causes=("A02",), field=".operationalState"
    ),
    Way(
        name="closed-listener",
        bend=(app_gateway, closed_listener),
        to=API,
        outcome=DROPPED,
        causes=("N14",),
        field=".access",
    ),
    Way(name="closed-pods", bend=(app_gateway, closed_pods), causes=("N15",), field=".access", value="Deny", **BAD),
    Way(
        name="another-host",
        bend=(app_gateway, other_host),
        to=API,
        outcome=RESPONDS,
        status=404,
        causes=("I04",),
        field=".hostNames",
    ),
    Way(
        name="another-port",
        bend=(app_gateway,),
        to="http://shop.example:8080/",
        outcome=DROPPED,
        causes=("N14",),
        field=".frontendPort",
        value="80",
    ),
    Way(
        name="tls-without-a-listener",
        bend=(app_gateway,),
        to="https://shop.example/",
        outcome=DROPPED,
        causes=("N14", "A09"),
    ),
    Way(
        name="redirect",
        bend=(app_gateway, redirected),
        to=API,
        outcome=RESPONDS,
        status=301,
        field=".redirectType",
        value="Permanent",
    ),
    Way(
        name="empty-pool",
        bend=(app_gateway, empty_pool),
        causes=("A05",),
        field=".backendAddresses",
        value="(none)",
        **BAD,
    ),
    Way(
        name="stale-pool",
        bend=(app_gateway, stale_pool),
        causes=("A05",),
        field=".backendAddresses",
        value="10.244.0.99",
        **BAD,
    ),
    Way(name="half-stale", bend=(app_gateway, half_stale), to=API),
    Way(name="pod-not-ready", bend=(app_gateway, unready), causes=("I08",), **BAD),
    Way(name="unhealthy", bend=(app_gateway, sick), causes=("A04",), field="backendHealth", value="Unhealthy", **BAD),
    Way(
        name="network-not-peered",
        bend=(app_gateway, other_network),
        causes=("A08",),
        field="peeringState",
        to=API,
        outcome=DROPPED,
    ),
    Way(
        name="kubenet-without-routes",
        bend=(app_gateway, kubenet),
        causes=("R04",),
        field=".routeTable.id",
        to=API,
        outcome=DROPPED,
    ),
    Way(name="policy-holds-the-gateway", bend=(app_gateway, policy_with_the_gateway), to=API),
    Way(name="policy-does-not", bend=(app_gateway, policy_without_the_gateway), causes=("P16",), **BAD),
    Way(name="not-read", bend=(app_gateway, unread_gateway), to=API, outcome=UNDECIDED),
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_gateway_has_its_verdict_steps_and_deciding_field(tmp_path: Path, way: Way) -> None:
    """The capture says what becomes of the request, and which field decides."""
    checked(tmp_path, way)


def test_the_health_that_az_prints_belongs_to_its_gateway(tmp_path: Path) -> None:
    """show-backend-health in a file of its own: the server that fails the probe gets no request."""
    made = base()
    app_gateway(made)
    sick(made)
    pools = made["agw"]["properties"].pop("backendHealth")
    written(tmp_path, made)
    (tmp_path / "backend-health.json").write_text(json.dumps({"backendAddressPools": pools}))
    store = Store()
    apply(store, open_capture(tmp_path).changes())
    found = trace(store, parse_request(API, source="internet"))
    assert (found.outcome, found.status, found.causes) == (RESPONDS, 502, ("A04",))


def test_a_gateway_that_does_not_do_what_its_ingresses_ask_says_so(tmp_path: Path) -> None:
    """A03: the configuration is from before; what it does counts, and what is asked stands beside it."""

    def elsewhere(made: Objects) -> None:
        app_gateway(made)
        other = {**made["service"], "metadata": {"name": "api", "namespace": "shop", "uid": "7"}}
        made["other"] = {
            **other,
            "spec": {**other["spec"], "type": "ClusterIP", "clusterIP": "10.0.0.11"},
            "status": {},
        }
        backend = made["ingress"]["spec"]["rules"][0]["http"]["paths"][0]["backend"]
        backend["service"]["name"] = "api"

    found = walked(tmp_path, Way(name="elsewhere", bend=(elsewhere,), to=API))
    assert found.outcome is Outcome.DELIVERED
    assert any("A03" in item.why and "shop/api" in item.why for step in found.steps for item in step.considered)


def test_a_pool_that_is_no_services_may_hold_a_machine(tmp_path: Path) -> None:
    """A gateway that is shared with other sites: its server is no Pod, and that is no fault."""

    def machine(made: Objects) -> None:
        app_gateway(made)
        made["agw"]["properties"]["backendAddressPools"][0]["name"] = "machines"
        part(made, "backendAddressPools")["backendAddresses"] = [{"ipAddress": "10.224.77.7"}]

    found = walked(tmp_path, Way(name="machine", bend=(machine,), to=API))
    assert found.outcome is Outcome.DELIVERED
    assert [(place.pod, place.ip) for place in found.destinations] == [("", "10.224.77.7")]
    assert any("something answers at 10.224.77.7" in text for text in found.confidence.because)


def test_without_pods_a_server_is_not_told_to_be_there(tmp_path: Path) -> None:
    """Pods that cannot be read make the pool's servers blind, never delivered."""
    made = base()
    app_gateway(made)
    del made["pod"], made["system"]
    written(tmp_path, made)
    (tmp_path / "pods.json").unlink()
    store = Store()
    apply(store, open_capture(tmp_path).changes())
    found = trace(store, parse_request(API, source="internet"))
    assert found.outcome is Outcome.UNDECIDED
    assert any(step.verdict is Verdict.BLIND and "pods" in step.missing for step in found.breaks)


def test_an_overlay_has_to_be_extended_to_the_gateway(tmp_path: Path) -> None:
    """A07 is an assumption: the object that says so is not read."""
    found = walked(tmp_path, WAYS[0])
    assert any("OverlayExtensionConfig" in text for text in found.confidence.because)


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (lambda _made: None, ""),
        (unmanaged, "N13"),
        (sent_to_an_appliance, "R05"),
        (stopped, "A02"),
        (half_stale, "A05"),
    ],
)
def test_a_gateway_is_looked_at_by_the_sweep(tmp_path: Path, change: Any, cause: str) -> None:
    """What keeps the platform from it, or its pools from the Pods, is found without a request."""
    made = base()
    app_gateway(made)
    change(made)
    ids = {item.id for item in sweep(read(tmp_path, made)) if item.id[0] in "ANRVL"}
    assert ids == ({cause} if cause else set())


def test_the_gateways_address_is_the_ingress_address() -> None:
    """AGIC writes it into the status of its Ingresses: that is the join without ARM."""
    made = base()
    app_gateway(made)
    assert made["ingress"]["status"]["loadBalancer"]["ingress"][0]["ip"] == GATEWAY
