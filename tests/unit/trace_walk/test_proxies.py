"""Proxies on the road: those outside of the cluster, those that fail, and what a client sees of a cut behind them."""

from typing import Any

import msgspec
import pytest

from aksnav.model.change import Upserted
from aksnav.model.kubernetes.gateway import BackendRef
from aksnav.sources import demo
from aksnav.store import Store
from aksnav.trace import parse_request, trace
from aksnav.trace.step import UNKNOWN, Kind, Outcome, Verdict
from tests.unit.trace_walk.cluster import Cluster, simple, steps_of

AGIC = "azure/application-gateway"
ADDRESS = "20.9.9.9"


def with_application_gateway(**service: Any) -> Cluster:
    """Return the small cluster with an Ingress that an Application Gateway serves at 20.9.9.9."""
    made = simple()
    made.add("IngressClass", {"metadata": {"name": "agw"}, "spec": {"controller": AGIC}})
    made.service("shop/web", **service)
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    made.add(
        "Ingress",
        {
            "metadata": {"name": "shop", "namespace": "shop"},
            "spec": {
                "ingressClassName": "agw",
                "rules": [
                    {
                        "host": "shop.example",
                        "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]},
                    }
                ],
            },
            "status": {"loadBalancer": {"ingress": [{"ip": ADDRESS}]}},
        },
    )
    return made


def test_an_application_gateway_is_followed_but_never_proven() -> None:
    """Its configuration is not read: undecided by name, while the rule and the backend are told."""
    answer = with_application_gateway().ask("http://shop.example/", "internet")
    assert answer.outcome is Outcome.UNDECIDED
    listener = next(step for step in steps_of(answer) if step.kind is Kind.APPGW_LISTENER)
    assert listener.verdict is Verdict.UNSUPPORTED
    assert "Application Gateway" in listener.missing
    assert [(item.service, item.port) for item in answer.backends] == [("web", 80)]


def test_a_backend_without_endpoints_behind_an_application_gateway_is_502() -> None:
    """What is certain whatever the gateway's own configuration: it has nowhere to send."""
    made = with_application_gateway(selector={"app": "nothing"})
    made.slice("shop/web", [])
    answer = made.ask("http://shop.example/", "internet")
    assert (answer.outcome, answer.status) == (Outcome.RESPONDS, 502)
    assert "S01" in answer.causes


def load(scenario: str) -> Store:
    store = Store()
    for change in demo.changes(scenario, lambda: 1_764_000_000.0):
        store.apply(change)
    return store


@pytest.mark.parametrize(
    ("scenario", "url", "status"),
    [
        ("s02-no-ready-endpoint", "https://shop.contoso.com/api", 503),
        ("s03-wrong-target-port", "https://shop.contoso.com/cart", 502),
        ("p01-policy-blocks-gateway", "https://pay.apps.contoso.com/", 503),
    ],
)
def test_a_client_sees_the_proxys_status(scenario: str, url: str, status: int) -> None:
    """NGINX: 503 without endpoints, 502 for a refusal; Envoy: 503 for silence. The break is the cut, not the answer."""
    answer = trace(load(scenario), parse_request(url))
    assert (answer.outcome, answer.status) == (Outcome.RESPONDS, status)
    assert all(step.cause for step in answer.breaks if step.verdict not in UNKNOWN)


def test_a_proxys_other_ports_are_not_routed() -> None:
    """The metrics port of an ingress controller's Pod is answered by the Pod itself, not by a rule."""
    store = load("healthy")
    pod = next(item for item in store.pods if item.id.startswith("app-routing-system/nginx"))
    client = next(ident for ident in sorted(store.pods.ids()) if ident.startswith("shop/blog"))
    answer = trace(store, parse_request(f"http://{pod.ip}:10254/metrics", f"pod/{client}"))
    assert not [step for step in steps_of(answer) if step.kind is Kind.ROUTE_MATCH]


def test_a_tcp_request_to_a_proxy_ends_at_the_proxy() -> None:
    """Without HTTP in it there is nothing to route by: the controller's Pod is the destination."""
    answer = trace(load("healthy"), parse_request("tcp://20.50.1.7:443"))
    assert answer.outcome is Outcome.DELIVERED
    assert all(place.namespace == "app-routing-system" for place in answer.destinations)


def test_weights_are_shares_of_the_whole() -> None:
    """Two backends 3 to 1 are three quarters and a quarter, over however many nodes and proxy Pods."""
    store = load("healthy")
    route = store.http_routes.get("shop/status")
    assert route is not None
    refs = (BackendRef(name="status", port=80, weight=3), BackendRef(name="web", port=80, weight=1))
    rule = msgspec.structs.replace(route.rules[0], backend_refs=refs)
    store.apply(Upserted("HTTPRoute", [msgspec.structs.replace(route, rules=(rule,))]))
    answer = trace(store, parse_request("https://status.apps.contoso.com/"))
    assert [(item.service, item.weight) for item in answer.backends] == [("status", 0.75), ("web", 0.25)]


def test_a_backend_on_an_external_name_is_looked_up() -> None:
    """A rule that sends to an ExternalName Service goes on by name from the proxy's Pod."""
    made = with_application_gateway()
    made.service("shop/web", "", type="ExternalName", externalName="db.example.com", ports=[{"port": 80}])
    answer = made.ask("http://shop.example/", "internet")
    assert any(step.kind is Kind.DNS_RESOLVE and "ExternalName" in step.summary for step in steps_of(answer))
    assert answer.outcome is Outcome.UNDECIDED
