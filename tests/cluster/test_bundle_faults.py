"""``aksnav trace`` and ``aksnav check`` on a support bundle of the sample cluster: healthy, with one fault, mended.

kubectl wrote the Kubernetes half from a real API server; the faults are put into the documents as the operator, the
controllers and Azure would have left them.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.bundle import Bundle, Document, aksnav, steps_of

API = "https://shop.contoso.com/api"
STORE = "http://store.contoso.com/api"
ORDERS = "tcp://10.224.0.100:443"
NEIGHBOUR = ("--from", "10.224.0.50")
BEFORE_THE_NODE = [
    "start.internet",
    "dns.resolve",
    "az.publicip",
    "az.lb.frontend",
    "az.lb.rule",
    "az.lb.probe",
    "az.lb.backendpool",
]
ON_THE_NODE = ["az.nsg", "az.nsg", "az.route", "node.nodeport", "k8s.service.port", "k8s.endpoint", "nat.dnat"]
IN_THE_CONTROLLER = ["k8s.policy", "k8s.pod.port", "k8s.controller.pod", "k8s.gateway.listener"]
TO_THE_POD = ["k8s.policy", "k8s.policy", "k8s.pod.port", "deliver"]


def no_ready_endpoint(bundle: Bundle) -> None:
    """Fail the readiness probe of every Pod of api."""
    for piece in bundle.slices("shop/api"):
        for endpoint in piece["endpoints"]:
            endpoint["conditions"] |= {"ready": False, "serving": False}
    with bundle.items("pods") as pods:
        for pod in pods:
            if pod["metadata"]["labels"].get("app") == "api":
                for condition in pod["status"]["conditions"]:
                    if condition["type"] in {"Ready", "ContainersReady"}:
                        condition["status"] = "False"


def _wrong_target_port(bundle: Bundle, name: str) -> None:
    with bundle.one("services", name) as service:
        service["spec"]["ports"][0]["targetPort"] = 9999
    for piece in bundle.slices(name):
        piece["ports"][0]["port"] = 9999


def wrong_target_port(bundle: Bundle) -> None:
    """Send to a port that no container declares, where the readiness probe passes on another; no policy is left."""
    _wrong_target_port(bundle, "shop/api")
    with bundle.items("networkpolicies") as policies:
        policies.clear()


def undeclared_target_port(bundle: Bundle) -> None:
    """Send to a port that no container declares, of Pods without a probe: declaring ports is voluntary."""
    _wrong_target_port(bundle, "orders/orders")


def named_port_missing(bundle: Bundle) -> None:
    """Name a port that no container has."""
    with bundle.one("services", "shop/api") as service:
        service["spec"]["ports"][0]["targetPort"] = "web"
    for piece in bundle.slices("shop/api"):
        piece["ports"] = []


def selector_of_nothing(bundle: Bundle) -> None:
    """Select by a label that no Pod has."""
    with bundle.one("services", "shop/api") as service:
        service["spec"]["selector"] = {"app": "apy"}
    for piece in bundle.slices("shop/api"):
        piece["endpoints"] = []


def gateway_not_admitted(bundle: Bundle) -> None:
    """Take away the policy that admits NGINX."""
    with bundle.items("networkpolicies") as policies:
        policies[:] = [item for item in policies if item["metadata"]["name"] != "allow-nginx"]


def _deny(bundle: Bundle, group: str, priority: int) -> None:
    with bundle.azure("network-nsg-list") as groups:
        rules = next(item for item in groups if item["name"] == group)["securityRules"]
        name = {"name": "deny-web", "id": f"{rules[0]['id']}-deny"}
        rules.append({**rules[0], **name, "priority": priority, "access": "Deny"})


def shadowed_rule_of_aks(bundle: Bundle) -> None:
    """Deny with a smaller priority what the rule of the cloud controller (500) allows."""
    _deny(bundle, "aks-agentpool-14622189-nsg", 300)


def shadowed_rule_of_the_subnet(bundle: Bundle) -> None:
    """Deny in the subnet's own group, ahead of its allow rule."""
    _deny(bundle, "nsg-nodes", 100)


def class_nobody_claims(bundle: Bundle) -> None:
    """Name a class that does not exist."""
    with bundle.one("ingresses", "shop/shop") as ingress:
        ingress["spec"]["ingressClassName"] = "nginx-internal"


def secret_missing(bundle: Bundle) -> None:
    """List Secrets, and find none."""
    (bundle.folder / "secrets.yaml").write_text("apiVersion: v1\nkind: List\nitems: []\n")


def older_ingress(bundle: Bundle) -> None:
    """Let an older Ingress have the same host and path, with another backend."""
    with bundle.items("ingresses") as ingresses:
        older: dict[str, Any] = copy.deepcopy(ingresses[0])
        older["metadata"] |= {"name": "older", "uid": "1-2-3", "creationTimestamp": "2020-01-01T00:00:00Z"}
        backend = {"service": {"name": "web", "port": {"number": 80}}}
        older["spec"]["rules"][0]["http"]["paths"] = [{"path": "/api", "pathType": "Prefix", "backend": backend}]
        ingresses.append(older)


