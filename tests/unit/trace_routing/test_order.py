"""Properties: the order in which objects come decides nothing, and every answer stands on evidence."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aksnav.checks.routing import routing_findings
from aksnav.trace.routing.entrypoints import entry_points
from aksnav.trace.routing.safe_regex import Refused, compile_safely
from aksnav.trace.routing.types import Routing
from aksnav.trace.step import ENDS, UNKNOWN, Step, Verdict
from tests.unit.trace_routing.world import (
    Wire,
    ask,
    gateway,
    gateway_class,
    gateway_service,
    http_route,
    ingress,
    ingress_class,
    listener,
    nginx_service,
    route_gateway,
    route_nginx,
    rule,
    service,
    store_of,
)

HOSTS = ("a.com", "*.a.com", "b.a.com", "")
PATHS = ("/", "/x", "/x/", "/x/y", "/xy")
TIMES = ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")
KINDS = ("Exact", "Prefix", "ImplementationSpecific")
BACKENDS = ("web", "api", "gone")
MARKS: tuple[dict[str, str], ...] = (
    {},
    {"use-regex": "true"},
    {"rewrite-target": "/z"},
    {"canary": "true", "canary-weight": "30"},
)
URLS = tuple(f"http://{host}{path}" for host in ("a.com", "b.a.com", "c.com") for path in (*PATHS, "/X", "/q"))

rules = st.tuples(st.sampled_from(HOSTS), st.sampled_from(PATHS), st.sampled_from(KINDS), st.sampled_from(BACKENDS))


@st.composite
def ingresses(draw: st.DrawFn) -> list[Wire]:
    """Some Ingresses of one class."""
    count = draw(st.integers(1, 4))
    return [
        ingress(
            f"i{index}",
            *draw(st.lists(rules, min_size=1, max_size=3)),
            created=draw(st.sampled_from(TIMES)),
            annotations=draw(st.sampled_from(MARKS)),
            default=draw(st.sampled_from(("", "web"))),
        )
        for index in range(count)
    ]


@st.composite
def matches(draw: st.DrawFn) -> Wire:
    """A match of an HTTPRoute rule."""
    found: Wire = {
        "path": {"type": draw(st.sampled_from(("Exact", "PathPrefix"))), "value": draw(st.sampled_from(PATHS))}
    }
    if draw(st.booleans()):
        found["method"] = draw(st.sampled_from(("GET", "POST")))
    if draw(st.booleans()):
        found["headers"] = [{"name": "x", "value": draw(st.sampled_from(("1", "2")))}]
    return found


@st.composite
def http_routes(draw: st.DrawFn) -> list[Wire]:
    """Some HTTPRoutes of one Gateway."""
    count = draw(st.integers(1, 4))
    return [
        http_route(
            f"r{index}",
            *(rule(draw(st.sampled_from(BACKENDS)), draw(matches())) for _ in range(draw(st.integers(1, 3)))),
            hostnames=tuple(name for name in draw(st.lists(st.sampled_from(HOSTS), max_size=2)) if name),
            created=draw(st.sampled_from(TIMES)),
        )
        for index in range(count)
    ]


def _stands(answer: Routing) -> None:
    """Every step has evidence or a reason, every end is one, and shares add up."""
    steps: list[Step] = [*answer.steps, *(step for target in answer.targets for step in target.steps)]
    for step in steps:
        assert step.summary
        assert step.evidence or step.missing or step.verdict is Verdict.SKIP
        assert step.missing or step.verdict not in UNKNOWN
        assert bool(step.status) is (step.verdict is Verdict.RESPOND)
    if answer.ended:
        assert not answer.targets
        assert answer.steps[-1].verdict in ENDS | UNKNOWN
    else:
        assert answer.targets
        assert abs(sum(target.weight or 0 for target in answer.targets) - 1) < 1e-9
    for target in answer.targets:
        assert target.ended is bool(target.steps and target.steps[-1].verdict in ENDS | UNKNOWN)


@given(ingresses(), st.randoms(use_true_random=False), st.sampled_from(URLS))
def test_the_order_of_ingresses_does_not_matter(found: list[Wire], random: Any, url: str) -> None:
    """The same answer, entry points and findings for any order of arrival."""
    others = [ingress_class(), nginx_service(), service("web"), service("api")]
    turned = [*others, *found]
    random.shuffle(turned)
    one, two = store_of(*others, *found), store_of(*turned)
    answer = route_nginx(one, ask(url))
    _stands(answer)
    assert route_nginx(two, ask(url)) == answer
    assert entry_points(two) == entry_points(one)
    assert sorted(map(str, routing_findings(two))) == sorted(map(str, routing_findings(one)))


@given(http_routes(), st.randoms(use_true_random=False), st.sampled_from(URLS))
def test_the_order_of_routes_does_not_matter(found: list[Wire], random: Any, url: str) -> None:
    """The same answer, entry points and findings for any order of arrival."""
    gate = gateway("web", listener(), listener("wild", hostname="*.a.com"))
    others = [gateway_class(), gate, gateway_service("web"), service("web"), service("api")]
    turned = [*others, *found]
    random.shuffle(turned)
    one, two = store_of(*others, *found), store_of(*turned)
    packet = ask(url, {"x": "1"})
    answer = route_gateway(one, packet)
    _stands(answer)
    assert route_gateway(two, packet) == answer
    assert entry_points(two) == entry_points(one)
    assert sorted(map(str, routing_findings(two))) == sorted(map(str, routing_findings(one)))


@given(st.text("ab()*+?|[]{}1,.\\^$", max_size=14), st.text("ab", max_size=60))
def test_an_expression_never_takes_long(pattern: str, subject: str) -> None:
    """Whatever is compiled can be searched at once; the test would hang otherwise."""
    compiled = compile_safely(pattern, subject)
    if not isinstance(compiled, Refused):
        compiled.search(subject)
