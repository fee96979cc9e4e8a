"""Random clusters with Calico's policies, and what Calico does with a packet, worked out a second time from addresses.

The second way knows no labels at the time of the packet: like the engine's own agents, it turns every selector into the
set of addresses that match it, and walks the rules with addresses alone. Nothing in it is unknown.
"""

from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import Any, NamedTuple

from hypothesis import strategies as st

from tests.unit.trace_edge.world import Json, cluster, namespace, node, pod
from tests.unit.trace_edge.world import policy as kubernetes
from tests.unit.trace_policy_calico.cluster import calico, network_set, tier

Test = Callable[[dict[str, str]], bool]
Packet = tuple[str, str, int]
"""Source, destination, TCP port."""

SPACES = {"a": {"team": "red"}, "b": {"team": "blue"}}
SELECTORS: dict[str, Test] = {
    "all()": lambda _: True,
    "app == 'web'": lambda labels: labels.get("app") == "web",
    "app != 'web'": lambda labels: labels.get("app") != "web",
    "has(tier) && app in {'web', 'api'}": lambda labels: "tier" in labels and labels.get("app") in {"web", "api"},
    "!has(tier) || app starts with 'a'": lambda labels: "tier" not in labels or labels.get("app", "")[:1] == "a",
    "kind == 'office'": lambda labels: labels.get("kind") == "office",
}
SPACE_SELECTORS: dict[str, Test] = {
    "all()": lambda labels: "projectcalico.org/name" in labels,
    "global()": lambda labels: "projectcalico.org/name" not in labels,
    "team == 'red'": lambda labels: labels.get("team") == "red",
    "team != 'red'": lambda labels: labels.get("team") != "red",
    "projectcalico.org/name == 'b'": lambda labels: labels.get("projectcalico.org/name") == "b",
}
NETS = ("10.244.0.0/16", "10.244.0.1/32", "10.244.0.2/31", "203.0.113.0/24", "0.0.0.0/0", "10.224.0.0/24")
OUTSIDE = ("203.0.113.9", "198.51.100.7")
PORTS: tuple[int | str, ...] = (80, 443, "80:90", "http")
PROBES = (79, 80, 81, 90, 443)
FIRST = "first"


class Labelled(NamedTuple):
    """What selectors choose: addresses with labels, in a namespace or in none; ``pod`` is for Pods."""

    nets: tuple[str, ...]
    labels: dict[str, str]
    space: str
    pod: str = ""


class Made(NamedTuple):
    """A cluster: its objects in wire form, and what selectors choose from."""

    objects: list[Json]
    things: list[Labelled]


@st.composite
def entity(draw: st.DrawFn) -> Json:
    """Draw one side of a rule."""
    side: Json = {}
    if draw(st.booleans()):
        side["selector"] = draw(st.sampled_from(sorted(SELECTORS)))
    if draw(st.integers(0, 4)) == 0:
        side["namespaceSelector"] = draw(st.sampled_from(sorted(SPACE_SELECTORS)))
    if draw(st.integers(0, 2)) == 0:
        side["notSelector"] = draw(st.sampled_from(sorted(SELECTORS)))
    for field in ("nets", "notNets"):
        if draw(st.integers(0, 7)) == 0:
            side[field] = draw(st.lists(st.sampled_from(NETS), min_size=1, max_size=2))
    return side


@st.composite
def rules(draw: st.DrawFn) -> Json:
    """Draw a rule."""
    made: Json = {"action": draw(st.sampled_from(("Allow", "Allow", "Deny", "Deny", "Pass", "Log")))}
    for word in ("source", "source", "destination"):
        if draw(st.integers(0, 2)) == 0:
            made[word] = draw(entity())
    if draw(st.integers(0, 2)) == 0:
        made["protocol"] = draw(st.sampled_from(("TCP", "TCP", 6, "UDP")))
        field = draw(st.sampled_from(("ports", "notPorts", "")))
        if field:
            ports = draw(st.lists(st.sampled_from(PORTS), min_size=1, max_size=2))
            made["destination"] = {**made.get("destination", {}), field: ports}
    return made


