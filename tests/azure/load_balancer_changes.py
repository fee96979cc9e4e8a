"""What may be done to the small cluster's Service of type LoadBalancer, and to the load balancer that it has."""

from typing import Any

from tests.azure.cluster_objects import Objects, annotate, internal
from tests.unit.trace_edge.cloud import PREFIX, RG, endpoints, group, rule

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
