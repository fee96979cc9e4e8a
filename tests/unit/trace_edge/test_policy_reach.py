"""Who can talk to a Pod, and to whom it can talk."""

from aksnav.store.store import Store
from aksnav.trace.policy import reach
from tests.unit.trace_edge.world import cluster, made, namespace, node, pod, policy, the_pod

PORTS = [{"containerPort": 8080}]


def world() -> Store:
    """Return two Pods of one workload, one of another, and a policy between them."""
    return made(
        namespace("shop"),
        node("node-1", "10.224.0.4"),
        node("node-2", "10.224.0.5"),
        pod("shop/web-1", "10.244.0.5", {"app": "web"}, "node-1", PORTS),
        pod("shop/api-1", "10.244.0.6", {"app": "api"}, "node-1", PORTS),
        pod("shop/api-2", "10.244.1.6", {"app": "api"}, "node-2", PORTS),
        pod("shop/job-1", "10.244.1.7", {"app": "job"}, "node-2", PORTS),
        policy(
            "shop/web",
            podSelector={"matchLabels": {"app": "web"}},
            ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "api"}}}]}],
        ),
        cluster(networkPolicy="azure"),
    )


def test_pods_that_policies_cannot_tell_apart_are_asked_once() -> None:
    """Two Pods of a workload are one line; nodes and the internet are told as well."""
    store = world()
    told = {item.peer: (item.count, item.allowed) for item in reach.incoming(store, the_pod(store, "shop/web-1"), 8080)}
    assert told == {
        "shop app=api": (2, True),
        "shop app=job": (1, False),
        "its node node-1": (1, True),
        "another node (node-2)": (1, False),
        "any client of the internet": (1, False),
    }


def test_what_a_pod_reaches_is_told_by_declared_port() -> None:
    """Every declared port of every other kind of Pod has a line."""
    store = world()
    told = {(item.peer, item.port): item.allowed for item in reach.outgoing(store, the_pod(store, "shop/job-1"))}
    assert told == {("shop app=api", 8080): True, ("shop app=web", 8080): False}
