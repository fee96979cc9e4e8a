"""Who serves which class and Gateway, and who stands behind a Service."""

import pytest

from aksnav.model.addresses import parse_address
from aksnav.store import Store
from aksnav.trace.routing import controllers
from aksnav.trace.routing.types import Controller, Flavour
from aksnav.trace.step import Step, Verdict
from tests.unit.trace_routing.world import (
    FRONT,
    NGINX_LABELS,
    Wire,
    gateway,
    gateway_class,
    gateway_service,
    ingress,
    ingress_class,
    meta,
    nginx_service,
    pod,
    service,
    store_of,
)

WEB = ("a.com", "/", "Prefix", "web")


def _serve(store: Store, name: str = "shop/one") -> Controller | Step:
    row = store.ingresses.get(name)
    assert row is not None
    return controllers.for_ingress(store, row)


def _problem(store: Store, name: str = "shop/one") -> Step:
    served = _serve(store, name)
    assert isinstance(served, Step)
    return served


def _controller(store: Store, name: str = "shop/one") -> Controller:
    served = _serve(store, name)
    assert isinstance(served, Controller)
    return served


@pytest.mark.parametrize(
    ("controller", "flavour"),
    [
        ("k8s.io/ingress-nginx", Flavour.INGRESS_NGINX),
        ("k8s.io/internal-ingress-nginx", Flavour.INGRESS_NGINX),
        ("webapprouting.kubernetes.azure.com/nginx", Flavour.APP_ROUTING_NGINX),
        ("approuting.kubernetes.azure.com/internal", Flavour.APP_ROUTING_NGINX),
        ("azure/application-gateway", Flavour.AGIC),
        ("alb.networking.azure.io/alb-controller", Flavour.APPLICATION_GATEWAY_FOR_CONTAINERS),
        ("traefik.io/ingress-controller", Flavour.TRAEFIK),
        ("nginx.org/ingress-controller", Flavour.NGINX_ORG),
        ("example.com/mine", Flavour.OTHER),
    ],
)
def test_a_class_is_read_by_its_controller(controller: str, flavour: Flavour) -> None:
    """The controller string of the IngressClass; the address in the Ingress's status joins the Service."""
    front = service("front", "front", type="LoadBalancer", status={"loadBalancer": {"ingress": [{"ip": FRONT}]}})
    store = store_of(ingress_class("c", controller), ingress("one", WEB, cls="c"), front)
    found = _controller(store)
    assert found.flavour is flavour
    assert found.service is not None
    assert found.service.id == "front/front"
    assert any(fact.field == ".status.loadBalancer.ingress[0].ip" for fact in found.why)


def test_no_class_and_no_default_is_served_by_nobody() -> None:
    """I01, with the absent field."""
    step = _problem(store_of(ingress_class(), ingress("one", WEB, cls=None), nginx_service()))
    assert step.cause == "I01"
    assert step.evidence[0].field == ".spec.ingressClassName"


def test_the_default_class_is_an_assumption() -> None:
    """Admission writes it at creation: an Ingress without it may be older."""
    found = _controller(store_of(ingress_class(default=True), ingress("one", WEB, cls=None), nginx_service()))
    assert found.classes == ("nginx",)
    assert any("default class" in line for line in found.assumptions)


def test_of_two_default_classes_the_newest_is_taken() -> None:
    """As the admission plugin does since Kubernetes 1.26."""
    old, new = (
        ingress_class("old", "example.com/old", default=True),
        ingress_class("new", "example.com/new", default=True),
    )
    old["metadata"]["creationTimestamp"], new["metadata"]["creationTimestamp"] = (
        "2026-01-01T00:00:00Z",
        "2026-01-02T00:00:00Z",
    )
    assert _controller(store_of(old, new, ingress("one", WEB, cls=None))).classes == ("new",)


def test_an_unknown_class_is_served_by_nobody() -> None:
    """I02, with the classes that there are."""
    step = _problem(store_of(ingress_class(), ingress("one", WEB, cls="nope"), nginx_service()))
    assert (step.cause, step.verdict) == ("I02", Verdict.DROP)
    assert any(fact.value == "nginx" for fact in step.evidence)


@pytest.mark.parametrize(("cls", "blind"), [("nope", True), ("nginx", False)])
def test_an_unread_class_is_not_called_missing(cls: str, blind: bool) -> None:
    """Blind, with the permission; a class that every cluster has the same is an assumption."""
    served = _serve(store_of(ingress("one", WEB, cls=cls), nginx_service(), unread=("IngressClass",)))
    if blind:
        assert isinstance(served, Step)
        assert served.verdict is Verdict.BLIND
        assert "ingressclasses" in served.missing
    else:
        assert isinstance(served, Controller)
        assert served.flavour is Flavour.INGRESS_NGINX
        assert served.assumptions