@st.composite
def policies(draw: st.DrawFn, number: int) -> Json:
    """Draw a policy of Calico's."""
    name = draw(st.sampled_from(("default", "default", FIRST)))
    space = draw(st.sampled_from(("", "", *SPACES)))
    types = draw(st.sampled_from((["Ingress"], ["Egress"], ["Ingress", "Egress"])))
    spec: Json = {"tier": name, "types": types}
    for side in types:
        spec[side.lower()] = draw(st.lists(rules(), max_size=3))
    order = draw(st.sampled_from((None, 1, 1000, 1000.5, 2000)))
    if order is not None:
        spec["order"] = order
    spec["selector"] = draw(st.sampled_from(("all()", "all()", *SELECTORS)))
    if not space and draw(st.integers(0, 3)) == 0:
        spec["namespaceSelector"] = draw(st.sampled_from(("all()", "team == 'red'", "team != 'red'")))
    ident = f"{name}.p{number}"
    return calico(f"{space}/{ident}" if space else ident, **spec)


@st.composite
def clusters(draw: st.DrawFn) -> Made:
    """Draw a cluster of up to six Pods, with policies of Calico's and of Kubernetes', sets and tiers."""
    things: list[Labelled] = []
    objects: list[Json] = [namespace(name, **labels) for name, labels in SPACES.items()]
    objects += [node("node-1", "10.224.0.4"), node("node-2", "10.224.0.5"), cluster(networkPolicy="calico")]
    for number in range(draw(st.integers(2, 6))):
        labels = {"app": draw(st.sampled_from(("web", "api", "db")))}
        if draw(st.booleans()):
            labels["tier"] = "x"
        space, address = draw(st.sampled_from(sorted(SPACES))), f"10.244.0.{number + 1}"
        port = draw(st.sampled_from((80, 81)))
        made = pod(
            f"{space}/p{number}", address, labels, f"node-{number % 2 + 1}", [{"name": "http", "containerPort": port}]
        )
        objects.append(made)
        things.append(Labelled((address,), labels, space, f"{space}/p{number}:{port}"))
    for number in range(draw(st.integers(0, 2))):
        space = draw(st.sampled_from(("", *SPACES)))
        nets = tuple(draw(st.lists(st.sampled_from(NETS), min_size=1, max_size=2)))
        labels = {"kind": "office"} if draw(st.booleans()) else {"app": "web"}
        objects.append(network_set(f"{space}/s{number}" if space else f"s{number}", *nets, **labels))
        things.append(Labelled(nets, labels, space))
    objects.append(tier(FIRST, 10, draw(st.sampled_from(("", "Deny", "Pass")))))
    if draw(st.booleans()):
        objects.append(tier("default", 1000, draw(st.sampled_from(("", "Pass")))))
    objects += [draw(policies(number)) for number in range(draw(st.integers(1, 4)))]
    for number in range(draw(st.integers(0, 2))):
        peers = draw(st.sampled_from(([], [{}], [{"from": [{"podSelector": {"matchLabels": {"app": "web"}}}]}])))
        objects.append(kubernetes(f"{draw(st.sampled_from(sorted(SPACES)))}/k{number}", ingress=peers))
    return Made(draw(st.permutations(objects)), things)


def _holds(nets: Any, address: str) -> bool:
    return any(ip_address(address) in ip_network(net) for net in nets)


def _space(thing: Labelled) -> dict[str, str]:
    return {**SPACES[thing.space], "projectcalico.org/name": thing.space} if thing.space else {}


def _chosen(side: Json, space: str, thing: Labelled) -> bool:
    """Return whether the selectors of a side of a rule choose a thing; those of Kubernetes' rules choose Pods alone."""
    if side.get("pods") and not thing.pod:
        return False
    if "namespaceSelector" in side:
        if not SPACE_SELECTORS[side["namespaceSelector"]](_space(thing)):
            return False
    elif space and thing.space != space:
        return False
    if "selector" in side and not SELECTORS[side["selector"]](thing.labels):
        return False
    return not ("notSelector" in side and SELECTORS[side["notSelector"]](thing.labels))


