"""Where the mesh ends: ambient mode, the way out of a sidecar to what is no Service, Sidecars that narrow it.

Source: Istio documentation, "Ambient mode" (labels, HBONE); Istio reference, "Global Mesh Options", "Sidecar".
"""

from typing import Any

import pytest

from aksnav.model.change import Reading
from aksnav.trace import parse_request, trace
from aksnav.trace.step import Certainty, Kind, Outcome, Trace
from tests.unit.trace_istio.row import ANY
from tests.unit.trace_istio.world import asked, authz, dr, living, other, peer, vs, word
from tests.unit.trace_routing.world import Wire
from tests.unit.trace_walk.changed_demo import ChangedDemo

AMBIENT = {"istio.io/dataplane-mode": "ambient"}
INSIDE = "pod/shop/inside"


class Ambient(ChangedDemo):
    """The demo with namespaces in the ambient mesh."""

    def __init__(self, *names: str) -> None:
        super().__init__()
        for name in names:
            self.objects["Namespace"][name]["metadata"].setdefault("labels", {}).update(AMBIENT)

    def cart(self, source: str = "shop/web-") -> Trace:
        """Return the trace of a Pod to the cart of the shop."""
        pod = next(key for key in self.objects["Pod"] if key.startswith(source))
        return self.ask("svc/shop/cart:80", f"pod/{pod}")

    def of_cart(self) -> list[Wire]:
        """Return the Pods of the cart."""
        return self.pods("shop", "cart")


def test_outside_of_the_ambient_mesh_nothing_is_said() -> None:
    """The demo has no mesh."""
    found = Ambient().cart()
    assert found.confidence.certainty is Certainty.PROVEN
    assert not any(step.kind is Kind.MESH for step in found.steps)


def test_ztunnel_carries_what_nothing_forbids() -> None:
    """Both ends in one namespace of the mesh: delivered, as long as ztunnel runs."""
    found = Ambient("shop").cart()
    assert (found.outcome, found.confidence.certainty) == (Outcome.DELIVERED, Certainty.ASSUMED)
    assert any("ztunnel" in line for line in found.confidence.because)


@pytest.mark.parametrize("field", ["labels", "annotations"])
def test_a_pod_alone_may_be_in_the_ambient_mesh(field: str) -> None:
    """By its label, or as Istio's CNI plugin has written it."""
    world = Ambient()
    marks = AMBIENT if field == "labels" else {"ambient.istio.io/redirection": "enabled"}
    for pod in world.of_cart():
        pod["metadata"].setdefault(field, {}).update(marks)
    assert any("ztunnel" in line for line in world.cart().confidence.because)


def test_a_pod_may_stay_out_of_its_namespaces_mesh() -> None:
    """The label none."""
    world = Ambient("shop")
    for pod in world.objects["Pod"].values():
        pod["metadata"].setdefault("labels", {})["istio.io/dataplane-mode"] = "none"
    assert not any(step.kind is Kind.MESH for step in world.cart().steps)


@pytest.mark.parametrize(
    ("row", "named"),
    [
        (authz("some", namespace="shop"), "AuthorizationPolicy shop/some"),
        (peer("strict", "STRICT"), "PeerAuthentication shop/strict"),
        (peer("strict", "STRICT", "aks-istio-system"), "PeerAuthentication aks-istio-system/strict"),
    ],
)
def test_what_ztunnel_enforces_is_said_and_never_passed(row: Wire, named: str) -> None:
    """It is not evaluated."""
    world = Ambient("shop")
    world.put(row["kind"], row)
    found = world.cart()
    assert found.outcome is Outcome.UNDECIDED
    assert any("ambient mode" in line and named in line for line in found.confidence.because)


@pytest.mark.parametrize("kind", ["AuthorizationPolicy", "PeerAuthentication"])
def test_what_ztunnel_may_enforce_and_cannot_be_read_is_said(kind: str) -> None:
    """Undecided, by the permission."""
    world = Ambient("shop")
    world.lose(kind, Reading.DENIED)
    found = world.cart()
    assert found.outcome is Outcome.UNDECIDED
    assert any("what ztunnel enforces cannot be read" in line for line in found.confidence.because)