def test_a_class_whose_controller_is_not_there_is_served_by_nobody() -> None:
    """I02: the class exists, and neither a Service nor a Pod of its controller does."""
    step = _problem(store_of(ingress_class(), ingress("one", WEB, status=""), service("web")))
    assert step.cause == "I02"


def test_the_annotation_names_a_class_too() -> None:
    """kubernetes.io/ingress.class where the field is absent, by the name of a class or the controller's own word."""
    for value, flavour in (("nginx", Flavour.INGRESS_NGINX), ("azure/application-gateway", Flavour.AGIC)):
        one = ingress("one", WEB, cls=None, annotations={"kubernetes.io/ingress.class": value})
        assert _controller(store_of(one, nginx_service())).flavour is flavour


def test_field_and_annotation_may_conflict() -> None:
    """I21 is kept in the claim; the field goes first."""
    one = ingress("one", WEB, annotations={"kubernetes.io/ingress.class": "other"})
    store = store_of(ingress_class(), one, nginx_service())
    assert controllers.claims(store)["shop/one"].conflict
    assert _controller(store).classes == ("nginx",)


@pytest.mark.parametrize("ready", [True, False])
def test_controller_pods_that_are_not_ready_are_a_problem(ready: bool) -> None:
    """I13, with each Pod."""
    store = store_of(
        ingress_class(), ingress("one", WEB), nginx_service(), pod("c-1", "ingress-nginx", NGINX_LABELS, ready=ready)
    )
    found = _controller(store)
    assert [item.name for item in found.pods] == ["c-1"]
    assert [step.cause for step in found.problems] == ([] if ready else ["I13"])


def test_another_service_in_front_of_the_same_pods_is_the_same_controller() -> None:
    """An internal Service beside the public one: joined by the Pods that it reaches."""
    inner = service("inner", "ingress-nginx", selector=NGINX_LABELS)
    pods = pod("c-1", "ingress-nginx", NGINX_LABELS)
    store = store_of(ingress_class(), ingress("one", WEB), nginx_service(), inner, pods)
    found = controllers.of_pods(store, list(store.pods), store.services.get("ingress-nginx/inner"))
    assert [item.classes for item in found] == [("nginx",)]
    assert found[0].service is not None
    assert found[0].service.name == "inner"


def test_both_nginx_controllers_were_called_nginx_ingress() -> None:
    """An old chart of the community controller has the labels of the other one: the class decides."""
    front = service("nginx-ingress", "edge", type="LoadBalancer", selector={"app": "nginx-ingress"})
    found = _controller(store_of(ingress_class(), ingress("one", WEB, status=""), front))
    assert found.flavour is Flavour.INGRESS_NGINX
    assert found.service is not None
    assert found.service.id == "edge/nginx-ingress"


def test_a_service_is_one_controller_whatever_it_serves() -> None:
    """Two classes with controller strings of their own, and a Gateway, behind one Service."""
    front = service("front", "front", type="LoadBalancer", status={"loadBalancer": {"ingress": [{"ip": FRONT}]}})
    store = store_of(
        ingress_class("one", "example.com/one"),
        ingress_class("two", "example.com/two"),
        ingress("one", WEB, cls="one"),
        ingress("two", WEB, cls="two"),
        gateway_class("mine", "example.com/gateway"),
        gateway("web", cls="mine"),
        front,
    )
    found = controllers.of_pods(store, [], store.services.get("front/front"))
    assert [(item.classes, item.gateways) for item in found] == [(("one", "two"), ("infra/web",))]


def test_a_service_that_shares_the_address_is_not_the_controller() -> None:
    """Two Services on one load balancer address: only the one that looks like the controller is it."""
    ports = [{"name": "mqtt", "port": 8883}]
    other = service("mqtt", type="LoadBalancer", ports=ports, status={"loadBalancer": {"ingress": [{"ip": FRONT}]}})
    store = store_of(ingress_class(), ingress("one", WEB), nginx_service(), other)
    assert controllers.of_pods(store, [], store.services.get("shop/mqtt")) == ()
    front = _controller(store).service
    assert front is not None
    assert front.name == "ingress-nginx-controller"


def test_an_ordinary_service_has_no_controller() -> None:
    """Nothing to route by behind a workload."""
    store = store_of(ingress_class(), ingress("one", WEB), nginx_service(), service("web"))
    assert controllers.of_pods(store, [], store.services.get("shop/web")) == ()


def test_app_routing_is_joined_by_its_names() -> None:
    """Namespace app-routing-system: Service nginx for the default class, another one for an extra controller."""
    labels = {"app": "nginx"}
    store = store_of(
        ingress_class("webapprouting.kubernetes.azure.com", "webapprouting.kubernetes.azure.com/nginx"),
        ingress_class("internal", "approuting.kubernetes.azure.com/nginx-internal"),
        ingress("one", WEB, cls="webapprouting.kubernetes.azure.com", status=""),
        ingress("two", WEB, cls="internal", status=""),
        service("nginx", "app-routing-system", type="LoadBalancer", selector=labels),
        service("nginx-internal-0", "app-routing-system", type="LoadBalancer", selector={"app": "nginx-internal-0"}),
    )
    for name, expected in (
        ("shop/one", "app-routing-system/nginx"),
        ("shop/two", "app-routing-system/nginx-internal-0"),
    ):
        front = _controller(store, name).service
        assert front is not None
        assert front.id == expected


