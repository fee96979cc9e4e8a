"""Load balancers, public addresses and security rules, made of the Services as AKS's cloud controller makes them.

Names, probes and rules follow kubernetes-sigs/cloud-provider-azure: ``azure_loadbalancer.go``,
``azure_loadbalancer_healthprobe.go``, ``securitygroup/securityrule.go``.
"""

import hashlib
from collections import defaultdict

from aksnav.sources.demo.azure_network import (
    MANAGED_CLUSTER,
    NIC_GROUP,
    NODE_SUBNET,
    child,
    ip_config_id,
    resource,
    rule,
)
from aksnav.sources.demo.nodes import INSTANCES
from aksnav.sources.demo.world import CLUSTER, NODE_GROUP, Json, World, arm_id, day, thing, uid

_NETWORK = "Microsoft.Network"
PUBLIC_LB = arm_id(NODE_GROUP, f"{_NETWORK}/loadBalancers/kubernetes")
INTERNAL_LB = arm_id(NODE_GROUP, f"{_NETWORK}/loadBalancers/kubernetes-internal")
OUTBOUND_IP = "20.50.1.4"
_OUTBOUND = uid("outbound")
_PREFIX = "service.beta.kubernetes.io/"
_NAME_LENGTH = 32
_FIRST_PRIORITY = 500


def rule_prefix(service: Json) -> str:
    """Return the name of a Service's frontend, with which its rules begin: ``a`` and its uid, cut to 32 characters."""
    return f"a{service['metadata']['uid'].replace('-', '')}"[:_NAME_LENGTH]


def public_ip_id(name: str) -> str:
    """Return the id of a public address in the node resource group."""
    return arm_id(NODE_GROUP, f"{_NETWORK}/publicIPAddresses/{name}")


def derive(world: World) -> None:
    """Make the load balancers, the public addresses, the pools of the interfaces and the rules of the NIC's group."""
    entries = world.of("Service", _has_balancer)
    public = [service for service in entries if not _internal(service)]
    for service in entries:
        world.put("Event", _ensured(service))
    world.put("publicIPAddresses", _outbound_address())
    for service in public:
        world.put("publicIPAddresses", _public_address(service))
    world.put("loadBalancers", _public(public))
    world.put("loadBalancers", _load_balancer(INTERNAL_LB, [service for service in entries if _internal(service)]))
    _join_pools(world)
    group = world.get("networkSecurityGroups", NIC_GROUP.lower())
    group["properties"]["securityRules"] = _rules(public)
    subnet = next(s for s in _vnet_of_nodes(world)["properties"]["subnets"] if s["id"] == NODE_SUBNET)
    frontends = world.get("loadBalancers", INTERNAL_LB.lower())["properties"]["frontendIPConfigurations"]
    subnet["properties"]["ipConfigurations"] += [{"id": frontend["id"]} for frontend in frontends]
    usage = next(u for u in _vnet_of_nodes(world)["properties"]["usages"] if u["id"] == NODE_SUBNET)
    usage["currentValue"] += len(frontends)


def _ensured(service: Json) -> Json:
    """Return the event that the cloud controller writes when a Service's load balancer stands."""
    meta = service["metadata"]
    about = {"kind": "Service", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]}
    return thing(
        "Event",
        f"{meta['name']}.{uid('event', meta['uid'])[:16].replace('-', '')}",
        meta["namespace"],
        made=84,
        involvedObject={"apiVersion": "v1", **about},
        type="Normal",
        reason="EnsuredLoadBalancer",
        message="Ensured load balancer",
        count=1,
        firstTimestamp=day(84),
        lastTimestamp=day(84),
        source={"component": "service-controller"},
    )


def _has_balancer(service: Json) -> bool:
    return service["spec"]["type"] == "LoadBalancer" and "ingress" in service["status"]["loadBalancer"]


def _vnet_of_nodes(world: World) -> Json:
    return world.get("virtualNetworks", NODE_SUBNET.partition("/subnets/")[0].lower())


def _annotation(service: Json, name: str) -> str:
    return str(service["metadata"].get("annotations", {}).get(f"{_PREFIX}{name}", ""))


def _internal(service: Json) -> bool:
    return _annotation(service, "azure-load-balancer-internal") == "true"


def _address(service: Json) -> str:
    return str(service["status"]["loadBalancer"]["ingress"][0]["ip"])