def no_reference_grant(bundle: Bundle) -> None:
    """Send to a Service of another namespace, which grants nothing."""
    with bundle.one("httproutes", "shop/storefront") as route:
        route["spec"]["rules"][0]["backendRefs"][0] |= {"namespace": "orders", "name": "orders", "port": 443}


def no_local_pod(bundle: Bundle) -> None:
    """Keep traffic on the node, where no Pod is."""
    with bundle.one("services", "orders/orders") as service:
        service["spec"]["externalTrafficPolicy"] = "Local"


def no_local_pod_in_the_pool(bundle: Bundle) -> None:
    """Leave in the backend pool only the nodes that run no NGINX, whose Service is Local."""
    with bundle.azure("network-lb-list") as balancers:
        pools = next(item for item in balancers if item["name"] == "kubernetes")["backendAddressPools"]
        pool = next(item for item in pools if item["name"] == "kubernetes")
        for field in ("backendIPConfigurations", "loadBalancerBackendAddresses"):
            pool[field] = [item for item in pool[field] if "aks-apps" not in str(item)]
    with bundle.azure("vmss-nic-list") as interfaces:
        for item in interfaces:
            if "aks-apps" in item["id"]:
                for configuration in item["ipConfigurations"]:
                    configuration["loadBalancerBackendAddressPools"] = []


def subnet_nearly_full(bundle: Bundle) -> None:
    """Let Azure say that 31 addresses are left."""
    with bundle.azure("network-vnet-list") as networks:
        usage = {"id": networks[0]["subnets"][0]["id"], "currentValue": 65500, "limit": 65531, "unit": "Count"}
        networks[0]["usages"] = [usage]


@dataclass(frozen=True)
class Case:
    """A fault, the request that meets it, and what has to be said.

    Attributes:
        fault: puts it into the bundle.
        verdict: the trace's verdict and HTTP status.
        cause: check id, in the trace where ``traced``, and always in the sweep.
        field: the deciding field and its value, in the trace where there is one, else in the sweep.
        target: of the request, with its options.
        traced: the trace itself names the cause.
    """

    fault: Callable[[Bundle], None]
    verdict: tuple[str, int | None]
    cause: str
    field: tuple[str, str]
    target: tuple[str, ...] = (API,)
    traced: bool = True


DELIVERED: tuple[str, int | None] = ("delivered", None)
UNDECIDED: tuple[str, int | None] = ("undecided", None)
DROPPED: tuple[str, int | None] = ("dropped", None)
CASES = [
    Case(no_ready_endpoint, ("responds", 503), "S02", (".endpoints[0].conditions.ready", "false")),
    Case(selector_of_nothing, ("responds", 503), "S01", (".spec.selector", "app=apy")),
    Case(named_port_missing, ("responds", 503), "S04", (".spec.ports[0].targetPort", "web")),
    Case(wrong_target_port, ("responds", 502), "S03", (".spec.ports[0].targetPort", "9999")),
    Case(undeclared_target_port, UNDECIDED, "S03", (".spec.ports[0].targetPort", "9999"), (ORDERS, *NEIGHBOUR)),
    Case(gateway_not_admitted, ("responds", 504), "P01", (".spec.policyTypes", "Ingress")),
    Case(shadowed_rule_of_aks, DROPPED, "N03", (".securityRules[2].access", "Deny")),
    Case(shadowed_rule_of_the_subnet, DROPPED, "N03", (".securityRules[2].access", "Deny")),
    Case(class_nobody_claims, ("responds", 404), "I02", (".spec.ingressClassName", "nginx-internal")),
    Case(secret_missing, DELIVERED, "T01", (".spec.tls[0].secretName", "shop-tls")),
    Case(older_ingress, DELIVERED, "I14", (".spec.rules[0].http.paths[0].path", "shop.contoso.com/api"), traced=False),
    Case(no_reference_grant, ("responds", 500), "G06", (".spec.rules[0].backendRefs[0].namespace", "orders"), (STORE,)),
    Case(
        no_local_pod,
        DROPPED,
        "S07",
        (".spec.externalTrafficPolicy", "Local"),
        ("tcp://10.224.0.4:{nodeport}", *NEIGHBOUR),
    ),
    Case(no_local_pod_in_the_pool, DROPPED, "L15", (".spec.externalTrafficPolicy", "Local")),
    Case(subnet_nearly_full, DELIVERED, "C01", (".usages[0].currentValue", "65500"), traced=False),
]
STATUS = {"delivered": 0, "undecided": 3}


def fields_of(items: list[Document]) -> set[tuple[str, str]]:
    """Return the fields and values in the evidence of steps or findings."""
    return {(fact["field"], fact["value"]) for item in items for fact in item.get("evidence", ())}


def request_of(case: Case, bundle: Bundle) -> tuple[str, ...]:
    """Return the words of the request, with the node port that the API server chose."""
    with bundle.one("services", "orders/orders") as service:
        port = service["spec"]["ports"][0]["nodePort"]
    return tuple(word.format(nodeport=port) for word in case.target)


