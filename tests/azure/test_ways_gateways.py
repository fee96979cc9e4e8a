"""Application Gateways, the one for Containers, and edges that are named only, from captures in wire form."""

import json
from pathlib import Path
from typing import Any

import pytest

from aksnav.checks.sweep import sweep
from aksnav.sources.capture import open_capture
from aksnav.store import Store
from aksnav.trace import parse_request, trace
from aksnav.trace.step import Outcome, Verdict
from tests.azure.cluster_objects import HUB, SUBNETS, Objects, base, subnet
from tests.azure.gateway_objects import FQDN, GATEWAY, app_gateway, containers
from tests.azure.ways_in import FILTERED, POD, Way, apply, checked, read, walked, written
from tests.unit.trace_edge.cloud import group, rule

API = "http://shop.example/api"
APPGW = ("az.appgw.listener", "az.appgw.rule", "az.appgw.backend")
BEHIND = ("k8s.service.port", "az.nsg", *FILTERED, *POD)


def part(made: Objects, name: str) -> Any:
    """Return the properties of the first of a kind of part of the gateway."""
    return made["agw"]["properties"][name][0]["properties"]


def stopped(made: Objects) -> None:
    made["agw"]["properties"]["operationalState"] = "Stopped"


def closed_listener(made: Objects) -> None:
    made["agw-nsg"]["properties"]["securityRules"][0]["properties"]["destinationPortRange"] = "443"


def rule_for_the_frontend(made: Objects) -> None:
    made["agw-nsg"]["properties"]["securityRules"][0]["properties"]["destinationAddressPrefix"] = GATEWAY


def rule_for_the_subnet(made: Objects) -> None:
    made["agw-nsg"]["properties"]["securityRules"][0]["properties"]["destinationAddressPrefix"] = "10.230.0.0/24"


def shared_port(made: Objects) -> None:
    """A private listener on the port of the public one, with a rule: frontends are the destination from then on."""
    parts, ident = made["agw"]["properties"], made["agw"]["id"]
    front, listener = f"{ident}/frontendIPConfigurations/private", f"{ident}/httpListeners/fl-private"
    parts["frontendIPConfigurations"].append(
        {
            "id": front,
            "name": "private",
            "properties": {"privateIPAddress": "10.230.0.10", "subnet": {"id": f"{SUBNETS}/agw"}},
        }
    )
    first, rule_ = parts["httpListeners"][0]["properties"], parts["requestRoutingRules"][0]["properties"]
    parts["httpListeners"].append(
        {"id": listener, "name": "fl-private", "properties": {**first, "frontendIPConfiguration": {"id": front}}}
    )
    parts["requestRoutingRules"].append(
        {
            "id": f"{ident}/requestRoutingRules/rr-private",
            "name": "rr-private",
            "properties": {**rule_, "priority": 110, "httpListener": {"id": listener}},
        }
    )


def closed_pods(made: Objects) -> None:
    deny = rule(
        name="no",
        access="Deny",
        protocol="*",
        sourceAddressPrefix="10.230.0.0/24",
        destinationAddressPrefix="*",
        destinationPortRange="*",
    )
    made["subnet-nsg"] = group("subnet-nsg", deny)


def other_host(made: Objects) -> None:
    part(made, "httpListeners")["hostNames"] = ["other.example"]


def wildcard(made: Objects) -> None:
    part(made, "httpListeners")["hostNames"] = ["*.example"]


def empty_pool(made: Objects) -> None:
    part(made, "backendAddressPools")["backendAddresses"] = []


def stale_pool(made: Objects) -> None:
    part(made, "backendAddressPools")["backendAddresses"] = [{"ipAddress": "10.244.0.99"}]


def half_stale(made: Objects) -> None:
    part(made, "backendAddressPools")["backendAddresses"] = [{"ipAddress": "10.244.0.5"}, {"ipAddress": "10.244.0.99"}]


def unready(made: Objects) -> None:
    made["pod"]["status"]["conditions"][0]["status"] = "False"
    made["slice"]["endpoints"][0]["conditions"]["ready"] = False


def sick(made: Objects) -> None:
    """The capture has the gateway's own word on its servers."""
    servers = [{"address": "10.244.0.5", "health": "Unhealthy", "healthProbeLog": "Received invalid status code: 404"}]
    ident = made["agw"]["id"]
    made["agw"]["properties"]["backendHealth"] = [
        {
            "backendAddressPool": {"id": f"{ident}/backendAddressPools/pool-shop-web-443-bp-8443"},
            "backendHttpSettingsCollection": [
                {"backendHttpSettings": {"id": f"{ident}/backendHttpSettingsCollection/bp-web"}, "servers": servers}
            ],
        }
    ]


