"""Who can talk to a Pod, and to whom it can talk."""

import pytest

from aksnav.store.store import Store
from aksnav.trace.policy.decision import Direction
from aksnav.trace.policy.reach import Talk, talk
from aksnav.trace.policy.reach_ports import words
from aksnav.trace.policy.subject import parse_subject
from aksnav.trace.request import BadRequest
from tests.unit.trace_edge.world import Json, cluster, made, namespace, node, pod, policy

PORTS = [{"containerPort": 8080}]


def owned(wire: Json, kind: str, name: str) -> Json:
    """Return a Pod with an owner."""
    wire["metadata"]["ownerReferences"] = [{"kind": kind, "name": name, "controller": True}]
    return wire


def world(*more: Json, denied: tuple[str, ...] = ()) -> Store:
    """Return two Pods of one workload, one of another, and a policy between them."""
    return made(
        namespace("shop"),
        node("node-1", "10.224.0.4"),
        node("node-2", "10.224.0.5"),
        pod("shop/web-1", "10.244.0.5", {"app": "web"}, "node-1", PORTS),
        owned(pod("shop/api-1", "10.244.0.6", {"app": "api", "pod-template-hash": "1"}), "ReplicaSet", "api-1"),
        owned(pod("shop/api-2", "10.244.1.6", {"app": "api", "pod-template-hash": "2"}), "ReplicaSet", "api-2"),
        owned(pod("shop/job-1", "10.244.1.7", {"app": "job"}, "node-2", PORTS), "StatefulSet", "job"),
        policy(
            "shop/web",
            podSelector={"matchLabels": {"app": "web"}},
            ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "api"}}}], "ports": [{"port": 8080}]}],
        ),
        cluster(networkPolicy="azure"),
        *more,
        denied=denied,
    )


def told(answer: Talk, direction: Direction) -> dict[tuple[str, str], tuple[bool | None, int]]:
    """Return what holds for each peer and its ports."""
    return {
        (str(row.peer), words(row.ports)): (row.allowed, row.count) for row in answer.rows if row.direction is direction
    }


def asked(store: Store, subject: str) -> Talk:
    """Return the answer for a subject."""
    return talk(store, parse_subject(store, subject))


def test_peers_are_told_by_workload_with_what_holds_on_each_port() -> None:
    """Two ReplicaSets of a Deployment are one line; what is not declared is told as well; nodes and clients too."""
    assert told(asked(world(), "pod/shop/web-1"), Direction.INGRESS) == {
        ("shop Deployment api", "TCP 8080"): (True, 2),
        ("shop Deployment api", "every other TCP port"): (False, 2),
        ("shop StatefulSet job", "TCP 8080, every TCP port"): (False, 1),
        ("its own node", "TCP 8080, every TCP port"): (True, 0),
        ("any other node", "TCP 8080, every TCP port"): (False, 0),
        ("any address of the internet", "TCP 8080, every TCP port"): (False, 0),
    }


def test_what_a_pod_reaches_is_told_by_the_ports_of_the_peers() -> None:
    """Every other workload has a line for what is let through and one for what is not."""
    found = told(asked(world(), "pod/shop/job-1"), Direction.EGRESS)
    assert found["shop Pods app=web", "TCP 8080, every TCP port"] == (False, 1)
    assert found["shop Deployment api", "every TCP port"] == (True, 2)


def test_the_policy_that_decides_is_named() -> None:
    """The policy that admits, and those that isolate."""
    listed = [row for row in asked(world(), "shop/web-1").rows if row.direction is Direction.INGRESS]
    rows = {(str(row.peer), row.allowed): row for row in listed}
    assert [str(ref) for ref in rows["shop Deployment api", True].policies] == ["NetworkPolicy shop/web"]
    assert [str(ref) for ref in rows["shop StatefulSet job", False].policies] == ["NetworkPolicy shop/web"]


def test_policies_that_cannot_be_read_leave_everything_undecided() -> None:
    """Without the policies nothing is allowed, and nothing denied."""
    answer = asked(world(denied=("NetworkPolicy",)), "pod/shop/web-1")
    assert answer.undecided
    assert {row.allowed for row in answer.rows} == {None}


def test_pods_that_cannot_be_read_are_said_to_be_missing() -> None:
    """Peers that nobody can list are not passed over in silence."""
    answer = asked(world(denied=("Node",)), "pod/shop/web-1")
    assert answer.undecided
    assert answer.missing == ("list nodes (forbidden)",)


def test_pods_with_host_network_are_told_by_node_where_that_decides() -> None:
    """A Pod's own node gets through where others do not, and so do the Pods that have its address."""
    daemons = [
        owned(pod(f"kube-system/agent-{number}", f"10.224.0.{number}", {"k8s-app": "agent"}, name, hostNetwork=True),
              "DaemonSet", "agent")
        for number, name in ((4, "node-1"), (5, "node-2"))
    ]  # fmt: skip
    found = told(asked(world(*daemons), "pod/shop/web-1"), Direction.INGRESS)
    assert found["kube-system DaemonSet agent (on the same node)", "TCP 8080, every TCP port"] == (True, 1)
    assert found["kube-system DaemonSet agent (on another node)", "TCP 8080, every TCP port"] == (False, 1)


def test_blocks_that_policies_name_are_told_piece_by_piece() -> None:
    """A block, and the exception that is cut out of it, on the ports of the rule."""
    block = {"ipBlock": {"cidr": "203.0.113.0/24", "except": ["203.0.113.128/25"]}}
    office = policy("shop/office", ingress=[{"from": [block], "ports": [{"port": 8000, "endPort": 9000}]}])
    found = told(asked(world(office), "pod/shop/web-1"), Direction.INGRESS)
    assert found["203.0.113.0/25", "TCP 8080, TCP 8000-9000"] == (True, 0)
    assert found["203.0.113.128/25", "TCP 8080, every TCP port"] == (False, 0)


def test_an_address_of_nobody_is_a_subject_as_well() -> None:
    """An address outside of the cluster is let in where no policy isolates."""
    found = told(asked(world(), "8.8.8.8"), Direction.EGRESS)
    assert found["shop Pods app=web", "TCP 8080, every TCP port"] == (False, 1)
    assert found["shop StatefulSet job", "TCP 8080, every TCP port"] == (True, 1)


@pytest.mark.parametrize(
    "text", ["pod/shop", "svc/a/b/c", "shop", "deploy/shop/web", "", "pod//x", "ns/", "pod/shop/gone"]
)
def test_a_subject_that_is_none_is_one_line(text: str) -> None:
    """What is wrong is said, and what there is."""
    with pytest.raises(BadRequest) as caught:
        parse_subject(world(), text)
    assert "\n" not in str(caught.value)
