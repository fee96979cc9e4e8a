"""Services of type LoadBalancer in the forms that the cloud provider has, each read from a capture in wire form."""

from pathlib import Path
from typing import Any

import pytest

from aksnav.checks.sweep import sweep
from aksnav.trace import parse_request, trace
from aksnav.trace.step import Kind, Outcome
from tests.azure.cluster_objects import ANNOTATION, SUBNETS, Objects, annotate, base, container_native, internal
from tests.azure.ways_in import FILTERED, LB, NODE, POD, Way, checked, read, road, walked
from tests.unit.trace_edge.cloud import PREFIX, PUBLIC, RG, UID, endpoints, group, rule

VNET = "10.224.9.9"
ILB = "https://10.224.0.200"
V6 = "2603:1020:201:10::7"


def lb(made: Objects, part: str) -> Any:
    return made["lb"]["properties"][part]


def first_rule(made: Objects) -> dict[str, Any]:
    found: dict[str, Any] = lb(made, "loadBalancingRules")[0]["properties"]
    return found


def without_floating(made: Objects) -> None:
    annotate(made, azure_disable_load_balancer_floating_ip="true")
    first_rule(made).update(enableFloatingIP=False, backendPort=31443)


def open_node_port(made: Objects) -> None:
    made["subnet-nsg"] = group(
        "subnet-nsg", rule(destinationAddressPrefix="10.224.0.0/16", destinationPortRange="31443")
    )
    made["aks-nsg"] = group("aks-nsg", rule(destinationAddressPrefix="10.224.0.0/16", destinationPortRange="31443"))


def spec(made: Objects, **values: Any) -> None:
    made["service"]["spec"].update(values)


def asks_internal(made: Objects) -> None:
    annotate(made, azure_load_balancer_internal="true")


def closed_subnet(made: Objects) -> None:
    made["subnet-nsg"] = group(
        "subnet-nsg", rule(name="no", access="Deny", sourceAddressPrefix="10.224.9.0/24", destinationAddressPrefix="*")
    )


def dual_stack(made: Objects) -> None:
    """Give everything an address of IPv6 as well: frontend and rule with the suffix that dual stack has."""
    pip = f"{RG}/Microsoft.Network/publicIPAddresses/pip-v6"
    balancer = made["lb"]["id"]
    front, pool = (
        f"{balancer}/frontendIPConfigurations/{PREFIX}-IPv6",
        f"{balancer}/backendAddressPools/kubernetes-IPv6",
    )
    made["pip-v6"] = {
        "kind": "publicIPAddresses",
        "id": pip,
        "name": "pip-v6",
        "sku": {"name": "Standard"},
        "properties": {"ipAddress": V6, "publicIPAddressVersion": "IPv6", "ipConfiguration": {"id": front}},
    }
    lb(made, "frontendIPConfigurations").append(
        {"id": front, "name": f"{PREFIX}-IPv6", "properties": {"publicIPAddress": {"id": pip}}}
    )
    members = lb(made, "backendAddressPools")[0]["properties"]["backendIPConfigurations"]
    six = [{"id": item["id"].replace("ipconfig1", "ipconfig6")} for item in members]
    lb(made, "backendAddressPools").append(
        {"id": pool, "name": "kubernetes-IPv6", "properties": {"backendIPConfigurations": six}}
    )
    lb(made, "loadBalancingRules").append(
        {
            "id": f"{balancer}/loadBalancingRules/{PREFIX}-TCP-443-IPv6",
            "name": f"{PREFIX}-TCP-443-IPv6",
            "properties": {
                **first_rule(made),
                "frontendIPConfiguration": {"id": front},
                "backendAddressPool": {"id": pool},
            },
        }
    )
    for number in (1, 2):
        addresses = made[f"node-{number}"]["status"]["addresses"]
        addresses.append({"type": "InternalIP", "address": f"fd12::{number + 3}"})
    made["pod"]["status"]["podIPs"].append({"ip": "fd34::5"})
    made["service"]["spec"].update(
        ipFamilies=["IPv4", "IPv6"], clusterIPs=["10.0.0.9", "fd00::9"], ipFamilyPolicy="RequireDualStack"
    )
    made["service"]["status"]["loadBalancer"]["ingress"].append({"ip": V6})
    made["slice-v6"] = endpoints("node-1")
    made["slice-v6"]["metadata"]["name"] = "web-v6"
    made["slice-v6"]["addressType"] = "IPv6"
    made["slice-v6"]["endpoints"][0]["addresses"] = ["fd34::5"]
    made["cluster"]["properties"]["networkProfile"]["podCidrs"] = ["10.244.0.0/16", "fd34::/64"]
    made["vnet"]["properties"]["addressSpace"]["addressPrefixes"].append("fd12::/48")
    made["vnet"]["properties"]["subnets"][0]["properties"] = {
        "addressPrefixes": ["10.224.0.0/16", "fd12::/64"],
        "networkSecurityGroup": {"id": made["subnet-nsg"]["id"]},
    }
    six_rule = rule(name="six", priority=210, destinationAddressPrefix=V6)
    made["subnet-nsg"]["properties"]["securityRules"].append(six_rule)
    made["aks-nsg"]["properties"]["securityRules"].append(rule(name="six", priority=501, destinationAddressPrefix=V6))


