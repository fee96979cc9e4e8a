"""The sweep over Istio's objects: a broken pair gives its finding, a mended one none."""

import pytest

from aksnav.checks.finding import Proof
from aksnav.checks.istio import istio_findings
from aksnav.checks.sweep import way_in_findings
from aksnav.model.decode import decode_wire
from aksnav.model.kinds import KINDS
from aksnav.store import Store
from aksnav.trace.routing.entrypoints import entry_points
from tests.unit.trace_istio.row import ANY, API, CERT, GATEWAY, TLS
from tests.unit.trace_istio.world import asked, authz, dr, igw, living, peer, server, to, vs, word
from tests.unit.trace_routing.world import Wire, meta, secret

R = vs("r", ANY)
MESH = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c"


def _namespace(**labels: str) -> Wire:
    return {
        "kind": "Namespace",
        "metadata": meta("shop", labels={k.replace("__", "/").replace("_", "-"): v for k, v in labels.items()}),
    }


def _cluster(routing: str = "Disabled") -> Wire:
    return {
        "kind": "managedClusters",
        "id": MESH,
        "name": "c",
        "properties": {
            "serviceMeshProfile": {"mode": "Istio", "istio": {"revisions": ["asm-1-27"]}},
            "ingressProfile": {"webAppRouting": {"gatewayAPIImplementations": {"appRoutingIstio": {"mode": routing}}}},
        },
    }


# Check id, the object that is to be mended, the broken objects, the mended ones.
PAIRS: list[tuple[str, str, tuple[Wire, ...], tuple[Wire, ...]]] = [
    ("G16", "managedClusters c", (_cluster("Enabled"),), (_cluster(),)),
    ("G17", "IstioGateway shop/web", (igw("web", server("*"), selector={"istio": "ingressgateway"}), R), (GATEWAY, R)),
    ("G18", "VirtualService shop/r", (GATEWAY, vs("r", ANY, gateways=["wed"])), (GATEWAY, R)),
    ("G18", "VirtualService shop/r", (igw("web", server("b.com")), R), (igw("web", server("a.com")), R)),
    ("G18", "VirtualService shop/r", (igw("web", server("other/*")), R), (igw("web", server("shop/*")), R)),
    ("G19", "IstioGateway shop/web", (TLS, secret("cert", "shop", type="kubernetes.io/tls"), R), (TLS, CERT, R)),
    (
        "G21",
        "DestinationRule shop/d",
        (peer("p", "STRICT"), dr("d", "api", tls="DISABLE")),
        (peer("p", "PERMISSIVE"), dr("d", "api", tls="DISABLE")),
    ),
    (
        "G22",
        "VirtualService shop/r",
        (GATEWAY, vs("r", to("api/v9")), dr("d", "api", "v1")),
        (GATEWAY, vs("r", to("api/v1")), dr("d", "api", "v1")),
    ),
    (
        "G22",
        "DestinationRule shop/d",
        (GATEWAY, vs("r", to("api/v9")), dr("d", "api", "v9")),
        (GATEWAY, vs("r", to("api/v1")), dr("d", "api", "v1", "v9")),
    ),
    (
        "G26",
        "Namespace shop",
        (_cluster(), _namespace(istio_injection="enabled")),
        (_cluster(), _namespace(istio_io__rev="x")),
    ),
    (
        "G31",
        "VirtualService shop/r",
        (GATEWAY, vs("r", to("api.other"))),
        (GATEWAY, vs("r", to("api.other.svc.cluster.local"))),
    ),
    ("G31", "VirtualService shop/r", (GATEWAY, vs("r", to("web:81"))), (GATEWAY, vs("r", to("web:80")))),
]


def _found(store: Store) -> list[tuple[str, str, Proof]]:
    return [
        (item.id, f"{item.subject.kind} {item.subject.id.rpartition('managedclusters/')[2]}", item.proof)
        for item in istio_findings(store)
    ]


@pytest.mark.parametrize(
    ("check", "subject", "broken", "mended"), PAIRS, ids=[f"{row[0]} {index}" for index, row in enumerate(PAIRS)]
)
def test_a_broken_object_is_found_and_a_mended_one_is_not(
    check: str, subject: str, broken: tuple[Wire, ...], mended: tuple[Wire, ...]
) -> None:
    """The check, on the object that is to be mended, proven by a field; nothing of the mended objects."""
    found = _found(living(*broken, meshed=True))
    assert (check, subject, Proof.PROVEN) in found
    assert not _found(living(*mended, meshed=True))