def _side(side: Json, space: str, address: str, things: list[Labelled]) -> bool:
    if "nets" in side and not _holds(side["nets"], address):
        return False
    if "notNets" in side and _holds(side["notNets"], address):
        return False
    here = [thing for thing in things if _holds(thing.nets, address)]
    if "selector" in side or "namespaceSelector" in side or (space and "notSelector" in side):
        return any(_chosen(side, space, thing) for thing in here)
    return not ("notSelector" in side and any(SELECTORS[side["notSelector"]](thing.labels) for thing in here))


def _ports(listed: list[int | str], packet: Packet, things: list[Labelled]) -> bool:
    names = {thing.nets[0]: int(thing.pod.partition(":")[2]) for thing in things if thing.pod}
    _, target, port = packet
    for item in listed:
        if item == "http" and names.get(target) == port:
            return True
        if isinstance(item, int) and item == port:
            return True
        if isinstance(item, str) and ":" in item:
            first, last = map(int, item.split(":"))
            if first <= port <= last:
                return True
    return False


def _matches(rule: Json, space: str, packet: Packet, things: list[Labelled]) -> bool:
    if rule.get("protocol", "TCP") not in {"TCP", 6}:
        return False
    goal = rule.get("destination", {})
    if "ports" in goal and not _ports(goal["ports"], packet, things):
        return False
    if "notPorts" in goal and _ports(goal["notPorts"], packet, things):
        return False
    return _side(rule.get("source", {}), space, packet[0], things) and _side(goal, space, packet[1], things)


def _as_calico(wire: Json) -> Json:
    """Return a NetworkPolicy of Kubernetes' as Calico converts it; of its forms, those that are drawn here."""
    name, space = wire["metadata"]["name"], wire["metadata"]["namespace"]
    given = [
        {"action": "Allow", **({"source": {"selector": "app == 'web'", "pods": True}} if rule.get("from") else {})}
        for rule in wire["spec"]["ingress"]
    ]
    return calico(f"{space}/knp.default.{name}", order=1000, types=["Ingress"], ingress=given)


def lets_through(made: Made, packet: Packet, direction: str, judged: Labelled) -> bool:
    """Return what Calico does with a packet at one of its ends."""
    listed = [item for item in made.objects if item["kind"] in {"CalicoNetworkPolicy", "GlobalNetworkPolicy"}]
    listed += [_as_calico(item) for item in made.objects if item["kind"] == "NetworkPolicy"]
    tiers = {item["metadata"]["name"]: item["spec"] for item in made.objects if item["kind"] == "Tier"}
    for name in (FIRST, "default"):
        inside = [item for item in listed if item["spec"].get("tier", "default") == name]
        inside = [item for item in inside if direction in item["spec"]["types"] and _selects(item, judged)]
        inside.sort(key=lambda item: (item["spec"].get("order", float("inf")), _key(item)))
        end = _in_order(inside, packet, direction, made.things)
        if end in {"Allow", "Deny"}:
            return end == "Allow"
        if end == "" and inside and tiers.get(name, {}).get("defaultAction", "Deny") == "Deny":
            return False
    return True


def _key(wire: Json) -> str:
    meta = wire["metadata"]
    return f"{meta['namespace']}/{meta['name']}" if "namespace" in meta else str(meta["name"])


def _selects(wire: Json, thing: Labelled) -> bool:
    spec, space = wire["spec"], wire["metadata"].get("namespace", "")
    if space and thing.space != space:
        return False
    if "namespaceSelector" in spec and not SPACE_SELECTORS[spec["namespaceSelector"]](_space(thing)):
        return False
    return SELECTORS[spec.get("selector", "all()")](thing.labels)


def _in_order(listed: list[Json], packet: Packet, direction: str, things: list[Labelled]) -> str:
    for item in listed:
        for rule in item["spec"].get(direction.lower(), ()):
            if rule["action"] != "Log" and _matches(rule, item["metadata"].get("namespace", ""), packet, things):
                return str(rule["action"])
    return ""