def no_rule_for_six(made: Objects) -> None:
    del lb(made, "loadBalancingRules")[1]


def shared_address(made: Objects) -> None:
    """A second Service on the first one's address, on a port of its own."""
    other = {
        **made["service"],
        "metadata": {"name": "api", "namespace": "shop", "uid": "99999999-2222-3333-4444-555555555555"},
        "spec": {
            **made["service"]["spec"],
            "clusterIP": "10.0.0.10",
            "selector": {"app": "api"},
            "ports": [{"port": 8080, "targetPort": 8443, "nodePort": 31080, "protocol": "TCP"}],
        },
    }
    made["other"] = other
    piece = endpoints("node-1")
    piece["metadata"] = {"name": "api-x", "namespace": "shop", "labels": {"kubernetes.io/service-name": "api"}}
    made["other-slice"] = piece
    name = "a99999999222233334444555555555555"[:32]
    balancer = made["lb"]["id"]
    probe = f"{balancer}/probes/{name}-TCP-8080"
    lb(made, "probes").append(
        {"id": probe, "name": f"{name}-TCP-8080", "properties": {"protocol": "Tcp", "port": 31080}}
    )
    lb(made, "loadBalancingRules").append(
        {
            "id": f"{balancer}/loadBalancingRules/{name}-TCP-8080",
            "name": f"{name}-TCP-8080",
            "properties": {**first_rule(made), "frontendPort": 8080, "backendPort": 8080, "probe": {"id": probe}},
        }
    )
    for name in ("subnet-nsg", "aks-nsg"):
        made[name]["properties"]["securityRules"][0]["properties"]["destinationPortRange"] = "*"


def ranges(made: Objects) -> None:
    spec(made, loadBalancerSourceRanges=["198.51.100.0/24"])
    made["aks-nsg"] = group("aks-nsg", rule(sourceAddressPrefix="198.51.100.0/24"))


def allowed_ranges(made: Objects) -> None:
    annotate(made, azure_allowed_ip_ranges="198.51.100.0/24")
    made["aks-nsg"] = group("aks-nsg", rule(sourceAddressPrefix="198.51.100.0/24"))


def denied_all_except(made: Objects) -> None:
    """An internal Service with ranges, closed to the rest of the network as well."""
    internal(made, "10.224.0.200")
    annotate(made, azure_deny_all_except_load_balancer_source_ranges="true")
    spec(made, loadBalancerSourceRanges=["10.224.9.0/24"])
    allow = rule(sourceAddressPrefix="10.224.9.0/24", destinationAddressPrefix="10.224.0.200")
    deny = rule(
        name="k8s-azure-lb_deny-all_IPv4", priority=4096, access="Deny", protocol="*", sourceAddressPrefix="*",
        destinationAddressPrefix="10.224.0.200", destinationPortRange="*",
    )  # fmt: skip
    made["aks-nsg"] = group("aks-nsg", allow, deny)


def allowed_tag(made: Objects) -> None:
    annotate(made, azure_allowed_service_tags="AzureFrontDoor.Backend")
    made["aks-nsg"] = group("aks-nsg", rule(sourceAddressPrefix="AzureFrontDoor.Backend"))