@pytest.mark.parametrize("revision", ["asm-1-26", "asm-1-27", "prod"])
def test_a_revision_that_is_not_installed_is_found(revision: str) -> None:
    """The add-on's own names alone: another name may be a tag, which is kept where it is not read."""
    namespace = {"kind": "Namespace", "metadata": meta("shop", labels={"istio.io/rev": revision})}
    found = _found(living(_cluster(), namespace))
    assert bool(found) == (revision == "asm-1-26")


def test_without_the_add_on_its_labels_are_nobodys_business() -> None:
    """Upstream Istio follows istio-injection."""
    assert not _found(living(_namespace(istio_injection="enabled")))


def test_a_policy_that_denies_is_found_on_the_way_in() -> None:
    """G23 comes of a trace of the way in; with a rule that takes it there is none."""
    rule = {"to": [{"operation": {"paths": ["/api"]}}]}
    broken = living(GATEWAY, R, authz("p", rule, namespace="aks-istio-ingress"))
    assert {item.id for point in entry_points(broken) for item in way_in_findings(broken, point)} >= {"G23"}
    mended = living(GATEWAY, R, authz("p", {}, namespace="aks-istio-ingress"))
    assert not [item for point in entry_points(mended) for item in way_in_findings(mended, point) if item.id == "G23"]


def test_what_cannot_be_read_proves_nothing() -> None:
    """No finding rests on a kind that was refused."""
    objects = (igw("web", server("*"), selector={"istio": "x"}), vs("r", to("gone/v1"), gateways=["wed"]))
    for unread in ("Pod", "IstioGateway", "DestinationRule", "ServiceEntry", "Service"):
        store = living(*objects, unread=(unread,))
        ids = {item.id for item in istio_findings(store)}
        assert {"Pod": "G17", "IstioGateway": "G18", "ServiceEntry": "G31", "Service": "G31"}.get(
            unread, "G22"
        ) not in ids


def test_a_healthy_gateway_has_no_finding() -> None:
    """Neither of its objects nor of its ways in."""
    both = igw("web", server("*"), server("*", port=443, protocol="HTTPS", mode="SIMPLE", credentialName="cert"))
    store = living(both, CERT, R, dr("d", "api", "v1", "v2"), peer("p", "STRICT"), meshed=True)
    assert not _found(store)
    ways = [point for point in entry_points(store) if point.via.kind == "VirtualService"]
    assert ways
    assert word(asked(store, "http://a.com/")) == API


def test_kinds_decode_from_what_kubectl_prints() -> None:
    """The demo of the reference: a Gateway with MUTUAL, a rule with a port level setting."""
    made = decode_wire(KINDS["IstioGateway"], igw("web", server("a.com", mode="MUTUAL", credentialName="c")))
    assert (str(made.ref), made.servers[0].tls.credentials) == ("IstioGateway shop/web", ("c",))  # type: ignore[union-attr]  # a Gateway


@pytest.mark.parametrize(
    "row",
    [
        vs("r", ANY, hosts=("*",)),
        vs("r", to("api", match=[{"uri": {"regex": "/v[0-9]+/x"}}])),
        vs("r", to("api", match=[{"headers": {"x-user": {"regex": "u[0-9]"}}}])),
        vs("r", to("api", match=[{"headers": {"x-user": {"prefix": "u"}}, "queryParams": {"v": {}}}])),
        vs("r", to("api", match=[{"withoutHeaders": {"x-user": {}}, "method": {"exact": "POST"}}])),
    ],
)
def test_what_a_rule_wants_is_no_fault(row: Wire) -> None:
    """A rule that takes some requests alone gives no finding because another request was made up for it."""
    store = living(igw("web", server("a.com")), row)
    assert not _found(store)
    points = [point for point in entry_points(store) if point.via.kind == "VirtualService"]
    checks = {item.id for point in points for item in way_in_findings(store, point)}
    assert not checks & {"G17", "G18", "G27"}
