"""More pairs: what Pods and events prove (S14, X10), certificates of cert-manager (T06), gateways (A03, A10, A14)."""

import copy
from collections.abc import Callable
from pathlib import Path

import pytest

from aksnav.checks.finding import Proof
from aksnav.checks.gateway_limits import gateway_limit_findings
from aksnav.checks.sweep import sweep
from aksnav.sources.demo.world import Json, World, thing
from aksnav.trace import parse_request, trace
from tests.azure.cluster_objects import Objects, base
from tests.azure.gateway_objects import app_gateway
from tests.azure.ways_in import read
from tests.unit.checks.test_pairs import Pair, about, capture, fields_of, nothing

API = "http://shop.example/api"
UNTRUSTED = "The server certificate used by the backend is not signed by a well-known Certificate Authority (CA)."
OTHER_ROOT = "The root certificate of the server certificate does not match the trusted root certificate."


def another(world: World, owner: str, *, kind: str = "ReplicaSet", port: int | None = None, address: str = "") -> Json:
    """Add a Pod like the first one of shop/blog that another workload owns, and return it."""
    made = copy.deepcopy(world.pods_of("shop", {"app": "blog"})[0])
    made["metadata"] |= {"name": f"{owner}-x7x7x", "uid": f"uid-{owner}"}
    made["metadata"]["ownerReferences"][0] |= {"kind": kind, "name": owner, "uid": f"owner-{owner}"}
    made["metadata"]["labels"] = {**made["metadata"]["labels"], "pod-template-hash": owner.rpartition("-")[2]}
    ip = address or made["status"]["podIP"].rpartition(".")[0] + ".231"
    made["status"] |= {"podIP": ip, "podIPs": [{"ip": ip}]}
    if port is not None:
        made["spec"]["containers"][0]["ports"] = [{"containerPort": port, "name": "other"}]
    world.put("Pod", made)
    return made


def same_port(world: World) -> None:
    """A second Deployment behind the Service, which sends to a number, with the same port."""
    number = world.pods_of("shop", {"app": "blog"})[0]["spec"]["containers"][0]["ports"][0]["containerPort"]
    world.get("Service", "shop/blog")["spec"]["ports"][0]["targetPort"] = number
    another(world, "blog-canary-6f5d4c")


def other_port(world: World) -> None:
    another(world, "reporter-6f5d4c", port=9099)


def undeclared(world: World) -> None:
    found = another(world, "reporter-6f5d4c")
    del found["spec"]["containers"][0]["ports"]


def scaled(world: World, owner: str, *, to: int = 1, minute: int = 5) -> None:
    """Add the event of a Deployment's controller that scaled a ReplicaSet up."""
    deployment = owner.rpartition("-")[0]
    at = f"2026-11-24T08:{minute:02}:00Z"
    event = thing(
        "Event",
        f"{owner}.{minute}",
        "shop",
        involvedObject={"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "shop", "name": deployment},
        type="Normal",
        reason="ScalingReplicaSet",
        message=f"Scaled up replica set {owner} to {to} from 0",
        count=1,
        firstTimestamp=at,
        lastTimestamp=at,
    )
    world.put("Event", event)


def waiting(reason: str) -> Callable[[World], None]:
    """Return a new ReplicaSet's Pod whose container waits."""

    def change(world: World) -> None:
        found = another(world, "blog-6f5d4c")
        for condition in found["status"]["conditions"]:
            if condition["type"] in {"Ready", "ContainersReady"}:
                condition["status"] = "False"
        state = {"waiting": {"reason": reason}}
        found["status"]["containerStatuses"][0] |= {"ready": False, "state": state}
        scaled(world, "blog-6f5d4c")

    return change


def rolled_out(world: World) -> None:
    another(world, "blog-6f5d4c")
    scaled(world, "blog-6f5d4c")


def rolled_back(world: World) -> None:
    """The old ReplicaSet was scaled up after the new one that cannot start."""
    waiting("ImagePullBackOff")(world)
    old = world.pods_of("shop", {"app": "blog"})[0]["metadata"]["ownerReferences"][0]["name"]
    scaled(world, old, to=2, minute=9)


def issued(world: World) -> None:
    """The Secret of shop/blog is one that cert-manager makes, and is there."""
    marks = world.get("Ingress", "shop/blog")["metadata"].setdefault("annotations", {})
    marks["cert-manager.io/cluster-issuer"] = "letsencrypt"


def not_issued(world: World) -> None:
    world.drop("Secret", "shop/blog-tls")


PAIRS = {
    "two workloads behind one Service": Pair(
        "S14",
        ".spec.containers[*].ports[*].containerPort",
        same_port,
        other_port,
    ),
    "a rollout that crashes": Pair("X10", ".message", rolled_out, waiting("CrashLoopBackOff")),
    "a rollout without an image": Pair(
        "X10", ".status.containerStatuses[*].state.waiting.reason", nothing, waiting("ImagePullBackOff")
    ),
    "a certificate that cert-manager has not issued": Pair(
        "T06", ".metadata.annotations['cert-manager.io/cluster-issuer']", issued, not_issued
    ),
}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_what_is_broken_is_found_by_its_field_and_what_is_mended_is_not(pair: Pair) -> None:
    """The broken capture gives that finding alone; the mended one gives none."""
    assert sweep(capture(pair.mended)) == []
    found = sweep(capture(pair.mended, pair.broken))
    assert {finding.id for finding in found} == {pair.check}
    assert pair.field in fields_of(found[0])
    assert found[0].fix
    assert found[0].confirm


@pytest.mark.parametrize("change", [undeclared, waiting("ContainerCreating"), rolled_back])
def test_what_may_be_as_it_is_meant_is_no_finding(change: Callable[[World], None]) -> None:
    """Pods that declare nothing, Pods that are being made, and a rollout that somebody took back."""
    assert not {item.id for item in sweep(capture(change))} & {"S14", "X10"}


def test_a_stuck_rollout_names_the_deployment_and_who_serves() -> None:
    """The Deployment is not read: its name is in the event."""
    (found,) = sweep(capture(waiting("CrashLoopBackOff")))
    assert (str(found.subject), found.proof) == ("Deployment shop/blog", Proof.PROVEN)
    assert {getattr(ref, "kind", "") for ref in about(found)} == {"Deployment", "Pod", "Event"}


def pools(count: int) -> Callable[[Objects], None]:
    def change(made: Objects) -> None:
        listed = made["agw"]["properties"]["backendAddressPools"]
        listed += [{"id": f"{made['agw']['id']}/backendAddressPools/p{number}", "name": f"p{number}"}
                   for number in range(count - len(listed))]  # fmt: skip

    return change


def path_rules(count: int) -> Callable[[Objects], None]:
    def change(made: Objects) -> None:
        listed = made["agw"]["properties"]["urlPathMaps"][0]["properties"]["pathRules"]
        listed += [
            {"id": f"{made['agw']['id']}/r{number}", "name": f"r{number}"} for number in range(count - len(listed))
        ]

    return change


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (pools(99), ""),
        (pools(100), ".backendAddressPools"),
        (path_rules(99), ""),
        (path_rules(100), ".urlPathMaps[?name=='url-shop'].pathRules"),
    ],
)
def test_a_gateway_that_takes_no_more_is_told(tmp_path: Path, change: Callable[[Objects], None], field: str) -> None:
    """A10: the last one that fits is the last one that AGIC can write."""
    made = base()
    app_gateway(made)
    change(made)
    found = [item for item in sweep(read(tmp_path, made)) if item.id == "A10"]
    assert [fact.field for item in found for fact in item.evidence] == ([field] if field else [])