def _public_address(service: Json) -> Json:
    name = f"kubernetes-{rule_prefix(service)}"
    label = _annotation(service, "azure-dns-label-name")
    meta = service["metadata"]
    properties: Json = {
        "ipAddress": _address(service),
        "publicIPAddressVersion": "IPv4",
        "publicIPAllocationMethod": "Static",
        "idleTimeoutInMinutes": 4,
        "ipConfiguration": {"id": f"{PUBLIC_LB}/frontendIPConfigurations/{rule_prefix(service)}"},
    }
    if label:
        properties["dnsSettings"] = {
            "domainNameLabel": label,
            "fqdn": f"{label}.westeurope.cloudapp.azure.com",
        }
    return resource(
        public_ip_id(name),
        f"{_NETWORK}/publicIPAddresses",
        properties,
        sku={"name": "Standard", "tier": "Regional"},
        tags={"k8s-azure-cluster-name": "kubernetes", "k8s-azure-service": f"{meta['namespace']}/{meta['name']}"},
        zones=["1", "2", "3"],
    )


def _outbound_address() -> Json:
    return resource(
        public_ip_id(_OUTBOUND),
        f"{_NETWORK}/publicIPAddresses",
        {
            "ipAddress": OUTBOUND_IP,
            "publicIPAddressVersion": "IPv4",
            "publicIPAllocationMethod": "Static",
            "ipConfiguration": {"id": f"{PUBLIC_LB}/frontendIPConfigurations/{_OUTBOUND}"},
        },
        sku={"name": "Standard", "tier": "Regional"},
        tags={"aks-managed-cluster-name": CLUSTER, "aks-managed-type": "aks-slb-managed-outbound-ip"},
        zones=["1", "2", "3"],
    )


def _public(services: list[Json]) -> Json:
    """Return the public load balancer: the Services' part, and the cluster's way out."""
    made = _load_balancer(PUBLIC_LB, services)
    properties = made["properties"]
    frontend = child(
        PUBLIC_LB,
        "frontendIPConfigurations",
        _OUTBOUND,
        {
            "publicIPAddress": {"id": public_ip_id(_OUTBOUND)},
            "privateIPAllocationMethod": "Dynamic",
            "outboundRules": [{"id": f"{PUBLIC_LB}/outboundRules/aksOutboundRule"}],
        },
    )
    properties["frontendIPConfigurations"].insert(0, frontend)
    properties["backendAddressPools"].append(_pool(PUBLIC_LB, "aksOutboundBackendPool"))
    properties["outboundRules"] = [
        child(
            PUBLIC_LB,
            "outboundRules",
            "aksOutboundRule",
            {
                "frontendIPConfigurations": [{"id": frontend["id"]}],
                "backendAddressPool": {"id": f"{PUBLIC_LB}/backendAddressPools/aksOutboundBackendPool"},
                "allocatedOutboundPorts": 0,
                "protocol": "All",
                "enableTcpReset": True,
                "idleTimeoutInMinutes": 30,
            },
        )
    ]
    made["tags"] = {"aks-managed-cluster-name": CLUSTER, "aks-managed-cluster-rg": MANAGED_CLUSTER.split("/")[4]}
    return made


def _load_balancer(ident: str, services: list[Json]) -> Json:
    frontends, rules, probes = [], [], []
    for service in services:
        frontends.append(_frontend(ident, service))
        for port in service["spec"]["ports"]:
            rules.append(_lb_rule(ident, service, port))
            probes.append(_probe(ident, service, port))
    return resource(
        ident,
        f"{_NETWORK}/loadBalancers",
        {
            "frontendIPConfigurations": frontends,
            "loadBalancingRules": rules,
            "probes": probes,
            "backendAddressPools": [_pool(ident, "kubernetes")],
            "outboundRules": [],
            "inboundNatRules": [],
        },
        sku={"name": "Standard", "tier": "Regional"},
    )


def _frontend(ident: str, service: Json) -> Json:
    prefix = rule_prefix(service)
    names = [_rule_name(service, port) for port in service["spec"]["ports"]]
    where: Json = (
        {
            "privateIPAddress": _address(service),
            "privateIPAllocationMethod": "Static",
            "privateIPAddressVersion": "IPv4",
            "subnet": {"id": NODE_SUBNET},
        }
        if _internal(service)
        else {
            "publicIPAddress": {"id": public_ip_id(f"kubernetes-{prefix}")},
            "privateIPAllocationMethod": "Dynamic",
            "privateIPAddressVersion": "IPv4",
        }
    )
    where["loadBalancingRules"] = [{"id": f"{ident}/loadBalancingRules/{name}"} for name in names]
    return child(ident, "frontendIPConfigurations", prefix, where)


