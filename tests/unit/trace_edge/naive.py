"""NetworkPolicy a second time: read from the manifests as they are written, one by one, with nothing kept.

Written from the API reference (NetworkPolicySpec and what is below it) and from nothing else of this project, so that
the two can be held against each other. Azure NPM's reading: an ipBlock covers Pods.
"""

from ipaddress import ip_address, ip_network
from typing import Any

Json = dict[str, Any]


def naive(objects: list[Json], source: Json, target: Json, protocol: str, port: int) -> bool:
    """Return whether policies let a connection through between two Pods."""
    policies = [item for item in objects if item["kind"] == "NetworkPolicy"]
    spaces = {item["metadata"]["name"]: item["metadata"]["labels"] for item in objects if item["kind"] == "Namespace"}
    out = [item for item in policies if _isolates(item, source, "Egress")]
    into = [item for item in policies if _isolates(item, target, "Ingress")]
    asked = (target, protocol, port)
    leaves = not out or any(_admits(item, "egress", "to", target, spaces, asked) for item in out)
    return leaves and (not into or any(_admits(item, "ingress", "from", source, spaces, asked) for item in into))


def _isolates(policy: Json, pod: Json, direction: str) -> bool:
    spec = policy["spec"]
    types = spec.get("policyTypes") or (["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])
    same = policy["metadata"]["namespace"] == pod["metadata"]["namespace"]
    return same and direction in types and _matches(spec["podSelector"], pod["metadata"]["labels"])


def _matches(selector: Json, labels: dict[str, str]) -> bool:
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    for line in selector.get("matchExpressions", ()):
        value, values = labels.get(line["key"]), line.get("values", ())
        held = {
            "In": value is not None and value in values,
            "NotIn": value is None or value not in values,
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }
        if not held[line["operator"]]:
            return False
    return True


def _admits(
    policy: Json, side: str, end: str, other: Json, spaces: dict[str, dict[str, str]], asked: tuple[Json, str, int]
) -> bool:
    for rule in policy["spec"].get(side, ()):
        peers, ports = rule.get(end), rule.get("ports")
        at_peer = not peers or any(_peer(item, policy, other, spaces) for item in peers)
        if at_peer and (not ports or any(_port(item, *asked) for item in ports)):
            return True
    return False


def _peer(peer: Json, policy: Json, other: Json, spaces: dict[str, dict[str, str]]) -> bool:
    if "ipBlock" in peer:
        address = ip_address(other["status"]["podIP"])
        cut = peer["ipBlock"].get("except", ())
        return address in ip_network(peer["ipBlock"]["cidr"]) and all(address not in ip_network(one) for one in cut)
    space = other["metadata"]["namespace"]
    if "namespaceSelector" in peer:
        if not _matches(peer["namespaceSelector"], spaces[space]):
            return False
    elif space != policy["metadata"]["namespace"]:
        return False
    return _matches(peer.get("podSelector", {}), other["metadata"]["labels"])


def _port(entry: Json, target: Json, protocol: str, port: int) -> bool:
    if entry.get("protocol", "TCP") != protocol:
        return False
    wanted: Any = entry.get("port")
    if isinstance(wanted, str):
        declared = target["spec"]["containers"][0]["ports"]
        return any(
            item.get("name") == wanted and item.get("protocol", "TCP") == protocol and item["containerPort"] == port
            for item in declared
        )
    return wanted is None or wanted <= port <= entry.get("endPort", wanted)