def redirected(made: Objects) -> None:
    ident = f"{made['agw']['id']}/redirectConfigurations/sslr"
    made["agw"]["properties"]["redirectConfigurations"] = [
        {
            "id": ident,
            "name": "sslr",
            "properties": {"redirectType": "Permanent", "targetUrl": "https://shop.example", "includePath": True},
        }
    ]
    found = part(made, "urlPathMaps")["pathRules"][0]["properties"]
    found["redirectConfiguration"] = {"id": ident}


def private_frontend(made: Objects) -> None:
    found = made["agw"]["properties"]["frontendIPConfigurations"][0]
    found["properties"] = {"privateIPAddress": "10.230.0.10", "subnet": {"id": f"{SUBNETS}/agw"}}
    del made["agw-pip"]
    made["ingress"]["status"]["loadBalancer"]["ingress"][0]["ip"] = "10.230.0.10"
    made["agw-nsg"]["properties"]["securityRules"][0]["properties"]["sourceAddressPrefix"] = "VirtualNetwork"


def other_network(made: Objects) -> None:
    """The gateway is in a network of its own, and nobody has peered it."""
    moved = made["vnet"]["properties"]["subnets"].pop()
    ident = f"{HUB}/virtualNetworks/hub"
    moved["id"] = f"{ident}/subnets/agw"
    moved["properties"]["addressPrefix"] = "10.100.1.0/24"
    made["hub"] = {
        "kind": "virtualNetworks",
        "id": ident,
        "name": "hub",
        "properties": {
            "addressSpace": {"addressPrefixes": ["10.100.0.0/16"]},
            "subnets": [moved],
            "virtualNetworkPeerings": [],
        },
    }
    part(made, "gatewayIPConfigurations")["subnet"]["id"] = moved["id"]
    made["subnet-nsg"] = group(
        "subnet-nsg",
        rule(name="any", sourceAddressPrefix="*", destinationAddressPrefix="*", destinationPortRange="*", priority=200),
    )
    made["aks-nsg"] = group(
        "aks-nsg",
        rule(name="any", sourceAddressPrefix="*", destinationAddressPrefix="*", destinationPortRange="*", priority=200),
    )
    made["agw-nsg"]["properties"]["securityRules"].append(
        rule(
            name="out",
            direction="Outbound",
            priority=120,
            sourceAddressPrefix="*",
            destinationAddressPrefix="*",
            destinationPortRange="*",
        )
    )


def kubenet(made: Objects) -> None:
    """Kubenet, with a route table on the nodes' subnet that the gateway's has not."""
    made["cluster"]["properties"]["networkProfile"].update(networkPlugin="kubenet", networkPluginMode="")
    table = f"{HUB}/routeTables/aks-routes"
    made["vnet"]["properties"]["subnets"][0]["properties"]["routeTable"] = {"id": table}
    made["routes"] = {
        "kind": "routeTables",
        "id": table,
        "name": "aks-routes",
        "properties": {
            "routes": [
                {
                    "id": f"{table}/routes/node-1",
                    "name": "node-1",
                    "properties": {
                        "addressPrefix": "10.244.0.0/24",
                        "nextHopType": "VirtualAppliance",
                        "nextHopIpAddress": "10.224.0.4",
                    },
                }
            ]
        },
    }


def unread_gateway(made: Objects) -> None:
    del made["agw"]


def policy_without_the_gateway(made: Objects) -> None:
    made["policy"] = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "clients", "namespace": "shop"},
        "spec": {"podSelector": {}, "ingress": [{"from": [{"ipBlock": {"cidr": "203.0.113.0/24"}}]}]},
    }


def policy_with_the_gateway(made: Objects) -> None:
    policy_without_the_gateway(made)
    made["policy"]["spec"]["ingress"][0]["from"][0]["ipBlock"]["cidr"] = "10.230.0.0/24"


RESPONDS, DROPPED, UNDECIDED, REFUSED = Outcome.RESPONDS, Outcome.DROPPED, Outcome.UNDECIDED, Outcome.REFUSED
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
    Way(name="from-a-pod", bend=(app_gateway,), to=API, source="pod/shop/web-1", field="destination"),
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
    Way(
        name="for-containers",
        bend=(containers,),
        to="http://shop.example/",
        field=".fqdn",
        value=FQDN,
        steps=(
            "start.internet",
            "dns.resolve",
            "az.agc.frontend",
            "k8s.gateway.listener",
            "k8s.route.match",
            "k8s.service.port",
            "k8s.endpoint",
            *FILTERED,
            *POD,
        ),
    ),
]


def not_delegated(made: Objects) -> None:
    made["vnet"]["properties"]["subnets"][-1]["properties"]["delegations"] = []


