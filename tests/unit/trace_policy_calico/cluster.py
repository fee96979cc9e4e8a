"""A small cluster whose engine is Calico, and Calico's objects in wire form as they are stored."""

from typing import Any

from aksnav.store.store import Store
from aksnav.trace import policy
from aksnav.trace.step import Step, Verdict
from tests.unit.trace_edge.world import Json, cluster, crossing, made, namespace, node, pod

STORED, SERVED = "crd.projectcalico.org/v1", "projectcalico.org/v3"
WEB, API, DB = "shop/web", "shop/api", "pay/db"
CLIENT = "203.0.113.9"
PORTS = (
    {"name": "http", "containerPort": 80},
    {"name": "more", "containerPort": 90},
    {"name": "dns", "containerPort": 53, "protocol": "UDP"},
    {"name": "sip", "containerPort": 9, "protocol": "SCTP"},
)


def world(*objects: Json, engine: str = "calico", other_node: str = "node-2") -> Store:
    """Return two namespaces, two nodes and three Pods, with a managed cluster that names its engine.

    Args:
        objects: what else there is.
        engine: as the managed cluster names it; empty for no managed cluster at all.
        other_node: where the Pods besides the first run; on the first one's node no security group is in between.
    """
    return made(
        namespace("shop", team="red"),
        namespace("pay", team="blue"),
        node("node-1", "10.224.0.4"),
        node("node-2", "10.224.0.5"),
        pod(WEB, "10.244.0.5", {"app": "web", "role": "front"}, "node-1", PORTS),
        pod(API, "10.244.1.5", {"app": "api", "role": "back"}, other_node, PORTS),
        pod(DB, "10.244.1.6", {"app": "db"}, other_node, PORTS, serviceAccountName="keeper"),
        *objects,
        *([cluster(networkPolicy=engine)] if engine else []),
    )


def calico(ident: str, *, api: str = STORED, **spec: Any) -> Json:
    """Return a policy of Calico's: a NetworkPolicy for ``ns/name``, a GlobalNetworkPolicy for a name alone."""
    space, slash, name = ident.rpartition("/")
    kind = "CalicoNetworkPolicy" if slash else "GlobalNetworkPolicy"
    meta = {"name": name, "namespace": space} if slash else {"name": name}
    return {"kind": kind, "apiVersion": api, "metadata": meta, "spec": spec}


def both(ident: str, *, api: str = STORED, **spec: Any) -> Json:
    """Return a policy for the direction in, with the rules given as ``ingress`` (or the other with ``egress``)."""
    types = ["Ingress" if side == "ingress" else "Egress" for side in ("ingress", "egress") if side in spec]
    return calico(ident, api=api, **{"types": types or ["Ingress"], **spec})


def tier(name: str, order: float | None = None, action: str = "") -> Json:
    """Return a Tier."""
    spec: Json = {} if order is None else {"order": order}
    return {
        "kind": "Tier",
        "metadata": {"name": name},
        "spec": {**spec, **({"defaultAction": action} if action else {})},
    }


def network_set(ident: str, *nets: str, **labels: str) -> Json:
    """Return a NetworkSet for ``ns/name``, a GlobalNetworkSet for a name alone."""
    space, slash, name = ident.rpartition("/")
    meta: Json = {"name": name, "labels": labels, **({"namespace": space} if slash else {})}
    return {"kind": "NetworkSet" if slash else "GlobalNetworkSet", "metadata": meta, "spec": {"nets": list(nets)}}


def host_endpoint(name: str, node_name: str, *ips: str, **labels: str) -> Json:
    """Return a HostEndpoint."""
    spec = {"node": node_name, "interfaceName": "*", "expectedIPs": list(ips)}
    return {"kind": "HostEndpoint", "metadata": {"name": name, "labels": labels}, "spec": spec}


def rule(action: str, *, source: Json | None = None, destination: Json | None = None, **more: Any) -> Json:
    """Return a rule."""
    sides = {name: side for name, side in (("source", source), ("destination", destination)) if side is not None}
    return {"action": action, **sides, **more}


def allow(**more: Any) -> Json:
    """Return a rule that allows."""
    return rule("Allow", **more)


def deny(**more: Any) -> Json:
    """Return a rule that denies."""
    return rule("Deny", **more)


_WORDS = {
    Verdict.PASS: "allow", Verdict.SKIP: "allow", Verdict.DROP: "deny", Verdict.UNSUPPORTED: "?", Verdict.BLIND: "?",
}  # fmt: skip


def steps(
    store: Store, source: str, target: str = WEB, port: int = 80, protocol: str = "TCP", **more: Any
) -> list[Step]:
    """Return the policy steps of a connection, egress first."""
    return list(policy.judge(store, crossing(store, source, target, port, protocol, **more)))


def word(found: list[Step]) -> str:
    """Return what steps come to: allow, deny, or a question mark."""
    said = {_WORDS[step.verdict] for step in found}
    return "deny" if "deny" in said else "?" if "?" in said else "allow"