@pytest.fixture
def bundle(exported: Bundle, tmp_path: Path) -> Bundle:
    """Give a copy of the exported sample cluster."""
    return exported.copy(tmp_path / "bundle")


def test_a_request_through_the_ingress_is_delivered_and_every_step_is_named(exported: Bundle) -> None:
    """From the name over the public address, load balancer, node and NGINX to each Pod of the backend."""
    said = exported.trace(API)
    assert (said.status, said.err) == (0, "")
    kinds = [step["kind"] for step in said.data["steps"]]
    assert kinds == BEFORE_THE_NODE
    (node,) = said.data["steps"][-1]["branches"]
    assert node["alike"] == 2
    on_node = [step["kind"] for step in node["steps"]]
    backend = ["k8s.gateway.listener", "k8s.route.match", "k8s.service.port", "k8s.endpoint"]
    assert on_node == [*ON_THE_NODE, *IN_THE_CONTROLLER, *backend]
    same_node, other_node = sorted(node["steps"][-1]["branches"], key=lambda branch: len(branch["steps"]))
    assert [step["kind"] for step in same_node["steps"]] == TO_THE_POD
    assert [step["kind"] for step in other_node["steps"]] == ["az.nsg"] * 4 + TO_THE_POD
    assert {step["verdict"] for step in steps_of(said.data["steps"])} <= {"pass", "skip", "transform", "fanout"}
    assert {(item["namespace"], item["port"]) for item in said.data["destinations"]} == {("shop", 9090)}
    assert len(said.data["destinations"]) == 3
    assert said.data["causes"] == []


def test_a_request_through_the_gateway_is_split_by_weight_and_delivered(exported: Bundle) -> None:
    """The HTTPRoute's rule sends nine of ten to web and one to its canary."""
    said = exported.trace("http://store.contoso.com/")
    assert (said.status, said.data["verdict"], said.data["causes"]) == (0, "delivered", [])
    match = next(step for step in steps_of(said.data["steps"]) if step["kind"] == "k8s.route.match")
    assert [branch["weight"] for branch in match["branches"]] == [0.9, 0.1]


def test_a_healthy_bundle_has_no_finding_and_nothing_unread(exported: Bundle) -> None:
    """The sweep finds nothing, has read everything, and says so with exit status 0."""
    said = exported.check()
    assert (said.status, said.data) == (0, {"findings": [], "not_read": [], "undecided": []})


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.fault.__name__)
def test_a_fault_is_named_with_its_deciding_field_and_nothing_is_when_it_is_mended(
    case: Case, bundle: Bundle, exported: Bundle
) -> None:
    """Verdict, check id and field of the trace and of the sweep; the mended bundle is delivered and clean."""
    target, *words = request_of(case, bundle)
    case.fault(bundle)
    broken = bundle.trace(target, *words)
    assert (broken.data["verdict"], broken.data["status"]) == case.verdict
    assert broken.status == STATUS.get(case.verdict[0], 1)
    found = [finding for finding in bundle.findings() if finding["id"] == case.cause]
    assert case.field in fields_of(found)
    assert found[0]["subject"]
    if case.traced:
        assert case.cause in broken.data["causes"]
        named = [step for step in steps_of(broken.data["steps"]) if step.get("cause") == case.cause]
        assert case.field in fields_of(named)
    mended = exported.copy(bundle.folder.with_name("mended"))
    after = mended.trace(target, *words)
    assert (after.status, after.data["verdict"], after.data["causes"]) == (0, "delivered", [])
    assert mended.findings() == []


def test_an_older_rule_takes_the_path(bundle: Bundle) -> None:
    """The request is delivered, but to the backend of the older Ingress."""
    older_ingress(bundle)
    answered = bundle.trace(API).data
    assert {item["service"] for item in answered["backends"]} == {"web"}
    match = next(step for step in steps_of(answered["steps"]) if step["kind"] == "k8s.route.match")
    assert match["subject"]["id"] == "shop/older"


def test_a_missing_secret_is_named_although_the_request_goes_on(bundle: Bundle) -> None:
    """NGINX answers with its own certificate then: delivered, with the cause in the listener's step."""
    secret_missing(bundle)
    named = [step for step in steps_of(bundle.trace(API).data["steps"]) if step.get("cause") == "T01"]
    assert [step["kind"] for step in named] == ["k8s.gateway.listener"]


def test_text_and_markdown_say_the_same_as_json(bundle: Bundle) -> None:
    """The check, the field and a fix stand in every form; the exit status does not depend on it."""
    no_ready_endpoint(bundle)
    for form in ("text", "markdown"):
        said = aksnav("trace", API, "--from-capture", str(bundle.folder), "-o", form)
        assert said.status == 1
        for words in ("503", "S02", ".endpoints[0].conditions.ready", "kubectl"):
            assert words in said.out
        swept = aksnav("check", "--from-capture", str(bundle.folder), "-o", form)
        assert (swept.status, "S02" in swept.out) == (1, True)