@pytest.mark.parametrize("where", ["Namespace", "Service", "Pod"])
def test_a_waypoint_is_said(where: str) -> None:
    """What it makes of the request is not evaluated."""
    world = Ambient("shop")
    rows = {
        "Namespace": [world.objects["Namespace"]["shop"]],
        "Service": [world.objects["Service"]["shop/cart"]],
        "Pod": world.of_cart(),
    }[where]
    for row in rows:
        row["metadata"].setdefault("labels", {})["istio.io/use-waypoint"] = "gate"
    assert "the waypoint gate" in str(world.cart().confidence.because)


@pytest.mark.parametrize("port", [15008, 0])
def test_network_policies_see_the_tunnels_port(port: int) -> None:
    """A policy for one of the two ports says nothing certain: neither a pass nor a drop is proven."""
    world = Ambient("shop")
    target = world.of_cart()[0]["spec"]["containers"][0]["ports"][0]["containerPort"]
    world.put(
        "NetworkPolicy",
        {
            "kind": "NetworkPolicy",
            "metadata": {"name": "cart", "namespace": "shop"},
            "spec": {
                "podSelector": {"matchLabels": {"app": "cart"}},
                "policyTypes": ["Ingress"],
                "ingress": [{"ports": [{"port": port or target, "protocol": "TCP"}]}],
            },
        },
    )
    found = world.cart()
    assert found.confidence.certainty is Certainty.PARTIAL
    assert "HBONE" in str(found.confidence.because)


def test_a_client_in_the_ambient_mesh_is_not_said_to_be_refused_by_a_sidecar() -> None:
    """The node speaks mutual TLS for it: no G21, and no pass either."""
    rows = (peer("strict", "STRICT"), {"kind": "Namespace", "metadata": {"name": "shop", "labels": AMBIENT}})
    found = asked(living(*rows, meshed=True), "svc/shop/api:80")
    assert (word(found), found.causes) == ("undecided", ())


# What a client's proxy speaks to a Pod without one.


@pytest.mark.parametrize("mode", ["SIMPLE", "MUTUAL"])
def test_tls_to_a_pod_without_a_sidecar_is_taken_to_be_understood(mode: str) -> None:
    """A DestinationRule makes the client's proxy speak it; what listens in the Pod is not read."""
    found = asked(living(dr("tls", "api", tls=mode)), "svc/shop/api:80", source=INSIDE)
    assert found.outcome is Outcome.DELIVERED
    assert any("speaks TLS at port" in line for line in found.confidence.because)


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ("DestinationRule", "no DestinationRule changes how the client's proxy connects"),
        ("IstioGateway", "is a sidecar and no gateway"),
    ],
)
def test_what_cannot_be_read_between_two_proxies_is_assumed_by_name(kind: str, named: str) -> None:
    """To a Pod with a sidecar; rules for what the client speaks matter to one without it too."""
    for meshed in (True, False):
        found = asked(living(meshed=meshed, unread=(kind,)), "svc/shop/api:80", source=INSIDE)
        wanted = meshed or kind == "DestinationRule"
        assert any(named in line for line in found.confidence.because) is wanted


def test_mutual_tls_by_a_rule_is_no_pass_where_the_receivers_mode_cannot_be_read() -> None:
    """It may be DISABLE; where no rule says anything the client's proxy goes by the receiver's mode."""
    rule = dr("mutual", "api", tls="ISTIO_MUTUAL")
    assert asked(
        living(rule, meshed=True, unread=("PeerAuthentication",)), "svc/shop/api:80", source=INSIDE
    ).outcome is (Outcome.UNDECIDED)
    assert asked(living(meshed=True, unread=("PeerAuthentication",)), "svc/shop/api:80", source=INSIDE).outcome is (
        Outcome.DELIVERED
    )


def test_a_mode_of_what_may_be_the_root_namespace_is_no_pass_where_namespaces_cannot_be_read() -> None:
    """A client without a sidecar is refused if it holds for the mesh."""
    rows = (peer("strict", "STRICT", "istio-system"),)
    found = asked(living(*rows, meshed=True, unread=("Namespace",)), "svc/shop/api:80")
    assert found.outcome is Outcome.UNDECIDED
    assert "whether istio-system is the root namespace" in str(found.confidence.because)


# The way out of a sidecar.


def direct(store_rows: tuple[Wire, ...] = (), source: str = INSIDE, **more: Any) -> Trace:
    """Return the trace to a Pod's own address, which is in no registry."""
    return asked(living(*store_rows, meshed=True, **more), "pod/shop/web-1:8080", source=source)