def probed_path(made: Objects) -> None:
    annotate(made, **{"port_443_health-probe_protocol": "Http", "port_443_health-probe_request-path": "/ready"})
    lb(made, "probes")[0]["properties"].update(protocol="Http", requestPath="/ready")
    made["pod"]["spec"]["containers"][0]["readinessProbe"] = {"httpGet": {"path": "/ready", "port": 8443}}


def probe_elsewhere(made: Objects) -> None:
    lb(made, "probes")[0]["properties"]["port"] = 30999


def shared_probe(made: Objects) -> None:
    balancer = made["lb"]["id"]
    name = "cluster-service-shared-health-probe"
    lb(made, "probes")[0].update(
        id=f"{balancer}/probes/{name}",
        name=name,
        properties={"protocol": "Http", "port": 10356, "requestPath": "/healthz"},
    )
    first_rule(made)["probe"] = {"id": f"{balancer}/probes/{name}"}
    for number in (1, 2):
        made[f"manager-{number}"] = {
            "kind": "Pod",
            "metadata": {
                "name": f"cloud-node-manager-{number}",
                "namespace": "kube-system",
                "labels": {"k8s-app": "cloud-node-manager"},
            },
            "spec": {"nodeName": f"node-{number}", "containers": [{"name": "c"}], "hostNetwork": True},
            "status": {
                "phase": "Running",
                "podIP": f"10.224.0.{number + 3}",
                "conditions": [{"type": "Ready", "status": "True"}],
            },
        }


def sick_managers(made: Objects) -> None:
    for number in (1, 2):
        made[f"manager-{number}"]["status"]["conditions"][0]["status"] = "False"


def local(made: Objects) -> None:
    spec(made, externalTrafficPolicy="Local", healthCheckNodePort=32000)
    lb(made, "probes")[0]["properties"].update(protocol="Http", port=32000, requestPath="/healthz")


def nobody_ready(made: Objects) -> None:
    made["slice"]["endpoints"][0]["conditions"]["ready"] = False
    made["pod"]["status"]["conditions"][0]["status"] = "False"


def by_address(made: Objects) -> None:
    listed = [
        {"name": name, "properties": {"ipAddress": ip}} for name, ip in (("a", "10.224.0.4"), ("b", "10.224.0.5"))
    ]
    lb(made, "backendAddressPools")[0]["properties"] = {"loadBalancerBackendAddresses": listed}


def empty_pool(made: Objects) -> None:
    lb(made, "backendAddressPools")[0]["properties"] = {}


def excluded(made: Objects) -> None:
    made["node-2"]["metadata"]["labels"]["node.kubernetes.io/exclude-from-external-load-balancers"] = "true"
    del lb(made, "backendAddressPools")[0]["properties"]["backendIPConfigurations"][1]


def second_balancer(made: Objects) -> None:
    annotate(made, azure_load_balancer_configurations="team-a")
    made["cluster"]["properties"]["networkProfile"]["loadBalancerProfile"] = {
        "enableMultipleStandardLoadBalancers": True,
        "backendPoolType": "nodeIP",
    }
    made["lb"]["name"] = "team-a"
    by_address(made)


def wrong_target(made: Objects) -> None:
    first_rule(made)["backendPort"] = 9999


def frontend_rules_only(made: Objects) -> None:
    made["subnet-nsg"] = group("subnet-nsg", rule(name="allow-web", priority=200))


def udp(made: Objects) -> None:
    made["service"]["spec"]["ports"][0]["protocol"] = "UDP"
    made["slice"]["ports"][0]["protocol"] = "UDP"
    made["pod"]["spec"]["containers"][0]["ports"][0]["protocol"] = "UDP"
    first_rule(made)["protocol"] = "Udp"
    del first_rule(made)["probe"]
    for name in ("subnet-nsg", "aks-nsg"):
        made[name]["properties"]["securityRules"][0]["properties"]["protocol"] = "Udp"


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


def test_a_load_balancer_that_sends_to_pods_is_not_blamed_for_its_empty_pool(tmp_path: Path) -> None:
    """Neither L11, nor L10, nor L18: there is no pool of nodes and no probe by design."""
    made = base()
    container_native(made)
    assert not {item.id for item in sweep(read(tmp_path, made)) if item.id.startswith("L")}


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