def _rule_name(service: Json, port: Json) -> str:
    return f"{rule_prefix(service)}-{port['protocol']}-{port['port']}"


def _lb_rule(ident: str, service: Json, port: Json) -> Json:
    pool = {"id": f"{ident}/backendAddressPools/kubernetes"}
    name = _rule_name(service, port)
    return child(
        ident,
        "loadBalancingRules",
        name,
        {
            "frontendIPConfiguration": {"id": f"{ident}/frontendIPConfigurations/{rule_prefix(service)}"},
            "backendAddressPool": pool,
            "backendAddressPools": [pool],
            "probe": {"id": f"{ident}/probes/{name}"},
            "protocol": port["protocol"].capitalize(),
            "frontendPort": port["port"],
            "backendPort": port["port"],
            "enableFloatingIP": True,
            "enableTcpReset": True,
            "disableOutboundSnat": True,
            "idleTimeoutInMinutes": int(_annotation(service, "azure-load-balancer-tcp-idle-timeout") or 4),
            "loadDistribution": "Default",
        },
    )


def _probe(ident: str, service: Json, port: Json) -> Json:
    """Return the probe of a port, by the order of precedence of the cloud controller."""
    spec = service["spec"]
    asked = _annotation(service, f"port_{port['port']}_health-probe_port")
    if spec.get("externalTrafficPolicy") == "Local" and not asked:
        what: Json = {"protocol": "Http", "port": spec["healthCheckNodePort"], "requestPath": "/healthz"}
    else:
        protocol = (
            _annotation(service, f"port_{port['port']}_health-probe_protocol")
            or port.get("appProtocol", "")
            or _annotation(service, "azure-load-balancer-health-probe-protocol")
        ).capitalize()
        what = {
            "protocol": protocol if protocol in {"Http", "Https"} else "Tcp",
            "port": int(asked or port["nodePort"]),
        }
        if what["protocol"] != "Tcp":
            what["requestPath"] = _annotation(service, "azure-load-balancer-health-probe-request-path") or "/"
    name = _rule_name(service, port)
    return child(
        ident,
        "probes",
        name,
        {
            **what,
            "intervalInSeconds": 5,
            "numberOfProbes": 2,
            "probeThreshold": 2,
            "loadBalancingRules": [{"id": f"{ident}/loadBalancingRules/{name}"}],
        },
    )


def _pool(ident: str, name: str) -> Json:
    members = [{"id": ip_config_id(instance)} for instance in INSTANCES]
    return child(ident, "backendAddressPools", name, {"backendIPConfigurations": members})


def _join_pools(world: World) -> None:
    pools = [
        {"id": f"{balancer}/backendAddressPools/{name}"}
        for balancer, name in (
            (PUBLIC_LB, "kubernetes"),
            (PUBLIC_LB, "aksOutboundBackendPool"),
            (INTERNAL_LB, "kubernetes"),
        )
    ]
    for nic in world.of("networkInterfaces"):
        nic["properties"]["ipConfigurations"][0]["properties"]["loadBalancerBackendAddressPools"] = list(pools)


def _rules(services: list[Json]) -> list[Json]:
    """Return the rules for public Services: one for each set of ports, with every frontend that has this set."""
    by_ports: dict[tuple[str, str, tuple[int, ...]], list[str]] = defaultdict(list)
    for service in services:
        sources = ",".join(sorted(service["spec"].get("loadBalancerSourceRanges", ["Internet"])))
        by_protocol: dict[str, list[int]] = defaultdict(list)
        for port in service["spec"]["ports"]:
            by_protocol[port["protocol"].capitalize()].append(port["port"])
        for protocol, ports in by_protocol.items():
            by_ports[protocol, sources, tuple(sorted(ports))].append(_address(service))
    return [
        rule(
            NIC_GROUP,
            allow_rule_name(protocol, sources.split(","), ports),
            _FIRST_PRIORITY + index,
            "Inbound",
            "Allow",
            sources,
            sorted(addresses),
            protocol=protocol,
            ports=[str(port) for port in ports],
        )
        for index, ((protocol, sources, ports), addresses) in enumerate(by_ports.items())
    ]


def allow_rule_name(protocol: str, sources: list[str], ports: tuple[int, ...]) -> str:
    """Return the name of an allow rule: the MD5 of protocol, sources and ports tells equal rules apart from others."""
    text = "_".join((protocol, ",".join(sorted(sources)), ",".join(sorted(str(port) for port in ports))))
    digest = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    return f"k8s-azure-lb_allow_IPv4_{digest}"