def test_what_is_no_service_passes_where_the_mesh_allows_any() -> None:
    """The mesh's configuration is not read: the line names it."""
    found = direct()
    assert any("outboundTrafficPolicy of the mesh is ALLOW_ANY (ConfigMap istio of namespace" in line
               for line in found.confidence.because)  # fmt: skip
    assert found.confidence.certainty is Certainty.ASSUMED


def test_a_client_without_a_sidecar_and_a_service_hear_nothing_of_it() -> None:
    """The registry has every Service."""
    for found in (direct(source="pod/shop/client"), asked(living(meshed=True), "svc/shop/api:80", source=INSIDE)):
        assert not any("outboundTrafficPolicy" in line for line in found.confidence.because)


def policy(mode: str, **spec: Any) -> Wire:
    """Return a Sidecar of the shop."""
    return other("Sidecar", "default", outboundTrafficPolicy={"mode": mode}, **spec)


def test_a_sidecar_that_allows_any_says_so_for_its_workloads() -> None:
    """It goes before the mesh's own word."""
    assert not any("outboundTrafficPolicy" in line for line in direct((policy("ALLOW_ANY"),)).confidence.because)


@pytest.mark.parametrize(
    ("row", "applies"),
    [
        (policy("REGISTRY_ONLY"), True),
        (policy("REGISTRY_ONLY", workloadSelector={"labels": {"app": "inside"}}), True),
        (policy("REGISTRY_ONLY", workloadSelector={"labels": {"app": "other"}}), False),
    ],
)
def test_a_sidecar_that_keeps_to_the_registry_is_no_pass(row: Wire, applies: bool) -> None:
    """Undecided, by the field."""
    found = direct((row,))
    assert (found.outcome is Outcome.UNDECIDED) is applies
    assert ("in the registry that Sidecar shop/default keeps the Pod to" in str(found.confidence.because)) is applies


def test_the_sidecar_of_the_workload_goes_before_that_of_the_namespace_and_the_mesh() -> None:
    """By its selector."""
    mesh = other("Sidecar", "mesh", "aks-istio-system", outboundTrafficPolicy={"mode": "REGISTRY_ONLY"})
    own = policy("ALLOW_ANY", workloadSelector={"labels": {"app": "inside"}})
    own["metadata"]["name"] = "own"
    assert direct((mesh,)).outcome is Outcome.UNDECIDED
    assert direct((mesh, policy("REGISTRY_ONLY"), own)).outcome is Outcome.DELIVERED


@pytest.mark.parametrize("kind", ["Sidecar", "ServiceEntry", "VirtualService"])
def test_what_cannot_be_read_of_the_way_out_is_assumed_by_name(kind: str) -> None:
    """Each of them may lead elsewhere or nowhere."""
    assert any(kind in line or kind.lower() in line for line in direct(unread=(kind,)).confidence.because)


@pytest.mark.parametrize(
    ("row", "named"),
    [
        (other("ServiceEntry", "db", hosts=["db.example.org"], resolution="DNS"), "ServiceEntry shop/db"),
        (vs("db", ANY, hosts=("*.example.org",), gateways=["mesh"]), "VirtualService shop/db"),
    ],
)
def test_a_host_that_the_mesh_knows_otherwise_is_said(row: Wire, named: str) -> None:
    """It is followed by the sidecar, and not here."""
    found = trace(living(row), parse_request("https://db.example.org/", INSIDE, resolve="20.99.1.1"))
    assert any(named in line for line in found.confidence.because)


@pytest.mark.parametrize(
    ("hosts", "knows"),
    [
        (["*/*"], True),
        (["./*"], True),
        (["shop/api.shop.svc.cluster.local"], True),
        (["other/*"], False),
        (["~/*"], False),
        (["./web.shop.svc.cluster.local"], False),
    ],
)
def test_a_sidecar_that_does_not_list_a_service_is_no_pass(hosts: list[str], knows: bool) -> None:
    """What is not listed is not known to the proxy."""
    found = asked(
        living(other("Sidecar", "s", egress=[{"hosts": hosts}]), meshed=True), "svc/shop/api:80", source=INSIDE
    )
    assert (found.outcome is Outcome.DELIVERED) is knows
    assert ("Sidecar shop/s does not list" in str(found.confidence.because)) is not knows


def test_sidecars_that_cannot_be_read_are_assumed_for_services_too() -> None:
    """By the permission."""
    found = asked(living(meshed=True, unread=("Sidecar",)), "svc/shop/api:80", source=INSIDE)
    assert any(
        "no Sidecar narrows what the sidecar of Pod shop/inside knows" in line for line in found.confidence.because
    )