def test_application_gateway_is_found_by_the_address_that_agic_wrote() -> None:
    """It has no Service: the address in the status of its Ingresses is how a request comes to it."""
    store = store_of(
        ingress_class("azure-application-gateway", "azure/application-gateway"),
        ingress("one", WEB, cls="azure-application-gateway", status="20.60.0.1"),
    )
    found = controllers.of_address(store, parse_address("20.60.0.1"))
    assert [item.flavour for item in found] == [Flavour.AGIC]
    assert controllers.of_address(store, parse_address("20.60.0.2")) == ()


def test_application_gateway_for_containers_is_found_by_its_host_name() -> None:
    """The Gateway's address is a host name."""
    status = {"addresses": [{"type": "Hostname", "value": "x.fz1.alb.azure.com"}]}
    store = store_of(
        gateway_class("azure-alb-external", "alb.networking.azure.io/alb-controller"),
        gateway("web", cls="azure-alb-external", status=status),
    )
    found = controllers.of_address(store, None, "X.fz1.alb.azure.com")
    assert [(item.flavour, item.gateways) for item in found] == [
        (Flavour.APPLICATION_GATEWAY_FOR_CONTAINERS, ("infra/web",))
    ]


def _gateway(store: Store) -> Controller | Step:
    row = store.gateways.get("infra/web")
    assert row is not None
    return controllers.for_gateway(store, row)


def test_a_gateway_has_the_service_that_was_made_for_it() -> None:
    """By the generated name and label; by the address for one that was made by hand."""
    made = _gateway(store_of(gateway_class(), gateway("web"), gateway_service("web")))
    assert isinstance(made, Controller)
    assert made.service is not None
    assert made.service.name == "web-approuting-istio"
    hand = service("front", "istio", type="LoadBalancer", status={"loadBalancer": {"ingress": [{"ip": FRONT}]}})
    found = _gateway(store_of(gateway_class("istio"), gateway("web", cls="istio"), hand))
    assert isinstance(found, Controller)
    assert found.flavour is Flavour.ISTIO
    assert found.service is not None
    assert found.service.name == "front"


@pytest.mark.parametrize(
    ("cls", "cause"),
    [
        (None, "G07"),
        (
            {
                "kind": "GatewayClass",
                "metadata": meta("approuting-istio"),
                "spec": {"controllerName": "istio.io/gateway-controller"},
                "status": {"conditions": [{"type": "Accepted", "status": "False", "reason": "InvalidParameters"}]},
            },
            "G07",
        ),
    ],
)
def test_a_gateway_without_an_accepted_class_is_served_by_nobody(cls: Wire | None, cause: str) -> None:
    """G07: the class is missing, or refused by its controller."""
    step = _gateway(store_of(*([cls] if cls else []), gateway("web"), gateway_service("web")))
    assert isinstance(step, Step)
    assert step.cause == cause


@pytest.mark.parametrize(
    "status",
    [
        {"conditions": [{"type": "Programmed", "status": "False", "reason": "AddressNotAssigned"}]},
        {"conditions": [{"type": "Programmed", "status": "True"}], "addresses": []},
    ],
)
def test_a_gateway_that_is_not_programmed_has_that_as_its_problem(status: Wire) -> None:
    """G08, while the controller is known all the same."""
    found = _gateway(store_of(gateway_class(), gateway("web", status=status), gateway_service("web")))
    assert isinstance(found, Controller)
    assert "G08" in [step.cause for step in found.problems]


def test_an_unread_gateway_class_is_not_called_missing() -> None:
    """The usual class is an assumption; another one is blind."""
    assert isinstance(_gateway(store_of(gateway("web"), gateway_service("web"), unread=("GatewayClass",))), Controller)
    other = _gateway(store_of(gateway("web", cls="mine"), unread=("GatewayClass",)))
    assert isinstance(other, Step)
    assert other.verdict is Verdict.BLIND


def test_the_classic_istio_gateway_is_told_by_its_label() -> None:
    """Its Gateways and VirtualServices are of networking.istio.io."""
    labels = {"istio": "aks-istio-ingressgateway-external"}
    store = store_of(service("aks-istio-ingressgateway-external", "aks-istio-ingress", selector=labels))
    front = store.services.get("aks-istio-ingress/aks-istio-ingressgateway-external")
    assert [item.flavour for item in controllers.of_pods(store, [], front)] == [Flavour.ISTIO_CLASSIC]