def refused(made: Objects) -> None:
    made["event"] = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "agic.1", "namespace": "kube-system"},
        "involvedObject": {"kind": "Pod", "namespace": "kube-system", "name": "ingress-appgw-deployment-1"},
        "type": "Warning",
        "reason": "FailedApplyingAppGwConfig",
        "message": 'Code="ApplicationGatewaySslCertificateInvalidData" Message="the data of certificate x is invalid"',
        "lastTimestamp": "2026-11-24T08:05:00Z",
    }


def stale(made: Objects) -> None:
    pool = made["agw"]["properties"]["backendAddressPools"][0]["properties"]
    pool["backendAddresses"] = [{"ipAddress": "10.244.0.77"}]


@pytest.mark.parametrize(("changes", "count"), [((refused, stale), 1), ((refused,), 0), ((stale,), 0)])
def test_a_configuration_that_was_refused_keeps_every_host(
    tmp_path: Path, changes: tuple[Callable[[Objects], None], ...], count: int
) -> None:
    """A03: the event says that it was refused, and a pool that it has not been written since."""
    made = base()
    app_gateway(made)
    for change in changes:
        change(made)
    found = list(gateway_limit_findings(read(tmp_path, made)))
    assert [item.id for item in found] == ["A03"] * count
    assert all("ApplicationGatewaySslCertificateInvalidData" in item.evidence[0].value for item in found)


@pytest.mark.parametrize(
    ("log", "cause"),
    [(UNTRUSTED, "A14"), (OTHER_ROOT, "A14"), ("Received invalid status code: 404", "A04"), ("", "A04")],
)
def test_the_gateways_own_word_on_a_certificate_is_the_cause(tmp_path: Path, log: str, cause: str) -> None:
    """A14 where each server is out for its certificate; any other reason is the probe's."""
    made = base()
    app_gateway(made)
    ident = made["agw"]["id"]
    servers = [{"address": "10.244.0.5", "health": "Unhealthy", "healthProbeLog": log}]
    made["agw"]["properties"]["backendHealth"] = [
        {
            "backendAddressPool": {"id": f"{ident}/backendAddressPools/pool-shop-web-443-bp-8443"},
            "backendHttpSettingsCollection": [
                {"backendHttpSettings": {"id": f"{ident}/backendHttpSettingsCollection/bp-web"}, "servers": servers}
            ],
        }
    ]
    found = trace(read(tmp_path, made), parse_request(API, source="internet"))
    assert found.causes == (cause,)
    assert "backendHealth.health" in {fact.field for fact in found.breaks[0].evidence}
