"""Properties: objects may come in any order, and one that is at fault changes nothing for the others."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.trace_gateway.world import called, cause, cluster, route, taken, to, word
from tests.unit.trace_routing.world import Wire, exact, gateway, listener, prefix

HOSTS = ("a.com", "b.com", "*.com", "x.a.com", "")
TIMES = ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")
WEB = gateway("web", listener("one", hostname="*.com"), listener("two", hostname="a.com"), listener("tcp", 5432, "TCP"))
ASKED = ("http://a.com/", "http://x.a.com/a/b", "grpc://b.com/shop.Cart/Add", "tcp://:5432", "http://a.com/b")
SLOW = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

_HTTP = st.sampled_from([prefix("/"), prefix("/a"), exact("/b"), prefix("/a", method="GET")])
_GRPC = st.sampled_from([called("shop.Cart"), called("shop.Cart", "Add"), called(method="Add"), {}])
_BACKENDS = st.sampled_from(["api", "web", "gone", "api*0"])


@st.composite
def routes(draw: st.DrawFn) -> Wire:
    """Draw a route of any kind; its name is set by whoever lists it."""
    kind = draw(st.sampled_from(["HTTPRoute", "HTTPRoute", "GRPCRoute", "TCPRoute"]))
    matches = {"HTTPRoute": _HTTP, "GRPCRoute": _GRPC}.get(kind)
    more: dict[str, Any] = {"matches": [draw(matches)]} if matches is not None else {}
    hosts = () if kind == "TCPRoute" else tuple(name for name in draw(st.sets(st.sampled_from(HOSTS))) if name)
    parent = draw(st.sampled_from([{}, {"sectionName": "one"}, {"sectionName": "nope"}, {"name": "gone"}]))
    return route(
        kind,
        "r",
        to(draw(_BACKENDS), **more),
        hosts=tuple(sorted(hosts)),
        created=draw(st.sampled_from(TIMES)),
        parent=parent,
    )


def _named(rows: list[Wire]) -> list[Wire]:
    return [{**row, "metadata": {**row["metadata"], "name": f"r{index}"}} for index, row in enumerate(rows)]


@SLOW
@given(rows=st.lists(routes(), min_size=1, max_size=6), data=st.data())
def test_the_order_of_objects_decides_nothing(rows: list[Wire], data: st.DataObject) -> None:
    """Whoever lists them first: the same answer, for the same reason."""
    listed = _named(rows)
    turned = data.draw(st.permutations(listed))
    one, other = cluster(WEB, *listed), cluster(*turned, WEB)
    for text in ASKED:
        first, second = taken(one, text), taken(other, text)
        assert (word(first), cause(first)) == (word(second), cause(second))
        assert [step.summary for step in first.steps] == [step.summary for step in second.steps]


BROKEN = (
    route("HTTPRoute", "zz-lost", to("web"), parent={"name": "gone"}),
    route("GRPCRoute", "zz-nowhere", to("web"), parent={"sectionName": "nope"}),
    route("HTTPRoute", "zz-itself", {"backendRefs": [{"kind": "HTTPRoute", "name": "zz-itself"}]}, hosts=("z.net",)),
    route("TLSRoute", "zz-tls", to("web"), hosts=("a.com",)),
    route("HTTPRoute", "zz-elsewhere", to("other/web"), hosts=("z.a.com",), parent={"kind": "ListenerSet"}),
    {
        "kind": "ReferenceGrant",
        "metadata": {"name": "zz", "namespace": "nowhere"},
        "spec": {"from": [{"group": "x", "kind": "Y", "namespace": "nowhere"}], "to": [{"group": "", "kind": "Z"}]},
    },
)


@SLOW
@given(rows=st.lists(routes(), max_size=5), broken=st.sampled_from(BROKEN))
def test_an_object_at_fault_changes_nothing_for_the_others(rows: list[Wire], broken: Wire) -> None:
    """A parent, listener or backend that is not there, or a route that names itself, stands for itself alone."""
    listed = _named(rows)
    before, after = cluster(WEB, *listed), cluster(WEB, *listed, broken)
    for text in ASKED:
        assert word(taken(before, text)) == word(taken(after, text))