def small(made: Objects) -> None:
    made["vnet"]["properties"]["subnets"][-1]["properties"]["addressPrefix"] = "10.231.0.0/26"


def large(made: Objects) -> None:
    made["vnet"]["properties"]["subnets"][-1]["properties"]["addressPrefix"] = "10.228.0.0/23"


def gone(made: Objects) -> None:
    made["agc-frontend"]["properties"]["fqdn"] = "other.fz56.alb.azure.com"


def failed(made: Objects) -> None:
    made["agc-association"]["properties"]["provisioningState"] = "Failed"


def no_frontends(made: Objects) -> None:
    del made["agc-frontend"], made["agc-association"]


def no_endpoint(made: Objects) -> None:
    made["slice"]["endpoints"] = []
    made["pod"]["metadata"]["labels"] = {}


SHOP = "http://shop.example/"
WAYS += [
    Way(
        name="agc-not-delegated",
        bend=(containers, not_delegated),
        to=SHOP,
        outcome=DROPPED,
        causes=("G02",),
        field=".delegations",
    ),
    Way(
        name="agc-small-subnet",
        bend=(containers, small),
        to=SHOP,
        outcome=DROPPED,
        causes=("G02",),
        field=".addressPrefix",
    ),
    Way(
        name="agc-overlay-large-subnet",
        bend=(containers, large),
        to=SHOP,
        outcome=DROPPED,
        causes=("G03",),
        field=".addressPrefix",
    ),
    Way(name="agc-name-is-gone", bend=(containers, gone), to=SHOP, outcome=REFUSED, causes=("G04",), field=".fqdn"),
    Way(
        name="agc-association-failed",
        bend=(containers, failed),
        to=SHOP,
        outcome=DROPPED,
        causes=("G02",),
        field=".provisioningState",
    ),
    Way(name="agc-not-read", bend=(containers, no_frontends), to=SHOP, outcome=UNDECIDED),
]


def firewall(made: Objects) -> None:
    made["pip-fw"] = {
        "kind": "publicIPAddresses",
        "id": f"{HUB}/publicIPAddresses/pip-fw",
        "name": "pip-fw",
        "sku": {"name": "Standard"},
        "properties": {
            "ipAddress": "20.60.0.1",
            "ipConfiguration": {"id": f"{HUB}/azureFirewalls/fw-hub/azureFirewallIpConfigurations/c"},
        },
    }
    subnet(made, "AzureFirewallSubnet", "10.229.0.0/26")


def nat_address(made: Objects) -> None:
    firewall(made)
    made["pip-fw"]["properties"] = {"ipAddress": "20.60.0.1", "natGateway": {"id": f"{HUB}/natGateways/nat"}}


NAMED = "edge.firewall"
WAYS += [
    Way(
        name="firewall",
        bend=(firewall,),
        to="https://20.60.0.1",
        outcome=UNDECIDED,
        steps=("start.internet", NAMED),
        field=".ipConfiguration.id",
        value="fw-hub",
    ),
    Way(
        name="firewall-inside",
        bend=(firewall,),
        to="https://10.229.0.4",
        source="10.224.9.9",
        outcome=UNDECIDED,
        field=".subnets",
    ),
    Way(
        name="nat-gateway",
        bend=(nat_address,),
        to="https://20.60.0.1",
        outcome=DROPPED,
        steps=("start.internet", "az.natgateway"),
    ),
    Way(
        name="front-door",
        to="https://shop-abc.z01.azurefd.net/",
        outcome=UNDECIDED,
        steps=("start.internet", NAMED),
        field="host",
    ),
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


def test_a_firewall_names_where_it_may_send(tmp_path: Path) -> None:
    """The addresses of load balancers with the same port are considered, so that they can be traced."""
    found = walked(tmp_path, next(way for way in WAYS if way.name == "firewall"))
    assert [item.rule for item in found.steps[-1].considered] == ["20.50.1.7:443"]
    assert "Azure Firewall fw-hub" in found.steps[-1].missing


def sent_to_an_appliance(made: Objects) -> None:
    table = f"{HUB}/routeTables/agw-routes"
    made["vnet"]["properties"]["subnets"][-1]["properties"]["routeTable"] = {"id": table}
    made["routes"] = {
        "kind": "routeTables",
        "id": table,
        "name": "agw-routes",
        "properties": {
            "routes": [
                {
                    "id": f"{table}/routes/all",
                    "name": "all",
                    "properties": {
                        "addressPrefix": "0.0.0.0/0",
                        "nextHopType": "VirtualAppliance",
                        "nextHopIpAddress": "10.224.250.4",
                    },
                }
            ]
        },
    }


def unmanaged(made: Objects) -> None:
    del made["agw-nsg"]["properties"]["securityRules"][1]


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
