"""Properties: objects may come in any order, and one that is at fault changes nothing for the others."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.trace_istio.row import GATEWAY
from tests.unit.trace_istio.world import asked, authz, cause, dr, igw, living, peer, server, to, vs, word
from tests.unit.trace_routing.world import Wire

SLOW = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
ASKED = ("http://a.com/x", "http://b.a.com/", "http://a.com/y?v=1")
_MATCHES = st.sampled_from(
    [{}, {"uri": {"prefix": "/x"}}, {"uri": {"regex": "/."}}, {"queryParams": {"v": {"exact": "1"}}}]
)
_HOSTS = st.sampled_from([("a.com",), ("*.com",), ("*",), ("b.a.com", "a.com")])
_TO = st.sampled_from(["api", "web", "gone", "api/v1", "api/v9"])
_MORE: tuple[Wire, ...] = (
    dr("d", "api", "v1"),
    dr("e", "api", "v1", tls="DISABLE"),
    igw("two", server("a.com", httpsRedirect=True), namespace="infra"),
    igw("three", server("*.com"), selector={}),
    authz("p", {"to": [{"operation": {"paths": ["/x"]}}]}, namespace="aks-istio-ingress"),
    authz("q", {"from": [{"source": {"namespaces": ["shop"]}}]}, action="DENY"),
    peer("s", "STRICT"),
)


@st.composite
def rules(draw: st.DrawFn) -> Wire:
    """Draw a VirtualService; its name is set by whoever lists it."""
    match = draw(_MATCHES)
    rule = to(draw(_TO), **({"match": [match]} if match else {}))
    return vs(
        "r", rule, hosts=draw(_HOSTS), created=draw(st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]))
    )


def _named(rows: list[Wire]) -> list[Wire]:
    return [{**row, "metadata": {**row["metadata"], "name": f"r{index}"}} for index, row in enumerate(rows)]


@SLOW
@given(
    rows=st.lists(rules(), min_size=1, max_size=5), more=st.lists(st.sampled_from(_MORE), unique_by=id), data=st.data()
)
def test_the_order_of_objects_decides_nothing(rows: list[Wire], more: list[Wire], data: st.DataObject) -> None:
    """Whoever lists them first: the same answer, for the same reason."""
    listed = [GATEWAY, *_named(rows), *more]
    turned = data.draw(st.permutations(listed))
    one, other = living(*listed, meshed=True), living(*turned, meshed=True)
    for text in ASKED:
        first, second = asked(one, text), asked(other, text)
        assert (word(first), cause(first)) == (word(second), cause(second))
        assert [step.summary for step in first.steps] == [step.summary for step in second.steps]


BROKEN = (
    vs("zz-lost", to("web"), gateways=["gone"]),
    vs("zz-nowhere", to("gone"), hosts=("z.net",)),
    vs("zz-circle", {"delegate": {"name": "zz-circle", "namespace": "shop"}}, hosts=("z.net",)),
    vs("zz-regex", to("web", match=[{"uri": {"regex": "(((("}}]), hosts=("z.net",)),
    dr("zz", "gone", "v1"),
    igw("zz", server("*", port=80), selector={"app": "nobody"}),
    authz("zz", action="DENY", namespace="nowhere"),
    peer("zz", "STRICT", namespace="nowhere"),
)


@SLOW
@given(rows=st.lists(rules(), max_size=4), broken=st.sampled_from(BROKEN))
def test_an_object_at_fault_changes_nothing_for_the_others(rows: list[Wire], broken: Wire) -> None:
    """A Gateway, Service or subset that is not there, or a rule that leads to itself, stands for itself alone."""
    listed = [GATEWAY, *_named(rows)]
    before, after = living(*listed, dr("d", "api", "v1")), living(*listed, dr("d", "api", "v1"), broken)
    for text in ("http://a.com/x", "http://b.a.com/"):
        assert word(asked(before, text)) == word(asked(after, text))
