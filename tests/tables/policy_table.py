"""The table ``policies.txt``: its cluster, and its rows as questions with the answer of each engine."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.unit.trace_edge import cloud
from tests.unit.trace_edge.world import Json, cluster, namespace, node, pod, policy

PATH = Path(__file__).with_name("policies.txt")
ENGINES = ("azure", "calico", "cilium")
_SPACE = re.compile(r"\s{2,}")
_QUESTION = re.compile(r"(\S+) -> ([^\s:/]+|[0-9a-f:.]+?)(?::(\d+))?(?:/(\w+))?\s+(.+)")
_HEALTH = 32000
_NODES = {"node-1": "10.224.0.4", "node-2": "10.224.0.5"}
_PORTS: list[Json] = [
    {"containerPort": 80, "name": "http"},
    {"containerPort": 8080, "name": "alt"},
    {"containerPort": 8443, "name": "https"},
    {"containerPort": 9000},
    {"containerPort": 53, "name": "dns-tcp"},
    {"containerPort": 53, "name": "dns", "protocol": "UDP"},
    {"containerPort": 8080, "protocol": "UDP"},
    {"containerPort": 7, "name": "diam", "protocol": "SCTP"},
]


class At(NamedTuple):
    """Where a Pod of the table is: namespace, node, last number of its addresses, labels."""

    space: str
    node: str
    number: int
    labels: dict[str, str]


PODS = {
    "web": At("shop", "node-1", 5, {"app": "web", "tier": "front"}),
    "db": At("shop", "node-1", 6, {"app": "db", "tier": "back"}),
    "ops-web": At("ops", "node-1", 9, {"app": "web"}),
    "web-b": At("shop", "node-2", 14, {"app": "web", "tier": "front"}),
    "api": At("shop", "node-2", 16, {"app": "api"}),
    "probe": At("ops", "node-2", 19, {"app": "probe"}),
    "tool": At("lab", "node-2", 20, {}),
    "new": At("ops", "node-2", 30, {"app": "new"}),
}
HOSTS = {"host": At("shop", "node-1", 0, {"app": "host"}), "agent": At("ops", "node-2", 0, {"app": "agent"})}


class Row(NamedTuple):
    """A question with its policies and answers.

    Attributes:
        number: line of the table.
        section: the document and the part of it from which the row is written.
        policies: objects in wire form.
        source: where the connection comes from, as ``--from`` takes it.
        target: where it goes, as a trace takes it.
        outside: nobody answers there: what policies say is all that is known.
        traffic: the Service's externalTrafficPolicy.
        answers: by engine: allow, deny or undecided.
    """

    number: int
    section: str
    policies: tuple[Json, ...]
    source: str
    target: str
    outside: bool
    traffic: str
    answers: dict[str, str]


def rows() -> list[Row]:
    """Return the rows of the table, in order."""
    return list(_rows(PATH.read_text(encoding="utf-8").splitlines()))


def _rows(lines: list[str]) -> Iterator[Row]:
    section, asked = "", False
    policies: list[Json] = []
    for number, line in enumerate(lines, 1):
        if line.startswith("== "):
            section, policies, asked = line.removeprefix("== "), [], False
        elif section and " -> " in line:
            found = _QUESTION.fullmatch(line.strip())
            assert found is not None, f"line {number}: {line}"
            asked = True
            yield _row(number, section, tuple(policies), found.groups())
        elif section and line.strip():
            policies, asked = ([] if asked else policies), False
            policies += _policy(line.strip())


def _policy(line: str) -> list[Json]:
    """Return the policy of a line; "-" stands for none."""
    if line == "-":
        return []
    head, _, text = line.partition(" {")
    spec = yaml.safe_load("{" + text)
    kind, _, ident = head.rpartition(" ")
    if not kind:
        return [policy(ident, **spec)]
    space, _, name = ident.rpartition("/")
    own = "CiliumNetworkPolicy" if kind == "cnp" else "CiliumClusterwideNetworkPolicy"
    return [{"kind": own, "metadata": {"name": name, **({"namespace": space} if space else {})}, "spec": spec}]


def _row(number: int, section: str, policies: tuple[Json, ...], parts: tuple[str | None, ...]) -> Row:
    source, target, port, protocol, said = parts
    assert source
    assert target
    assert said
    words = [word.split() for word in said.split(", ")]
    answers = {word[0]: word[1] for word in words} if len(words[0]) == 2 else dict.fromkeys(ENGINES, words[0][0])
    address = _address(target)
    shown = f"[{address}]" if ":" in address else address
    url = f"{(protocol or 'tcp')}://{shown}:{port or (443 if target.startswith('lb-') else 8080)}"
    outside = not _known(target)
    return Row(number, section, policies, _source(source), url, outside, target[3:].capitalize() or "Local", answers)


def _known(name: str) -> bool:
    return name.removesuffix("6") in PODS or name in HOSTS or name.startswith("lb-")


def _source(name: str) -> str:
    if name == "client":
        return "internet:203.0.113.9"
    if name in _NODES:
        return f"node/{name}"
    at = (PODS | HOSTS).get(name.removesuffix("6"))
    return name if at is None else f"pod/{at.space}/{name.removesuffix('6')}"


def _address(name: str) -> str:
    if name.startswith("lb-"):
        return cloud.PUBLIC
    if name in _NODES:
        return _NODES[name]
    if name in HOSTS:
        return _NODES[HOSTS[name].node]
    if name in PODS:
        return f"10.224.1.{PODS[name].number}"
    if name.removesuffix("6") in PODS:
        return f"fd00:224::1:{PODS[name.removesuffix('6')].number}"
    return name


def objects(engine: str, traffic: str) -> list[Json]:
    """Return the cluster without policies.

    Args:
        engine: the networkPolicy of its network profile; empty for a cluster that does not say.
        traffic: externalTrafficPolicy of the Service.
    """
    found = [
        *([cluster(networkPolicy=engine, outboundType="loadBalancer")] if engine else []),
        namespace("shop", team="a", env="prod"),
        namespace("ops", team="b"),
        namespace("lab"),
        *(_dual(node(name, ip), f"fd00:224::{ip[-1]}") for name, ip in _NODES.items()),
        *(_interface(name, ip) for name, ip in _NODES.items()),
        _network(),
        cloud.group("subnet-nsg", cloud.rule(priority=200)),
        cloud.group("aks-nsg", cloud.rule()),
        _balancer(traffic),
        cloud.public_ip(),
        *_api_server(),
        _service(traffic),
        _endpoints(),
    ]
    for name, at in PODS.items():
        addresses = [f"10.224.1.{at.number}", f"fd00:224::1:{at.number}"]
        found.append(_ready(pod(f"{at.space}/{name}", addresses[0], at.labels, at.node, _PORTS), addresses))
    for name, at in HOSTS.items():
        ip = _NODES[at.node]
        found.append(_ready(pod(f"{at.space}/{name}", ip, at.labels, at.node, _PORTS, hostNetwork=True), [ip]))
    ended = _ready(pod("shop/done", "10.224.1.30", {"app": "done"}, "node-2", _PORTS), ["10.224.1.30"])
    ended["status"]["phase"] = "Succeeded"
    return [*found, ended]


def _ready(wire: Json, addresses: list[str]) -> Json:
    wire["status"]["podIPs"] = [{"ip": ip} for ip in addresses]
    wire["status"]["conditions"] = [{"type": "Ready", "status": "True"}]
    return wire


def _dual(wire: Json, address: str) -> Json:
    wire["status"]["addresses"].append({"type": "InternalIP", "address": address})
    return wire


def _interface(name: str, ip: str) -> Json:
    """Return a node's network interface, with an IPv6 configuration beside the IPv4 one."""
    wire: Json = cloud.interface(name, ip)
    first = wire["properties"]["ipConfigurations"][0]
    second = {
        "id": f"{first['id']}-v6",
        "name": "ipconfig2",
        "properties": {**first["properties"], "primary": False, "privateIPAddress": f"fd00:224::{ip[-1]}"},
    }
    wire["properties"]["ipConfigurations"].append(second)
    return wire


