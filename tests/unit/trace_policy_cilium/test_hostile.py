"""Whatever stands in a policy: it is decided, or the policy is undecidable by name; nothing breaks."""

import contextlib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aksnav.model.decode import decode_wire
from aksnav.model.kinds import KINDS
from aksnav.model.object import Undecodable
from aksnav.trace.policy.reach import talk
from aksnav.trace.policy.subject import parse_subject
from aksnav.trace.step import Kind, Verdict
from tests.unit.trace_edge.world import Json
from tests.unit.trace_policy_cilium.around import ADDRESSES, API, WEB, asked, group, service, world

_KEYS = [
    "endpointSelector", "nodeSelector", "ingress", "egress", "ingressDeny", "egressDeny", "enableDefaultDeny",
    "toEndpoints", "toEntities", "toCIDR", "toCIDRSet", "toFQDNs", "toServices", "toNodes", "toGroups",
    "toRequires", "fromEndpoints", "fromEntities", "fromCIDR", "toPorts", "icmps", "authentication", "mode",
    "ports", "port", "endPort", "protocol", "rules", "http", "dns", "kafka", "l7", "l7proto", "serverNames",
    "matchLabels", "matchExpressions", "key", "operator", "values", "cidr", "cidrGroupRef", "cidrGroupSelector",
    "except", "matchName", "matchPattern", "k8sService", "k8sServiceSelector", "serviceName", "selector",
    "namespace", "fields", "family", "type", "method", "path", "host", "headers", "headerMatches", "name",
    "value",
]  # fmt: skip
_WORDS = [
    "",
    "all",
    "world",
    "10.0.0.0/8",
    "::/0",
    "TCP",
    "ANY",
    "8080",
    "http",
    "Exists",
    "In",
    "IPv4",
    "*",
    "a.b",
    "x y",
    "office",
]
_ATOMS = st.one_of(st.none(), st.booleans(), st.integers(-1, 70000), st.sampled_from(_WORDS))
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(_KEYS), inner, max_size=4),
        inner.map(lambda got: [got]),
    ),
    max_leaves=25,
)
_FIELDS = [name for name in _KEYS if name.startswith(("to", "from")) or name in {"icmps", "authentication"}]
RULES = st.dictionaries(st.sampled_from(_FIELDS), st.one_of(ANYTHING, st.lists(ANYTHING, max_size=2)), max_size=3)


@st.composite
def specs(draw: st.DrawFn) -> Any:
    """Return something that may stand as a spec: mostly with rules, whatever is in them."""
    if draw(st.integers(0, 5)) == 0:
        return draw(ANYTHING)
    spec: Json = {"endpointSelector": {}}
    for side in ("egress", "ingress", "egressDeny"):
        if draw(st.booleans()):
            spec[side] = draw(st.one_of(st.lists(RULES, max_size=2), ANYTHING))
    if draw(st.booleans()):
        spec[draw(st.sampled_from(_KEYS))] = draw(ANYTHING)
    return spec


@settings(max_examples=200, deadline=None)
@given(specs(), st.booleans())
def test_whatever_a_policy_holds_the_trace_has_an_answer(spec: Any, several: bool) -> None:
    """A policy that cannot be decoded, or that Cilium would refuse, leaves its Pods open, by its name."""
    meta = {"name": "odd", "namespace": "shop"}
    wire: Json = {
        "kind": "CiliumNetworkPolicy",
        "metadata": meta,
        "specs" if several else "spec": [spec] if several else spec,
    }
    around = [group("office", "203.0.113.0/24"), service("shop/api", {"app": "api"})]
    with contextlib.suppress(Undecodable):
        decode_wire(KINDS["CiliumNetworkPolicy"], wire)
        around.append(wire)
    store = world(*around)
    for target in (f"http://{ADDRESSES[API]}:8080/", "icmp://203.0.113.9", f"udp://{ADDRESSES['node-2']}:53"):
        found = asked(store, target, WEB)
        step = next(item for item in found.steps if item.kind is Kind.POLICY)
        if step.verdict is Verdict.UNSUPPORTED:
            assert "shop/odd" in step.missing


@settings(max_examples=40, deadline=None)
@given(specs())
def test_whatever_a_policy_holds_who_can_talk_has_an_answer(spec: Any) -> None:
    """The rows of a Pod can be told, whatever stands in a policy for it."""
    wire: Json = {"kind": "CiliumNetworkPolicy", "metadata": {"name": "odd", "namespace": "shop"}, "spec": spec}
    around: list[Json] = []
    with contextlib.suppress(Undecodable):
        decode_wire(KINDS["CiliumNetworkPolicy"], wire)
        around.append(wire)
    store = world(*around)
    assert list(talk(store, parse_subject(store, "pod/shop/web")).rows)
