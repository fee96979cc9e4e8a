"""The cause that is named is the one that fits, and what the controllers say is not passed over."""

from typing import Any

from aksnav.checks.finding import Proof
from aksnav.checks.sweep import sweep
from aksnav.trace.step import Certainty, Outcome, Trace
from tests.unit.trace_walk.changed_demo import ChangedDemo

STATUS = "http://status.apps.contoso.com/"


def with_policy(made: ChangedDemo, namespace: str, **spec: Any) -> None:
    """Add a NetworkPolicy."""
    made.put("NetworkPolicy", {"metadata": {"name": "tried", "namespace": namespace, "uid": "u"}, "spec": spec})


def said(answer: Trace) -> str:
    """Return what a trace takes for granted as one text."""
    return "; ".join(answer.confidence.because)


def test_a_policy_on_the_pods_own_port_is_not_blamed_for_a_wrong_port() -> None:
    """5432 is the Service's port and the Pod's: a client that asks 5433 is wrong, not the policy (no P02)."""
    made = ChangedDemo()
    name = made.pods("payments", "payments")[0]["metadata"]["name"]
    answer = made.ask("svc/payments/ledger:5433", f"pod/payments/{name}")
    assert answer.outcome is Outcome.DROPPED
    assert "P02" not in answer.causes


def test_a_policy_on_the_services_port_is_blamed() -> None:
    """80 is the Service's port, and its Pods listen on 8080 (P02)."""
    made = ChangedDemo()
    rule = {"from": [{"namespaceSelector": {}}], "ports": [{"protocol": "TCP", "port": 80}]}
    with_policy(made, "shop", podSelector={"matchLabels": {"app": "api"}}, ingress=[rule])
    assert made.ask("https://shop.contoso.com/api").causes == ("P02",)


def test_an_address_block_for_some_clients_is_a_hint_in_the_sweep() -> None:
    """A policy that lets the office in may be meant so: any client of the internet proves no fault."""
    made = ChangedDemo()
    rule = {"from": [{"ipBlock": {"cidr": "198.41.0.0/16"}}]}
    with_policy(made, "app-routing-system", podSelector={}, ingress=[rule])
    answer = made.ask("https://shop.contoso.com/api")
    assert answer.outcome is Outcome.DROPPED
    assert "the client is in none of the ranges that policies admit" in said(answer)
    assert {item.proof for item in sweep(made.store()) if item.id == "P01"} == {Proof.HINT}


def test_a_host_of_a_lone_canary_is_named_as_such() -> None:
    """A canary without a main rule opens no host: 404, and it is not said that no rule has the host (I24)."""
    made = ChangedDemo()
    backend = {"service": {"name": "search", "port": {"number": 80}}}
    path = {"path": "/", "pathType": "Prefix", "backend": backend}
    made.put(
        "Ingress",
        {
            "metadata": {
                "name": "lone",
                "namespace": "shop",
                "annotations": {"nginx.ingress.kubernetes.io/canary": "true"},
            },
            "spec": {
                "ingressClassName": "webapprouting.kubernetes.azure.com",
                "rules": [{"host": "lone.contoso.com", "http": {"paths": [path]}}],
            },
        },
    )
    answer = made.ask("http://lone.contoso.com/", resolve="20.50.1.7")
    assert (answer.status, answer.causes) == (404, ("I24",))
    assert "has the canary shop/lone and no main rule" in answer.breaks[0].summary


def test_a_gateway_that_is_not_programmed_proves_no_delivery() -> None:
    """A packet that arrives may be served all the same: that is an assumption, with the controller's word (G08)."""
    made = ChangedDemo()
    programmed = made.get("Gateway", "infra/web")["status"]["conditions"][1]
    programmed.update(status="False", reason="AddressNotAssigned")
    answer = made.ask(STATUS, resolve="20.50.1.8")
    assert answer.confidence.certainty is Certainty.ASSUMED
    assert "it serves all the same: Gateway infra/web is not served: Programmed is False" in said(answer)


def test_the_problem_of_a_class_has_the_packet_that_meets_it() -> None:
    """What is told of a controller that is not there belongs to the request that is asked."""
    made = ChangedDemo()
    made.put("IngressClass", {"metadata": {"name": "nginx"}, "spec": {"controller": "k8s.io/ingress-nginx"}})
    made.get("Ingress", "shop/blog")["spec"]["ingressClassName"] = "nginx"
    made.get("Ingress", "shop/blog")["status"] = {}
    step = next(step for step in made.ask("https://blog.contoso.com/").breaks if step.cause == "I02")
    assert (step.packet.host, step.packet.port) == ("blog.contoso.com", 443)