def _network() -> Json:
    """Return a virtual network of both families, whose one subnet holds nodes and Pods."""
    wire: Json = cloud.network()
    wire["properties"]["addressSpace"] = {"addressPrefixes": ["10.224.0.0/12", "fd00:224::/64", "fd00:225::/64"]}
    subnet: dict[str, Any] = wire["properties"]["subnets"][0]["properties"]
    del subnet["addressPrefix"]
    subnet["addressPrefixes"] = ["10.224.0.0/16", "fd00:224::/64"]
    return wire


def _service(traffic: str) -> Json:
    ports = [{"port": 443, "targetPort": 8443, "nodePort": 31443, "protocol": "TCP"}]
    check = {"healthCheckNodePort": _HEALTH} if traffic == "Local" else {}
    return cloud.service(externalTrafficPolicy=traffic, ports=ports, **check)


def _balancer(traffic: str) -> Json:
    """Return the load balancer with a probe of the nodes' proxy, which no policy keeps out."""
    wire: Json = cloud.balancer()
    port = _HEALTH if traffic == "Local" else 10256
    probe = {"protocol": "Http", "port": port, "requestPath": "/healthz"}
    wire["properties"]["probes"][0]["properties"] = probe
    return wire


def _api_server() -> list[Json]:
    """Return the Service of the API server, whose addresses belong to Cilium's entity cluster."""
    meta = {"name": "kubernetes", "namespace": "default"}
    return [
        {"kind": "Service", "metadata": meta, "spec": {"type": "ClusterIP", "clusterIP": "10.0.0.1"}},
        {
            "kind": "EndpointSlice",
            "metadata": {**meta, "labels": {"kubernetes.io/service-name": "kubernetes"}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["20.60.1.1"], "conditions": {"ready": True}}],
            "ports": [{"name": "https", "port": 443}],
        },
    ]


def _endpoints() -> Json:
    wire: Json = cloud.endpoints("node-1", "node-2")
    for endpoint, name in zip(wire["endpoints"], ("web", "web-b"), strict=True):
        endpoint["addresses"] = [f"10.224.1.{PODS[name].number}"]
        endpoint["targetRef"]["name"] = name
    return wire
